"""What one shopper wants, per locale: every change, every reading, and leaving for the retailer.

A change is answered only when it is safe: inside `sessions.exclusive()` the wish is read fresh, changed, and
written once. With the embedded provider the remote cart is settled in the same database transaction; with a
remote one a line in the queue is written with the wish, and what was not settled in time is answered as pending
(see `dispatch`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone

import msgspec

from flask_ecscart import wishes
from flask_ecscart.catalog import Catalog
from flask_ecscart.clock import Clock, utc_now
from flask_ecscart.dispatch import Remote, Seen
from flask_ecscart.errors import DeadCart, ECSError
from flask_ecscart.happenings import Where, Witness
from flask_ecscart.matching import Refusal
from flask_ecscart.model import MAX_QUANTITY, Cart, CartRef, NewItem, Product
from flask_ecscart.sessions import ShopperSessionInterface
from flask_ecscart.settings import Settings
from flask_ecscart.settle import Settler
from flask_ecscart.shopper import Line, Shopper, Wish
from flask_ecscart.texts import text
from flask_ecscart.wishes import LineChange

__all__ = ["CartView", "Carts", "KeyReused", "cart_mark"]

_Edit = Callable[[Wish], Sequence[Line]]
"""Changes a wish; returns the lines that must not all be refused."""


class KeyReused(ECSError):
    """An Idempotency-Key came again with another change."""

    code = "idempotency_key_reused"


class CartView(msgspec.Struct, frozen=True, kw_only=True):
    """One locale's cart as it can be shown: what is wanted, the remote cart (None while unknown), the products."""

    locale: str
    wish: Wish
    cart: Cart | None
    products: Mapping[str, Product]
    as_of: datetime | None
    pending: bool
    """The remote cart is behind what is wanted; `retry_after` seconds are a good time to look again."""
    retry_after: float | None = None


class Carts:
    """The carts of all shoppers of one site."""

    def __init__(  # noqa: PLR0913 - the parts of a site that meet here
        self,
        settings: Settings,
        sessions: ShopperSessionInterface,
        settler: Settler,
        catalog: Catalog,
        witness: Witness,
        *,
        asin_of_offer: Callable[[str, str], str | None],
        remote: Remote | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._settler = settler
        self._catalog = catalog
        self._witness = witness
        self._asin_of_offer = asin_of_offer
        self._clock = clock
        self._remote = remote

    # --- reading ----------------------------------------------------------------------------------------

    def read(self, shopper: str, locale: str) -> CartView:
        """One cart. Writes nothing, unless there is something to settle or to tell."""
        if self._remote is not None:
            return self._known(self._remote, shopper, locale, self._sessions.read(shopper))
        with self._sessions.reading():
            wish = self._sessions.read(shopper).carts.get(locale, Wish())
            found = self._settler.look(wish)
        return self._shown(shopper, locale, wish, found)

    def read_all(self, shopper: str) -> list[CartView]:
        """Every cart that holds something or was just handed off."""
        if self._remote is not None:
            kept = self._sessions.read(shopper)
            return [self._known(self._remote, shopper, code, kept) for code in self._held(kept)]
        with self._sessions.reading():
            kept = self._sessions.read(shopper)
            found = [(code, kept.carts[code], self._settler.look(kept.carts[code])) for code in self._held(kept)]
        return [self._shown(shopper, code, wish, cart) for code, wish, cart in found]

    def _held(self, kept: Shopper) -> list[str]:
        return [code for code in self._settings.locales if code in kept.carts and _holds(kept.carts[code])]

    def _known(self, remote: Remote, shopper: str, locale: str, kept: Shopper) -> CartView:
        return self._view_of(locale, remote.front(locale).shown(shopper, locale, kept))

    def _shown(self, shopper: str, locale: str, wish: Wish, cart: Cart | None) -> CartView:
        if self._settler.agrees(wish, cart):
            return self._view(locale, wish, cart)
        return self._settled(shopper, locale)

    def must_wait(self, shopper: str, locale: str, address: str | None) -> float:
        """Seconds until this shopper, or anybody new from this address, may change something; 0.0: now.

        Only a remote provider's transactions are that scarce.
        """
        return self._remote.front(locale).must_wait(shopper, address) if self._remote is not None else 0.0

    # --- changing ---------------------------------------------------------------------------------------

    def add(
        self, shopper: str, locale: str, items: Sequence[NewItem], key: str | None, *, page: str | None = None
    ) -> CartView:
        """Put items in; raises the service's error when it takes none of them, and then nothing has changed.

        `page` is where the shopper was, for signals and counters; so it is in the other changes.
        """
        asins = [self._asin(locale, item) for item in items]

        def edit(wish: Wish) -> Sequence[Line]:
            touched, overflows = wishes.add(wish, items, asins)
            for overflow in overflows:
                self._tell_overflow(wish, overflow)
            return touched

        return self._change(Where(shopper, locale, page), edit, key, _digest("add", locale, items))

    def change(
        self, shopper: str, locale: str, changes: Sequence[LineChange], key: str | None, *, page: str | None = None
    ) -> CartView:
        """Set quantities and areas."""

        def edit(wish: Wish) -> Sequence[Line]:
            wishes.change(wish, changes)
            return ()

        return self._change(Where(shopper, locale, page), edit, key, _digest("change", locale, changes))

    def clear(self, shopper: str, locale: str, key: str | None, *, page: str | None = None) -> CartView:
        """Empty both areas."""

        def edit(wish: Wish) -> Sequence[Line]:
            wishes.clear(wish)
            return ()

        return self._change(Where(shopper, locale, page), edit, key, _digest("clear", locale, ()))

    def answer(self, shopper: str, locale: str, outcome: str, *, page: str | None = None) -> CartView:
        """The shopper left by the form, or says whether the items arrived."""

        def edit(wish: Wish) -> Sequence[Line]:
            if outcome == "arrived":
                wishes.arrived(wish)
            elif outcome == "failed":
                wishes.failed(wish)
            elif self._settings.locales[locale].handoff in {"form", "links"}:
                wishes.leave(wish, self._clock(), moved=False)
            return ()

        return self._change(Where(shopper, locale, page, outcome), edit, None, "")

    def leave(self, shopper: str, locale: str, mark: str, *, page: str | None = None) -> str | None:
        """The PurchaseURL for a shopper who goes now; the cart is over. None when there is something to show first.

        That is so when `mark` (see `cart_mark`) is no longer this shopper's cart, when the cart is empty, and when
        a last look at the remote cart finds something the shopper has not been told.
        """
        before = self._sessions.read(shopper).carts.get(locale, Wish())
        if before.ref is None or cart_mark(before.ref) != mark:
            return None
        view = self._settled(shopper, locale, leaving=True)
        with self._witness.exclusive(Where(shopper, locale, page)) as kept:
            wish = kept.wish(locale)
            changed = wish.version != before.version or wish.last_notice != before.last_notice
            if changed or view.pending or view.cart is None or not view.cart.items or wish.ref != before.ref:
                return None
            wishes.leave(wish, self._clock(), moved=True)
            wish.notices = []
            wish.version += 1
            wish.settled = wish.version
        return view.cart.purchase_url

    def _change(self, where: Where, edit: _Edit, key: str | None, digest: str) -> CartView:
        shopper, locale = where.shopper, where.locale
        cart: Cart | None = None
        with self._witness.exclusive(where) as kept:
            wish = kept.wish(locale)
            known = kept.keys.get(key) if key is not None else None
            if known is not None and known != digest:
                raise KeyReused("This Idempotency-Key was used for another change. Send each change with a new key.")
            touched: Sequence[Line] = ()
            if known is None:
                wish.notices = []
                touched = edit(wish)
                wish.version += 1
                if key is not None:
                    kept.remember(key, digest)
            if self._remote is None:
                cart, refusals = self._settle(wish, locale)
                _raise_if_all_refused(touched, refusals)
            elif wish.version != wish.settled:
                self._remote.front(locale).note(shopper, locale)
        if self._remote is None:
            return self._view(locale, wish, cart)
        return self._view_of(locale, self._remote.front(locale).changed(shopper, locale))

    # --- settling ---------------------------------------------------------------------------------------

    def _settled(self, shopper: str, locale: str, *, leaving: bool = False) -> CartView:
        if self._remote is not None and leaving:
            return self._view_of(locale, self._remote.front(locale).leaving(shopper, locale))
        with self._witness.exclusive(Where(shopper, locale)) as kept:
            wish = kept.wish(locale)
            cart, _ = self._settle(wish, locale)
        return self._view(locale, wish, cart)

    def _settle(self, wish: Wish, locale: str) -> tuple[Cart | None, list[Refusal]]:
        tag = self._settings.locales[locale].associate_tag or ""
        try:
            return self._settler.settle(wish, locale, tag)
        except DeadCart:  # it died between the look and the change
            return self._settler.settle(wish, locale, tag)

    # --- showing ----------------------------------------------------------------------------------------

    def _view(self, locale: str, wish: Wish, cart: Cart | None) -> CartView:
        asins = {line.asin for line in wish.lines if line.asin}
        if cart is not None:
            asins |= {item.asin for item in (*cart.items, *cart.saved)}
        return CartView(
            locale=locale,
            wish=wish,
            cart=cart,
            products=self._catalog.lookup(locale, asins) if asins else {},
            as_of=self._clock() if cart is not None else None,
            pending=False,
        )

    def _view_of(self, locale: str, seen: Seen) -> CartView:
        """What is known of a remote cart; while it is behind, without the sums that are no longer true."""
        cart = seen.reply.cart if seen.reply is not None else None
        if cart is not None and seen.pending:
            cart = _without_sums(cart)
        as_of = datetime.fromtimestamp(seen.reply.asked_at, timezone.utc) if seen.reply is not None else None
        view = self._view(locale, seen.wish, cart)
        return msgspec.structs.replace(view, as_of=as_of, pending=seen.pending, retry_after=seen.retry_after)

    def _asin(self, locale: str, item: NewItem) -> str | None:
        return self._asin_of_offer(locale, item.offer_listing_id) if item.offer_listing_id else item.asin

    def _tell_overflow(self, wish: Wish, overflow: wishes.Overflow) -> None:
        values = {"requested": overflow.requested, "actual": MAX_QUANTITY}
        message = text(self._settings.texts, "quantity_capped_total", **values)
        wish.tell("quantity_capped", message, self._clock(), asin=overflow.line.asin, **values)


def cart_mark(ref: CartRef) -> str:
    """Names a cart to those who know it, without its CartId, which never reaches a browser."""
    return hashlib.sha256(ref.cart_id.encode()).hexdigest()[:16]


def _without_sums(cart: Cart) -> Cart:
    items = tuple(msgspec.structs.replace(item, item_total=None) for item in cart.items)
    saved = tuple(msgspec.structs.replace(item, item_total=None) for item in cart.saved)
    return msgspec.structs.replace(
        cart, items=items, saved=saved, subtotal=None, items_subtotal=None, saved_subtotal=None, purchase_url=None
    )


def _holds(wish: Wish) -> bool:
    return bool(wish.lines) or wish.left is not None


def _raise_if_all_refused(touched: Sequence[Line], refusals: Sequence[Refusal]) -> None:
    refused = {id(refusal.line) for refusal in refusals}
    if touched and all(id(line) in refused for line in touched):
        raise next(refusal.error for refusal in refusals if refusal.line is touched[0])


def _digest(kind: str, locale: str, payload: object) -> str:
    return hashlib.sha256(msgspec.json.encode([kind, locale, payload])).hexdigest()[:16]
