"""Counts by UTC day, locale, page and ASIN: nothing of a shopper, one statement for each change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from threading import Lock
from typing import Any, Literal, NamedTuple

from sqlalchemy import BigInteger, Column, Date, Executable, MetaData, String, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite

from flask_ecscart.state.sql import Database

__all__ = ["MAX_PAGE", "OTHER", "Axis", "Count", "Counters", "Total", "What"]

What = Literal["carts", "added", "capped", "saved", "left", "sent", "arrived", "failed", "expired"]
Axis = Literal["day", "locale", "page", "asin"]

MAX_PAGE = 200
"""Characters of a page that are kept."""
OTHER = "(other)"
"""The page and ASIN of what was counted after a day's room for different ones was used up."""
_MAX_KEYS = 10_000

_metadata = MetaData()
_COUNTERS = Table(
    "ecscart_counters",
    _metadata,
    Column("day", Date, primary_key=True),
    Column("locale", String(8), primary_key=True),
    Column("page", String(MAX_PAGE), primary_key=True),
    Column("asin", String(10), primary_key=True),
    Column("what", String(12), primary_key=True),
    Column("n", BigInteger, nullable=False),
)
_KEY = ("day", "locale", "page", "asin", "what")


class Count(NamedTuple):
    """`n` more of `what`. `page` and `asin` are empty where there is none to name."""

    what: What
    locale: str
    page: str
    asin: str
    n: int


class Total(NamedTuple):
    """The sums under one key: a day (ISO 8601), a locale, a page or an ASIN."""

    key: str
    counts: Mapping[str, int]


class Counters:
    """Counters in the site's database.

    A process counts at most `max_keys` different pairs of page and ASIN a day by name, so that invented pages and
    ASINs cannot fill the disk; further ones are counted together under `OTHER`.
    """

    def __init__(self, database: Database, *, max_keys: int = _MAX_KEYS) -> None:
        self._database = database
        self._max_keys = max_keys
        self._lock = Lock()
        self._day: date | None = None
        self._keys: set[tuple[str, str, str]] = set()
        database.declare("counters", 1, _metadata)

    def count(self, day: date, counts: Iterable[Count]) -> None:
        """Add to the counters of `day`; inside a transaction of the same database kept with it, or not at all."""
        sums: Counter[tuple[str, str, str, str]] = Counter()
        for one in counts:
            page, asin = self._named(day, one)
            sums[one.locale, page, asin, one.what] += one.n
        if not sums:
            return
        # In one order everywhere: two transactions that took the same rows in two orders would lock each other out.
        rows: list[dict[str, object]] = [
            dict(zip(_KEY, (day, *key), strict=True), n=n) for key, n in sorted(sums.items())
        ]
        with self._database.transaction() as connection:
            connection.execute(_COUNT[connection.dialect.name], rows)

    def totals(self, by: Axis, *, since: date, until: date) -> list[Total]:
        """The sums from `since` to `until` (both included) by `by`, in the order of the keys.

        By ASIN only what concerns a product is counted; by page, an empty key is "not known".
        """
        axis = _COUNTERS.c[by]
        query = (
            select(axis, _COUNTERS.c.what, func.sum(_COUNTERS.c.n))
            .where(_COUNTERS.c.day.between(since, until))
            .group_by(axis, _COUNTERS.c.what)
        )
        if by == "asin":
            query = query.where(_COUNTERS.c.asin != "")
        found: dict[str, dict[str, int]] = {}
        with self._database.reading() as connection:
            for key, what, n in connection.execute(query):
                found.setdefault(key.isoformat() if isinstance(key, date) else str(key), {})[what] = int(n)
        return [Total(key, found[key]) for key in sorted(found)]

    def _named(self, day: date, one: Count) -> tuple[str, str]:
        page, asin = one.page[:MAX_PAGE], one.asin[:10]
        key = (one.locale, page, asin)
        with self._lock:
            if day != self._day:
                self._day, self._keys = day, set()
            if key in self._keys or len(self._keys) < self._max_keys:
                self._keys.add(key)
                return page, asin
        return OTHER if page else "", OTHER if asin else ""


def _counting(dialect: Any) -> Executable:
    new = dialect.insert(_COUNTERS)
    more = {"n": _COUNTERS.c.n + new.excluded.n}
    statement: Executable = new.on_conflict_do_update(index_elements=list(_KEY), set_=more)
    return statement


# Made once, with the rows as parameters: making a statement takes as long as running it.
_COUNT = {"sqlite": _counting(sqlite), "postgresql": _counting(postgresql)}
