"""The shop in worker processes that can be told to die (kill -9) at any numbered point of a request.

Points are counted per request: it arrived; before and after each SQL statement; before each commit and after
it, when the connection goes back; the answer is made; half of it is sent; all of it is sent. A request with the
header `X-Die-At: 7` ends its process at the seventh.
"""

from __future__ import annotations

import os
import signal
import sqlite3  # noqa: F401 - a worker that gives up its rights may not find it later
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask
from sqlalchemy import Engine, Pool, event

from tests.support.shop import Shop

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["DIE_AT", "FACTORY", "create_app"]

FACTORY = "tests.faults.points:create_app()"
DIE_AT = "X-Die-At"


class Points:
    """A WSGI application whose requests pass numbered points."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._here = threading.local()
        event.listen(Engine, "before_cursor_execute", lambda *_: self._pass())
        event.listen(Engine, "after_cursor_execute", lambda *_: self._pass())
        event.listen(Engine, "commit", lambda *_: self._pass())
        event.listen(Pool, "checkin", lambda *_: self._pass())

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self._here.count, self._here.die_at = 0, int(environ.get("HTTP_X_DIE_AT", "0"))
        self._pass()
        started: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            started[:] = [status, headers]

        answer = self._app(environ, start)
        try:
            body = b"".join(answer)
        finally:
            getattr(answer, "close", lambda: None)()
        self._pass()
        status, headers = started
        start_response(status, headers)
        return self._sent(body)

    def _sent(self, body: bytes) -> Iterator[bytes]:
        half = len(body) // 2
        yield body[:half]
        self._pass()
        yield body[half:]
        self._pass()

    def _pass(self) -> None:
        self._here.count = getattr(self._here, "count", 0) + 1
        if self._here.count == getattr(self._here, "die_at", 0):
            os.kill(os.getpid(), signal.SIGKILL)


def create_app() -> Flask:
    """The shop with points and a page of the host's own; SHOP_FOLDER and SHOP_DATABASE_URL say where it keeps carts."""
    database = os.environ.get("SHOP_DATABASE_URL")
    app = Shop(Path(os.environ["SHOP_FOLDER"]), **({"ECSCART_DATABASE_URL": database} if database else {})).app
    app.add_url_rule("/", "home", lambda: "the host's own page")
    app.wsgi_app = Points(app.wsgi_app)  # type: ignore[method-assign]
    return app
