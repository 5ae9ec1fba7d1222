"""The rules of remote carts as the design's table states them, written down once more, and simply.

It shares no code with the service: carts are plain lists in memory, products are what the catalog's data say. What the
table leaves open is decided here as the service decides it, and marked "decided".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flask_ecscart.model import ItemChange, NewItem, Offer, Product

__all__ = ["Refused", "Rules", "Seen", "SeenLine"]

_SPECIAL = "AWS.ECommerceService."
_WITH_ITEMS, _EMPTY = timedelta(days=90), timedelta(days=7)
_Key = tuple[str, int]
"""ASIN and place of the offer among the product's offers."""
_Problem = tuple[str, str]
"""Code and the ASIN it names ("" for none)."""


class Refused(Exception):
    """Nothing was done; `problems` says why, in the order of the lines."""

    def __init__(self, *problems: _Problem) -> None:
        super().__init__(problems)
        self.problems = tuple(dict.fromkeys(problems))


@dataclass(frozen=True)
class SeenLine:
    """One entry as a reply shows it; amounts in minor units."""

    asin: str
    seller: str | None
    quantity: int
    price: int | None
    total: int | None


@dataclass(frozen=True)
class Seen:
    """A cart as a reply shows it."""

    items: tuple[SeenLine, ...] = ()
    saved: tuple[SeenLine, ...] = ()
    subtotal: int | None = None
    items_subtotal: int | None = None
    saved_subtotal: int | None = None
    faults: tuple[_Problem, ...] = ()


@dataclass
class _Line:
    """One offer in a cart: how many the shopper wants now, and how many later."""

    key: _Key
    parts: dict[str, int]


@dataclass
class _Cart:
    locale: str
    lines: list[_Line] = field(default_factory=list)
    dies_at: datetime | None = None
    ended: bool = False

    def state(self) -> object:
        return [(line.key, dict(line.parts)) for line in self.lines]

    def entries(self) -> int:
        return sum(len(line.parts) for line in self.lines)


class Rules:
    """A cart service without a database, a protocol or a reference: carts are numbered as they are made."""

    def __init__(self, products: Sequence[Product], now: datetime) -> None:
        self.products: dict[tuple[str, str], Product] = {(each.locale, each.asin): each for each in products}
        self.now = now
        self._carts: list[_Cart] = []

    def create(self, locale: str, items: Sequence[NewItem]) -> Seen:
        """A cart with the next number."""
        self._check_new(items)
        wanted, problems = self._resolved(locale, items)
        if not wanted:
            raise Refused(*problems)
        if len(wanted) > 50:
            raise Refused((_SPECIAL + "ExceededMaximumCartItems", ""))
        cart = _Cart(locale, self._new_lines(locale, wanted), self.now + _WITH_ITEMS)
        self._carts.append(cart)
        return self._seen(cart, problems)

    def add(self, number: int, items: Sequence[NewItem], *, genuine: bool = True) -> Seen:
        """More lines, before those that are there."""
        self._check_new(items)
        cart = self._alive(number, genuine=genuine)
        wanted, problems = self._resolved(cart.locale, items, there=[line.key for line in cart.lines])
        if cart.entries() + len(wanted) > 50:
            raise Refused((_SPECIAL + "ExceededMaximumCartItems", ""))
        if not wanted and not any(code.endswith("ItemAlreadyInCart") for code, _ in problems):
            raise Refused(*problems)
        if wanted:
            cart.lines = self._new_lines(cart.locale, wanted) + cart.lines
            cart.dies_at = self.now + _WITH_ITEMS
        return self._seen(cart, problems)

    def modify(self, number: int, changes: Sequence[tuple[_Key, str, ItemChange]], *, genuine: bool = True) -> Seen:
        """Each change with the offer and the area ("items" or "saved") its CartItemId speaks of."""
        self._check_changes([change for _, _, change in changes])
        cart = self._alive(number, genuine=genuine)
        before = cart.state()
        faults: list[_Problem] = []
        for key, area, change in changes:
            line = next((line for line in cart.lines if line.key == key), None)
            if line is not None and not self._change(cart, line, area, change):
                faults.append((_SPECIAL + "ExceededMaximumCartItems", ""))
            cart.lines = [line for line in cart.lines if line.parts]
        self._renew(cart, before)
        return self._seen(cart, faults)

    def clear(self, number: int, *, genuine: bool = True) -> Seen:
        """Nothing in either area."""
        cart = self._alive(number, genuine=genuine)
        before = cart.state()
        cart.lines = []
        self._renew(cart, before)
        return Seen()

    def get(self, number: int, *, genuine: bool = True) -> Seen:
        """The cart at this moment."""
        return self._seen(self._alive(number, genuine=genuine), ())

    def purchase(self, number: int) -> Seen:
        """The cart as it stood; it has ended."""
        cart = self._alive(number, genuine=True)
        cart.ended = True
        return self._seen(cart, ())

    def entries(self, number: int) -> int:
        """How many entries the cart holds, both areas together."""
        return self._carts[number].entries()

    # --- What is refused before the cart is looked at ---------------------------------------------------------

    def _check_new(self, items: Sequence[NewItem]) -> None:
        if not items:
            raise Refused(("AWS.MissingParameters", ""))
        problems: list[_Problem] = []
        for item in items:
            if item.asin and item.offer_listing_id:
                problems.append(("AWS.InvalidParameterCombination", ""))
            elif not item.asin and not item.offer_listing_id:
                problems.append(("AWS.MissingParameterCombination", ""))
            elif not 1 <= item.quantity <= 999:
                problems.append(("AWS.ParameterOutOfRange", ""))
        if problems:
            raise Refused(*problems)

    def _check_changes(self, changes: Sequence[ItemChange]) -> None:
        if not changes:
            raise Refused(("AWS.MissingParameters", ""))
        problems: list[_Problem] = []
        for change in changes:
            if not change.cart_item_id:
                problems.append(("AWS.MissingParameters", ""))
            elif change.quantity is None and change.action is None:
                problems.append(("AWS.MinimumParameterRequirement", ""))
            elif change.quantity is not None and not 0 <= change.quantity <= 999:
                problems.append(("AWS.ParameterOutOfRange", ""))
        if problems:
            raise Refused(*problems)

    def _alive(self, number: int, *, genuine: bool) -> _Cart:
        if not genuine:
            raise Refused((_SPECIAL + "CartInfoMismatch", ""))
        cart = self._carts[number]
        if cart.ended or cart.dies_at is None or cart.dies_at <= self.now:
            raise Refused((_SPECIAL + "InvalidCartId", ""))
        return cart

    # --- Lines ------------------------------------------------------------------------------------------------

    def _resolved(
        self, locale: str, items: Sequence[NewItem], there: Sequence[_Key] = ()
    ) -> tuple[dict[_Key, int], list[_Problem]]:
        """Pieces of each offer that may go in, and what may not. The same item twice is one line."""
        wanted: dict[_Key, int] = {}
        problems: list[_Problem] = []
        for item in items:
            found = self._named(locale, item)
            if isinstance(found[0], str) and found[0].startswith("AWS."):
                problems.append((found[0], str(found[1])))
            elif found in there:
                problems.append((_SPECIAL + "ItemAlreadyInCart", str(found[0])))
            else:
                key = (str(found[0]), int(found[1]))
                wanted[key] = wanted.get(key, 0) + item.quantity
        return wanted, list(dict.fromkeys(problems))

    def _named(self, locale: str, item: NewItem) -> _Key | _Problem:
        mine = [product for (place, _), product in self.products.items() if place == locale]
        for product in mine:
            ids = [offer.offer_listing_id for offer in product.offers]
            if item.asin == product.asin:
                refusal = self._refusal(product)
                return refusal or (product.asin, 0)
            if item.offer_listing_id is not None and item.offer_listing_id in ids:
                return self._refusal(product) or (product.asin, ids.index(item.offer_listing_id))
        # A malformed ASIN is not repeated in the refusal (recorded).
        asin = item.asin or ""
        return _SPECIAL + "ItemNotEligibleForCart", asin if len(asin) == 10 and asin.isupper() else ""

    def _refusal(self, product: Product) -> _Problem | None:
        if product.kind == "inaccessible":
            return _SPECIAL + "ItemNotAccessible", ""
        if product.kind != "product" or not product.offers:
            return _SPECIAL + "ItemNotEligibleForCart", product.asin
        return None

    def _new_lines(self, locale: str, wanted: Mapping[_Key, int]) -> list[_Line]:
        return [_Line(key, {"items": self._capped(locale, key, count)}) for key, count in wanted.items()]

    def _change(self, cart: _Cart, line: _Line, area: str, change: ItemChange) -> bool:
        """Apply one change; False when it needs a 51st entry."""
        if len(line.parts) == 2 and not self._offer(cart.locale, line.key).available:
            # Decided: while both parts are shown as one saved entry, a change makes them one.
            line.parts = {"items": self._capped(cart.locale, line.key, sum(line.parts.values()))}
        # Decided: an id read before a move still means the line; the area only counts where it is in both.
        part = area if area in line.parts else next(iter(line.parts))
        target = {"MoveToCart": "items", "SaveForLater": "saved", None: part}[change.action]
        if change.quantity == 0:
            del line.parts[part]
        elif target == part:
            if change.quantity is not None:
                line.parts[part] = self._capped(cart.locale, line.key, change.quantity)
        else:
            have = self._capped(cart.locale, line.key, line.parts[part])
            moved = have if change.quantity is None else min(change.quantity, have)
            if moved < have and target not in line.parts and cart.entries() >= 50:
                return False
            del line.parts[part]
            if moved < have:
                line.parts[part] = have - moved
            line.parts[target] = self._capped(cart.locale, line.key, line.parts.get(target, 0) + moved)
        return True

    def _renew(self, cart: _Cart, before: object) -> None:
        if cart.state() != before:
            cart.dies_at = self.now + (_WITH_ITEMS if cart.lines else _EMPTY)

    # --- What is shown ----------------------------------------------------------------------------------------

    def _seen(self, cart: _Cart, faults: Sequence[_Problem]) -> Seen:
        active: list[SeenLine] = []
        saved: list[SeenLine] = []
        for line in cart.lines:
            if not self._offer(cart.locale, line.key).available:
                saved.append(self._line(cart.locale, line.key, sum(line.parts.values())))
                continue
            for area, shown in (("items", active), ("saved", saved)):
                if area in line.parts:
                    shown.append(self._line(cart.locale, line.key, line.parts[area]))
        return Seen(
            tuple(active), tuple(saved), _sum(active + saved), _sum(active), _sum(saved), tuple(dict.fromkeys(faults))
        )

    def _line(self, locale: str, key: _Key, count: int) -> SeenLine:
        offer = self._offer(locale, key)
        shown = self._capped(locale, key, count)
        total = None if offer.price is None else offer.price * shown
        return SeenLine(key[0], offer.seller, shown, offer.price, total)

    def _offer(self, locale: str, key: _Key) -> Offer:
        return self.products[locale, key[0]].offers[key[1]]

    def _capped(self, locale: str, key: _Key, count: int) -> int:
        limit = self._offer(locale, key).limit
        return min(count, 999, 999 if limit is None else limit)


def _sum(lines: Sequence[SeenLine]) -> int | None:
    known = [line.total for line in lines if line.total is not None]
    return sum(known) if known else None
