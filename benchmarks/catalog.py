"""The owner's file with 100,000 lines: loading it beside only parsing it, looking ten products up, and the memory."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness import Case, Suite
from flask_ecscart.catalog.file import FileCatalog

__all__ = ["loading", "looking_up", "peak_memory", "write_catalog"]

ROWS = 100_000
_LOOKUPS = 2_000
_COLUMNS = "locale,asin,title,product_group,price,limit,seller,url,image"


@contextmanager
def loading(folder: Path) -> Iterator[Suite]:
    """Loading, in rows a second: what Python's csv alone takes is the baseline."""
    path = write_catalog(folder / "catalog.csv")
    cases = [
        Case("csv.reader alone", ROWS, lambda: _parse(path)),
        Case("FileCatalog(path)", ROWS, lambda: _load(path)),
    ]
    yield Suite(f"Loading {ROWS:,} lines ({peak_memory(path):.0f} MB at most, interpreter included)", "/s", cases)


@contextmanager
def looking_up(folder: Path) -> Iterator[Suite]:
    """Looking ten products up out of 100,000: the file's own look for changes is part of it."""
    catalog = FileCatalog(write_catalog(folder / "catalog.csv"))
    asins = [_asin(number) for number in range(0, ROWS, ROWS // 10)]
    plain = {("US", product.asin): product for product in catalog}
    cases = [
        Case("ten from a dict", _LOOKUPS, lambda: _from_dict(plain, asins)),
        Case("FileCatalog.lookup", _LOOKUPS, lambda: _from_catalog(catalog, asins)),
    ]
    yield Suite(f"Ten products out of {ROWS:,}", "/s", cases)


def write_catalog(path: Path, rows: int = ROWS) -> Path:
    """A catalog of `rows` products of the usual kind, each with every cell an owner fills in."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS.split(","))
        for number in range(rows):
            group, seller = f"Group {number % 30}", f"Seller {number % 500}"
            price, limit = f"{number % 500}.99", number % 30 or ""
            title = f"A product with a name of the usual length and a number, {number}"
            page, picture = f"https://shop.example.org/products/{number}", f"/static/products/{number}.jpg"
            writer.writerow(["US", _asin(number), title, group, price, limit, seller, page, picture])
    return path


def peak_memory(path: Path) -> float:
    """The most a fresh process that loads the file holds, in megabytes."""
    script = (
        "import resource, sys; from flask_ecscart.catalog.file import FileCatalog; c = FileCatalog(sys.argv[1]); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    root = Path(__file__).resolve().parents[1]
    told = subprocess.run([sys.executable, "-c", script, path], capture_output=True, check=True, cwd=root)
    return int(told.stdout) / (1024 * 1024 if sys.platform == "darwin" else 1024)


def _asin(number: int) -> str:
    return f"B{number:09d}"


def _parse(path: Path) -> None:
    with path.open(newline="", encoding="utf-8") as file:
        for _ in csv.reader(file):
            pass


def _load(path: Path) -> None:
    FileCatalog(path)


def _from_dict(plain: dict[tuple[str, str], object], asins: list[str]) -> None:
    for _ in range(_LOOKUPS):
        found = {asin: plain["US", asin] for asin in asins}
        assert len(found) == len(asins)


def _from_catalog(catalog: FileCatalog, asins: list[str]) -> None:
    for _ in range(_LOOKUPS):
        assert len(catalog.lookup("US", asins)) == len(asins)
