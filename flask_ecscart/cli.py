"""`flask ecscart …`: commands for owners and for those who run the cart service on its own."""

from __future__ import annotations

from importlib import resources

import click
from flask.cli import AppGroup, with_appcontext
from werkzeug.serving import run_simple

from flask_ecscart.catalog.file import FileCatalog
from flask_ecscart.errors import ECSCartError
from flask_ecscart.service.http import create_app
from flask_ecscart.web.markup import Markings
from flask_ecscart.web.site import current_site

__all__ = ["ecscart"]

ecscart = AppGroup("ecscart", help="The shopping cart: serve the cart service, print the snippet, purge what is dead.")


@ecscart.command("serve", with_appcontext=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8001, show_default=True, help="Port to listen on.")
@click.option("--database", default="sqlite:///ecscart-service.db", show_default=True, help="Database URL.")
@click.option(
    "--catalog", type=click.Path(exists=True, dir_okay=False), help="CSV file; the sample catalog if not given."
)
@click.option(
    "--key", "keys", multiple=True, metavar="ID:SECRET", help="An access key and its secret; may be repeated."
)
@click.option("--unsigned", is_flag=True, help="Accept requests without a signature, as before 15 August 2009.")
@click.option("--rate", type=float, help="Transactions a second per access key; beyond it 503 RequestThrottled.")
def serve(
    host: str, port: int, database: str, catalog: str | None, keys: tuple[str, ...], unsigned: bool, rate: float | None
) -> None:
    """Run the cart service on its own, at /onca/xml. Needs no app of yours."""
    secrets = _keys(keys)
    if not secrets and not unsigned:
        raise click.UsageError("Nobody could use it: give --key ID:SECRET, or --unsigned for trying it out.")
    try:
        products = FileCatalog(catalog or str(resources.files("flask_ecscart") / "catalog" / "sample.csv"))
        app = create_app(database_url=database, catalog=products, keys=secrets, unsigned=unsigned, rate=rate)
    except ECSCartError as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"Cart service at http://{host}:{port}/onca/xml (US), http://{host}:{port}/DE/onca/xml and so on.")
    run_simple(host, port, app, threaded=True)


@ecscart.command("embed")
@click.option("--base", required=True, metavar="URL", help="This site's own origin, such as https://shop.example.org.")
@with_appcontext
def embed(base: str) -> None:
    """Print what a page needs: the script tag (with its integrity hash), the cart, and a button to copy."""
    site = current_site()
    markings = Markings(site.settings, site.widget)
    click.echo(markings.script(base=base.rstrip("/")))
    click.echo(markings.cart(base=base.rstrip("/")))
    click.echo(markings.button("B000000000", base=base.rstrip("/")))


@ecscart.command("purge")
@with_appcontext
def purge() -> None:
    """Delete carts that are dead (90 days after the last change, 7 when empty) and forgotten sessions."""
    site = current_site()
    carts = site.service.purge() if site.service is not None else 0
    click.echo(f"Deleted {carts} carts and {site.sessions.purge()} sessions.")


def _keys(pairs: tuple[str, ...]) -> dict[str, str]:
    keys: dict[str, str] = {}
    for pair in pairs:
        access_key, colon, secret = pair.partition(":")
        if not (access_key and colon and secret):
            raise click.BadParameter(
                "Give the access key and its secret joined by a colon: ID:SECRET.", param_hint="--key"
            )
        keys[access_key] = secret
    return keys
