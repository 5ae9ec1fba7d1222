"""Two machines of a site, real PostgreSQL and Redis, a remote service that fails in every way, shoppers all the while.

A seeded schedule orders the faults: delays past the timeout and cut connections before and after a change was applied,
500 and 503, truncated, foreign and hostile answers, expired carts, a clock that jumps, Redis emptied and killed,
PostgreSQL restarted, workers killed. Then all heals, and every answered change is in the cart that is handed off, once,
under the right tag, paid by the right key; and no secret is in any log. `FAULTS_ROUNDS=20` makes the long run.
"""

from __future__ import annotations

import os
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import create_engine, text

from flask_ecscart.locales import LOCALES
from flask_ecscart.service.purchase_url import read_purchase_query
from tests.faults.sandboxed import REMOTE, SITE
from tests.faults.shoppers import TAGS, Shopper, drive, lines_of, shoppers_of
from tests.support.postgresql import PostgreSQLServer, postgresql_server
from tests.support.redis import RedisServer, redis_server
from tests.support.remote_shop import ACCESS_KEY, OTHER_KEYS, SECRET_KEY
from tests.support.web import WorkerSite

pytestmark = [pytest.mark.redis, pytest.mark.postgresql]

_ROUNDS = int(os.environ.get("FAULTS_ROUNDS", "1"))
_SEED = os.environ.get("FAULTS_SEED", "1")
_SHOPPERS, _STEPS = 6, 8
_RATE = "20"
_HEALED_IN = 90.0
_OF_THE_SERVICE: dict[str, dict[str, Any]] = {
    "delay, undone": {"kind": "cut_before", "seconds": 0.8},
    "delay, applied": {"kind": "delay", "seconds": 0.8},
    "500": {"kind": "error"},
    "500, applied": {"kind": "error", "applied": True},
    "500 of a proxy": {"kind": "error", "plain": True},
    "503": {"kind": "unavailable"},
    "503, applied": {"kind": "unavailable", "applied": True},
    "cut, undone": {"kind": "cut_before"},
    "cut, applied": {"kind": "cut_after"},
    "truncated": {"kind": "truncated"},
    "hostile": {"kind": "garbage"},
    "another cart": {"kind": "wrong_cart"},
}
_OF_THE_TOWN = (
    "all carts expire",
    "clock jumps",
    "Redis is emptied",
    "Redis dies",
    "PostgreSQL restarts",
    "worker dies",
)


class Town:
    """What runs. `struck` counts the faults by name."""

    def __init__(
        self, start: Callable[..., WorkerSite], folder: Path, redis: RedisServer, database: PostgreSQLServer, url: str
    ) -> None:
        self.folder, self.redis, self.database, self.url = folder, redis, database, url
        self.struck: Counter[str] = Counter()
        self.remote_url = f"sqlite:///{folder / 'service.db'}"
        self.remote = start(REMOTE, 1, {"REMOTE_DATABASE_URL": self.remote_url, "REMOTE_RATE": _RATE})
        self.jump(0)
        env = {
            "SITE_FOLDER": str(folder),
            "REMOTE_URL": self.remote.url,
            "ECSCART_DATABASE_URL": url,
            "ECSCART_REDIS_URL": redis.url,
            "ECSCART_RATE": _RATE,
            "GUNICORN_CMD_ARGS": "--preload",
        }
        self.machines = [start(SITE, 2, env) for _ in range(2)]

    def jump(self, seconds: float) -> None:
        """Move the clock that both machines sign by."""
        new = self.folder / "seconds_ahead.new"
        new.write_text(str(seconds))
        new.replace(self.folder / "seconds_ahead")

    def order(self, path: str, order: dict[str, Any]) -> None:
        requests.post(f"{self.remote.url}/sandbox/{path}", json=order, timeout=10).raise_for_status()

    def strike(self, name: str, rng: random.Random) -> None:
        """One fault. What dies comes back at once."""
        self.struck[name] += 1
        if name in _OF_THE_SERVICE:
            self.order("faults", {**_OF_THE_SERVICE[name], "times": rng.randint(1, 2)})
        elif name == "all carts expire":
            self.order("clock", {"days": 91})
        elif name == "clock jumps":
            self.jump(rng.choice([-1800, 1800, 0]))
        elif name == "Redis is emptied":
            self.redis.empty()
        elif name == "Redis dies":
            self.redis.kill()
            self.redis.start()
        elif name == "PostgreSQL restarts":
            self.database.stop()
            self.database.start()
        else:
            pids = rng.choice(self.machines).worker_pids()
            with suppress(ProcessLookupError):
                os.kill(rng.choice(pids), signal.SIGKILL) if pids else None

    @contextmanager
    def faults(self, rng: random.Random) -> Iterator[None]:
        """Strike again and again while the block runs, each kind at least once in three rounds; then heal."""
        over = threading.Event()
        deck: list[str] = []

        def go_on() -> None:
            while not over.wait(rng.uniform(0.05, 0.25)):
                if not deck:
                    deck.extend([*_OF_THE_SERVICE, *_OF_THE_SERVICE, *_OF_THE_TOWN])
                    rng.shuffle(deck)
                self.strike(deck.pop(), rng)

        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            requests.delete(f"{self.remote.url}/sandbox/faults", timeout=10).raise_for_status()
            self.jump(0)

    def logs(self) -> str:
        """Everything that anybody printed, at DEBUG."""
        files = [self.remote, *self.machines]
        own = [Path(folder, name) for folder, name in self._server_logs()]
        return "\n".join([*(one.log for one in files), *(file.read_text(errors="replace") for file in own)])

    def _server_logs(self) -> Iterator[tuple[Path, str]]:
        yield self.redis._folder, "redis.log"
        yield self.database._folder, "postgresql.log"

    def canaries(self) -> set[str]:
        """What must be in no log: keys, the CartId of every cart there ever was, the HMACs of now."""
        engine = create_engine(self.remote_url)
        with engine.connect() as connection:
            carts = set(connection.execute(text("SELECT cart_id FROM ecscart_remote_carts")).scalars())
        engine.dispose()
        engine = create_engine(self.url)
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT data FROM ecscart_sessions")).scalars()
            kept = [bytes(data).decode() for data in rows]
        engine.dispose()
        hmacs = {hmac for data in kept for hmac in re.findall(r'"hmac":"([^"]+)"', data)}
        assert carts
        assert hmacs
        return {SECRET_KEY, ACCESS_KEY, *OTHER_KEYS, *OTHER_KEYS.values(), "Signature=", *carts, *hmacs}


@pytest.fixture
def town(serve_processes: Callable[..., WorkerSite], tmp_path: Path) -> Iterator[Town]:
    with redis_server() as redis, postgresql_server() as database, database.new_database() as url:
        yield Town(serve_processes, tmp_path, redis, database, url)


def healed(shoppers: Sequence[Shopper]) -> float:
    """Seconds until every cart agrees with what its shopper was told."""
    began = time.monotonic()
    for number, shopper in enumerate(shoppers):
        for locale, wanted in shopper.expected.items():
            held = {asin: pieces for asin, pieces in wanted.items() if pieces}
            while (cart := shopper.cart(locale))["pending"]:
                assert time.monotonic() - began < _HEALED_IN, f"shopper {number}, {locale}: {cart}"
                time.sleep(0.05)
            assert lines_of(cart) == held, f"shopper {number}, {locale}"
    return time.monotonic() - began


def test_nothing_answered_is_lost_or_doubled_whatever_fails_and_no_secret_is_in_any_log(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (machine.url for machine in town.machines)
    shoppers = shoppers_of(first, int(_SEED), _SHOPPERS, [second])
    began, healing, secrets = time.monotonic(), [], set()
    for number in range(_ROUNDS):
        with town.faults(random.Random(f"{_SEED}/{number}")):
            drive(shoppers, _STEPS, lambda _: 0, pause=0.5)
        healing.append(healed(shoppers))
        secrets |= town.canaries()
    assert sum(town.struck[name] for name in _OF_THE_SERVICE) >= 10
    assert sum(town.struck[name] for name in _OF_THE_TOWN) >= 3
    left = [leave(town, shopper, locale) for shopper in shoppers for locale in TAGS if +shopper.expected[locale]]
    assert len(left) == len(set(left)), "two shoppers left with one cart"
    check_counters(town, shoppers)
    printed = town.logs()
    assert "DEBUG" in printed
    assert not [secret for secret in secrets if secret in printed]
    with capsys.disabled():
        print(report(town, shoppers, healing, time.monotonic() - began))


def leave(town: Town, shopper: Shopper, locale: str) -> str:
    """Leave with the cart, whose id is returned: what stands in it at the service is what was answered, once."""
    until = time.monotonic() + 20
    while (location := shopper.leave(shopper.cart(locale)["handoff"]["action"])).startswith("/ecscart/cart"):
        assert time.monotonic() < until, "the cart is shown again and again before it may leave"
    assert location.startswith(f"https://{LOCALES[locale].retail_host}/gp/cart/aws-merge.html?"), location
    sent = read_purchase_query(location.partition("?")[2])
    engine = create_engine(town.remote_url)
    with engine.connect() as connection:
        rows = text("SELECT asin, quantity FROM ecscart_remote_lines WHERE cart_id = :id AND NOT saved")
        arrives = [tuple(row) for row in connection.execute(rows, {"id": sent["cart-id"]})]
    engine.dispose()
    assert sorted(arrives) == sorted((asin, n) for asin, n in shopper.expected[locale].items() if n)
    assert sent["associate-id"] == TAGS[locale]
    return sent["cart-id"]


def check_counters(town: Town, shoppers: Sequence[Shopper]) -> None:
    """What the owner is told was added is what shoppers were told: no repetition was counted."""
    engine = create_engine(town.url)
    with engine.connect() as connection:
        added = connection.execute(text("SELECT sum(n) FROM ecscart_counters WHERE what = 'added'")).scalar_one()
    engine.dispose()
    assert added == sum(shopper.added for shopper in shoppers)


def report(town: Town, shoppers: Sequence[Shopper], healing: Sequence[float], seconds: float) -> str:
    """The figures of a run."""
    refusals: Counter[int] = Counter()
    for shopper in shoppers:
        refusals.update(shopper.refusals)
    changes = _ROUNDS * sum(2 * _STEPS if number % 3 == 2 else _STEPS for number in range(_SHOPPERS))
    return (
        f"\n{sum(town.struck.values())} faults in {seconds:.0f} s ({dict(sorted(town.struck.items()))}); "
        f"{changes} answered changes, {refusals[503]} answers 503 and {refusals[0]} cut off meanwhile; "
        f"{sum(s.added for s in shoppers)} pieces: 0 lost, 0 over-counted; healed in {max(healing):.1f} s at most"
    )
