"""`flask ecscart report`: what shoppers did, from the site's own counters."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import get_args

import click
from flask.cli import with_appcontext

from flask_ecscart.cli.chart import draw
from flask_ecscart.cli.group import ecscart
from flask_ecscart.errors import ECSCartError
from flask_ecscart.state.counters import Axis, Total
from flask_ecscart.web.site import current_site

__all__ = ["COLUMNS", "OF_A_PRODUCT"]

COLUMNS = {
    "carts": "carts made",
    "added": "pieces added",
    "capped": "quantities capped",
    "saved": "saved for later",
    "left": "hand-offs",
    "sent": "pieces handed off",
    "arrived": "arrivals confirmed",
    "failed": "arrivals denied",
    "expired": "carts expired",
}
"""What is counted, and what it is called in full."""
OF_A_PRODUCT = ("added", "capped", "saved", "sent")
"""What of it is counted by ASIN."""
_OF_A_PAGE = ("added", "capped", "left", "sent")
"""What the table shows by page, so that the page itself can be read."""
_WIDTH = 80
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@ecscart.command("report")
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 3660), help="How many days, with today.")
@click.option("--by", type=click.Choice(get_args(Axis)), default="day", show_default=True, help="What a line is.")
@click.option("--csv", "csv_file", type=click.Path(dir_okay=False, writable=True), help="Write a CSV file as well.")
@click.option("--svg", "svg_file", type=click.Path(dir_okay=False, writable=True), help="Draw an SVG chart as well.")
@with_appcontext
def report(*, days: int, by: Axis, csv_file: str | None, svg_file: str | None) -> None:
    """Print what shoppers did: carts, pieces, hand-offs, arrivals. Days are UTC."""
    site = current_site()
    until = site.clock().date()
    since = until - timedelta(days=days - 1)
    try:
        totals = site.counters.totals(by, since=since, until=until)
    except ECSCartError as problem:
        raise click.ClickException(str(problem)) from problem
    if by == "day":
        totals = _every_day(totals, [since + timedelta(days=n) for n in range(days)])
    else:
        totals.sort(key=lambda total: (-total.counts.get("added", 0), -sum(total.counts.values()), total.key))
    names = OF_A_PRODUCT if by == "asin" else tuple(COLUMNS)
    try:
        if csv_file is not None:
            _write_csv(Path(csv_file), by, names, totals)
        if svg_file is not None:
            title = f"Pieces added and handed off by {by}, {since} to {until}"
            Path(svg_file).write_text(draw(title, totals, upright=by == "day"), encoding="utf-8")
    except OSError as problem:
        raise click.ClickException(f"{problem.filename} cannot be written: {problem.strerror}.") from problem
    for line in _table(by, _OF_A_PAGE if by == "page" else names, totals):
        click.echo(line)


def _every_day(totals: Sequence[Total], days: Sequence[object]) -> list[Total]:
    found = {total.key: total for total in totals}
    return [found.get(str(day), Total(str(day), {})) for day in days]


def _table(by: str, names: Sequence[str], totals: Sequence[Total]) -> list[str]:
    if not any(total.counts for total in totals):
        return ["Nothing was counted in that time. Counting begins with the first change of a cart."]
    rows = [[str(total.counts.get(name, 0)) for name in names] for total in totals]
    sums = [str(sum(total.counts.get(name, 0) for total in totals)) for name in names]
    widths = [max(len(cell) for cell in column) for column in zip(names, sums, *rows, strict=True)]
    room = max(10, _WIDTH - sum(widths) - 2 * len(widths))
    keys = [_shown(total.key, room) for total in totals]
    first = max(len(key) for key in (by, "all", *keys))

    def line(key: str, cells: Sequence[str]) -> str:
        return key.ljust(first) + "".join(f"  {cell:>{width}}" for cell, width in zip(cells, widths, strict=True))

    return [line(by, names), *map(line, keys, rows), line("all", sums)]


def _shown(key: str, room: int) -> str:
    """`key` for a terminal: nothing that moves its cursor, and the end of what is too long."""
    text = "".join("?" if unicodedata.category(char)[0] == "C" else char for char in key) or "(not known)"
    return text if len(text) <= room else "…" + text[1 - room :]


def _write_csv(path: Path, by: str, names: Sequence[str], totals: Sequence[Total]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([by, *names])
        for total in totals:
            writer.writerow([_harmless(total.key), *(total.counts.get(name, 0) for name in names)])


def _harmless(text: str) -> str:
    """`text` so that no spreadsheet takes it for a formula (a page's name is chosen by whoever asks for it)."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
