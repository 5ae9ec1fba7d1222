"""What was put into carts, and what was put into them together: counts in SQL, from which nobody can be told.

They are raised in the transaction that changes the cart. A new line costs at most eleven rows whatever the cart holds,
and rows are written in the order of their keys, so that two writers of the same counts never wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Executable,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from flask_ecscart.state.sql import Database

__all__ = ["MAX_PARTNERS", "Together"]

MAX_PARTNERS = 5
"""With how many entries beside it a new line is counted as put together: those that stand nearest."""
_METADATA = MetaData()
_PUTS = Table(
    "ecscart_remote_puts",
    _METADATA,
    Column("locale", String(8), primary_key=True),
    Column("asin", String(10), primary_key=True),
    Column("product_group", String(100), nullable=False),
    Column("times", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Index("ecscart_remote_puts_by_group", "locale", "product_group", "times"),
)
_PAIRS = Table(
    "ecscart_remote_pairs",
    _METADATA,
    Column("locale", String(8), primary_key=True),
    Column("asin", String(10), primary_key=True),
    Column("partner", String(10), primary_key=True),
    Column("times", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Index("ecscart_remote_pairs_by_times", "locale", "asin", "times"),
)
_VERSION = 1
_GROUP_LENGTH = 100
_KEPT_SECONDS = 90 * 24 * 3600
"""As long as a cart that holds them lives: what nobody puts into carts any more is forgotten."""


class Together:
    """The counts in `database`. Every method works in the transaction of its caller."""

    def __init__(self, database: Database) -> None:
        self.database = database
        database.declare("together", _VERSION, _METADATA)

    def note(
        self, connection: Connection, locale: str, added: Mapping[str, str | None], beside: Sequence[str], *, now: int
    ) -> None:
        """Count the ASINs `added` (ASIN → product group) to a cart in which `beside` stood already."""
        if not added:
            return
        puts = [
            {"locale": locale, "asin": asin, "product_group": _group(group), "times": 1, "last_at": now}
            for asin, group in sorted(added.items())
        ]
        connection.execute(_RAISE_PUTS[connection.dialect.name], puts)
        pairs = [
            {"locale": locale, "asin": one, "partner": other, "times": 1, "last_at": now}
            for one, other in sorted(_pairs(list(added), beside))
        ]
        if pairs:
            connection.execute(_RAISE_PAIRS[connection.dialect.name], pairs)

    def partners(self, connection: Connection, locale: str, asin: str, most: int) -> list[tuple[str, int]]:
        """What was put into carts together with `asin`, with how often, most often first."""
        wanted = select(_PAIRS.c.partner, _PAIRS.c.times).where(_PAIRS.c.locale == locale, _PAIRS.c.asin == asin)
        rows = connection.execute(wanted.order_by(_PAIRS.c.times.desc(), _PAIRS.c.partner).limit(most))
        return [(row.partner, row.times) for row in rows]

    def most_put(self, connection: Connection, locale: str, group: str | None, most: int) -> list[tuple[str, int]]:
        """What of a product group was put into carts, with how often, most often first."""
        wanted = select(_PUTS.c.asin, _PUTS.c.times).where(
            _PUTS.c.locale == locale, _PUTS.c.product_group == _group(group)
        )
        rows = connection.execute(wanted.order_by(_PUTS.c.times.desc(), _PUTS.c.asin).limit(most))
        return [(row.asin, row.times) for row in rows]

    def purge(self, connection: Connection, now: int) -> None:
        """Forget what was not put into any cart for ninety days."""
        for table in (_PAIRS, _PUTS):
            connection.execute(delete(table).where(table.c.last_at < now - _KEPT_SECONDS))


def _group(group: str | None) -> str:
    return (group or "")[:_GROUP_LENGTH]


def _pairs(added: Sequence[str], beside: Sequence[str]) -> set[tuple[str, str]]:
    """Both directions of every pair that counts: each new ASIN with those that stand nearest before it."""
    row = [*dict.fromkeys(asin for asin in reversed(beside) if asin not in added), *added]
    found: set[tuple[str, str]] = set()
    for place in range(len(row) - len(added), len(row)):
        for other in row[max(0, place - MAX_PARTNERS) : place]:
            found |= {(row[place], other), (other, row[place])}
    return found


def _raising(table: Table, dialect: Any, also: Iterable[str]) -> Executable:
    new = dialect.insert(table)
    changed = {"times": table.c.times + 1, **{name: new.excluded[name] for name in ("last_at", *also)}}
    statement: Executable = new.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed)
    return statement


# Made once: making a statement takes as long as running it.
_RAISE_PUTS = {
    name: _raising(_PUTS, dialect, ("product_group",))
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}
_RAISE_PAIRS = {
    name: _raising(_PAIRS, dialect, ()) for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}
