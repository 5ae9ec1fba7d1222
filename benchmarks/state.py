"""What `Database.transaction()` costs beside the same durable commit by hand in sqlite3 and psycopg."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import Column, Integer, MetaData, String, Table

from benchmarks.harness import Aim, Case, Suite
from flask_ecscart.state.sql import Database
from tests.support.postgresql import postgresql_server

__all__ = ["postgresql", "sqlite"]

_COMMITS, _SLICES = 40, 5
_PAYLOAD = "x" * 200

_METADATA = MetaData()
_ROWS = Table(
    "bench_rows",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("payload", String, nullable=False),
)


@contextmanager
def sqlite(folder: Path) -> Iterator[Suite]:
    """Durable commits of one row: WAL, synchronous=FULL, BEGIN IMMEDIATE on both sides."""
    database = Database(f"sqlite:///{folder / 'ours.db'}")
    database.declare("bench", 1, _METADATA)
    with closing(sqlite3.connect(folder / "raw.db", isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("PRAGMA synchronous=FULL")
        raw.execute("CREATE TABLE bench_rows (id INTEGER PRIMARY KEY, payload TEXT NOT NULL)")
        cases = [
            Case("sqlite3 by hand", _COMMITS, lambda: _commit_by_hand(raw)),
            Case("Database.transaction()", _COMMITS, lambda: _commit_with(database), Aim(least=0.56)),
        ]
        yield Suite("Durable commits on SQLite", "/s", cases, slices=_SLICES)
    database.close()


@contextmanager
def postgresql(_folder: Path) -> Iterator[Suite]:
    """The same on PostgreSQL, over loopback, with a server that waits for the disk."""
    with postgresql_server(durable=True) as server, server.new_database() as url:
        database = Database(url)
        database.declare("bench", 1, _METADATA)
        with database.transaction():
            pass
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as raw:
            cases = [
                Case("psycopg by hand", _COMMITS, lambda: _psycopg_by_hand(raw)),
                Case("Database.transaction()", _COMMITS, lambda: _commit_with(database)),
            ]
            yield Suite("Durable commits on PostgreSQL", "/s", cases, slices=_SLICES)
        database.close()


def _commit_by_hand(raw: sqlite3.Connection) -> None:
    for _ in range(_COMMITS):
        raw.execute("BEGIN IMMEDIATE")
        raw.execute("INSERT INTO bench_rows (payload) VALUES (?)", (_PAYLOAD,))
        raw.execute("COMMIT")


def _psycopg_by_hand(raw: psycopg.Connection) -> None:
    for _ in range(_COMMITS):
        with raw.transaction():
            raw.execute("INSERT INTO bench_rows (payload) VALUES (%s)", (_PAYLOAD,))


def _commit_with(database: Database) -> None:
    insert = _ROWS.insert()
    for _ in range(_COMMITS):
        with database.transaction() as connection:
            connection.execute(insert, {"payload": _PAYLOAD})
