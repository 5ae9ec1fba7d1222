"""What a source said, kept for all workers in SQL: offers an hour, the rest a day, and not a moment longer.

One row for each source, locale and ASIN. A row without content says that the source does not know the ASIN. Prices,
limits and availability stand in a column of their own, so that they can be dropped before the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from flask_ecscart.catalog.cache_tables import ITEMS, declare, milliseconds, moment
from flask_ecscart.model import Offer, Product
from flask_ecscart.state.sql import Database

__all__ = ["CONTENT_LIFE", "OFFERS_LIFE", "Cached", "ProductCache"]

OFFERS_LIFE = timedelta(hours=1)
"""How long a price may be shown (the programme's table of best practices)."""
CONTENT_LIFE = timedelta(hours=24)
"""How long titles and picture links may be kept."""
_MAX_ROWS = 50_000
_SHOWN = 20

_offers = msgspec.json.Decoder(tuple[Offer, ...])
_product = msgspec.json.Decoder(Product)
_choices = msgspec.json.Decoder(tuple[tuple[str, str | None], ...])


class Cached(NamedTuple):
    """What is kept of one ASIN. `product` is None when the source does not know it, and has `offers` while fresh."""

    product: Product | None
    fetched_at: datetime
    offers_fresh: bool
    choices: tuple[tuple[str, str | None], ...] | None
    """ASINs of a variation parent's choices with what sets each apart; None: never asked for."""


class ProductCache:
    """The rows of one source."""

    def __init__(self, database: Database, source: str, *, max_rows: int = _MAX_ROWS) -> None:
        self._database = database
        self._source = source
        self._max_rows = max_rows
        declare(database)

    def read(self, locale: str, asins: Iterable[str], now: datetime) -> dict[str, Cached]:
        """What is kept of `asins` and still may be."""
        wanted = select(ITEMS).where(
            self._of(locale),
            ITEMS.c.asin.in_(list(asins)),
            ITEMS.c.fetched_at > milliseconds(now - CONTENT_LIFE),
            # A moment of the future was written before the clock was set back: nobody knows how old that is.
            ITEMS.c.fetched_at <= milliseconds(now + timedelta(minutes=1)),
        )
        with self._database.reading() as connection:
            return {row.asin: _cached(row, now) for row in connection.execute(wanted)}

    def store(self, locale: str, asins: Sequence[str], products: Mapping[str, Product], now: datetime) -> None:
        """Keep the answer to a call that asked for `asins`; those it does not have are kept as not known."""
        rows = [self._row(locale, asin, products.get(asin), now) for asin in sorted({*asins, *products})]
        with self._database.transaction() as connection:
            self._upsert(connection, rows, ("fetched_at", "content", "offers"))

    def store_choices(self, locale: str, asin: str, products: Sequence[Product], now: datetime) -> None:
        """Keep what can be bought of the parent `asin`, and each of it under its own ASIN; none: it is no parent."""
        self.store(locale, [], {product.asin: product for product in products}, now)
        choices = msgspec.json.encode([(product.asin, product.choice) for product in products])
        mine = self._of(locale) & (ITEMS.c.asin == asin)
        with self._database.transaction() as connection:
            connection.execute(update(ITEMS).where(mine).values(choices=choices, choices_at=milliseconds(now)))

    def prune(self, now: datetime) -> None:
        """Drop what may no longer be kept, and the oldest rows of more than the table has room for."""
        with self._database.transaction() as connection:
            own = ITEMS.c.source == self._source
            old = ITEMS.c.fetched_at <= milliseconds(now - CONTENT_LIFE)
            connection.execute(delete(ITEMS).where(own, old))
            stale = (ITEMS.c.fetched_at <= milliseconds(now - OFFERS_LIFE)) & ITEMS.c.offers.is_not(None)
            connection.execute(update(ITEMS).where(own, stale).values(offers=None))
            spare = (connection.execute(select(func.count()).where(own)).scalar_one()) - self._max_rows
            if spare > 0:
                oldest = select(ITEMS.c.fetched_at).where(own).order_by(ITEMS.c.fetched_at).offset(spare - 1).limit(1)
                bound = connection.execute(oldest).scalar_one()
                connection.execute(delete(ITEMS).where(own, ITEMS.c.fetched_at <= bound))

    def unknown(self, locale: str) -> tuple[str, ...]:
        """Some ASINs the source does not know."""
        query = select(ITEMS.c.asin).where(self._of(locale), ITEMS.c.content.is_(None))
        with self._database.reading() as connection:
            return tuple(connection.execute(query.order_by(ITEMS.c.asin).limit(_SHOWN)).scalars())

    def _of(self, locale: str) -> Any:
        return (ITEMS.c.source == self._source) & (ITEMS.c.locale == locale)

    def _row(self, locale: str, asin: str, product: Product | None, now: datetime) -> dict[str, Any]:
        content = offers = None
        if product is not None:
            content = msgspec.json.encode(msgspec.structs.replace(product, offers=(), variations=()))
            offers = msgspec.json.encode(product.offers)
        key = {"source": self._source, "locale": locale, "asin": asin}
        return {**key, "fetched_at": milliseconds(now), "content": content, "offers": offers}

    def _upsert(self, connection: Connection, rows: list[dict[str, Any]], changed: tuple[str, ...]) -> None:
        if not rows:
            return
        insert = (sqlite.insert if self._database.is_sqlite else postgresql.insert)(ITEMS).values(rows)
        new = {name: insert.excluded[name] for name in changed}
        connection.execute(insert.on_conflict_do_update(index_elements=["source", "locale", "asin"], set_=new))


def _cached(row: Any, now: datetime) -> Cached:
    fetched_at = datetime.fromtimestamp(row.fetched_at / 1000, timezone.utc)
    content: bytes | None = row.content
    offers: bytes | None = row.offers if now - fetched_at < OFFERS_LIFE else None
    product = _product.decode(content) if content is not None else None
    if product is not None and offers is not None:
        product = msgspec.structs.replace(product, offers=_offers.decode(offers))
    choices: bytes | None = row.choices if now - (moment(row.choices_at) or fetched_at) < CONTENT_LIFE else None
    return Cached(product, fetched_at, offers is not None, _choices.decode(choices) if choices is not None else None)
