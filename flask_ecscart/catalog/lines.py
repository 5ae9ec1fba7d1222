"""The lines of a catalog file as spreadsheets write them, whatever separator and Unicode they chose."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from flask_ecscart.catalog.columns import COLUMNS, REQUIRED
from flask_ecscart.errors import CatalogError

__all__ = ["stamp", "table"]

_MAX_BYTES = 64 * 1024 * 1024
_SEPARATORS = ",;\t"
_NAMED_SEPARATOR = re.compile(r"sep=(.)\r?\n")
"""A first line only Excel reads; other programs write it for Excel's sake."""


def table(path: Path, encoding: str | None = None) -> Iterator[tuple[int, list[str]]]:
    """The lines of the file with their numbers: first its checked header, then those that hold something.

    Without `encoding` the file must be UTF-8 or have a UTF-16 mark: no other can be told from its bytes.
    """
    stream = _opened(path, encoding)
    head = stream.readline()
    named = _NAMED_SEPARATOR.match(head)
    skipped = 1 if named else 0
    if not named:
        stream.seek(0)
    reader = csv.reader(stream, delimiter=named[1] if named else max(_SEPARATORS, key=head.count))
    try:
        yield 1 + skipped, _header(path, 1 + skipped, next(reader, list[str]()))
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line + skipped, cells
            line = reader.line_num + 1
    except csv.Error as problem:
        where = reader.line_num + skipped
        raise CatalogError(str(path), where, None, f"Not readable as CSV ({problem}).") from problem


def stamp(path: Path) -> tuple[int, int, int]:
    """What differs when the file was written again. Raises `CatalogError` when it cannot be opened."""
    try:
        found = path.stat()
    except OSError as problem:
        raise CatalogError(
            str(path), None, None, f"It cannot be opened ({problem.strerror}). Check the path."
        ) from problem
    return found.st_mtime_ns, found.st_size, found.st_ino


def _opened(path: Path, encoding: str | None) -> io.TextIOWrapper:
    stamp(path)
    data = path.read_bytes()
    if len(data) > _MAX_BYTES:
        raise CatalogError(str(path), None, None, f"Larger than {_MAX_BYTES // 2**20} MB: split it.")
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    chosen = encoding or ("utf-16" if marked else "utf-8-sig")
    try:
        data.decode(chosen)
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        what = f'Not {encoding or "UTF-8"}: save the sheet as "CSV UTF-8"'
        other = "" if encoding else ", or name its encoding to catalog import (older Excel: --encoding windows-1252)"
        raise CatalogError(str(path), line, None, f"{what}{other}.") from problem
    return io.TextIOWrapper(io.BytesIO(data), encoding=chosen, newline="")


def _header(path: Path, line: int, cells: list[str]) -> list[str]:
    stripped = [cell.strip() for cell in cells]
    names = [cell if cell.startswith("#") else cell.lower().replace(" ", "_") for cell in stripped]
    for name in names:
        if name and not name.startswith("#") and name not in COLUMNS:
            known = f"There are {', '.join(COLUMNS)}; begin a column of your own with #."
            raise CatalogError(str(path), line, name, f"No such column. {known}")
        if name and names.count(name) > 1:
            raise CatalogError(str(path), line, name, "The column is there twice: remove one.")
    for name in REQUIRED:
        if name not in names:
            raise CatalogError(str(path), line, name, "The column is missing: add it to the first line.")
    return names
