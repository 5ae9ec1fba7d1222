"""Shoppers of one seeded trace against a service that grants one transaction a second, on a moved clock.

`python -m benchmarks.trace [--sessions N] [--rates 0.1,0.2,0.5]`: the real carts, settling and dispatching code;
only the clock and the service are stand-ins. An action is an add, a new quantity, a removal, a look or a hand-off.
A wait is what passes until the shopper sees a settled cart (looks, hand-offs: asked again at the time named) or an
answer (changes). Beside it: one call per action, and our own client with merging switched off.
"""

from __future__ import annotations

import argparse
import heapq
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from flask_ecscart.carts import cart_mark
from flask_ecscart.errors import RequestThrottled
from flask_ecscart.model import NewItem
from flask_ecscart.wishes import LineChange
from tests.support.remote import RemoteSite

__all__ = ["Event", "main", "one_call_each", "replay", "trace"]

Event = tuple[float, int, str, str]
"""Moment, session, action (page, add, qty, del, view, handoff) and item."""
_GIVES_UP = 600.0
"""Seconds after which a shopper asks no more; such waits count as they are."""


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

    def __init__(self, folder: Path, *, merging: bool) -> None:
        self.site = RemoteSite(folder)
        self.waits: list[float] = []
        self.looks: list[float] = []
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
            if event[2] in {"view", "handoff"}:
                self.looks.append(max(0.0, waited))

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


def replay(events: Sequence[Event], *, merging: bool = True) -> tuple[float, list[float], list[float]]:
    """Transactions per action, waits of all actions, waits of looks and hand-offs alone."""
    with tempfile.TemporaryDirectory() as folder:
        one = _Replay(Path(folder), merging=merging)
        one.run(events)
        one.site.database.close()
        assert one.site.provider.refused == 0, "the service said that we are too fast"
        return len(one.site.provider.calls) / len(one.waits), sorted(one.waits), sorted(one.looks)


def one_call_each(events: Sequence[Event]) -> tuple[float, list[float], list[float]]:
    """What callers of every other client do: each action is one call, in the order of the clicks."""
    free, waits, looks = 0.0, list[float](), list[float]()
    for moment, _, action, _ in events:
        if action != "page":
            free = max(free, moment) + 1
            waits.append(free - 1 - moment)
            if action in {"view", "handoff"}:
                looks.append(waits[-1])
    return 1.0, sorted(waits), sorted(looks)


def _line(name: str, result: tuple[float, list[float], list[float]]) -> str:
    calls, waits, looks = result
    half, most = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
    look = looks[int(len(looks) * 0.99)] if looks else 0.0
    return f"{name:28} {calls:6.3f} {half:8.1f} {most:9.1f} {looks[len(looks) // 2]:9.1f} {look:9.1f}"


def main(arguments: list[str]) -> int:
    """Print one table for each rate."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trace")
    parser.add_argument("--sessions", type=int, default=600)
    parser.add_argument("--rates", default="0.1,0.2,0.5")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    for rate in map(float, chosen.rates.split(",")):
        events = trace(rate, chosen.sessions, chosen.seed)
        actions = sum(event[2] != "page" for event in events)
        print(f"{rate} cart sessions a second: {chosen.sessions} sessions, {actions} actions, one transaction a second")
        print(f"{'':28} {'calls':>6} {'all p50':>8} {'all p99':>9} {'look p50':>9} {'look p99':>9}  (per action; s)")
        print(_line("one call per action", one_call_each(events)))
        print(_line("ours", replay(events)), flush=True)
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
