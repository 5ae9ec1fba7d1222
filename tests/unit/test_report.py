"""`flask ecscart report`: a table, a CSV no spreadsheet runs, and a chart one can read."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from flask_ecscart.cli import ecscart
from flask_ecscart.cli.chart import draw
from flask_ecscart.cli.report import COLUMNS
from flask_ecscart.state.counters import Count, Total
from tests.support.clock import FakeClock
from tests.support.shop import LAMP, MUG, Shop

TODAY = date(2026, 3, 14)
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def shop(tmp_path: Path, clock: FakeClock) -> Iterator[Shop]:
    made = Shop(tmp_path / "shop", clock=clock)
    yield made
    made.site.database.close()


@pytest.fixture
def report(shop: Shop) -> Callable[..., Result]:
    return lambda *options: shop.app.test_cli_runner().invoke(ecscart, ["report", *options])


@pytest.fixture
def counted(shop: Shop) -> Shop:
    """Some counts: a lamp from the front page and today, a mug five days ago, another long ago."""

    def count(days_ago: int, *counts: Count) -> None:
        shop.site.counters.count(TODAY - timedelta(days=days_ago), counts)

    count(0, Count("added", "US", "/", LAMP, 7), Count("carts", "US", "/", "", 2), Count("sent", "US", "/", LAMP, 5))
    count(5, Count("added", "DE", "=HYPERLINK(1)", MUG, 9), Count("left", "DE", "", "", 1))
    count(40, Count("added", "US", "/old", MUG, 100))
    return shop


def columns(output: str) -> dict[str, dict[str, int]]:
    """The printed table: key → column → number."""
    head, *lines = output.splitlines()
    names = head.split()[1:]
    found = {}
    for line in lines:
        cells = line.split()
        key = " ".join(cells[: -len(names)])
        found[key] = dict(zip(names, map(int, cells[-len(names) :]), strict=True))
    return found


def test_by_day_every_day_has_a_line_and_the_sum_stands_below(counted: Shop, report: Callable[..., Result]) -> None:
    printed = report("--days", "7")
    assert printed.exit_code == 0
    table = columns(printed.output)
    assert list(table) == [str(TODAY - timedelta(days=n)) for n in range(6, -1, -1)] + ["all"]
    assert table["2026-03-14"]["added"] == 7
    assert table["2026-03-12"]["added"] == 0
    assert table["all"] == {**dict.fromkeys(COLUMNS, 0), "carts": 2, "added": 16, "sent": 5, "left": 1}


@pytest.mark.parametrize(
    ("by", "added"),
    [
        ("locale", {"DE": 9, "US": 7}),
        ("asin", {MUG: 9, LAMP: 7}),
        ("page", {"=HYPERLINK(1)": 9, "/": 7, "(not known)": 0}),
    ],
)
def test_by_other_things_the_busiest_comes_first(
    counted: Shop, report: Callable[..., Result], by: str, added: dict[str, int]
) -> None:
    table = columns(report("--by", by).output)
    assert [(key, row["added"]) for key, row in table.items()] == [*added.items(), ("all", 16)]


def test_a_longer_time_reaches_further_back(counted: Shop, report: Callable[..., Result]) -> None:
    assert columns(report("--by", "asin", "--days", "60").output)[MUG]["added"] == 109


@pytest.mark.parametrize("by", ["day", "locale", "page", "asin"])
def test_the_table_fits_a_terminal_and_moves_no_cursor(shop: Shop, report: Callable[..., Result], by: str) -> None:
    page = "https://blog.example.org/\x1b[2J" + "x" * 150 + "/the-end"
    shop.site.counters.count(TODAY, [Count("added", "US", page, LAMP, 123_456)])
    output = report("--by", by).output
    assert max(map(len, output.splitlines())) <= 80
    assert "\x1b" not in output
    assert "123456" in output
    assert ("/the-end" in output) is (by == "page")


def test_nothing_counted_is_said(report: Callable[..., Result]) -> None:
    printed = report()
    assert (printed.exit_code, "Nothing was counted" in printed.output) == (0, True)


def test_the_csv_holds_all_columns_and_no_formula(counted: Shop, report: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "pages.csv"
    assert report("--by", "page", "--csv", str(file)).exit_code == 0
    head, *rows = csv.reader(file.read_text("utf-8-sig").splitlines())
    assert head == ["page", *COLUMNS]
    assert [row[0] for row in rows] == ["'=HYPERLINK(1)", "/", ""]
    assert rows[1][1:] == ["2", "7", "0", "0", "0", "5", "0", "0", "0"]
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")  # a spreadsheet takes it for UTF-8


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", " =", "\r"])
def test_no_cell_begins_as_a_formula_does(
    shop: Shop, report: Callable[..., Result], tmp_path: Path, start: str
) -> None:
    shop.site.counters.count(TODAY, [Count("added", "US", f"{start}1", LAMP, 1)])
    file = tmp_path / "pages.csv"
    report("--by", "page", "--csv", str(file))
    assert f"'{start}1" in file.read_bytes().decode("utf-8-sig")


@pytest.mark.parametrize("option", ["--csv", "--svg"])
def test_a_file_that_cannot_be_written_is_said(report: Callable[..., Result], tmp_path: Path, option: str) -> None:
    printed = report(option, str(tmp_path / "no" / "such" / "folder.x"))
    assert (printed.exit_code, "cannot be written" in printed.output) == (1, True)


@pytest.mark.parametrize("options", [["--days", "0"], ["--by", "shopper"]])
def test_a_wrong_option_is_refused(report: Callable[..., Result], options: list[str]) -> None:
    assert report(*options).exit_code == 2


# --- The chart --------------------------------------------------------------------------------------------------


def chart(totals: list[Total], *, upright: bool) -> ET.Element:
    return ET.fromstring(draw("Pieces <by> page & day", totals, upright=upright))


HOSTILE = Total("</text><script>alert(1)</script>\x00", {"added": 3, "sent": 1})


def test_the_chart_is_named_and_told_in_words(counted: Shop, report: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "days.svg"
    assert report("--days", "7", "--svg", str(file)).exit_code == 0
    root = ET.parse(file).getroot()
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "title desc")
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert title.text == "Pieces added and handed off by day, 2026-03-08 to 2026-03-14"
    assert desc is not None
    assert "16 pieces added, 5 pieces handed off in all." in str(desc.text)
    assert "2026-03-14: 7 added, 5 handed off" in str(desc.text)


@pytest.mark.parametrize("upright", [True, False])
def test_the_chart_shows_every_number_as_text_and_tells_the_series_apart_by_pattern(upright: bool) -> None:
    root = chart([Total("/a", {"added": 13, "sent": 4}), Total("/b", {"added": 11})], upright=upright)
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert {"13", "4", "11", "/a", "/b", "pieces added", "pieces handed off"} <= set(texts)
    assert {pattern.get("id") for pattern in root.iter(f"{SVG}pattern")} == {"p0", "p1"}


@pytest.mark.parametrize("upright", [True, False])
@pytest.mark.parametrize(
    "totals", [[], [Total("x", {})], [HOSTILE], [HOSTILE] * 400], ids=["none", "zero", "bad", "400"]
)
def test_any_data_makes_a_chart_of_plain_shapes_inside_its_frame(totals: list[Total], upright: bool) -> None:
    root = chart(totals, upright=upright)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("svg", "title", "desc", "defs", "pattern", "rect", "path", "text")
    }
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    for bar in root.iter(f"{SVG}rect"):
        place: dict[str, Any] = {name: float(bar.get(name, 0)) for name in ("x", "y", "width", "height")}
        assert 0 <= place["x"] <= place["x"] + place["width"] <= width
        assert 0 <= place["y"] <= place["y"] + place["height"] <= height


def test_the_tallest_column_reaches_no_higher_than_the_scale() -> None:
    root = chart([Total("d", {"added": n}) for n in (1, 87)], upright=True)
    bars = [float(bar.get("height", 0)) for bar in root.iter(f"{SVG}rect") if bar.find(f"{SVG}title") is not None]
    scale = [float(text.text or "x") for text in root.iter(f"{SVG}text") if text.get("text-anchor") == "end"]
    assert max(scale) >= 87
    assert max(bars) / 260 == pytest.approx(87 / max(scale), rel=0.01)
