"""Commands for the owner of a site; they need the app."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import click
from flask.cli import with_appcontext

from flask_ecscart.catalog.memory import MemoryCatalog
from flask_ecscart.cli.group import ecscart
from flask_ecscart.cli.keys import opened
from flask_ecscart.locales import LOCALES
from flask_ecscart.service.engine import CartService
from flask_ecscart.settings import Settings
from flask_ecscart.state.fleeting_sql import SQLFleeting
from flask_ecscart.web.markup import Markings
from flask_ecscart.web.site import current_site

__all__: list[str] = []


def _origin(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise click.BadParameter("Give scheme and host, without a path: https://shop.example.org.")
    return value.rstrip("/")


@ecscart.command("embed")
@click.option(
    "--base",
    required=True,
    metavar="URL",
    callback=_origin,
    help="This site's own origin, such as https://shop.example.org.",
)
@click.option("--asin", default="B000000000", show_default=True, help="What the button adds.")
@click.option("--offer-listing-id", metavar="ID", help="What it adds, by one seller's offer; instead of --asin.")
@click.option("--locale", help="The cart it goes into.  [default: ECSCART_DEFAULT_LOCALE]")
@click.option("--quantity", default=1, show_default=True, help="Pieces, 1 to 999.")
@click.option("--label", help="What the button says.")
@click.option("--lang", help="Language of button and cart where it is not the page's: en, de, fr, ja.")
@click.option("--stable", is_flag=True, help="A script tag that outlives an upgrade, without integrity hash.")
@with_appcontext
def embed(base: str, stable: bool, asin: str, **button: Any) -> None:
    """Print what a page elsewhere needs: the script tag (with its integrity hash), the cart, and a button.

    What else that page and this site need is said beside it, on the error stream: it is not part of the snippet.
    """
    site = current_site()
    markings = Markings(site.settings, site.widget, base=base)
    try:
        printed = markings.button(None if button["offer_listing_id"] else asin, **button)
    except ValueError as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(markings.script(stable=stable))
    click.echo(markings.cart(lang=button["lang"]))
    click.echo(printed)
    for line in _beside(site.settings, base, stable=stable):
        click.echo(line, err=True)


def _beside(settings: Settings, base: str, *, stable: bool) -> Iterator[str]:
    """What an owner has to know about the snippet."""
    if not settings.allowed_origins:
        yield "No other site may embed the cart yet: name its origin in ECSCART_ALLOWED_ORIGINS."
    if not stable:
        yield "The script tag is good until you upgrade Flask-ECSCart; then print it again, or use --stable."
    forms = [LOCALES[code].retail_host for code, row in settings.locales.items() if row.handoff == "form"]
    policy = [f"{directive} {base}" for directive in ("script-src", "connect-src", "img-src")]
    policy += ["form-action " + " ".join(f"https://{host}" for host in forms)] if forms else []
    yield f"A page with a Content-Security-Policy needs in it: {'; '.join(policy)}"


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
    if isinstance(site.fleeting, SQLFleeting):
        site.fleeting.purge()  # limits and last replies of shoppers who are long gone; Redis forgets by itself
    click.echo(f"Deleted {carts} carts and {site.sessions.purge()} sessions.")
