"""Pages of the host site while twenty shoppers wait for turns of a slow remote service, beside the same site idle.

Two worker processes of gunicorn, sync and gthread. Idle and busy stretches take turns; the same pages are asked one
after another by one visitor, so that a wait is the site's own.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import requests

from benchmarks.harness import Aim, Row, Section
from tests.support.shop import LAMP
from tests.support.web import running_workers

__all__ = ["host_pages"]

_SHOPPERS, _WORKERS, _STRETCH = 20, 2, 3.0
_MODELS = {"gthread": ("--worker-class", "gthread", "--threads", "4"), "sync": ("--worker-class", "sync")}


def host_pages(folder: Path, rounds: int) -> Section:
    """The 99th percentile with twenty waiting, over that of the idle site, for both kinds of workers."""
    rows: list[Row] = []
    for model, options in _MODELS.items():
        place = folder / model
        place.mkdir()
        idle, busy = _measured(place, options, rounds)
        ratios = [_p99(more) / _p99(less) for less, more in zip(idle, busy, strict=True)]
        shown = f"{median(map(_p99, idle)) * 1000:.1f} ms idle"
        rows.append(Row(f"gunicorn {model}: p99 with {_SHOPPERS} waiting", ratios, measured=shown, aim=Aim(most=1.5)))
        halves = [median(more) / median(less) for less, more in zip(idle, busy, strict=True)]
        shown = f"{median(map(median, idle)) * 1000:.2f} ms idle"
        rows.append(Row(f"gunicorn {model}: median with {_SHOPPERS} waiting", halves, measured=shown))
    return Section(f"A page of the host site while {_SHOPPERS} shoppers wait for turns, over the idle site", rows)


def _measured(folder: Path, model: tuple[str, ...], rounds: int) -> tuple[list[list[float]], list[list[float]]]:
    idle, busy = list[list[float]](), list[list[float]]()
    with ExitStack() as stack:
        remote_env = {"REMOTE_FOLDER": str(folder), "REMOTE_RATE": "1"}
        remote = stack.enter_context(running_workers("tests.support.remote_shop:create_remote()", 1, remote_env))
        env = {"SITE_FOLDER": str(folder / "site"), "REMOTE_URL": remote.url}
        factory = "tests.support.remote_shop:create_site()"
        site = stack.enter_context(running_workers(factory, _WORKERS, env, model=model))
        crowd = _Crowd(site.url)
        pool = stack.enter_context(ThreadPoolExecutor(_SHOPPERS))
        stack.callback(crowd.end)
        for _ in range(_SHOPPERS):
            pool.submit(crowd.shop)
        _pages(site.url, 1)
        for _ in range(rounds):
            idle.append(_pages(site.url, _STRETCH))
            crowd.open.set()
            time.sleep(0.5)
            busy.append(_pages(site.url, _STRETCH))
            crowd.open.clear()
            time.sleep(2)
    return idle, busy


class _Crowd:
    """Shoppers who change and look, as often as they are told to, while the shop is open."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.open = threading.Event()
        self._over = False

    def shop(self) -> None:
        session = _visitor(self._url)
        session.post(f"{self._url}/ecscart/v1/shopper", timeout=30).raise_for_status()
        quantity = 0
        while not self._over:
            self.open.wait()
            quantity = quantity % 9 + 1
            items = {"items": [{"asin": LAMP, "quantity": quantity}]}
            answer = session.post(f"{self._url}/ecscart/v1/carts/US/items", json=items, timeout=30)
            while self.open.is_set() and not self._over:
                time.sleep(min(3.0, float(answer.headers.get("Retry-After", "1"))))
                answer = session.get(f"{self._url}/ecscart/v1/carts/US", timeout=30)

    def end(self) -> None:
        self._over = True
        self.open.set()


def _visitor(url: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.get(f"{url}/page", timeout=30).raise_for_status()
    return session


def _pages(url: str, seconds: float) -> list[float]:
    session, taken = _visitor(url), list[float]()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter()
        session.get(f"{url}/page", timeout=30).raise_for_status()
        taken.append(time.perf_counter() - began)
    return sorted(taken)


def _p99(taken: list[float]) -> float:
    return taken[int(len(taken) * 0.99)]
