"""The cart service as a web application: /onca/xml, /onca/soap, the stand-in retail page, /healthz.

One server serves every locale: by the Host header where it is one of Amazon's, or by the first part of the
path (`/DE/onca/xml`), and the US otherwise.
"""

from __future__ import annotations

import gzip
import secrets
from collections.abc import Callable, Mapping
from math import ceil

from flask import Flask, Response, abort, render_template, request
from sqlalchemy import text
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from flask_ecscart.catalog import OfferCatalog
from flask_ecscart.clock import Clock, utc_now
from flask_ecscart.errors import (
    CartInfoMismatch,
    ConfigError,
    DeadCart,
    InvalidISO8601Time,
    InvalidParameterValue,
    StateUnavailable,
)
from flask_ecscart.locales import LOCALES
from flask_ecscart.model import Cart, CartFault
from flask_ecscart.service.access import Access, SoapAccess, Terms, admit
from flask_ecscart.service.common import version_of
from flask_ecscart.service.endpoint import PATH, Endpoint, Received, Reply
from flask_ecscart.service.engine import CartService
from flask_ecscart.service.keys import LiveKeys, StoredKeys
from flask_ecscart.service.parameters import MAX_BYTES
from flask_ecscart.service.purchase_url import NO_TAG, PURCHASE_PATH, read_purchase_query
from flask_ecscart.service.render import render_error
from flask_ecscart.service.soap import SOAP_PATH, SoapEndpoint, SoapReply, unreadable
from flask_ecscart.service.soap_wsdl import LATEST_VERSION, WSDL_PATH, wsdl
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
_FORM_TYPES = {"application/x-www-form-urlencoded", ""}
_SOAP_TYPES = {"text/xml", "application/xml", "application/soap+xml"}


def create_app(  # noqa: PLR0913 - what a server of its own is made of
    *,
    database_url: str,
    catalog: OfferCatalog,
    keys: Mapping[str, str],
    unsigned: bool = False,
    refuse_replays: bool = False,
    rate: float | None = None,
    clock: Clock = utc_now,
    access_clock: Clock | None = None,
    hmac_key: bytes | None = None,
    retail_base: str | None = None,
) -> Flask:
    """The cart service as a WSGI application.

    `keys` maps access key ids to secret keys; those kept in the database are good too, and may come and go.
    `unsigned` lets requests without a signature in, `refuse_replays` takes each signature once. `rate` is the most
    requests a second of one access key. Both are counted over all workers. Without `hmac_key` one is made and kept
    in the database. `retail_base` is this server's own address as shoppers see it: PurchaseURLs then lead to its
    stand-in retail page (`<retail_base>/<locale>/gp/cart/aws-merge.html`), else to Amazon's hosts as recorded.
    `access_clock` (None: `clock`) is the one that signatures, keys and turns are judged by.
    """
    database = Database(database_url)
    terms = Terms(unsigned=unsigned, refuse_replays=refuse_replays, rate=rate)
    known = _keys(database, keys, terms, access_clock or clock)
    base = _own_pages(retail_base) if retail_base else None
    service = CartService(database, catalog, hmac_key=hmac_key, clock=clock, retail_base=base)

    def endpoint(kind: type[Access]) -> Endpoint:
        access = admit(kind, database, known, terms, clock=access_clock or clock)
        return Endpoint(service, access, clock=clock, retail_base=base)

    app = Flask("flask_ecscart", static_folder=None)
    app.extensions[DATABASE] = database
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES
    _add_endpoint(app, endpoint(Access))
    _add_soap(app, SoapEndpoint(endpoint(SoapAccess).answer))
    _add_retail_page(app, service)
    _add_health(app, database)
    return app


def _keys(database: Database, given: Mapping[str, str], terms: Terms, clock: Clock) -> LiveKeys:
    """The keys given and those in the database; a server that nobody may use is refused with `ConfigError`."""
    stored = StoredKeys(database)
    if not given and not terms.unsigned and not stored.listed():
        database.close()
        raise ConfigError(
            "keys",
            None,
            "Give at least one access key id with its secret, make one with `flask ecscart keys add`, "
            "or allow unsigned requests.",
        )
    return LiveKeys(stored, given, clock=clock)


def _own_pages(base: str) -> Callable[[str], str]:
    return lambda locale: f"{base.rstrip('/')}/{locale}"


def _add_endpoint(app: Flask, endpoint: Endpoint) -> None:
    @app.route(PATH, methods=["GET", "POST"])
    @app.route(f"/<locale>{PATH}", methods=["GET", "POST"])
    def onca_xml(locale: str | None = None) -> Response:
        code = _locale(locale)
        if request.method == "HEAD":
            abort(405)  # asking about a request must not carry it out
        try:
            form = _body(_FORM_TYPES)
        except HTTPException as problem:
            return _response(_unreadable(problem))
        return _response(endpoint.answer(_received(code, form)))


def _add_soap(app: Flask, endpoint: SoapEndpoint) -> None:
    @app.route(SOAP_PATH, methods=["GET", "POST"])
    @app.route(f"/<locale>{SOAP_PATH}", methods=["GET", "POST"])
    def onca_soap(locale: str | None = None) -> Response:
        code = _locale(locale)
        if request.method != "POST":
            if "wsdl" in {name.lower() for name in request.args}:
                return _wsdl(LATEST_VERSION, locale)
            refused = _response(unreadable("Send a SOAP message by POST, or ask for the WSDL with ?wsdl.", 405))
            refused.allow.add("POST")
            return refused
        try:
            message = _body(_SOAP_TYPES)
        except HTTPException as problem:
            return _response(unreadable(_why(problem, "SOAP message", "text/xml"), problem.code or 400))
        return _response(endpoint.answer(_received(code, message)))

    @app.get(WSDL_PATH)
    @app.get(WSDL_PATH.replace("/AWSECommerceService.", "/<version>/AWSECommerceService."))
    def wsdl_of_version(version: str = LATEST_VERSION) -> Response:
        try:
            return _wsdl(version_of({"Version": version}), None)
        except InvalidISO8601Time:
            abort(404)


def _wsdl(version: str, locale: str | None) -> Response:
    """The WSDL of a Version. Its usual port is the place it was asked for at; every locale has one besides."""
    base = request.root_url.rstrip("/")
    addresses = {"": f"{base}/{locale}{SOAP_PATH}" if locale else f"{base}{SOAP_PATH}"}
    addresses |= {code: f"{base}/{code}{SOAP_PATH}" for code in LOCALES}
    return _response(Reply(status=200, body=wsdl(version, addresses)))


def _received(locale: str, form: bytes) -> Received:
    return Received(
        method=request.method,
        host=request.host,
        path=f"{request.root_path}{request.path}",
        locale=locale,
        query=request.query_string,
        form=form,
        user_agent=request.headers.get("User-Agent"),
    )


def _locale(named: str | None) -> str:
    if named is not None:
        return named if named in LOCALES else abort(404)
    return _HOSTS.get(request.host.rsplit(":", 1)[0].lower(), "US")


def _body(types: set[str]) -> bytes:
    """The body of a POST of one of these types, nothing of a GET."""
    if request.method != "POST":
        return b""
    if request.mimetype not in types:
        abort(415)
    body = request.get_data(cache=False)
    if request.content_length is None and len(body) >= MAX_BYTES:
        abort(413)  # Werkzeug cuts a chunked body off at the limit without a word
    return body


def _unreadable(problem: HTTPException) -> Reply:
    """A body that cannot be used, as an error document."""
    said = _why(problem, "form", "application/x-www-form-urlencoded, or a GET request")
    fault = CartFault(InvalidParameterValue.code, said)
    return Reply(status=problem.code or 400, body=render_error(None, "2011-08-01", fault, secrets.token_hex(16)))


def _why(problem: HTTPException, wanted: str, content_type: str) -> str:
    if isinstance(problem, RequestEntityTooLarge):
        return f"The request is longer than {MAX_BYTES} bytes. Send fewer items at once."
    return f"The body is no {wanted}. Send {content_type}."


def _response(reply: Reply | SoapReply) -> Response:
    content_type = reply.content_type if isinstance(reply, SoapReply) else _XML
    response = Response(reply.body, status=reply.status, content_type=content_type)
    response.headers["Vary"] = "Accept-Encoding,User-Agent"
    response.headers["Cache-Control"] = "no-store"
    if reply.retry_after is not None:
        response.headers["Retry-After"] = str(max(1, ceil(reply.retry_after)))
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
