"""A transactional store between simulated processes, with the promises SQLite and PostgreSQL make.

Write transactions are kept whole or not at all, reads see what was committed, a transaction inside another joins it.
`rows=False` is SQLite: one writer at a time, who waits ten seconds at most. `rows=True` is PostgreSQL: who writes a
row waits for whoever wrote it before, other rows go on meanwhile, and two that wait for each other are told so.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from flask_ecscart.errors import StateUnavailable
from tests.simulation.scheduler import Scheduler, Task

__all__ = ["Key", "MemoryStore", "Transaction"]

Key = tuple[str, ...]
_BUSY_SECONDS = 10.0
_WHOLE_FILE: Key = ("file",)


class Transaction:
    """What one task is about to commit."""

    def __init__(self, store: MemoryStore, task: Task | None) -> None:
        self._store = store
        self.task = task
        self.changed: dict[Key, Any] = {}
        self.locks: list[Key] = []
        self.waits_for: Transaction | None = None

    def get(self, key: Key) -> Any:
        """The row as this transaction sees it; None when it is not there."""
        return self.changed[key] if key in self.changed else self._store.committed.get(key)

    def lock(self, key: Key) -> Any:
        """The row, kept from other writers until the end. On SQLite that is so from the beginning."""
        if self._store.rows:
            self._store.acquire(self, key)
        return self.get(key)

    def put(self, key: Key, value: Any) -> None:
        """Write a locked row; None deletes it."""
        assert _WHOLE_FILE in self.locks or key in self.locks, f"{key} is written without its lock"
        self.changed[key] = value

    def keys(self, kind: str) -> Iterator[Key]:
        """Rows of a table, in the order of their keys."""
        every = {key for key in (*self._store.committed, *self.changed) if key[0] == kind}
        return iter(sorted(key for key in every if self.get(key) is not None))


class MemoryStore:
    """Rows by key. `away`: nobody reaches it. `unknown_commits`: how often the answer to a commit is lost."""

    def __init__(self, scheduler: Scheduler, *, rows: bool) -> None:
        self.rows = rows
        self.committed: dict[Key, Any] = {}
        self.away = False
        self.unknown_commits = 0.0
        self.commits = 0
        self._scheduler = scheduler
        self._holders: dict[Key, Transaction] = {}
        self._outside: Transaction | None = None

    @contextmanager
    def transaction(self) -> Generator[Transaction, None, None]:
        """A write transaction, or the one this task is in already."""
        joined = self._joined()
        if joined is not None:
            yield joined
            return
        self._reach("begin")
        transaction = Transaction(self, self._scheduler.running)
        try:
            if not self.rows:
                self.acquire(transaction, _WHOLE_FILE)
            self._open(transaction)
            yield transaction
            self._reach("commit")
            self.committed.update(transaction.changed)
            for key in [key for key, value in transaction.changed.items() if value is None]:
                del self.committed[key]
            self.commits += 1
        finally:
            self._close(transaction)
        self._scheduler.step("committed")
        if self.unknown_commits and transaction.changed and self._scheduler.rng.random() < self.unknown_commits:
            raise StateUnavailable("The connection was lost at the commit.")

    @contextmanager
    def reading(self, what: str = "read") -> Generator[Transaction, None, None]:
        """One consistent state. Nothing else happens while the block runs."""
        joined = self._joined()
        if joined is not None:
            yield joined
            return
        self._reach(what)
        yield Transaction(self, None)

    def acquire(self, transaction: Transaction, key: Key) -> None:
        """Wait for a row, or for the whole file."""
        if key in transaction.locks:
            return
        if self.rows:
            self._reach(f"lock {key[0]}")
        ends = self._scheduler.now + _BUSY_SECONDS
        while (holder := self._holders.get(key)) is not None:
            transaction.waits_for = holder
            self._check_deadlock(transaction)
            left = ends - self._scheduler.now if not self.rows else _BUSY_SECONDS
            if left <= 0:
                raise StateUnavailable("The database is locked.")
            self._scheduler.wait(("row", key), left, f"wait for {key[0]}")
        transaction.waits_for = None
        self._holders[key] = transaction
        transaction.locks.append(key)

    def _check_deadlock(self, transaction: Transaction) -> None:
        other = transaction.waits_for
        while other is not None:
            if other is transaction:
                raise StateUnavailable("Two transactions wait for each other.")
            other = other.waits_for

    def _reach(self, what: str) -> None:
        self._scheduler.step(what)
        if self.away:
            raise StateUnavailable("The database is away.")

    # --- whose transaction it is ------------------------------------------------------------------------

    def _joined(self) -> Transaction | None:
        task = self._scheduler.running
        found = self._outside if task is None else task.transaction
        return found if isinstance(found, Transaction) else None

    def _open(self, transaction: Transaction) -> None:
        if transaction.task is None:
            self._outside = transaction
        else:
            transaction.task.transaction = transaction

    def _close(self, transaction: Transaction) -> None:
        for key in transaction.locks:
            del self._holders[key]
            self._scheduler.notify(("row", key))
        transaction.locks = []
        if transaction.task is None:
            self._outside = None
        else:
            transaction.task.transaction = None
