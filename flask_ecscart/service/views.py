"""A cart as a reply shows it: entries and catalog put together, areas and prices worked out at this moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from flask_ecscart.locales import LOCALES, Locale
from flask_ecscart.model import Area, Cart, CartFault, CartItem, CartRef, Money, Offer
from flask_ecscart.service.ids import cart_item_id
from flask_ecscart.service.shelf import Shelf
from flask_ecscart.service.store import Entry

__all__ = ["merchant_and_seller", "show"]


def show(
    ref: CartRef,
    entries: Sequence[Entry],
    shelf: Shelf,
    *,
    purchase_url: str,
    faults: tuple[CartFault, ...] = (),
) -> Cart:
    """The cart. An empty one has its reference only, like the reply of CartClear (nothing else is recorded)."""
    if not entries:
        return Cart(ref=ref, faults=faults)
    locale = LOCALES[ref.locale]
    ordered = sorted(entries, key=lambda entry: (entry.position, entry.saved))
    away = {entry.key for entry in ordered if not entry.saved and not shelf.available(entry)}
    active = [entry for entry in ordered if not entry.saved and entry.key not in away]
    saved = _joined(entry for entry in ordered if entry.saved or entry.key in away)
    items = tuple(_item(locale, entry, "active", shelf) for entry in active)
    saved_items = tuple(_item(locale, entry, "saved", shelf) for entry in saved)
    return Cart(
        ref=ref,
        purchase_url=purchase_url,
        items=items,
        saved=saved_items,
        subtotal=_sum(locale, (*items, *saved_items)),
        items_subtotal=_sum(locale, items),
        saved_subtotal=_sum(locale, saved_items),
        faults=faults,
    )


def _joined(entries: Iterable[Entry]) -> list[Entry]:
    """One entry per offer: an unavailable active part is shown together with the part that was saved."""
    joined: dict[str, Entry] = {}
    for entry in entries:
        first = joined.get(entry.key)
        quantity = entry.quantity + (first.quantity if first else 0)
        joined[entry.key] = msgspec.structs.replace(first or entry, quantity=quantity)
    return list(joined.values())


def _item(locale: Locale, entry: Entry, area: Area, shelf: Shelf) -> CartItem:
    product, offer = shelf.product(entry), shelf.offer(entry)
    quantity = shelf.quantity(entry)
    price = None if offer is None or offer.price is None else offer.price
    merchant_id, seller_id = (None, None) if offer is None else merchant_and_seller(locale, offer)
    return CartItem(
        cart_item_id=cart_item_id(entry.key, area),
        asin=entry.asin,
        quantity=quantity,
        title=product.title if product else None,
        product_group=product.product_group if product else None,
        seller_nickname=None if offer is None else offer.seller or locale.seller_nickname,
        merchant_id=merchant_id,
        seller_id=seller_id,
        price=None if price is None else locale.money(price),
        item_total=None if price is None else locale.money(price * quantity),
    )


def merchant_and_seller(locale: Locale, offer: Offer) -> tuple[str | None, str | None]:
    """MerchantId and SellerId of the offer, for Versions that show them.

    In the US Amazon and its partners have a MerchantId and other vendors a SellerId; elsewhere Amazon alone has
    a MerchantId (seed 002).
    """
    if _is_amazons(locale, offer):
        return offer.merchant_id or locale.merchant_id, offer.seller_id or locale.seller_id
    if locale.code == "US":
        return offer.merchant_id, offer.seller_id
    return None, offer.seller_id or offer.merchant_id


def _is_amazons(locale: Locale, offer: Offer) -> bool:
    return offer.seller is None or offer.seller == locale.seller_nickname


def _sum(locale: Locale, items: Iterable[CartItem]) -> Money | None:
    """What the priced items cost together; None when no price is known, which is not the same as nothing."""
    totals = [item.item_total.amount for item in items if item.item_total is not None]
    return locale.money(sum(totals)) if totals else None
