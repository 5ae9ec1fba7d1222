"""The real database code between simulated processes: each has its own `Database` on one SQLite file.

Every transaction and reading is a step. The file's write lock is taken here first, so that a process that must wait
for it lets the others go on instead of stopping them all.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import Connection, MetaData, text

from flask_ecscart.errors import StateUnavailable
from flask_ecscart.state.sql import Database
from tests.simulation.scheduler import Scheduler

__all__ = ["SQLFile", "StepDatabase"]

_BUSY_SECONDS = 10.0


class SQLFile:
    """One file. `away`: nobody reaches it."""

    def __init__(self, scheduler: Scheduler, url: str) -> None:
        self.url = url
        self.scheduler = scheduler
        self.away = False
        self.commits = 0
        self._writer: object = None

    def reach(self, what: str) -> None:
        self.scheduler.step(what)
        if self.away:
            raise StateUnavailable("The database is away.")

    @contextmanager
    def writing(self) -> Generator[None, None, None]:
        """Hold the write lock."""
        ends = self.scheduler.now + _BUSY_SECONDS
        while self._writer is not None:
            if self.scheduler.now >= ends:
                raise StateUnavailable("The database is locked.")
            self.scheduler.wait(("file", self.url), ends - self.scheduler.now, "wait for the file")
        self._writer = me = object()
        try:
            yield
        finally:
            assert self._writer is me
            self._writer = None
            self.scheduler.notify(("file", self.url))

    def empty(self, database: Database) -> None:
        """Delete every row but the names that are made once."""
        tables = MetaData()
        with Database.transaction(database) as connection:
            tables.reflect(connection)
            for table in reversed(tables.sorted_tables):
                if table.name in {"ecscart_schema", "ecscart_versions"}:
                    continue
                if table.name == "ecscart_dispatch_counts":
                    connection.execute(text("DELETE FROM ecscart_dispatch_counts WHERE account <> ''"))
                elif table.name != "ecscart_remote_secrets":
                    connection.execute(table.delete())


class StepDatabase(Database):
    """`Database` whose transactions and readings are steps."""

    def __init__(self, file: SQLFile) -> None:
        super().__init__(file.url)
        self._file = file

    @contextmanager
    def transaction(self) -> Generator[Connection, None, None]:
        joined = self._open.get()
        if joined is not None:
            yield joined
            return
        self._file.reach("begin")
        with self._file.writing(), super().transaction() as connection:
            yield connection
            self._file.reach("commit")
        self._file.commits += 1
        self._file.scheduler.step("committed")

    @contextmanager
    def reading(self) -> Generator[Connection, None, None]:
        joined = self._open.get()
        if joined is not None:
            yield joined
            return
        self._file.reach("read")
        with super().reading() as connection:
            yield connection
