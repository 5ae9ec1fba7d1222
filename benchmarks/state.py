"""What `Database.transaction()` costs beside the same durable commit by hand in sqlite3."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Column, Integer, MetaData, String, Table

from benchmarks.harness import Case, Suite
from flask_ecscart.state.sql import Database

__all__ = ["suite"]

_COMMITS = 200
_PAYLOAD = "x" * 200

_METADATA = MetaData()
_ROWS = Table(
    "bench_rows",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("payload", String, nullable=False),
)


@contextmanager
def suite(folder: Path) -> Iterator[Suite]:
    """Durable commits of one row: WAL, synchronous=FULL, BEGIN IMMEDIATE on both sides."""
    database = Database(f"sqlite:///{folder / 'ours.db'}")
    database.declare("bench", 1, _METADATA)
    with closing(sqlite3.connect(folder / "raw.db", isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("PRAGMA synchronous=FULL")
        raw.execute("CREATE TABLE bench_rows (id INTEGER PRIMARY KEY, payload TEXT NOT NULL)")
        cases = [
            Case("sqlite3 by hand", _COMMITS, lambda: _commit_by_hand(raw)),
            Case("Database.transaction()", _COMMITS, lambda: _commit_with(database)),
        ]
        yield Suite("Durable commits on SQLite", "commits/s", cases)
    database.close()


def _commit_by_hand(raw: sqlite3.Connection) -> None:
    for _ in range(_COMMITS):
        raw.execute("BEGIN IMMEDIATE")
        raw.execute("INSERT INTO bench_rows (payload) VALUES (?)", (_PAYLOAD,))
        raw.execute("COMMIT")


def _commit_with(database: Database) -> None:
    insert = _ROWS.insert()
    for _ in range(_COMMITS):
        with database.transaction() as connection:
            connection.execute(insert, {"payload": _PAYLOAD})
