"""Catalog files as a spreadsheet wants them: written whole or not at all, and with no cell that runs as a formula."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from flask_ecscart.catalog import offer_listing_key
from flask_ecscart.catalog.columns import COLUMNS, guarded, unguarded
from flask_ecscart.catalog.file import check
from flask_ecscart.catalog.lines import table
from flask_ecscart.errors import CatalogError
from flask_ecscart.locales import LOCALES
from flask_ecscart.model import Offer, Product

__all__ = ["Merged", "export_sheet", "merge_sheets"]

_Line = dict[str, str]


class Merged(NamedTuple):
    """What an import did to the lines of the owner's file."""

    added: int
    changed: int
    same: int


def export_sheet(path: str | Path, products: Iterable[Product]) -> int:
    """Write `products` to `path`, a line for each offer; returns how many lines. The owner's word only, no cache."""
    lines = [line for product in products for line in _lines(product)]
    _write(Path(path), COLUMNS, lines)
    return len(lines)


def merge_sheets(own: str | Path, new: str | Path, *, encoding: str | None = None) -> Merged:
    """Bring the lines of `new` into the owner's file: known ones get its cells that hold something, others are added.

    Columns of the owner's own stay. `encoding` is that of `new`, where it is no Unicode. Raises `CatalogError` for the
    first problem of either; then nothing has changed.
    """
    problems = [*check(own), *check(new, encoding=encoding)]
    if problems:
        raise problems[0]
    header, before = _read(Path(own))
    further, coming = _read(Path(new), encoding)
    lines = {_key(line): line for line in before}
    added = changed = 0
    for line in coming:
        old = lines.get(_key(line))
        told = {name: cell for name, cell in line.items() if cell}
        if old is None:
            lines[_key(line)] = told
            added += 1
        elif any(old.get(name, "") != cell for name, cell in told.items()):
            lines[_key(line)] = old | told
            changed += 1
    columns = [*header, *(name for name in further if name not in header)]
    _write(Path(own), columns, list(lines.values()), still_good=True)
    return Merged(added, changed, len(coming) - added - changed)


def _read(path: Path, encoding: str | None = None) -> tuple[list[str], list[_Line]]:
    rows = table(path, encoding)
    places = next(rows)[1]
    header = [name for name in places if name]
    lines: list[_Line] = []
    for _, cells in rows:
        pairs = zip(places, cells, strict=False)
        lines.append({name: unguarded(cell.strip()) for name, cell in pairs if name})
    return header, lines


def _key(line: Mapping[str, str]) -> tuple[str, ...]:
    """What tells one offer from another, as in a cart."""
    listing = line.get("offer_listing_id", "")
    who = (
        (offer_listing_key(listing),)
        if listing
        else tuple(line.get(n, "") for n in ("seller", "merchant_id", "seller_id"))
    )
    return (line["locale"], line["asin"], *who)


def _lines(product: Product) -> Iterator[_Line]:
    own = {
        "locale": product.locale,
        "asin": product.asin,
        "title": product.title,
        "product_group": product.product_group or "",
        "kind": product.kind if product.kind != "product" else "",
        "parent_asin": product.parent_asin or "",
        "url": product.url or "",
        "image": product.image or "",
        "released": product.released or "",
    }
    offers: Sequence[Offer | None] = product.offers or (None,)
    for offer in offers:
        yield own | (_offer_cells(product.locale, offer) if offer is not None else {})


def _offer_cells(locale: str, offer: Offer) -> _Line:
    return {
        "price": _major_units(locale, offer.price) if offer.price is not None else "",
        "availability": offer.availability if offer.availability != "in_stock" else "",
        "limit": str(offer.limit) if offer.limit is not None else "",
        "offer_listing_id": offer.offer_listing_id or "",
        "seller": offer.seller or "",
        "merchant_id": offer.merchant_id or "",
        "seller_id": offer.seller_id or "",
    }


def _major_units(locale: str, amount: int) -> str:
    decimals = LOCALES[locale].decimals
    whole, rest = divmod(amount, 10**decimals)
    return f"{whole}.{rest:0{decimals}d}" if decimals else str(whole)


def _write(path: Path, columns: Sequence[str], lines: Iterable[Mapping[str, str]], *, still_good: bool = False) -> None:
    """Replace `path` in one step; with `still_good` only by a file that has no problem."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".csv", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows([guarded(line.get(column, "")) for column in columns] for line in lines)
    except OSError as problem:
        raise CatalogError(str(path), None, None, f"It cannot be written ({problem.strerror}).") from problem
    try:
        problems = check(name) if still_good else []
        if problems:
            found = problems[0]
            raise CatalogError(str(path), found.line, found.column, f"After merging: {found.problem}")
        os.chmod(name, path.stat().st_mode & 0o777 if path.exists() else 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
