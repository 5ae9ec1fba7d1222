"""The widget file: at a stable address for pages that embed it, and at a hashed one that never changes."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

import msgspec
from flask import Response, g, request

__all__ = ["Widget", "load_widget", "widget_response"]

_STABLE_SECONDS = 300
_HASHED_SECONDS = 31_536_000


class Widget(msgspec.Struct, frozen=True, kw_only=True):
    """The built widget: its bytes, a short hash for its address, and the value for `integrity=`."""

    body: bytes
    digest: str
    integrity: str


def load_widget() -> Widget:
    """The widget that comes with the package."""
    body = (resources.files("flask_ecscart") / "static" / "ecscart.js").read_bytes()
    sha = hashlib.sha384(body).digest()
    return Widget(body=body, digest=sha.hex()[:16], integrity="sha384-" + base64.b64encode(sha).decode())


def widget_response(widget: Widget, *, immutable: bool) -> Response:
    """The file with ETag and cache time; readable by pages of any origin, as a script is."""
    g.ecscart_public = True
    response = Response(widget.body, mimetype="text/javascript")
    response.set_etag(widget.digest)
    seconds = _HASHED_SECONDS if immutable else _STABLE_SECONDS
    response.headers["Cache-Control"] = f"public, max-age={seconds}" + (", immutable" if immutable else "")
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.make_conditional(request)
    return response
