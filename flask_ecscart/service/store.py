"""Remote carts in SQL: who they are, what stands in them, when they die. No prices, no titles, no HMACs.

Whoever changes a cart first locks its row (`lock`), so that two writers of one cart come one after the other
on PostgreSQL; on SQLite the write transaction itself is that lock.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from flask_ecscart.state.sql import Database

__all__ = ["Entry", "RemoteCart", "Store"]

_METADATA = MetaData()
_CARTS = Table(
    "ecscart_remote_carts",
    _METADATA,
    Column("cart_id", String(19), primary_key=True),
    Column("locale", String(8), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("dies_at", BigInteger, nullable=False, index=True),
    Column("handed_off", Boolean, nullable=False, default=False),
)
_LINES = Table(
    "ecscart_remote_lines",
    _METADATA,
    Column("cart_id", String(19), ForeignKey(_CARTS.c.cart_id, ondelete="CASCADE"), primary_key=True),
    Column("entry_key", String(13), primary_key=True),
    Column("saved", Boolean, primary_key=True),
    Column("asin", String(10), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("position", Integer, nullable=False),
)
_CART_COLUMNS = (_CARTS.c.locale, _CARTS.c.dies_at, _CARTS.c.handed_off)
_LINE_COLUMNS = (_LINES.c.entry_key, _LINES.c.asin, _LINES.c.quantity, _LINES.c.saved, _LINES.c.position)
_SECRETS = Table(
    "ecscart_remote_secrets",
    _METADATA,
    Column("name", String(32), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
_TURNS = Table(
    "ecscart_remote_turns",
    _METADATA,
    Column("access_key", String(128), primary_key=True),
    Column("next_at", BigInteger, nullable=False),
)
_VERSION = 1
_HMAC = "hmac"

# Made once: making a statement takes as long as running it.
_THIS_CART = _CARTS.c.cart_id == bindparam("this")
_EXISTS = select(_CARTS.c.cart_id).where(_THIS_CART)
_LOCKED = _EXISTS.with_for_update()
_READ = (
    select(*_CART_COLUMNS, *_LINE_COLUMNS)
    .select_from(_CARTS.outerjoin(_LINES, _LINES.c.cart_id == _CARTS.c.cart_id))
    .where(_THIS_CART)
    .order_by(_LINES.c.position, _LINES.c.saved)
)
_INSERT_CART, _INSERT_LINES = insert(_CARTS), insert(_LINES)
_REMOVE_LINE = delete(_LINES).where(
    _LINES.c.cart_id == bindparam("this"), _LINES.c.entry_key == bindparam("key"), _LINES.c.saved == bindparam("area")
)
_TOUCH = update(_CARTS).where(_THIS_CART).values(dies_at=bindparam("death"))


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a cart as it is kept. `saved` is the shopper's own wish; smaller positions come first."""

    key: str
    asin: str
    quantity: int
    saved: bool
    position: int


class RemoteCart(msgspec.Struct, frozen=True, kw_only=True):
    """A cart as it is kept, entries in their order. `dies_at` is in whole seconds since 1970, UTC."""

    cart_id: str
    locale: str
    dies_at: int
    handed_off: bool
    entries: tuple[Entry, ...] = ()


class Store:
    """The cart service's tables in `database`; they are made on first use."""

    def __init__(self, database: Database) -> None:
        self.database = database
        database.declare("service", _VERSION, _METADATA, fill=self._make_hmac_key)

    def hmac_key(self) -> bytes:
        """The key kept in the database: made once, the same for every worker and after every restart."""
        with self.database.reading() as connection:
            return bytes(connection.execute(select(_SECRETS.c.value).where(_SECRETS.c.name == _HMAC)).scalar_one())

    def _make_hmac_key(self, connection: Connection) -> None:
        self.secret(connection, _HMAC, lambda: secrets.token_bytes(32))

    def insert(self, connection: Connection, cart: RemoteCart, *, created_at: int) -> None:
        """Keep a new cart with its entries."""
        row = {"cart_id": cart.cart_id, "locale": cart.locale, "created_at": created_at, "dies_at": cart.dies_at}
        connection.execute(_INSERT_CART, {**row, "handed_off": False})
        self.write(connection, cart.cart_id, cart.entries)

    def exists(self, connection: Connection, cart_id: str) -> bool:
        """Whether the CartId is taken."""
        return connection.execute(_EXISTS, {"this": cart_id}).first() is not None

    def read(self, connection: Connection, cart_id: str) -> RemoteCart | None:
        """The cart in one statement, so that cart and entries belong to the same moment."""
        rows = connection.execute(_READ, {"this": cart_id}).all()
        return _remote_cart(cart_id, rows) if rows else None

    def lock(self, connection: Connection, cart_id: str) -> RemoteCart | None:
        """The cart, kept from other writers until the transaction ends."""
        if not self.database.is_sqlite and connection.execute(_LOCKED, {"this": cart_id}).first() is None:
            return None
        return self.read(connection, cart_id)

    def write(self, connection: Connection, cart_id: str, entries: Iterable[Entry]) -> None:
        """Put `entries` in; one of the same key and area must have been taken out before."""
        rows = [
            {
                "cart_id": cart_id,
                "entry_key": entry.key,
                "saved": entry.saved,
                "asin": entry.asin,
                "quantity": entry.quantity,
                "position": entry.position,
            }
            for entry in entries
        ]
        if rows:
            connection.execute(_INSERT_LINES, rows)

    def remove(self, connection: Connection, cart_id: str, entries: Iterable[Entry]) -> None:
        """Take `entries` out."""
        rows = [{"this": cart_id, "key": entry.key, "area": entry.saved} for entry in entries]
        if rows:
            connection.execute(_REMOVE_LINE, rows)

    def touch(self, connection: Connection, cart_id: str, dies_at: int) -> None:
        """Set when the cart dies if nothing happens any more."""
        connection.execute(_TOUCH, {"this": cart_id, "death": dies_at})

    def end(self, connection: Connection, cart_id: str) -> None:
        """Mark the cart as handed off and forget what was in it."""
        connection.execute(delete(_LINES).where(_LINES.c.cart_id == cart_id))
        connection.execute(update(_CARTS).where(_CARTS.c.cart_id == cart_id).values(handed_off=True))

    def purge(self, connection: Connection, now: int) -> int:
        """Delete the carts that are dead at `now`, and old turns; the number of carts deleted."""
        connection.execute(delete(_TURNS).where(_TURNS.c.next_at < (now - 3600) * 1000))
        dead = or_(_CARTS.c.dies_at <= now, _CARTS.c.handed_off.is_(True))
        return connection.execute(delete(_CARTS).where(dead)).rowcount

    def secret(self, connection: Connection, name: str, make: Callable[[], bytes]) -> bytes:
        """The secret kept under `name`; made once, the same for every worker and after every restart."""
        wanted = select(_SECRETS.c.value).where(_SECRETS.c.name == name)
        found = connection.execute(wanted).scalar_one_or_none()
        if found is None:
            try:
                with connection.begin_nested():
                    connection.execute(insert(_SECRETS).values(name=name, value=make()))
            except IntegrityError:
                pass  # another worker was first: its secret is the one
            found = connection.execute(wanted).scalar_one()
        return bytes(found)

    def take_turn(self, connection: Connection, access_key: str, now: int, interval: int) -> bool:
        """Whether `access_key` may ask now, at most once each `interval`; both in milliseconds."""
        row = select(_TURNS.c.next_at).where(_TURNS.c.access_key == access_key)
        found = connection.execute(row.with_for_update()).scalar_one_or_none()
        if found is not None:
            if now < found:
                return False
            mine = update(_TURNS).where(_TURNS.c.access_key == access_key)
            connection.execute(mine.values(next_at=now + interval))
            return True
        try:
            with connection.begin_nested():
                connection.execute(insert(_TURNS).values(access_key=access_key, next_at=now + interval))
        except IntegrityError:
            return False  # another worker took the very first turn at this moment
        return True


def _remote_cart(cart_id: str, rows: Sequence[Any]) -> RemoteCart:
    first = rows[0]
    return RemoteCart(
        cart_id=cart_id,
        locale=first.locale,
        dies_at=first.dies_at,
        handed_off=first.handed_off,
        entries=tuple(
            Entry(key=row.entry_key, asin=row.asin, quantity=row.quantity, saved=row.saved, position=row.position)
            for row in rows
            if row.entry_key is not None  # an empty cart joins with one row of nothing
        ),
    )
