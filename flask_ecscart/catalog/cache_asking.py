"""One call to a source: at its turn, as full as it can be, and what follows from how it ended."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from flask_ecscart.catalog.cache import ProductCache
from flask_ecscart.catalog.cache_queue import Batch, Queue, Want
from flask_ecscart.catalog.sources import Source, SourceProblem, SourceState, State
from flask_ecscart.clock import Clock
from flask_ecscart.model import Product
from flask_ecscart.state.fleeting import Fleeting

__all__ = ["Asking"]

_log = logging.getLogger("flask_ecscart")
_SURE = 1.1
"""One second sharp slips to 0.9 under load."""
_RESTS: dict[State, tuple[float, float]] = {
    "throttled": (5, 300),
    "unreachable": (15, 300),
    "unreadable": (30, 600),
    "unauthorized": (600, 3600),
    "rejected": (3600, 3600),
    "refused": (3600, 3600),
    "no_credential": (3600, 3600),
}
"""Seconds of rest after the first failure of a kind, doubled by each further one, and the longest."""


class Asking:
    """Calls a source for what waits in its queue. `lease` is the name and holder that turns are taken under."""

    def __init__(
        self,
        source: Source,
        cache: ProductCache,
        queue: Queue,
        fleeting: Fleeting,
        *,
        clock: Clock,
        pause: Callable[[float], None],
        lease: tuple[str, str],
    ) -> None:
        self._source = source
        self._cache = cache
        self._queue = queue
        self._fleeting = fleeting
        self._clock = clock
        self._pause = pause
        self._lease = lease

    def call(self, locale: str, *, before: Callable[[], None]) -> None:
        """Ask for what waits in `locale`; `before` lets in what is wanted while the turn is awaited."""
        if not self._turn(locale):
            return
        before()
        batch = self._queue.batch(locale, self._source.batch)
        if batch is None:
            return
        try:
            if batch.task == "choices":
                self._ask_choices(locale, batch.asins[0])
            else:
                self._ask_items(batch)
        except SourceProblem as problem:
            self._after(batch, problem)
        else:
            self._queue.done(batch)
            self._well(locale)
        finally:
            self._rest_of_turn(locale)

    def _ask_items(self, batch: Batch) -> None:
        fetched = self._source.fetch(batch.locale, batch.asins)
        now = self._clock()
        products = {product.asin: product for product in fetched.products}
        self._cache.store(batch.locale, batch.asins, products, now)
        for product in fetched.products:
            if product.variations:
                self._cache.store_choices(batch.locale, product.asin, product.variations, now)
        known = self._cache.read(batch.locale, fetched.perhaps_parents, now)
        parents = [asin for asin, cached in known.items() if cached.choices is None]
        if parents:
            self._queue.put([Want(batch.locale, asin, "choices") for asin in parents], now)

    def _ask_choices(self, locale: str, asin: str) -> None:
        found: list[Product] = []
        number = pages = 1
        while number <= pages:
            if number > 1:
                self._rest_of_turn(locale)
                if not self._turn(locale):
                    break
            page = self._source.choices(locale, asin, number)
            found += page.products
            pages = page.pages if page.products else number
            number += 1
        self._cache.store_choices(locale, asin, found, self._clock())

    # --- turns ------------------------------------------------------------------------------------------

    def _turn(self, locale: str) -> bool:
        """Wait for the account's next turn and take it; False when another process leads by now."""
        name, holder = self._lease
        while True:
            wait = self._fleeting.take_turn(self._turn_of(locale), name, holder, self._source.spacing(locale) * _SURE)
            if not wait:
                return wait is not None
            self._pause(wait)

    def _rest_of_turn(self, locale: str) -> None:
        """The next turn is a full interval after the answer: a call may have been two requests."""
        self._fleeting.pace(self._turn_of(locale), self._source.spacing(locale))

    def _turn_of(self, locale: str) -> str:
        return f"turn:{self._source.account(locale)}"

    # --- how it went --------------------------------------------------------------------------------------

    def _well(self, locale: str) -> None:
        now, old = self._clock(), self._queue.states().get(locale)
        since = old.since if old is not None and old.state == "ok" else now
        self._queue.keep_state(locale, SourceState(state="ok", since=since, last_ok=now))

    def _after(self, batch: Batch, problem: SourceProblem) -> None:
        now, old = self._clock(), self._queue.states().get(batch.locale, SourceState())
        failures = old.failures + 1
        if problem.state == "unreadable":
            self._queue.failed(batch)
        # Perhaps one product out of ten cannot be read: each is asked for alone, without a rest.
        one_of_many = problem.state == "unreadable" and len(batch.asins) > 1
        state = SourceState(
            state=problem.state,
            detail=problem.detail,
            since=old.since if old.state == problem.state else now,
            until=None if one_of_many else now + _rest(problem, failures),
            last_ok=old.last_ok,
            failures=failures,
        )
        if old.state != problem.state:
            _log.warning(
                "Products of %s come from the owner's file: the source answered %s (%s).",
                batch.locale,
                problem.state,
                problem.detail,
            )
        self._queue.keep_state(batch.locale, state)


def _rest(problem: SourceProblem, failures: int) -> timedelta:
    first, longest = _RESTS.get(problem.state, (60.0, 600.0))
    seconds = min(first * 2 ** min(failures - 1, 10), longest)
    return timedelta(seconds=max(seconds, min(problem.retry_after or 0.0, 3600.0)))
