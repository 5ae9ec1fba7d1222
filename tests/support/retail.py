"""A stand-in for Amazon's hosts: a TLS server on loopback that notes every connection and every request."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from threading import Event, Thread

from playwright.sync_api import Browser

from tests.support.browser import ARGUMENTS
from tests.support.needs import tool

__all__ = ["RetailStandIn", "browser_with_amazon_at", "retail_stand_in"]


class RetailStandIn(ThreadingHTTPServer):
    """Answers any path with a small page. `requests`: URL as sent and Referer; `connections`: how many were opened."""

    daemon_threads = True

    def __init__(self, certificate: Path, key: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(certificate, key)
        self.requests: list[tuple[str, str | None]] = []
        self.connections = 0
        self.reached = Event()

    def get_request(self) -> tuple[socket, tuple[str, int]]:
        """Count the connection, whatever comes of it: a preconnect asks nothing."""
        connection, address = super().get_request()
        self.connections += 1
        self.reached.set()
        return self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing when a browser closes a connection it did not need."""


class _Page(BaseHTTPRequestHandler):
    server: RetailStandIn

    def do_GET(self) -> None:
        url = f"https://{self.headers['Host']}{self.path}"
        if not self.path.startswith("/favicon"):
            self.server.requests.append((url, self.headers["Referer"]))
        body = b"<!doctype html><title>Stand-in</title><link rel=icon href=data:,><h1>Stand-in for a retail site</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        pass


@contextmanager
def retail_stand_in(folder: Path) -> Iterator[RetailStandIn]:
    """The stand-in while the block runs; its certificate is made in `folder`."""
    certificate, key = folder / "retail.pem", folder / "retail.key"
    command = [tool(["openssl"], "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "1", "-subj", "/CN=stand-in", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    server = RetailStandIn(certificate, key)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def browser_with_amazon_at(port: int, like: Browser) -> Iterator[Browser]:
    """A browser of the kind of `like` for which every www.amazon.* is this machine's `port`.

    It fetches ahead where a page asks for that, as a shopper's own does.
    """
    rules = f"MAP www.amazon.* 127.0.0.1:{port}, "
    arguments = [one.replace("--host-resolver-rules=", f"--host-resolver-rules={rules}") for one in ARGUMENTS]
    arguments.remove("--disable-background-networking")
    program = tool(["chromium", "chromium-browser"], "chromium")
    browser = like.browser_type.launch(
        executable_path=program, args=arguments, ignore_default_args=["--disable-background-networking"]
    )
    try:
        yield browser
    finally:
        browser.close()
