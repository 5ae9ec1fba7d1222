"""Sites whose stores hold many carts: rows as real shoppers leave them, multiplied without going through our code.

One cart of three lines is put in by the package itself, three clicks with keys as the widget sends them; every other
row is that one with its identifiers exchanged, at random places of every index, as real ones are.
"""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from flask_ecscart.carts import Carts
from flask_ecscart.model import NewItem
from flask_ecscart.state.sql import Database
from tests.support.shop import LAMP, LIMITED, MUG, Shop

__all__ = ["FilledShop"]

_BATCH = 10_000
_TABLES = ("ecscart_sessions", "ecscart_remote_carts", "ecscart_remote_lines")


class FilledShop:
    """A site whose store at `url` holds `carts` carts besides those it makes."""

    def __init__(self, folder: Path, url: str, carts: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._shop = Shop(folder, ECSCART_DATABASE_URL=url)
        self._random = random.Random(carts)
        self.add(f"{0:064x}")
        self._fill(carts)

    @property
    def carts(self) -> Carts:
        """What a request calls."""
        return self._shop.site.carts

    @property
    def database(self) -> Database:
        """Where all of it is."""
        return self._shop.site.database

    def new_shopper(self) -> str:
        """An id that no other shopper has."""
        return f"{self._random.getrandbits(256):064x}"

    def add(self, shopper: str) -> None:
        """Three clicks on three products."""
        for asin in (LAMP, MUG, LIMITED):
            self.carts.add(shopper, "US", [NewItem(asin=asin, quantity=1)], str(uuid.uuid4()))

    def close(self) -> None:
        """Close every connection."""
        self.database.close()

    def bytes_by_table(self) -> dict[str, int]:
        """Table → bytes on the disk, its indexes included; "" is all there is."""
        with self.database.reading() as connection:
            if not self.database.is_sqlite:
                size = text("SELECT pg_total_relation_size(CAST(:name AS regclass))")
                found = {name: int(connection.execute(size, {"name": name}).scalar_one()) for name in _TABLES}
                return {**found, "": sum(found.values())}
            pages = text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
            return {"": int(connection.execute(pages).scalar_one())}

    def _fill(self, carts: int) -> None:
        """The statements are the drivers' own: a million carts come in in minutes."""
        rows = {name: self._rows(name) for name in _TABLES}
        engine = create_engine(self.database.url)
        raw = engine.raw_connection()
        cursor = raw.cursor()
        for begin in range(0, carts, _BATCH):
            batch = list(self._copies(rows, min(_BATCH, carts - begin)))
            for name in _TABLES:
                self._insert(cursor, name, [row for copy in batch for row in copy[name]])
            raw.commit()
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)" if self.database.is_sqlite else "ANALYZE")
        raw.commit()
        raw.close()
        engine.dispose()

    def _rows(self, name: str) -> list[tuple[Any, ...]]:
        with self.database.reading() as connection:
            return [tuple(row) for row in connection.execute(text(f"SELECT * FROM {name}"))]

    def _copies(
        self, rows: dict[str, list[tuple[Any, ...]]], number: int
    ) -> Iterator[dict[str, list[tuple[Any, ...]]]]:
        (_, data, expires), (old_cart, *cart) = rows["ecscart_sessions"][0], rows["ecscart_remote_carts"][0]
        key = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
        for _ in range(number):
            new_cart = f"{100 + self._random.randrange(90)}-{self._random.randrange(10**14):014d}"
            new_cart = new_cart[:11] + "-" + new_cart[11:]
            later = self._random.randrange(7_000_000)  # within the last eighty days, as their dates are
            new_data = key.sub(lambda _: str(uuid.UUID(int=self._random.getrandbits(128))).encode(), bytes(data))
            new_data = new_data.replace(old_cart.encode(), new_cart.encode())
            yield {
                "ecscart_sessions": [(self.new_shopper(), new_data, _earlier(expires, later))],
                "ecscart_remote_carts": [(new_cart, cart[0], cart[1] - later, cart[2] - later, cart[3])],
                "ecscart_remote_lines": [(new_cart, *line[1:]) for line in rows["ecscart_remote_lines"]],
            }

    def _insert(self, cursor: Any, name: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if self.database.is_sqlite:
            cursor.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)
            return
        with cursor.copy(f"COPY {name} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def _earlier(moment: datetime | str, seconds: int) -> datetime | str:
    if isinstance(moment, str):
        return (datetime.fromisoformat(moment) - timedelta(seconds=seconds)).isoformat(" ")
    return moment - timedelta(seconds=seconds)
