"""Thousands of seeded schedules of the real code lose nothing and count nothing twice, and would notice if it did."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.goods import LIMITS, A, B
from tests.simulation.ledger import Asked, Ledger, explain
from tests.simulation.many import survived
from tests.simulation.mutants import MUTANTS
from tests.simulation.network import FAULTS
from tests.simulation.schedules import run
from tests.support.house import ROOT

SCHEDULES = 2000
PARTS = 8
FIRST = 1
MOST_SURVIVED = 1000
"""Schedules within which every mutant must be caught. Most are within thirty, the rarest about every two hundredth."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Simulated outages log thousands of lines."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'simulated.db'}"


@pytest.mark.parametrize("part", range(PARTS))
def test_no_schedule_loses_or_doubles_anything(part: int, url: str) -> None:
    size = SCHEDULES // PARTS
    begins = FIRST + part * size
    outcomes = [run(seed, sql_url=url) for seed in range(begins, begins + size)]
    failed = [(one.seed, one.lost + one.over + one.wrong) for one in outcomes if one.failed]
    assert failed == [], f"Replay one: python -m tests.simulation --show {failed[0][0]}"
    sums = {name: sum(getattr(one, name) for one in outcomes) for name in ("answered", "calls", "kills", "strays")}
    assert sums["answered"] > 5 * size  # what is promised was put to the test
    assert sums["calls"] > 3 * size
    assert sums["kills"] > size
    assert sums["strays"] > 0


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_design_that_loses_carts_is_caught(mutant: str, url: str) -> None:
    assert survived(mutant, first=FIRST, most=MOST_SURVIVED, url=url) is not None


def test_a_seed_is_one_schedule_step_for_step_whatever_ran_before(url: str) -> None:
    seeds = range(10_000, 10_040)
    first = [run(seed, sql_url=url, keep_trace=True) for seed in seeds]
    again = [run(seed, sql_url=url, keep_trace=True) for seed in reversed(seeds)]
    assert {one.ways.store for one in first if one.ways} == {"memory-file", "memory-rows", "sqlite"}
    assert [one.trace for one in first] == [one.trace for one in reversed(again)]
    assert len({one.digest for one in first}) == len(first)


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_seed_is_one_schedule_in_every_process(hash_seed: str, url: str) -> None:
    seed = 10_003
    shown = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--show", str(seed)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert shown.stdout.startswith("\n".join(run(seed, sql_url=url, keep_trace=True).trace))


def test_every_fault_and_every_way_to_build_a_site_is_among_the_schedules(url: str) -> None:
    outcomes = [run(seed, sql_url=url, keep_trace=True) for seed in range(FIRST, FIRST + 150)]
    lines = "\n".join(line for one in outcomes for line in one.trace)
    happened = {
        fault: f": {fault} ->" in lines for fault in FAULTS if fault not in {"not sent", "lost", "cut", "account"}
    }
    happened |= {what: what in lines for what in ("is lost", "is cut off", "as a stray", "is killed", "is paused")}
    happened |= {
        what: what in lines for what in ("expires", "sold out", "told to stop", "database is away", "clock is")
    }
    happened |= {what: what in lines for what in ("redis is away", "redis is emptied", "redis loses")}
    assert [what for what, found in happened.items() if not found] == []
    ways = Counter((one.ways.store, one.ways.redis) for one in outcomes if one.ways)
    assert {("memory-file", True), ("memory-file", False), ("memory-rows", True), ("memory-rows", False)} <= set(ways)


# --- The judge itself ----------------------------------------------------------------------------------------


def asked(kind: str, begins: int, ends: int | None = None, **values: object) -> Asked:
    one = Asked(kind, values, begins)
    if ends is not None:
        one.answered, one.answered_at = True, ends
    return one


def test_answered_changes_count_once_and_in_their_order() -> None:
    changes = [
        asked("add", 1, 2, items=[(A, 1)]),
        asked("set", 3, 4, asin=A, pieces=5),
        asked("add", 5, 6, items=[(A, 2)]),
    ]
    assert explain(changes, LIMITS) == {((A, 7, "active"),)}


def test_changes_at_once_may_come_in_either_order() -> None:
    changes = [
        asked("add", 1, 2, items=[(A, 1)]),
        asked("set", 3, 6, asin=A, pieces=5),
        asked("add", 4, 5, items=[(A, 2)]),
    ]
    assert explain(changes, LIMITS) == {((A, 7, "active"),), ((A, 5, "active"),)}


def test_what_was_never_answered_may_have_happened_or_not_and_late() -> None:
    changes = [asked("clear", 1), asked("add", 2, 3, items=[(A, 1)]), asked("add", 4, 5, items=[(B, 1)])]
    both = ((A, 1, "active"), (B, 1, "active"))
    assert explain(changes, LIMITS) == {both, both[1:], ()}


@pytest.mark.parametrize(
    ("found", "lost", "over"), [(((A, 1, "active"),), True, False), (((A, 3, "active"),), False, True)]
)
def test_a_cart_that_no_order_explains_is_lost_or_over_counted(found: object, lost: bool, over: bool) -> None:
    ledger = Ledger(LIMITS, {("ann", "US"): [asked("add", 1, 2, items=[(A, 2)])]})
    verdict = ledger.judge("ann", "US", found)  # type: ignore[arg-type]
    assert verdict is not None
    assert (verdict.lost, verdict.over) == (lost, over)
    assert ledger.judge("ann", "US", ((A, 2, "active"),)) is None


def test_a_hand_off_that_took_something_else_with_it_is_explained_by_nothing() -> None:
    leaving = asked("leave", 3, 4)
    leaving.left_with = {A: 1}
    assert explain([asked("add", 1, 2, items=[(A, 2)]), leaving], LIMITS) == set()
