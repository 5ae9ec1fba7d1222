"""Puts the parts together for a site whose provider is remote."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from flask_ecscart.clock import Clock, utc_now
from flask_ecscart.dispatch.account import Account, Exclusive
from flask_ecscart.dispatch.dispatcher import Dispatcher
from flask_ecscart.dispatch.front import Front
from flask_ecscart.dispatch.known import Known
from flask_ecscart.dispatch.queue import Queue, account_of
from flask_ecscart.dispatch.runner import Runner
from flask_ecscart.dispatch.turns import Pace, Turns
from flask_ecscart.provider import CartProvider
from flask_ecscart.sessions import ShopperSessionInterface
from flask_ecscart.settings import Settings
from flask_ecscart.settle import Settler
from flask_ecscart.state.fleeting import Bell, Fleeting, ThreadBell
from flask_ecscart.state.sql import Database

__all__ = ["Condition", "Parts", "Remote", "Status"]

Condition = Literal["ok", "absent", "resting", "unreachable"]
_WORST_FIRST: tuple[Condition, ...] = ("unreachable", "resting", "absent", "ok")


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What a remote provider is reached and remembered with. Replaced in tests: nothing here is hidden."""

    provider: CartProvider
    database: Database
    fleeting: Fleeting
    sessions: ShopperSessionInterface
    exclusive: Exclusive
    settler: Callable[[CartProvider], Settler]
    clock: Clock = utc_now
    now: Callable[[], float] = time.monotonic
    bell: Bell = msgspec.field(default_factory=ThreadBell)
    threads: bool = True
    """Whether a web worker begins dispatching by itself when a cart waits; else somebody calls `step`."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How one access key is doing. `waiting`: carts to be handed off, to be shown, merely changed."""

    locales: list[str]
    waiting: tuple[int, int, int]
    sent_today: int
    throttled: int
    orphans: int
    utilisation: float | None
    """Part of the turns used of late; None when no dispatcher has said anything for a while."""
    unreachable: list[str]


class Remote:
    """The fronts and dispatchers of one site: one of each for every access key."""

    def __init__(self, settings: Settings, parts: Parts) -> None:
        self._parts = parts
        self.accounts = _accounts(settings, parts)
        self.runner = Runner(self.dispatchers)
        looking = parts.settler(parts.provider)
        self._fronts = {
            locale: Front(account, looking, start=self.runner.start if parts.threads else _start_nothing)
            for account in self.accounts
            for locale in account.tags
        }

    def front(self, locale: str) -> Front:
        """The web workers' side of the access key that pays for `locale`."""
        return self._fronts[locale]

    def dispatchers(self, holder: str, pause: Callable[[float], bool], *, patient: bool = False) -> list[Dispatcher]:
        """A dispatcher for every access key, which have nothing to do with each other."""
        return [
            Dispatcher(
                account,
                Turns(account.fleeting, account.queue, holder, account.pace, now=account.now, pause=pause),
                self._parts.provider,
                settler=self._parts.settler,
                patient=patient,
            )
            for account in self.accounts
        ]

    def status(self) -> list[Status]:
        """How every access key is doing."""
        return [_status(account) for account in self.accounts]

    def condition(self) -> Condition:
        """The worst any access key is in: an endpoint does not answer, the day is spent, carts wait for nobody."""
        found = {_condition(account) for account in self.accounts}
        return next(one for one in _WORST_FIRST if one in found)


def _start_nothing() -> None:
    pass


def _accounts(settings: Settings, parts: Parts) -> list[Account]:
    by_key: dict[str, dict[str, str]] = {}
    for code, row in settings.locales.items():
        by_key.setdefault(settings.keys_of(code).access_key, {})[code] = row.associate_tag or ""
    return [_account(settings, parts, key, tags) for key, tags in by_key.items()]


def _account(settings: Settings, parts: Parts, access_key: str, tags: Mapping[str, str]) -> Account:
    queue = Queue(parts.database, account_of(access_key), clock=None if parts.clock is utc_now else parts.clock)
    return Account(
        queue=queue,
        known=Known(parts.fleeting, queue),
        fleeting=parts.fleeting,
        sessions=parts.sessions,
        exclusive=parts.exclusive,
        tags=tags,
        pace=Pace(rate=settings.rate, daily=settings.daily_limit),
        fresh_for=settings.fresh_for,
        max_wait=settings.max_wait,
        now=parts.now,
        bell=parts.bell,
    )


def _condition(account: Account) -> Condition:
    state = account.known.state()
    if state is None:
        return "ok" if account.queue.is_empty() else "absent"
    if state.closed_until:
        return "unreachable"
    return "resting" if state.resting_until > account.queue.now() else "ok"


def _status(account: Account) -> Status:
    queue = account.queue
    now = queue.now()
    lengths = queue.lengths()
    state = account.known.state()
    return Status(
        locales=list(account.tags),
        waiting=(lengths.get(0, 0), lengths.get(1, 0), lengths.get(2, 0)),
        sent_today=queue.count(f"sent:{int(now // 86_400)}"),
        throttled=queue.count("throttled"),
        orphans=queue.count("orphans"),
        utilisation=state.utilisation_at(now) if state is not None else None,
        unreachable=sorted(state.closed_until) if state is not None else [],
    )
