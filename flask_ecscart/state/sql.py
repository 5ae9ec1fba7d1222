"""One SQL database for everything durable: a SQLite file in WAL mode, or PostgreSQL through psycopg 3.

`transaction()` writes, is durable when it ends, and is reentrant: a part that opens one inside another
part's joins it, so that both are kept or neither. On SQLite it takes the write lock at its beginning
(`BEGIN IMMEDIATE`): a transaction that reads first and writes later could not be let in otherwise.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from threading import RLock
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, InternalError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from flask_ecscart.clock import Clock, utc_now
from flask_ecscart.errors import ConfigError, StateUnavailable
from flask_ecscart.state.upgrade import Part, Step, Upgraded, prepare, versions

__all__ = ["Database"]

_ADVISORY_LOCK = 0x45435343
"""Number of the PostgreSQL advisory lock under which tables are created ("ECSC")."""
_BUSY_SECONDS = 10
_PATIENCE = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
"""How libpq finds out that PostgreSQL is cut off: without these a worker's thread would wait for hours."""
_SERVER_MOMENT = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)")


class Database:
    """A database by URL, shared by sessions and the cart service.

    Connections belong to the process that opened them: after a fork the child starts with none.
    Raises `StateUnavailable` when the server or file cannot be reached, `ConfigError` for a URL it cannot use.
    """

    def __init__(self, url: str) -> None:
        self.url = _checked(url)
        self._lock = RLock()
        self._engine: Engine | None = None
        self._pid = 0
        self._parts: dict[str, Part] = {}
        self._prepared_by = 0
        self._open: ContextVar[Connection | None] = ContextVar("ecscart_connection", default=None)
        self._looking: ContextVar[Connection | None] = ContextVar("ecscart_looking", default=None)

    def __repr__(self) -> str:
        """Without the password."""
        return f"Database({self.url.render_as_string(hide_password=True)!r})"

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a SQLite file."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def transaction(self) -> Generator[Connection, None, None]:
        """A connection inside a write transaction: committed when the block ends, rolled back when it raises."""
        joined = self._open.get()
        if joined is not None:
            yield joined
            return
        with _translated():
            self._prepare()
            with self._connection(write=True) as connection:
                token = self._open.set(connection)
                try:
                    yield connection
                finally:
                    self._open.reset(token)

    @contextmanager
    def reading(self) -> Generator[Connection, None, None]:
        """A connection that writes nothing. One opened inside another is the same: on SQLite, one moment for both."""
        joined = self._open.get() or self._looking.get()
        if joined is not None:
            yield joined
            return
        with _translated():
            self._prepare()
            with self._connection(write=False) as connection:
                token = self._looking.set(connection)
                try:
                    yield connection
                finally:
                    self._looking.reset(token)

    def declare(
        self,
        part: str,
        version: int,
        metadata: MetaData,
        *,
        fill: Callable[[Connection], object] | None = None,
        steps: Mapping[int, Step] | None = None,
    ) -> None:
        """Say which tables `part` of the package keeps here; reaches nothing yet.

        They are made, in a transaction of their own, before the first transaction of each process; `fill` then
        puts in what must be there from the beginning, and must not mind that it is. `steps[n]` changes tables of
        version n into those of n + 1: done by itself on SQLite, by `upgrade()` on PostgreSQL, where older tables
        are refused with `ConfigError`. A database written by a newer version is refused everywhere.
        """
        with self._lock:
            self._parts[part] = Part(part, version, metadata, fill, steps or {})
            self._prepared_by = 0

    def upgrade(self) -> list[Upgraded]:
        """Bring the tables of every declared part to this package's version, all or none; says what was done."""
        with _translated():
            return self._prepare_parts(upgrade=True)

    def milliseconds(self, connection: Connection, clock: Clock | None = None) -> int:
        """The moment by `clock`, or by the clock that all users of this database share, in ms since 1970."""
        if clock is None and not self.is_sqlite:
            return int(connection.execute(_SERVER_MOMENT).scalar_one())
        return round((clock or utc_now)().timestamp() * 1000)

    def _prepare(self) -> None:
        if self._prepared_by != os.getpid():
            self._prepare_parts(upgrade=self.is_sqlite)

    def _prepare_parts(self, *, upgrade: bool) -> list[Upgraded]:
        shown = self.url.render_as_string(hide_password=True)
        with self._lock, self._connection(write=True) as connection:
            token = self._open.set(connection)
            try:
                if not self.is_sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _ADVISORY_LOCK})
                found = versions(connection)
                done = [
                    prepare(connection, part, found.get(part.name), upgrade=upgrade, shown=shown)
                    for part in self._parts.values()
                ]
            finally:
                self._open.reset(token)
            self._prepared_by = os.getpid()
        return [one for one in done if one is not None]

    def close(self) -> None:
        """Close every connection of this process."""
        with self._lock:
            if self._engine is not None and self._pid == os.getpid():
                self._engine.dispose()
            self._engine = None

    @contextmanager
    def _connection(self, *, write: bool) -> Generator[Connection, None, None]:
        with self._of_this_process().connect() as connection:
            ready = connection.execution_options(ecscart_write=write)
            with ready.begin():
                yield ready

    def _of_this_process(self) -> Engine:
        if self._engine is None or self._pid != os.getpid():
            with self._lock:
                if self._engine is None or self._pid != os.getpid():
                    if self._engine is not None:
                        self._engine.dispose(close=False)  # the parent's connections are the parent's
                    self._engine = _engine(self.url)
                    self._pid = os.getpid()
        return self._engine


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ImportError) as problem:
        raise ConfigError(
            "ECSCART_DATABASE_URL",
            url.rsplit("@", maxsplit=1)[-1],
            "Use sqlite:////path/to/file.db or postgresql+psycopg://user:password@host/name.",
        ) from problem
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ConfigError(
            "ECSCART_DATABASE_URL", parsed.get_backend_name(), "Use SQLite or PostgreSQL (postgresql+psycopg://…)."
        )
    try:
        parsed.get_dialect().import_dbapi()
    except ImportError as problem:
        fix = 'Write postgresql+psycopg://… and install its driver: pip install "flask-ecscart[postgresql]".'
        raise ConfigError("ECSCART_DATABASE_URL", parsed.drivername, fix) from problem
    return parsed


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        patience = {name: value for name, value in _PATIENCE.items() if name not in url.query}
        options = {"pool_pre_ping": True, "pool_timeout": _BUSY_SECONDS, "hide_parameters": True}
        engine = create_engine(url, connect_args=patience, **options)
        event.listen(engine, "connect", _configure_postgresql)
        return engine
    if url.database and url.database != ":memory:":
        _make_closed(Path(url.database))
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, hide_parameters=True)
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_closed(file: Path) -> None:
    """Make the file, for its owner alone: it holds secrets. SQLite gives the files beside it the same mode."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):  # it is there already, or SQLite says better what is wrong
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _configure_postgresql(dbapi_connection: Any, _record: object) -> None:
    """Wait no longer for a lock than on SQLite, and let a process that froze in a transaction keep none for long."""
    # Statements, not startup options: PgBouncer refuses those.
    dbapi_connection.execute(f"SET lock_timeout = '{_BUSY_SECONDS}s'")
    dbapi_connection.execute(f"SET idle_in_transaction_session_timeout = '{2 * _BUSY_SECONDS}s'")
    dbapi_connection.commit()


def _configure_sqlite(dbapi_connection: Any, _record: object) -> None:
    dbapi_connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    cursor = dbapi_connection.cursor()
    _use_wal(cursor)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _use_wal(cursor: sqlite3.Cursor) -> None:
    """Switch to WAL. Two processes that make the file at one moment are told "locked" at once, without the timeout."""
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as problem:
            if "locked" not in str(problem) or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("ecscart_write", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def _translated() -> Generator[None, None, None]:
    try:
        yield
    except (OperationalError, InterfaceError, InternalError) as problem:  # PostgreSQL ended us, or only reads now
        raise StateUnavailable("The cart database does not answer; try again in a few seconds.") from problem
    except PoolTimeout as problem:
        raise StateUnavailable("Every connection to the cart database is busy; try again.") from problem
