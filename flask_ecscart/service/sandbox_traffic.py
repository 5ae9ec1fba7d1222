"""Every request on its way to the cart service and back: written down, and struck by the faults that were ordered."""

from __future__ import annotations

import gzip
import re
import socket
import uuid
from collections.abc import Iterable
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING

import msgspec
from werkzeug.datastructures import Headers
from werkzeug.test import run_wsgi_app

from flask_ecscart.clock import Clock, iso
from flask_ecscart.errors import ECSError, InternalError, RequestThrottled
from flask_ecscart.locales import LOCALES
from flask_ecscart.model import CartFault
from flask_ecscart.service.parameters import MAX_BYTES, read_pairs
from flask_ecscart.service.render import render_error
from flask_ecscart.service.sandbox_clock import Sleep
from flask_ecscart.service.sandbox_faults import Fault, Faults
from flask_ecscart.service.sandbox_journal import Journal, shown

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Traffic"]

_SERVICE_PATH = re.compile(r"(?:/([A-Z]{2}))?/onca/(xml|soap)")
_OPERATION = re.compile(r"[A-Za-z]{1,40}")
_CODE = re.compile(rb"<Code>([A-Za-z0-9._]{1,100})</Code>")
_CART_ID = re.compile(rb"<CartId>([0-9-]{19})</CartId>")
_OTHER_CART = b"000-0000000-0000000"
_GARBAGE = b"\x89\x00<CartGetResponse><<<]]>\xff\xfe not what you asked for"
_TEXT = "text/plain; charset=utf-8"
_XML = "text/xml;charset=UTF-8"
_ENDPOINTS = {row.endpoint: code for code, row in LOCALES.items()}


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the middleware understands of a request. `faulty` is whether faults may strike it."""

    locale: str
    operation: str | None
    parameters: dict[str, str]
    version: str
    faulty: bool


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What goes back. `sent` is how much of the body does; with `cut` the connection is closed behind it."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes
    sent: int | None = None
    cut: bool = False


class Traffic:
    """The WSGI application `app` with faults and a journal."""

    def __init__(self, app: WSGIApplication, faults: Faults, journal: Journal, *, clock: Clock, sleep: Sleep) -> None:
        self._app = app
        self._faults = faults
        self._journal = journal
        self._clock = clock
        self._sleep = sleep

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        begun = self._clock()
        asked = _asked(environ)
        fault = self._faults.take(asked.operation, asked.locale) if asked.faulty else None
        answer = self._run(environ) if fault is None else self._struck(environ, asked, fault)
        silent = answer.cut and answer.sent == 0
        self._journal.add(
            at=iso(begun),
            method=environ["REQUEST_METHOD"][:10],
            path=environ.get("PATH_INFO", "")[:100],
            locale=asked.locale,
            operation=asked.operation,
            parameters=asked.parameters,
            status=None if silent else int(answer.status[:3]),
            codes=[] if silent else _codes(answer),
            fault=None if fault is None else fault.kind,
            milliseconds=round((self._clock() - begun).total_seconds() * 1000, 1),
        )
        return _send(answer, environ, start_response)

    def _struck(self, environ: WSGIEnvironment, asked: _Asked, fault: Fault) -> _Answer:
        self._sleep(fault.seconds)
        if fault.kind in {"truncated", "garbage", "wrong_cart"}:
            environ.pop("HTTP_ACCEPT_ENCODING", None)  # half of a compressed body is another fault
        done = self._run(environ) if fault.carries_out else None
        if fault.kind in {"error", "unavailable"}:
            return _refusal(asked, fault)
        if done is None or fault.kind == "cut_after":
            return _Answer(status="500 Cut", headers=[], body=b"", sent=0, cut=True)
        if fault.kind == "truncated":
            return msgspec.structs.replace(done, sent=len(done.body) // 2, cut=True)
        if fault.kind == "garbage":
            return _whole(done.status, _XML, _GARBAGE)
        if fault.kind == "wrong_cart":
            return _whole(done.status, _XML, _with_other_cart(done.body))
        return done

    def _run(self, environ: WSGIEnvironment) -> _Answer:
        pieces, status, headers = run_wsgi_app(self._app, environ, buffered=True)
        return _Answer(status=status, headers=list(headers), body=b"".join(pieces))


def _asked(environ: WSGIEnvironment) -> _Asked:
    """The request, its body put back for the service to read."""
    path = _SERVICE_PATH.fullmatch(environ.get("PATH_INFO", ""))
    host = environ.get("HTTP_HOST", "").partition(":")[0].lower()
    locale = (path and path.group(1)) or _ENDPOINTS.get(host, "US")
    pairs: list[tuple[str, str]] = []
    if path is not None and path.group(2) == "xml":
        with suppress(ECSError):
            pairs = [*read_pairs(environ.get("QUERY_STRING", "").encode("latin-1")), *read_pairs(_form(environ))]
    named = dict(pairs)
    operation = named.get("Operation") or environ.get("HTTP_SOAPACTION", "").strip('"').rpartition("/")[2]
    return _Asked(
        locale=locale,
        operation=operation if _OPERATION.fullmatch(operation) else None,
        parameters=shown(pairs),
        version=named.get("Version", ""),
        faulty=path is not None,
    )


def _form(environ: WSGIEnvironment) -> bytes:
    length = environ.get("CONTENT_LENGTH", "")
    if not length.isdigit() or int(length) > MAX_BYTES:
        return b""  # the service will refuse it; nobody needs to know what was in it
    body: bytes = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = BytesIO(body)
    return body


def _refusal(asked: _Asked, fault: Fault) -> _Answer:
    error: ECSError
    if fault.kind == "error":
        status = "500 Internal Server Error"
        error = InternalError("We encountered an internal error. Please try again.", code="InternalError")
    else:
        status = "503 Service Unavailable"
        error = RequestThrottled(
            "You are submitting requests too quickly. Please retry your requests at a slower rate."
        )
    if fault.plain:
        answer = _whole(status, _TEXT, f"{status[4:]}\n".encode())
    else:
        version = asked.version if re.fullmatch(r"[0-9-]{10}", asked.version) else "2013-08-01"
        document = render_error(asked.operation, version, CartFault(error.code, error.message), str(uuid.uuid4()))
        answer = _whole(status, _XML, document)
    if fault.kind == "unavailable":
        answer.headers.append(("Retry-After", str(fault.retry_after)))
    return answer


def _whole(status: str, content_type: str, body: bytes) -> _Answer:
    headers = [("Content-Type", content_type), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    return _Answer(status=status, headers=headers, body=body)


def _with_other_cart(body: bytes) -> bytes:
    found = _CART_ID.search(body)
    return body if found is None else body.replace(found.group(1), _OTHER_CART)


def _codes(answer: _Answer) -> list[str]:
    body = answer.body
    if Headers(answer.headers).get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    return [code.decode() for code in _CODE.findall(body)][:50]


def _send(answer: _Answer, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if not answer.cut:
        start_response(answer.status, answer.headers)
        return [answer.body]
    connection = environ.get("werkzeug.socket") or environ.get("gunicorn.socket")
    if not isinstance(connection, socket.socket):
        start_response("500 Cut", [("Content-Type", _TEXT)])
        return [b"This server gives no connection to cut. Run the sandbox with flask ecscart serve, or gunicorn.\n"]
    if answer.sent == 0:
        _hang_up(connection)
    start_response(answer.status, answer.headers)
    return _cut_short(answer, connection)


def _cut_short(answer: _Answer, connection: socket.socket) -> Iterable[bytes]:
    yield answer.body[: answer.sent]
    _hang_up(connection)


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):  # the caller may have been faster
        connection.shutdown(socket.SHUT_RDWR)
