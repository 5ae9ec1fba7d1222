"""An item of the Creators API as a `Product`: the listing that wins the buy box, links unchanged, pictures as links.

Field reports and the meaning of each field: the API's own models (bundled with python-amazon-paapi). Whatever may not
be shown or trusted is left out here, so that nothing behind this module needs to know how Amazon writes things.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask_ecscart.catalog.columns import ASIN, cut
from flask_ecscart.locales import Locale
from flask_ecscart.model import MAX_QUANTITY, Availability, Deal, Offer, Product

if TYPE_CHECKING:
    from creatorsapi_python_sdk.models.item import Item
    from creatorsapi_python_sdk.models.money import Money
    from creatorsapi_python_sdk.models.offer_listing_v2 import OfferListingV2

__all__ = ["read_item"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff]+")
_LINK = re.compile(r"https://[!-~]{1,2000}")
_MAX_AMOUNT = 10**9
_MAX_CHOICE = 120
_AVAILABILITY: dict[str, Availability] = {
    "IN_STOCK": "in_stock",
    "IN_STOCK_SCARCE": "in_stock",
    "LEADTIME": "in_stock",
    "OUT_OF_STOCK": "out_of_stock",
    "UNAVAILABLE": "out_of_stock",
    "PREORDER": "preorder",
    "AVAILABLE_DATE": "preorder",
}
"""Types the API names; with none, or UNKNOWN, what is listed can be had."""
_DEALS: dict[str, Deal] = {"PRIME_EXCLUSIVE": "prime_exclusive", "PRIME_EARLY_ACCESS": "prime_early_access"}


def read_item(item: Item, locale: Locale, now: datetime) -> Product | None:
    """The product, with at most one offer: what its ASIN alone buys. None without a usable ASIN."""
    asin = item.asin or ""
    if not ASIN.fullmatch(asin):
        return None
    info = item.item_info
    title = _text(info.title.display_value if info and info.title else None)
    group = info.classifications.product_group if info and info.classifications else None
    parent = item.parent_asin or ""
    return Product(
        locale=locale.code,
        asin=asin,
        title=title or "",
        url=_page(item.detail_page_url, locale),
        image=_picture(item),
        product_group=_text(group.display_value if group else None),
        parent_asin=parent if ASIN.fullmatch(parent) and parent != asin else None,
        offers=_offers(item, locale, now),
        choice=_choice(item),
    )


def _offers(item: Item, locale: Locale, now: datetime) -> tuple[Offer, ...]:
    """What the ASIN buys. Nothing listed: nothing to buy (also a parent, which a later call finds out)."""
    listings: Sequence[OfferListingV2] = (item.offers_v2.listings if item.offers_v2 else None) or []
    if not listings:
        return ()
    winner = next((listing for listing in listings if listing.is_buy_box_winner), None)
    if winner is None:  # others sell it, but who would be chosen, and for how much, nobody knows
        can_be_had = any(_availability(listing) == "in_stock" for listing in listings)
        availability: Availability = "in_stock" if can_be_had else _availability(listings[0])
        return (Offer(offer_listing_id=None, availability=availability, source="creators", as_of=now),)
    money = winner.price.money if winner.price else None
    hidden = bool(winner.violates_map)
    access = (winner.deal_details.access_type or "") if winner.deal_details else ""
    return (
        Offer(
            offer_listing_id=None,
            price=None if hidden else _minor_units(money, locale),
            availability=_availability(winner),
            limit=_limit(winner),
            source="creators",
            as_of=now,
            deal=_DEALS.get(access.upper()),
            price_hidden=hidden,
        ),
    )


def _availability(listing: OfferListingV2) -> Availability:
    said = listing.availability.type if listing.availability else None
    return _AVAILABILITY.get((said or "").upper(), "in_stock")


def _limit(listing: OfferListingV2) -> int | None:
    most = listing.availability.max_order_quantity if listing.availability else None
    return int(most) if most is not None and 1 <= most < MAX_QUANTITY else None


def _minor_units(money: Money | None, locale: Locale) -> int | None:
    if money is None or money.amount is None or money.currency != locale.currency:
        return None
    amount = Decimal(str(money.amount)).scaleb(locale.decimals)
    return int(amount.to_integral_value()) if amount.is_finite() and 0 < amount < _MAX_AMOUNT else None


def _page(url: str | None, locale: Locale) -> str | None:
    """The detail page's address, unchanged: it carries the tag, and what makes a sale count as the API's."""
    if url is None or not _LINK.fullmatch(url):
        return None
    return url if urlsplit(url).netloc == locale.retail_host else None


def _picture(item: Item) -> str | None:
    primary = item.images.primary if item.images else None
    sizes = (primary.medium, primary.large, primary.small) if primary else ()
    links = (size.url for size in sizes if size is not None and size.url)
    return next((link for link in links if _LINK.fullmatch(link) and not set(link) & set("\"'<>\\")), None)


def _choice(item: Item) -> str | None:
    values = [_text(one.value) for one in item.variation_attributes or []]
    return ", ".join(value for value in values if value)[:_MAX_CHOICE] or None


def _text(said: str | None) -> str | None:
    """What Amazon says, as text of a sane length; markup in it stays the text it is."""
    if not said:
        return None
    whole = said[:20_000].encode("utf-8", "replace").decode("utf-8")  # a lone surrogate fits into no reply
    return cut(_CONTROL.sub(" ", whole).strip()) or None
