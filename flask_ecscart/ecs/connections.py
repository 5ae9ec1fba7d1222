"""urllib3 connections that show no query to anyone, know whether anything was sent, and keep one deadline.

ECS puts access key, HMAC and Signature into the query; urllib3 writes URLs into debug logs, warnings and exceptions.
So the URL that requests and urllib3 handle has no query: it travels in a private header, and the connection puts it
back where it belongs at the last moment.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from flask_ecscart.errors import NotSent

__all__ = ["QUERY_HEADER", "QuietAdapter"]

QUERY_HEADER = "X-ECSCart-Query"
"""Carries the query to the connection; never leaves the process."""


class QuietAdapter(HTTPAdapter):
    """A requests adapter over connections that hide the query. `deadline` bounds a whole reply, in seconds."""

    def __init__(self, *, deadline: float) -> None:
        self._deadline = deadline
        super().__init__(pool_connections=4, pool_maxsize=16, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Build the pools on the connections of this module."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pool_classes(self._deadline)


# The mixin stands before either connection class; the type checkers are told of the common one.
if TYPE_CHECKING:
    _Connection = HTTPConnection
else:
    _Connection = object


class _QuietMixin(_Connection):
    """What both connection classes share; `reply_deadline` is set by the subclass made for an adapter."""

    reply_deadline: float
    _query = ""

    def connect(self) -> None:
        try:
            super().connect()
        except (OSError, ValueError, HTTPError) as exc:
            problem = type(exc).__name__
        else:
            return
        # urllib3 lets an exception it does not know through, so this one arrives as it is, without a retry.
        raise NotSent(f"No connection to the endpoint ({problem}), so nothing was sent. Check endpoint and network.")

    def request(
        self, method: str, url: str, body: Any = None, headers: Mapping[str, Any] | None = None, **options: Any
    ) -> None:
        kept = dict(headers or {})
        self._query = kept.pop(QUERY_HEADER, "")
        # http.client calls it with the socket, and the deadline starts with the request.
        self.response_class = cast("Any", _reply_until(time.monotonic() + self.reply_deadline))
        super().request(method, url, body, kept, **options)

    def putrequest(self, method: str, url: str, *args: Any, **options: Any) -> None:
        # Only here the query joins the URL: what `request` was given is kept for log lines.
        target = f"{url}?{self._query}" if self._query else url
        self._query = ""
        super().putrequest(method, target, *args, **options)


def _pool_classes(deadline: float) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(_QuietMixin, HTTPConnection):
        reply_deadline = deadline

    class Secure(_QuietMixin, HTTPSConnection):
        reply_deadline = deadline

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = cast("Any", Plain)

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = cast("Any", Secure)

    return {"http": PlainPool, "https": SecurePool}


def _reply_until(moment: float) -> Callable[..., http.client.HTTPResponse]:
    def build(sock: socket.socket, *args: Any, **kwargs: Any) -> http.client.HTTPResponse:
        reply = http.client.HTTPResponse(sock, *args, **kwargs)
        reply.fp.close()
        reply.fp = io.BufferedReader(_Until(sock, moment))
        return reply

    return build


class _Until(io.RawIOBase):
    """The socket's bytes until `moment`: a reply that drips cannot outlast it, in its headers as little as in its body.

    The read timeout alone starts anew with each byte.
    """

    def __init__(self, sock: socket.socket, moment: float) -> None:
        self._sock = sock
        # The socket's own raw file keeps it open until the reply is read, also after "Connection: close".
        self._raw = sock.makefile("rb", buffering=0)
        self._moment = moment

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._moment - time.monotonic()
        if left <= 0:
            raise TimeoutError("the reply took too long")
        usual = self._sock.gettimeout()
        if usual is None or left < usual:
            self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
