"""The tables of the product cache: what a source said, what waits to be asked, and how asking went."""

from __future__ import annotations

from datetime import datetime, timezone

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table

from flask_ecscart.state.sql import Database

__all__ = ["ITEMS", "STATES", "WANTED", "declare", "milliseconds", "moment"]

_METADATA = MetaData()

ITEMS = Table(
    "ecscart_catalog_items",
    _METADATA,
    Column("source", String(16), primary_key=True),
    Column("locale", String(8), primary_key=True),
    Column("asin", String(10), primary_key=True),
    Column("fetched_at", BigInteger, nullable=False, index=True),
    Column("content", LargeBinary),
    Column("offers", LargeBinary),
    Column("choices", LargeBinary),
    Column("choices_at", BigInteger),
)
WANTED = Table(
    "ecscart_catalog_wanted",
    _METADATA,
    Column("source", String(16), primary_key=True),
    Column("locale", String(8), primary_key=True),
    Column("asin", String(10), primary_key=True),
    Column("task", String(8), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
)
STATES = Table(
    "ecscart_catalog_states",
    _METADATA,
    Column("source", String(16), primary_key=True),
    Column("locale", String(8), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("detail", String(80), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger),
    Column("last_ok", BigInteger),
    Column("failures", Integer, nullable=False),
)


def declare(database: Database) -> None:
    """Say that these tables are kept in `database`."""
    database.declare("catalog", 1, _METADATA)


def milliseconds(at: datetime) -> int:
    """`at` as it is kept."""
    return round(at.timestamp() * 1000)


def moment(at: int | None) -> datetime | None:
    """What was kept as `at`."""
    return None if at is None else datetime.fromtimestamp(at / 1000, timezone.utc)
