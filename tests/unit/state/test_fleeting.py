"""Both homes of fleeting state keep the same promises: leases, turns, limits, values, wake-ups."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Thread

import pytest

from flask_ecscart.errors import ConfigError, StateUnavailable
from flask_ecscart.state.fleeting import Fleeting, ThreadBell
from flask_ecscart.state.fleeting_sql import SQLFleeting
from flask_ecscart.state.redis import RedisFleeting
from flask_ecscart.state.sql import Database
from tests.support.clock import FakeClock
from tests.support.redis import redis_server


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.postgresql),
        pytest.param("redis", marks=pytest.mark.redis),
    ]
)
def new(request: pytest.FixtureRequest, tmp_path) -> Iterator[Callable[[], Fleeting]]:
    """Makes another user of the same store."""
    if request.param == "redis":
        url = request.getfixturevalue("redis_url")
        request.getfixturevalue("_redis_server").empty()  # asked for too late to be emptied by itself
        yield lambda: RedisFleeting(url)
        return
    url = f"sqlite:///{tmp_path / 'x.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    opened: list[Database] = []

    def another() -> Fleeting:
        opened.append(Database(url))
        return SQLFleeting(opened[-1])

    yield another
    for database in opened:
        database.close()


@pytest.fixture
def fleeting(new: Callable[[], Fleeting]) -> Fleeting:
    return new()


def test_a_lease_has_one_holder_who_may_renew_it(fleeting: Fleeting) -> None:
    assert fleeting.take_lease("l", "one", 60)
    assert fleeting.take_lease("l", "one", 60)
    assert not fleeting.take_lease("l", "two", 60)


def test_a_lease_given_back_is_free_and_only_its_holder_can_give_it_back(fleeting: Fleeting) -> None:
    fleeting.take_lease("l", "one", 60)
    fleeting.drop_lease("l", "two")
    assert not fleeting.take_lease("l", "two", 60)
    fleeting.drop_lease("l", "one")
    assert fleeting.take_lease("l", "two", 60)


def test_a_lease_runs_out(fleeting: Fleeting) -> None:
    fleeting.take_lease("l", "one", 0.05)
    time.sleep(0.08)
    assert fleeting.take_lease("l", "two", 60)


def test_of_many_at_once_one_gets_the_lease(new: Callable[[], Fleeting]) -> None:
    new().get("x")
    won: list[bool] = []
    threads = [
        Thread(target=lambda n=n: won.append(new().take_lease("l", f"holder{n}", 60)), daemon=True) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]


def test_a_turn_is_taken_once_an_interval_and_by_the_holder_alone(fleeting: Fleeting) -> None:
    fleeting.take_lease("l", "one", 60)
    assert fleeting.take_turn("t", "l", "two", 0.2) is None
    wait = fleeting.take_turn("t", "l", "one", 0.2)
    if wait:  # Redis cannot know when the last one was taken
        time.sleep(wait + 0.01)
        assert fleeting.take_turn("t", "l", "one", 0.2) == 0.0
    wait = fleeting.take_turn("t", "l", "one", 0.2)
    assert wait is not None
    assert 0.1 < wait <= 0.2
    time.sleep(wait + 0.01)
    assert fleeting.take_turn("t", "l", "one", 0.2) == 0.0


def test_a_turn_taken_ahead_is_counted_from_the_moment_it_is_due(fleeting: Fleeting) -> None:
    fleeting.take_lease("l", "one", 60)
    fleeting.pace("t", 30)
    wait = fleeting.take_turn("t", "l", "one", 10, 20)
    assert wait is not None
    assert 28 < wait <= 30
    assert fleeting.take_turn("t", "l", "one", 10, 31) == 0.0
    wait = fleeting.take_turn("t", "l", "one", 10)
    assert wait is not None
    assert 38 < wait <= 40


def test_a_pace_that_was_set_is_kept_by_the_next_holder(fleeting: Fleeting) -> None:
    fleeting.take_lease("l", "one", 60)
    fleeting.pace("t", 30)
    fleeting.drop_lease("l", "one")
    fleeting.take_lease("l", "two", 60)
    wait = fleeting.take_turn("t", "l", "two", 1)
    assert wait is not None
    assert 28 < wait <= 30


def test_a_limit_allows_so_many_at_once_and_then_one_an_interval(fleeting: Fleeting) -> None:
    assert [fleeting.limit("x", 10, 3) for _ in range(3)] == [0.0] * 3
    assert 9 < fleeting.limit("x", 10, 3) <= 10
    assert fleeting.limit("y", 10, 3) == 0.0


def test_values_are_kept_for_their_time(fleeting: Fleeting) -> None:
    fleeting.put("v", b"\x00one", 60)
    fleeting.put("v", b"two", 60)
    fleeting.put("short", b"x", 0.05)
    assert fleeting.get("v") == b"two"
    time.sleep(0.08)
    assert fleeting.get("short") is None
    fleeting.forget("v")
    assert fleeting.get("v") is None


def test_waiting_ends_with_a_wake(fleeting: Fleeting) -> None:
    waker = Thread(target=lambda: (time.sleep(0.1), fleeting.wake("w")), daemon=True)
    waker.start()
    began = time.monotonic()
    fleeting.wait("w", 0.5)
    assert time.monotonic() - began < 0.4
    waker.join()


def test_waiting_ends_by_itself(fleeting: Fleeting) -> None:
    began = time.monotonic()
    fleeting.wait("w", 0.1)
    assert 0.05 < time.monotonic() - began < 0.6


# --- SQL -----------------------------------------------------------------------------------------------------


def test_a_clock_set_back_blocks_neither_lease_nor_turn(tmp_path, clock: FakeClock) -> None:
    fleeting = SQLFleeting(Database(f"sqlite:///{tmp_path / 'x.db'}"), clock=clock, bell=ThreadBell())
    fleeting.take_lease("l", "one", 3)
    fleeting.take_turn("t", "l", "one", 1)
    clock.advance(hours=-5)
    assert not fleeting.take_lease("l", "two", 3)
    clock.advance(seconds=4)
    assert fleeting.take_lease("l", "two", 3)
    wait = fleeting.take_turn("t", "l", "two", 1)
    assert wait is not None
    assert wait <= 1
    clock.advance(seconds=1.1)
    assert fleeting.take_turn("t", "l", "two", 1) == 0.0


def test_what_is_of_no_use_any_more_is_purged(tmp_path, clock: FakeClock) -> None:
    fleeting = SQLFleeting(Database(f"sqlite:///{tmp_path / 'x.db'}"), clock=clock)
    fleeting.put("old", b"x", 1)
    clock.advance(days=2)
    fleeting.put("new", b"x", 1)
    assert fleeting.purge() == 1


# --- Redis ---------------------------------------------------------------------------------------------------


@pytest.mark.redis
def test_an_emptied_redis_grants_no_turn_before_an_interval_has_passed() -> None:
    with redis_server() as server:
        fleeting = RedisFleeting(server.url)
        fleeting.take_lease("l", "one", 60)
        fleeting.pace("t", 0.001)
        time.sleep(0.01)
        assert fleeting.take_turn("t", "l", "one", 1) == 0.0
        server.empty()
        assert fleeting.take_turn("t", "l", "one", 1) is None
        fleeting.take_lease("l", "one", 60)
        wait = fleeting.take_turn("t", "l", "one", 1)
        assert wait is not None
        assert 0.9 < wait <= 1


@pytest.mark.redis
def test_a_redis_that_is_away_is_told_at_once_and_used_again_when_it_is_back() -> None:
    with redis_server() as server:
        fleeting = RedisFleeting(server.url)
        fleeting.take_lease("l", "one", 60)
        server.kill()
        for call in (
            lambda: fleeting.get("x"),
            lambda: fleeting.take_lease("l", "one", 60),
            lambda: fleeting.take_turn("t", "l", "one", 1),
            lambda: fleeting.wait("w", 5),
        ):
            began = time.monotonic()
            with pytest.raises(StateUnavailable):
                call()
            assert time.monotonic() - began < 1.5
        server.start()
        time.sleep(1.1)
        assert fleeting.take_lease("l", "one", 60)  # its scripts are gone too, and are sent again


def test_an_address_that_is_none_is_refused_without_its_password() -> None:
    with pytest.raises(ConfigError) as refused:
        RedisFleeting("http://user:hush@host/0")
    assert "hush" not in str(refused.value)
