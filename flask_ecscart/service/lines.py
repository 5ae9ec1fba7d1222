"""The rules for lines that are to be put into a cart: what is well formed, and what may stand in a cart."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from flask_ecscart.catalog import OfferCatalog
from flask_ecscart.catalog.columns import ASIN
from flask_ecscart.errors import (
    ECSError,
    InvalidParameterCombination,
    InvalidQuantity,
    ItemError,
    ItemNotAccessible,
    ItemNotEligibleForCart,
    MissingParameterCombination,
    MissingParameters,
    ParameterOutOfRange,
)
from flask_ecscart.model import MAX_QUANTITY, NewItem, Offer, Product
from flask_ecscart.service.ids import entry_key
from flask_ecscart.service.listings import own_listing
from flask_ecscart.service.messages import NOT_A_NUMBER, refusal, together
from flask_ecscart.service.shelf import capped
from flask_ecscart.service.store import Entry

__all__ = ["Line", "check_new", "new_entries", "quantity_problem", "resolve"]


class Line(msgspec.Struct, frozen=True):
    """A line that may stand in a cart: how many of which offer. `key` names the offer."""

    key: str
    asin: str
    quantity: int
    offer: Offer
    product_group: str | None = None


def check_new(locale: str, items: Sequence[NewItem]) -> None:
    """Raise `RequestRefused` (or InvalidQuantity for no number) when the lines are not well formed."""
    if not items:
        raise refusal(MissingParameters, locale, name="Items")
    problems: dict[str, ECSError] = {}
    for item in items:
        problem = _shape_problem(locale, item) or quantity_problem(locale, item.quantity, least=1)
        if problem is not None:
            problems.setdefault(str(problem), problem)
    if problems:
        raise together(list(problems.values()))


def quantity_problem(locale: str, quantity: object, *, least: int) -> ECSError | None:
    """What is wrong with a quantity, if anything."""
    if not isinstance(quantity, int) or isinstance(quantity, bool):
        return InvalidQuantity(NOT_A_NUMBER)
    if not least <= quantity <= MAX_QUANTITY:
        return refusal(ParameterOutOfRange, locale, name="Quantity", least=least, most=MAX_QUANTITY)
    return None


def resolve(catalog: OfferCatalog, locale: str, items: Sequence[NewItem]) -> list[Line | ItemError]:
    """For each item, in order, the line it makes or why it may not stand in a cart.

    Items of one call that name the same offer become one line where the first of them stood.
    """
    asins = dict.fromkeys(item.asin for item in items if item.asin)
    products = catalog.lookup(locale, asins)
    outcomes: list[Line | ItemError] = []
    places: dict[str, int] = {}
    for item in items:
        outcome = _resolve_one(catalog, locale, item, products.get(item.asin or ""))
        if isinstance(outcome, Line) and outcome.key in places:
            first = outcomes[places[outcome.key]]
            assert isinstance(first, Line)  # noqa: S101 - places holds the indexes of lines only
            outcomes[places[outcome.key]] = msgspec.structs.replace(first, quantity=first.quantity + outcome.quantity)
            continue
        if isinstance(outcome, Line):
            places[outcome.key] = len(outcomes)
        outcomes.append(outcome)
    return outcomes


def new_entries(lines: Sequence[Line], *, before: int) -> tuple[Entry, ...]:
    """Entries for `lines` in their order, all standing before the position `before`, quantities capped."""
    return tuple(
        Entry(
            key=line.key,
            asin=line.asin,
            quantity=capped(line.offer, line.quantity),
            saved=False,
            position=before - len(lines) + index,
        )
        for index, line in enumerate(lines)
    )


def _shape_problem(locale: str, item: NewItem) -> ECSError | None:
    if item.asin and item.offer_listing_id:
        return refusal(InvalidParameterCombination, locale, one="ASIN", other="OfferListingId")
    if not item.asin and not item.offer_listing_id:
        return refusal(MissingParameterCombination, locale, names="ASIN, OfferListingId")
    return None


def _resolve_one(catalog: OfferCatalog, locale: str, item: NewItem, known: Product | None) -> Line | ItemError:
    if item.offer_listing_id:
        found = catalog.offer(locale, item.offer_listing_id) or own_listing(catalog, locale, item.offer_listing_id)
    else:
        found = (known, known.offers[0]) if known and known.offers else None
    product, offer = found or (known, None)
    if product is not None and product.kind == "inaccessible":
        return refusal(ItemNotAccessible, locale)
    if product is None or offer is None or product.kind != "product":
        return refusal(ItemNotEligibleForCart, locale, asin=_named(item.asin, product))
    return Line(entry_key(locale, product.asin, offer), product.asin, item.quantity, offer, product.product_group)


def _named(asin: str | None, product: Product | None) -> str:
    """The name in the refusal: empty for something that is no ASIN (recorded, two spaces and all)."""
    if product is not None:
        return product.asin
    return asin if asin and ASIN.fullmatch(asin) else ""
