"""Items as XML: what the catalog knows of them, in the elements of the response groups asked for."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement

from flask_ecscart.locales import LOCALES, Locale
from flask_ecscart.model import Availability, Offer, Product
from flask_ecscart.service.elements import Envelope, add_errors, add_money, add_text, document, response_root
from flask_ecscart.service.item_requests import ItemCall
from flask_ecscart.service.items import PER_PAGE, Found, ItemOutcome
from flask_ecscart.service.listings import listing_id
from flask_ecscart.service.purchase_url import NO_TAG
from flask_ecscart.service.views import merchant_and_seller

__all__ = ["render_items"]

_TITLES = frozenset({"Small", "Medium", "Large", "ItemAttributes"})
_ATTRIBUTES = frozenset({"Medium", "Large", "ItemAttributes"})
_IMAGES = frozenset({"Medium", "Large", "Images"})
_SUMMARY = frozenset({"Medium", "Large", "OfferSummary", "Offers", "OfferFull"})
_OFFERS = frozenset({"Large", "Offers", "OfferFull", "OfferListings"})
_VARIATIONS = frozenset({"Variations", "VariationOffers", "VariationMinimum"})
_SIZES = (("SmallImage", 75), ("MediumImage", 160), ("LargeImage", 500))
"""Longest side in pixels of Amazon's three pictures. The catalog has one; the numbers say how large to show it."""
_AVAILABLE: dict[Availability, tuple[str, str, str]] = {
    "in_stock": ("Usually ships in 24 hours", "now", "0"),
    "preorder": ("Not yet released", "futureDate", "1"),
    "out_of_stock": ("Out of stock", "unknown", "0"),
    "discontinued": ("Currently unavailable", "unknown", "0"),
}
"""Availability, AvailabilityType and IsPreorder."""
_LAST_WITH_SELLER_IDS = "2010-12-01"
_PLAIN_LINKS_SINCE = "2013-08-01"


def render_items(call: ItemCall, outcome: ItemOutcome, envelope: Envelope) -> bytes:
    """The ItemLookupResponse or ItemSearchResponse document."""
    root = response_root(call.operation, call.version, envelope)
    items = SubElement(root, "Items")
    request = SubElement(items, "Request")
    add_text(request, "IsValid", str(outcome.valid))
    echo = SubElement(request, f"{call.operation}Request")
    for name, text in call.echo():
        add_text(echo, name, text)
    add_errors(request, outcome.faults)
    if outcome.total_results is not None:
        add_text(items, "TotalResults", str(outcome.total_results))
        add_text(items, "TotalPages", str(outcome.total_pages))
    groups = frozenset(call.response_groups)
    for found in outcome.found:
        _item(items, call, found, groups)
    return document(root, escaped_twice=call.escaped_twice)


def _item(parent: Element, call: ItemCall, found: Found, groups: frozenset[str]) -> None:
    """The element with its children in the order of the schema. The group Request alone shows no item (DG)."""
    if groups <= {"Request"}:
        return
    product, locale = found.product, LOCALES[found.product.locale]
    item = SubElement(parent, "Item")
    add_text(item, "ASIN", product.asin)
    add_text(item, "ParentASIN", product.parent_asin)
    if groups & _TITLES:
        add_text(item, "DetailPageURL", _page(call, product, locale))
    if groups & _IMAGES:
        _images(item, product)
    if groups & _TITLES:
        _attributes(item, product, full=bool(groups & _ATTRIBUTES))
    if groups & _SUMMARY and product.kind == "product":
        _summary(item, locale, found.offers)
    if groups & _OFFERS and product.kind == "product":
        _offers(item, call, found, full="OfferFull" in groups)
    if call.shows_variations and product.kind == "variation_parent":
        _variations(item, call, found, groups)


def _page(call: ItemCall, product: Product, locale: Locale) -> str:
    """The owner's own page, or the retail one that credits the caller, its query encoded until 2013 (recorded)."""
    if product.url and "://" in product.url:
        return product.url
    values = {
        "SubscriptionId": call.access_key,
        "tag": call.associate_tag or NO_TAG,
        "linkCode": "xm2",
        "creativeASIN": product.asin,
    }
    query = "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items())
    return locale.product_url(product.asin) + (query if call.version >= _PLAIN_LINKS_SINCE else quote(query, safe=""))


def _images(item: Element, product: Product) -> None:
    """Pictures by address only: a path on the owner's own site leads nowhere from here."""
    if not product.image or "://" not in product.image:
        return
    for name, pixels in _SIZES:
        image = SubElement(item, name)
        add_text(image, "URL", product.image)
        for side in ("Height", "Width"):
            SubElement(image, side, {"Units": "pixels"}).text = str(pixels)


def _attributes(item: Element, product: Product, *, full: bool) -> None:
    attributes = SubElement(item, "ItemAttributes")
    add_text(attributes, "ProductGroup", product.product_group)
    if full:
        add_text(attributes, "ReleaseDate", product.released)
    add_text(attributes, "Title", product.title)


def _summary(item: Element, locale: Locale, offers: Iterable[Offer]) -> None:
    """How many there are of each condition, and the lowest price of each."""
    summary = SubElement(item, "OfferSummary")
    conditions = ("New", "Used", "Collectible", "Refurbished")
    by_condition = {name: [one for one in offers if (one.condition or "New") == name] for name in conditions}
    for name, those in by_condition.items():
        prices = [offer.price for offer in those if offer.price is not None]
        add_money(summary, f"Lowest{name}Price", locale.money(min(prices)) if prices else None)
    for name, those in by_condition.items():
        add_text(summary, f"Total{name}", str(len(those)))


def _offers(item: Element, call: ItemCall, found: Found, *, full: bool) -> None:
    offers = SubElement(item, "Offers")
    add_text(offers, "TotalOffers", str(len(found.offers)))
    add_text(offers, "TotalOfferPages", "1" if found.offers else "0")
    for offer in found.offers:
        _offer(SubElement(offers, "Offer"), call, found.product, offer, full=full)


def _offer(parent: Element, call: ItemCall, product: Product, offer: Offer, *, full: bool) -> None:
    locale = LOCALES[product.locale]
    if call.version <= _LAST_WITH_SELLER_IDS:
        _merchant_or_seller(parent, locale, offer)
    elif full:
        add_text(SubElement(parent, "Merchant"), "Name", offer.seller or locale.seller_nickname)
    add_text(SubElement(parent, "OfferAttributes"), "Condition", offer.condition or "New")
    listing = SubElement(parent, "OfferListing")
    add_text(listing, "OfferListingId", listing_id(product, offer))
    add_money(listing, "Price", None if offer.price is None else locale.money(offer.price))
    said, kind, preorder = _AVAILABLE[offer.availability]
    add_text(listing, "Availability", said)
    attributes = SubElement(listing, "AvailabilityAttributes")
    add_text(attributes, "AvailabilityType", kind)
    add_text(attributes, "IsPreorder", preorder)


def _merchant_or_seller(parent: Element, locale: Locale, offer: Offer) -> None:
    merchant_id, seller_id = merchant_and_seller(locale, offer)
    name = offer.seller or locale.seller_nickname
    if merchant_id is not None:
        merchant = SubElement(parent, "Merchant")
        add_text(merchant, "MerchantId", merchant_id)
        add_text(merchant, "Name", name)
    else:
        seller = SubElement(parent, "Seller")
        add_text(seller, "SellerId", seller_id)
        add_text(seller, "Nickname", name)


def _variations(item: Element, call: ItemCall, found: Found, groups: frozenset[str]) -> None:
    """A parent's children: counted and priced for VariationSummary, each with its offers for Variations."""
    if "VariationSummary" in groups:
        locale = LOCALES[found.product.locale]
        prices = [offer.price for child in found.variations for offer in child.offers if offer.price is not None]
        summary = SubElement(item, "VariationSummary")
        add_money(summary, "LowestPrice", locale.money(min(prices)) if prices else None)
        add_money(summary, "HighestPrice", locale.money(max(prices)) if prices else None)
    if not groups & _VARIATIONS:
        return
    variations = SubElement(item, "Variations")
    add_text(variations, "TotalVariations", str(found.total))
    add_text(variations, "TotalVariationPages", str(-(-found.total // PER_PAGE)))
    shown = frozenset({"ItemAttributes", "Offers", *groups} if "Variations" in groups else groups | {"OfferListings"})
    if groups & _VARIATIONS == frozenset({"VariationMinimum"}):
        shown = groups - _OFFERS - _TITLES  # the ASINs only
    for child in found.variations:
        _item(variations, call, child, shown)
