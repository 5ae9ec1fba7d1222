"""Sessions, queue, counters and fleeting state in a `MemoryStore`: what the SQL ones promise, at less cost.

`test_memory.py` holds each against the real one. The code that decides anything is not repeated here.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import msgspec

from flask_ecscart.clock import Clock
from flask_ecscart.dispatch.queue import CHANGED, Gone, Waiting
from flask_ecscart.shopper import Shopper
from flask_ecscart.state.counters import Count
from flask_ecscart.state.fleeting import Bell
from tests.simulation.store import Key, MemoryStore, Transaction

__all__ = ["MemoryCounters", "MemoryFleeting", "MemoryQueue", "MemorySessions"]

_LONGEST_DELAY = 900_000
_FARTHEST_TURN = 3_600_000


class MemorySessions:
    """`ShopperSessionInterface.read` and `.exclusive`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def read(self, shopper: str) -> Shopper:
        with self._store.reading("read session") as seen:
            data = seen.get(("session", shopper))
        return msgspec.json.decode(data, type=Shopper) if data is not None else Shopper()

    @contextmanager
    def exclusive(self, shopper: str) -> Generator[Shopper, None, None]:
        with self._store.transaction() as transaction:
            before = transaction.lock(("session", shopper)) or b"{}"
            kept = msgspec.json.decode(before, type=Shopper)
            yield kept
            after = msgspec.json.encode(kept)
            if after != before:
                transaction.put(("session", shopper), after)


class MemoryCounters:
    """`Counters.count`; all of a site are one row."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def count(self, day: date, counts: Iterable[Count]) -> None:
        with self._store.transaction() as transaction:
            sums: dict[str, int] = dict(transaction.lock(("counters",)) or {})
            for one in counts:
                sums[one.what] = sums.get(one.what, 0) + one.n
            transaction.put(("counters",), sums)


class _Row(msgspec.Struct, frozen=True):
    priority: int
    since: int
    due: int
    mark: int = 1
    attempts: int = 0
    sent: str | None = None


class MemoryQueue:
    """`Queue`, of one access key."""

    def __init__(self, store: MemoryStore, account: str, *, clock: Clock) -> None:
        self.account = account
        self._store = store
        self._clock = clock

    def site(self) -> str:
        return "s"

    def now(self) -> float:
        return self._now() / 1000

    def put(self, shopper: str, locale: str, priority: int) -> None:
        with self._store.transaction() as transaction:
            key, now = _queue_key(shopper, locale), self._now()
            row = transaction.lock(key)
            if row is None:
                transaction.put(key, _Row(priority, now, now))
                return
            sooner = priority < row.priority
            again = msgspec.structs.replace(
                row,
                mark=row.mark + 1,
                priority=priority if sooner else row.priority,
                since=now if sooner else row.since,
            )
            transaction.put(key, again)

    def next(self, *, changed_before: float | None, locales: Sequence[str]) -> Waiting | None:
        with self._store.reading("read queue") as seen:
            now = self._now()
            found = []
            for key in seen.keys("queue"):
                row = seen.get(key)
                urgent = row.priority < CHANGED
                if changed_before is not None:
                    urgent = urgent or row.since <= changed_before * 1000
                due = row.due <= now or row.due > now + _LONGEST_DELAY
                if key[2] in locales and urgent and due:
                    found.append((row.priority, row.since, key[1], key))
            return self._waiting(seen, min(found)[3]) if found else None

    def sending(self, waiting: Waiting, operation: str, *, day: str, most: int | None) -> bool:
        with self._store.transaction() as transaction:
            count = ("count", f"sent:{day}")
            if most is not None and (transaction.get(count) or 0) >= most:
                return False
            transaction.put(count, (transaction.lock(count) or 0) + 1)
            if not self._update(transaction, waiting, sent=operation):
                raise Gone("Another process serves this cart.")
            return True

    def done(self, waiting: Waiting) -> None:
        with self._store.transaction() as transaction:
            key = _queue_key(waiting.shopper, waiting.locale)
            row = transaction.lock(key)
            if row is not None and row.mark == waiting.mark and row.sent == waiting.sent:
                transaction.put(key, None)
            else:
                self.again(waiting)

    def again(self, waiting: Waiting) -> None:
        with self._store.transaction() as transaction:
            now = self._now()
            self._update(transaction, waiting, since=now, due=now, attempts=0, sent=None)

    def later(self, waiting: Waiting, seconds: float, *, unknown: bool) -> None:
        with self._store.transaction() as transaction:
            values: dict[str, Any] = {} if unknown else {"sent": None}
            due = self._now() + round(seconds * 1000)
            self._update(transaction, waiting, due=due, attempts=waiting.attempts + 1, **values)

    def outcome_lost(self, waiting: Waiting) -> Waiting:
        with self._store.transaction() as transaction:
            if self._update(transaction, waiting, sent="lost") and waiting.sent == "create":
                self.add("orphans")
        return msgspec.structs.replace(waiting, sent="lost")

    def keep_place(self, waiting: Waiting) -> None:
        with self._store.transaction() as transaction:
            self._update(transaction, waiting, sent=None)

    def find(self, shopper: str, locale: str) -> Waiting | None:
        with self._store.reading("read queue") as seen:
            return self._waiting(seen, _queue_key(shopper, locale))

    def ahead_of(self, waiting: Waiting | None, *, most: int) -> int:
        with self._store.reading("read queue") as seen:
            mine = (waiting.priority, round(waiting.since * 1000), waiting.shopper) if waiting is not None else None
            rows = [(seen.get(key), key[1]) for key in seen.keys("queue")]
        before = [
            shopper
            for row, shopper in rows
            if row.priority < CHANGED and (mine is None or (row.priority, row.since, shopper) < mine)
        ]
        return min(most, len(before))

    def is_empty(self) -> bool:
        with self._store.reading("read queue") as seen:
            return next(seen.keys("queue"), None) is None

    def lengths(self) -> dict[int, int]:
        found: dict[int, int] = {}
        with self._store.reading("read queue") as seen:
            for key in seen.keys("queue"):
                priority = seen.get(key).priority
                found[priority] = found.get(priority, 0) + 1
        return found

    def count(self, name: str) -> int:
        with self._store.reading("read count") as seen:
            return int(seen.get(("count", name)) or 0)

    def add(self, name: str, number: int = 1) -> None:
        with self._store.transaction() as transaction:
            key = ("count", name)
            transaction.put(key, (transaction.lock(key) or 0) + number)

    def _now(self) -> int:
        return _milliseconds(self._clock)

    def _update(self, transaction: Transaction, waiting: Waiting, **values: Any) -> bool:
        key = _queue_key(waiting.shopper, waiting.locale)
        row = transaction.lock(key)
        if row is None or row.sent != waiting.sent:
            return False
        transaction.put(key, msgspec.structs.replace(row, **values))
        return True

    def _waiting(self, seen: Transaction, key: Key) -> Waiting | None:
        row = seen.get(key)
        if row is None:
            return None
        return Waiting(
            shopper=key[1],
            locale=key[2],
            priority=row.priority,
            since=row.since / 1000,
            mark=row.mark,
            attempts=row.attempts,
            sent=row.sent,
            now=self.now(),
        )


class MemoryFleeting:
    """`SQLFleeting`: in the store itself, by the clock of the machine."""

    wakes = False

    def __init__(self, store: MemoryStore, *, clock: Clock, bell: Bell) -> None:
        self._store = store
        self._clock = clock
        self._bell = bell

    def take_lease(self, name: str, holder: str, seconds: float) -> bool:
        length = round(seconds * 1000)
        with self._store.reading("read lease") as seen:
            now = self._now()
            value, at = seen.get(_fleeting_key(name)) or ("", 0)
            if value != holder and now < at <= now + length:
                return False
        with self._store.transaction() as transaction:
            now = self._now()
            value, at = transaction.lock(_fleeting_key(name)) or ("", 0)
            if value != holder and at > now + length:
                transaction.put(_fleeting_key(name), (value, now + length))
                return False
            if value != holder and at > now:
                return False
            transaction.put(_fleeting_key(name), (holder, now + length))
            return True

    def drop_lease(self, name: str, holder: str) -> None:
        with self._store.transaction() as transaction:
            value, _ = transaction.lock(_fleeting_key(name)) or ("", 0)
            if value == holder:
                transaction.put(_fleeting_key(name), None)

    def take_turn(self, name: str, lease: str, holder: str, spacing: float, ahead: float = 0.0) -> float | None:
        with self._store.transaction() as transaction:
            now = self._now()
            value, until = transaction.lock(_fleeting_key(lease)) or ("", 0)
            if value != holder or until <= now:
                return None
            _, due = transaction.lock(_fleeting_key(name)) or ("", 0)
            if due > now + _FARTHEST_TURN:
                due = now + round(spacing * 1000)
                transaction.put(_fleeting_key(name), ("", due))
            if due > now + round(ahead * 1000):
                return float(due - now) / 1000
            transaction.put(_fleeting_key(name), ("", max(due, now) + round(spacing * 1000)))
            return 0.0

    def pace(self, name: str, seconds: float) -> None:
        with self._store.transaction() as transaction:
            transaction.lock(_fleeting_key(name))
            transaction.put(_fleeting_key(name), ("", self._now() + round(seconds * 1000)))

    def limit(self, name: str, interval: float, burst: int) -> float:
        step = round(interval * 1000)
        with self._store.transaction() as transaction:
            _, at = transaction.lock(_fleeting_key(name)) or ("", 0)
            now = self._now()
            used = max(now, min(at, now + step * burst)) + step
            if used > now + step * burst:
                return float(used - now - step * burst) / 1000
            transaction.put(_fleeting_key(name), ("", used))
            return 0.0

    def put(self, name: str, value: bytes, seconds: float) -> None:
        with self._store.transaction() as transaction:
            transaction.lock(_fleeting_key(name))
            transaction.put(_fleeting_key(name), (value, self._now() + round(seconds * 1000)))

    def get(self, name: str) -> bytes | None:
        with self._store.reading("get fleeting") as seen:
            value, at = seen.get(_fleeting_key(name)) or (b"", 0)
        return value if at > self._now() else None

    def forget(self, name: str) -> None:
        with self._store.transaction() as transaction:
            transaction.lock(_fleeting_key(name))
            transaction.put(_fleeting_key(name), None)

    def wake(self, name: str) -> None:
        self._bell.ring()

    def wait(self, name: str, seconds: float) -> None:
        self._bell.wait(seconds)

    def _now(self) -> int:
        return _milliseconds(self._clock)


def _queue_key(shopper: str, locale: str) -> Key:
    return ("queue", shopper, locale)


def _fleeting_key(name: str) -> Key:
    return ("fleeting", name)


def _milliseconds(clock: Clock) -> int:
    return round(clock().timestamp() * 1000)
