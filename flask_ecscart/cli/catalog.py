"""`flask ecscart catalog …`: check the owner's file, import into it, write it for a spreadsheet, ask how it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import click
from flask.cli import AppGroup, with_appcontext

from flask_ecscart.catalog import BrowsableCatalog
from flask_ecscart.catalog.file import FileCatalog, check
from flask_ecscart.catalog.sheet import export_sheet, merge_sheets
from flask_ecscart.catalog.status import ReportingCatalog
from flask_ecscart.cli.group import ecscart
from flask_ecscart.clock import iso
from flask_ecscart.errors import CatalogError
from flask_ecscart.web.site import current_site

__all__ = ["catalog"]

_FILE = click.Path(dir_okay=False, path_type=Path)
_SHOWN = 50
"""Problems that are printed: a file with ten thousand has one or two causes, and they are among the first."""

catalog = AppGroup("catalog", help="The catalog: check the file, import into it, export it, see how it is.")
ecscart.add_command(catalog)


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _known_encoding(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    try:
        "".encode(name or "utf-8")
    except LookupError:
        raise click.BadParameter("It is not known. Try windows-1252, or shift_jis for Japanese.") from None
    return name


@catalog.command("check", with_appcontext=False)
@click.argument("file", required=False, type=_FILE)
@click.option("--all", "every", is_flag=True, help=f"Print every problem, not the first {_SHOWN} alone.")
def check_file(file: Path | None, *, every: bool) -> None:
    """Print the problems of FILE (the site's own when none is named) by line and column; exit 1 if there is any."""
    path = file or _file_of_site()
    problems = check(path)
    if not problems:
        click.echo(f"{path}: {_counted(len(FileCatalog(path)), 'product')}, no problem.")
        return
    for problem in problems if every else problems[:_SHOWN]:
        click.echo(str(problem))
    if len(problems) > _SHOWN and not every:
        click.echo(f"… and {len(problems) - _SHOWN} more; --all prints them. In all, by column:")
        for name, count in Counter(problem.column or "(the line)" for problem in problems).most_common():
            click.echo(f"    {name}: {count}")
    lines = _counted(len({problem.line for problem in problems}), "line")
    raise click.ClickException(
        f"{_counted(len(problems), 'problem')} in {lines}. Until they are mended, a running site uses the last good "
        "version of the file, and one that starts leaves these lines out."
    )


@catalog.command("import", with_appcontext=False)
@click.argument("other", type=_FILE)
@click.option("--into", type=_FILE, help="The file to change; the site's own when none is named.")
@click.option("--encoding", metavar="NAME", callback=_known_encoding, help="OTHER's, such as windows-1252.")
def import_file(other: Path, into: Path | None, encoding: str | None) -> None:
    """Bring the lines of OTHER, a CSV file with the same columns, into the catalog file.

    A line of the same locale, ASIN and seller gets the cells of OTHER that hold something; others are added.
    """
    path = into or _file_of_site()
    try:
        done = merge_sheets(path, other, encoding=encoding)
    except CatalogError as problem:
        raise click.ClickException(f"{problem} Nothing was changed.") from problem
    click.echo(f"{path}: {_counted(done.added, 'line')} added, {done.changed} changed, {done.same} as before.")


@catalog.command("export")
@click.argument("file", type=_FILE)
@with_appcontext
def export_file(file: Path) -> None:
    """Write the site's catalog to FILE, a CSV that opens in a spreadsheet. What Amazon's API said is not in it."""
    known = current_site().catalog
    if not isinstance(known, BrowsableCatalog):
        raise click.ClickException("This site's catalog cannot be listed: name a CSV file in ECSCART_CATALOG.")
    try:
        lines = export_sheet(file, known)
    except CatalogError as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"{file}: {_counted(lines, 'line')}.")


@catalog.command("status")
@with_appcontext
def show_status() -> None:
    """Say how each layer of the catalog is; exit 1 if one is not well."""
    known = current_site().catalog
    told = known.status() if isinstance(known, ReportingCatalog) else []
    for one in told:
        when = f", last well {iso(one.last_ok)}" if one.last_ok else ""
        rest = f", asked again after {iso(one.until)}" if one.until else ""
        waiting = f", {one.waiting} waiting" if one.waiting else ""
        unknown = f", not known there: {', '.join(one.unknown)}" if one.unknown else ""
        detail = f" ({one.detail})" if one.detail else ""
        click.echo(f"{one.source} {one.locale or ''}".strip() + f": {one.state}{detail}{when}{rest}{waiting}{unknown}")
        if one.advice:
            click.echo(f"    {one.advice}")
    if not told:
        click.echo("The catalog takes any ASIN at its word, and asks nobody.")
    if any(one.state not in {"ok", "unused"} for one in told):
        raise click.exceptions.Exit(1)


def _file_of_site() -> Path:
    try:
        value: object = with_appcontext(lambda: current_site().settings.catalog)()
    except CatalogError as problem:
        value = problem.path  # the site does not start for it, but here it is mended
    if isinstance(value, Mapping):
        value = cast("Mapping[str, object]", value).get("file")
    if not isinstance(value, (str, Path)):
        raise click.UsageError("Name a file: this site's ECSCART_CATALOG has none.")
    return Path(value)
