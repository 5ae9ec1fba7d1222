"""Measures cases in interleaved rounds, so that a machine that slows down slows all of them down."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

__all__ = ["Aim", "Case", "Row", "Section", "Study", "Suite", "measure", "suite_study", "table"]


@dataclass(frozen=True)
class Aim:
    """What a figure should reach: at least `least`, or at most `most`."""

    least: float | None = None
    most: float | None = None

    def __str__(self) -> str:
        return f"≥ {self.least:g}" if self.least is not None else f"≤ {self.most:,g}"

    def is_met(self, value: float) -> bool:
        """Whether `value` reaches it."""
        return value >= self.least if self.least is not None else value <= (self.most or 0)


@dataclass(frozen=True)
class Case:
    """One thing to measure: `run()` does it `operations` times. `aim` is for its rate, relative to the first case's."""

    name: str
    operations: int
    run: Callable[[], None]
    aim: Aim | None = None


@dataclass(frozen=True)
class Suite:
    """Cases of one question. The first is the baseline of the others.

    `slices`: how often the cases take turns within a round, so that a hiccup of the machine meets all of them.
    """

    title: str
    unit: str
    cases: Sequence[Case]
    slices: int = 1


@dataclass(frozen=True)
class Row:
    """One line of the table. `values`: one a round, relative to the baseline of that round or in the title's unit."""

    name: str
    values: Sequence[float]
    measured: str = ""
    """What was measured in absolute terms: true of this machine and moment alone."""
    aim: Aim | None = None
    places: int = 2


@dataclass(frozen=True)
class Section:
    """The lines that answer one question."""

    title: str
    rows: Sequence[Row]


Study = Callable[[Path, int], Section]
"""Takes an empty folder on the project's own disk and the number of rounds."""


def measure(suite: Suite, rounds: int) -> Section:
    """The rates of every case, relative to the first. One more round comes first and is thrown away: it warms up."""
    rates: list[list[float]] = [[] for _ in suite.cases]
    for number in range(rounds + 1):
        taken = [0.0] * len(suite.cases)
        for _ in range(suite.slices):
            for place, case in enumerate(suite.cases):
                began = time.perf_counter()
                case.run()
                taken[place] += time.perf_counter() - began
        if number:
            for case, found, seconds in zip(suite.cases, rates, taken, strict=True):
                found.append(suite.slices * case.operations / seconds)
    rows = [
        Row(
            case.name,
            [rate / base for rate, base in zip(found, rates[0], strict=True)],
            measured=f"{median(found):,.0f} {suite.unit}",
            aim=case.aim,
        )
        for case, found in zip(suite.cases, rates, strict=True)
    ]
    return Section(suite.title, rows)


def suite_study(suite: Callable[[Path], AbstractContextManager[Suite]]) -> Study:
    """A study that measures one suite."""

    def study(folder: Path, rounds: int) -> Section:
        with suite(folder) as prepared:
            return measure(prepared, rounds)

    return study


def table(sections: Sequence[Section]) -> str:
    """All sections in one table: median and range of every line's rounds, beside its aim."""
    width = max(len(row.name) for section in sections for row in section.rows) + 2
    lines = [f"{'':{width}}  {'measured':>16}  {'median':>8}  {'range':>17}  {'aim':>8}"]
    for section in sections:
        lines += ["", section.title]
        for row in section.rows:
            values, places = row.values, row.places
            shown = f"{min(values):,.{places}f} – {max(values):,.{places}f}"
            verdict = "" if row.aim is None else "met" if row.aim.is_met(median(values)) else "MISSED"
            lines.append(
                f"  {row.name:{width - 2}}  {row.measured:>16}  {median(values):>8,.{places}f}  {shown:>17}"
                f"  {row.aim or ''!s:>8}  {verdict}".rstrip()
            )
    return "\n".join(lines)
