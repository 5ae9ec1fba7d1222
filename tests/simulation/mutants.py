"""Designs that lose carts, written as changes of our own code: each must be caught, or the schedules prove nothing.

The first three are the designs most plugins have, as `naive`, `locked` and `compared` carts in place of `Carts`; the
others take one guard out of ours. `applied(name)` makes one hold for a block.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from unittest import mock

import msgspec

from flask_ecscart import carts as carts_module
from flask_ecscart import matching, shopper
from flask_ecscart.carts import Carts, CartView
from flask_ecscart.dispatch import dispatcher as dispatcher_module
from flask_ecscart.dispatch.dispatcher import Dispatcher
from flask_ecscart.dispatch.front import Front
from flask_ecscart.dispatch.known import Reply
from flask_ecscart.dispatch.turns import Turns
from flask_ecscart.errors import DeadCart, ECSError, RequestThrottled, StateUnavailable, TransportError
from flask_ecscart.model import Cart, ItemChange, NewItem
from flask_ecscart.settle import Settler
from flask_ecscart.shopper import Shopper, Wish
from tests.simulation import world
from tests.simulation.memory import MemorySessions

__all__ = ["DESIGNS", "MUTANTS", "applied"]


@contextmanager
def applied(name: str) -> Generator[None, None, None]:
    """Let the mutant's code run in place of ours."""
    with MUTANTS[name]():
        yield


# --- The designs of models/sim_faults.py -----------------------------------------------------------------------


class _Direct(Carts):
    """Adds by calling the provider inside the request: what callers of every existing client write."""

    def _try(self, run: Callable[[], CartView]) -> CartView:
        try:
            return run()
        except (TransportError, ECSError) as problem:
            if isinstance(problem, RequestThrottled):
                raise
            raise StateUnavailable(f"The cart service: {problem}") from None

    def add(self, shopper: str, locale: str, items: Any, key: Any, *, page: Any = None) -> CartView:
        return self._try(lambda: self._direct(shopper, locale, items, key))

    def change(self, shopper: str, locale: str, changes: Any, key: Any, *, page: Any = None) -> CartView:
        return self._try(lambda: self._changed(shopper, locale, changes))

    def clear(self, shopper: str, locale: str, key: Any, *, page: Any = None) -> CartView:
        return self._try(lambda: self._cleared(shopper, locale))

    def read(self, shopper: str, locale: str) -> CartView:
        return self._try(lambda: self._shown_direct(shopper, locale))

    def leave(self, shopper: str, locale: str, mark: str, *, page: Any = None) -> str | None:
        view = self.read(shopper, locale)
        if view.cart is None:
            return None
        self._write(shopper, locale, None)
        return view.cart.purchase_url

    def answer(self, shopper: str, locale: str, outcome: str, *, page: Any = None) -> CartView:
        return self._view(locale, Wish(), None)

    # --- the way to the service -------------------------------------------------------------------------

    def _direct(self, shopper: str, locale: str, items: Sequence[NewItem], key: str) -> CartView:
        ref = self._sessions.read(shopper).carts.get(locale, Wish()).ref
        provider = self._settler._provider
        if ref is None:
            cart = provider.create(locale, world.TAGS[locale], items)
        else:
            try:
                cart = provider.add(ref, items)
            except DeadCart:
                cart = provider.create(locale, world.TAGS[locale], items)
            cart = self._there_already(cart, items)
        self._write(shopper, locale, cart)
        return self._view(locale, Wish(ref=cart.ref), cart)

    def _there_already(self, cart: Cart, items: Sequence[NewItem]) -> Cart:
        if cart.faults:
            raise StateUnavailable("already in the cart")  # an error, as in the peers
        return cart

    def _write(self, shopper: str, locale: str, cart: Cart | None) -> None:
        with self._sessions.exclusive(shopper) as kept:
            kept.wish(locale).ref = cart.ref if cart is not None else None

    def _changed(self, shopper: str, locale: str, changes: Any) -> CartView:
        view = self._shown_direct(shopper, locale)
        if view.cart is None:
            return view
        there = {item.asin: item for item in (*view.cart.items, *view.cart.saved)}
        actions = {"active": "MoveToCart", "saved": "SaveForLater", None: None}
        sent: list[Any] = [
            ItemChange(cart_item_id=there[one.asin].cart_item_id, quantity=one.quantity, action=actions[one.area])  # type: ignore[arg-type]
            for one in changes
            if one.asin in there
        ]
        cart = self._settler._provider.modify(view.cart.ref, sent) if sent else view.cart
        return self._view(locale, Wish(ref=cart.ref), cart)

    def _cleared(self, shopper: str, locale: str) -> CartView:
        ref = self._sessions.read(shopper).carts.get(locale, Wish()).ref
        cart = self._settler._provider.clear(ref) if ref is not None else None
        return self._view(locale, Wish(ref=ref), cart)

    def _shown_direct(self, shopper: str, locale: str) -> CartView:
        wish = self._sessions.read(shopper).carts.get(locale, Wish())
        try:
            cart = self._settler._provider.get(wish.ref) if wish.ref is not None else None
        except DeadCart:
            cart = None
        return self._view(locale, wish, cart)


class _Locked(_Direct):
    """The same under a lock for each shopper whose lease can run out; what is there already gets one more."""

    def add(self, shopper: str, locale: str, items: Any, key: Any, *, page: Any = None) -> CartView:
        with self._lock(shopper, key):
            return super().add(shopper, locale, items, key)

    @contextmanager
    def _lock(self, shopper: str, holder: str) -> Generator[None, None, None]:
        fleeting = self._remote._front._fleeting  # type: ignore[union-attr]
        if not fleeting.take_lease(f"shopper:{shopper}", holder, 5.0):
            raise StateUnavailable("locked")
        try:
            yield
        finally:
            fleeting.drop_lease(f"shopper:{shopper}", holder)

    def _there_already(self, cart: Cart, items: Sequence[NewItem]) -> Cart:
        there = {item.asin: item for item in (*cart.items, *cart.saved)}
        named = " ".join(fault.message for fault in cart.faults)
        more = [
            ItemChange(cart_item_id=there[item.asin].cart_item_id, quantity=there[item.asin].quantity + item.quantity)
            for item in items
            if item.asin in there and item.asin in named
        ]
        return self._settler._provider.modify(cart.ref, more) if more else cart


class _Compared(_Locked):
    """Beside the lock, the reference is written only where nobody else wrote one, and keys are remembered after."""

    def _direct(self, shopper: str, locale: str, items: Sequence[NewItem], key: str) -> CartView:
        kept = self._sessions.read(shopper)
        if key in kept.keys:
            return self._shown_direct(shopper, locale)
        view = super()._direct(shopper, locale, items, key)
        with self._sessions.exclusive(shopper) as kept:
            kept.remember(key, "done")
        return view

    def _write(self, shopper: str, locale: str, cart: Cart | None) -> None:
        with self._sessions.exclusive(shopper) as kept:
            wish = kept.wish(locale)
            if cart is None or wish.ref is None:
                wish.ref = cart.ref if cart is not None else None


def _carts(design: type[Carts]) -> Callable[[], Any]:
    return lambda: mock.patch.object(world, "Carts", design)


# --- Our own code without one guard ----------------------------------------------------------------------------


@contextmanager
def _written_from_a_stale_read() -> Generator[None, None, None]:
    """The session is read before the lock, as Flask-Session does it: last write wins."""

    @contextmanager
    def exclusive(self: MemorySessions, shopper: str) -> Generator[Shopper, None, None]:
        kept = self.read(shopper)
        self._store._scheduler.step("between reading and writing")
        with self._store.transaction() as transaction:
            transaction.lock(("session", shopper))
            yield kept
            transaction.put(("session", shopper), msgspec.json.encode(kept))

    with mock.patch.object(MemorySessions, "exclusive", exclusive):
        yield


@contextmanager
def _answered_before_written() -> Generator[None, None, None]:
    """The answer goes out first, the change is written a moment later."""
    ask = world.Worker.ask

    def hasty(self: world.Worker, name: str, run: Any, *, patience: float, **held: int) -> Any:
        if not name.endswith((" add", " set")):
            return ask(self, name, run, patience=patience, **held)
        scheduler = self.world.scheduler

        def later() -> None:
            scheduler.sleep(0.05)
            with suppress(StateUnavailable):
                run(self.carts)

        scheduler.spawn(self.process, f"request {name} later", later)
        return ask(self, name, lambda carts: carts.read(name.partition(" ")[0], "US"), patience=patience)

    with mock.patch.object(world.Worker, "ask", hasty):
        yield


@contextmanager
def _two_transactions() -> Generator[None, None, None]:
    """The wish is one write, the line in the queue another."""
    changed = Front.changed

    def late(self: Front, shopper: str, locale: str) -> Any:
        self._queue.put(shopper, locale, 2)
        return changed(self, shopper, locale)

    with mock.patch.object(Front, "note"), mock.patch.object(Front, "changed", late):
        yield


@contextmanager
def _outcome_written_without_comparing() -> Generator[None, None, None]:
    def keep(exclusive: Any, queue: Any, waiting: Any, before: Wish, after: Wish, **_: Any) -> int:
        with exclusive(waiting.shopper, waiting.locale) as kept:
            kept.carts[waiting.locale] = after
            queue.done(waiting)
        return after.outcome

    with mock.patch.object(dispatcher_module, "keep_outcome", keep):
        yield


@contextmanager
def _lost_answer_taken_for_done() -> Generator[None, None, None]:
    put_back = Dispatcher._put_back

    def forgetful(self: Dispatcher, waiting: Any, problem: Exception, *, lost: bool) -> None:
        self._queue.done(waiting) if lost else put_back(self, waiting, problem, lost=lost)

    with mock.patch.object(Dispatcher, "_put_back", forgetful):
        yield


@contextmanager
def _sent_again_unread() -> Generator[None, None, None]:
    """What was asked for is asked for again without a look, and what is there already is taken for an error."""
    drop = matching.Round.drop_refused

    def strict(self: matching.Round, lines: Any) -> None:
        named = " ".join(fault.message for fault in self._faults if fault.code.endswith("ItemAlreadyInCart"))
        self.wish.lines = [line for line in self.wish.lines if not (line.asin and line.asin in named)]
        drop(self, [line for line in lines if any(line is kept for kept in self.wish.lines)])

    with mock.patch.object(matching.Round, "drop_refused", strict), _old_reply_trusted():
        yield


@contextmanager
def _old_reply_trusted() -> Generator[None, None, None]:
    """The last reply stands for the cart, whatever was changed since."""
    with mock.patch.object(Reply, "is_of", lambda self, wish: wish.ref is not None and wish.ref == self.cart.ref):
        yield


@contextmanager
def _more_instead_of_so_many() -> Generator[None, None, None]:
    """What is added to what is there, as if the reply could not be old: +1 instead of a total."""

    def changes(self: matching.Round) -> list[ItemChange]:
        found = original(self)
        entries = {item.cart_item_id: item.quantity for item in self.entries()}
        wanted = {item.cart_item_id: line.quantity for line, item in self.pairs() if item is not None}
        return [
            msgspec.structs.replace(one, quantity=entries[one.cart_item_id] + max(1, wanted[one.cart_item_id] - 1))
            if one.quantity and one.cart_item_id in wanted
            else one
            for one in found
        ]

    original = matching.Round.changes
    with mock.patch.object(matching.Round, "changes", changes):
        yield


@contextmanager
def _dead_cart_kept() -> Generator[None, None, None]:
    def current(self: Settler, wish: Wish) -> Cart | None:
        return self._provider.get(wish.ref) if wish.ref is not None else None

    with mock.patch.object(Settler, "_current", current):
        yield


@contextmanager
def _left_without_a_look() -> Generator[None, None, None]:
    def leaving(self: Front, shopper: str, locale: str) -> Any:
        return self._seen(shopper, locale, retry_after=None)

    with mock.patch.object(Front, "leaving", leaving):
        yield


@contextmanager
def _everybody_sends() -> Generator[None, None, None]:
    """Each process keeps the rate by itself, as a limiter in memory does."""

    def take_lease(self: world._Watched, name: str, holder: str, seconds: float) -> bool:
        self._worker.world.leases[holder] = float("inf")
        return True

    def take_turn(self: world._Watched, *_: Any) -> float:
        self._worker.process.turn_taken_at = self._worker.world.scheduler.now
        return 0.0

    changed = {"take_lease": take_lease, "take_turn": take_turn, "pace": lambda *_: None}
    with mock.patch.multiple(world._Watched, create=True, **changed):
        yield


@contextmanager
def _half_spaced() -> Generator[None, None, None]:
    """The next turn is due too soon after an answer."""
    with mock.patch.object(Turns, "_spacing", property(lambda self: self._interval / 2)):
        yield


@contextmanager
def _left_although_changed() -> Generator[None, None, None]:
    """Leaving does not look again at what is wanted once the cart was verified."""
    leave = Carts.leave

    def hasty(self: Carts, shopper: str, locale: str, mark: str, *, page: Any = None) -> str | None:
        before = self._sessions.read(shopper).carts.get(locale, Wish())
        if before.ref is None or carts_module.cart_mark(before.ref) != mark:
            return None
        view = self._settled(shopper, locale, leaving=True)
        if view.pending or view.cart is None or not view.cart.items:
            return leave(self, shopper, locale, mark, page=page)
        with self._sessions.exclusive(shopper) as kept:
            carts_module.wishes.leave(kept.wish(locale), self._clock(), moved=True)
        return view.cart.purchase_url

    with mock.patch.object(Carts, "leave", hasty):
        yield


MUTANTS: dict[str, Callable[[], Any]] = {
    "naive": _carts(_Direct),
    "lock": _carts(_Locked),
    "lock and compare": _carts(_Compared),
    "session written from a stale read": _written_from_a_stale_read,
    "answered before it is written": _answered_before_written,
    "key not remembered": lambda: mock.patch.object(shopper.Shopper, "remember"),
    "wish and queue in two transactions": _two_transactions,
    "outcome written without comparing": _outcome_written_without_comparing,
    "lost answer taken for done": _lost_answer_taken_for_done,
    "sent again unread, already there taken for refused": _sent_again_unread,
    "old reply trusted": _old_reply_trusted,
    "more instead of a total": _more_instead_of_so_many,
    "dead cart kept": _dead_cart_kept,
    "left without a look": _left_without_a_look,
    "left although changed": _left_although_changed,
    "every process keeps the rate alone": _everybody_sends,
    "turns spaced by half": _half_spaced,
}
"""Name → what makes it hold, a context manager."""
DESIGNS = ("naive", "lock", "lock and compare")
"""Those that send inside the request: only what they lose or count twice is held against them, not their pace."""
