"""The cart service itself: the five operations, PurchaseURL and the end of carts, by the rules of the documents.

Everything a call changes happens in one database transaction, and whatever can be refused is refused before
the first write: a call that raises has changed nothing, also inside a transaction of the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlalchemy import Connection

from flask_ecscart.catalog import OfferCatalog
from flask_ecscart.clock import Clock, utc_now
from flask_ecscart.errors import (
    CartInfoMismatch,
    ECSError,
    ExceededMaximumCartItems,
    InvalidCartId,
    InvalidHMAC,
    InvalidParameterValue,
    ItemAlreadyInCart,
)
from flask_ecscart.locales import LOCALES, Locale
from flask_ecscart.model import MAX_ENTRIES, Cart, CartFault, CartRef, ItemChange, NewItem
from flask_ecscart.service import changes as modifying
from flask_ecscart.service.browse import Browser
from flask_ecscart.service.ids import Seal, new_cart_id
from flask_ecscart.service.items import Items
from flask_ecscart.service.lines import Line, check_new, new_entries, resolve
from flask_ecscart.service.messages import refusal, together
from flask_ecscart.service.purchase_url import purchase_url
from flask_ecscart.service.related import Related
from flask_ecscart.service.shelf import Shelf
from flask_ecscart.service.store import Entry, RemoteCart, Store
from flask_ecscart.service.together import Together
from flask_ecscart.service.views import show
from flask_ecscart.state.sql import Database

__all__ = ["CartService"]

_DAY = 24 * 3600
_LIFE_WITH_ITEMS = 90 * _DAY
_LIFE_EMPTY = 7 * _DAY


class CartService:
    """A `CartProvider` over `database` and `catalog`; safe to share between threads and processes.

    `hmac_key` (16 bytes or more, the same in every worker) makes the HMACs, without one a key that is kept in the
    database; nothing is reached before the first call. `retail_base` gives the base URL of a locale's retail site,
    where PurchaseURLs lead. When a call did nothing its error is raised; where several lines were refused,
    `messages.faults_of(error)` has all of them. `items` is the catalog as ItemLookup and ItemSearch show it.
    """

    def __init__(
        self,
        database: Database,
        catalog: OfferCatalog,
        *,
        hmac_key: bytes | None = None,
        clock: Clock = utc_now,
        retail_base: Callable[[str], str] | None = None,
    ) -> None:
        self._store = Store(database)
        self._together = Together(database)
        self._catalog = catalog
        browser = Browser(catalog)
        self._related = Related(catalog, browser, self._together, clock)
        self.items = Items(catalog, browser)
        self._seal = Seal(hmac_key or self._store.hmac_key)
        self._clock = clock
        self._retail_base = retail_base or _retail_site

    def create(self, locale: str, associate_tag: str, items: Sequence[NewItem]) -> Cart:
        """A new cart holding `items`; its CartId and HMAC are in `Cart.ref`."""
        place = _place(locale)
        check_new(locale, items)
        lines, refused = _sorted_out(resolve(self._catalog, locale, items))
        if not lines:
            raise together(refused)
        if len(lines) > MAX_ENTRIES:
            raise refusal(ExceededMaximumCartItems, locale, most=MAX_ENTRIES)
        now = self._now()
        entries = new_entries(lines, before=len(lines))
        with self._store.database.transaction() as connection:
            cart_id = new_cart_id(place)
            while self._store.exists(connection, cart_id):
                cart_id = new_cart_id(place)
            cart = RemoteCart(
                cart_id=cart_id, locale=locale, dies_at=now + _LIFE_WITH_ITEMS, handed_off=False, entries=entries
            )
            self._store.insert(connection, cart, created_at=now)
            self._together.note(connection, locale, _groups(lines), (), now=now)
        hmac = self._seal.hmac(locale, cart_id, associate_tag)
        ref = CartRef(locale=locale, cart_id=cart_id, hmac=hmac, associate_tag=associate_tag)
        return self._show(ref, entries, _faults(refused))

    def add(self, ref: CartRef, items: Sequence[NewItem]) -> Cart:
        """The cart with more lines, the new ones first (recorded). What is there already keeps its quantity."""
        check_new(ref.locale, items)
        self._verify(ref)
        outcomes = resolve(self._catalog, ref.locale, items)
        with self._store.database.transaction() as connection:
            cart = self._alive(ref, self._store.lock(connection, ref.cart_id))
            there = {entry.key for entry in cart.entries}
            fresh, problems = _sorted_out([_unless_there(ref.locale, outcome, there) for outcome in outcomes])
            if len(cart.entries) + len(fresh) > MAX_ENTRIES:
                raise refusal(ExceededMaximumCartItems, ref.locale, most=MAX_ENTRIES)
            if not fresh and not any(isinstance(problem, ItemAlreadyInCart) for problem in problems):
                raise together(problems)
            first = min((entry.position for entry in cart.entries), default=len(fresh))
            entries = (*new_entries(fresh, before=first), *cart.entries)
            self._keep(connection, cart, entries)
            beside = [entry.asin for entry in cart.entries]
            self._together.note(connection, ref.locale, _groups(fresh), beside, now=self._now())
        return self._show(ref, entries, _faults(problems))

    def modify(self, ref: CartRef, changes: Sequence[ItemChange]) -> Cart:
        """The cart after new totals (0 deletes), moves between the areas, or both."""
        modifying.check_changes(ref.locale, changes)
        self._verify(ref)
        with self._store.database.transaction() as connection:
            cart = self._alive(ref, self._store.lock(connection, ref.cart_id))
            shelf = Shelf(self._catalog, ref.locale, cart.entries)
            entries, faults = modifying.apply(ref.locale, cart.entries, changes, shelf)
            self._keep(connection, cart, entries)
        return self._show(ref, entries, faults)

    def clear(self, ref: CartRef) -> Cart:
        """The emptied cart: its reference only. It lives on for seven days."""
        self._verify(ref)
        with self._store.database.transaction() as connection:
            cart = self._alive(ref, self._store.lock(connection, ref.cart_id))
            self._keep(connection, cart, ())
        return Cart(ref=ref)

    def get(self, ref: CartRef) -> Cart:
        """The cart as it is now. Reading does not lengthen its life."""
        self._verify(ref)
        with self._store.database.reading() as connection:
            cart = self._alive(ref, self._store.read(connection, ref.cart_id))
        return self._show(ref, cart.entries)

    def purchase(self, locale: str, cart_id: str, hmac: str, associate_tag: str) -> Cart:
        """The cart as it stood, active and saved, for the retail cart; afterwards it answers InvalidCartId."""
        ref = CartRef(locale=locale, cart_id=cart_id, hmac=hmac, associate_tag=associate_tag)
        self._verify(ref)
        with self._store.database.transaction() as connection:
            cart = self._alive(ref, self._store.lock(connection, cart_id))
            self._store.end(connection, cart_id)
        return self._show(ref, cart.entries)

    def beside(self, cart: Cart, groups: Iterable[str]) -> Cart:
        """The cart with similar products, top sellers and new releases, as far as the response groups ask for them."""
        return self._related.beside(cart, groups)

    def purge(self) -> int:
        """Delete what is dead; the number of carts deleted. Dead carts answer the same before and after."""
        with self._store.database.transaction() as connection:
            self._together.purge(connection, self._now())
            return self._store.purge(connection, self._now())

    def _now(self) -> int:
        return int(self._clock().timestamp())

    def _verify(self, ref: CartRef) -> None:
        """Raise `DeadCart` unless this service handed the reference out; no look into the database is needed."""
        _place(ref.locale)
        if self._seal.fits(ref.locale, ref.cart_id, ref.associate_tag, ref.hmac):
            return
        if " " in ref.hmac:
            mended = ref.hmac.replace(" ", "+")  # a plus sign that was not sent as %2B arrives as a space
            if self._seal.fits(ref.locale, ref.cart_id, ref.associate_tag, mended):
                raise refusal(InvalidHMAC, ref.locale)
        raise refusal(CartInfoMismatch, ref.locale)

    def _alive(self, ref: CartRef, cart: RemoteCart | None) -> RemoteCart:
        """`cart` unless it is handed off, expired, or expired and purged."""
        if cart is None or cart.handed_off or cart.dies_at <= self._now():
            raise refusal(InvalidCartId, ref.locale)
        return cart

    def _keep(self, connection: Connection, cart: RemoteCart, entries: Sequence[Entry]) -> None:
        """Write what differs; every change gives the cart a new life."""
        before, after = set(cart.entries), set(entries)
        if before == after:
            return
        self._store.remove(connection, cart.cart_id, before - after)
        self._store.write(connection, cart.cart_id, after - before)
        life = _LIFE_WITH_ITEMS if entries else _LIFE_EMPTY
        self._store.touch(connection, cart.cart_id, self._now() + life)

    def _show(self, ref: CartRef, entries: Sequence[Entry], faults: tuple[CartFault, ...] = ()) -> Cart:
        shelf = Shelf(self._catalog, ref.locale, entries)
        url = purchase_url("D", self._retail_base(ref.locale), ref, access_key=None)
        return show(ref, entries, shelf, purchase_url=url, faults=faults)


def _place(locale: str) -> Locale:
    if locale not in LOCALES:
        raise refusal(InvalidParameterValue, locale, value=locale, name="locale")
    return LOCALES[locale]


def _retail_site(locale: str) -> str:
    return f"https://{LOCALES[locale].retail_host}"


def _unless_there(locale: str, outcome: Line | ECSError, there: set[str]) -> Line | ECSError:
    if isinstance(outcome, Line) and outcome.key in there:
        return refusal(ItemAlreadyInCart, locale, asin=outcome.asin)
    return outcome


def _groups(lines: Sequence[Line]) -> Mapping[str, str | None]:
    """ASIN → product group of what is put into a cart."""
    return {line.asin: line.product_group for line in lines}


def _sorted_out(outcomes: Sequence[Line | ECSError]) -> tuple[list[Line], list[ECSError]]:
    lines = [outcome for outcome in outcomes if isinstance(outcome, Line)]
    return lines, [outcome for outcome in outcomes if not isinstance(outcome, Line)]


def _faults(problems: Sequence[ECSError]) -> tuple[CartFault, ...]:
    return tuple(CartFault(problem.code, problem.message) for problem in problems)
