"""Twenty shoppers in front of four real worker processes, and a real service that answers 503 above its rate.

`python -m benchmarks.fairness [--rate 1]`: every shopper puts an item in, waits until it is settled, and does so
again; then all of it once more beside a bot with a hundred queued changes. Reported: transactions sent and refused,
makespan over the least the rate allows, and waits over a perfect round robin (every shopper once per round).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier

import requests

from tests.support.shop import LAMP, MUG
from tests.support.web import running_workers

__all__ = ["main"]

_SHOPPERS = 20


@contextmanager
def _town(rate: float, workers: int) -> Iterator[tuple[str, Path]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        remote_env = {"REMOTE_FOLDER": name, "REMOTE_RATE": str(rate)}
        with running_workers("tests.support.remote_shop:create_remote()", 1, remote_env) as remote:
            env = {"SITE_FOLDER": str(folder / "site"), "REMOTE_URL": remote.url, "ECSCART_RATE": str(rate)}
            with running_workers("tests.support.remote_shop:create_site()", workers, env) as site:
                yield site.url, folder


def _shopper(url: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.post(f"{url}/ecscart/v1/shopper", timeout=10).raise_for_status()
    return session


def _round(url: str, session: requests.Session, asin: str, cadence: float) -> float:
    """Seconds until the item is settled; looked for as often as `cadence`, so that the wait is the server's own."""
    began = time.monotonic()
    body = {"items": [{"asin": asin, "quantity": 1}]}
    response = session.post(f"{url}/ecscart/v1/carts/US/items", json=body, timeout=30)
    while response.status_code != requests.codes.ok or response.json()["pending"]:
        time.sleep(cadence)
        response = session.get(f"{url}/ecscart/v1/carts/US", timeout=30)
    return time.monotonic() - began


def _measured(rate: float, workers: int, *, bot: bool) -> dict[str, float]:
    with _town(rate, workers) as (url, folder), ThreadPoolExecutor(_SHOPPERS + 1) as pool:
        shoppers = [_shopper(url) for _ in range(_SHOPPERS)]
        start = Barrier(_SHOPPERS + bot)

        def shop(session: requests.Session) -> list[float]:
            start.wait()
            return [_round(url, session, asin, 0.25 / rate) for asin in (LAMP, MUG)]

        def spam() -> None:
            session = _shopper(url)
            start.wait()
            for number in range(100):
                item = {"asin": f"B0TEST{number % 40:04d}", "quantity": 1}
                session.post(f"{url}/ecscart/v1/carts/US/items", json={"items": [item]}, timeout=30)
                session.get(f"{url}/ecscart/v1/carts/US", timeout=30)

        spamming = pool.submit(spam) if bot else None
        waits = sorted(wait for one in pool.map(shop, shoppers) for wait in one)
        if spamming is not None:
            spamming.result()
        calls = [line.split() for line in (folder / "calls.log").read_text().splitlines()]
    moments = [float(call[0]) for call in calls]
    granted = sum(call[2] == "200" for call in calls)
    return {
        "sent": len(calls),
        "refused": len(calls) - granted,
        "makespan": (moments[-1] - moments[0]) * rate / max(1, granted - 1),
        "p99": waits[int(len(waits) * 0.99)] * rate / _SHOPPERS,
        "worst": waits[-1] * rate / _SHOPPERS,
    }


def main(arguments: list[str]) -> int:
    """Print one line without and one with the bot."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fairness")
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=4)
    chosen = parser.parse_args(arguments)
    print(f"{_SHOPPERS} shoppers, 2 changes each, {chosen.workers} processes, {chosen.rate:g} transactions a second")
    print(f"{'':12} {'sent':>5} {'refused':>8} {'makespan/ideal':>15} {'p99/round robin':>16} {'worst':>6}")
    for name, bot in (("alone", False), ("with a bot", True)):
        found = _measured(chosen.rate, chosen.workers, bot=bot)
        print(
            f"{name:12} {found['sent']:>5.0f} {found['refused']:>8.0f} {found['makespan']:>15.3f} "
            f"{found['p99']:>16.2f} {found['worst']:>6.2f}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
