"""What callers of other clients write: each action is one call, through bottlenose itself, on the moved clock.

Bottlenose signs, waits for its `MaxQPS` and retries as its documentation says to; only its clock and its `urlopen`
are ours. The service behind them grants one transaction a second and answers 503 to whatever comes sooner.
"""

from __future__ import annotations

import gzip
import io
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.message import Message
from typing import Any
from unittest.mock import patch
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from xml.etree.ElementTree import fromstring

import bottlenose.api

__all__ = ["replay_one_call_each"]

_MAX_QPS = 1.0


class _Service:
    """Answers signed URLs from dictionaries; `now` is moved by whoever sleeps."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.calls = 0
        self.refused = 0
        self._next = 0.0
        self._carts: list[dict[str, int]] = []

    # What bottlenose calls its `time` module.
    gmtime = staticmethod(time.gmtime)
    strftime = staticmethod(time.strftime)

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def urlopen(self, request: Any, timeout: object = None) -> Any:  # noqa: ARG002
        if self.now < self._next - 1e-6:
            self.refused += 1
            raise HTTPError(request.full_url, 503, "RequestThrottled", Message(), io.BytesIO())
        self._next = self.now + 1
        self.calls += 1
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.full_url).query).items()}
        return _Answer(self._answer(query))

    def _answer(self, query: dict[str, str]) -> str:
        operation = query["Operation"]
        if operation == "CartCreate":
            self._carts.append({})
        number = len(self._carts) - 1 if operation == "CartCreate" else int(query["CartId"])
        cart = self._carts[number]
        if "Item.1.ASIN" in query:
            cart.setdefault(query["Item.1.ASIN"], int(query["Item.1.Quantity"]))
        elif "Item.1.CartItemId" in query:
            cart[query["Item.1.CartItemId"][1:]] = int(query["Item.1.Quantity"])
        items = "".join(
            f"<CartItem><CartItemId>C{asin}</CartItemId><ASIN>{asin}</ASIN><Quantity>{pieces}</Quantity></CartItem>"
            for asin, pieces in cart.items()
            if pieces
        )
        return f"<R><Cart><CartId>{number}</CartId><HMAC>h+/=</HMAC><CartItems>{items}</CartItems></Cart></R>"


class _Answer:
    def __init__(self, text: str) -> None:
        self._body = gzip.compress(text.encode(), 1)

    def info(self) -> dict[str, str]:
        return {"Content-Encoding": "gzip"}

    def read(self) -> bytes:
        return self._body


class _OneCallEach:
    """A site that keeps nothing but CartId, HMAC and what the last reply showed, and calls once for every action."""

    def __init__(self) -> None:
        self.service = _Service()
        self._amazon = bottlenose.Amazon("AK", "secret", "lamp-20", MaxQPS=_MAX_QPS, ErrorHandler=self._wait_and_retry)
        self._carts: dict[int, dict[str, str]] = {}
        self._pieces: dict[tuple[int, str], int] = {}

    @contextmanager
    def open(self) -> Iterator[_OneCallEach]:
        """Bottlenose on the moved clock while the block runs."""
        with (
            patch.multiple(bottlenose.api, time=self.service),
            patch.object(bottlenose.api.urllib2, "urlopen", self.service.urlopen),
        ):
            yield self

    def act(self, session: int, action: str, asin: str) -> None:
        """Add, set, delete, view or hand off: the operation a shop's code would call for it."""
        ids = self._carts.get(session, {})
        pieces = self._pieces.get((session, asin), 0)
        if action in {"view", "handoff"}:
            if ids:
                self._keep(session, self._amazon.CartGet(**ids))
            return
        wanted = 0 if action == "del" else pieces + 1
        self._pieces[session, asin] = wanted
        if not ids:
            reply = self._amazon.CartCreate(**{"Item.1.ASIN": asin, "Item.1.Quantity": wanted})
        elif pieces:
            reply = self._amazon.CartModify(**ids, **{"Item.1.CartItemId": f"C{asin}", "Item.1.Quantity": wanted})
        else:
            reply = self._amazon.CartAdd(**ids, **{"Item.1.ASIN": asin, "Item.1.Quantity": wanted})
        self._keep(session, reply)

    def _keep(self, session: int, reply: bytes) -> None:
        cart = fromstring(reply).find("Cart")
        assert cart is not None
        self._carts[session] = {"CartId": cart.findtext("CartId", ""), "HMAC": cart.findtext("HMAC", "")}

    def _wait_and_retry(self, error: dict[str, Any]) -> bool:
        problem = error["exception"]
        if isinstance(problem, HTTPError) and problem.code == 503:
            self.service.sleep(1)
            return True
        return False


def replay_one_call_each(events: Sequence[tuple[float, int, str, str]]) -> tuple[float, list[float]]:
    """Calls per action, and the wait of every action until its answer began, in order."""
    waits: list[float] = []
    with _OneCallEach().open() as site:
        service, start = site.service, site.service.now
        for moment, session, action, asin in events:
            if action == "page":
                continue
            service.now = max(service.now, start + moment)
            site.act(session, action, asin)
            waits.append(service.now - start - moment)
        return service.calls / len(waits), sorted(waits)
