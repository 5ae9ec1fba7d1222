"""Fleeting state in the SQL database itself: what one machine, or a site without Redis, uses.

SQLite is used by one machine, whose clock counts; on PostgreSQL the server's clock does. A moment too far in
the future was written before the clock was set back; it is brought near again, so that nothing waits for it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from flask_ecscart.clock import Clock
from flask_ecscart.state.fleeting import Bell, ThreadBell
from flask_ecscart.state.sql import Database

__all__ = ["SQLFleeting"]

_metadata = MetaData()
_FLEETING = Table(
    "ecscart_fleeting",
    _metadata,
    Column("name", String(160), primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
)
"""`at`, in milliseconds: until when a lease or value is good, when a turn is due, how far a limit is used up."""
_NAMED = _FLEETING.c.name == bindparam("named")
# Made once, with parameters: making a statement takes as long as running it.
_READ = select(_FLEETING.c.value, _FLEETING.c.at).where(_NAMED)
_READ_LOCKED = _READ.with_for_update()
_WRITE = update(_FLEETING).where(_NAMED).values(value=bindparam("new"), at=bindparam("until"))
_NEVER = 0
_FARTHEST_TURN = 3_600_000
"""No turn is due later than in an hour."""


class _Row(NamedTuple):
    value: bytes
    at: int


class SQLFleeting:
    """`Fleeting` in a `Database`. `clock` replaces the clock of PostgreSQL or of this machine (SQLite)."""

    wakes = False

    def __init__(self, database: Database, *, clock: Clock | None = None, bell: Bell | None = None) -> None:
        self._database = database
        self._clock = clock
        self._bell = bell or ThreadBell()
        database.declare("fleeting", 1, _metadata)

    def take_lease(self, name: str, holder: str, seconds: float) -> bool:
        """See `Fleeting.take_lease`. A lease that is another's costs a read and no write."""
        mine, length = holder.encode(), round(seconds * 1000)
        with self._database.reading() as connection:
            now = self._database.milliseconds(connection, self._clock)
            row = _read(connection, name)
            if row is not None and row.value != mine and now < row.at <= now + length:
                return False
        with self._database.transaction() as connection:
            now = self._database.milliseconds(connection, self._clock)
            row = self._locked(connection, name)
            if row.value != mine and row.at > now + length:
                _write(connection, name, row.value, now + length)
                return False
            if row.value != mine and row.at > now:
                return False
            _write(connection, name, mine, now + length)
            return True

    def drop_lease(self, name: str, holder: str) -> None:
        """See `Fleeting.drop_lease`."""
        with self._database.transaction() as connection:
            mine = (_FLEETING.c.name == name) & (_FLEETING.c.value == holder.encode())
            connection.execute(delete(_FLEETING).where(mine))

    def take_turn(self, name: str, lease: str, holder: str, spacing: float, ahead: float = 0.0) -> float | None:
        """See `Fleeting.take_turn`."""
        with self._database.transaction() as connection:
            now = self._database.milliseconds(connection, self._clock)
            held = self._locked(connection, lease)
            if held.value != holder.encode() or held.at <= now:
                return None
            due = self._locked(connection, name).at
            if due > now + _FARTHEST_TURN:
                due = now + round(spacing * 1000)
                _write(connection, name, b"", due)
            if due > now + round(ahead * 1000):
                return (due - now) / 1000
            _write(connection, name, b"", max(due, now) + round(spacing * 1000))
            return 0.0

    def pace(self, name: str, seconds: float) -> None:
        """See `Fleeting.pace`."""
        with self._database.transaction() as connection:
            self._locked(connection, name)
            now = self._database.milliseconds(connection, self._clock)
            _write(connection, name, b"", now + round(seconds * 1000))

    def limit(self, name: str, interval: float, burst: int) -> float:
        """See `Fleeting.limit`; the generic cell rate algorithm."""
        step = round(interval * 1000)
        with self._database.transaction() as connection:
            row = self._locked(connection, name)
            now = self._database.milliseconds(connection, self._clock)
            used = max(now, min(row.at, now + step * burst)) + step
            if used > now + step * burst:
                return (used - now - step * burst) / 1000
            _write(connection, name, b"", used)
            return 0.0

    def put(self, name: str, value: bytes, seconds: float) -> None:
        """See `Fleeting.put`."""
        with self._database.transaction() as connection:
            now = self._database.milliseconds(connection, self._clock)
            insert = self._insert(name, value, now + round(seconds * 1000))
            new = {"value": insert.excluded.value, "at": insert.excluded.at}
            connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=new))

    def get(self, name: str) -> bytes | None:
        """See `Fleeting.get`."""
        with self._database.reading() as connection:
            row = _read(connection, name)
            good = row is not None and row.at > self._database.milliseconds(connection, self._clock)
        return row.value if row is not None and good else None

    def forget(self, name: str) -> None:
        """See `Fleeting.forget`."""
        with self._database.transaction() as connection:
            connection.execute(delete(_FLEETING).where(_FLEETING.c.name == name))

    def wake(self, name: str) -> None:  # noqa: ARG002 - one bell for all: who wakes for nothing looks and waits on
        """Wakes this process only; see `Fleeting.wake`."""
        self._bell.ring()

    def wait(self, name: str, seconds: float) -> None:  # noqa: ARG002
        """See `Fleeting.wait`; other processes cannot end it."""
        self._bell.wait(seconds)

    def purge(self) -> int:
        """Delete what has been good for nothing for a day; returns how many."""
        with self._database.transaction() as connection:
            now = self._database.milliseconds(connection, self._clock)
            old = or_(_FLEETING.c.at < now - 86_400_000, _FLEETING.c.at > now + 10 * _FARTHEST_TURN)
            return connection.execute(delete(_FLEETING).where(old)).rowcount

    def _insert(self, name: str, value: bytes, at: int) -> Any:
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        return insert(_FLEETING).values(name=name, value=value, at=at)

    def _locked(self, connection: Connection, name: str) -> _Row:
        """The row, made when it is not there, kept from other writers until the transaction ends."""
        row = _read(connection, name, lock=True)
        if row is None:
            connection.execute(self._insert(name, b"", _NEVER).on_conflict_do_nothing())
            row = _read(connection, name, lock=True)
        return row or _Row(b"", _NEVER)


def _read(connection: Connection, name: str, *, lock: bool = False) -> _Row | None:
    row = connection.execute(_READ_LOCKED if lock else _READ, {"named": name}).first()
    return _Row(bytes(row.value), row.at) if row is not None else None


def _write(connection: Connection, name: str, value: bytes, at: int) -> None:
    connection.execute(_WRITE, {"named": name, "new": value, "until": at})
