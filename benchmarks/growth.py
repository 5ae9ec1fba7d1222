"""What many carts in the store cost: bytes, a change, a new cart and a reading, and the memory of a worker.

`CARTS=1000000` fills the larger store with a million carts instead of a hundred thousand.
"""

from __future__ import annotations

import gc
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.harness import Aim, Row, Section
from benchmarks.stores import FilledShop
from flask_ecscart.wishes import LineChange
from tests.support.postgresql import postgresql_server
from tests.support.shop import LAMP

__all__ = ["growth_on_postgresql", "growth_on_sqlite"]

_FEW = 1000
_MEASURED = 200
_SLICES, _OPERATIONS = 8, 10
"""How often the stores take turns in a round, and what is done in each turn."""
_MEBIBYTE = 2**20


def growth_on_sqlite(folder: Path, rounds: int) -> Section:
    """One SQLite file with a thousand carts beside one with many."""
    urls = [f"sqlite:///{folder / name / 'carts.db'}" for name in ("few", "many")]
    return _grown("SQLite", folder, urls, rounds)


def growth_on_postgresql(folder: Path, rounds: int) -> Section:
    """The same on PostgreSQL, which writes durably here."""
    with postgresql_server(durable=True) as server, server.new_database() as few, server.new_database() as many:
        return _grown("PostgreSQL", folder, [few, many], rounds)


def _grown(name: str, folder: Path, urls: Sequence[str], rounds: int) -> Section:
    carts = int(os.environ.get("CARTS", "100000"))
    with _filled(folder / "few", urls[0], _FEW) as few, _filled(folder / "many", urls[1], carts) as many:
        sizes = many.bytes_by_table()
        per = {table or "all": size / carts * 100_000 / _MEBIBYTE for table, size in sizes.items()}
        sides = [_Side(few), _Side(many)]
        rows = [Row("MiB of store per 100,000 carts", [per.pop("all")], aim=Aim(most=50), places=1)]
        rows += [Row(f"… of these {table}", [size], places=1) for table, size in per.items()]
        for what, run in _WORK.items():
            times = [_taken(sides, run) for _ in range(rounds + 1)][1:]
            shown = f"{median(pair[0] for pair in times) * 1e3:.2f} ms"
            aim = Aim(most=1.1)
            rows.append(Row(f"{what}, over that with {_FEW:,}", [b / a for a, b in times], measured=shown, aim=aim))
        rows.append(Row("worker memory, MiB per 1,000 carts read", _memory(sides[1], rounds), aim=Aim(most=0.1)))
        return Section(f"{name} with {carts:,} carts of three lines", rows)


@contextmanager
def _filled(folder: Path, url: str, carts: int) -> Iterator[FilledShop]:
    shop = FilledShop(folder, url, carts)
    try:
        yield shop
    finally:
        shop.close()


class _Side:
    """A filled store, and shoppers of it whose carts are changed and read."""

    def __init__(self, shop: FilledShop) -> None:
        self.shop = shop
        self.shoppers = [shop.new_shopper() for _ in range(_MEASURED)]
        for shopper in self.shoppers:
            shop.add(shopper)
        self.random = random.Random(1)
        self.quantity = 1


def _change(side: _Side) -> None:
    side.quantity = side.quantity % 9 + 1
    change = LineChange(asin=LAMP, quantity=side.quantity)
    side.shop.carts.change(side.random.choice(side.shoppers), "US", [change], None)


def _new_cart(side: _Side) -> None:
    side.shop.add(side.shop.new_shopper())


def _read(side: _Side) -> None:
    assert side.shop.carts.read(side.random.choice(side.shoppers), "US").cart is not None


_WORK: dict[str, Callable[[_Side], None]] = {
    "a change": _change,
    "a new cart, three clicks": _new_cart,
    "a reading": _read,
}


def _taken(sides: Sequence[_Side], run: Callable[[_Side], None]) -> list[float]:
    """Seconds an operation takes on each side."""
    taken = [0.0] * len(sides)
    for _ in range(_SLICES):
        for place, side in enumerate(sides):
            began = time.perf_counter()
            for _ in range(_OPERATIONS):
                run(side)
            taken[place] += time.perf_counter() - began
    return [seconds / _SLICES / _OPERATIONS for seconds in taken]


def _memory(side: _Side, rounds: int) -> list[float]:
    """How this process grows with every thousand more carts that it has made and read."""
    found: list[float] = []
    for _ in range(rounds):
        gc.collect()
        before = _resident()
        for _ in range(200):
            shopper = side.shop.new_shopper()
            side.shop.add(shopper)
            for _ in range(5):
                side.shop.carts.read(shopper, "US")
        gc.collect()
        found.append((_resident() - before) * 5 / _MEBIBYTE)
    return found


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
