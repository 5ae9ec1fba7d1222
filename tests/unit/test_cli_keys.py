"""`flask ecscart keys` and `flask ecscart purge`: what they print, what they keep, and what they never show."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flask_ecscart.cli import ecscart
from flask_ecscart.model import NewItem
from flask_ecscart.service.engine import CartService
from flask_ecscart.service.keys import StoredKeys
from flask_ecscart.state.sql import Database
from tests.support.clock import FakeClock
from tests.support.databases import BOTH_DATABASES
from tests.unit.service.shop import BOOK, KEY, TAG, shop

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run("keys", "list")`: a command in an empty folder, with no app to be found."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(ecscart, list(words))


@BOTH_DATABASES
def test_a_new_key_is_printed_once_with_its_secret(run: Run, tmp_database_url: str, database: Database) -> None:
    added = run("keys", "add", "--database", tmp_database_url)
    assert added.exit_code == 0, added.output
    found = re.search(r"Access key: (AKIA[A-Z2-7]{16})\nSecret key: (\S{40})\n", added.stdout)
    assert found is not None
    assert StoredKeys(database).secrets() == {found.group(1): found.group(2)}
    listed = run("keys", "list", "--database", tmp_database_url)
    assert re.fullmatch(rf"{found.group(1)}  since 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ\n", listed.stdout)
    assert found.group(2) not in listed.output


def test_several_keys_live_beside_each_other_until_one_is_revoked(
    run: Run, tmp_database_url: str, database: Database
) -> None:
    at = ("--database", tmp_database_url)
    for key in ("OLD-KEY", "NEW_KEY"):
        assert run("keys", "add", "--id", key, *at).exit_code == 0
    assert set(StoredKeys(database).secrets()) == {"OLD-KEY", "NEW_KEY"}
    revoked = run("keys", "revoke", "OLD-KEY", *at)
    assert (revoked.exit_code, revoked.stdout) == (0, "Revoked OLD-KEY.\n")
    assert set(StoredKeys(database).secrets()) == {"NEW_KEY"}


def test_without_a_database_named_it_is_the_servers_own(run: Run, tmp_path: Path) -> None:
    assert run("keys", "add").exit_code == 0
    file = tmp_path / "ecscart-service.db"
    assert file.stat().st_mode & 0o777 == 0o600
    assert run("keys", "list").stdout.startswith("AKIA")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["keys", "add", "--id", "ONE"], "There is a key ONE already"),
        (["keys", "add", "--id", "with space"], "Use 1 to 128 letters"),
        (["keys", "revoke", "TWO"], "There is no key TWO. See: flask ecscart keys list"),
        (["keys", "list", "--database", "sqlite:///nowhere.db"], "There is no database file nowhere.db"),
        (["keys", "revoke", "ONE", "--database", "sqlite:///nowhere.db"], "There is no database file nowhere.db"),
        (["keys", "add", "--database", "mysql://user:canary@host/x"], "ECSCART_DATABASE_URL"),
        (["purge", "--database", "sqlite:///nowhere.db"], "There is no database file nowhere.db"),
    ],
    ids=range(7),
)
def test_what_cannot_be_done_is_said_with_the_next_step(run: Run, tmp_path: Path, words: list[str], said: str) -> None:
    assert run("keys", "add", "--id", "ONE").exit_code == 0
    result = run(*words)
    assert result.exit_code != 0
    assert said in result.output
    assert "canary" not in result.output
    assert not (tmp_path / "nowhere.db").exists()


def test_an_empty_list_says_how_to_begin(run: Run, tmp_database_url: str, database: Database) -> None:
    StoredKeys(database).secrets()
    listed = run("keys", "list", "--database", tmp_database_url)
    assert (listed.stdout, "flask ecscart keys add" in listed.stderr) == ("", True)


@BOTH_DATABASES
def test_purge_needs_no_app_when_it_is_told_the_database(
    run: Run, tmp_database_url: str, database: Database, clock: FakeClock
) -> None:
    then = CartService(database, shop(), hmac_key=KEY, clock=clock)  # its clock stands still, long ago or to come
    clock.advance(days=-100_000)
    dead = then.create("US", TAG, [NewItem(asin=BOOK, quantity=1)])
    clock.advance(days=200_000)
    alive = then.create("US", TAG, [NewItem(asin=BOOK, quantity=1)])
    purged = run("purge", "--database", tmp_database_url)
    assert (purged.exit_code, purged.stdout) == (0, "Deleted 1 carts.\n")
    assert run("purge", "--database", tmp_database_url).stdout == "Deleted 0 carts.\n"
    assert len(then.get(alive.ref).items) == 1
    assert dead.ref != alive.ref


def test_purge_without_a_database_wants_the_app(run: Run) -> None:
    result = run("purge")
    assert result.exit_code != 0
    assert "Flask application" in result.output
