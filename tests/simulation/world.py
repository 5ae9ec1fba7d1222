"""Simulated web workers around one store, one Redis and one network: the parts of `ECSCart`, put together as it does.

Carts, fronts, settlers, dispatchers and the loops they run in are the package's own.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache
from typing import Any, TypeVar

import msgspec
from flask import Flask

from flask_ecscart.carts import Carts, CartView
from flask_ecscart.catalog.anything import AnyCatalog
from flask_ecscart.dispatch.account import Account
from flask_ecscart.dispatch.dispatcher import Dispatcher
from flask_ecscart.dispatch.front import Front
from flask_ecscart.dispatch.known import Known
from flask_ecscart.dispatch.queue import Queue, account_of
from flask_ecscart.dispatch.runner import _keep, _run
from flask_ecscart.dispatch.turns import Pace, Turns
from flask_ecscart.errors import ECSCartError, StateUnavailable
from flask_ecscart.happenings import Where, Witness
from flask_ecscart.service.engine import CartService
from flask_ecscart.sessions import ShopperSessionInterface
from flask_ecscart.settings import Settings, read_settings
from flask_ecscart.settle import Settler
from flask_ecscart.state.counters import Counters
from flask_ecscart.state.fleeting_sql import SQLFleeting
from flask_ecscart.web.assets import load_widget
from flask_ecscart.web.present import present
from flask_ecscart.web.site import Site, Tickets
from tests.simulation.memory import MemoryCounters, MemoryFleeting, MemoryQueue, MemorySessions
from tests.simulation.network import Network, Service
from tests.simulation.redis import Redis, RedisFleetingStandIn
from tests.simulation.scheduler import Lock, Process, Scheduler, Stop
from tests.simulation.sql import SQLFile, StepDatabase
from tests.simulation.store import MemoryStore

__all__ = ["LOCALES", "TAGS", "Lost", "Ways", "Worker", "World", "settings", "shown_to"]

TAGS = {"US": "lamp-20", "DE": "lampe-21"}
LOCALES = tuple(TAGS)
_ACCOUNT = account_of("AKTEST")
_Answer = TypeVar("_Answer")


class Lost:
    """What a shopper has who got no answer."""


@dataclass(frozen=True)
class Ways:
    """How a world is built. `store`: memory-file (SQLite's promises), memory-rows (PostgreSQL's), or a real sqlite."""

    store: str
    redis: bool
    embedded: bool
    workers: int
    dispatching: int
    """How many of the workers may dispatch; 0: a process of its own does."""


@cache
def settings(provider: str) -> Settings:
    """Two locales under one access key, left by PurchaseURL."""
    locales = {code: {"associate_tag": tag, "handoff": "purchase_url"} for code, tag in TAGS.items()}
    if provider == "embedded":
        for row in locales.values():
            row["handoff"] = "demo"
    keys = {"ECSCART_ACCESS_KEY": "AKTEST", "ECSCART_SECRET_KEY": "secret"} if provider == "ecs" else {}
    values = {"ECSCART_LOCALES": locales, "ECSCART_PROVIDER": provider, "SECRET_KEY": "x" * 32, **keys}
    return read_settings(values, {}, default_database="sqlite://")


@cache
def _app() -> Flask:
    return Flask("simulated", instance_path="/nowhere")


_widget = cache(load_widget)


class World:
    """Everything there is in a schedule. `service`: the cart service of a remote provider."""

    def __init__(
        self, ways: Ways, scheduler: Scheduler, rng: random.Random, *, limits: Mapping[str, int], sql_url: str
    ) -> None:
        self.ways = ways
        self.scheduler = scheduler
        self.rng = rng
        self.service = Service(LOCALES, limits)
        self.network = Network(scheduler, self.service, rng, is_leader=self._leads)
        self.store = MemoryStore(scheduler, rows=ways.store == "memory-rows")
        self.file = SQLFile(scheduler, sql_url)
        self.redis = Redis(scheduler)
        self.limits = limits
        self.clock_offset = 0.0
        self.clock_was_set = False
        self.busy_at_start = 0.0
        self.workers: list[Worker] = []
        self.leases: dict[str, float] = {}
        """Holder of the turns → until when."""
        self._born = 0
        self.workers_may_trust_tables = False
        if ways.store == "sqlite":
            first = Worker(self, "setup")
            with Counters(first.database)._database.reading():  # makes the tables
                pass
            self.file.empty(first.database)
            first.close()
            self.workers_may_trust_tables = True

    def clock(self) -> datetime:
        """The machines' clock."""
        return datetime.fromtimestamp(self.scheduler.now + self.clock_offset, timezone.utc)

    def start_worker(self, *, dispatches: bool, serves: bool = True) -> Worker:
        """A new process."""
        self._born += 1
        worker = Worker(self, f"{'web' if serves else 'dispatch'}{self._born}", dispatches=dispatches, serves=serves)
        self.workers.append(worker)
        self.scheduler.say(f"{worker.process.name} starts")
        if not serves:
            worker.start_dispatching(patient=True)
        return worker

    def serving(self) -> list[Worker]:
        """Who answers shoppers."""
        return [worker for worker in self.workers if worker.process.alive and worker.serves]

    def is_quiet(self) -> bool:
        """Nothing is asked, sent or waiting."""
        return self.nobody_asks() and (self.ways.embedded or self.queue_is_empty())

    def nobody_asks(self) -> bool:
        """No request is being answered, and nothing is about to happen."""
        return self.scheduler.no_timers() and not any(".request" in task.name for task in self.scheduler.tasks)

    def queue_is_empty(self) -> bool:
        """Whether no cart waits, seen from outside."""
        if self.ways.store != "sqlite":
            return not any(key[0] == "queue" for key in self.store.committed)
        return bool(self.workers[-1].account.queue.is_empty())

    def end(self) -> None:
        """Stop everything; no connection stays open."""
        for worker in self.workers:
            if worker.process.alive:
                self.scheduler.kill(worker.process)
            worker.close()

    def _leads(self, process: Process) -> bool:
        return self.leases.get(process.name, 0.0) > self.scheduler.now


class Worker:
    """One process of the site. `dispatches`: whether it begins a dispatcher when a cart waits."""

    def __init__(self, world: World, name: str, *, dispatches: bool = False, serves: bool = True) -> None:
        self.world = world
        self.serves = serves
        self.process = Process(name)
        self.stop = Stop(world.scheduler)
        self.dispatcher: Dispatcher | None = None
        self.dispatches = dispatches
        self.serves_now = True
        self.bell = _Bell(world.scheduler, name)
        self.database: Any = None
        self._keep_state()
        self._put_together()
        if self.database is not None and world.workers_may_trust_tables:
            self.database._prepared_by = os.getpid()  # they are made; looking again would need the file to be free

    def _keep_state(self) -> None:
        world, clock = self.world, self.world.clock
        sessions: Any
        if world.ways.store == "sqlite":
            self.database = StepDatabase(world.file)
            sessions = ShopperSessionInterface(_app(), self.database, ("x" * 32,), path="/", clock=clock)
            self.queue: Any = Queue(self.database, _ACCOUNT, clock=clock)
            fleeting: Any = SQLFleeting(self.database, clock=clock, bell=self.bell)
            self.counters: Any = Counters(self.database)
        else:
            sessions = MemorySessions(world.store)
            self.queue = MemoryQueue(world.store, _ACCOUNT, clock=clock)
            fleeting = MemoryFleeting(world.store, clock=clock, bell=self.bell)
            self.counters = MemoryCounters(world.store)
        self.sessions = sessions
        self.fleeting = _Watched(RedisFleetingStandIn(world.redis) if world.ways.redis else fleeting, self)

    def _put_together(self) -> None:
        world, clock = self.world, self.world.clock
        self.settings = settings("embedded" if world.ways.embedded else "ecs")
        witness = Witness(
            self.sessions, self.counters, self.settings.locales, key="x", sender=self.process, clock=clock
        )
        self.service = None
        provider: Any = world.network.way_of(self.process)
        if world.ways.embedded:
            self.service = provider = CartService(self.database, _Goods(world), hmac_key=b"x" * 32, clock=clock)
        self.provider = provider
        settler = Settler(provider, texts=self.settings.texts, clock=clock)
        self.account = Account(
            queue=self.queue,
            known=Known(self.fleeting, self.queue),
            fleeting=self.fleeting,
            sessions=self.sessions,
            exclusive=lambda shopper, locale: witness.exclusive(Where(shopper, locale)),
            tags=TAGS,
            pace=Pace(rate=self.settings.rate),
            fresh_for=self.settings.fresh_for,
            max_wait=self.settings.max_wait,
            now=lambda: world.scheduler.now,
            bell=self.bell,
        )
        self.front = Front(self.account, settler, start=self.start_dispatching if self.dispatches else lambda: None)
        self.carts = Carts(
            self.settings,
            self.sessions,
            settler,
            AnyCatalog(),
            witness,
            asin_of_offer=lambda _locale, _offer: None,
            remote=None if world.ways.embedded else _OneFront(self.front),  # type: ignore[arg-type]
            clock=clock,
        )

    # --- dispatching ------------------------------------------------------------------------------------

    def start_dispatching(self, *, patient: bool = False) -> None:
        """What `Runner.start` does, with tasks in place of threads."""
        if self.dispatcher is not None:
            return
        scheduler, stop = self.world.scheduler, self.stop
        turns = Turns(
            self.fleeting,
            self.queue,
            self.process.name,
            self.account.pace,
            now=self.account.now,
            pause=lambda seconds: not stop.wait(seconds),
        )
        turns._renewing = Lock(scheduler)  # type: ignore[assignment]
        turns._used = self.world.busy_at_start
        dispatcher = Dispatcher(
            self.account,
            turns,
            self.provider,
            settler=lambda over: Settler(over, texts=self.settings.texts, clock=self.world.clock),
            patient=patient,
        )
        self.dispatcher = dispatcher
        dispatcher._put_back = _reporting(dispatcher._put_back, scheduler)  # type: ignore[method-assign]
        runs: Any = _Reporting(dispatcher, scheduler)
        self.world.scheduler.spawn(self.process, "dispatcher", lambda: _run(runs, stop))  # type: ignore[arg-type]
        self.world.scheduler.spawn(self.process, "lease", lambda: _keep([runs], stop))  # type: ignore[arg-type]

    # --- serving ----------------------------------------------------------------------------------------

    def ask(
        self, name: str, run: Callable[[Carts], _Answer], *, patience: float, dies_in: int = 0, halts_in: int = 0
    ) -> _Answer | Exception | Lost:
        """What a shopper gets for a request; `Lost` when no answer comes, whatever became of it."""
        scheduler = self.world.scheduler
        box: list[Any] = []
        key = ("reply", scheduler.steps, name)

        def serve() -> None:
            try:
                box.append(run(self.carts))
            except Exception as problem:
                box.append(problem)
            scheduler.step("answer")
            scheduler.notify(key)

        task = scheduler.spawn(self.process, f"request {name}", serve)
        task.dies_in, task.halts_in = dies_in, halts_in

        def told() -> None:
            scheduler.notify(key)

        self.process.on_death.append(told)
        scheduler.wait(key, patience, "await an answer")
        self.process.on_death.remove(told)
        return box[0] if box else Lost()

    def close(self) -> None:
        """Leave no connection open."""
        if self.database is not None:
            self.database.close()


class _OneFront:
    """`Remote` as `Carts` knows it: one access key pays for every locale."""

    def __init__(self, front: Front) -> None:
        self._front = front

    def front(self, locale: str) -> Front:
        return self._front


class _Bell:
    """`ThreadBell` of one process."""

    def __init__(self, scheduler: Scheduler, name: str) -> None:
        self._scheduler = scheduler
        self._key = ("bell", name)

    def ring(self) -> None:
        self._scheduler.notify(self._key)

    def wait(self, seconds: float) -> None:
        self._scheduler.wait(self._key, seconds, "listen")


class _Watched:
    """Fleeting state that tells the world who holds the turns."""

    def __init__(self, inner: Any, worker: Worker) -> None:
        self._inner = inner
        self._worker = worker
        self.wakes = inner.wakes

    def take_lease(self, name: str, holder: str, seconds: float) -> bool:
        leases = self._worker.world.leases
        got = self._inner.take_lease(name, holder, seconds)
        if got:
            for other in leases:
                leases[other] = 0.0
            leases[holder] = self._worker.world.scheduler.now + seconds
        return bool(got)

    def take_turn(self, *arguments: Any) -> float | None:
        wait: float | None = self._inner.take_turn(*arguments)
        if wait == 0:
            self._worker.process.turn_taken_at = self._worker.world.scheduler.now
        return wait

    def drop_lease(self, name: str, holder: str) -> None:
        self._worker.world.leases[holder] = 0.0
        self._inner.drop_lease(name, holder)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Reporting:
    """A dispatcher whose unexpected errors end the schedule as a failure; its loop would only log them."""

    def __init__(self, dispatcher: Dispatcher, scheduler: Scheduler) -> None:
        self._dispatcher = dispatcher
        self._scheduler = scheduler
        self.renew = dispatcher.renew
        self.await_work = dispatcher.await_work
        self.hand_back = dispatcher.hand_back

    def step(self) -> float:
        try:
            return self._dispatcher.step()
        except StateUnavailable:
            raise
        except Exception as problem:
            self._scheduler.problems.append(problem)
            raise


def _reporting(put_back: Callable[..., None], scheduler: Scheduler) -> Callable[..., None]:
    """A cart over which our own code stumbles waits and does not stop the line; here it ends the schedule."""

    def reported(waiting: Any, problem: Exception, **values: Any) -> None:
        if not isinstance(problem, ECSCartError):
            scheduler.problems.append(problem)
        put_back(waiting, problem, **values)

    return reported


class _Goods:
    """An `OfferCatalog` of what the cart service sells."""

    def __init__(self, world: World) -> None:
        self._world = world

    def lookup(self, locale: str, asins: Any) -> Any:
        products = self._world.service.rules.products
        return {asin: products[locale, asin] for asin in asins if (locale, asin) in products}

    def offer(self, locale: str, offer_listing_id: str) -> None:
        return None


def shown_to(worker: Worker, view: CartView, shopper: str) -> str:
    """The JSON a shopper gets of a cart."""
    site = Site(
        settings=worker.settings,
        database=worker.database,
        sessions=worker.sessions,
        carts=worker.carts,
        catalog=AnyCatalog(),
        counters=worker.counters,
        service=worker.service,
        remote=None,
        tickets=Tickets(("x" * 32,)),
        widget=_widget(),
        clock=worker.world.clock,
    )
    with _app().test_request_context():
        return msgspec.json.encode(present(site, view, shopper)).decode()
