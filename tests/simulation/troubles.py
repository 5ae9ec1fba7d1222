"""What happens to a site while shoppers use it: kills, pauses, restarts, outages, clocks, expiry; and that it ends."""

from __future__ import annotations

import random

from tests.simulation.goods import A, B
from tests.simulation.scheduler import Process, Scheduler, Task
from tests.simulation.world import Worker, World

__all__ = ["Troubles"]


class Troubles:
    """The troubles of one schedule, chosen by its seed. `spared`: a process nothing happens to."""

    def __init__(self, world: World, scheduler: Scheduler, rng: random.Random, *, spared: Process) -> None:
        self.world = world
        self.scheduler = scheduler
        self.rng = rng
        self.spared = spared
        self.healed = False
        self.kills = 0
        self.lost_answers = rng.choice([0, 0.05, 0.2])
        """How often a shopper does not get the answer of the site."""
        self.kill_rate = rng.choice([0, 0, 0.001, 0.004, 0.01])
        """How often a step is a process's last."""
        self.kill_points = 0.2 if self.kill_rate else 0.0
        """How often a request dies at one of its first twenty steps, whichever."""
        network, ways = world.network, world.ways
        network.faults = rng.choice([0, 0.05, 0.15, 0.3])
        network.enforces = rng.random() < 0.3
        world.store.unknown_commits = rng.choice([0, 0, 0.02]) if ways.store == "memory-rows" else 0
        world.redis.lost_answers = rng.choice([0, 0, 0.03]) if ways.redis else 0
        self.mild = False
        if self.kill_rate:
            scheduler.before_step = self.before_step

    def spare_all(self) -> None:
        """No troubles but those that threads and carts have by themselves."""
        self.kill_rate = self.kill_points = self.lost_answers = self.world.network.faults = 0.0
        self.scheduler.before_step = None
        self.mild = True

    def plan(self) -> None:
        """Choose what happens, and when."""
        if self.mild:
            return
        rng, scheduler = self.rng, self.scheduler
        events = [self._pause, self._restart, self._expire, self._sell_out, self._store_away, self._set_clock]
        if self.world.ways.redis:
            events += [self._empty_redis, self._rewind_redis, self._rewind_redis, self._redis_away]
        for _ in range(rng.choice([0, 0, 1, 2, 4, 8])):
            scheduler.call_at(scheduler.now + rng.expovariate(1 / 10), rng.choice(events))

    def before_step(self, task: Task) -> bool:
        if task.process is self.spared:
            return False
        task.dies_in -= 1
        if task.dies_in and self.rng.random() >= self.kill_rate:
            return False
        self._kill(task.process)
        return True

    def _kill(self, process: Process) -> None:
        self.kills += 1
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

    def expire_last(self) -> None:
        """The newest cart dies before its time."""
        self._expire_one(len(self.world.service.refs) - 1)

    def _expire(self) -> None:
        self._expire_one(self.rng.randrange(max(1, len(self.world.service.refs))))

    def _expire_one(self, number: int) -> None:
        service = self.world.service
        if service.refs and not self.healed and not self.world.ways.embedded:
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
            self.world.clock_was_set = True
            self.world.clock_offset += self.rng.choice([-90, -10, -2, 2, 10, 90])
            self.scheduler.say(f"the clock is set to {self.world.clock_offset:+g}")

    def heal(self) -> None:
        """No more faults; what is on its way still arrives."""
        if self.healed:
            return
        self.scheduler.say("all is healed")
        self.healed = True
        self.scheduler.stalls = 0.0
        self.scheduler.before_step = None
        world = self.world
        world.network.faults = 0.0
        world.store.unknown_commits = world.redis.lost_answers = self.lost_answers = 0.0
        self._redis_back()
        self._store_back()
        for asin in (A, B):
            world.service.set_available(asin, self.scheduler.now, available=True)
        for worker in world.workers:
            worker.process.paused_until = min(worker.process.paused_until, self.scheduler.now + 30)
