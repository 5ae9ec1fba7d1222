"""One schedule: shoppers with tabs, workers that die, a network that fails, and what must be true when all is healed.

Everything comes of the seed: the same seed is the same schedule, step for step.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from flask_ecscart.carts import Carts, CartView, cart_mark
from flask_ecscart.errors import ECSError, RequestThrottled, StateUnavailable
from flask_ecscart.model import CartRef, NewItem
from flask_ecscart.wishes import LineChange
from tests.simulation.ledger import Asked, Ledger, Lines
from tests.simulation.scheduler import Process, Scheduler, Task, TooLong
from tests.simulation.world import LOCALES, TAGS, Lost, Ways, Worker, World, shown_to

__all__ = ["Outcome", "run"]

A, B, C, RARE, REFUSED = "B0TESTAAAA", "B0TESTBBBB", "B0TESTCCCC", "B0TESTRRRR", "B0TESTXXXX"
LIMITS = {A: 999, B: 999, C: 999, RARE: 3, REFUSED: 0}
_KINDS = ["add", "set", "remove", "area", "clear", "look", "leave"]
_ATTEMPTS = 8
_LONGEST = 150.0
"""Seconds until all is healed at the latest."""
_INTERFERENCE = 45.0
"""Seconds: a reply that verified a hand-off is younger, so what others did longer ago has been seen."""


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
        ways = _ways(rng, every_store=every_store)
        self.world = World(ways, self.scheduler, rng, limits=LIMITS, sql_url=sql_url)
        self.ledger = Ledger(LIMITS)
        self.outcome = Outcome(seed, ways=ways)
        self.healed = False
        self.browsers = Process("shoppers")
        self.lost_answers = rng.choice([0, 0.05, 0.2])
        self.kill_rate = rng.choice([0, 0, 0.001, 0.004, 0.01])
        self.kill_points = 0.2 if self.kill_rate else 0.0
        self.tabs_at_work = 0
        self.interfered = False
        world = self.world
        world.network.faults = rng.choice([0, 0.05, 0.15, 0.3])
        world.network.enforces = rng.random() < 0.3
        world.busy_at_start = rng.choice([0, 0, 0, 0.15, 0.3, 0.7])
        world.store.unknown_commits = rng.choice([0, 0, 0.02]) if ways.store == "memory-rows" else 0
        world.redis.lost_answers = rng.choice([0, 0, 0.03]) if ways.redis else 0

    def run(self) -> Outcome:
        world, scheduler, outcome = self.world, self.scheduler, self.outcome
        try:
            for number in range(world.ways.workers):
                world.start_worker(dispatches=number < world.ways.dispatching)
            if not world.ways.dispatching and not world.ways.embedded:
                world.start_worker(dispatches=False, serves=False)
            self._open_tabs()
            self._plan_events()
            scheduler.before_step = self._before_step if self.kill_rate else None
            ends = scheduler.now + _LONGEST
            scheduler.run(lambda: self.healed or scheduler.now > ends, most_steps=100_000, most_seconds=2000)
            self._heal()
            scheduler.before_step = None
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

    # --- the shoppers -----------------------------------------------------------------------------------

    def _open_tabs(self) -> None:
        rng = self.rng
        for number in range(rng.choice([1, 1, 2, 3])):
            shopper = f"shopper{number}"
            locales = ["US"] if rng.random() < 0.8 else list(LOCALES)
            for tab in range(rng.choice([1, 2, 2])):
                work = _Tab(self, shopper, f"{number}{'ab'[tab]}", locales)
                self.tabs_at_work += 1
                self.scheduler.spawn(self.browsers, f"tab {work.name}", work.run)

    def closed(self) -> None:
        """A tab has nothing more to do."""
        self.tabs_at_work -= 1
        if not self.tabs_at_work and not self.healed:
            self.scheduler.call_at(self.scheduler.now + self.rng.uniform(0, 20), self._heal)

    # --- what happens meanwhile -------------------------------------------------------------------------

    def _plan_events(self) -> None:
        rng, scheduler = self.rng, self.scheduler
        events = [self._pause, self._restart, self._expire, self._sell_out, self._store_away, self._set_clock]
        if self.world.ways.redis:
            events += [self._empty_redis, self._rewind_redis, self._rewind_redis, self._redis_away]
        for _ in range(rng.choice([0, 0, 1, 2, 4, 8])):
            scheduler.call_at(scheduler.now + rng.expovariate(1 / 10), rng.choice(events))

    def _before_step(self, task: Task) -> bool:
        if self.healed or task.process is self.browsers:
            return False
        task.dies_in -= 1
        if task.dies_in and self.rng.random() >= self.kill_rate:
            return False
        self._kill(task.process)
        return True

    def _kill(self, process: Process) -> None:
        self.outcome.kills += 1
        self.scheduler.kill(process)
        worker = next(worker for worker in self.world.workers if worker.process is process)
        worker.close()
        again = self.rng.uniform(0.1, 8)
        self.scheduler.call_at(self.scheduler.now + again, lambda: self._replace(worker))

    def _replace(self, worker: Worker) -> None:
        self.world.workers.remove(worker)
        self.world.start_worker(dispatches=worker.dispatches, serves=worker.serves)

    def _some_worker(self) -> Worker | None:
        alive = [worker for worker in self.world.workers if worker.process.alive]
        return self.rng.choice(alive) if alive else None

    def _pause(self) -> None:
        worker = self._some_worker()
        if worker is not None and not self.healed:
            worker.process.paused_until = self.scheduler.now + self.rng.uniform(1, 25)
            self.interfered = True
            self.scheduler.say(f"{worker.process.name} is paused until {worker.process.paused_until:.3f}")

    def _restart(self) -> None:
        worker = self._some_worker()
        if worker is not None and not self.healed:
            self.scheduler.say(f"{worker.process.name} is told to stop")
            worker.stop.set()
            worker.serves_now = False
            self.scheduler.call_at(self.scheduler.now + 2, lambda: self._end(worker))

    def _end(self, worker: Worker) -> None:
        if worker.process.alive:
            self._kill(worker.process)

    def _expire(self) -> None:
        service = self.world.service
        if service.refs and not self.healed and not self.world.ways.embedded:
            number = self.rng.randrange(len(service.refs))
            service.expire(number, self.scheduler.now)
            self.scheduler.say(f"cart {number:03} expires")

    def _sell_out(self) -> None:
        if self.healed:
            return
        asin = self.rng.choice([A, B])
        self.world.service.set_available(asin, self.scheduler.now, available=False)
        self.scheduler.say(f"{asin[-1]} is sold out")
        back = self.scheduler.now + self.rng.uniform(1, 40)
        self.scheduler.call_at(back, lambda: self.world.service.set_available(asin, self.scheduler.now, available=True))

    def _empty_redis(self) -> None:
        self.world.redis.empty()
        self.scheduler.say("redis is emptied")

    def _rewind_redis(self) -> None:
        """Whose turn it was is forgotten too: the next transaction may come too early, and is told so."""
        self.world.redis.lose_last_second()
        self.world.network.excused_until = self.scheduler.now + 1.2
        self.scheduler.say("redis loses the last second")

    def _redis_away(self) -> None:
        self.world.redis.away = not self.healed
        self.scheduler.say("redis is away")
        self.scheduler.call_at(self.scheduler.now + self.rng.uniform(0.5, 10), self._redis_back)

    def _redis_back(self) -> None:
        self.world.redis.away = False

    def _store_away(self) -> None:
        self.world.store.away = self.world.file.away = not self.healed
        self.scheduler.say("the database is away")
        self.scheduler.call_at(self.scheduler.now + self.rng.uniform(0.2, 6), self._store_back)

    def _store_back(self) -> None:
        self.world.store.away = self.world.file.away = False

    def _set_clock(self) -> None:
        if not self.healed:
            self.world.clock_offset += self.rng.choice([-90, -10, -2, 2, 10, 90])
            self.interfered = True
            self.scheduler.say(f"the clock is set to {self.world.clock_offset:+g}")

    def _heal(self) -> None:
        """No more faults; what is on its way still arrives."""
        if self.healed:
            return
        self.scheduler.say("all is healed")
        self.healed = True
        self.scheduler.stalls = 0.0
        world = self.world
        world.network.faults = 0.0
        world.store.unknown_commits = world.redis.lost_answers = self.lost_answers = 0.0
        self._redis_back()
        self._store_back()
        for asin in (A, B):
            world.service.set_available(asin, self.scheduler.now, available=True)
        for worker in world.workers:
            worker.process.paused_until = min(worker.process.paused_until, self.scheduler.now + 30)

    # --- what must be true ------------------------------------------------------------------------------

    def _nobody_asks(self) -> bool:
        return not self.tabs_at_work and self.world.nobody_asks() and bool(self.world.serving())

    def _check_nothing_is_forgotten(self) -> None:
        """What is not settled waits for a turn, without anybody having to look."""
        if self.world.ways.embedded:
            return
        worker = self.world.workers[-1]
        for shopper, locale in self.ledger.asked:
            wish = worker.sessions.read(shopper).carts.get(locale)
            waits = worker.queue.find(shopper, locale) is not None
            if wish is not None and wish.version != wish.settled and not waits:
                self.outcome.wrong.append(f"{shopper} {locale}: changed and not waiting for a turn")

    def _hand_everything_off(self) -> None:
        leavers = [_Leaver(self, shopper, locale) for shopper, locale in self.ledger.asked]
        for leaver in leavers:
            self.scheduler.spawn(self.browsers, leaver.name, leaver.run)
        self.scheduler.run(lambda: all(leaver.left for leaver in leavers), most_steps=200_000, most_seconds=4000)
        for leaver in leavers:
            if not leaver.left or leaver.found is None:
                self.outcome.wrong.append(f"{leaver.shopper} {leaver.locale}: cannot leave")
                continue
            verdict = self.ledger.judge(leaver.shopper, leaver.locale, leaver.found, areas=not leaver.was_touched)
            if verdict is not None:
                (self.outcome.over if verdict.over and not verdict.lost else self.outcome.lost).append(verdict.text)
        self.world.serving()[0].start_dispatching()  # the next shopper who comes

    def check_view(self, worker: Worker, view: CartView, shopper: str) -> None:
        """No CartId and no HMAC of any cart is in what a shopper sees."""
        if self.rng.random() < 0.05:
            shown = shown_to(worker, view, shopper)
            if any(ref.cart_id in shown or ref.hmac in shown for ref in self.world.service.refs):
                self.outcome.wrong.append(f"{shopper} sees a secret")

    def _sum_up(self) -> None:
        world, outcome, scheduler = self.world, self.outcome, self.scheduler
        outcome.answered = self.ledger.answered()
        outcome.calls = world.network.calls
        outcome.strays = world.network.strays
        outcome.steps, outcome.seconds = scheduler.steps, scheduler.now
        outcome.wrong += [f"{type(problem).__name__}: {problem}" for problem in scheduler.problems]
        if not self.interfered:
            outcome.wrong += world.network.too_early
        scheduler.before_step = None
        if not world.ways.embedded:
            known = {
                wish.ref.cart_id
                for shopper, _ in self.ledger.asked
                for wish in world.workers[-1].sessions.read(shopper).carts.values()
                if wish.ref is not None
            }
            outcome.orphans = len(set(world.service.alive()) - known)
            outcome.counted_orphans = world.workers[-1].queue.count("orphans")
        outcome.digest = scheduler.digest
        outcome.trace = scheduler.trace or []
        world.end()
        scheduler.kill(self.browsers)


class _Client:
    """A browser: asks again until it is answered."""

    patience: Sequence[float] = (4, 15, 15)

    def __init__(self, schedule: _Schedule, shopper: str, name: str) -> None:
        self.schedule = schedule
        self.scheduler = schedule.scheduler
        self.rng = schedule.rng
        self.shopper = shopper
        self.name = name
        self.asks = 0

    def ask(self, what: str, run: Callable[[Carts], object]) -> object:
        """One attempt. Returns `Lost`, an error or the answer."""
        serving = [worker for worker in self.schedule.world.serving() if worker.serves_now]
        if not serving:
            self.scheduler.sleep(1.0, "nobody listens")
            return Lost()
        worker = self.rng.choice(serving)
        dies_in = self.rng.randint(1, 20) if self.rng.random() < self.schedule.kill_points else 0
        name, patience = f"{self.name} {what}", self.rng.choice(self.patience)
        answer = worker.ask(name, run, patience=patience, dies_in=dies_in)
        if isinstance(answer, CartView):
            self.schedule.check_view(worker, answer, self.shopper)
        if not isinstance(answer, Lost) and self.rng.random() < self.schedule.lost_answers:
            return Lost()
        return answer

    def look(self, locale: str, *, times: int) -> CartView | None:
        """The cart, asked for again while it is pending."""
        for _ in range(times):
            answer = self.ask("look", lambda carts: carts.read(self.shopper, locale))
            if isinstance(answer, CartView) and not answer.pending:
                return answer
            after = answer.retry_after if isinstance(answer, (CartView, RequestThrottled, StateUnavailable)) else None
            self.scheduler.sleep(after or 1.0, "look again")
        return None

    def leave(self, locale: str, view: CartView) -> object:
        """The PurchaseURL, None, `Lost` or an error."""
        assert view.wish.ref is not None
        mark = cart_mark(view.wish.ref)
        return self.ask("leave", lambda carts: carts.leave(self.shopper, locale, mark))


class _Tab(_Client):
    """One tab: some changes, looks and hand-offs, one after the other."""

    def __init__(self, schedule: _Schedule, shopper: str, name: str, locales: Sequence[str]) -> None:
        super().__init__(schedule, shopper, name)
        self.locales = locales
        self.pause = self.rng.choice([0.05, 0.5, 1.0, 3.0])
        self.wavers = self.rng.random() < 0.4
        """Cannot decide between one and two of the same."""
        self.attempts = self.rng.choice([1, _ATTEMPTS, _ATTEMPTS, _ATTEMPTS])

    def run(self) -> None:
        rng = self.rng
        weights = [5, 50, 2, 2, 2, 15, 20] if self.wavers else [40, 22, 6, 6, 3, 14, 12]
        for number in range(rng.choice([2, 3, 4, 6, 8])):
            self.scheduler.sleep(rng.expovariate(1 / self.pause), "think")
            kind = rng.choices(_KINDS, weights)[0] if number else "add"
            getattr(self, f"_{kind}")(rng.choice(self.locales))
        self.schedule.closed()

    # --- changes ----------------------------------------------------------------------------------------

    def _add(self, locale: str) -> None:
        asins = [A] if self.wavers else self.rng.sample(list(LIMITS), self.rng.choice([1, 1, 1, 2]))
        items = [(asin, self.rng.choice([1, 1, 2])) for asin in asins]
        wanted = [NewItem(asin=asin, quantity=pieces) for asin, pieces in items]
        self._change("add", locale, lambda carts, key: carts.add(self.shopper, locale, wanted, key), items=items)

    def _set(self, locale: str, pieces: int | None = None) -> None:
        asin = A if self.wavers else self.rng.choice([A, A, B])
        pieces = self.rng.randint(1, 2 if self.wavers else 3) if pieces is None else pieces
        change = [LineChange(asin=asin, quantity=pieces)]
        self._change(
            "set", locale, lambda carts, key: carts.change(self.shopper, locale, change, key), asin=asin, pieces=pieces
        )

    def _remove(self, locale: str) -> None:
        self._set(locale, 0)

    def _area(self, locale: str) -> None:
        asin, area = self.rng.choice([A, B]), self.rng.choice(["active", "saved"])
        change = [LineChange(asin=asin, area=area)]  # type: ignore[arg-type]
        self._change(
            "area", locale, lambda carts, key: carts.change(self.shopper, locale, change, key), asin=asin, area=area
        )

    def _clear(self, locale: str) -> None:
        self._change("clear", locale, lambda carts, key: carts.clear(self.shopper, locale, key))

    def _change(self, kind: str, locale: str, run: Callable[[Carts, str], object], **values: object) -> None:
        self.asks += 1
        key = f"{self.name}{self.asks}"
        ledger = self.schedule.ledger
        note = ledger.note(self.shopper, locale, kind, self.scheduler.steps, **values)
        for _ in range(self.attempts):
            answer = self.ask(kind, lambda carts: run(carts, key))
            if isinstance(answer, CartView):
                self._answered(note)
                return
            if isinstance(answer, (Lost, StateUnavailable, RequestThrottled)):
                self.scheduler.sleep(self.rng.uniform(0.1, 3), "ask again")
                continue
            if isinstance(answer, ECSError):
                ledger.drop(self.shopper, locale, note)
                return
            raise AssertionError(f"{kind} was answered {answer!r}") from (
                answer if isinstance(answer, BaseException) else None
            )

    def _answered(self, note: Asked) -> None:
        note.answered, note.answered_at = True, self.scheduler.steps
        self.scheduler.say(f"{self.name} has an answer: {note.kind} {note.values}")

    # --- looking and leaving ----------------------------------------------------------------------------

    def _look(self, locale: str) -> None:
        self.look(locale, times=self.rng.choice([1, 1, 3]))

    def _leave(self, locale: str) -> None:
        view = self.look(locale, times=6)
        if view is None or view.cart is None or not view.cart.items or self.schedule.world.ways.embedded:
            return
        note = self.schedule.ledger.note(self.shopper, locale, "leave", self.scheduler.steps)
        answer = self.leave(locale, view)
        if isinstance(answer, str):
            self._visit(locale, answer, note)
        elif answer is None:
            self.schedule.ledger.drop(self.shopper, locale, note)
        elif not isinstance(answer, (Lost, StateUnavailable, RequestThrottled)):
            raise AssertionError(f"leaving was answered {answer!r}")

    def _visit(self, locale: str, url: str, note: Asked) -> None:
        self._answered(note)
        service = self.schedule.world.service
        ref = service.refs[int(url.rpartition("=")[2])]
        visits = self.rng.random() < 0.9
        if visits:
            arrived = service.visit(url)
            self.scheduler.say(f"{self.name} arrives with {arrived}")
            touched = service.touched_by_others.get(ref.cart_id, 0.0)
            if touched < self.scheduler.now - _INTERFERENCE and not self.schedule.world.clock_offset:
                note.left_with = arrived
            if ref.associate_tag != TAGS[locale]:
                self.schedule.outcome.wrong.append(f"{self.name} left with the tag {ref.associate_tag}")
        outcome = "arrived" if visits else "failed"
        answer_note = self.schedule.ledger.note(self.shopper, locale, outcome, self.scheduler.steps)
        answer = self.ask(outcome, lambda carts: carts.answer(self.shopper, locale, outcome))
        if isinstance(answer, CartView):
            self._answered(answer_note)


class _Leaver(_Client):
    """Leaves with a healed cart; `found` is what arrives, None when it could not leave."""

    patience = (300,)

    def __init__(self, schedule: _Schedule, shopper: str, locale: str) -> None:
        super().__init__(schedule, shopper, f"leaver-{shopper}-{locale}")
        self.locale = locale
        self.left = False
        self.found: Lines | None = None
        self.was_touched = False
        """A stray may have moved a line to the saved area, from where it is handed off as well."""

    def run(self) -> None:
        self.found = self._leave()
        self.left = True

    def _leave(self) -> Lines | None:
        for attempt in range(20):
            view = self.look(self.locale, times=400)
            if view is None:
                return None
            if view.cart is not None and attempt == 0 and (view.cart.saved or self.schedule.world.clock_offset):
                self.ask("forget", self._forget)
                continue
            if view.cart is not None and (since := self._touched_for(view.cart.ref)) < _INTERFERENCE:
                self.scheduler.sleep(_INTERFERENCE - since + 0.1, "wait until a verified reply is too old")
                continue
            if self.schedule.world.ways.embedded or view.cart is None or not view.cart.items:
                return self._as_shown(view)
            url = self.leave(self.locale, view)
            if isinstance(url, str):
                return self._at_the_retailer(view, url)
            self.scheduler.sleep(1.0, "leave again")
        return None

    def _forget(self, _carts: Carts) -> None:
        """Fleeting state may be lost at any moment; what others did to the cart is then seen at once.

        Where the clock was set back, an old reply looks like a new one once more.
        """
        self.schedule.world.serving()[0].account.known.forget_reply(self.shopper, self.locale)

    def _touched_for(self, ref: CartRef) -> float:
        """Seconds since somebody else changed the cart."""
        touched = self.schedule.world.service.touched_by_others.get(ref.cart_id, 0.0)
        self.was_touched = touched > 0
        return self.scheduler.now - touched

    def _as_shown(self, view: CartView) -> Lines:
        """Nothing to leave with: the cart as it is shown (all saved, or empty)."""
        saved = {item.asin: item.quantity for item in view.cart.saved} if view.cart is not None else {}
        items = {item.asin: item.quantity for item in view.cart.items} if view.cart is not None else {}
        both = {asin: (pieces, "active") for asin, pieces in items.items()}
        both |= {asin: (pieces, "saved") for asin, pieces in saved.items()}
        return tuple((asin, *both[asin]) for asin in sorted(both))

    def _at_the_retailer(self, view: CartView, url: str) -> Lines:
        service = self.schedule.world.service
        tag = service.refs[int(url.rpartition("=")[2])].associate_tag
        if tag != TAGS[self.locale]:
            self.schedule.outcome.wrong.append(f"{self.shopper} would leave with the tag {tag}")
        areas = {asin: area for asin, _, area in self._as_shown(view)}
        arrived = service.visit(url)
        return tuple((asin, arrived[asin], areas.get(asin, "active")) for asin in sorted(arrived))
