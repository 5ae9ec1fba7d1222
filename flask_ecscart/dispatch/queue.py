"""Which carts wait for a turn, and what was counted: durable, in the transaction that writes what is wanted.

One row for each (access key, shopper, locale), however much the cart waits for: the rows are an outbox, so that a
killed worker or an emptied Redis loses no work.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    and_,
    case,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from flask_ecscart.clock import Clock, utc_now
from flask_ecscart.errors import ECSCartError
from flask_ecscart.state.sql import Database

__all__ = ["CHANGED", "HANDOFF", "LOOKING", "Gone", "Queue", "Waiting", "account_of"]

HANDOFF = 0
"""A cart waits to leave: the most urgent there is."""
LOOKING = 1
"""It waits to be shown."""
CHANGED = 2
"""It waits to be brought up to date some time."""
_LONGEST_DELAY = 900_000
"""Milliseconds. A row that is due later was written before the clock was set back."""

_metadata = MetaData()
_QUEUE = Table(
    "ecscart_queue",
    _metadata,
    Column("account", String(16), primary_key=True),
    Column("shopper", String(64), primary_key=True),
    Column("locale", String(8), primary_key=True),
    Column("priority", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("mark", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("sent", String(8)),
    Index("ecscart_queue_order", "account", "priority", "since"),
)
"""`since`, `due`: ms; `mark` grows when more is asked; `sent`: the operation whose outcome nobody has written yet."""
_COUNTERS = Table(
    "ecscart_dispatch_counts",
    _metadata,
    Column("account", String(16), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)


def account_of(access_key: str) -> str:
    """The name under which an access key's queue, budget and lease are kept; the key itself goes nowhere."""
    return hashlib.sha256(access_key.encode()).hexdigest()[:16]


class Gone(ECSCartError):
    """Another dispatcher has taken this cart over, or served it already: nothing may be sent for it from here."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A cart that waits. `now` is when it was read; times are in seconds by the database's clock."""

    shopper: str
    locale: str
    priority: int
    since: float
    mark: int
    attempts: int
    sent: str | None
    now: float


class Queue:
    """The carts of one access key that wait for turns. `clock` replaces the database's clock."""

    def __init__(self, database: Database, account: str, *, clock: Clock | None = None) -> None:
        self.account = account
        self._database = database
        self._clock = clock
        self._site: str | None = None
        database.declare("dispatch", 1, _metadata, fill=self._name_the_site)

    def site(self) -> str:
        """A name of this database, made once: several sites may share a Redis and an access key."""
        if self._site is None:
            with self._database.reading() as connection:
                this = and_(_COUNTERS.c.account == "", _COUNTERS.c.name == "site")
                self._site = f"{connection.execute(select(_COUNTERS.c.value).where(this)).scalar_one():x}"
        return self._site

    def now(self) -> float:
        """The moment by the clock of the queue, in seconds."""
        if self._clock is not None or self._database.is_sqlite:
            return round((self._clock or utc_now)().timestamp() * 1000) / 1000
        with self._database.reading() as connection:
            return self._now(connection) / 1000

    # --- putting in -------------------------------------------------------------------------------------

    def put(self, shopper: str, locale: str, priority: int) -> None:
        """Let a cart wait, at least as urgently as `priority`; one that waits already keeps its place."""
        with self._database.transaction() as connection:
            now = self._now(connection)
            insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
            place = {"account": self.account, "shopper": shopper, "locale": locale}
            row = insert(_QUEUE).values(**place, priority=priority, since=now, due=now, mark=1, attempts=0)
            sooner = priority < _QUEUE.c.priority
            again: dict[str, Any] = {
                "mark": _QUEUE.c.mark + 1,
                "priority": case((sooner, priority), else_=_QUEUE.c.priority),
                "since": case((sooner, now), else_=_QUEUE.c.since),
            }
            connection.execute(row.on_conflict_do_update(index_elements=list(place), set_=again))

    # --- taking out -------------------------------------------------------------------------------------

    def next(self, *, changed_before: float | None, locales: Sequence[str]) -> Waiting | None:
        """The cart whose turn it is: the most urgent, among those the one that waits longest.

        Carts that only changed are taken when they changed before that moment (None: not at all). `locales` are
        those whose endpoints may be asked.
        """
        with self._database.reading() as connection:
            now = self._now(connection)
            urgent = _QUEUE.c.priority < CHANGED
            if changed_before is not None:
                urgent = or_(urgent, _QUEUE.c.since <= changed_before * 1000)
            due = or_(_QUEUE.c.due <= now, _QUEUE.c.due > now + _LONGEST_DELAY)
            mine = and_(_QUEUE.c.account == self.account, _QUEUE.c.locale.in_(locales), urgent, due)
            order = (_QUEUE.c.priority, _QUEUE.c.since, _QUEUE.c.shopper)
            row = connection.execute(select(_QUEUE).where(mine).order_by(*order).limit(1)).first()
        return _waiting(row, now) if row is not None else None

    def sending(self, waiting: Waiting, operation: str, *, day: str, most: int | None) -> bool:
        """Count one transaction of `day` and note that `operation` is on its way; False when `most` are spent.

        Raises `Gone` when somebody else noted something since `waiting` was read; so `waiting.sent` must be what the
        caller itself noted last. The methods below change nothing then.
        """
        with self._database.transaction() as connection:
            if most is not None and self._count(connection, f"sent:{day}") >= most:
                return False
            self._add(connection, f"sent:{day}", 1)
            if not self._update(connection, waiting, sent=operation):
                raise Gone("Another process serves this cart.")
            return True

    def done(self, waiting: Waiting) -> None:
        """Take a cart out; it goes to the end of the line when more was asked for meanwhile."""
        with self._database.transaction() as connection:
            same = and_(_still(self.account, waiting), _QUEUE.c.mark == waiting.mark)
            if connection.execute(delete(_QUEUE).where(same)).rowcount == 0:
                self.again(waiting)

    def again(self, waiting: Waiting) -> None:
        """Put a cart at the end of the line."""
        with self._database.transaction() as connection:
            now = self._now(connection)
            self._update(connection, waiting, since=now, due=now, attempts=0, sent=None)

    def later(self, waiting: Waiting, seconds: float, *, unknown: bool) -> None:
        """Try a cart again in `seconds`, at its old place. `unknown`: the last operation may have been applied."""
        with self._database.transaction() as connection:
            due = self._now(connection) + round(seconds * 1000)
            values: dict[str, Any] = {"due": due, "attempts": waiting.attempts + 1}
            self._update(connection, waiting, **values, **({} if unknown else {"sent": None}))

    def outcome_lost(self, waiting: Waiting) -> Waiting:
        """Nobody will ever say what became of the last operation: a CartCreate may have left an orphan."""
        with self._database.transaction() as connection:
            if self._update(connection, waiting, sent="lost") and waiting.sent == "create":
                self._add(connection, "orphans", 1)
        return msgspec.structs.replace(waiting, sent="lost")

    def keep_place(self, waiting: Waiting) -> None:
        """A cart that was not served after all stays where it is: nothing of it is on its way."""
        with self._database.transaction() as connection:
            self._update(connection, waiting, sent=None)

    # --- looking ----------------------------------------------------------------------------------------

    def find(self, shopper: str, locale: str) -> Waiting | None:
        """The row of a cart, None when it waits for nothing."""
        with self._database.reading() as connection:
            now = self._now(connection)
            this = _this(self.account, shopper, locale)
            row = connection.execute(select(_QUEUE).where(this)).first()
        return _waiting(row, now) if row is not None else None

    def ahead_of(self, waiting: Waiting | None, *, most: int) -> int:
        """How many urgent carts are served before this one (None: before one that comes now); counts to `most`."""
        before = and_(_QUEUE.c.account == self.account, _QUEUE.c.priority < CHANGED)
        if waiting is not None:
            since = round(waiting.since * 1000)
            same = and_(_QUEUE.c.since == since, _QUEUE.c.shopper < waiting.shopper)
            sooner = and_(_QUEUE.c.priority == waiting.priority, or_(_QUEUE.c.since < since, same))
            before = and_(before, or_(_QUEUE.c.priority < waiting.priority, sooner))
        with self._database.reading() as connection:
            rows = select(_QUEUE.c.shopper).where(before).limit(most).subquery()
            return int(connection.execute(select(func.count()).select_from(rows)).scalar_one())

    def is_empty(self) -> bool:
        """Whether nothing waits."""
        with self._database.reading() as connection:
            mine = select(_QUEUE.c.shopper).where(_QUEUE.c.account == self.account).limit(1)
            return connection.execute(mine).first() is None

    def lengths(self) -> dict[int, int]:
        """Priority → how many carts wait."""
        with self._database.reading() as connection:
            mine = select(_QUEUE.c.priority, func.count()).where(_QUEUE.c.account == self.account)
            return {row[0]: row[1] for row in connection.execute(mine.group_by(_QUEUE.c.priority))}

    # --- counting ---------------------------------------------------------------------------------------

    def count(self, name: str) -> int:
        """What was counted under `name`."""
        with self._database.reading() as connection:
            return self._count(connection, name)

    def add(self, name: str, number: int = 1) -> None:
        """Count `number` more under `name`."""
        with self._database.transaction() as connection:
            self._add(connection, name, number)

    def _count(self, connection: Connection, name: str) -> int:
        this = and_(_COUNTERS.c.account == self.account, _COUNTERS.c.name == name)
        return connection.execute(select(_COUNTERS.c.value).where(this)).scalar_one_or_none() or 0

    def _add(self, connection: Connection, name: str, number: int) -> None:
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        row = insert(_COUNTERS).values(account=self.account, name=name, value=number)
        more = {"value": _COUNTERS.c.value + number}
        connection.execute(row.on_conflict_do_update(index_elements=["account", "name"], set_=more))

    def _name_the_site(self, connection: Connection) -> None:
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        row = insert(_COUNTERS).values(account="", name="site", value=secrets.randbits(62))
        connection.execute(row.on_conflict_do_nothing())

    # --- rows -------------------------------------------------------------------------------------------

    def _now(self, connection: Connection) -> int:
        return self._database.milliseconds(connection, self._clock)

    def _update(self, connection: Connection, waiting: Waiting, **values: Any) -> bool:
        row = update(_QUEUE).where(_still(self.account, waiting)).values(**values)
        return connection.execute(row).rowcount == 1


def _this(account: str, shopper: str, locale: str) -> Any:
    return and_(_QUEUE.c.account == account, _QUEUE.c.shopper == shopper, _QUEUE.c.locale == locale)


def _still(account: str, waiting: Waiting) -> Any:
    """The row, while nobody else noted anything in it."""
    this = _this(account, waiting.shopper, waiting.locale)
    return and_(this, _QUEUE.c.sent.is_not_distinct_from(waiting.sent))


def _waiting(row: Any, now: int) -> Waiting:
    return Waiting(
        shopper=row.shopper,
        locale=row.locale,
        priority=row.priority,
        since=row.since / 1000,
        mark=row.mark,
        attempts=row.attempts,
        sent=row.sent,
        now=now / 1000,
    )
