"""Twenty shoppers in front of four real worker processes, and a real service that answers 503 above its rate.

Every shopper puts an item in, waits until it is settled, and does so again; at the same time, in front of four other
processes and a service of their own, twenty do the same beside a bot with a hundred queued changes. Makespan is over
the least the rate allows, waits over a perfect round robin (every shopper once per round). `RATE=5` is quicker.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier

import requests

from benchmarks.harness import Aim, Row, Section
from tests.support.shop import LAMP, MUG
from tests.support.web import running_workers

__all__ = ["fairness"]

_SHOPPERS, _WORKERS = 20, 4


def fairness(_folder: Path, rounds: int) -> Section:
    """Makespan, waits and refusals, alone and beside a bot."""
    rate = float(os.environ.get("RATE", "1"))
    found: list[tuple[dict[str, float], dict[str, float]]] = []
    with ThreadPoolExecutor(2) as pool:
        for _ in range(rounds):
            both = [pool.submit(_measured, rate, bot=bot) for bot in (False, True)]
            found.append((both[0].result(), both[1].result()))
    alone, with_bot = zip(*found, strict=True)

    def row(name: str, rows: Sequence[dict[str, float]], figure: str, aim: Aim | None = None, places: int = 3) -> Row:
        return Row(name, [one[figure] for one in rows], aim=aim, places=places)

    sent = sum(one["sent"] for one in (*alone, *with_bot))
    refused = [1000 * one["refused"] / one["sent"] for one in (*alone, *with_bot)]
    raised = [more["p99"] / less["p99"] for less, more in found]
    rows = [
        Row("refused of 1,000 sent", refused, measured=f"of {sent:.0f}", aim=Aim(most=1), places=1),
        row("makespan over the least possible", alone, "makespan", Aim(most=1.02)),
        row("wait p99 over an ideal round robin", alone, "p99", Aim(most=1.05)),
        row("… beside a bot with 100 changes", with_bot, "p99"),
        Row("a bot raises the others' p99 by", raised, aim=Aim(most=1.1), places=3),
    ]
    title = f"Fairness: {_SHOPPERS} shoppers, 2 changes each, {_WORKERS} processes, {rate:g} transactions a second"
    return Section(title, rows)


@contextmanager
def _town(rate: float) -> Iterator[tuple[str, Path]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        remote_env = {"REMOTE_FOLDER": name, "REMOTE_RATE": str(rate)}
        with running_workers("tests.support.remote_shop:create_remote()", 1, remote_env) as remote:
            env = {"SITE_FOLDER": str(folder / "site"), "REMOTE_URL": remote.url, "ECSCART_RATE": str(rate)}
            with running_workers("tests.support.remote_shop:create_site()", _WORKERS, env) as site:
                yield site.url, folder


def _shopper(url: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.post(f"{url}/ecscart/v1/shopper", timeout=10).raise_for_status()
    return session


def _round(url: str, session: requests.Session, asin: str, rate: float) -> float:
    """Seconds until the item is settled; looked for more often as its turn comes near, so that the wait is not ours."""
    began = time.monotonic()
    body = {"items": [{"asin": asin, "quantity": 1}]}
    response = session.post(f"{url}/ecscart/v1/carts/US/items", json=body, timeout=30)
    while response.status_code != requests.codes.ok or response.json()["pending"]:
        far = float(response.headers.get("Retry-After", "1")) > 2 / rate
        time.sleep((0.5 if far else 0.05) / rate)
        response = session.get(f"{url}/ecscart/v1/carts/US", timeout=30)
    return time.monotonic() - began


def _measured(rate: float, *, bot: bool) -> dict[str, float]:
    with _town(rate) as (url, folder), ThreadPoolExecutor(_SHOPPERS + 1) as pool:
        shoppers = [_shopper(url) for _ in range(_SHOPPERS)]
        start = Barrier(_SHOPPERS + bot)

        def shop(session: requests.Session) -> list[float]:
            start.wait()
            return [_round(url, session, asin, rate) for asin in (LAMP, MUG)]

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
    }
