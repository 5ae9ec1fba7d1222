"""Access keys: where they are kept, how fast a change is noticed, and that a signature is taken once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from flask_ecscart.errors import ConfigError
from flask_ecscart.service.keys import (
    LiveKeys,
    SeenSignatures,
    StoredKeys,
    is_open_to_others,
    new_key,
    new_secret,
    read_keys_file,
)
from flask_ecscart.state.sql import Database
from tests.support.clock import START, FakeClock
from tests.support.databases import BOTH_DATABASES

# --- In the database -----------------------------------------------------------------------------------------


@BOTH_DATABASES
def test_keys_are_added_listed_without_secrets_and_revoked(database: Database, clock: FakeClock) -> None:
    keys = StoredKeys(database)
    assert keys.add("AKIAONE", "secret one", now=clock())
    assert keys.add("AKIATWO", "secret two", now=clock.advance(seconds=1))
    assert [(key.access_key, key.created_at) for key in keys.listed()] == [
        ("AKIAONE", START),
        ("AKIATWO", START + timedelta(seconds=1)),
    ]
    assert "secret" not in repr(keys.listed())
    assert keys.secrets() == {"AKIAONE": "secret one", "AKIATWO": "secret two"}
    assert keys.revoke("AKIAONE")
    assert not keys.revoke("AKIAONE")
    assert keys.secrets() == {"AKIATWO": "secret two"}


@BOTH_DATABASES
def test_an_id_that_is_there_keeps_its_secret(database: Database, clock: FakeClock) -> None:
    keys = StoredKeys(database)
    assert keys.add("AKIAONE", "first", now=clock())
    assert not keys.add("AKIAONE", "second", now=clock())
    assert keys.secrets() == {"AKIAONE": "first"}


@pytest.mark.parametrize("access_key", ["", "A" * 129, "A B", "A:B", "A\n", "Ä", "../x"])
def test_an_id_that_cannot_be_sent_is_refused(database: Database, clock: FakeClock, access_key: str) -> None:
    with pytest.raises(ConfigError, match="Use 1 to 128 letters"):
        StoredKeys(database).add(access_key, "secret", now=clock())


def test_a_running_server_notices_new_and_revoked_keys_within_two_seconds(database: Database, clock: FakeClock) -> None:
    stored = StoredKeys(database)
    stored.add("AKIAOLD", "old", now=clock())
    live = LiveKeys(stored, {"AKIAGIVEN": "given", "AKIABOTH": "of the file"}, clock=clock)
    assert [live.get(key) for key in ("AKIAOLD", "AKIAGIVEN", "AKIANEW")] == ["old", "given", None]
    stored.revoke("AKIAOLD")
    stored.add("AKIANEW", "new", now=clock())
    stored.add("AKIABOTH", "of the database", now=clock())
    clock.advance(seconds=2)
    found = [live.get(key) for key in ("AKIAOLD", "AKIAGIVEN", "AKIANEW", "AKIABOTH")]
    assert found == [None, "given", "new", "of the file"]


def test_a_clock_set_back_keeps_no_revoked_key_alive(database: Database, clock: FakeClock) -> None:
    stored = StoredKeys(database)
    stored.add("AKIAOLD", "old", now=clock())
    live = LiveKeys(stored, {}, clock=clock)
    assert live.get("AKIAOLD") == "old"
    stored.revoke("AKIAOLD")
    clock.advance(hours=-1)
    assert live.get("AKIAOLD") is None


def test_unknown_ids_cost_no_look_into_the_database(database: Database, clock: FakeClock) -> None:
    class Counted(StoredKeys):
        reads = 0

        def secrets(self) -> dict[str, str]:
            self.reads += 1
            return super().secrets()

    stored = Counted(database)
    live = LiveKeys(stored, {}, clock=clock)
    assert [live.get(f"AKIA{number}") for number in range(100)] == [None] * 100
    assert stored.reads == 1


def test_reprs_hold_no_secret(database: Database, clock: FakeClock) -> None:
    assert "hidden" not in repr(LiveKeys(StoredKeys(database), {"AKIAONE": "hidden"}, clock=clock))


def test_new_keys_and_secrets_have_the_usual_shape_and_differ() -> None:
    keys, secrets = {new_key() for _ in range(50)}, {new_secret() for _ in range(50)}
    assert (len(keys), len(secrets)) == (50, 50)
    assert {(len(key), key[:4]) for key in keys} == {(20, "AKIA")}
    assert {len(secret) for secret in secrets} == {40}


# --- Signatures that were used -------------------------------------------------------------------------------


@BOTH_DATABASES
def test_a_signature_is_new_once_for_every_worker(database: Database, tmp_database_url: str, clock: FakeClock) -> None:
    other = Database(tmp_database_url)
    workers = [SeenSignatures(one, clock=clock) for one in (database, other)]
    until = clock() + timedelta(minutes=15)
    assert workers[0].first_use("signature", until)
    assert not workers[1].first_use("signature", until)
    assert workers[1].first_use("another", until)
    other.close()


@BOTH_DATABASES
def test_of_many_at_once_one_is_the_first(database: Database, clock: FakeClock) -> None:
    seen = SeenSignatures(database, clock=clock)
    until = clock() + timedelta(minutes=15)
    with ThreadPoolExecutor(8) as threads:
        firsts = list(threads.map(lambda _: seen.first_use("signature", until), range(24)))
    assert firsts.count(True) == 1


@BOTH_DATABASES
def test_a_signature_is_remembered_as_long_as_it_is_valid_and_no_longer(database: Database, clock: FakeClock) -> None:
    seen = SeenSignatures(database, clock=clock)
    until = clock() + timedelta(minutes=15)
    for number in range(20):
        assert seen.first_use(f"signature {number}", until)
    clock.now = until
    assert not seen.first_use("signature 0", until)
    clock.advance(seconds=2)
    assert seen.first_use("the next", clock() + timedelta(minutes=15))
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM ecscart_seen_signatures")).scalar_one() == 1


def test_signatures_are_kept_as_digests_only(database: Database, tmp_path: Path, clock: FakeClock) -> None:
    SeenSignatures(database, clock=clock).first_use("canary-signature", clock())
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("cart.db*"))
    assert b"ecscart_seen_signatures" in kept
    assert b"canary-signature" not in kept


# --- In a file -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        "AKIAONE:one/+=\nAKIATWO:two:2",
        "# both\r\n\r\n  AKIAONE : one/+= \r\nAKIATWO:two:2\r\n",
        "\ufeffAccess key ID,Secret access key\nAKIAONE,one/+=\nAKIATWO,two:2\n",
        "id:secret\nAKIAONE:one/+=\nAKIATWO:two:2",
    ],
    ids=["lines", "comments", "csv", "header"],
)
def test_a_keys_file_has_a_key_a_line(tmp_path: Path, content: str) -> None:
    file = tmp_path / "keys"
    file.write_bytes(content.encode())
    assert read_keys_file(file) == {"AKIAONE": "one/+=", "AKIATWO": "two:2"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("AKIAONE:one\nAKIATWO", r"line 2.*The secret is missing"),
        ("AKIAONE:canary secret", r"line 1.*The secret is missing or holds a space"),
        ("\n\n:canary", r"line 3.*An access key has letters"),
        ("AKIA ONE:canary", r"line 1.*An access key has letters"),
        ("AKIAONE:one\nAKIAONE:canary", r"line 2.*stands there twice"),
        ("# nothing\n", r"holds no key"),
        ("AKIAONE:\xff", r"Name a readable UTF-8 file"),
    ],
    ids=range(7),
)
def test_a_keys_file_that_is_wrong_is_refused_by_its_line(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "keys"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigError, match=said) as caught:
        read_keys_file(file)
    assert "canary" not in str(caught.value)


def test_a_keys_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        read_keys_file(tmp_path / "nowhere")


@pytest.mark.parametrize(("mode", "open_to_others"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_a_file_others_can_read_is_noticed(tmp_path: Path, mode: int, open_to_others: bool) -> None:
    file = tmp_path / "keys"
    file.touch(mode=0o600)
    file.chmod(mode)
    assert is_open_to_others(file) is open_to_others


def test_a_database_file_we_make_is_for_its_owner_alone(database: Database, tmp_path: Path) -> None:
    StoredKeys(database).secrets()
    with database.transaction():
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.glob("cart.db*")}
    assert modes == {"cart.db": 0o600, "cart.db-wal": 0o600, "cart.db-shm": 0o600}
