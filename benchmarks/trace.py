"""Shoppers of one seeded trace against a service that grants one transaction a second, on a moved clock.

The real carts, settling and dispatching code; only the clock, the rows and the service are stand-ins. An action is an
add, a new quantity, a removal, a look or a hand-off. A wait is what passes until the shopper sees a settled cart
(looks, hand-offs: asked again at the time named) or an answer (changes). Beside it the same trace through bottlenose,
one call for each action, and through our own client with merging switched off. A round is a seed.
"""

from __future__ import annotations

import heapq
import multiprocessing
import os
import random
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.harness import Aim, Row, Section
from benchmarks.moved_clock import MovedSite
from benchmarks.one_call_each import replay_one_call_each
from flask_ecscart.carts import cart_mark
from flask_ecscart.errors import RequestThrottled
from flask_ecscart.model import NewItem
from flask_ecscart.wishes import LineChange

__all__ = ["Event", "Replayed", "a_day", "replay", "shoppers", "trace"]

Event = tuple[float, int, str, str]
"""Moment, session, action (page, add, qty, del, view, handoff) and item."""
_GIVES_UP = 600.0
"""Seconds after which a shopper asks no more; such waits count as they are."""
_SESSIONS = {0.1: 1000, 0.2: 1000, 0.5: 3000}
"""Cart sessions a second → how many: enough for the line to become as long as it will."""
_UNMERGED_SESSIONS = 300
_DAY, _DAILY, _DAY_SESSIONS = 86_400.0, 8640, 3800
_AIMS = {0.1: (None, None), 0.2: (0.30, 5.0), 0.5: (0.22, 26.0)}
"""Transactions per action, and the 99th percentile of the waits in seconds."""


class Replayed(NamedTuple):
    """What a trace came to: transactions per action, and waits in seconds, sorted."""

    calls: float
    waits: list[float]

    @property
    def p99(self) -> float:
        """What one of a hundred waits is longer than."""
        return self.waits[int(len(self.waits) * 0.99)]


def trace(rate: float, sessions: int, seed: int) -> list[Event]:
    """Random cart sessions: pages of about 18 seconds, double clicks, quick adds, plus-plus-plus, 29 % hand-offs."""
    source = random.Random(seed)
    begins, events = 0.0, list[Event]()
    for number in range(sessions):
        begins += source.expovariate(rate)
        events += _session(source, begins, number)
    return sorted(events, key=lambda event: event[:2])


def _session(r: random.Random, t: float, number: int) -> list[Event]:
    events, items = list[Event](), list[str]()

    def add(moment: float) -> None:
        items.append(f"B0TEST{len(items):04d}")
        events.append((moment, number, "add", items[-1]))

    for page in range(1 + min(30, int(r.expovariate(1 / 6)))):
        t += r.lognormvariate(2.6, 0.8)
        events.append((t, number, "page", ""))
        if r.random() < 0.35 or page == 0:
            moment = t + r.uniform(1, 8)
            add(moment)
            if r.random() < 0.20:
                events.append((moment + r.uniform(0.15, 0.6), number, "add", items[-1]))
            while r.random() < 0.25:
                moment += r.uniform(0.5, 3)
                add(moment)
            t = max(t, moment)
        if items and r.random() < 0.30:
            t += r.uniform(1, 4)
            events.append((t, number, "view", ""))
            t = _fiddled(r, t, number, items, events)
    if items and r.random() < 0.3:
        t += r.uniform(2, 10)
        events.append((t, number, "view", ""))
        events.append((t + r.uniform(2, 15), number, "handoff", ""))
    return events


def _fiddled(r: random.Random, t: float, number: int, items: list[str], events: list[Event]) -> float:
    if r.random() < 0.4:
        for _ in range(1 + int(r.expovariate(0.7))):
            t += r.uniform(0.2, 0.9)
            events.append((t, number, "qty", r.choice(items)))
    if len(items) > 1 and r.random() < 0.2:
        t += r.uniform(1, 4)
        events.append((t, number, "del", items.pop()))
    return t


class _Replay:
    """The trace through our own code."""

    def __init__(self, site: MovedSite, *, merging: bool) -> None:
        self.site = site
        self.waits: list[float] = []
        self._merging = merging

    def run(self, events: Sequence[Event]) -> None:
        start = self.site.time.now
        agenda = [(moment, order, moment, event) for order, event in enumerate(events) for moment in [event[0]]]
        heapq.heapify(agenda)
        order = len(agenda)
        while agenda:
            moment, _, asked, event = heapq.heappop(agenda)
            self.site.run_until(start + moment)
            again = self._act(event)
            waited = self.site.time.now - start - asked
            if again is not None and waited < _GIVES_UP:
                order += 1
                heapq.heappush(agenda, (self.site.time.now - start + again, order, asked, event))
                continue
            if event[2] != "page":
                self.waits.append(max(0.0, waited))

    def _act(self, event: Event) -> float | None:
        """Do it; the seconds after which to ask again, None when the shopper has an answer."""
        _, number, action, asin = event
        shopper, carts = f"s{number}", self.site.carts
        try:
            if action == "add":
                carts.add(shopper, "US", [NewItem(asin=asin, quantity=1)], None)
            elif action == "qty":
                line = next(one for one in self.site.sessions.read(shopper).carts["US"].lines if one.asin == asin)
                change = LineChange(asin=asin, quantity=min(line.quantity + 1, 99))
                carts.change(shopper, "US", [change], None)
            elif action == "del":
                carts.change(shopper, "US", [LineChange(asin=asin, quantity=0)], None)
            elif action in {"view", "handoff"}:
                return self._look(shopper, leaving=action == "handoff")
        except RequestThrottled as full:
            return full.retry_after or 1.0
        if action in {"add", "qty", "del"} and not self._merging:
            while not self.site.queue.is_empty():
                carts.read(shopper, "US")
                self.site.run_until(self.site.time.now + 1)
        return None

    def _look(self, shopper: str, *, leaving: bool) -> float | None:
        view = self.site.carts.read(shopper, "US")
        if view.pending:
            return view.retry_after
        if not leaving or view.cart is None or not view.cart.items:
            return None
        ref = view.wish.ref
        assert ref is not None
        return None if self.site.carts.leave(shopper, "US", cart_mark(ref)) else 1.0


def replay(events: Sequence[Event], site: MovedSite | None = None, *, merging: bool = True) -> Replayed:
    """The trace through our own code."""
    one = _Replay(site or MovedSite(), merging=merging)
    one.run(events)
    assert one.site.provider.refused == 0, "the service said that we are too fast"
    return Replayed(len(one.site.provider.calls) / len(one.waits), sorted(one.waits))


def shoppers(_folder: Path, rounds: int) -> Section:
    """Three rates of shoppers, through other people's client and ours. Deterministic, so it uses every core."""
    jobs = [(rate, kind, seed) for rate in _SESSIONS for kind in _KINDS for seed in range(1, rounds + 1)]
    jobs.sort(key=lambda job: (job[1] != "unmerged", -job[0]))  # the longest first
    with _every_core() as pool:
        found = dict(zip(jobs, pool.map(_run, jobs), strict=True))
    rows: list[Row] = []
    for rate, (calls, wait) in _AIMS.items():
        for kind, name in _KINDS.items():
            results = [found[rate, kind, seed] for seed in range(1, rounds + 1)]
            ours = kind == "ours"
            label = f"{rate}/s  {name}"
            aim = Aim(most=calls) if ours and calls else None
            half = median(median(result.waits) for result in results)
            rows.append(Row(f"{label}: calls", [result.calls for result in results], aim=aim, places=3))
            aim = Aim(most=wait) if ours and wait else None
            p99 = [result.p99 for result in results]
            rows.append(Row(f"{label}: wait p99, s", p99, measured=f"p50 {half:,.1f} s", aim=aim, places=1))
    title = "Shoppers' trace at one transaction a second (moved clock): transactions per action; waits in seconds"
    return Section(title, rows)


def a_day(_folder: Path, rounds: int) -> Section:
    """One day of 3,800 cart sessions with 8,640 transactions to spend; a round is a seed, three at most."""
    rounds = min(rounds, 3)
    with _every_core() as pool:
        days = list(pool.map(_run_day, range(1, rounds + 1)))
    served = [_DAILY / calls for calls, _, _ in days]
    return Section(
        f"A day of {_DAY_SESSIONS:,} cart sessions with {_DAILY:,} transactions",
        [
            Row("one call per action: sessions a day", [_DAILY / actions for _, actions, _ in days], places=0),
            Row("ours: sessions a day", served, aim=Aim(least=_DAY_SESSIONS), places=0),
            Row("ours: wait p99, s", [p99 for _, _, p99 in days], places=1),
        ],
    )


def _every_core() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn"))


_KINDS = {"each": "one call per action (bottlenose)", "unmerged": "ours, merging switched off", "ours": "ours"}


def _run(job: tuple[float, str, int]) -> Replayed:
    rate, kind, seed = job
    if kind == "each":
        return Replayed(*replay_one_call_each(trace(rate, _SESSIONS[rate], seed)))
    if kind == "unmerged":
        return replay(trace(rate, _UNMERGED_SESSIONS, seed), merging=False)
    return replay(trace(rate, _SESSIONS[rate], seed))


def _run_day(seed: int) -> tuple[float, float, float]:
    """Transactions and actions per cart session, and the 99th percentile of the waits."""
    events = [event for event in trace(_DAY_SESSIONS / _DAY, _DAY_SESSIONS, seed) if event[0] < _DAY]
    sessions = len({event[1] for event in events})
    found = replay(events, MovedSite(daily=_DAILY, begins=1_800_000_000.0 // _DAY * _DAY))
    return found.calls * len(found.waits) / sessions, len(found.waits) / sessions, found.p99
