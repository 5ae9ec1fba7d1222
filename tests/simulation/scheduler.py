"""Threads of control of simulated processes, and the seeded scheduler that decides at every step who goes on.

A task is a greenlet, so ordinary synchronous code runs in it unchanged. It gives up control in `step`, `sleep` and
`wait` only; between two of them nothing else happens. A process may be killed (its tasks end where they stand) or
paused; both are decided here and by the world, never by the code under test.
"""

from __future__ import annotations

import heapq
import random
import zlib
from collections.abc import Callable, Hashable
from typing import NamedTuple

from greenlet import GreenletExit, getcurrent, greenlet

__all__ = ["Killed", "Lock", "Process", "Scheduler", "Stop", "Task", "TooLong"]

START = 1_800_000_000.0
_NEVER = float("inf")
_A_STEP = 0.001
"""Seconds a step takes."""
_STALLS = (0.02, 0.2, 1.0, 4.0)


class Killed(GreenletExit):
    """kill -9: raised where the task stands. Nothing it still does reaches the world."""


class TooLong(AssertionError):
    """A schedule did not come to an end: something waits for ever."""


class Process:
    """Tasks that live and die together."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.paused_until = 0.0
        self.turn_taken_at = 0.0
        """When it last took a turn to send, by the clock of the world."""
        self.tasks: list[Task] = []
        self.on_death: list[Callable[[], None]] = []


class Task:
    """One thread of a process. `wake_at`: when it goes on by itself."""

    def __init__(self, name: str, process: Process, body: Callable[[], None]) -> None:
        self.name = name
        self.process = process
        self.body = body
        self.wake_at = 0.0
        self.key: Hashable = None
        self.what = "begin"
        self.transaction: object = None
        self.done = False
        self.dies_in = 0
        """At which of its steps the process is to be killed; 0: at none."""
        self.halts_in = 0
        """At which of its steps it is held up for long; 0: at none."""
        self.greenlet: greenlet | None = None


class _Timer(NamedTuple):
    at: float
    number: int
    call: Callable[[], None]


class Scheduler:
    """Runs tasks in an order that the seed decides. `stalls`: how often a step takes long."""

    def __init__(self, rng: random.Random, *, stalls: float = 0.0, keep_trace: bool = False) -> None:
        self.rng = rng
        self.now = START
        self.steps = 0
        self.digest = 0
        self.trace: list[str] | None = [] if keep_trace else None
        self.problems: list[BaseException] = []
        """What tasks died of."""
        self.stalls = stalls
        self.before_step: Callable[[Task], bool] | None = None
        """May kill or pause; True: the task does not go on now."""
        self.tasks: list[Task] = []
        self.running: Task | None = None
        """None while the test itself runs."""
        self._hub = getcurrent()
        self._random = rng.random
        self._timers: list[_Timer] = []
        self._timer_number = 0

    # --- for tasks --------------------------------------------------------------------------------------

    @property
    def current(self) -> Task:
        """The task that runs."""
        assert self.running is not None
        return self.running

    def step(self, what: str) -> None:
        """A point where others may go on. `what` is about to happen."""
        if self.running is not None:
            self._give_up(self.running, what, self.now, None)

    def sleep(self, seconds: float, what: str = "sleep") -> None:
        """Go on after `seconds`."""
        self._give_up(self.current, what, self.now + max(0.0, seconds), None)

    def wait(self, key: Hashable, seconds: float, what: str = "wait") -> None:
        """Go on after `notify(key)`, or after `seconds`."""
        self._give_up(self.current, what, self.now + max(0.0, seconds), key)

    def notify(self, key: Hashable, *, after: float = 0.0) -> None:
        """Let the tasks that wait for `key` go on, in `after` seconds."""
        for task in self.tasks:
            if task.key is not None and task.key == key:
                task.wake_at = min(task.wake_at, self.now + after)

    def _give_up(self, task: Task, what: str, wake_at: float, key: Hashable) -> None:
        if not task.process.alive:
            raise Killed
        task.what, task.wake_at, task.key = what, wake_at, key
        self._hub.switch()
        task.key = None

    # --- for the world ----------------------------------------------------------------------------------

    def spawn(self, process: Process, name: str, body: Callable[[], None]) -> Task:
        """A new thread of `process`."""
        task = Task(f"{process.name}.{name}", process, body)
        task.wake_at = self.now
        task.greenlet = greenlet(lambda: self._run(task), parent=self._hub)
        process.tasks.append(task)
        self.tasks.append(task)
        return task

    def call_at(self, moment: float, call: Callable[[], None]) -> None:
        """Let something happen in the world at `moment`."""
        self._timer_number += 1
        heapq.heappush(self._timers, _Timer(moment, self._timer_number, call))

    def kill(self, process: Process) -> None:
        """kill -9."""
        process.alive = False
        self.say(f"{process.name} is killed")
        for task in list(process.tasks):
            assert task.greenlet is not None
            assert self.running is None, "Processes are killed by the world, between two steps."
            self.running = task
            task.greenlet.throw(Killed)
            self.running = None
            self._end(task)
        for told in process.on_death:
            told()

    def no_timers(self) -> bool:
        """Nothing is about to happen in the world."""
        return not self._timers

    def say(self, what: str) -> None:
        """A line of the trace."""
        self.digest = zlib.crc32(f"{self.now:.3f} {what}".encode(), self.digest)
        if self.trace is not None:
            self.trace.append(f"{self.now - START:10.3f}  {what}")

    def run(self, until: Callable[[], bool], *, most_steps: int, most_seconds: float) -> None:
        """Go on until `until()` or a task dies of something; raises `TooLong`."""
        limit, ends = self.steps + most_steps, self.now + most_seconds
        while not until() and not self.problems:
            if self.steps > limit or self.now > ends:
                raise TooLong(f"after {self.steps} steps and {self.now - START:.0f} s: {self._standing()}")
            self._one_step()

    # --- one step ---------------------------------------------------------------------------------------

    def _one_step(self) -> None:
        self.steps += 1
        now = self.now
        if self._timers and self._timers[0].at <= now:
            heapq.heappop(self._timers).call()
            return
        ready = [task for task in self.tasks if task.wake_at <= now and task.process.paused_until <= now]
        if not ready:
            self.now = max(now, self._next_moment())
            return
        draw = self._random() * len(ready)
        task = ready[int(draw)]
        self.now = now + _A_STEP
        if self.stalls and draw % 1 < self.stalls:
            task.wake_at = now + self.rng.choice(_STALLS)
            return
        task.halts_in -= 1
        if not task.halts_in:
            task.wake_at = now + self.rng.uniform(0.5, 3)
            return
        if self.before_step is not None and self.before_step(task):
            return
        self.digest = zlib.crc32(task.what.encode(), self.digest + len(ready) & 0xFFFFFFFF)
        if self.trace is not None:
            self.trace.append(f"{self.now - START:10.3f}  {task.name:<18} {task.what}")
        assert task.greenlet is not None
        self.running = task
        task.greenlet.switch()
        self.running = None
        if task.greenlet.dead:
            self._end(task)

    def _next_moment(self) -> float:
        moment = min((max(task.wake_at, task.process.paused_until) for task in self.tasks), default=_NEVER)
        if self._timers:
            moment = min(moment, self._timers[0].at)
        if moment == _NEVER:
            raise TooLong("nobody has anything to do")
        return moment

    def _run(self, task: Task) -> None:
        try:
            task.body()
        except GreenletExit:
            pass
        except BaseException as problem:
            self.problems.append(problem)

    def _end(self, task: Task) -> None:
        if not task.done:
            task.done = True
            self.tasks.remove(task)
            task.process.tasks.remove(task)

    def _standing(self) -> str:
        return ", ".join(f"{task.name} at {task.what} until {task.wake_at - START:.1f}" for task in self.tasks)


class Lock:
    """A lock between tasks of one process, in place of `threading.Lock`."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._taken = False

    def __enter__(self) -> None:
        while self._taken:
            self._scheduler.wait(("lock", id(self)), 3600, "wait for a lock")
        self._taken = True

    def __exit__(self, *problem: object) -> None:
        self._taken = False
        self._scheduler.notify(("lock", id(self)))


class Stop:
    """`threading.Event` for the loops of a `Runner`."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._set = False

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True
        self._scheduler.notify(("stop", id(self)))

    def wait(self, seconds: float) -> bool:
        if not self._set:
            self._scheduler.wait(("stop", id(self)), seconds, "pause")
        return self._set
