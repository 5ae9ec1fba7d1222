"""A site with a remote provider on a moved clock and in plain dictionaries, so that a day passes in a minute.

The real carts, settling and dispatching code runs. Sessions, queue and fleeting state are the stand-ins of the fault
simulation (held against the SQL ones there), the service is that of the dispatcher's tests, and only the clock moves.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from flask_ecscart.carts import Carts
from flask_ecscart.catalog.anything import AnyCatalog
from flask_ecscart.dispatch.account import Account
from flask_ecscart.dispatch.dispatcher import Dispatcher
from flask_ecscart.dispatch.front import Front
from flask_ecscart.dispatch.known import Known
from flask_ecscart.dispatch.turns import Pace, Turns
from flask_ecscart.errors import StateUnavailable
from flask_ecscart.happenings import Where, Witness
from flask_ecscart.settings import read_settings
from flask_ecscart.settle import Settler
from tests.simulation.memory import MemoryCounters, MemoryFleeting, MemoryQueue, MemorySessions
from tests.support.remote import StandIn, Time

__all__ = ["MovedSite"]


class _Rows:
    """A `MemoryStore` for one thread: every write is kept at once, nothing fails, and a table is found by its name."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[tuple[str, ...], Any]] = {}

    @contextmanager
    def transaction(self) -> Generator[_Rows, None, None]:
        yield self

    @contextmanager
    def reading(self, _what: str = "") -> Generator[_Rows, None, None]:
        yield self

    def get(self, key: tuple[str, ...]) -> Any:
        return self._tables.get(key[0], {}).get(key)

    lock = get

    def put(self, key: tuple[str, ...], value: Any) -> None:
        table = self._tables.setdefault(key[0], {})
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value

    def keys(self, kind: str) -> Iterator[tuple[str, ...]]:
        return iter(list(self._tables.get(kind, ())))


class _Time(Time):
    """Who waits is woken within two hundredths of a second."""

    def __init__(self) -> None:
        super().__init__()
        self._rung = 0

    def ring(self) -> None:
        self._rung += 1

    def wait(self, seconds: float) -> None:
        until, heard = self.now + seconds, self._rung
        while self.now < until and heard == self._rung:
            super().wait(min(0.02, until - self.now))


class MovedSite:
    """Carts of one site, and a dispatcher that works while time is let pass. `daily`: transactions a day."""

    def __init__(self, *, daily: int | None = None, begins: float | None = None) -> None:
        self.time = _Time()
        if begins is not None:
            self.time.now = begins
        self.provider = StandIn(self.time)
        rows: Any = _Rows()
        clock = self.time.clock
        self.queue = MemoryQueue(rows, "bench", clock=clock)
        self.fleeting = MemoryFleeting(rows, clock=clock, bell=self.time)
        self.fleeting.wakes = True  # as Redis: there is nobody else who could look meanwhile
        self.sessions = MemorySessions(rows)
        self._put_together(MemoryCounters(rows), daily)
        self.time.idle = self.run_until

    def _put_together(self, counters: Any, daily: int | None) -> None:
        settings = _settings()
        sessions: Any = self.sessions
        queue: Any = self.queue
        witness = Witness(sessions, counters, settings.locales, key="x", sender=self, clock=self.time.clock)
        pace = Pace(rate=1.0, daily=daily)
        account = Account(
            queue=queue,
            known=Known(self.fleeting, queue),
            fleeting=self.fleeting,
            sessions=sessions,
            exclusive=lambda shopper, locale: witness.exclusive(Where(shopper, locale)),
            tags={"US": "lamp-20"},
            pace=pace,
            fresh_for=settings.fresh_for,
            max_wait=settings.max_wait,
            now=self.time,
            bell=self.time,
        )
        settler = self._settler(self.provider)
        self.carts = Carts(
            settings,
            sessions,
            settler,
            AnyCatalog(),
            witness,
            asin_of_offer=lambda _locale, _offer: None,
            remote=_OneFront(Front(account, settler, start=lambda: None)),  # type: ignore[arg-type]
            clock=self.time.clock,
        )
        turns = Turns(self.fleeting, queue, "one", pace, now=self.time, pause=self.time.pause)
        self.dispatcher = Dispatcher(account, turns, self.provider, settler=self._settler)

    def _settler(self, provider: Any) -> Settler:
        return Settler(provider, texts={}, clock=self.time.clock)

    def run_until(self, moment: float) -> None:
        """Let the dispatcher work until then."""
        while self.time.now < moment:
            wait = 0.5
            with suppress(StateUnavailable):
                wait = self.dispatcher.step()
            if wait > 0:
                self.time.now = max(self.time.now, min(moment, self.time.now + wait))


class _OneFront:
    """`Remote` as `Carts` knows it."""

    def __init__(self, front: Front) -> None:
        self._front = front

    def front(self, _locale: str) -> Front:
        return self._front


def _settings() -> Any:
    values = {
        "ECSCART_LOCALES": {"US": {"associate_tag": "lamp-20", "handoff": "purchase_url"}},
        "ECSCART_PROVIDER": "ecs",
        "ECSCART_ACCESS_KEY": "AKBENCH",
        "ECSCART_SECRET_KEY": "secret",
        "SECRET_KEY": "x" * 32,
    }
    return read_settings(values, {}, default_database="sqlite://")
