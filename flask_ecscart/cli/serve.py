"""`flask ecscart serve`: the cart service on its own."""

from __future__ import annotations

from importlib import resources
from urllib.parse import urlsplit

import click
from werkzeug.serving import WSGIRequestHandler, run_simple

from flask_ecscart.catalog.file import FileCatalog
from flask_ecscart.cli.group import ecscart
from flask_ecscart.cli.keys import DEFAULT_DATABASE
from flask_ecscart.errors import ECSCartError
from flask_ecscart.service.http import create_app
from flask_ecscart.service.keys import is_open_to_others, read_keys_file
from flask_ecscart.service.sandbox import sandboxed

__all__: list[str] = []


class _DiscreetHandler(WSGIRequestHandler):
    """Logs requests without their query: it holds HMACs and signatures."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        path = urlsplit(self.path).path.encode("ascii", "backslashreplace").decode()
        self.log("info", "%s %s %s %s", self.command, path, code, size)


@ecscart.command("serve", with_appcontext=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8001, show_default=True, help="Port to listen on.")
@click.option("--database", default=DEFAULT_DATABASE, show_default=True, metavar="URL", help="Database URL.")
@click.option("--catalog", type=click.Path(exists=True, dir_okay=False), help="CSV file; without one, the sample.")
@click.option("--key", "keys", multiple=True, metavar="ID:SECRET", help="An access key and its secret; repeatable.")
@click.option("--keys-file", type=click.Path(exists=True, dir_okay=False), help="A file of ID:SECRET lines.")
@click.option("--unsigned", is_flag=True, help="Accept requests without a signature, as before 15 August 2009.")
@click.option("--refuse-replays", is_flag=True, help="Take each signature once within its 15 minutes.")
@click.option("--rate", type=float, help="Transactions a second per access key; beyond it 503 RequestThrottled.")
@click.option("--sandbox", is_flag=True, help="For testing a shop: /sandbox moves the clock, makes faults and so on.")
def serve(  # noqa: PLR0913 - one for each option
    *,
    host: str,
    port: int,
    database: str,
    catalog: str | None,
    keys: tuple[str, ...],
    keys_file: str | None,
    unsigned: bool,
    refuse_replays: bool,
    rate: float | None,
    sandbox: bool,
) -> None:
    """Run the cart service on its own, at /onca/xml and /onca/soap. Needs no app of yours.

    Keys may also be kept in the database: `flask ecscart keys add`, with the same --database.
    """
    here = f"http://{host}:{port}"
    try:
        make = sandboxed(create_app, host=host) if sandbox else create_app
        app = make(
            database_url=database,
            catalog=FileCatalog(catalog or str(resources.files("flask_ecscart") / "catalog" / "sample.csv")),
            keys=_keys_of(keys_file) | _keys(keys),
            unsigned=unsigned,
            refuse_replays=refuse_replays,
            rate=rate,
            retail_base=here,
        )
    except ECSCartError as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"Cart service for US at {here}/onca/xml, for other locales at {here}/DE/onca/xml and so on.")
    click.echo(f"SOAP: {here}/onca/soap, described at {here}/onca/soap?wsdl")
    if sandbox:
        click.echo(f"Sandbox: {here}/sandbox. Whoever reaches it may empty this service.")
    run_simple(host, port, app, threaded=True, request_handler=_DiscreetHandler)


def _keys_of(keys_file: str | None) -> dict[str, str]:
    if keys_file is None:
        return {}
    if is_open_to_others(keys_file):
        click.echo(f"Warning: other users can read {keys_file}. Close it: chmod 600 {keys_file}", err=True)
    return read_keys_file(keys_file)


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
