"""Measures cases in interleaved rounds, so that a machine that slows down slows all of them down."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

__all__ = ["Case", "Result", "Suite", "measure", "table"]


@dataclass(frozen=True)
class Case:
    """One thing to measure: `run()` does it `operations` times."""

    name: str
    operations: int
    run: Callable[[], None]


@dataclass(frozen=True)
class Suite:
    """Cases of one question. The first is the baseline of the others."""

    title: str
    unit: str
    cases: Sequence[Case]


@dataclass
class Result:
    """Rates of one case, in operations a second, one for each round."""

    name: str
    rates: list[float] = field(default_factory=list)


def measure(suite: Suite, rounds: int) -> list[Result]:
    """The rates of every case. One more round comes first and is thrown away: it warms up."""
    results = [Result(case.name) for case in suite.cases]
    for number in range(rounds + 1):
        for case, result in zip(suite.cases, results, strict=True):
            began = time.perf_counter()
            case.run()
            rate = case.operations / (time.perf_counter() - began)
            if number:
                result.rates.append(rate)
    return results


def table(suite: Suite, results: Sequence[Result]) -> str:
    """Median and range of every case, and the median of its rounds' ratios to the baseline."""
    width = max(len(result.name) for result in results)
    lines = [suite.title, f"{'':{width}}  {suite.unit + ', median':>26}  {'range':>17}  {'ratio':>5}  {'range':>11}"]
    for result in results:
        ratios = [rate / base for rate, base in zip(result.rates, results[0].rates, strict=True)]
        lines.append(
            f"{result.name:{width}}  {median(result.rates):>26,.0f}"
            f"  {f'{min(result.rates):,.0f} – {max(result.rates):,.0f}':>17}"
            f"  {median(ratios):>5.2f}  {f'{min(ratios):.2f} – {max(ratios):.2f}':>11}"
        )
    return "\n".join(lines)
