"""The fields of an ``<Item>`` of ItemLookup or ItemSearch as a `Product` with its offers."""

from __future__ import annotations

import re

from flask_ecscart.ecs.purchase_url import RetailBase, checked_link, checked_picture
from flask_ecscart.ecs.reader import ASIN, Reader, read_money
from flask_ecscart.locales import LOCALES
from flask_ecscart.model import Availability, Offer, Product, ProductKind

__all__ = ["read_product"]

_PICTURES = ("LargeImage/URL", "MediumImage/URL", "SmallImage/URL")
_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
_DIGITAL_GROUPS = frozenset(["eBooks", "Digital Music Album", "Digital Music Track", "Digital Video Games"])
_LISTING_ID = re.compile(r"[!-~]{1,512}")


def read_product(item: Reader, locale: str, retail_base: RetailBase) -> Product:
    """The product in `item`; `MalformedReply` without an ASIN. What was not asked for is None or empty.

    A link that does not lead to the retail site is left out.
    """
    asin = item.matching("ASIN", ASIN)
    url = item.text("DetailPageURL")
    pictures = filter(None, map(item.text, _PICTURES))
    released = item.text("ItemAttributes/ReleaseDate") or item.text("ItemAttributes/PublicationDate")
    return Product(
        locale=locale,
        asin=asin,
        title=item.text("ItemAttributes/Title") or asin,
        url=url and checked_link(url, locale=locale, retail_base=retail_base),
        image=next(filter(None, map(checked_picture, pictures)), None),
        product_group=item.text("ItemAttributes/ProductGroup"),
        kind=_kind(item),
        parent_asin=item.text("ParentASIN"),
        released=released if released and _DATE.fullmatch(released) else None,
        offers=tuple(_offer(offer, locale) for offer in item.readers("Offers/Offer")),
        variations=tuple(read_product(child, locale, retail_base) for child in item.readers("Variations/Item")),
    )


def _kind(item: Reader) -> ProductKind:
    if item.one("Variations") or item.one("VariationSummary"):
        return "variation_parent"
    if item.one("Collections"):
        return "collection_parent"
    return "digital" if item.text("ItemAttributes/ProductGroup") in _DIGITAL_GROUPS else "product"


def _offer(offer: Reader, locale: str) -> Offer:
    listing = offer.text("OfferListing/OfferListingId")
    price = read_money(offer, "OfferListing/SalePrice", locale) or read_money(offer, "OfferListing/Price", locale)
    known = price is not None and price.currency == LOCALES[locale].currency
    name = offer.text("Merchant/Name") or offer.text("Seller/Nickname")
    return Offer(
        offer_listing_id=listing if listing and _LISTING_ID.fullmatch(listing) else None,
        price=price.amount if price is not None and known else None,
        availability=_availability(offer),
        seller=None if name == LOCALES[locale].seller_nickname else name,
        merchant_id=offer.text("Merchant/MerchantId"),
        seller_id=offer.text("Seller/SellerId"),
        condition=offer.text("OfferAttributes/Condition"),
    )


def _availability(offer: Reader) -> Availability:
    """AvailabilityType is for programs, the text for people; with neither, what is offered can be had."""
    told = "OfferListing/AvailabilityAttributes"
    kind = offer.text(f"{told}/AvailabilityType")
    text = (offer.text("OfferListing/Availability") or "").lower()
    if offer.text(f"{told}/IsPreorder") == "1" or "not yet" in text:
        return "preorder"
    if kind == "unknown" or "out of stock" in text or "unavailable" in text:
        return "out_of_stock"
    return "in_stock"
