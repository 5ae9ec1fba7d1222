"""The whole demo in one process: the blog, a stranger's page that embeds its cart, and the cart service."""

from __future__ import annotations

import argparse
import logging
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from flask import Flask
from werkzeug.serving import BaseWSGIServer, make_server

import example_app.elsewhere
import example_app.site
import flask_ecscart.service.http
from example_app.products import CATALOG
from flask_ecscart.catalog.file import FileCatalog
from flask_ecscart.web.site import Site

__all__ = ["main"]

_ATTEMPTS = 100
_KEYS = {"demo": "demo-secret"}
"""For signed requests to the demo's cart service. No secret: it takes unsigned ones too."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM, then return the process's exit status."""
    options = _options(arguments)
    stop = threading.Event()

    def close(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, close)
    # The ports first: the site must know the origin of the page that embeds it, and that page the site's.
    site, elsewhere, service = (_listen(options.host, options.port + step) for step in (0, 10, 1))
    blog = example_app.site.create_app({"ECSCART_ALLOWED_ORIGINS": _origins(elsewhere)}, instance=options.instance)
    page = example_app.elsewhere.create_app(_origins(site)[0])
    carts = _service(blog, _origins(service)[0])
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    welcome = _welcome(site, elsewhere, service)
    _serve([_server(*pair) for pair in ((site, blog), (elsewhere, page), (service, carts))], welcome, stop)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m example_app", description="Serve the demo of Flask-ECSCart.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=int,
        default=8000,
        help="port of the blog (default: %(default)s); the cart service takes the next, the other page the tenth after",
    )
    parser.add_argument(
        "--instance", type=Path, help="folder for the secret key and the carts (default: instance, beside the code)"
    )
    return parser.parse_args(arguments)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket at `port`, or at the next one that is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    problem = "there is none"
    for candidate in range(port, min(port + _ATTEMPTS, 65536)):
        try:
            return socket.create_server((host, candidate), family=family, backlog=128)
        except OSError as error:
            problem = str(error)
    raise SystemExit(f"No port from {port} up can be used on {host} ({problem}): name others with --host and --port.")


def _origins(listener: socket.socket) -> list[str]:
    """The origins under which a browser on this machine reaches `listener`, the one to show first."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return [f"http://{name}:{port}" for name in dict.fromkeys((shown, "127.0.0.1", "localhost"))]


def _service(blog: Flask, origin: str) -> Flask:
    """The cart service beside the blog: same carts, same catalog, spoken to in ECS."""
    shop: Site = blog.extensions["ecscart"]
    return flask_ecscart.service.http.create_app(
        database_url=shop.settings.database_url,
        catalog=FileCatalog(CATALOG),
        keys=_KEYS,
        unsigned=True,
        retail_base=origin,
    )


def _server(listener: socket.socket, app: Flask) -> BaseWSGIServer:
    host, port = listener.getsockname()[:2]
    with listener:  # the server works on a duplicate
        return make_server(host, port, app, threaded=True, fd=listener.fileno())


def _serve(servers: Sequence[BaseWSGIServer], welcome: str, stop: threading.Event) -> None:
    threads = [threading.Thread(target=server.serve_forever, daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    print(welcome, flush=True)
    stop.wait()
    print("\nClosing the shop.", flush=True)
    for server, thread in zip(servers, threads, strict=True):
        server.shutdown()
        thread.join()
        server.server_close()


def _welcome(site: socket.socket, elsewhere: socket.socket, service: socket.socket) -> str:
    blog, page, carts = (_origins(each)[0] for each in (site, elsewhere, service))
    return f"""
  Paper & Lamp is open.

    The blog            {blog}/
    Somebody else's     {page}/
    The cart service    {carts}/onca/xml

  Nothing is sold and no request leaves this computer. Ctrl-C closes it.
"""


if __name__ == "__main__":
    sys.exit(main())
