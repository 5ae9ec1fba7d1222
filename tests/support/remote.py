"""A site with a remote provider in one thread: a clock that moves by being waited for, and a stand-in service.

The real carts, settling and dispatching code runs; only time, the network and the waiting are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

from flask import Flask

from flask_ecscart.carts import Carts
from flask_ecscart.catalog.anything import AnyCatalog
from flask_ecscart.dispatch import Parts, Remote
from flask_ecscart.dispatch.dispatcher import Dispatcher
from flask_ecscart.errors import InvalidCartId, RequestThrottled, StateUnavailable
from flask_ecscart.happenings import Where, Witness
from flask_ecscart.model import Cart, CartItem, CartRef, ItemChange, NewItem
from flask_ecscart.sessions import ShopperSessionInterface
from flask_ecscart.settings import Settings, read_settings
from flask_ecscart.settle import Settler
from flask_ecscart.state.counters import Counters
from flask_ecscart.state.fleeting import Fleeting
from flask_ecscart.state.fleeting_sql import SQLFleeting
from flask_ecscart.state.sql import Database

__all__ = ["RemoteSite", "StandIn", "Time"]

_START = 1_800_000_000.0


class Time:
    """A clock in seconds; `wait` moves it. While it moves, `idle` may do what others would do meanwhile."""

    def __init__(self) -> None:
        self.now = _START
        self.idle: Callable[[float], None] | None = None
        self._inside = False

    def __call__(self) -> float:
        return self.now

    def clock(self) -> datetime:
        """The same moment as a `Clock` tells it."""
        return datetime.fromtimestamp(self.now, timezone.utc)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        until = self.now + seconds
        if self.idle is not None and not self._inside:
            self._inside = True
            try:
                self.idle(until)
            finally:
                self._inside = False
        self.now = max(self.now, until)

    def ring(self) -> None:
        """Nobody sleeps here."""

    def pause(self, seconds: float) -> bool:
        """What a dispatcher waits with."""
        self.now += seconds
        return True


class StandIn:
    """A cart service that takes one transaction each `interval` seconds and `latency` seconds for each.

    `calls` lists (moment, operation, CartId); `refused` counts the throttled; `fail` holds errors to raise, one a
    call, None for a call that works; an error in `after` is raised once the call was applied.
    """

    def __init__(self, time: Time, *, interval: float = 1.0, latency: float = 0.0) -> None:
        self.time = time
        self.interval = interval
        self.latency = latency
        self.carts: dict[str, dict[str, int]] = {}
        self.calls: list[tuple[float, str, str]] = []
        self.refused = 0
        self.fail: list[Exception | None] = []
        self.after: list[Exception | None] = []
        self._next = 0.0

    def create(self, locale: str, associate_tag: str, items: Sequence[NewItem]) -> Cart:
        cart_id = f"{len(self.carts):03}-0000000-0000000"
        ref = CartRef(locale=locale, cart_id=cart_id, hmac="h", associate_tag=associate_tag)

        def apply() -> None:
            self.carts[cart_id] = {item.asin or "": item.quantity for item in items}

        return self._do("create", ref, apply)

    def add(self, ref: CartRef, items: Sequence[NewItem]) -> Cart:
        def apply() -> None:
            for item in items:
                self._cart(ref).setdefault(item.asin or "", item.quantity)

        return self._do("add", ref, apply)

    def modify(self, ref: CartRef, changes: Sequence[ItemChange]) -> Cart:
        def apply() -> None:
            cart = self._cart(ref)
            for change in changes:
                asin = change.cart_item_id[1:]
                if asin in cart and change.quantity is not None:
                    cart[asin] = change.quantity
                    if change.quantity == 0:
                        del cart[asin]

        return self._do("modify", ref, apply)

    def clear(self, ref: CartRef) -> Cart:
        return self._do("clear", ref, lambda: self._cart(ref).clear())

    def get(self, ref: CartRef) -> Cart:
        return self._do("get", ref, lambda: None)

    def _do(self, operation: str, ref: CartRef, apply: Callable[[], object]) -> Cart:
        self.time.now += self.latency / 2
        if self.time.now < self._next - 1e-6:
            self.refused += 1
            raise RequestThrottled("You are submitting requests too quickly.")
        self._next = self.time.now + self.interval
        self.calls.append((self.time.now, operation, ref.cart_id))
        problem = self.fail.pop(0) if self.fail else None
        if problem is not None:
            raise problem
        apply()
        self.time.now += self.latency / 2
        problem = self.after.pop(0) if self.after else None
        if problem is not None:
            raise problem
        items = tuple(CartItem(cart_item_id="C" + asin, asin=asin, quantity=n) for asin, n in self._cart(ref).items())
        return Cart(ref=ref, items=items, purchase_url="https://www.amazon.com/gp/cart/aws-merge.html")

    def _cart(self, ref: CartRef) -> dict[str, int]:
        if ref.cart_id not in self.carts:
            raise InvalidCartId("gone")
        return self.carts[ref.cart_id]

    @property
    def operations(self) -> list[str]:
        """What was asked, in order."""
        return [operation for _, operation, _ in self.calls]


class RemoteSite:
    """Carts with a remote provider, and dispatchers that run when time is let pass."""

    def __init__(
        self,
        folder: Path,
        *,
        time: Time | None = None,
        provider: StandIn | None = None,
        database: Database | None = None,
        fleeting: Fleeting | None = None,
        **config: object,
    ) -> None:
        self.time = time or Time()
        self.provider = provider or StandIn(self.time)
        self.database = database or Database(f"sqlite:///{folder / 'site.db'}")
        self._app = Flask("remote", instance_path=str(folder))
        self._settings = _settings(config)
        self.fleeting = fleeting or SQLFleeting(self.database, clock=self.time.clock, bell=self.time)
        self.sessions = ShopperSessionInterface(self._app, self.database, ("x" * 32,), path="/", clock=self.time.clock)
        self._put_together()
        self.dispatcher = self.new_dispatcher("one")
        self.time.idle = self.run_until

    def _put_together(self) -> None:
        clock, settings = self.time.clock, self._settings
        counters = Counters(self.database)
        witness = Witness(self.sessions, counters, settings.locales, key="x", sender=self._app, clock=clock)
        parts = Parts(
            provider=self.provider,
            database=self.database,
            fleeting=self.fleeting,
            sessions=self.sessions,
            exclusive=lambda shopper, locale: witness.exclusive(Where(shopper, locale)),
            settler=lambda over: Settler(over, texts={}, clock=clock),
            clock=clock,
            now=self.time,
            bell=self.time,
            threads=False,
        )
        self.remote = Remote(settings, parts)
        self.queue = self.remote.accounts[0].queue
        self.carts = Carts(
            settings,
            self.sessions,
            Settler(self.provider, texts={}, clock=clock),
            AnyCatalog(),
            witness,
            asin_of_offer=lambda _locale, _offer: None,
            remote=self.remote,
            clock=clock,
        )

    def new_dispatcher(self, holder: str, pause: Callable[[float], bool] | None = None) -> Dispatcher:
        """A dispatcher as another process would have it."""
        return self.remote.dispatchers(holder, pause or self.time.pause)[0]

    def run_until(self, moment: float) -> None:
        """Let the dispatcher work until then."""
        while self.time.now < moment:
            wait = 0.5
            with suppress(StateUnavailable):
                wait = self.dispatcher.step()
            if wait > 0:
                self.time.now = max(self.time.now, min(moment, self.time.now + wait))

    def settle_all(self, seconds: float = 600) -> None:
        """Let time pass until nothing waits; fails after `seconds`."""
        until = self.time.now + seconds
        while not self.queue.is_empty():
            assert self.time.now < until, "carts still wait"
            self.run_until(self.time.now + 1)


def _settings(config: Mapping[str, object]) -> Settings:
    locales = {"US": {"associate_tag": "lamp-20", "handoff": "purchase_url"}}
    keys = {"ECSCART_ACCESS_KEY": "AKTEST", "ECSCART_SECRET_KEY": "secret", "SECRET_KEY": "x" * 32}
    values = {"ECSCART_LOCALES": locales, "ECSCART_PROVIDER": "ecs", **keys, **config}
    return read_settings(values, {}, default_database="sqlite://")
