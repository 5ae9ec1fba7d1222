"""One schedule: shoppers with tabs, workers that die, a network that fails, and what must be true when all is healed.

Everything comes of the seed: the same seed is the same schedule, step for step.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.simulation.goods import LIMITS
from tests.simulation.ledger import Ledger
from tests.simulation.network import UNANSWERED
from tests.simulation.scheduler import Process, Scheduler, TooLong
from tests.simulation.shoppers import CALM, LEAVING, RESTLESS, Leaver, Street, Tab
from tests.simulation.troubles import Troubles
from tests.simulation.world import LOCALES, Ways, World

__all__ = ["Outcome", "run"]

_LONGEST = 150.0
"""Seconds until all is healed at the latest."""


@dataclass
class Outcome:
    """What became of a schedule."""

    seed: int
    lost: list[str] = field(default_factory=list)
    over: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """Promises broken otherwise: the rate, a stuck row, a wrong tag, a secret, an error nobody expected."""
    answered: int = 0
    calls: int = 0
    orphans: int = 0
    """Carts at the service that nobody knows."""
    counted_orphans: int = 0
    kills: int = 0
    strays: int = 0
    steps: int = 0
    seconds: float = 0.0
    digest: int = 0
    ways: Ways | None = None
    trace: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether any promise was broken."""
        return bool(self.lost or self.over or self.wrong)


def run(seed: int, *, sql_url: str, keep_trace: bool = False, every_store: bool = True) -> Outcome:
    """Run the schedule of a seed. `sql_url`: a SQLite file for those that use the real database code."""
    rng = random.Random(f"schedule {seed}")
    schedule = _Schedule(seed, rng, sql_url=sql_url, keep_trace=keep_trace, every_store=every_store)
    return schedule.run()


def _ways(rng: random.Random, *, every_store: bool) -> Ways:
    kind = rng.choices(["memory-file", "memory-rows", "sqlite", "embedded"], [49, 49, 1, 1])[0]
    if not every_store and kind not in {"memory-file", "memory-rows"}:
        kind = "memory-file"
    workers = rng.choice([2, 2, 2, 3])
    return Ways(
        store="sqlite" if kind == "embedded" else kind,
        redis=rng.random() < 0.5,
        embedded=kind == "embedded",
        workers=workers,
        dispatching=rng.choice([0, workers, workers]),
    )


class _Schedule:
    def __init__(self, seed: int, rng: random.Random, *, sql_url: str, keep_trace: bool, every_store: bool) -> None:
        self.rng = rng
        self.scheduler = Scheduler(rng, stalls=rng.choice([0, 0.005, 0.02, 0.05]), keep_trace=keep_trace)
        ways, browsers = _ways(rng, every_store=every_store), Process("shoppers")
        self.world = World(ways, self.scheduler, rng, limits=LIMITS, sql_url=sql_url)
        self.troubles = Troubles(self.world, self.scheduler, rng, spared=browsers)
        mood = rng.choices([CALM, RESTLESS, LEAVING], [58, 27, 15])[0]
        self.street = Street(self.world, self.scheduler, rng, self.troubles, Ledger(LIMITS), browsers, mood)
        # As if turns had been used before: the busier, the later changes are sent and the older replies may be.
        self.world.busy_at_start = rng.choice([0, 0, 0, 0.15, 0.3, 0.7])
        if mood is RESTLESS:
            self.world.busy_at_start = 1.0
            self.world.network.faults, self.world.network.weights = 0.3, UNANSWERED
        elif mood is LEAVING:
            self.scheduler.stalls = 0.0
            self.troubles.spare_all()
        self.outcome = Outcome(seed, ways=ways)

    def run(self) -> Outcome:
        world, scheduler, outcome = self.world, self.scheduler, self.outcome
        try:
            for number in range(world.ways.workers):
                world.start_worker(dispatches=number < world.ways.dispatching)
            if not world.ways.dispatching and not world.ways.embedded:
                world.start_worker(dispatches=False, serves=False)
            self._open_tabs()
            self.troubles.plan()
            ends = scheduler.now + _LONGEST
            scheduler.run(lambda: self.troubles.healed or scheduler.now > ends, most_steps=100_000, most_seconds=2000)
            self.troubles.heal()
            scheduler.run(self._nobody_asks, most_steps=200_000, most_seconds=4000)
            if not scheduler.problems:
                self._check_nothing_is_forgotten()
                self._hand_everything_off()
                scheduler.run(world.is_quiet, most_steps=200_000, most_seconds=4000)
        except TooLong as problem:
            outcome.wrong.append(f"stuck {problem}")
        finally:
            self._sum_up()
        return outcome

    def _open_tabs(self) -> None:
        rng = self.rng
        mood = self.street.mood
        for number in range(rng.choice(mood.shoppers)):
            locales = ["US"] if mood is not CALM or rng.random() < 0.8 else list(LOCALES)
            for tab in range(rng.choice(mood.tabs)):
                work = Tab(self.street, f"shopper{number}", f"{number}{'ab'[tab]}", locales)
                self.street.open_tabs += 1
                self.scheduler.spawn(self.street.browsers, f"tab {work.name}", work.run)

    # --- what must be true ------------------------------------------------------------------------------

    def _nobody_asks(self) -> bool:
        return not self.street.open_tabs and self.world.nobody_asks() and bool(self.world.serving())

    def _check_nothing_is_forgotten(self) -> None:
        """What is not settled waits for a turn, without anybody having to look."""
        if self.world.ways.embedded:
            return
        worker = self.world.workers[-1]
        for shopper, locale in self.street.ledger.asked:
            wish = worker.sessions.read(shopper).carts.get(locale)
            waits = worker.queue.find(shopper, locale) is not None
            if wish is not None and wish.version != wish.settled and not waits:
                self.outcome.wrong.append(f"{shopper} {locale}: changed and not waiting for a turn")

    def _hand_everything_off(self) -> None:
        leavers = [Leaver(self.street, shopper, locale) for shopper, locale in self.street.ledger.asked]
        for leaver in leavers:
            self.scheduler.spawn(self.street.browsers, leaver.name, leaver.run)
        self.scheduler.run(lambda: all(leaver.left for leaver in leavers), most_steps=200_000, most_seconds=4000)
        for leaver in leavers:
            if not leaver.left or leaver.found is None:
                self.outcome.wrong.append(f"{leaver.shopper} {leaver.locale}: cannot leave")
                continue
            verdict = self.street.ledger.judge(
                leaver.shopper, leaver.locale, leaver.found, areas=not leaver.was_touched
            )
            if verdict is not None:
                (self.outcome.over if verdict.over and not verdict.lost else self.outcome.lost).append(verdict.text)
        self.world.serving()[0].start_dispatching()  # the next shopper who comes

    def _sum_up(self) -> None:
        world, outcome, scheduler = self.world, self.outcome, self.scheduler
        outcome.answered = self.street.ledger.answered()
        outcome.calls = world.network.calls
        outcome.strays = world.network.strays
        outcome.steps, outcome.seconds = scheduler.steps, scheduler.now
        outcome.wrong += [f"{type(problem).__name__}: {problem}" for problem in scheduler.problems]
        outcome.wrong += self.street.wrong
        outcome.kills = self.troubles.kills
        if not world.clock_was_set:
            outcome.wrong += world.network.too_early
        scheduler.before_step = None
        if not world.ways.embedded:
            known = {
                wish.ref.cart_id
                for shopper, _ in self.street.ledger.asked
                for wish in world.workers[-1].sessions.read(shopper).carts.values()
                if wish.ref is not None
            }
            outcome.orphans = len(set(world.service.alive()) - known)
            outcome.counted_orphans = world.workers[-1].queue.count("orphans")
        outcome.digest = scheduler.digest
        outcome.trace = scheduler.trace or []
        world.end()
        scheduler.kill(self.street.browsers)
