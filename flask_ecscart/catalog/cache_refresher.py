"""Asks a source for what pages want: one process at a time, at the pace its account allows, ten ASINs a call.

A page only drops its wants here. A thread, started in each process by its first want (so after any fork), hands them
over to the queue in SQL, where the wants of many pages and workers are folded. Whichever process holds the lease
asks for all of them. What came stands in the cache; how it went, in the states.
"""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Condition, Thread
from typing import NamedTuple

from flask_ecscart.catalog.cache import ProductCache
from flask_ecscart.catalog.cache_asking import Asking
from flask_ecscart.catalog.cache_queue import Queue, Want
from flask_ecscart.catalog.sources import Source, SourceStatus
from flask_ecscart.catalog.status import source_status
from flask_ecscart.clock import Clock, utc_now
from flask_ecscart.errors import StateUnavailable
from flask_ecscart.state.fleeting import Fleeting

__all__ = ["Parts", "Refresher"]

_log = logging.getLogger("flask_ecscart")
_GATHER = 0.02
"""Wants that come within this time go into one call, even the first."""
_AGAIN = 1.0
"""Seconds between looks at a queue that another process works on, or that may not be asked now."""
_SAID_LATELY = timedelta(seconds=5)
_MAX_REMEMBERED = 10_000
_PRUNE_EVERY = timedelta(minutes=1)
_LEASE_SECONDS = 60.0
"""More than the slowest call takes: two requests for a token and two for the products."""


class _Here:
    """What one process has in hand."""

    def __init__(self) -> None:
        self.news = Condition()
        self.holder = f"{os.getpid()}-{secrets.token_hex(4)}"
        self.wants: set[Want] = set()
        self.said: dict[Want, datetime] = {}
        self.blocked: dict[str, datetime] = {}
        self.thread: Thread | None = None
        self.closing = False
        self.pruned: datetime | None = None


class Parts(NamedTuple):
    """What a refresher works with."""

    source: Source
    cache: ProductCache
    queue: Queue
    fleeting: Fleeting


class Refresher:
    """The asking side of one source. `pause` waits between calls; `threaded=False` leaves `work()` to the caller."""

    def __init__(
        self,
        parts: Parts,
        *,
        locales: Iterable[str],
        clock: Clock = utc_now,
        pause: Callable[[float], None] = time.sleep,
        threaded: bool = True,
    ) -> None:
        self._parts = parts
        self._offered = tuple(locales)
        self._locales = [code for code in self._offered if parts.source.account(code) is not None]
        self._clock = clock
        self._pause = pause
        self._threaded = threaded
        self._lease = f"lease:catalog:{parts.source.name}"
        self._processes: dict[int, _Here] = {}

    # --- for pages ----------------------------------------------------------------------------------------

    def want(self, wants: Iterable[Want]) -> None:
        """Have them asked for soon. Returns at once, and writes nothing."""
        here, now = self._here(), self._clock()
        with here.news:
            fresh = [want for want in wants if self._is_new(here, want, now)]
            if not fresh:
                return
            if len(here.said) > _MAX_REMEMBERED:
                here.said.clear()
            here.said.update(dict.fromkeys(fresh, now))
            here.wants.update(fresh)
            if self._threaded and (here.thread is None or not here.thread.is_alive()) and not here.closing:
                here.thread = Thread(target=self._run, args=(here,), name="ecscart-catalog", daemon=True)
                here.thread.start()
                atexit.register(self._hand_back, here)
            here.news.notify_all()

    def serves(self, locale: str) -> bool:
        """Whether the source can be asked about `locale` at all."""
        return locale in self._locales

    def may_answer(self, locale: str) -> bool:
        """Whether waiting for an answer makes sense: as far as this process knows, the source is not resting."""
        until = self._here().blocked.get(locale)
        return until is None or until <= self._clock()

    def wait(self, seconds: float) -> None:
        """Return when this process has news, or after `seconds`."""
        here = self._here()
        with here.news:
            here.news.wait(seconds)

    def status(self) -> list[SourceStatus]:
        """How asking goes in each locale of the site."""
        return source_status(self._parts.source, self._parts.cache, self._parts.queue, self._offered)

    def close(self) -> None:
        """End the thread of this process; what waits in SQL is for others."""
        here = self._here()
        with here.news:
            here.closing = True
            here.news.notify_all()
            thread = here.thread
        if thread is not None:
            thread.join()

    def _hand_back(self, here: _Here) -> None:
        """The process ends: let another ask at once, also when an answer is still on its way."""
        if here.holder.startswith(f"{os.getpid()}-"):  # not a child that was forked with our exit handlers
            here.closing = True
            with suppress(StateUnavailable):
                self._parts.fleeting.drop_lease(self._lease, here.holder)

    # --- for the one that asks ------------------------------------------------------------------------------

    def work(self) -> bool:
        """Hand over what this process wants and ask for all that waits, while this process leads and may ask.

        Returns whether something still waits: another process leads, or the source rests.
        """
        here, queue = self._here(), self._parts.queue
        asking = Asking(*self._parts, clock=self._clock, pause=self._pause, lease=(self._lease, here.holder))
        while not here.closing:
            self._hand_over(here)
            blocked = self._look_at_states(here)
            locale = queue.next_locale(code for code in self._locales if code not in blocked)
            if locale is None:
                break
            if not self._lead(here):
                return True
            asking.call(locale, before=lambda: self._hand_over(here))
            self._tell(here)
        self._retire(here)
        return queue.next_locale(self._locales) is not None

    def _run(self, here: _Here) -> None:
        waits = False
        while True:
            with here.news:
                here.news.wait_for(lambda: here.wants or here.closing, timeout=_AGAIN if waits else None)
                if here.closing:
                    return
            self._pause(_GATHER)
            try:
                waits = self.work()
            except StateUnavailable:
                self._pause(_AGAIN)  # nothing is lost that a page would not say again
            except Exception:
                _log.exception("The product catalog could not be refreshed; pages show what is known.")
                self._pause(_AGAIN)
            self._tell(here)

    def _lead(self, here: _Here) -> bool:
        return self._parts.fleeting.take_lease(self._lease, here.holder, _LEASE_SECONDS)

    def _retire(self, here: _Here) -> None:
        """Nothing can be asked now: clean up now and then, and let another process lead."""
        now = self._clock()
        if here.pruned is None or not timedelta(0) <= now - here.pruned < _PRUNE_EVERY:
            here.pruned = now
            self._parts.cache.prune(now)
            self._parts.queue.drop_forgotten(now)
        with suppress(StateUnavailable):
            self._parts.fleeting.drop_lease(self._lease, here.holder)

    def _hand_over(self, here: _Here) -> None:
        with here.news:
            wants, here.wants = here.wants, set()
        if wants:
            dropped = self._parts.queue.put(wants, self._clock())
            if dropped:
                _log.warning("%d products are not asked for: too many wait already.", dropped)

    def _look_at_states(self, here: _Here) -> set[str]:
        """The locales that may not be asked now."""
        now = self._clock()
        states = self._parts.queue.states()
        here.blocked = {code: state.until for code, state in states.items() if state.until and state.until > now}
        return set(here.blocked)

    def _tell(self, here: _Here) -> None:
        with here.news:
            here.news.notify_all()

    def _is_new(self, here: _Here, want: Want, now: datetime) -> bool:
        if want.locale in here.blocked and here.blocked[want.locale] > now:
            return False
        said = here.said.get(want)
        return said is None or not timedelta(0) <= now - said < _SAID_LATELY

    def _here(self) -> _Here:
        """What belongs to this process: threads and locks do not survive a fork."""
        pid = os.getpid()
        return self._processes.get(pid) or self._processes.setdefault(pid, _Here())
