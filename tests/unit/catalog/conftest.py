"""A layered catalog in front of the stand-in for Amazon's API, with a clock that tests tell the time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import pytest

from flask_ecscart.catalog import Catalog
from flask_ecscart.catalog.anything import AnyCatalog
from flask_ecscart.catalog.cache import ProductCache
from flask_ecscart.catalog.cache_queue import Queue
from flask_ecscart.catalog.cache_refresher import Parts, Refresher
from flask_ecscart.catalog.creators import CreatorsSource
from flask_ecscart.catalog.creators_settings import read_credentials
from flask_ecscart.catalog.layers import LayeredCatalog, layered
from flask_ecscart.catalog.sources import ChoicePage, Fetched, Source
from flask_ecscart.state.fleeting_sql import SQLFleeting
from flask_ecscart.state.sql import Database
from tests.support.clock import FakeClock
from tests.support.creators_stand_in import StandIn, running_stand_in

TAGS = {"US": "lamp-20", "DE": "lampe-21"}


class _Timed:
    """A source that remembers when it was called by the clock of the test."""

    def __init__(self, source: Source, clock: FakeClock) -> None:
        self.name, self.batch = source.name, source.batch
        self.account, self.spacing = source.account, source.spacing
        self._source, self._clock = source, clock
        self.called_at: list[datetime] = []

    def __repr__(self) -> str:
        return repr(self._source)

    def fetch(self, locale: str, asins: Sequence[str]) -> Fetched:
        self.called_at.append(self._clock())
        return self._source.fetch(locale, asins)

    def choices(self, locale: str, asin: str, page: int) -> ChoicePage:
        self.called_at.append(self._clock())
        return self._source.choices(locale, asin, page)


class Bench:
    """A catalog whose asking is done by hand: `work()` does now what a thread would do soon."""

    def __init__(self, database: Database, clock: FakeClock, source: Source, base: Catalog, **how: Any) -> None:
        self.clock = clock
        self.pauses: list[float] = []
        self.while_pausing: Callable[[], object] = lambda: None
        self.source = _Timed(source, clock)
        source = self.source
        self.cache = ProductCache(database, source.name, **how)
        self.queue = Queue(database, source.name)
        self.fleeting = SQLFleeting(database, clock=clock)
        parts = Parts(source, self.cache, self.queue, self.fleeting)
        self.refresher = Refresher(parts, locales=TAGS, clock=clock, pause=self._pause, threaded=False)
        self.catalog: LayeredCatalog = layered(base, self.cache, self.refresher, clock=clock, max_wait=0.0)

    def work(self) -> bool:
        """Ask for all that is wanted, the clock running on while turns are awaited."""
        return self.refresher.work()

    def look(self, *asins: str, locale: str = "US") -> Any:
        """Look up, let the work be done, look again: what the second page view shows."""
        self.catalog.lookup(locale, asins)
        self.work()
        return self.catalog.lookup(locale, asins)

    def state(self, locale: str = "US") -> Any:
        """What the status says of the source."""
        return next(one for one in self.catalog.status() if one.locale == locale)

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.while_pausing()
        self.clock.advance(seconds=seconds + 0.001)


@pytest.fixture
def amazon() -> Iterator[StandIn]:
    """Amazon's API on a loopback port."""
    with running_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
def make_bench(database: Database, clock: FakeClock, amazon: StandIn) -> Callable[..., Bench]:
    """`make_bench(base=…, **credential)`: a catalog over `amazon`."""

    def make(base: Catalog | None = None, **credential: Any) -> Bench:
        how = {"rate": 10.0} | credential
        credentials = read_credentials(amazon.settings | how, TAGS)
        source = CreatorsSource(credentials, TAGS, clock=clock)
        return Bench(database, clock, source, base or AnyCatalog())

    return make


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    """A catalog over `amazon` and nothing else."""
    return make_bench()


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    """What is put in here is closed when the test ends."""
    with ExitStack() as stack:
        yield stack
