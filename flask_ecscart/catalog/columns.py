"""What may stand in each column of a catalog file, and the sentence that says so when something else does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, cast, get_args

import msgspec

from flask_ecscart.locales import Locale
from flask_ecscart.model import MAX_QUANTITY, Availability, Offer, Product, ProductKind

__all__ = ["ASIN", "COLUMNS", "MAX_TITLE", "REQUIRED", "CellError", "Row", "RowReader", "cut", "guarded", "unguarded"]

REQUIRED = ("locale", "asin", "title")
COLUMNS = (
    *REQUIRED,
    "product_group",
    "kind",
    "parent_asin",
    "price",
    "availability",
    "limit",
    "offer_listing_id",
    "seller",
    "merchant_id",
    "seller_id",
    "url",
    "image",
    "released",
)
MAX_TITLE = 300
"""Characters of a title that are kept: there are pages that send ten thousand."""
ASIN = re.compile(r"[A-Z0-9]{10}")
_PRICE = re.compile(r"[0-9]{1,9}(?:\.([0-9]+))?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_OFFER_LISTING_ID = re.compile(r"[A-Za-z0-9%+/=_.~-]{1,512}")
_LINK = re.compile(r"(?:https?://|/(?!/))[^\s\"'<>\\]{0,2000}")
_FORMULA = "=+-@\t\r＝＋－＠"
"""What a spreadsheet takes for the beginning of a formula; the wide ones in Japan."""
_GUARDED = f"{_FORMULA}0"
_OF_OFFER = frozenset({"offer_listing_id", "availability", "limit", "seller", "merchant_id", "seller_id"})
_OFTEN_THE_SAME = frozenset({"product_group", "kind", "availability", "seller", "merchant_id", "seller_id"})
_WITHOUT_OFFERS = ("variation_parent", "collection_parent")


class CellError(Exception):
    """A cell cannot be used: the column's name and what to write instead."""

    def __init__(self, column: str, problem: str) -> None:
        self.column = column
        self.problem = problem
        super().__init__(problem)


class Row(msgspec.Struct, frozen=True, gc=False):
    """One line of the file: the product as this line describes it, with the line's own offer where it has one."""

    line: int
    product: Product
    offer: Offer | None


class RowReader:
    """Reads lines whose cells stand in the order of `header`; a missing column is an empty cell in each."""

    def __init__(self, header: Sequence[str], locales: Mapping[str, Locale]) -> None:
        self._locales = locales
        places = {name: place for place, name in enumerate(header)}
        self._locale_at, self._price_at = places["locale"], places.get("price")
        self._plan = [(places[name], name, check) for name, check in _CHECKS.items() if name in places]
        self._known: dict[str, str] = {}
        self._defaults = {name: check("") for name, check in _CHECKS.items() if name not in REQUIRED}

    def read(self, line: int, cells: Sequence[str]) -> tuple[Row | None, list[CellError]]:
        """The row, or every problem its cells have."""
        of_product: dict[str, Any] = {}
        of_offer: dict[str, Any] = {}
        problems: list[CellError] = []
        for place, column, check in self._plan:
            cell = unguarded(cells[place].strip()) if place < len(cells) else ""
            try:
                value = check(cell) if cell or column in REQUIRED else self._defaults[column]
            except ValueError as problem:
                problems.append(CellError(column, str(problem)))
                continue
            if column in _OFTEN_THE_SAME and value is not None:
                value = self._known.setdefault(str(value), str(value))  # kept once, not a hundred thousand times
            (of_offer if column in _OF_OFFER else of_product)[column] = value
        locale = self._locales.get(_cell(cells, self._locale_at))
        if locale is None:
            problems.insert(0, CellError("locale", f"Write one of {', '.join(self._locales)}."))
            return None, problems
        try:
            of_offer["price"] = _price(_cell(cells, self._price_at), locale)
        except ValueError as problem:
            problems.append(CellError("price", str(problem)))
        if problems:
            return None, problems
        return _row(line, locale.code, of_product, of_offer), []


def _row(line: int, locale: str, of_product: dict[str, Any], of_offer: dict[str, Any]) -> Row:
    if of_product.get("kind") in _WITHOUT_OFFERS:
        return Row(line, Product(locale=locale, **of_product), None)
    of_offer.setdefault("offer_listing_id", None)
    offer = Offer(**of_offer)
    return Row(line, Product(locale=locale, offers=(offer,), **of_product), offer)


def _cell(cells: Sequence[str], place: int | None) -> str:
    return cells[place].strip() if place is not None and place < len(cells) else ""


def _price(cell: str, locale: Locale) -> int | None:
    if not cell:
        return None
    found = _PRICE.fullmatch(cell)
    digits = (found.group(1) or "") if found else ""
    if found is None or len(digits) > locale.decimals:
        example = "12.24" if locale.decimals else "5546"
        raise ValueError(f"Write the price in {locale.currency} as digits with a point, such as {example}.")
    whole = cell.partition(".")[0]
    return int(whole + digits.ljust(locale.decimals, "0"))


def _text(cell: str) -> str | None:
    if _CONTROL.search(cell):
        raise ValueError("Take the line breaks and control characters out.")
    return cell or None


def _title(cell: str) -> str:
    text = _text(cell)
    if text is None:
        raise ValueError("Write the product's title.")
    return cut(text)


def cut(text: str) -> str:
    """`text`, shortened to what a page has room for."""
    return text if len(text) <= MAX_TITLE else f"{text[: MAX_TITLE - 1].rstrip()}…"


def guarded(cell: str) -> str:
    """`cell` so that no spreadsheet takes it for a formula, or a code for a number."""
    return f"'{cell}" if (cell and cell[0] in _FORMULA) or re.fullmatch(r"0[0-9]+", cell) else cell


def unguarded(cell: str) -> str:
    """The cell that `guarded` wrote."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] and cell[1] in _GUARDED else cell


def _asin(cell: str) -> str:
    if not ASIN.fullmatch(cell):
        raise ValueError(
            "Write the ASIN: ten capital letters and digits. "
            "(A spreadsheet may have taken leading zeros away: format the column as text.)"
        )
    return cell


def _parent(cell: str) -> str | None:
    return _asin(cell) if cell else None


def _limit(cell: str) -> int | None:
    if not cell:
        return None
    if not (cell.isascii() and cell.isdigit() and 1 <= int(cell[:9]) <= MAX_QUANTITY):
        raise ValueError(f"Write a number from 1 to {MAX_QUANTITY}, or leave it empty for no limit.")
    return int(cell)


def _listing(cell: str) -> str | None:
    if cell and not _OFFER_LISTING_ID.fullmatch(cell):
        raise ValueError("Write the OfferListingId as Amazon gave it: letters, digits and % + / = _ . ~ - only.")
    return cell or None


def _link(cell: str) -> str | None:
    if cell and not _LINK.fullmatch(cell):
        raise ValueError("Write a whole address that begins with https://, or a path of your own site such as /a.jpg.")
    return cell or None


def _released(cell: str) -> str | None:
    try:
        if not cell or (re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cell) and date.fromisoformat(cell)):
            return cell or None
    except ValueError:
        pass  # the 30th of February: told below like any other slip
    raise ValueError("Write the date as YYYY-MM-DD, such as 2006-11-21.")


def _one_of(words: tuple[str, ...], default: str) -> Callable[[str], str]:
    def check(cell: str) -> str:
        if cell and cell not in words:
            raise ValueError(f"Write one of {', '.join(words)}, or leave it empty for {default}.")
        return cell or default

    return check


_CHECKS: dict[str, Callable[[str], object]] = {
    "asin": _asin,
    "title": _title,
    "product_group": _text,
    "kind": _one_of(cast("tuple[str, ...]", get_args(ProductKind)), "product"),
    "parent_asin": _parent,
    "availability": _one_of(cast("tuple[str, ...]", get_args(Availability)), "in_stock"),
    "limit": _limit,
    "offer_listing_id": _listing,
    "seller": _text,
    "merchant_id": _text,
    "seller_id": _text,
    "url": _link,
    "image": _link,
    "released": _released,
}
