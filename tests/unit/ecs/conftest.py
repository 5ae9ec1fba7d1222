"""Fixtures of the protocol client: own samples, and a stand-in endpoint that answers byte for byte as told."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from flask_ecscart.ecs.transport import Reply

SAMPLES = Path(__file__).resolve().parents[2] / "samples"

Answer = Callable[[socket.socket], None]


class StandIn:
    """An endpoint on loopback. Each connection's requests are kept whole; `answer` writes what goes back.

    `sent` counts the bytes of the answers that the client took. With `keep_alive` a connection serves on.
    `close_at_once` hangs up before a word is read.
    """

    def __init__(self) -> None:
        self.keep_alive = False
        self.close_at_once = False
        self._tls: ssl.SSLContext | None = None
        self.requests: list[bytes] = []
        self.connections = 0
        self.sent = 0
        self.answer: Answer = lambda conn: None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.stopped = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/onca/xml"

    def serve_tls(self, certificate: Path, key: Path) -> None:
        """Speak TLS from now on."""
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate, key)

    def says(self, raw: bytes) -> None:
        """Answer every request with `raw` and close."""
        self.answer = lambda conn: self.write(conn, raw)

    def write(self, conn: socket.socket, raw: bytes) -> None:
        for start in range(0, len(raw), 4096):
            conn.sendall(raw[start : start + 4096])
            self.sent += len(raw[start : start + 4096])

    def close(self) -> None:
        self.stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            worker = threading.Thread(target=self._serve, args=(conn,))
            self._threads.append(worker)
            worker.start()

    def _serve(self, conn: socket.socket) -> None:
        if self.close_at_once:
            conn.close()
            return
        with suppress(OSError), self._spoken(conn) as spoken:
            # Small, so that what is counted as sent is near what was read.
            spoken.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
            spoken.settimeout(5)
            while self._one(spoken) and self.keep_alive:
                pass

    def _spoken(self, conn: socket.socket) -> socket.socket:
        return self._tls.wrap_socket(conn, server_side=True) if self._tls else conn

    def _one(self, conn: socket.socket) -> bool:
        request = b""
        while b"\r\n\r\n" not in request:
            piece = conn.recv(65536)
            if not piece:
                return False
            request += piece
        head, _, body = request.partition(b"\r\n\r\n")
        expected = _content_length(head)
        while len(body) < expected:
            body += conn.recv(65536)
        self.requests.append(head + b"\r\n\r\n" + body)
        self.answer(conn)
        return True


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


class Scripted:
    """A `Transport` that gives the next of `replies` and keeps what it was asked."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.sent: list[tuple[str, str, dict[str, str]]] = []

    def send(self, method: str, url: str, *, headers: dict[str, str]) -> Reply:
        self.sent.append((method, url, dict(headers)))
        return self.replies.pop(0)


def http(body: bytes, *, status: str = "200 OK", headers: tuple[str, ...] = (), length: int | None = None) -> bytes:
    """An HTTP answer as bytes, closing its connection."""
    lines = [
        f"HTTP/1.1 {status}",
        "Content-Type: text/xml;charset=UTF-8",
        f"Content-Length: {len(body) if length is None else length}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.fixture
def endpoint() -> Iterator[StandIn]:
    """A `StandIn` that runs until the test ends."""
    standing = StandIn()
    yield standing
    standing.close()


@pytest.fixture
def sample() -> Callable[[str], bytes]:
    """`sample("2011-clear-us")`: the bytes of one own sample of a recorded shape."""
    return lambda name: (SAMPLES / f"{name}.xml").read_bytes()


@pytest.fixture
def answer_with() -> Callable[..., bytes]:
    """`answer_with(body, status=…, headers=…, length=…)`: an HTTP answer as bytes."""
    return http


@pytest.fixture
def scripted() -> Callable[..., Scripted]:
    """`scripted(reply, …)`: a transport that gives these replies in turn."""
    return Scripted
