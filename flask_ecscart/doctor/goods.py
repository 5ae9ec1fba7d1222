"""The catalog: whether it is there, fresh, and speaks of the locales that are offered; how Amazon's API answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import cast

from flask_ecscart.catalog import BrowsableCatalog
from flask_ecscart.catalog.anything import AnyCatalog
from flask_ecscart.catalog.creators_settings import REGIONS, read_credentials, region_of
from flask_ecscart.catalog.file import check
from flask_ecscart.catalog.layers import LayeredCatalog
from flask_ecscart.catalog.sources import SourceStatus
from flask_ecscart.catalog.status import ReportingCatalog
from flask_ecscart.doctor.finding import Finding, Level, good
from flask_ecscart.doctor.patient import Patient
from flask_ecscart.errors import CatalogError, StateUnavailable
from flask_ecscart.locales import LOCALES

__all__ = ["catalog_file", "catalog_locales", "catalog_status", "credentials"]

_OLD_DAYS = 90
_SHOWN = 3
_STATES: dict[str, Level] = {
    "ok": "ok",
    "unused": "ok",
    "throttled": "note",
    "no_credential": "warning",
    "refused": "warning",
    "unreachable": "warning",
    "unreadable": "warning",
    "rejected": "error",
    "unauthorized": "error",
}
"""What the state of a source comes to: an error is what only the owner can mend."""


def catalog_file(patient: Patient) -> Iterator[Finding]:
    """Whether the owner's file can be read, and how old it is."""
    path = _path_of(patient.site.settings.catalog)
    if path is None:
        if isinstance(patient.site.catalog, AnyCatalog):
            yield _no_catalog()
        return
    problems = check(path)
    if problems:
        yield _unreadable(problems)
        return
    changed = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
    days = (patient.site.clock() - changed).days
    if days > _OLD_DAYS:
        yield Finding(
            level="note",
            check="catalog",
            what=f"The catalog file was last changed {days} days ago.",
            why="Dead ASINs in it make shoppers arrive at Amazon with less than they chose.",
            mend="Look through it: what is gone, what is out of stock, which limits changed.",
        )
    else:
        yield good("catalog", f"The catalog file can be read; days since it was changed: {max(days, 0)}.")


def _no_catalog() -> Finding:
    return Finding(
        level="note",
        check="catalog",
        what="There is no catalog: any ASIN can be added, and is shown by its number.",
        why="Shoppers see no title and no picture; no limit is known, so Amazon may put in a dearer offer.",
        mend="Name a CSV file in ECSCART_CATALOG with locale, asin, title, and limit where you know it.",
    )


def _unreadable(problems: list[CatalogError]) -> Finding:
    more = f" (and {len(problems) - _SHOWN} more)" if len(problems) > _SHOWN else ""
    shown = "; ".join(f"{_where(one.line, one.column)}: {one.problem}" for one in problems[:_SHOWN])
    return Finding(
        level="warning",
        check="catalog",
        what=f"The catalog file has problems: {shown}{more}",
        why="A running site keeps the last good version; one that starts anew leaves these lines out.",
        mend="Mend those lines in the spreadsheet and save it as CSV UTF-8.",
    )


def catalog_locales(patient: Patient) -> Iterator[Finding]:
    """Locales the catalog sells in that have no settings, and the other way round."""
    catalog = patient.site.catalog
    if not isinstance(catalog, BrowsableCatalog):
        return
    offered = patient.site.settings.locales
    held = Counter(product.locale for product in catalog)
    bad = [_not_offered(code, count) for code, count in sorted(held.items()) if code not in offered]
    if not isinstance(catalog, LayeredCatalog):  # where Amazon is asked too, the file need not know all
        bad += [_not_held(code) for code in offered if not held.get(code)]
    yield from bad or [good("catalog-locales", "The catalog and ECSCART_LOCALES speak of the same locales.")]


def _not_offered(code: str, count: int) -> Finding:
    return Finding(
        level="warning",
        check="catalog-locales",
        what=f"ECSCART_LOCALES has no {code}, for which the catalog has products (so many: {count}).",
        why="Nobody can put them into a cart, and no tag of yours is credited.",
        mend=f'Add it: ECSCART_LOCALES[{code!r}] = {{"associate_tag": "…-{LOCALES[code].tag_suffix}"}}.',
    )


def _not_held(code: str) -> Finding:
    return Finding(
        level="warning",
        check="catalog-locales",
        what=f"The catalog holds no product for {code}, which is in ECSCART_LOCALES.",
        why="Whatever is added there is refused, or shown without a title.",
        mend=f"Add lines with the locale {code} to the catalog, or take the locale out.",
    )


def catalog_status(patient: Patient) -> Iterator[Finding]:
    """How Amazon's API, or the remote service, answered when it was asked for products."""
    catalog = patient.site.catalog
    if not isinstance(catalog, ReportingCatalog):
        return
    if isinstance(catalog, LayeredCatalog) and not patient.has_database:
        return  # nothing was asked yet, and looking would make the database
    try:
        said = catalog.status()
    except StateUnavailable:
        return  # told by the look at the database itself
    for one in said:
        # The file was looked at itself, and whose region has no credential is told by `credentials`.
        if one.source != "file" and (one.source, one.state) != ("creators", "no_credential"):
            yield from _of_source(one)


def _of_source(one: SourceStatus) -> Iterator[Finding]:
    name = f"{one.source} {one.locale}" if one.locale else one.source
    level = _STATES.get(one.state, "warning")
    if level == "ok":
        yield good("catalog-status", f"{name}: {one.state}.")
    else:
        detail = f" ({one.detail})" if one.detail else ""
        yield Finding(
            level=level,
            check="catalog-status",
            what=f"{name}: {one.state}{detail}{_when(one)}.",
            why="The owner's file is shown alone: no prices, and no limits or stock that Amazon knows.",
            mend=one.advice or "Ask the doctor again later; the cart works meanwhile.",
        )
    if one.unknown:
        yield Finding(
            level="warning",
            check="catalog-status",
            what=f"{name} does not know {', '.join(one.unknown[:20])}.",
            why="Amazon adds a dead ASIN to no cart and says nothing: the shopper arrives with less.",
            mend="Take them off your pages and out of the catalog file, or mend the ASIN.",
        )


def _when(one: SourceStatus) -> str:
    since = f", since {one.since:%Y-%m-%d %H:%M} UTC" if one.since is not None else ""
    return since + (f", last answer {one.last_ok:%Y-%m-%d %H:%M} UTC" if one.last_ok is not None else "")


def credentials(patient: Patient) -> Iterator[Finding]:
    """Whether the Creators API credentials are of the regions of all offered locales."""
    creators = _part("creators", patient.site.settings.catalog)
    if creators is None:
        return
    offered = [code for code, row in patient.site.settings.locales.items() if row.associate_tag]
    have = read_credentials(creators, offered)
    without: dict[str | None, list[str]] = {}
    for code in offered:
        region = region_of(code)
        if region is None or region not in have:
            without.setdefault(region, []).append(code)
    bad = [_other_region(region, codes, list(have)) for region, codes in without.items()]
    yield from bad or [good("credentials", "The Creators API credentials are of the regions of all offered locales.")]


def _other_region(region: str | None, codes: list[str], have: list[str]) -> Finding:
    where = ", ".join(codes)
    if region is None:
        return _credential("note", f"Amazon's API does not answer for {where}.", "Keep its products in your own file.")
    number = list(REGIONS).index(region) + 1
    return _credential(
        "warning",
        f"{where}: of region {region}; the API credentials are of {', '.join(have)}.",
        f"Add a credential of version 2.{number} or 3.{number}, or keep the products of {where} in your own file.",
    )


def _credential(level: Level, what: str, mend: str) -> Finding:
    why = "No price, picture, stock or limit comes from Amazon there; your file's titles are shown."
    return Finding(level=level, check="credentials", what=what, why=why, mend=mend)


def _path_of(catalog: object) -> Path | None:
    found = _part("file", catalog) or catalog
    return Path(found) if isinstance(found, (str, Path)) else None


def _part(name: str, catalog: object) -> object:
    if not isinstance(catalog, Mapping):
        return None
    return {str(key).lower(): part for key, part in cast("Mapping[object, object]", catalog).items()}.get(name)


def _where(line: int | None, column: str | None) -> str:
    return "the file" if line is None else f"line {line}" + (f', column "{column}"' if column else "")
