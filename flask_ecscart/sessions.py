"""Shopper sessions on Flask-Session: who the shopper is, and where what the shopper wants is kept.

`ShopperSessionInterface` is an interface object of our own for our blueprint. The host's session, cookie and
settings are never touched. Three habits of Flask-Session 0.8 are not taken over: rewriting a session on every
request, reading the host's cookie name, and its serializer's fall-back to pickle; sessions are JSON and are
written only inside `exclusive()`.
"""

from __future__ import annotations

import copy
import hashlib
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, cast

import msgspec
from flask import Flask, Request, Response, request
from flask_session.base import Serializer, ServerSideSession, ServerSideSessionInterface
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import (
    Column,
    DateTime,
    Executable,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from flask_ecscart.clock import Clock, utc_now
from flask_ecscart.errors import ConfigError, ECSCartError, StateUnavailable
from flask_ecscart.shopper import Shopper
from flask_ecscart.state.sql import Database

__all__ = ["COOKIE", "HostStoredSessions", "ShopperSessionInterface", "shopper_id"]

_HOST_PREFIX = "ecscart:"
COOKIE = "ecscart"
"""Name of the cookie that says who the shopper is."""
_LIFETIME = timedelta(days=180)
"""Longer than any cart lives (90 days), so that an expired cart can be made again from what is wanted."""

_metadata = MetaData()
_SESSIONS = Table(
    "ecscart_sessions",
    _metadata,
    Column("id", String(64), primary_key=True),
    Column("data", LargeBinary, nullable=False),
    Column("expires", DateTime(timezone=False), nullable=False, index=True),
)
# Made once: making a statement takes as long as running it.
_FOUND = select(_SESSIONS.c.data).where(_SESSIONS.c.id == bindparam("shopper"), _SESSIONS.c.expires > bindparam("now"))
_LOCKED = _FOUND.with_for_update()
_CHANGED = (
    update(_SESSIONS)
    .where(_SESSIONS.c.id == bindparam("shopper"))
    .values(data=bindparam("after"), expires=bindparam("until"))
)


def _emptying(dialect: Any) -> Executable:
    new = dialect.insert(_SESSIONS).values(id=bindparam("id"), data=bindparam("data"), expires=bindparam("expires"))
    empty = {"data": new.excluded.data, "expires": new.excluded.expires}
    # A row that is there is an expired one, or another worker's of this very moment.
    expired = _SESSIONS.c.expires <= bindparam("now")
    statement: Executable = new.on_conflict_do_update(index_elements=["id"], set_=empty, where=expired)
    return statement


_EMPTIED = {"sqlite": _emptying(sqlite), "postgresql": _emptying(postgresql)}


def shopper_id(sid: str) -> str:
    """The key a session is stored under: a digest, so that a read database gives nobody a session."""
    return hashlib.sha256(sid.encode()).hexdigest()


class _Json(Serializer):
    """JSON and nothing else: what is not JSON is an error, never a pickle."""

    def decode(self, serialized_data: bytes) -> dict[str, Any]:
        return cast("dict[str, Any]", msgspec.json.decode(serialized_data))

    def encode(self, session: Any) -> bytes:
        return msgspec.json.encode(dict(session))


class ShopperSessionInterface(ServerSideSessionInterface):
    """Flask-Session's interface over our database, with a cookie of our own.

    The cookie holds a random 256-bit id signed with the app's SECRET_KEY, so an id we did not issue is no id.
    """

    ttl = True  # keeps the base class from hooking a cleanup into the host's requests and commands

    def __init__(self, app: Flask, database: Database, keys: tuple[str, ...], *, path: str, clock: Clock = utc_now):
        super().__init__(app, key_prefix="", permanent=True, serialization_format="json")
        self.serializer = _Json()
        self._database = database
        self._path = path
        self._clock = clock
        database.declare("sessions", 1, _metadata)
        self._signer = URLSafeSerializer(list(keys), salt="ecscart.shopper")

    # --- who is it: cookie and token -------------------------------------------------------------------

    def open_session(self, app: Flask, request: Request) -> ServerSideSession:  # noqa: ARG002 - Flask's signature
        """The session of the request's own cookie; a new, empty one without a valid cookie. Reads nothing stored."""
        sid = self.sid_from_token(request.cookies.get(COOKIE, ""), origin=None)
        return ServerSideSession(sid=sid or self.new_sid(), permanent=True)

    def save_session(self, app: Flask, session: ServerSideSession, response: Response) -> None:
        """Set the cookie. What the session holds was written inside `exclusive()` before."""
        response.set_cookie(
            COOKIE,
            self.token(session.sid or self.new_sid(), origin=None),
            max_age=_LIFETIME,
            path=request.script_root + self._path,
            httponly=True,
            secure=self.get_cookie_secure(app),
            samesite="Lax",
        )

    def new_sid(self) -> str:
        """A fresh session id."""
        return secrets.token_urlsafe(32)

    def token(self, sid: str, *, origin: str | None) -> str:
        """`sid` signed and bound to the embedding `origin`; None means the site itself (the cookie)."""
        return str(self._signer.dumps([sid, origin]))

    def sid_from_token(self, token: str, *, origin: str | None) -> str | None:
        """The session id in `token`, or None when it is forged or was issued for another origin."""
        try:
            sid, bound_to = self._signer.loads(token)
        except (BadSignature, ValueError, TypeError):
            return None
        return sid if bound_to == origin and isinstance(sid, str) else None

    # --- what is wanted --------------------------------------------------------------------------------

    def read(self, shopper: str) -> Shopper:
        """What is kept under a shopper id; an empty Shopper for an unknown one. Writes nothing."""
        data = self._retrieve_session_data(shopper)
        return msgspec.convert(data, Shopper) if data is not None else Shopper()

    @contextmanager
    def reading(self) -> Generator[None, None, None]:
        """What is read inside costs one connection, and on SQLite belongs to one moment."""
        with self._database.reading():
            yield

    @contextmanager
    def exclusive(self, shopper: str) -> Generator[Shopper, None, None]:
        """The only way to write: a fresh read nobody else can follow until the block ends, then one durable write.

        Writes only what changed; nothing when the block raises. On SQLite the transaction holds the write
        lock, on PostgreSQL the session's row.
        """
        with self._database.transaction() as connection:
            this = {"shopper": shopper, "now": self._now()}
            before = connection.execute(_LOCKED, this).scalar_one_or_none()
            if before is None:
                self._insert_empty(shopper)
                before = connection.execute(_LOCKED, this).scalar_one()
            kept = msgspec.json.decode(before, type=Shopper)
            yield kept
            after = msgspec.json.encode(kept)
            if after != before:
                until = self._now() + _LIFETIME
                connection.execute(_CHANGED, {"shopper": shopper, "after": after, "until": until})

    def purge(self) -> int:
        """Delete the sessions nobody has changed for `_LIFETIME`; returns how many."""
        with self._database.transaction() as connection:
            return connection.execute(delete(_SESSIONS).where(_SESSIONS.c.expires <= self._now())).rowcount

    def _insert_empty(self, shopper: str) -> None:
        now = self._now()
        row = {"id": shopper, "data": b"{}", "expires": now + _LIFETIME, "now": now}
        with self._database.transaction() as connection:
            connection.execute(_EMPTIED[connection.dialect.name], row)

    # --- Flask-Session's storage methods ---------------------------------------------------------------

    def _retrieve_session_data(self, store_id: str) -> dict[str, Any] | None:
        with self._database.reading() as connection:
            data = connection.execute(_FOUND, {"shopper": store_id, "now": self._now()}).scalar_one_or_none()
        return self.serializer.decode(data) if data is not None else None

    def _upsert_session(self, session_lifetime: timedelta, session: ServerSideSession, store_id: str) -> None:  # noqa: ARG002
        with self.exclusive(store_id) as kept:
            fresh = msgspec.convert(dict(session), Shopper)
            kept.carts, kept.keys = fresh.carts, fresh.keys

    def _delete_session(self, store_id: str) -> None:
        with self._database.transaction() as connection:
            connection.execute(delete(_SESSIONS).where(_SESSIONS.c.id == store_id))

    def _now(self) -> datetime:
        return self._clock().replace(tzinfo=None)


class HostStoredSessions(ShopperSessionInterface):
    """Shoppers' wishes in the store of a Flask-Session interface of the host's, with the same guarantees.

    Who writes holds the shopper's row in our own database, so that nobody else can meanwhile: a lock that ends with
    the process, not by the clock. The host's object is not changed: ours is a copy that shares its connection, writes
    JSON and never reads anything else. Raises `ConfigError` for a store that cannot be used so.
    """

    def __init__(
        self, app: Flask, database: Database, keys: tuple[str, ...], host: object, *, path: str, clock: Clock = utc_now
    ):
        super().__init__(app, database, keys, path=path, clock=clock)
        store = copy.copy(_checked_store(host))
        store.serializer = _Json()
        self._store: Any = store

    def read(self, shopper: str) -> Shopper:
        """What is kept under a shopper id; an empty Shopper for an unknown one. Writes nothing."""
        with _answering():
            data = self._store._retrieve_session_data(_HOST_PREFIX + shopper)
        return msgspec.convert(data, Shopper) if data else Shopper()

    @contextmanager
    def exclusive(self, shopper: str) -> Generator[Shopper, None, None]:
        """See `ShopperSessionInterface.exclusive`; the host's store is written before the queue and counters are."""
        with self._database.transaction() as connection:
            self._insert_empty(shopper)
            row = select(_SESSIONS.c.id).where(_SESSIONS.c.id == shopper)
            connection.execute(row.with_for_update()).one()
            kept = self.read(shopper)
            before = msgspec.json.encode(kept)
            yield kept
            if msgspec.json.encode(kept) != before:
                session = self.session_class(msgspec.to_builtins(kept), sid=shopper)
                with _answering():
                    self._store._upsert_session(_LIFETIME, session, _HOST_PREFIX + shopper)

    def _delete_session(self, store_id: str) -> None:
        with _answering():
            self._store._delete_session(_HOST_PREFIX + store_id)
        super()._delete_session(store_id)


_PICKLE = "It reads with pickle, which runs whatever lies in the store. Use another, or leave the setting out."
_UNFIT = {
    "CacheLibSessionInterface": _PICKLE,
    "FileSystemSessionInterface": _PICKLE,
    # It works on db.session, which is the host's, wants an app context that the dispatcher has not, and its retries
    # log the statement with its values: the HMAC.
    "SqlAlchemySessionInterface": "It commits your site's own db.session and logs what it could not write, the cart's "
    "HMAC with it. Leave the setting out and give ECSCART_DATABASE_URL the address of that database instead.",
    "MemcachedSessionInterface": "Memcached may forget a cart at any moment, so no answered change would be safe. "
    "Leave the setting out, or use a store that keeps what it is given.",
}
"""Flask-Session's interfaces that cannot give the guarantees, and why."""


def _checked_store(host: object) -> Any:
    names = {kind.__name__ for kind in type(host).__mro__}
    shown = type(host).__name__
    if not isinstance(host, ServerSideSessionInterface):
        raise ConfigError(
            "ECSCART_SESSION_INTERFACE",
            shown,
            "Use a server-side Flask-Session interface (Redis, MongoDB, DynamoDB): a session "
            "kept in the browser would show the cart's HMAC, which lets anybody change the cart.",
        )
    for name in sorted(names & _UNFIT.keys()):
        raise ConfigError("ECSCART_SESSION_INTERFACE", shown, _UNFIT[name])
    return host


@contextmanager
def _answering() -> Generator[None, None, None]:
    try:
        yield
    except ECSCartError:
        raise
    except Exception as problem:
        # Whatever client library the host's store uses has errors of its own, perhaps with an address in them.
        kind = type(problem).__name__
    else:
        return
    raise StateUnavailable(f"The session store does not answer ({kind}); try again in a few seconds.")
