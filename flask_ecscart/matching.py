"""How a wish and a remote cart compare: which entry stands for which line, and what must be sent to make them agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from flask_ecscart.errors import ECSError, ItemAlreadyInCart, error_from_code
from flask_ecscart.model import MAX_QUANTITY, Cart, CartFault, CartItem, ItemChange, NewItem
from flask_ecscart.shopper import Line, Wish

__all__ = ["Refusal", "Round", "entries_of", "match", "new_item"]


class Refusal(msgspec.Struct, frozen=True):
    """A wanted line the service did not take, and its reason."""

    line: Line
    error: ECSError


class Round:
    """One settling: the wish, the cart as last seen, what was sent and what was refused."""

    def __init__(self, wish: Wish, cart: Cart | None) -> None:
        self.wish = wish
        self.cart = cart
        self.refusals: list[Refusal] = []
        self._faults: list[CartFault] = []
        self._errors: dict[int, ECSError] = {}
        self._asked: dict[str, int] = {}  # CartItemId (without its area letter) → quantity last asked for
        self._moved: set[str] = set()  # CartItemIds (likewise) whose area was asked for

    def entries(self) -> tuple[CartItem, ...]:
        """What stands in the cart, both areas."""
        return entries_of(self.cart) if self.cart is not None else ()

    def pairs(self) -> list[tuple[Line, CartItem | None]]:
        """Each wanted line with its entry."""
        return match(self.wish.lines, self.entries())

    def missing(self) -> list[Line]:
        """The wanted lines that are not in the cart."""
        return [line for line, item in self.pairs() if item is None]

    def sent(self, lines: Sequence[Line]) -> None:
        """Note what CartCreate or CartAdd was asked for, so that a capped line is not asked for again."""
        faults = self.cart.faults if self.cart is not None else ()
        self._faults.extend(faults)
        there_before = [fault.message for fault in faults if fault.code == ItemAlreadyInCart.code]
        for line, item in self.pairs():
            known = item is not None and not any(item.asin in message for message in there_before)
            if item is not None and known and any(line is other for other in lines):
                self._asked[item.cart_item_id[1:]] = line.quantity
                if line.area == "active":
                    self._moved.add(item.cart_item_id[1:])  # where it stands now is where it can stand

    def modified(self, changes: Iterable[ItemChange]) -> None:
        """Note what CartModify was asked for: what it did not do then is not to be had."""
        for change in changes:
            if change.quantity is not None:
                self._asked[change.cart_item_id[1:]] = change.quantity
            if change.action is not None:
                self._moved.add(change.cart_item_id[1:])

    def refuse(self, line: Line, error: ECSError) -> None:
        """Note that the service refused a call for this line alone."""
        self._errors[id(line)] = error

    def drop_refused(self, lines: Sequence[Line]) -> None:
        """Take the lines that did not get in out of the wish; two names of one thing become one line."""
        pairs = self.pairs()
        taken = [line for line, item in pairs if item is not None]
        for line, item in pairs:
            if item is not None or not any(line is other for other in lines):
                continue
            self.wish.lines = [other for other in self.wish.lines if other is not line]
            twin = next((other for other in taken if line.asin is not None and other.asin == line.asin), None)
            if twin is not None and id(line) not in self._errors:
                twin.quantity = min(twin.quantity + line.quantity, MAX_QUANTITY)
            else:
                self.refusals.append(Refusal(line, self._errors.get(id(line)) or _reason(line, self._faults)))

    def drop_refused_alone(self) -> None:
        """Take out of the wish only what was refused by name, when the round cannot be finished."""
        self.drop_refused([line for line in self.wish.lines if id(line) in self._errors])

    def removals(self) -> list[ItemChange]:
        """The changes that take out of the cart what is not wanted."""
        kept = {item.cart_item_id for _, item in self.pairs() if item is not None}
        return [
            ItemChange(cart_item_id=item.cart_item_id, quantity=0)
            for item in self.entries()
            if item.cart_item_id not in kept
        ]

    def changes(self) -> list[ItemChange]:
        """What one CartModify must say to make the cart agree."""
        saved = {item.cart_item_id for item in self.cart.saved} if self.cart is not None else set[str]()
        changes = self.removals()
        for line, item in self.pairs():
            if item is None:
                continue
            id_ = item.cart_item_id
            if item.quantity != line.quantity and self._asked.get(id_[1:]) != line.quantity:
                changes.append(ItemChange(cart_item_id=id_, quantity=line.quantity))
            elif id_[1:] in self._moved:
                continue
            elif line.area == "saved" and id_ not in saved:
                changes.append(ItemChange(cart_item_id=id_, action="SaveForLater"))
            elif line.area == "active" and id_ in saved and (line.moved_by_shopper or line.cart_item_id is None):
                # Without an id it is wanted anew, and the saved entry is what was removed before.
                changes.append(ItemChange(cart_item_id=id_, action="MoveToCart"))
        return changes


def entries_of(cart: Cart) -> tuple[CartItem, ...]:
    """The entries of both areas of a cart."""
    return (*cart.items, *cart.saved)


def match(lines: Iterable[Line], entries: Iterable[CartItem]) -> list[tuple[Line, CartItem | None]]:
    """Each line with the cart entry that stands for it, or None.

    By CartItemId first (its first letter tells the area and changes with it), then by ASIN in order, then, for
    an OfferListingId whose ASIN nobody told us, by elimination: the service keeps the order of a request.
    """
    left = list(entries)
    found: dict[int, CartItem] = {}
    lines = list(lines)
    for fits in (_same_id, _same_asin, _unnamed):
        for index, line in enumerate(lines):
            item = next((item for item in left if fits(line, item)), None) if index not in found else None
            if item is not None:
                found[index] = item
                left.remove(item)
    return [(line, found.get(index)) for index, line in enumerate(lines)]


def _same_id(line: Line, item: CartItem) -> bool:
    return line.cart_item_id is not None and line.cart_item_id[1:] == item.cart_item_id[1:]


def _same_asin(line: Line, item: CartItem) -> bool:
    return line.asin is not None and line.asin == item.asin


def _unnamed(line: Line, _item: CartItem) -> bool:
    return line.asin is None


def _reason(line: Line, faults: Sequence[CartFault]) -> ECSError:
    named = [fault for fault in faults if line.asin is not None and line.asin in fault.message]
    for fault in (*named, *faults):
        return error_from_code(fault.code, fault.message)
    return error_from_code(
        "AWS.ECommerceService.ItemNotEligibleForCart",
        "The service returned the cart without the item and gave no reason.",
    )


def new_item(line: Line) -> NewItem:
    """The line as CartCreate and CartAdd want it."""
    if line.offer_listing_id is not None:
        return NewItem(offer_listing_id=line.offer_listing_id, quantity=line.quantity)
    return NewItem(asin=line.asin, quantity=line.quantity)
