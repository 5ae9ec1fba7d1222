"""Which price a page may show: Amazon's own or the remote service's, at most an hour old, or one of the demo shop.

Amazon's programme allows prices from its API alone, refreshed at least hourly, with their time beside them. A price
the owner wrote into the file is shown where nothing is sold: in the demo hand-off.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from flask_ecscart.carts import CartView
from flask_ecscart.catalog.cache import OFFERS_LIFE
from flask_ecscart.clock import iso
from flask_ecscart.locales import LOCALES
from flask_ecscart.model import CartItem, Deal, Money, Offer
from flask_ecscart.web.schemas import ItemOut, MoneyOut
from flask_ecscart.web.site import Site

__all__ = ["Price", "PriceRules", "money_out"]

_AHEAD = timedelta(minutes=1)
"""Clocks of two machines differ a little; a time further ahead than this tells nothing about age."""


class Price(NamedTuple):
    """What may be shown: the price of one, when it was so (None: it has no time), and that there is a hidden one."""

    money: Money | None = None
    as_of: datetime | None = None
    hidden: bool = False
    deal: Deal | None = None

    @property
    def as_of_text(self) -> str | None:
        """The time in the form of the API."""
        return iso(self.as_of) if self.as_of is not None and self.money is not None else None


class PriceRules:
    """The prices of one locale at one moment."""

    def __init__(self, site: Site, locale: str) -> None:
        self._locale = LOCALES[locale]
        self._demo = site.settings.locales[locale].handoff == "demo"
        self._remote = site.settings.provider == "ecs"
        self._now = site.clock()

    def of_offer(self, offer: Offer | None) -> Price:
        """What may be shown of an offer of the catalog."""
        if offer is None:
            return Price()
        if self._demo and offer.source == "owner":
            return Price() if offer.price is None else Price(self._locale.money(offer.price))
        if offer.source == "owner" or not self._is_fresh(offer.as_of):
            return Price()
        if offer.price is None or offer.price_hidden:
            return Price(hidden=offer.price_hidden)
        return Price(self._locale.money(offer.price), offer.as_of, deal=offer.deal)

    def of_line(self, item: CartItem | None, offer: Offer | None, as_of: datetime | None) -> Price:
        """What may be shown of a line of the cart; `as_of` is when the cart service showed it."""
        if item is None:
            return Price()
        if self._remote:
            return Price(item.price, as_of) if item.price is not None and self._is_fresh(as_of) else Price()
        if self._demo and (offer is None or offer.source == "owner"):
            return Price(item.price)
        return self.of_offer(offer)

    def subtotal(self, view: CartView, items: Sequence[ItemOut]) -> MoneyOut | None:
        """The sum of the active lines: the cart's own, or of what is shown.

        None as soon as the price of one line may not be shown: a part would pass for the whole.
        """
        if view.cart is not None and (self._remote or self._demo):
            money = view.cart.items_subtotal if self._demo or self._is_fresh(view.as_of) else None
            return money_out(money)
        totals = [item.item_total.amount for item in items if item.item_total is not None]
        return money_out(self._locale.money(sum(totals))) if totals and len(totals) == len(items) else None

    def total(self, price: Price, item: CartItem | None, quantity: int) -> MoneyOut | None:
        """The price of a line of the cart, where the price of one may be shown."""
        if price.money is None:
            return None
        own = item.item_total if item is not None and (self._remote or self._demo) else None
        return money_out(own or self._locale.money(price.money.amount * quantity))

    def _is_fresh(self, as_of: datetime | None) -> bool:
        return as_of is not None and -_AHEAD <= self._now - as_of < OFFERS_LIFE


def money_out(money: Money | None) -> MoneyOut | None:
    """`money` as the API shows it."""
    return MoneyOut(amount=money.amount, currency=money.currency, formatted=money.formatted) if money else None
