"""Tables of an older version become new ones in place; newer ones are refused; nothing is half done."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, inspect, text

from flask_ecscart.errors import ConfigError
from flask_ecscart.state.sql import Database
from tests.support.databases import BOTH_DATABASES


def _metadata(*, wide: bool) -> MetaData:
    metadata = MetaData()
    more = [Column("colour", String(10))] if wide else []
    Table("things", metadata, Column("id", Integer, primary_key=True), *more)
    return metadata


def _old(url: str) -> None:
    database = Database(url)
    database.declare("things", 1, _metadata(wide=False))
    with database.transaction() as connection:
        connection.execute(text("INSERT INTO things (id) VALUES (7)"))
    database.close()


def _new(url: str, *, step: str = "ALTER TABLE things ADD COLUMN colour VARCHAR(10)") -> Database:
    database = Database(url)
    database.declare("things", 2, _metadata(wide=True), steps={1: lambda connection: connection.execute(text(step))})
    return database


def test_sqlite_is_upgraded_by_itself_and_keeps_what_it_has(tmp_database_url: str) -> None:
    _old(tmp_database_url)
    database = _new(tmp_database_url)
    with database.reading() as connection:
        assert connection.execute(text("SELECT id, colour FROM things")).all() == [(7, None)]
    database.close()


@pytest.mark.postgresql
def test_postgresql_waits_for_the_command(postgresql_url: str) -> None:
    _old(postgresql_url)
    database = _new(postgresql_url)
    with pytest.raises(ConfigError, match="flask ecscart upgrade"), database.reading():
        pass
    assert [tuple(one) for one in database.upgrade()] == [("things", 1, 2)]
    assert database.upgrade() == []
    with database.reading() as connection:
        assert connection.execute(text("SELECT id, colour FROM things")).all() == [(7, None)]
    database.close()


@BOTH_DATABASES
def test_a_step_that_fails_leaves_everything_as_it_was(tmp_database_url: str) -> None:
    _old(tmp_database_url)
    broken = _new(tmp_database_url, step="ALTER TABLE things ADD COLUMN colour VARCHAR(10); nonsense")
    with pytest.raises(Exception, match=r"nonsense|one statement"):
        broken.upgrade()
    broken.close()
    database = _new(tmp_database_url)
    assert [tuple(one) for one in database.upgrade()] == [("things", 1, 2)]
    database.close()


@BOTH_DATABASES
def test_tables_of_a_newer_package_are_refused(tmp_database_url: str) -> None:
    database = _new(tmp_database_url)
    database.upgrade()
    database.close()
    older = Database(tmp_database_url)
    older.declare("things", 1, _metadata(wide=False))
    for use in (older.reading, older.transaction):
        with pytest.raises(ConfigError, match="install the newer package"), use():
            pass
    with pytest.raises(ConfigError, match="install the newer package"):
        older.upgrade()
    assert {column["name"] for column in inspect(database._of_this_process()).get_columns("things")} == {"id", "colour"}
    older.close()
    database.close()
