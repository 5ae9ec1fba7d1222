"""A Redis between simulated processes: what `RedisFleeting` promises, and what Redis does to it.

It may be away, lose all it has, or come back with what it had a second ago; an answer may be lost after the command
was carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask_ecscart.errors import StateUnavailable
from tests.simulation.scheduler import Scheduler

__all__ = ["Redis", "RedisFleetingStandIn"]

_FARTHEST_TURN = 3_600_000
_QUIET = 1.0
_LONGEST_WAIT = 0.5
_WAKE_KEPT = 2.0
_Answer = TypeVar("_Answer")


class Redis:
    """The server. `lost_answers`: how often."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.values: dict[str, tuple[object, int]] = {}
        """Name → value, and until when it is kept (ms)."""
        self.away = False
        self.lost_answers = 0.0
        self.scheduler = scheduler
        self._old: list[tuple[float, dict[str, tuple[object, int]]]] = []

    def now(self) -> int:
        """The server's clock, in milliseconds."""
        return round(self.scheduler.now * 1000)

    def get(self, name: str) -> object:
        value, until = self.values.get(name, (None, 0))
        return value if until > self.now() else None

    def set(self, name: str, value: object, milliseconds: float) -> None:
        self._remember()
        self.values[name] = (value, self.now() + max(1, round(milliseconds)))

    def delete(self, name: str) -> None:
        self._remember()
        self.values.pop(name, None)

    def empty(self) -> None:
        """A restart without a file, or FLUSHALL."""
        self.values.clear()
        self._old.clear()

    def lose_last_second(self) -> None:
        """A kill with AOF everysec."""
        since = self.scheduler.now - 1.0
        while self._old and self._old[-1][0] >= since:
            _, self.values = self._old.pop()

    def _remember(self) -> None:
        now = self.scheduler.now
        if not self._old or self._old[-1][0] < now - 0.05:
            self._old.append((now, dict(self.values)))
            del self._old[:-64]


class RedisFleetingStandIn:
    """`RedisFleeting` of one process."""

    wakes = True

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scheduler = redis.scheduler
        self._quiet_until = 0.0

    def take_lease(self, name: str, holder: str, seconds: float) -> bool:
        def run() -> bool:
            if self._redis.get(name) not in (None, holder):
                return False
            self._redis.set(name, holder, seconds * 1000)
            return True

        return self._ask("take lease", run)

    def drop_lease(self, name: str, holder: str) -> None:
        def run() -> None:
            if self._redis.get(name) == holder:
                self._redis.delete(name)

        self._ask("drop lease", run)

    def take_turn(self, name: str, lease: str, holder: str, spacing: float, ahead: float = 0.0) -> float | None:
        def run() -> float | None:
            if self._redis.get(lease) != holder:
                return None
            now, step = self._redis.now(), round(spacing * 1000)
            due = self._redis.get(name)
            if not isinstance(due, int) or due > now + _FARTHEST_TURN:
                due = now + step
                self._redis.set(name, due, 2 * _FARTHEST_TURN)
            if due > now + round(ahead * 1000):
                return (due - now) / 1000
            self._redis.set(name, max(due, now) + step, 2 * _FARTHEST_TURN)
            return 0.0

        return self._ask("take turn", run)

    def pace(self, name: str, seconds: float) -> None:
        def run() -> None:
            self._redis.set(name, self._redis.now() + max(1, round(seconds * 1000)), 2 * _FARTHEST_TURN)

        self._ask("pace", run)

    def limit(self, name: str, interval: float, burst: int) -> float:
        def run() -> float:
            now, step = self._redis.now(), round(interval * 1000)
            had = self._redis.get(name)
            used = max(now, min(had if isinstance(had, int) else 0, now + step * burst)) + step
            if used > now + step * burst:
                return (used - now - step * burst) / 1000
            self._redis.set(name, used, used - now)
            return 0.0

        return self._ask("limit", run)

    def put(self, name: str, value: bytes, seconds: float) -> None:
        self._ask("put", lambda: self._redis.set(name, value, seconds * 1000))

    def get(self, name: str) -> bytes | None:
        value = self._ask("get", lambda: self._redis.get(name))
        return value if isinstance(value, bytes) else None

    def forget(self, name: str) -> None:
        self._ask("forget", lambda: self._redis.delete(name))

    def wake(self, name: str) -> None:
        def run() -> None:
            self._redis.set("wake:" + name, True, _WAKE_KEPT * 1000)
            self._scheduler.notify(("wake", name))

        self._ask("wake", run)

    def wait(self, name: str, seconds: float) -> None:
        if self._ask("wait", lambda: self._redis.get("wake:" + name)) is None:
            self._scheduler.wait(("wake", name), max(0.01, min(seconds, _LONGEST_WAIT)), "blocked on redis")
        self._ask("woken", lambda: self._redis.delete("wake:" + name))

    def _ask(self, what: str, run: Callable[[], _Answer]) -> _Answer:
        if self._scheduler.now < self._quiet_until:
            raise StateUnavailable("Redis does not answer.")
        self._scheduler.step(f"redis {what}")
        lost = False
        if not self._redis.away:
            answer = run()
            lost = bool(self._redis.lost_answers) and self._scheduler.rng.random() < self._redis.lost_answers
            if not lost:
                return answer
        self._quiet_until = self._scheduler.now + _QUIET
        raise StateUnavailable("Redis does not answer.")
