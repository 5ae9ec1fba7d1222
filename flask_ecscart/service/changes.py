"""The rules for CartModify: new totals, deletions, moves between the areas, and moves of a part of an entry.

An offer may stand in a cart twice: some in the active area, some saved for later. While it is unavailable
both are shown as one saved entry; a change of that entry makes them one.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from flask_ecscart.errors import (
    ECSError,
    ExceededMaximumCartItems,
    InvalidEnumeratedParameter,
    MinimumParameterRequirement,
    MissingParameters,
)
from flask_ecscart.model import MAX_ENTRIES, CartFault, ItemChange
from flask_ecscart.service.ids import area_of_id
from flask_ecscart.service.lines import quantity_problem
from flask_ecscart.service.messages import refusal, together
from flask_ecscart.service.shelf import Shelf, capped
from flask_ecscart.service.store import Entry

__all__ = ["apply", "check_changes"]

_ACTIONS = ("MoveToCart", "SaveForLater")
_Entries = dict[tuple[str, bool], Entry]


def check_changes(locale: str, changes: Sequence[ItemChange]) -> None:
    """Raise `RequestRefused` (or InvalidQuantity for no number) when the changes are not well formed."""
    if not changes:
        raise refusal(MissingParameters, locale, name="Items")
    problems: dict[str, ECSError] = {}
    for change in changes:
        problem = _problem(locale, change)
        if problem is not None:
            problems.setdefault(str(problem), problem)
    if problems:
        raise together(list(problems.values()))


def apply(
    locale: str, entries: Sequence[Entry], changes: Sequence[ItemChange], shelf: Shelf
) -> tuple[tuple[Entry, ...], tuple[CartFault, ...]]:
    """The entries after `changes`, and what could not be done. Unknown CartItemIds are ignored (recorded)."""
    after: _Entries = {(entry.key, entry.saved): entry for entry in entries}
    faults: list[CartFault] = []
    for change in changes:
        entry = _target(after, change.cart_item_id, shelf)
        if entry is None:
            continue
        if change.quantity == 0:
            del after[entry.key, entry.saved]
        elif change.action is None or _is_there(entry, change):
            _set(after, entry, change.quantity, shelf)
        elif not _move(after, entry, change.quantity, shelf):
            full = refusal(ExceededMaximumCartItems, locale, most=MAX_ENTRIES)
            faults.append(CartFault(full.code, full.message))
    return tuple(after.values()), tuple(faults)


def _problem(locale: str, change: ItemChange) -> ECSError | None:
    if not change.cart_item_id:
        return refusal(MissingParameters, locale, name="CartItemId")
    if change.action is not None and change.action not in _ACTIONS:
        return refusal(InvalidEnumeratedParameter, locale, name="Action", values="', '".join(_ACTIONS).join("''"))
    if change.quantity is None:
        if change.action is None:
            return refusal(MinimumParameterRequirement, locale, names="Quantity, Action")
        return None
    return quantity_problem(locale, change.quantity, least=0)


def _target(after: _Entries, item_id: str, shelf: Shelf) -> Entry | None:
    """The entry a CartItemId means: the letter only counts where the offer stands in both areas.

    So an id that was read before a move still finds its entry.
    """
    named = area_of_id(item_id)
    if named is None:
        return None
    key, area = named
    active, saved = after.get((key, False)), after.get((key, True))
    if active is None or saved is None:
        return active or saved
    if shelf.available(active):
        return saved if area == "saved" else active
    one = msgspec.structs.replace(active, quantity=active.quantity + saved.quantity)
    del after[key, True]
    after[key, False] = msgspec.structs.replace(one, quantity=shelf.quantity(one))
    return after[key, False]


def _is_there(entry: Entry, change: ItemChange) -> bool:
    return entry.saved == (change.action == "SaveForLater")


def _set(after: _Entries, entry: Entry, quantity: int | None, shelf: Shelf) -> None:
    if quantity is not None:
        total = capped(shelf.offer(entry), quantity)
        after[entry.key, entry.saved] = msgspec.structs.replace(entry, quantity=total)


def _move(after: _Entries, entry: Entry, quantity: int | None, shelf: Shelf) -> bool:
    """Move `quantity` pieces (None: all) to the other area; False when that needs a 51st entry."""
    have = shelf.quantity(entry)
    moved = have if quantity is None else min(quantity, have)
    there = after.get((entry.key, not entry.saved))
    if moved < have:
        if there is None and len(after) >= MAX_ENTRIES:
            return False
        after[entry.key, entry.saved] = msgspec.structs.replace(entry, quantity=have - moved)
    else:
        del after[entry.key, entry.saved]
    arrived = there or msgspec.structs.replace(entry, saved=not entry.saved, quantity=0)
    total = capped(shelf.offer(entry), arrived.quantity + moved)
    after[entry.key, not entry.saved] = msgspec.structs.replace(arrived, quantity=total)
    return True
