"""The store of the schedules keeps the promises of the real databases, and no others: both are asked the same."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from flask_ecscart.dispatch.queue import CHANGED, HANDOFF, LOOKING, Gone, Queue
from flask_ecscart.errors import StateUnavailable
from flask_ecscart.sessions import ShopperSessionInterface
from flask_ecscart.shopper import Line
from flask_ecscart.state.fleeting_sql import SQLFleeting
from flask_ecscart.state.sql import Database
from tests.simulation.memory import MemoryFleeting, MemoryQueue, MemorySessions
from tests.simulation.redis import Redis, RedisFleetingStandIn
from tests.simulation.scheduler import Process, Scheduler
from tests.simulation.store import MemoryStore
from tests.support.databases import BOTH_DATABASES
from tests.support.remote import Time

STEPS = 400


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(Scheduler(random.Random(0)), rows=False)


def alike(
    real: Any, ours: Any, calls: Callable[[random.Random, Time], tuple[str, tuple[Any, ...], Any]], time: Time
) -> None:
    """Ask both the same, again and again; each answer must be the same, and so must each refusal."""
    rng = random.Random(7)
    for _ in range(STEPS):
        name, arguments, values = calls(rng, time)
        answers = []
        for one in (real, ours):
            try:
                answers.append(getattr(one, name)(*arguments, **values))
            except Gone as problem:
                answers.append(type(problem))
        assert answers[0] == answers[1], f"{name}{arguments}"
        time.now += rng.choice([0, 0, 0.001, 0.4, 1.0, 3.0])


@BOTH_DATABASES
def test_the_queue_of_the_schedules_answers_as_the_real_one(database: Database, time: Time) -> None:
    real = Queue(database, "account", clock=time.clock)
    ours = MemoryQueue(
        MemoryStore(Scheduler(random.Random(0)), rows=not database.is_sqlite), "account", clock=time.clock
    )
    held: list[Any] = []

    def call(rng: random.Random, _time: Time) -> tuple[str, tuple[Any, ...], Any]:
        shopper, locale = rng.choice("abc"), rng.choice(["US", "DE"])
        row = real.find(shopper, locale)
        held.extend([row] if row is not None else [])
        waiting = rng.choice(held[-6:]) if held else None
        if waiting is None or rng.random() < 0.3:
            return "put", (shopper, locale, rng.choice([HANDOFF, LOOKING, CHANGED])), {}
        return rng.choice(
            [
                ("find", (shopper, locale), {}),
                ("next", (), {"changed_before": rng.choice([None, real.now() - 1, real.now()]), "locales": ["US"]}),
                ("next", (), {"changed_before": real.now(), "locales": ["US", "DE"]}),
                ("sending", (waiting, rng.choice(["create", "get"])), {"day": "1", "most": 30}),
                ("done", (waiting,), {}),
                ("again", (waiting,), {}),
                ("keep_place", (waiting,), {}),
                ("later", (waiting, rng.choice([1, 5])), {"unknown": rng.random() < 0.5}),
                ("outcome_lost", (waiting,), {}),
                ("ahead_of", (rng.choice([None, waiting]),), {"most": 4}),
                ("lengths", (), {}),
                ("is_empty", (), {}),
                ("count", (rng.choice(["orphans", "sent:1"]),), {}),
            ]
        )

    alike(real, ours, call, time)


def fleeting_call(rng: random.Random, _time: Time) -> tuple[str, tuple[Any, ...], Any]:
    name, holder = rng.choice("xy"), rng.choice(["one", "two"])
    return rng.choice(
        [
            ("take_lease", (name, holder, 3.0), {}),
            ("take_lease", (name, holder, 3.0), {}),
            ("drop_lease", (name, holder), {}),
            ("take_turn", ("turn" + name, name, holder, 1.1), {}),
            ("take_turn", ("turn" + name, name, holder, 1.1), {}),
            ("pace", ("turn" + name, rng.choice([1.0, 2.5])), {}),
            ("limit", ("limit" + name, 1.0, 3), {}),
            ("put", ("value" + name, rng.randbytes(3), 2.0), {}),
            ("get", ("value" + name,), {}),
            ("forget", ("value" + name,), {}),
        ]
    )


@BOTH_DATABASES
def test_the_fleeting_state_of_the_schedules_answers_as_the_real_one(
    database: Database, time: Time, store: MemoryStore
) -> None:
    real = SQLFleeting(database, clock=time.clock, bell=time)
    alike(real, MemoryFleeting(store, clock=time.clock, bell=time), fleeting_call, time)


def test_the_redis_of_the_schedules_answers_as_the_database_once_it_knows_a_turn(
    time: Time, store: MemoryStore
) -> None:
    scheduler = Scheduler(random.Random(0))
    ours, other = RedisFleetingStandIn(Redis(scheduler)), MemoryFleeting(store, clock=time.clock, bell=time)
    for name in ("turnx", "turny"):
        ours.pace(name, 0.001)
        other.pace(name, 0.001)

    def call(rng: random.Random, moved: Time) -> tuple[str, tuple[Any, ...], Any]:
        scheduler.now = moved.now
        return fleeting_call(rng, moved)

    alike(other, ours, call, time)


@BOTH_DATABASES
def test_the_sessions_of_the_schedules_keep_what_the_real_ones_keep(
    database: Database, tmp_path: Path, time: Time, store: MemoryStore
) -> None:
    app = Flask("simulated", instance_path=str(tmp_path))
    real = ShopperSessionInterface(app, database, ("x" * 32,), path="/", clock=time.clock)
    both: list[Any] = [real, MemorySessions(store)]
    for number in range(10):
        for sessions in both:
            with sessions.exclusive("ann") as kept:
                kept.wish("US").lines.append(Line(asin=f"B0TEST{number:04d}", quantity=number))
                kept.remember(f"key{number}", "digest")
            with pytest.raises(ZeroDivisionError):
                fail_inside(sessions)
        assert both[0].read("ann") == both[1].read("ann")
    assert both[0].read("bob") == both[1].read("bob")


def fail_inside(sessions: Any) -> None:
    with sessions.exclusive("ann") as kept:
        kept.wish("US").lines = []
        raise ZeroDivisionError


# --- Promises between several at once --------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_writers_of_one_session_come_one_after_the_other(rows: bool, seed: int) -> None:
    scheduler = Scheduler(random.Random(seed), stalls=0.1)
    store = MemoryStore(scheduler, rows=rows)
    sessions, process = MemorySessions(store), Process("web")

    def write(number: int) -> None:
        with sessions.exclusive("ann") as kept:
            kept.wish("US").version += 1
            scheduler.sleep(0.01)
            kept.remember(f"{number}", "")

    for number in range(5):
        scheduler.spawn(process, str(number), lambda number=number: write(number))  # type: ignore[misc]
    scheduler.run(lambda: not scheduler.tasks, most_steps=1000, most_seconds=100)
    kept = sessions.read("ann")
    assert kept.wish("US").version == len(kept.keys) == 5


@pytest.mark.parametrize("rows", [False, True])
def test_what_is_not_committed_is_not_seen_and_a_killed_process_leaves_nothing(rows: bool) -> None:
    scheduler = Scheduler(random.Random(1))
    store = MemoryStore(scheduler, rows=rows)
    sessions, victim, other = MemorySessions(store), Process("victim"), Process("other")
    seen: list[int] = []

    def write() -> None:
        with sessions.exclusive("ann") as kept:
            kept.wish("US").version = 7
            scheduler.sleep(5)

    def look() -> None:
        scheduler.sleep(1)
        seen.append(sessions.read("ann").wish("US").version)
        scheduler.sleep(3)
        with sessions.exclusive("ann") as kept:
            seen.append(kept.wish("US").version)

    scheduler.spawn(victim, "write", write)
    scheduler.spawn(other, "look", look)
    scheduler.call_at(scheduler.now + 2, lambda: scheduler.kill(victim))
    scheduler.run(lambda: not scheduler.tasks, most_steps=1000, most_seconds=100)
    assert seen == [0, 0]


def test_two_that_lock_two_rows_in_two_orders_are_told_so() -> None:
    scheduler = Scheduler(random.Random(3))
    store, process, told = MemoryStore(scheduler, rows=True), Process("web"), list[str]()

    def lock(first: str, second: str) -> None:
        try:
            with store.transaction() as transaction:
                transaction.lock((first,))
                scheduler.sleep(1)
                transaction.lock((second,))
        except StateUnavailable as problem:
            told.append(str(problem))

    scheduler.spawn(process, "ab", lambda: lock("a", "b"))
    scheduler.spawn(process, "ba", lambda: lock("b", "a"))
    scheduler.run(lambda: not scheduler.tasks, most_steps=1000, most_seconds=100)
    assert told == ["Two transactions wait for each other."]


def test_a_writer_that_is_never_let_in_is_told_after_ten_seconds() -> None:
    scheduler = Scheduler(random.Random(3))
    store, process, told = MemoryStore(scheduler, rows=False), Process("web"), list[float]()
    began = scheduler.now

    def hold() -> None:
        with store.transaction():
            scheduler.sleep(60)

    def wait() -> None:
        scheduler.sleep(1)
        with pytest.raises(StateUnavailable), store.transaction():
            pass
        told.append(scheduler.now - began)

    scheduler.spawn(process, "hold", hold)
    scheduler.spawn(process, "wait", wait)
    scheduler.run(lambda: bool(told), most_steps=1000, most_seconds=100)
    assert told == [pytest.approx(11, abs=0.1)]
    scheduler.kill(process)
