"""A closed loop of requests over connections that are kept: each sends its next request once it has an answer."""

from __future__ import annotations

import os
import selectors
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle

__all__ = ["Load", "pinned", "request"]


def request(method: str, path: str, *, body: bytes = b"", **headers: str) -> bytes:
    """One HTTP/1.1 request; underscores in names of headers are hyphens."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class Load:
    """`requests`: for every connection the requests it sends in turn. Every answer must have `status`."""

    def __init__(self, port: int, requests: Sequence[Sequence[bytes]], *, status: int = 200) -> None:
        self._port = port
        self._requests = [cycle(each) for each in requests]
        self._start = b"HTTP/1.1 %d " % status

    def run(self, number: int) -> None:
        """Have `number` requests answered."""
        with selectors.DefaultSelector() as selector:
            for requests in self._requests[:number]:
                connection = socket.create_connection(("127.0.0.1", self._port))
                selector.register(connection, selectors.EVENT_READ, (requests, bytearray()))
                connection.sendall(next(requests))
            left, sent = number, min(number, len(self._requests))
            while left:
                for key, _ in selector.select(timeout=30):
                    if not self._is_answered(key.fileobj, key.data[1]):
                        continue
                    left -= 1
                    if sent < number:
                        sent += 1
                        key.fileobj.sendall(next(key.data[0]))  # type: ignore[union-attr]
            for key in list(selector.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr]

    def _is_answered(self, connection: object, received: bytearray) -> bool:
        assert isinstance(connection, socket.socket)
        part = connection.recv(65_536)
        assert part, "the server closed the connection"
        received += part
        end = received.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(received[:end]).lower()
        assert received.startswith(self._start), bytes(received[:2000])
        _, found, length = head.partition(b"\r\ncontent-length: ")
        if len(received) < end + 4 + (int(length.split(b"\r\n")[0]) if found else 0):
            return False
        received.clear()
        return True


@contextmanager
def pinned(*servers: int) -> Iterator[None]:
    """Servers (process ids) on one core and this process on the others, where there are two, while the block runs."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        yield
        return
    for pid in servers:
        for task in os.listdir(f"/proc/{pid}/task"):
            os.sched_setaffinity(int(task), cores[:1])
    os.sched_setaffinity(0, cores[1:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
