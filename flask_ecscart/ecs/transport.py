"""How a signed request travels and its answer comes back: once, bounded in time and size, and without a trace in logs.

Nothing is repeated but a connection that could not be made: every ECS operation is a GET with side effects, and
urllib3's default retries would send a CartAdd three times (measured).
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import msgspec
import requests
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from flask_ecscart.ecs.connections import QUERY_HEADER, QuietAdapter
from flask_ecscart.ecs.xml import MAX_BYTES
from flask_ecscart.errors import MalformedReply, NotSent, OutcomeUnknown

__all__ = ["Reply", "RequestsTransport", "Transport"]

_PIECE = 16 * 1024
_CONNECT_ATTEMPTS = 2
_LOST = "It may have been applied: read the cart before repeating."


class Reply(msgspec.Struct, frozen=True):
    """An HTTP answer. Names in `headers` are lower case; `body` is decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        """Without headers and body: the body repeats access key, HMAC and Signature."""
        return f"Reply(status={self.status}, {len(self.body)} bytes)"


class Transport(Protocol):
    """Sends one request and returns its answer."""

    def send(self, method: str, url: str, *, headers: Mapping[str, str]) -> Reply:
        """The answer, whatever its status; redirects are not followed.

        A POST sends the query of `url` as a form body instead. Raises `NotSent`, `OutcomeUnknown` or
        `MalformedReply`, none of which shows `url`.
        """
        ...


class RequestsTransport:
    """A `Transport` over requests' adapter: no environment, cookies, redirects or retries, TLS verified.

    `connect_timeout` and `read_timeout` (longest silence) are in seconds, `deadline` bounds request and reply together.
    `ca_bundle` is a PEM file of the authorities to trust instead of the public ones.
    One instance serves all threads; connections are opened by the process that uses them, so it may be made before a
    fork.
    """

    def __init__(
        self,
        *,
        connect_timeout: float = 3.0,
        read_timeout: float = 10.0,
        deadline: float = 20.0,
        ca_bundle: str | None = None,
    ) -> None:
        self._timeouts = (connect_timeout, read_timeout)
        self._deadline = deadline
        self._trusted: str | bool = ca_bundle or True
        self._adapters: dict[int, QuietAdapter] = {}

    def send(self, method: str, url: str, *, headers: Mapping[str, str]) -> Reply:
        """The answer to one request; see `Transport.send`."""
        request = _prepared(method, url, headers)
        for _ in range(_CONNECT_ATTEMPTS - 1):
            try:
                return self._exchange(request)
            except NotSent:
                # The only thing that is tried again: nothing has left.
                continue
        return self._exchange(request)

    def close(self) -> None:
        """Close this process's idle connections; the next `send` opens new ones."""
        adapter = self._adapters.pop(os.getpid(), None)
        if adapter is not None:
            adapter.close()

    def _adapter(self) -> QuietAdapter:
        # By process, so that a fork shares no socket; setdefault decides between threads without a lock, and the
        # loser has opened nothing yet.
        pid = os.getpid()
        return self._adapters.get(pid) or self._adapters.setdefault(pid, QuietAdapter(deadline=self._deadline))

    def _exchange(self, request: requests.PreparedRequest) -> Reply:
        try:
            # The adapter itself, not a Session: no cookie jar, no redirects, no proxies or netrc from the environment.
            response = self._adapter().send(request, stream=True, timeout=self._timeouts, verify=self._trusted)
            with response:
                names = {name.lower(): value for name, value in response.headers.items()}
                body = _body(response.raw, names.get("content-encoding", ""))
                return Reply(response.status_code, names, body)
        except (requests.RequestException, HTTPError, OSError) as exc:
            problem = type(exc).__name__
        # Raised outside the handler: requests' exceptions hold the request.
        raise OutcomeUnknown(f"The request was sent but its answer was lost ({problem}). {_LOST}")


def _prepared(method: str, url: str, headers: Mapping[str, str]) -> requests.PreparedRequest:
    """The request with its query out of sight: in the form body of a POST, else in a header for the connection."""
    parts = urlsplit(url)
    bare = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
    wanted = {"Accept-Encoding": "gzip", **headers}
    body = None
    if method == "POST":
        wanted["Content-Type"] = "application/x-www-form-urlencoded"
        body = parts.query
    elif parts.query:
        wanted[QUERY_HEADER] = parts.query
    try:
        return requests.Request(method, bare, headers=wanted, data=body).prepare()
    except (requests.RequestException, ValueError) as exc:
        problem = type(exc).__name__
    raise NotSent(f"The request cannot be formed ({problem}), so nothing was sent. Check the endpoint.")


def _body(raw: BaseHTTPResponse, encoding: str) -> bytes:
    pieces = _capped(raw.stream(_PIECE, decode_content=False))
    if encoding in ("", "identity"):
        return b"".join(pieces)
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise MalformedReply("The reply is encoded in a way that was not asked for. Check the endpoint.")
    return b"".join(_capped(_inflated(pieces)))


def _capped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MAX_BYTES:
            raise MalformedReply(f"The reply is larger than {MAX_BYTES} bytes, so it is no cart. Check the endpoint.")
        yield piece


def _inflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The decompressed pieces, none much beyond the cap.

    Done here and not by urllib3, which before 2.6 inflates a whole piece, and any number of encodings, at once.
    """
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    damaged = False
    for piece in pieces:
        damaged = damaged or inflater.eof
        try:
            yield inflater.decompress(piece, MAX_BYTES + 1)
        except zlib.error:
            damaged = True
        if damaged:
            break
    if damaged or not inflater.eof:
        raise MalformedReply("The compressed reply is damaged or cut off. Read the cart before repeating.")
