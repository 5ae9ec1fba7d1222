"""`flask ecscart upgrade` and `purge`: for a site, and for a cart service that runs without one."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from flask_ecscart.cli import ecscart
from flask_ecscart.service.http import create_app
from flask_ecscart.service.keys import StoredKeys
from flask_ecscart.state.sql import Database
from tests.support.databases import BOTH_DATABASES
from tests.support.shop import LAMP, Shop


@BOTH_DATABASES
def test_upgrade_prepares_a_site_once(tmp_path: Path, tmp_database_url: str) -> None:
    shop = Shop(tmp_path, ECSCART_DATABASE_URL=tmp_database_url)
    first = shop.app.test_cli_runner().invoke(ecscart, ["upgrade"])
    assert "sessions: new → version" in first.output
    assert "service: new → version" in first.output
    again = shop.app.test_cli_runner().invoke(ecscart, ["upgrade"])
    assert (again.exit_code, again.output) == (0, "Everything is up to date.\n")
    assert shop.add(LAMP).status_code == 200
    shop.site.database.close()


@BOTH_DATABASES
def test_upgrade_knows_every_table_of_a_service_of_its_own(tmp_path: Path, tmp_database_url: str) -> None:
    if tmp_database_url.startswith("sqlite"):
        Path(tmp_database_url.removeprefix("sqlite:///")).touch()
    shop = Shop(tmp_path / "elsewhere")
    runner = shop.app.test_cli_runner()
    done = runner.invoke(ecscart, ["upgrade", "--database", tmp_database_url])
    assert done.exit_code == 0, done.output
    service = create_app(
        database_url=tmp_database_url, catalog=shop.catalog, keys={"AK": "secret"}, refuse_replays=True, rate=1
    )
    database: Database = service.extensions["ecscart_service_database"]
    assert database.upgrade() == [], "the command had left nothing to make"
    with database.transaction() as connection:
        connection.execute(text("UPDATE ecscart_schema SET version = 99 WHERE part = 'keys'"))
    database.close()
    refused = runner.invoke(ecscart, ["upgrade", "--database", tmp_database_url])
    assert refused.exit_code == 1
    assert "install the newer package" in refused.output


def test_purge_forgets_the_limits_of_shoppers_who_are_long_gone(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    fleeting = shop.site.fleeting
    assert fleeting is not None
    fleeting.limit("changes:ann", 1.0, 30)
    fleeting.put("reply:bob", b"{}", 60)
    with shop.site.database.transaction() as connection:
        connection.execute(text("UPDATE ecscart_fleeting SET at = at - 200000000 WHERE name = 'changes:ann'"))
    assert shop.app.test_cli_runner().invoke(ecscart, ["purge"]).exit_code == 0
    with shop.site.database.reading() as connection:
        assert connection.execute(text("SELECT name FROM ecscart_fleeting")).scalars().all() == ["reply:bob"]


@pytest.mark.postgresql
def test_an_older_service_database_is_refused_until_the_command_ran(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    StoredKeys(database)
    with database.transaction() as connection:
        connection.execute(text("UPDATE ecscart_schema SET version = 0 WHERE part = 'keys'"))
    database.close()
    other = Database(postgresql_url)
    StoredKeys(other)
    with pytest.raises(Exception, match="flask ecscart upgrade"), other.reading():
        pass
    other.close()
