"""`flask ecscart serve`: the cart service on its own."""

from __future__ import annotations

from importlib import resources
from urllib.parse import urlsplit

import click
from werkzeug.serving import WSGIRequestHandler, run_simple

from flask_ecscart.catalog.file import FileCatalog
from flask_ecscart.cli.group import ecscart
from flask_ecscart.errors import ECSCartError
from flask_ecscart.service.http import create_app

__all__: list[str] = []


class _DiscreetHandler(WSGIRequestHandler):
    """Logs requests without their query: it holds HMACs and signatures."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        path = urlsplit(self.path).path.encode("ascii", "backslashreplace").decode()
        self.log("info", "%s %s %s %s", self.command, path, code, size)


@ecscart.command("serve", with_appcontext=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8001, show_default=True, help="Port to listen on.")
@click.option("--database", default="sqlite:///ecscart-service.db", show_default=True, help="Database URL.")
@click.option("--catalog", type=click.Path(exists=True, dir_okay=False), help="CSV file; without one, the sample.")
@click.option("--key", "keys", multiple=True, metavar="ID:SECRET", help="An access key and its secret; repeatable.")
@click.option("--unsigned", is_flag=True, help="Accept requests without a signature, as before 15 August 2009.")
@click.option("--rate", type=float, help="Transactions a second per access key; beyond it 503 RequestThrottled.")
def serve(
    host: str, port: int, database: str, catalog: str | None, keys: tuple[str, ...], unsigned: bool, rate: float | None
) -> None:
    """Run the cart service on its own, at /onca/xml. Needs no app of yours."""
    secrets = _keys(keys)
    if not secrets and not unsigned:
        raise click.UsageError("Nobody could use it: give --key ID:SECRET, or --unsigned for trying it out.")
    here = f"http://{host}:{port}"
    try:
        app = create_app(
            database_url=database,
            catalog=FileCatalog(catalog or str(resources.files("flask_ecscart") / "catalog" / "sample.csv")),
            keys=secrets,
            unsigned=unsigned,
            rate=rate,
            retail_base=here,
        )
    except ECSCartError as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"Cart service for US at {here}/onca/xml, for other locales at {here}/DE/onca/xml and so on.")
    run_simple(host, port, app, threaded=True, request_handler=_DiscreetHandler)


def _keys(pairs: tuple[str, ...]) -> dict[str, str]:
    keys: dict[str, str] = {}
    for pair in pairs:
        access_key, _, secret = pair.partition(":")
        if not (access_key and secret):
            raise click.BadParameter(
                "Give the access key and its secret joined by a colon: ID:SECRET.", param_hint="--key"
            )
        keys[access_key] = secret
    return keys
