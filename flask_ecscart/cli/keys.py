"""`flask ecscart keys …`: who may use the cart service. A server that runs notices within two seconds."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click
from flask.cli import AppGroup

from flask_ecscart.cli.group import ecscart
from flask_ecscart.clock import iso, utc_now
from flask_ecscart.errors import ECSCartError
from flask_ecscart.service.keys import StoredKeys, new_key, new_secret
from flask_ecscart.state.sql import Database

__all__ = ["DEFAULT_DATABASE", "keys", "opened"]

DEFAULT_DATABASE = "sqlite:///ecscart-service.db"
"""Where `flask ecscart serve` keeps its carts and keys unless told otherwise."""

_database_option = click.option(
    "--database", default=DEFAULT_DATABASE, show_default=True, metavar="URL", help="The cart service's database."
)

keys = AppGroup("keys", help="Access keys of the cart service: add, list, revoke. A running server notices at once.")
ecscart.add_command(keys)


@contextmanager
def opened(url: str, *, new: bool = False) -> Generator[Database, None, None]:
    """The database at `url`, closed afterwards; errors of ours become the command's. A `new` file may be made."""
    try:
        database = Database(url)
        file = database.url.database
        if database.is_sqlite and not new and not (file and Path(file).exists()):
            raise click.ClickException(f"There is no database file {file}. Name the server's own with --database.")
        try:
            yield database
        finally:
            database.close()
    except ECSCartError as problem:
        raise click.ClickException(str(problem)) from problem


@keys.command("add", with_appcontext=False)
@click.option("--id", "access_key", metavar="ID", help="The access key's id; without one, a new one is made.")
@_database_option
def add(access_key: str | None, database: str) -> None:
    """Make an access key and print its secret, this once.

    The database keeps the secret as it is: signatures cannot be checked without it. Several keys are valid at
    once; to change one, add the new key, move its callers, then revoke the old.
    """
    access_key, secret = access_key or new_key(), new_secret()
    with opened(database, new=True) as kept:
        if not StoredKeys(kept).add(access_key, secret, now=utc_now()):
            raise click.ClickException(f"There is a key {access_key} already. Revoke it first, or choose another id.")
    click.echo(f"Access key: {access_key}\nSecret key: {secret}")
    click.echo("The secret is not shown again.", err=True)


@keys.command("list", with_appcontext=False)
@_database_option
def show(database: str) -> None:
    """Print the access keys, the oldest first, and since when they are valid. Secrets are never shown."""
    with opened(database) as kept:
        found = StoredKeys(kept).listed()
    for key in found:
        click.echo(f"{key.access_key}  since {iso(key.created_at)}")
    if not found:
        click.echo("There is no key. Make one with: flask ecscart keys add", err=True)


@keys.command("revoke", with_appcontext=False)
@click.argument("access_key", metavar="ID")
@_database_option
def revoke(access_key: str, database: str) -> None:
    """Delete an access key and its secret. Running servers refuse it within two seconds."""
    with opened(database) as kept:
        if not StoredKeys(kept).revoke(access_key):
            raise click.ClickException(f"There is no key {access_key}. See: flask ecscart keys list")
    click.echo(f"Revoked {access_key}.")
