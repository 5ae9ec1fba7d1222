"""The owner's catalog: a CSV file that opens in a spreadsheet.

The columns of `columns.COLUMNS` in any order under a header line, separated as spreadsheets do (`lines.py`);
a column whose name begins with ``#`` is the owner's own and is not read. Several lines with the
same locale and ASIN are further offers of that product; the first of them is what an ASIN alone buys
and gives the product's own fields.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from threading import Lock

import msgspec

from flask_ecscart.catalog import offer_listing_key
from flask_ecscart.catalog.columns import Row, RowReader
from flask_ecscart.catalog.lines import stamp, table
from flask_ecscart.catalog.memory import MemoryCatalog
from flask_ecscart.catalog.sources import SourceStatus
from flask_ecscart.errors import CatalogError
from flask_ecscart.locales import LOCALES, Locale
from flask_ecscart.model import Offer, Product

__all__ = ["FileCatalog", "MemoryCatalog", "check"]

_LOG = logging.getLogger(__name__)
_TOO_WIDE = "More cells than the header has columns: put texts with commas in quotes."


class FileCatalog:
    """An `OfferCatalog` read from the CSV file at `path`; raises `CatalogError` for its first problem.

    A changed file is read again at the next look-up. Should it be broken then, what was read before stays
    and the problem is logged, so that a slip in the spreadsheet never empties the shop. With `forgiving` it does not
    keep a site from starting either: lines with a problem are left out, as long as there are good ones.
    """

    def __init__(self, path: str | Path, *, locales: Mapping[str, Locale] = LOCALES, forgiving: bool = False) -> None:
        self._path = Path(path)
        self._locales = locales
        self._lock = Lock()
        self._seen = stamp(self._path)
        self._problem: CatalogError | None = None
        self._products = self._read(forgiving=forgiving)

    def __len__(self) -> int:
        return len(self._current())

    def __iter__(self) -> Iterator[Product]:
        return iter(self._current())

    @property
    def version(self) -> object:
        """Another one after the file was read again."""
        return self._current().version

    def lookup(self, locale: str, asins: Iterable[str]) -> Mapping[str, Product]:
        """The products known under `asins` in `locale`, by ASIN."""
        return self._current().lookup(locale, asins)

    def offer(self, locale: str, offer_listing_id: str) -> tuple[Product, Offer] | None:
        """The product and offer named by `offer_listing_id` (percent-encoded not at all, once or twice)."""
        return self._current().offer(locale, offer_listing_id)

    def status(self) -> list[SourceStatus]:
        """Whether the file as it is now is the one that is used, and since when."""
        self._current()
        changed = datetime.fromtimestamp(self._seen[0] / 1e9, timezone.utc)
        if self._problem is None:
            detail = f"{len(self._products)} products from {self._path.name}"
            return [SourceStatus(source="file", locale=None, state="ok", detail=detail, since=changed)]
        advice = f"What was good of it is used. Mend the file: flask ecscart catalog check {self._path.name}"
        detail = str(self._problem)
        return [SourceStatus(source="file", locale=None, state="broken", detail=detail, since=changed, advice=advice)]

    def _current(self) -> MemoryCatalog:
        try:
            now = stamp(self._path)
        except CatalogError:
            return self._products  # between two writes of an editor that replaces the file
        if now != self._seen:
            with self._lock:
                if now != self._seen:
                    self._seen = now
                    self._reread()
        return self._products

    def _reread(self) -> None:
        try:
            self._products = self._read(forgiving=False)
            self._problem = None
        except CatalogError as problem:
            self._problem = problem
            _LOG.error("The changed catalog is not used, the last good one stays: %s", problem)

    def _read(self, *, forgiving: bool) -> MemoryCatalog:
        rows, problems = _rows(self._path, self._locales)
        if problems:
            bad = {problem.line for problem in problems}
            rows = [row for row in rows if row.line not in bad]
            if not (forgiving and rows):
                raise problems[0]
            self._problem = problems[0]
            _LOG.error("Lines of the catalog that have problems are left out (so many: %d): %s", len(bad), problems[0])
        return MemoryCatalog(_products(rows))


def check(
    path: str | Path, *, locales: Mapping[str, Locale] = LOCALES, encoding: str | None = None
) -> list[CatalogError]:
    """Every problem of the file at `path`, in the order of its lines; empty when it can be used."""
    try:
        return _rows(Path(path), locales, encoding)[1]
    except CatalogError as problem:
        return [problem]


def _rows(
    path: Path, locales: Mapping[str, Locale], encoding: str | None = None
) -> tuple[list[Row], list[CatalogError]]:
    """The good rows and the problems. Raises `CatalogError` where no line can be read at all."""
    rows: list[Row] = []
    problems: list[CatalogError] = []
    lines = table(path, encoding)
    header = next(lines)[1]
    reader = RowReader(header, locales)
    for line, cells in lines:
        if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
            problems.append(CatalogError(str(path), line, None, _TOO_WIDE))
            continue
        row, found = reader.read(line, cells)
        if row is not None:
            rows.append(row)
        else:
            problems += [CatalogError(str(path), line, problem.column, problem.problem) for problem in found]
    problems += _clashes(path, rows)
    return rows, sorted(problems, key=lambda problem: problem.line or 0)


def _clashes(path: Path, rows: list[Row]) -> Iterator[CatalogError]:
    """Offers that could not be told apart in a cart."""
    lines: dict[tuple[object, ...], int] = {}
    for row in rows:
        offer, product = row.offer, row.product
        if offer is None or offer.offer_listing_id is None:
            seller = (offer.seller, offer.merchant_id, offer.seller_id) if offer else None
            key: tuple[object, ...] = (product.locale, product.asin, seller)
            problem = (
                "The same product and seller stand in line {}: remove one of the two, "
                "or give this offer an offer_listing_id of its own."
            )
        else:
            key = (product.locale, offer_listing_key(offer.offer_listing_id))
            problem = "The same OfferListingId stands in line {}: each names one offer."
        first = lines.setdefault(key, row.line)
        if first != row.line:
            column = "asin" if offer is None or offer.offer_listing_id is None else "offer_listing_id"
            yield CatalogError(str(path), row.line, column, problem.format(first))


def _products(rows: Iterable[Row]) -> Iterator[Product]:
    grouped: dict[tuple[str, str], Product] = {}
    for row in rows:
        key = (row.product.locale, row.product.asin)
        first = grouped.get(key)
        if first is None:
            grouped[key] = row.product
        elif row.offer is not None:
            grouped[key] = msgspec.structs.replace(first, offers=(*first.offers, row.offer))
    yield from grouped.values()
