"""`flask ecscart upgrade`: tables of an older version become those of this one, in place."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from flask_ecscart.catalog.memory import MemoryCatalog
from flask_ecscart.cli.group import ecscart
from flask_ecscart.cli.keys import opened
from flask_ecscart.errors import ECSCartError
from flask_ecscart.service.engine import CartService
from flask_ecscart.service.keys import StoredKeys
from flask_ecscart.state.sql import Database
from flask_ecscart.web.site import current_site

__all__: list[str] = []


@ecscart.command("upgrade", with_appcontext=False)
@click.option("--database", metavar="URL", help="The database of a cart service of its own; needs no app of yours.")
def upgrade(database: str | None) -> None:
    """Bring the tables to this package's version, all or none. SQLite does it by itself; back up first."""
    if database is None:
        with_appcontext(lambda: _upgrade(current_site().database))()
        return
    with opened(database) as kept:
        CartService(kept, MemoryCatalog())
        StoredKeys(kept)
        _upgrade(kept)


def _upgrade(database: Database) -> None:
    try:
        done = database.upgrade()
    except ECSCartError as problem:
        raise click.ClickException(str(problem)) from problem
    for one in done:
        click.echo(f"{one.part}: {'new' if one.before is None else f'version {one.before}'} → version {one.after}")
    if not done:
        click.echo("Everything is up to date.")
