"""What pages want to know, waiting in SQL for the one process that asks; and how asking went, by locale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Table, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from flask_ecscart.catalog.cache_tables import STATES, WANTED, declare, milliseconds, moment
from flask_ecscart.catalog.sources import SourceState
from flask_ecscart.state.sql import Database

__all__ = ["Batch", "Queue", "Task", "Want"]

Task = Literal["item", "choices"]
_MAX_WAITING = 2_000
_FORGET_AFTER = timedelta(minutes=5)
"""A page that still wants it says so again."""
_STRANGERS_WAIT = timedelta(seconds=60)
_MAX_TRIES = 3


class Want(NamedTuple):
    """One thing to ask."""

    locale: str
    asin: str
    task: Task = "item"
    stranger: bool = False
    """Neither the owner's file nor a cart has it: anybody may have made it up, so it waits behind the others."""


class Batch(NamedTuple):
    """What one call asks: several items of a locale, or the choices of one parent."""

    locale: str
    asins: tuple[str, ...]
    task: Task = "item"


class Queue:
    """The waiting wants of one source, and its states."""

    def __init__(self, database: Database, source: str, *, max_waiting: int = _MAX_WAITING) -> None:
        self._database = database
        self._source = source
        self._max_waiting = max_waiting
        declare(database)

    def put(self, wants: Iterable[Want], now: datetime) -> int:
        """Let `wants` wait; what waits already keeps its place. Returns how many there was no room for."""
        ordered = sorted(wants, key=lambda want: (want.stranger, want))
        strangers = sum(want.stranger for want in ordered)
        with self._database.transaction() as connection:
            waiting = self._waiting(connection)
            room = max(0, self._max_waiting - waiting)
            for_strangers = max(0, self._max_waiting // 2 - waiting)
            taken = ordered[: min(room, len(ordered) - strangers + min(strangers, for_strangers))]
            rows = [self._row(want, now) for want in taken]
            if rows:
                insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
                connection.execute(insert(WANTED).values(rows).on_conflict_do_nothing())
        return len(ordered) - len(taken)

    def next_locale(self, locales: Iterable[str]) -> str | None:
        """The locale out of `locales` that waits longest."""
        query = select(WANTED.c.locale).where(self._own(WANTED), WANTED.c.locale.in_(list(locales)))
        with self._database.reading() as connection:
            return connection.execute(query.order_by(WANTED.c.at, WANTED.c.locale).limit(1)).scalar()

    def batch(self, locale: str, size: int) -> Batch | None:
        """What to ask next in `locale`. Items come before choices; one that failed in company goes alone."""
        query = (
            select(WANTED.c.asin, WANTED.c.task, WANTED.c.tries)
            .where(self._own(WANTED), WANTED.c.locale == locale)
            .order_by(WANTED.c.task.desc(), WANTED.c.tries, WANTED.c.at, WANTED.c.asin)
            .limit(size)
        )
        with self._database.reading() as connection:
            rows: Sequence[Any] = connection.execute(query).all()
        if not rows:
            return None
        if rows[0].task == "choices" or rows[0].tries:
            return Batch(locale, (rows[0].asin,), rows[0].task)
        return Batch(locale, tuple(row.asin for row in rows if row.task == "item" and not row.tries))

    def done(self, batch: Batch) -> None:
        """`batch` was answered."""
        with self._database.transaction() as connection:
            connection.execute(delete(WANTED).where(self._rows_of(batch)))

    def failed(self, batch: Batch) -> None:
        """`batch` could not be read: ask for each alone from now on, and not for ever."""
        with self._database.transaction() as connection:
            connection.execute(update(WANTED).where(self._rows_of(batch)).values(tries=WANTED.c.tries + 1))
            connection.execute(delete(WANTED).where(self._own(WANTED), WANTED.c.tries >= _MAX_TRIES))

    def drop_forgotten(self, now: datetime) -> None:
        """Take out what waits so long that nobody looks at the page any more."""
        old = WANTED.c.at < milliseconds(now - _FORGET_AFTER)
        with self._database.transaction() as connection:
            connection.execute(delete(WANTED).where(self._own(WANTED), old))

    def waiting(self, locale: str) -> int:
        """How many wait in `locale`."""
        with self._database.reading() as connection:
            return self._waiting(connection, locale)

    # --- how it goes ------------------------------------------------------------------------------------

    def states(self) -> dict[str, SourceState]:
        """How the last call ended, by locale."""
        with self._database.reading() as connection:
            return {row.locale: _state(row) for row in connection.execute(select(STATES).where(self._own(STATES)))}

    def keep_state(self, locale: str, state: SourceState) -> None:
        """Replace the state of `locale`."""
        values = {
            "state": state.state,
            "detail": state.detail[:80],
            "since": milliseconds(state.since) if state.since else 0,
            "until": milliseconds(state.until) if state.until else None,
            "last_ok": milliseconds(state.last_ok) if state.last_ok else None,
            "failures": state.failures,
        }
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        put = insert(STATES).values(source=self._source, locale=locale, **values)
        with self._database.transaction() as connection:
            connection.execute(put.on_conflict_do_update(index_elements=["source", "locale"], set_=values))

    def _row(self, want: Want, now: datetime) -> dict[str, Any]:
        at = now + _STRANGERS_WAIT if want.stranger else now
        key = {"source": self._source, "locale": want.locale, "asin": want.asin, "task": want.task}
        return {**key, "at": milliseconds(at), "tries": 0}

    def _own(self, table: Table) -> Any:
        return table.c.source == self._source

    def _waiting(self, connection: Connection, locale: str | None = None) -> int:
        query = select(func.count()).select_from(WANTED).where(self._own(WANTED))
        if locale is not None:
            query = query.where(WANTED.c.locale == locale)
        return int(connection.execute(query).scalar_one())

    def _rows_of(self, batch: Batch) -> Any:
        wanted = (WANTED.c.locale == batch.locale) & (WANTED.c.task == batch.task)
        return self._own(WANTED) & wanted & WANTED.c.asin.in_(batch.asins)


def _state(row: Any) -> SourceState:
    return SourceState(
        state=row.state,
        detail=row.detail,
        since=moment(row.since),
        until=moment(row.until),
        last_ok=moment(row.last_ok),
        failures=row.failures,
    )
