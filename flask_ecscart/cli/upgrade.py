"""`flask ecscart upgrade`: tables of an older version become those of this one, in place."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from flask_ecscart.cli.group import ecscart
from flask_ecscart.errors import ECSCartError
from flask_ecscart.web.site import current_site

__all__: list[str] = []


@ecscart.command("upgrade")
@with_appcontext
def upgrade() -> None:
    """Bring the tables to this package's version, all or none. SQLite does it by itself; back up first."""
    site = current_site()
    try:
        done = site.database.upgrade()
    except ECSCartError as problem:
        raise click.ClickException(str(problem)) from problem
    for one in done:
        click.echo(f"{one.part}: {'new' if one.before is None else f'version {one.before}'} → version {one.after}")
    if not done:
        click.echo("Everything is up to date.")
