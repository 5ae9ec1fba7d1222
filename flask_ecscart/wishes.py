"""What a shopper's clicks do to a wish: pure changes, no storage, no service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from flask_ecscart.catalog import offer_listing_key
from flask_ecscart.errors import ExceededMaximumCartItems, InvalidParameterValue
from flask_ecscart.model import MAX_ENTRIES, MAX_QUANTITY, Area, NewItem
from flask_ecscart.shopper import Left, Line, Wish

__all__ = ["LineChange", "Overflow", "add", "arrived", "change", "clear", "failed", "leave"]


class LineChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change to one line, named by CartItemId, ASIN or OfferListingId: a new total (0 removes), an area, or both."""

    cart_item_id: str | None = None
    asin: str | None = None
    offer_listing_id: str | None = None
    quantity: int | None = None
    area: Area | None = None


class Overflow(msgspec.Struct, frozen=True):
    """More pieces were asked for than one entry may hold."""

    line: Line
    requested: int


def add(wish: Wish, items: Sequence[NewItem], asins: Sequence[str | None]) -> tuple[list[Line], list[Overflow]]:
    """Put `items` in; what is there already gets more pieces. Returns the lines touched and those above 999.

    `asins` holds the ASIN each item is known to have (an OfferListingId's where the catalog knows it).
    Raises `ExceededMaximumCartItems` for a 51st entry; the wish is then to be thrown away.
    """
    touched: list[Line] = []
    overflows: list[Overflow] = []
    for item, asin in zip(items, asins, strict=True):
        line = _find_item(wish, item)
        if line is None:
            line = Line(asin=asin or item.asin, offer_listing_id=item.offer_listing_id, quantity=0)
            wish.lines.append(line)
        requested = line.quantity + item.quantity
        line.quantity = min(requested, MAX_QUANTITY)
        if requested > MAX_QUANTITY:
            overflows.append(Overflow(line, requested))
        _move(line, "active")
        touched.append(line)
    if len(wish.lines) > MAX_ENTRIES:
        raise ExceededMaximumCartItems(
            f"You may not add more than {MAX_ENTRIES} items to the cart. Nothing was added: remove an item first."
        )
    return touched, overflows


def change(wish: Wish, changes: Sequence[LineChange]) -> None:
    """Set quantities and areas. A line that is not there is ignored, as CartModify does: it is gone already."""
    for one in changes:
        line = _find_line(wish, one)
        if line is None:
            continue
        if one.quantity == 0:
            wish.lines = [other for other in wish.lines if other is not line]
            continue
        if one.quantity is not None:
            line.quantity = one.quantity
        if one.area is not None:
            _move(line, one.area)


def clear(wish: Wish) -> None:
    """Take everything out of both areas."""
    wish.lines = []


def leave(wish: Wish, now: datetime, *, moved: bool) -> None:
    """Note that the shopper left with the active lines (`moved`: with everything; the cart is over)."""
    if moved:
        wish.left = Left(at=now, lines=wish.lines, moved=True)
        wish.lines, wish.ref = [], None
    else:
        active = [line for line in wish.lines if line.area == "active" and not line.told_unavailable]
        wish.left = Left(at=now, lines=msgspec.convert(msgspec.to_builtins(active), list[Line]))


def arrived(wish: Wish) -> None:
    """The items are at the retailer: what left is no longer wanted here."""
    left, wish.left = wish.left, None
    if left is None or left.moved:
        return
    for gone in left.lines:
        line = next((line for line in wish.lines if _same(line, gone)), None)
        if line is None:
            continue
        line.quantity -= gone.quantity
        if line.quantity <= 0:
            wish.lines = [other for other in wish.lines if other is not line]


def failed(wish: Wish) -> None:
    """The items did not arrive: what left is wanted again, beside what was added since."""
    left, wish.left = wish.left, None
    if left is None or not left.moved:
        return
    for back in left.lines:
        line = next((line for line in wish.lines if _same(line, back)), None)
        if line is not None:
            line.quantity = min(line.quantity + back.quantity, MAX_QUANTITY)
        elif len(wish.lines) < MAX_ENTRIES:
            back.cart_item_id, back.told_unavailable = None, False
            wish.lines.append(back)


def _move(line: Line, area: Area) -> None:
    if area == "active":
        line.moved_by_shopper = line.moved_by_shopper or line.area == "saved"
        line.told_unavailable = False  # asked again, told again
    else:
        line.moved_by_shopper = line.told_unavailable = False
    line.area = area


def _find_item(wish: Wish, item: NewItem) -> Line | None:
    if item.offer_listing_id is None:
        return next((line for line in wish.lines if line.offer_listing_id is None and line.asin == item.asin), None)
    key = offer_listing_key(item.offer_listing_id)
    for line in wish.lines:
        if line.offer_listing_id is not None and offer_listing_key(line.offer_listing_id) == key:
            return line
    return None


def _find_line(wish: Wish, one: LineChange) -> Line | None:
    if one.cart_item_id is not None:
        named = (line for line in wish.lines if line.cart_item_id and line.cart_item_id[1:] == one.cart_item_id[1:])
        return next(named, None)
    item = NewItem(asin=one.asin, offer_listing_id=one.offer_listing_id, quantity=1)
    if (as_it_was_added := _find_item(wish, item)) is not None:
        return as_it_was_added
    lines = [line for line in wish.lines if one.asin and line.asin == one.asin]
    if len(lines) > 1:
        raise InvalidParameterValue(
            f"{one.asin} is in the cart from more than one seller. Name the line by its cartItemId instead."
        )
    return lines[0] if lines else None


def _same(one: Line, other: Line) -> bool:
    return (one.asin, one.offer_listing_id) == (other.asin, other.offer_listing_id)
