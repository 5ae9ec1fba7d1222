"""The cart service as a web application: /onca/xml, the stand-in retail page, /healthz.

One server serves every locale: by the Host header where it is one of Amazon's, or by the first part of the
path (`/DE/onca/xml`), and the US otherwise.
"""

from __future__ import annotations

import gzip
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime

from flask import Flask, Response, abort, render_template, request
from sqlalchemy import text
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from flask_ecscart.catalog import OfferCatalog
from flask_ecscart.clock import Clock, utc_now
from flask_ecscart.errors import CartInfoMismatch, ConfigError, DeadCart, InvalidParameterValue, StateUnavailable
from flask_ecscart.locales import LOCALES
from flask_ecscart.model import Cart, CartFault
from flask_ecscart.service.access import Access
from flask_ecscart.service.endpoint import PATH, Endpoint, Received, Reply
from flask_ecscart.service.engine import CartService
from flask_ecscart.service.parameters import MAX_BYTES
from flask_ecscart.service.purchase_url import NO_TAG, PURCHASE_PATH, read_purchase_query
from flask_ecscart.service.render import render_error
from flask_ecscart.service.store import Store
from flask_ecscart.state.sql import Database

__all__ = ["DATABASE", "create_app"]

DATABASE = "ecscart_service_database"
"""Under this name `app.extensions` has the `Database`, for whoever stops the server and closes it."""

_OLD_ENDPOINTS = {"UK": "co.uk", "DE": "de", "JP": "jp", "FR": "fr", "CA": "ca", "US": "com"}
"""Endings of the hosts ecs.amazonaws.… and aws.amazonaws.… of 2007–2011."""
_HOSTS = {
    **{row.endpoint: code for code, row in LOCALES.items()},
    **{f"{name}.amazonaws.{end}": code for code, end in _OLD_ENDPOINTS.items() for name in ("ecs", "aws")},
    **{host: code for code, row in LOCALES.items() for host in row.retail_hosts},
}
_XML = "text/xml;charset=UTF-8"


def create_app(  # noqa: PLR0913 - what a server of its own is made of
    *,
    database_url: str,
    catalog: OfferCatalog,
    keys: Mapping[str, str],
    unsigned: bool = False,
    rate: float | None = None,
    clock: Clock = utc_now,
    hmac_key: bytes | None = None,
    retail_base: str | None = None,
) -> Flask:
    """The cart service as a WSGI application.

    `keys` maps access key ids to secret keys; `unsigned` lets requests without a signature in. `rate` is the most
    requests a second of one access key, counted over all workers. Without `hmac_key` one is made and kept in the
    database. `retail_base` is this server's own address as shoppers see it: PurchaseURLs then lead to its stand-in
    retail page (`<retail_base>/<locale>/gp/cart/aws-merge.html`), else to Amazon's hosts as recorded.
    """
    if not keys and not unsigned:
        raise ConfigError("keys", None, "Give at least one access key id with its secret, or allow unsigned requests.")
    database = Database(database_url)
    base = _own_pages(retail_base) if retail_base else None
    service = CartService(database, catalog, hmac_key=hmac_key, clock=clock, retail_base=base)
    endpoint = Endpoint(
        service,
        Access(keys, clock=clock, unsigned=unsigned),
        clock=clock,
        take_turn=_turns(Store(database), rate, clock) if rate else None,
        retail_base=base,
    )
    app = Flask("flask_ecscart", static_folder=None)
    app.extensions[DATABASE] = database
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES
    _add_endpoint(app, endpoint)
    _add_retail_page(app, service)
    _add_health(app, database)
    return app


def _own_pages(base: str) -> Callable[[str], str]:
    return lambda locale: f"{base.rstrip('/')}/{locale}"


def _turns(store: Store, rate: float, clock: Clock) -> Callable[[str], bool]:
    interval = round(1000 / rate)

    def take_turn(access_key: str) -> bool:
        with store.database.transaction() as connection:
            return store.take_turn(connection, access_key, _milliseconds(clock()), interval)

    return take_turn


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _add_endpoint(app: Flask, endpoint: Endpoint) -> None:
    @app.route(PATH, methods=["GET", "POST"])
    @app.route(f"/<locale>{PATH}", methods=["GET", "POST"])
    def onca_xml(locale: str | None = None) -> Response:
        code = _locale(locale)
        if request.method == "HEAD":
            abort(405)  # asking about a request must not carry it out
        try:
            form = _form()
        except HTTPException as problem:
            return _response(_unreadable(problem))
        received = Received(
            method=request.method,
            host=request.host,
            path=f"{request.root_path}{request.path}",
            locale=code,
            query=request.query_string,
            form=form,
            user_agent=request.headers.get("User-Agent"),
        )
        return _response(endpoint.answer(received))


def _locale(named: str | None) -> str:
    if named is not None:
        return named if named in LOCALES else abort(404)
    return _HOSTS.get(request.host.rsplit(":", 1)[0].lower(), "US")


def _form() -> bytes:
    """The body of a form POST, nothing of a GET."""
    if request.method != "POST":
        return b""
    if request.mimetype not in {"application/x-www-form-urlencoded", ""}:
        abort(415)
    return request.get_data(cache=False)


def _unreadable(problem: HTTPException) -> Reply:
    """A body that cannot be used, as an error document."""
    if isinstance(problem, RequestEntityTooLarge):
        said = f"The request is longer than {MAX_BYTES} bytes. Send fewer items at once."
    else:
        said = "The body is no form. Send application/x-www-form-urlencoded, or a GET request."
    fault = CartFault(InvalidParameterValue.code, said)
    return Reply(status=problem.code or 400, body=render_error(None, "2011-08-01", fault, secrets.token_hex(16)))


def _response(reply: Reply) -> Response:
    response = Response(reply.body, status=reply.status, content_type=_XML)
    response.headers["Vary"] = "Accept-Encoding,User-Agent"
    response.headers["Cache-Control"] = "no-store"
    if reply.retry_after is not None:
        response.headers["Retry-After"] = str(max(1, round(reply.retry_after)))
    if request.accept_encodings.quality("gzip") > 0:
        # One widely used client cannot read a reply that is not compressed when it asked for it.
        response.set_data(gzip.compress(reply.body, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _add_retail_page(app: Flask, service: CartService) -> None:
    @app.get(PURCHASE_PATH)
    @app.get(f"/<locale>{PURCHASE_PATH}")
    def retail(locale: str | None = None) -> Response:
        code = _locale(locale)
        if request.method == "HEAD":
            return _page("", 200)  # looking is not buying: only a visit ends the cart
        try:
            cart = _purchase(service, code, request.query_string)
        except DeadCart as problem:
            unknown = isinstance(problem, CartInfoMismatch)
            said = "This address leads to no cart." if unknown else "This cart has arrived before, or it has expired."
            return _page(_retail_html(code, said), 404 if unknown else 410)
        except StateUnavailable:
            return _page(_retail_html(code, "The cart cannot be reached at the moment. Try again."), 503)
        return _page(_retail_html(code, None, cart), 200)


def _purchase(service: CartService, locale: str, query: bytes) -> Cart:
    sent = read_purchase_query(query.decode("ascii", "replace"))
    cart_id, hmac, tag = (sent.get(name, "") for name in ("cart-id", "hmac", "associate-id"))
    try:
        return service.purchase(locale, cart_id, hmac, tag)
    except CartInfoMismatch:
        if tag != NO_TAG:
            raise
        return service.purchase(locale, cart_id, hmac, "")  # what the URL of a cart without a tag says (recorded)


def _retail_html(locale: str, problem: str | None, cart: Cart | None = None) -> str:
    return render_template(
        "ecscart/retail.html",
        locale=LOCALES[locale],
        problem=problem,
        associate_tag=cart.ref.associate_tag or "none" if cart else "",
        items=cart.items if cart else (),
        saved=cart.saved if cart else (),
        subtotal=cart.items_subtotal if cart else None,
    )


def _page(html: str, status: int) -> Response:
    response = Response(html, status=status, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"  # the address holds the HMAC
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
    )
    return response


def _add_health(app: Flask, database: Database) -> None:
    @app.get("/healthz")
    def healthz() -> Response:
        try:
            with database.reading() as connection:
                connection.execute(text("SELECT 1"))
        except StateUnavailable as problem:
            return Response(str(problem), status=503, content_type="text/plain")
        return Response("ok", content_type="text/plain")
