"""Access keys and their secrets: in a file, or in the database; and which signatures were used before.

Secrets are kept as they are. Signature version 2 is an HMAC that the server must make again, so no hash of the
secret would do: whoever can read the file or the table can sign. Keep both closed to others (mode 0600).
"""

from __future__ import annotations

import hashlib
import re
import secrets
import stat
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Protocol

import msgspec
from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, String, Table, delete, insert, select
from sqlalchemy.exc import IntegrityError

from flask_ecscart.clock import Clock
from flask_ecscart.errors import ConfigError
from flask_ecscart.state.sql import Database

__all__ = [
    "Keys",
    "LiveKeys",
    "SeenSignatures",
    "StoredKey",
    "StoredKeys",
    "is_open_to_others",
    "new_key",
    "new_secret",
    "read_keys_file",
]

_METADATA = MetaData()
_KEYS = Table(
    "ecscart_access_keys",
    _METADATA,
    Column("access_key", String(128), primary_key=True),
    Column("secret", String(256), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
_SEEN = Table(
    "ecscart_seen_signatures",
    _METADATA,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("forget_at", BigInteger, nullable=False, index=True),
)
_PART, _VERSION = "keys", 1
_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_SECRET = re.compile(r"[\x21-\x7e]{1,256}", re.ASCII)
_HEADER = re.compile(r"(access[ _]?key[ _]?(id)?|id|key)\s*[,:]\s*(secret.*)", re.ASCII | re.IGNORECASE)
"""First line of a CSV file, such as the one Amazon offers for download."""
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_FRESH_FOR = timedelta(seconds=2)
_FORGET_AT_ONCE = 100


class Keys(Protocol):
    """Where `Access` finds secrets; a mapping will do."""

    def get(self, access_key: str, /) -> str | None:
        """The secret of an access key; None when nobody has it."""
        ...


class StoredKey(msgspec.Struct, frozen=True):
    """A key as it is listed: never with its secret. `created_at` is an aware UTC datetime."""

    access_key: str
    created_at: datetime


class StoredKeys:
    """The access keys kept in `database`. Several may be valid at once, so that one can follow another."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.declare(_PART, _VERSION, _METADATA)

    def add(self, access_key: str, secret: str, *, now: datetime) -> bool:
        """Keep a key; False when that id is there already. Raises `ConfigError` for an id that cannot be one."""
        _check_key(access_key)
        row = {"access_key": access_key, "secret": secret, "created_at": int(now.timestamp())}
        with self._database.transaction() as connection:
            try:
                with connection.begin_nested():
                    connection.execute(insert(_KEYS).values(**row))
            except IntegrityError:
                return False
        return True

    def revoke(self, access_key: str) -> bool:
        """Delete a key and its secret; False when there was none."""
        with self._database.transaction() as connection:
            return connection.execute(delete(_KEYS).where(_KEYS.c.access_key == access_key)).rowcount > 0

    def listed(self) -> list[StoredKey]:
        """Every key, the oldest first."""
        wanted = select(_KEYS.c.access_key, _KEYS.c.created_at).order_by(_KEYS.c.created_at, _KEYS.c.access_key)
        with self._database.reading() as connection:
            rows = connection.execute(wanted).all()
        return [StoredKey(row.access_key, datetime.fromtimestamp(row.created_at, timezone.utc)) for row in rows]

    def secrets(self) -> dict[str, str]:
        """Access key → secret, of all of them."""
        with self._database.reading() as connection:
            return {row.access_key: row.secret for row in connection.execute(select(_KEYS))}


class LiveKeys:
    """The keys `given` at the start and those in the database, whose changes are noticed within two seconds.

    The table is read as a whole, so that unknown ids cost nothing. A given key hides a stored one of the same id.
    """

    def __init__(self, stored: StoredKeys, given: Mapping[str, str], *, clock: Clock) -> None:
        self._stored = stored
        self._given = dict(given)
        self._clock = clock
        self._known: tuple[datetime, Mapping[str, str]] | None = None

    def __repr__(self) -> str:
        """Without the keys."""
        return f"LiveKeys({len(self._given)} given)"

    def get(self, access_key: str, /) -> str | None:
        """The secret of an access key; raises `StateUnavailable` when the database does not answer."""
        given = self._given.get(access_key)
        return self._current().get(access_key) if given is None else given

    def _current(self) -> Mapping[str, str]:
        now = self._clock()
        # Also read again when the clock was set back: a time to come must not keep a revoked key alive.
        if self._known is None or not timedelta(0) <= now - self._known[0] < _FRESH_FOR:
            self._known = (now, self._stored.secrets())
        return self._known[1]


class SeenSignatures:
    """Signatures that were used, for as long as they would be valid; shared by every process of `database`."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        database.declare(_PART, _VERSION, _METADATA)

    def first_use(self, signature: str, until: datetime) -> bool:
        """Whether this signature, which is valid until then, was never used before. It counts as used now.

        Each call also forgets some that are no longer valid, so the table stays as large as the window.
        """
        digest = hashlib.sha256(signature.encode("utf-8", "surrogatepass")).digest()
        with self._database.transaction() as connection:
            # Rows another worker is deleting are skipped: nobody waits, and no two wait for each other.
            old = select(_SEEN.c.digest).where(_SEEN.c.forget_at < int(self._clock().timestamp()))
            some = old.limit(_FORGET_AT_ONCE).with_for_update(skip_locked=True)
            connection.execute(delete(_SEEN).where(_SEEN.c.digest.in_(some)))
            try:
                with connection.begin_nested():
                    connection.execute(insert(_SEEN).values(digest=digest, forget_at=int(until.timestamp()) + 1))
            except IntegrityError:
                return False
        return True


def new_key() -> str:
    """An access key id of the usual shape: AKIA and sixteen capital letters and digits."""
    return "AKIA" + "".join(secrets.choice(_ALPHABET) for _ in range(16))


def new_secret() -> str:
    """Forty characters with 240 random bits."""
    return b64encode(secrets.token_bytes(30)).decode()


def read_keys_file(path: str | Path) -> dict[str, str]:
    """Access key → secret, from lines of `ID:SECRET` or `ID,SECRET`; empty lines and `#` comments are skipped.

    Raises `ConfigError`, which names the line and never what stands in it.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError("--keys-file", str(path), "Name a readable UTF-8 file of ID:SECRET lines.") from problem
    found: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#") or (number == 1 and _HEADER.fullmatch(line)):
            continue
        access_key, secret = _pair(line, f"{path}, line {number}")
        if access_key in found:
            raise ConfigError("--keys-file", f"{path}, line {number}", "This access key stands there twice.")
        found[access_key] = secret
    if not found:
        raise ConfigError("--keys-file", str(path), "It holds no key. Write one ID:SECRET a line.")
    return found


def is_open_to_others(path: str | Path) -> bool:
    """Whether other users of this machine may read the file."""
    return bool(Path(path).stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


def _pair(line: str, where: str) -> tuple[str, str]:
    access_key, _, secret = (part.strip() for part in re.sub("[,:]", "\n", line, count=1).partition("\n"))
    if not _KEY.fullmatch(access_key):
        raise ConfigError("--keys-file", where, "An access key has letters, digits, - and _ only: write ID:SECRET.")
    if not _SECRET.fullmatch(secret):
        raise ConfigError("--keys-file", where, "The secret is missing or holds a space: write ID:SECRET.")
    return access_key, secret


def _check_key(access_key: str) -> None:
    if not _KEY.fullmatch(access_key):
        raise ConfigError("--id", access_key, "Use 1 to 128 letters, digits, - and _.")
