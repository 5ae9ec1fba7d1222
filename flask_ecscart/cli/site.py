"""Commands for the owner of a site; they need the app."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from flask_ecscart.catalog.memory import MemoryCatalog
from flask_ecscart.cli.group import ecscart
from flask_ecscart.cli.keys import opened
from flask_ecscart.service.engine import CartService
from flask_ecscart.web.markup import Markings
from flask_ecscart.web.site import current_site

__all__: list[str] = []


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


@ecscart.command("purge", with_appcontext=False)
@click.option("--database", metavar="URL", help="The database of a cart service of its own; needs no app of yours.")
def purge(database: str | None) -> None:
    """Delete carts that are dead (90 days after the last change, 7 when empty) and forgotten sessions."""
    if database is None:
        with_appcontext(_purge_site)()
        return
    with opened(database) as kept:
        carts = CartService(kept, MemoryCatalog()).purge()
    click.echo(f"Deleted {carts} carts.")


def _purge_site() -> None:
    site = current_site()
    carts = site.service.purge() if site.service is not None else 0
    click.echo(f"Deleted {carts} carts and {site.sessions.purge()} sessions.")
