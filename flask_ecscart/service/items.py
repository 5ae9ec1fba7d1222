"""ItemLookup and ItemSearch over the catalog: how a caller finds ASINs and OfferListingIds to put into a cart."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from flask_ecscart.catalog import OfferCatalog
from flask_ecscart.errors import ECSError, InvalidParameterValue, ItemNotAccessible
from flask_ecscart.locales import LOCALES
from flask_ecscart.model import CartFault, Offer, Product
from flask_ecscart.service.browse import Browser, group_key, words
from flask_ecscart.service.item_requests import ItemCall
from flask_ecscart.service.messages import refusal

__all__ = ["PER_PAGE", "Found", "ItemOutcome", "Items"]

PER_PAGE = 10
"""Items of one page of a search, and variations of one VariationPage."""
_MAX_VARIATIONS = 100
"""Variations of one parent that are shown when all are asked for."""
_AMAZON = "Amazon"
_FEATURED = "Featured"
_ALL = "All"
_NEW = "New"
_NO_MATCHES = CartFault("AWS.ECommerceService.NoExactMatches", "We did not find any matches for your request.")
_EVERYWHERE = ("All", "Blended")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A product with the offers that were asked for, and the variations of a parent; `total` counts all of those."""

    product: Product
    offers: tuple[Offer, ...] = ()
    variations: tuple[Found, ...] = ()
    total: int = 0


class ItemOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in a reply. `valid` is IsValid; the totals are None for a look-up."""

    valid: bool
    found: tuple[Found, ...] = ()
    faults: tuple[CartFault, ...] = ()
    total_results: int | None = None
    total_pages: int | None = None


class Items:
    """The products of `catalog`, as far as the service may show them."""

    def __init__(self, catalog: OfferCatalog, browser: Browser) -> None:
        self._catalog = catalog
        self._browser = browser

    def group_keys(self, locale: str) -> frozenset[str]:
        """The product groups of `locale`, as `browse.group_key` writes them."""
        shelves = self._browser.shelves(locale)
        return frozenset(shelves.groups) if shelves is not None else frozenset()

    def answer(self, call: ItemCall) -> ItemOutcome:
        """Check the call and carry it out; a refusal becomes an outcome."""
        problems = call.problems()
        if problems:
            return ItemOutcome(valid=False, faults=_faults(problems))
        if call.only_validate:
            return ItemOutcome(valid=True)
        return self._look_up(call) if call.operation == "ItemLookup" else self._search(call)

    def _look_up(self, call: ItemCall) -> ItemOutcome:
        """What the ItemIds name, in their order; an error for each that names nothing, beside the others."""
        known = self._catalog.lookup(call.locale, call.item_ids)
        problems: list[ECSError] = []
        found: list[Found] = []
        for asin in call.item_ids:
            product = known.get(asin)
            if product is None:
                problems.append(refusal(InvalidParameterValue, call.locale, value=asin, name="ItemId"))
            elif product.kind == "inaccessible":
                problems.append(refusal(ItemNotAccessible, call.locale))
            else:
                found.append(self._found(call, product))
        return ItemOutcome(valid=True, found=tuple(found), faults=_faults(problems))

    def _search(self, call: ItemCall) -> ItemOutcome:
        """One page of what has every word; nothing where the catalog cannot be walked through."""
        products = _in_order(self._matches(call), call.sent.get("Sort"))
        first = (call.page - 1) * PER_PAGE
        page = products[first : first + PER_PAGE]
        return ItemOutcome(
            valid=True,
            found=tuple(self._found(call, product) for product in page),
            faults=() if page else (_NO_MATCHES,),
            total_results=len(products),
            total_pages=math.ceil(len(products) / PER_PAGE),
        )

    def _matches(self, call: ItemCall) -> list[Product]:
        shelves = self._browser.shelves(call.locale)
        if shelves is None:
            return []
        index = call.sent.get("SearchIndex", "")
        groups = None if index in _EVERYWHERE else frozenset([group_key(index)])
        title = words(call.sent.get("Title", ""))
        products = shelves.search([*words(call.sent.get("Keywords", "")), *title], groups)
        if title:
            products = [product for product in products if set(title) <= set(words(product.title))]
        if call.sent.get("Condition", _ALL) != _ALL or call.sent.get("MerchantId", _ALL) != _ALL:
            families = ((product, (product, *shelves.children.get(product.asin, ()))) for product in products)
            products = [product for product, family in families if any(_offers(call, one) for one in family)]
        return products

    def _found(self, call: ItemCall, product: Product) -> Found:
        shelves = self._browser.shelves(call.locale) if call.shows_variations else None
        children = shelves.children.get(product.asin, []) if shelves is not None else []
        return Found(
            product=product,
            offers=_offers(call, product),
            variations=tuple(
                Found(product=child, offers=_offers(call, child)) for child in _variation_page(call, children)
            ),
            total=len(children),
        )


def _faults(problems: Sequence[ECSError]) -> tuple[CartFault, ...]:
    return tuple(CartFault(problem.code, problem.message) for problem in problems)


def _variation_page(call: ItemCall, children: Sequence[Product]) -> Sequence[Product]:
    page = call.variation_page
    if page is None:
        return children[:_MAX_VARIATIONS]
    return children[(page - 1) * PER_PAGE : page * PER_PAGE]


def _offers(call: ItemCall, product: Product) -> tuple[Offer, ...]:
    """The offers of the Condition and merchant asked for: new ones of everybody, unless the caller said else.

    Digital products have none: what has no offer cannot be bought (seed 003), and these cannot by a cart.
    """
    if product.kind != "product":
        return ()
    condition = call.sent.get("Condition") or _NEW
    offers = tuple(offer for offer in product.offers if condition in (_ALL, offer.condition or _NEW))
    merchant = call.sent.get("MerchantId") or _ALL
    if merchant == _ALL:
        return offers
    if merchant == _FEATURED:
        return offers[:1]
    return tuple(offer for offer in offers if _is_of(call.locale, offer, merchant))


def _is_of(locale: str, offer: Offer, merchant: str) -> bool:
    row = LOCALES[locale]
    amazons_own = offer.seller is None or offer.seller == row.seller_nickname
    if merchant == _AMAZON:
        return amazons_own
    ids = {offer.merchant_id, offer.seller_id}
    return merchant in (ids | {row.merchant_id, row.seller_id} if amazons_own else ids)


def _in_order(products: list[Product], sort: str | None) -> list[Product]:
    """By price or title where asked; any other Sort, and none, leaves the catalog's order."""
    if sort in {"price", "pricerank"}:
        return sorted(products, key=lambda product: (_price(product) is None, _price(product) or 0))
    if sort in {"-price", "inverse-pricerank"}:
        return sorted(products, key=lambda product: -(_price(product) or 0))
    if sort in {"titlerank", "-titlerank"}:
        return sorted(products, key=lambda product: product.title.casefold(), reverse=sort.startswith("-"))
    return products


def _price(product: Product) -> int | None:
    return product.offers[0].price if product.offers else None
