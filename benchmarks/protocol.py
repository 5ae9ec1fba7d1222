"""What the protocol costs: reading and writing a cart of fifty lines, and one CartAdd over HTTP, each beside its floor.

A ratio of 0.5 is twice the floor's time. Aims: reading at least 0.67, writing 0.50, CartAdd 0.50.
"""

from __future__ import annotations

import multiprocessing
import socket
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, tostring

from defusedxml.ElementTree import fromstring
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from benchmarks.harness import Aim, Case, Suite
from flask_ecscart.catalog.memory import MemoryCatalog
from flask_ecscart.ecs.client import ECSClient
from flask_ecscart.ecs.parsing import parse_cart
from flask_ecscart.ecs.transport import RequestsTransport
from flask_ecscart.model import NewItem, Offer, Product
from flask_ecscart.service.engine import CartService
from flask_ecscart.service.http import DATABASE, create_app
from flask_ecscart.service.operations import Outcome
from flask_ecscart.service.render import Envelope, render_reply
from flask_ecscart.service.requests import read_call
from flask_ecscart.state.sql import Database

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["adding", "reading", "writing"]

_LINES = 50
_CARTS = 40
_ADDS = 60
_POOL = 150
_KEY, _SECRET, _TAG = "AKIABENCH00000000000", "a secret of the benchmarks", "bench-20"


@contextmanager
def reading(folder: Path) -> Iterator[Suite]:
    """A reply of fifty lines: our `Cart` beside the bare tree of defusedxml."""
    body = _renderer(folder)()

    def ours() -> None:
        for _ in range(_CARTS):
            parse_cart(body, locale="US", associate_tag=_TAG, operation="CartCreate")

    def floor() -> None:
        for _ in range(_CARTS):
            fromstring(body)

    cases = [Case("defusedxml, bare tree", _CARTS, floor), Case("parse_cart", _CARTS, ours, Aim(least=0.67))]
    yield Suite(f"Reading a cart of {_LINES} lines ({len(body):,} bytes)", "/s", cases)


@contextmanager
def writing(folder: Path) -> Iterator[Suite]:
    """The same reply: our rendering of what the engine says beside the serialisation of its finished tree."""
    render = _renderer(folder)
    tree = _unqualified(fromstring(render()))

    def ours() -> None:
        for _ in range(_CARTS):
            render()

    def floor() -> None:
        for _ in range(_CARTS):
            tostring(tree, encoding="utf-8")

    cases = [Case("xml.etree, finished tree", _CARTS, floor), Case("render_reply", _CARTS, ours, Aim(least=0.5))]
    yield Suite(f"Writing a cart of {_LINES} lines", "/s", cases)


@contextmanager
def adding(folder: Path) -> Iterator[Suite]:
    """One line more, signed, sent, checked, kept and read, beside a commit and an empty round trip."""
    with (
        _service(folder) as app,
        _serving(app) as url,
        _serving(_empty()) as empty,
        closing(sqlite3.connect(folder / "raw.db", isolation_level=None)) as raw,
    ):
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("PRAGMA synchronous=FULL")
        raw.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, payload TEXT NOT NULL)")
        client = ECSClient("US", _KEY, _SECRET, _TAG, endpoint=f"{url}/onca/xml")
        nothing = _asker(empty)
        add = _adder(client)

        def ours() -> None:
            for _ in range(_ADDS):
                add()

        def floor() -> None:
            for _ in range(_ADDS):
                raw.execute("BEGIN IMMEDIATE")
                raw.execute("INSERT INTO rows (payload) VALUES (?)", ("x" * 200,))
                raw.execute("COMMIT")
                nothing()

        cases = [
            Case("SQLite commit + empty WSGI round trip", _ADDS, floor),
            Case("CartAdd: client, HTTP, engine", _ADDS, ours, Aim(least=0.5)),
        ]
        yield Suite("One line into a cart", "/s", cases)


def _products() -> list[Product]:
    return [
        Product(
            locale="US",
            asin=f"B0BENCH{number:03d}",
            title=f"A product & its name, of a usual length, number {number}",
            product_group="Book",
            offers=(Offer(offer_listing_id=f"bench%2B{number}", price=1000 + number),),
        )
        for number in range(_LINES)
    ]


@contextmanager
def _service(folder: Path) -> Iterator[Flask]:
    app = create_app(
        database_url=f"sqlite:///{folder / 'carts.db'}", catalog=MemoryCatalog(_products()), keys={_KEY: _SECRET}
    )
    try:
        yield app
    finally:
        app.extensions[DATABASE].close()


def _parameters() -> dict[str, str]:
    items = {f"Item.{place}.ASIN": product.asin for place, product in enumerate(_products(), start=1)}
    quantities = {f"Item.{place}.Quantity": "2" for place in range(1, _LINES + 1)}
    common = {"Service": "AWSECommerceService", "Operation": "CartCreate", "Version": "2013-08-01"}
    return {**common, "AWSAccessKeyId": "X", "AssociateTag": _TAG, **items, **quantities}


def _renderer(folder: Path) -> Callable[[], bytes]:
    """Renders the reply to a CartCreate of all products, which was carried out once."""
    database = Database(f"sqlite:///{folder / 'rendered.db'}")
    call = read_call(_parameters(), locale="US", access_key="X")
    cart = CartService(database, MemoryCatalog(_products())).create("US", _TAG, call.new_items())
    database.close()
    outcome = Outcome(valid=True, cart=cart)
    envelope = Envelope(request_id=str(uuid.uuid4()), arguments=_parameters(), user_agent="bench", seconds=0.1)
    return lambda: render_reply(call, outcome, envelope)


def _unqualified(element: Element) -> Element:
    """The tree as a renderer makes it: plain names, the namespace an attribute of the root."""
    for each in element.iter():
        namespace, _, each.tag = each.tag.rpartition("}")
    element.set("xmlns", namespace[1:])
    return element


def _adder(client: ECSClient) -> Callable[[], object]:
    """Puts one line after another into many carts, so that they hold a few lines each."""
    first = [NewItem(asin="B0BENCH000", quantity=1)]
    refs = [client.create(first).ref for _ in range(_POOL)]
    numbers = count(_POOL)

    def add() -> object:
        number = next(numbers)
        line = NewItem(asin=f"B0BENCH{number // _POOL % _LINES:03d}", quantity=1)
        return client.add(refs[number % _POOL], [line])

    return add


def _asker(url: str) -> Callable[[], object]:
    """An empty request over the client's own transport."""
    transport = RequestsTransport()
    return lambda: transport.send("GET", f"{url}/", headers={})


def _empty() -> WSGIApplication:
    def app(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
        return [b"ok"]

    return app


class _KeepAlive(WSGIRequestHandler):
    """Keeps connections open, as servers do behind which a service runs; prints nothing."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the name is werkzeug's
        pass


@contextmanager
def _serving(app: WSGIApplication) -> Iterator[str]:
    """The app's address, in a process of its own: in one process, caller and server would wait for each other's GIL."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        port = int(listener.getsockname()[1])
        server = multiprocessing.get_context("fork").Process(target=_serve, args=(app, listener), daemon=True)
        server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.join()


def _serve(app: WSGIApplication, listener: socket.socket) -> None:
    make_server("127.0.0.1", 0, app, threaded=True, request_handler=_KeepAlive, fd=listener.fileno()).serve_forever()
