"""Amazon's Creators API on a loopback port: tokens in both forms, getItems, getVariations, and its bad days.

It speaks the JSON the API speaks, checks what the API checks, and remembers every call.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qs

__all__ = ["SECRET", "Call", "Failure", "StandIn", "item", "listing", "running_stand_in"]

SECRET = "a-secret-that-must-never-be-seen-outside"
_TOKEN = "token-for-tests"
_PAGE = 10


@dataclass(frozen=True)
class Call:
    """One request for products."""

    operation: str
    marketplace: str
    body: dict[str, Any]
    authorization: str
    at: float

    @property
    def asins(self) -> list[str]:
        """What getItems asked for."""
        return list(self.body.get("itemIds", []))


@dataclass
class Failure:
    """What is answered instead of products, `times` times (None: until it is taken away)."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    times: int | None = None


def listing(amount: float | None = 12.99, currency: str = "USD", **more: Any) -> dict[str, Any]:
    """A listing that wins the buy box unless told otherwise."""
    price = {"money": {"amount": amount, "currency": currency, "displayAmount": f"{amount}"}}
    made = {
        "isBuyBoxWinner": True,
        "violatesMAP": False,
        "availability": {"type": "IN_STOCK", "message": "In Stock", "minOrderQuantity": 1, "maxOrderQuantity": 30},
        "condition": {"value": "New"},
        "merchantInfo": {"name": "Amazon.com", "id": "ATVPDKIKX0DER"},
    } | ({"price": price} if amount is not None else {})
    return made | more


def item(asin: str, *listings: dict[str, Any], title: str | None = None, **more: Any) -> dict[str, Any]:
    """An item as getItems answers it."""
    page = f"https://www.amazon.com/dp/{asin}?tag=lamp-20&linkCode=ogi&th=1&psc=1"
    return {
        "asin": asin,
        "detailPageURL": page,
        "images": {"primary": {"medium": {"url": f"https://m.media-amazon.com/images/I/{asin}._SL160_.jpg"}}},
        "itemInfo": {"title": {"displayValue": title or f"Amazon's {asin}"}},
        **({"offersV2": {"listings": list(listings)}} if listings else {}),
        **more,
    }


class StandIn:
    """What the server knows, does wrong, and was asked."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.variations: dict[str, list[dict[str, Any]]] = {}
        self.calls: list[Call] = []
        self.tokens: list[dict[str, Any]] = []
        self.failure: Failure | None = None
        self.token_failure: Failure | None = None
        self.answering = Event()
        """Cleared, the server takes requests and answers nothing."""
        self.answering.set()
        self.spacing = 0.0
        """Seconds under which a second call is answered 429."""
        self._lock = Lock()
        self.url = ""

    @property
    def settings(self) -> dict[str, Any]:
        """The "creators" part of ECSCART_CATALOG for this server."""
        return {
            "credential_id": "an-id-for-tests",
            "credential_secret": SECRET,
            "version": "2.1",
            "host": self.url,
            "auth_endpoint": f"{self.url}/oauth2/token",
        }

    def sells(self, *items: dict[str, Any]) -> None:
        """Put items in."""
        self.items.update({one["asin"]: one for one in items})

    def fails(self, status: int, reason: str = "Other", *, times: int | None = None, **headers: str) -> None:
        """Answer with an error of the API's shape from now on."""
        kind = {400: "Validation", 401: "Unauthorized", 403: "AccessDenied", 404: "ResourceNotFound", 429: "Throttle"}
        body = {"type": f"{kind.get(status, 'InternalServer')}Exception", "message": "No.", "reason": reason}
        self.failure = Failure(
            status, json.dumps(body).encode(), headers={k.replace("_", "-"): v for k, v in headers.items()}, times=times
        )

    def answers(self, body: bytes, content_type: str = "application/json", *, status: int = 200) -> None:
        """Answer just that from now on."""
        self.failure = Failure(status, body, content_type)

    def recovers(self) -> None:
        """Answer as it should again."""
        self.failure = self.token_failure = None
        self.answering.set()

    # --- what the server does ---------------------------------------------------------------------------

    def token(self, path: str, body: bytes, content_type: str) -> Failure:
        """A token, for credentials in the form of their version."""
        if path.startswith("/auth/"):
            given = json.loads(body) if content_type.startswith("application/json") else {}
            scope = "creatorsapi::default"
        else:
            given = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            scope = "creatorsapi/default"
        with self._lock:
            self.tokens.append(given | {"path": path})
        if self.token_failure is not None:
            return self.token_failure
        if given.get("client_secret") != SECRET or given.get("scope") != scope:
            return Failure(401, json.dumps({"error": "invalid_client", "echo": given}).encode())
        return Failure(200, json.dumps({"access_token": _TOKEN, "token_type": "bearer", "expires_in": 3600}).encode())

    def answer(self, operation: str, call: Call) -> Failure:
        """Products, or what goes wrong."""
        with self._lock:
            last = self.calls[-1].at if self.calls else 0.0
            self.calls.append(call)
            failure = self.failure
            if failure is not None and failure.times is not None:
                failure.times -= 1
                if failure.times <= 0:
                    self.failure = None
        if failure is not None:
            return failure
        if call.at - last < self.spacing:
            return Failure(429, b'{"type":"ThrottleException","message":"Slow down.","reason":"Other"}')
        if not call.authorization.startswith(f"Bearer {_TOKEN}"):
            body = {"type": "UnauthorizedException", "message": "No.", "reason": "InvalidToken"}
            return Failure(401, json.dumps(body).encode())
        made = self._get_items(call) if operation == "getItems" else self._get_variations(call)
        return Failure(200, json.dumps(made).encode())

    def _get_items(self, call: Call) -> dict[str, Any]:
        found = [self.items[asin] for asin in call.asins if asin in self.items]
        absent = [asin for asin in call.asins if asin not in self.items]
        answer: dict[str, Any] = {"itemsResult": {"items": found[::-1]}} if found else {}  # the order is not promised
        if absent:
            error = {"code": "ItemNotAccessible", "message": "The ItemId is not accessible through the Creators API."}
            answer["errors"] = [error] * len(absent)
        return answer

    def _get_variations(self, call: Call) -> dict[str, Any]:
        children = self.variations.get(call.body["asin"])
        if children is None:
            return {"errors": [{"code": "NoResults", "message": "No variations."}]}
        page = int(call.body.get("variationPage") or 1)
        shown = children[(page - 1) * _PAGE : page * _PAGE]
        summary = {"pageCount": -(-len(children) // _PAGE), "variationCount": len(children)}
        return {"variationsResult": {"items": shown, "variationSummary": summary}}


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        stand_in = self.server.stand_in
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content_type = self.headers.get("Content-Type", "")
        if self.path.endswith("/token"):
            self._send(stand_in.token(self.path, body, content_type))
            return
        operation = self.path.rpartition("/")[2]
        authorization = self.headers.get("Authorization", "")
        call = Call(
            operation, self.headers.get("x-marketplace", ""), json.loads(body or b"{}"), authorization, time.monotonic()
        )
        answer = stand_in.answer(operation, call)
        if not stand_in.answering.wait(20):
            return
        self._send(answer)

    def _send(self, answer: Failure) -> None:
        try:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)
        except OSError:
            pass  # the caller had enough of waiting

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    stand_in: StandIn


@contextmanager
def running_stand_in() -> Iterator[StandIn]:
    """A stand-in while the block runs."""
    stand_in = StandIn()
    server = _Server(("127.0.0.1", 0), _Handler)
    server.stand_in = stand_in
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        stand_in.answering.set()
        server.shutdown()
        thread.join()
        server.server_close()
