"""Real worker processes, a real remote service that takes one transaction a second, real kills and pauses."""

from __future__ import annotations

import os
import signal
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.faults.town import Town, gaps
from tests.support.redis import RedisServer, redis_server
from tests.support.shop import LAMP, MUG
from tests.support.web import WorkerSite


@pytest.fixture
def town(tmp_path: Path, serve_processes: Callable[..., WorkerSite]) -> Callable[..., Town]:
    return lambda **env: Town(serve_processes, tmp_path, env)


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.mark.parametrize("store", ["sql", pytest.param("redis", marks=pytest.mark.redis)])
def test_two_first_adds_at_once_meet_in_one_cart(town, store: str, request: pytest.FixtureRequest) -> None:
    env = {"ECSCART_REDIS_URL": request.getfixturevalue("redis").url} if store == "redis" else {}
    here = town(REMOTE_RATE="5", **env)
    shoppers = [here.shopper() for _ in range(6)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda one: here.add(*one), [(s, a) for s in shoppers for a in (LAMP, MUG)]))
    assert {answer.status_code for answer in answers} == {200}
    assert [here.settled(shopper) for shopper in shoppers] == [{LAMP: 1, MUG: 1}] * 6
    assert here.remote_carts() == [{LAMP: 1, MUG: 1}] * 6
    assert all(status == 200 for _, _, status in here.calls())


def test_a_killed_dispatcher_is_replaced_within_five_seconds_and_the_rate_is_kept(town) -> None:
    here = town()
    shoppers = [here.shopper() for _ in range(10)]
    for shopper in shoppers:
        assert here.add(shopper).status_code == 200
        here.read(shopper)
    time.sleep(2.5)
    os.kill(here.dispatching_pid(), signal.SIGKILL)
    killed_at, before = time.time(), len(here.calls())
    assert [here.settled(shopper) for shopper in shoppers] == [{LAMP: 1}] * 10
    calls = here.calls()
    assert calls[before][0] - killed_at < 5
    assert min(gaps(calls)) >= 0.99
    assert all(status == 200 for _, _, status in calls)
    assert sorted(map(str, here.remote_carts())) in (
        [str({LAMP: 1})] * 10,
        [str({LAMP: 1})] * 11,  # one whose CartCreate was on its way: an orphan, which expires
    )


def test_a_paused_dispatcher_that_wakes_does_no_harm(town) -> None:
    here = town()
    shoppers = [here.shopper() for _ in range(6)]
    for shopper in shoppers:
        here.add(shopper)
        here.read(shopper)
    time.sleep(1.5)
    paused = here.dispatching_pid()
    os.kill(paused, signal.SIGSTOP)
    try:
        time.sleep(6)
    finally:
        os.kill(paused, signal.SIGCONT)
    time.sleep(2)  # gunicorn may end a worker that was silent so long, and the requests it had accepted with it
    for shopper in shoppers:
        here.add(shopper, MUG)
    assert [here.settled(shopper) for shopper in shoppers] == [{LAMP: 1, MUG: 1}] * 6
    assert min(gaps(here.calls())) >= 0.99
    assert all(status == 200 for _, _, status in here.calls())


@pytest.mark.redis
@pytest.mark.parametrize("fault", ["emptied", "killed"])
def test_a_redis_that_loses_everything_loses_no_cart(town, redis: RedisServer, fault: str) -> None:
    here = town(ECSCART_REDIS_URL=redis.url)
    shoppers = [here.shopper() for _ in range(8)]
    for shopper in shoppers[:4]:
        here.add(shopper)
        here.read(shopper)
    time.sleep(1)
    if fault == "emptied":
        redis.empty()
    else:
        redis.kill()
    for shopper in shoppers[4:]:
        began = time.monotonic()
        assert here.add(shopper).status_code == 200  # what is wanted is in the database
        assert time.monotonic() - began < 3
    if fault == "killed":
        redis.start()
    assert [here.settled(shopper) for shopper in shoppers] == [{LAMP: 1}] * 8
    assert min(gaps(here.calls())) >= 0.99
    assert all(status == 200 for _, _, status in here.calls())


def test_no_request_is_held_longer_than_max_wait(town) -> None:
    here = town(REMOTE_DELAY="2")
    shoppers = [here.shopper() for _ in range(8)]
    times = []
    for shopper in shoppers:
        began = time.monotonic()
        response = here.add(shopper)
        times.append(time.monotonic() - began)
        assert response.status_code == 200
    assert response.json()["pending"]
    assert int(response.headers["Retry-After"]) >= 1
    assert max(times) < 0.3 + 0.4


def test_pages_of_the_host_do_not_notice_twenty_waiting_shoppers(town) -> None:
    here = town()
    page = here.shopper()

    def p99(seconds: float) -> tuple[float, float]:
        taken = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.perf_counter()
            page.get(f"{here.site.url}/page", timeout=10).raise_for_status()
            taken.append(time.perf_counter() - began)
        return statistics.median(taken), sorted(taken)[int(len(taken) * 0.99)]

    shoppers = [here.shopper() for _ in range(20)]
    p99(1)
    idle = p99(4)
    stop = time.monotonic() + 6

    def shop(shopper: requests.Session) -> None:
        here.add(shopper)
        while time.monotonic() < stop:
            response = here.read(shopper)
            time.sleep(float(response.headers.get("Retry-After", "1")))

    with ThreadPoolExecutor(20) as pool:
        for shopper in shoppers:
            pool.submit(shop, shopper)
        time.sleep(0.5)
        waiting = p99(4)
    print(f"host page: idle {idle}, with 20 waiting {waiting}")
    assert waiting[1] < max(1.5 * idle[1], idle[1] + 0.05)


def test_a_stopped_site_hands_its_turn_back_within_a_second(town) -> None:
    here = town()
    shopper = here.shopper()
    here.add(shopper)
    here.settled(shopper)
    shopper.close()  # gunicorn waits for connections that are kept alive
    time.sleep(0.5)
    began = time.monotonic()
    here.site.stop()
    assert time.monotonic() - began < 2
    with pytest.raises(Exception, match="No row"):
        here.dispatching_pid()
