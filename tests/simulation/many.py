"""`python -m tests.simulation --n 100000 --seed 1 --processes 2`: many schedules, and the seeds of those that failed.

`--show SEED` replays one, step by step; `--mutant NAME` runs a design that must be caught (`--mutant all`: how many
schedules each survives).
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from tests.simulation.mutants import DESIGNS, MUTANTS, applied
from tests.simulation.schedules import Outcome, run

__all__ = ["main", "survived"]

_SUMS = ("answered", "calls", "orphans", "counted_orphans", "kills", "strays", "steps")


def survived(mutant: str, *, first: int, most: int, url: str) -> int | None:
    """How many schedules a mutant survives; None when it survives `most`. The real database does not matter for it."""
    with applied(mutant):
        for seed in range(first, first + most):
            outcome = run(seed, sql_url=url, every_store=False)
            if outcome.lost or outcome.over or (outcome.failed and mutant not in DESIGNS):
                return seed - first
    return None


def _url(folder: str) -> str:
    return f"sqlite:///{Path(folder) / f'{os.getpid()}.db'}"


def _folder() -> tempfile.TemporaryDirectory[str]:
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)


def _some(task: tuple[range, str, str | None]) -> list[Outcome]:
    seeds, folder, mutant = task
    logging.disable(logging.CRITICAL)
    with applied(mutant) if mutant else nullcontext():
        return [run(seed, sql_url=_url(folder)) for seed in seeds]


def _all(seeds: range, processes: int, folder: str, mutant: str | None) -> Iterator[Outcome]:
    tasks = [(seeds[start : start + 50], folder, mutant) for start in range(0, len(seeds), 50)]
    if processes == 1:
        for task in tasks:
            yield from _some(task)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for outcomes in pool.imap_unordered(_some, tasks):
            yield from outcomes


def _many(chosen: argparse.Namespace, folder: str) -> int:
    began = time.perf_counter()
    sums = dict.fromkeys(_SUMS, 0)
    lost, over, wrong, done = list[int](), list[int](), list[int](), 0
    for outcome in _all(range(chosen.seed, chosen.seed + chosen.n), chosen.processes, folder, chosen.mutant):
        done += 1
        for name in _SUMS:
            sums[name] += getattr(outcome, name)
        for found, where in ((outcome.lost, lost), (outcome.over, over), (outcome.wrong, wrong)):
            if found:
                where.append(outcome.seed)
                print(f"seed {outcome.seed}: {'; '.join(found)}"[:400], flush=True)
        if done % 1000 == 0:
            print(f"{done} schedules, {done / (time.perf_counter() - began):.0f}/s", flush=True)
    each = {name: sums[name] / max(done, 1) for name in _SUMS}
    print(
        f"{done} schedules, {done / (time.perf_counter() - began):.1f}/s: {len(lost)} lost, {len(over)} over-counted, "
        f"{len(wrong)} otherwise wrong\n"
        f"calls per answered change {sums['calls'] / max(sums['answered'], 1):.2f}; in each schedule "
        f"{each['answered']:.1f} answered changes, "
        f"{each['orphans']:.3f} orphans ({each['counted_orphans']:.3f} counted), "
        f"{each['kills']:.2f} kills, {each['strays']:.3f} strays, {each['steps']:.0f} steps"
    )
    for name, seeds in (("lost", lost), ("over-counted", over), ("otherwise wrong", wrong)):
        if seeds:
            print(f"{name}: {' '.join(map(str, sorted(seeds)[:50]))}")
    return 1 if lost or over or wrong else 0


def _show(seed: int, folder: str, mutant: str | None) -> int:
    with applied(mutant) if mutant else nullcontext():
        outcome = run(seed, sql_url=_url(folder), keep_trace=True)
    print("\n".join(outcome.trace))
    print(outcome.ways)
    print(f"lost {outcome.lost}, over-counted {outcome.over}, otherwise wrong {outcome.wrong}")
    return 1 if outcome.failed else 0


def main(arguments: list[str]) -> int:
    """Run what the arguments ask for; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--show", type=int, metavar="SEED")
    parser.add_argument("--mutant", choices=[*MUTANTS, "all"])
    chosen = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    with _folder() as folder:
        if chosen.mutant == "all":
            for name in MUTANTS:
                caught = survived(name, first=chosen.seed, most=chosen.n, url=_url(folder))
                print(f"{name:40} {'SURVIVED' if caught is None else f'caught after {caught}'}", flush=True)
            return 0
        return _show(chosen.show, folder, chosen.mutant) if chosen.show is not None else _many(chosen, folder)
