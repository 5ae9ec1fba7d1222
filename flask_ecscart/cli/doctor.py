"""`flask ecscart doctor`: what would cost the owner money or carts, and how to mend it."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence

import click
import msgspec
from flask.cli import ScriptInfo

from flask_ecscart.cli.group import ecscart
from flask_ecscart.doctor.examine import examine, not_started
from flask_ecscart.doctor.finding import LEVELS, Finding, Level, exit_status, tally
from flask_ecscart.doctor.patient import Patient
from flask_ecscart.errors import ECSCartError
from flask_ecscart.web.site import current_site

__all__: list[str] = []

_WIDTH = 80
_COLOURS: dict[Level, str] = {"ok": "green", "note": "cyan", "warning": "yellow", "error": "red"}


class _Report(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints; `version` changes when a field changes its meaning or goes."""

    version: int
    status: int
    summary: dict[Level, int]
    findings: Sequence[Finding]


@ecscart.command("doctor", with_appcontext=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--online", is_flag=True, help="Also ask the allowed origins and the ECS endpoint over the network.")
@click.option("--page", "pages", multiple=True, metavar="PATH", help="A page of the site to look at; repeatable.")
@click.option("--strict", is_flag=True, help="Exit with 1 when there are warnings.")
@click.pass_context
def doctor(context: click.Context, *, as_json: bool, online: bool, pages: tuple[str, ...], strict: bool) -> None:
    """Look for what costs money or carts, and say how to mend it.

    Ends with status 0, with 2 when there are errors, and with --strict with 1 when there are warnings. Changes
    nothing and asks nobody outside this machine but the database and Redis, unless --online is given.
    """
    findings = _findings(context.ensure_object(ScriptInfo), pages, online=online)
    status = exit_status(findings, strict=strict)
    if as_json:
        report = _Report(version=1, status=status, summary=tally(findings), findings=findings)
        click.echo(msgspec.json.format(msgspec.json.encode(report), indent=2))
    else:
        _print(findings)
    sys.exit(status)


def _findings(info: ScriptInfo, pages: tuple[str, ...], *, online: bool) -> list[Finding]:
    try:
        app = info.load_app()
        with app.app_context():
            site = current_site()
    except (ECSCartError, LookupError) as problem:
        return [not_started(problem)]
    paths = tuple(page if page.startswith("/") else f"/{page}" for page in pages)
    return examine(Patient(app=app, site=site, pages=paths, online=online))


def _print(findings: Sequence[Finding]) -> None:
    for finding in findings:
        word = click.style(f"{finding.level.upper():<8}", fg=_COLOURS[finding.level], bold=finding.level == "error")
        first, *rest = _wrapped(f"[{finding.check}] {finding.what}", indent=9)
        click.echo(f"{word} {first.strip()}")
        for line in rest:
            click.echo(line)
        for label, text in (("Why:", finding.why), ("Mend:", finding.mend)):
            if text:
                for line in _wrapped(f"{label:<6}{text}", indent=9, further=15):
                    click.echo(line)
    counts = tally(findings)
    said = ", ".join(f"{name}: {counts[name]}" for name in reversed(LEVELS))
    click.echo(f"\n{said}")


def _wrapped(text: str, *, indent: int, further: int | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (further or indent),
        break_on_hyphens=False,
    )
