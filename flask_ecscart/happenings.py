"""What happened to a cart, read off the wish before and after a change: counted with it, told after it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from flask_ecscart.clock import Clock
from flask_ecscart.model import Notice
from flask_ecscart.sessions import ShopperSessionInterface
from flask_ecscart.settings import LocaleSettings
from flask_ecscart.shopper import Line, Shopper, Wish
from flask_ecscart.signals import (
    SIGNALS,
    ArrivalConfirmed,
    ArrivalFailed,
    CartCreated,
    CartExpired,
    Event,
    HandedOff,
    ItemsAdded,
    Pieces,
    QuantityCapped,
    SavedForLater,
    send,
)
from flask_ecscart.state.counters import Count, Counters

__all__ = ["Where", "Witness", "counts_of"]

_LineKey = tuple[str | None, str | None]


class Where(NamedTuple):
    """Whose cart of which locale, changed on which page; `outcome` when the change answers a hand-off."""

    shopper: str
    locale: str
    page: str | None = None
    outcome: str | None = None


class Witness:
    """Stands beside `sessions.exclusive()`: counts what happened in the same transaction, sends the signals after it.

    `key` is the secret the shoppers' names in events are made with; `sender` is what receivers get as sender.
    """

    def __init__(
        self,
        sessions: ShopperSessionInterface,
        counters: Counters,
        locales: Mapping[str, LocaleSettings],
        *,
        key: str,
        sender: object,
        clock: Clock,
    ) -> None:
        self._sessions = sessions
        self._counters = counters
        self._locales = locales
        self._key = key.encode()
        self._sender = sender
        self._clock = clock

    @contextmanager
    def exclusive(self, where: Where) -> Generator[Shopper, None, None]:
        """`sessions.exclusive()` with an eye on one wish."""
        events: list[Event] = []
        with self._sessions.exclusive(where.shopper) as kept:
            before = _Before.of(kept.carts.get(where.locale))
            yield kept
            events = self._events(where, before, kept.carts.get(where.locale, Wish()))
            if events:
                self._counters.count(events[0].at.date(), [count for event in events for count in counts_of(event)])
        send(self._sender, events)

    def _events(self, where: Where, before: _Before, after: Wish) -> list[Event]:
        now = self._clock()
        name = self._name(where.shopper, now)
        common = {"locale": where.locale, "page": where.page, "shopper": name, "at": now}
        mode = self._locales[where.locale].handoff
        order = list(SIGNALS)
        found = _events(before, after, mode, where.outcome, common)
        return sorted(found, key=lambda event: order.index(type(event)))

    def _name(self, shopper: str, now: datetime) -> str:
        text = f"ecscart.signals {now.date().isoformat()} {shopper}"
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()[:16]


def counts_of(event: Event) -> Iterator[Count]:
    """What an event adds to the counters."""
    match event:
        case CartCreated():
            yield _count("carts", event)
        case ItemsAdded():
            yield from (_count("added", event, item.asin, item.quantity) for item in event.items)
        case QuantityCapped():
            yield _count("capped", event, event.asin)
        case SavedForLater():
            yield _count("saved", event, event.asin)
        case HandedOff():
            yield _count("left", event)
            yield from (_count("sent", event, item.asin, item.quantity) for item in event.items)
        case ArrivalConfirmed():
            yield _count("arrived", event)
        case ArrivalFailed():
            yield _count("failed", event)
        case CartExpired():
            yield _count("expired", event)
        case _:
            raise TypeError(f"{type(event).__name__} is not counted yet: add it to counts_of.")


def _count(what: Any, event: Event, asin: str | None = None, n: int = 1) -> Count:
    return Count(what, event.locale, event.page or "", asin or "", n)


class _Before(NamedTuple):
    """What must be remembered of a wish, because a change is made in place."""

    lines: dict[_LineKey, Line]
    cart_id: str | None
    version: int
    last_notice: int
    left_at: datetime | None
    left: tuple[Pieces, ...]

    @classmethod
    def of(cls, wish: Wish | None) -> _Before:
        wish = wish or Wish()
        return cls(
            lines={_key(line): msgspec.structs.replace(line) for line in wish.lines},
            cart_id=wish.ref.cart_id if wish.ref is not None else None,
            version=wish.version,
            last_notice=wish.last_notice,
            left_at=wish.left.at if wish.left is not None else None,
            left=_pieces(wish.left.lines) if wish.left is not None else (),
        )


def _events(before: _Before, after: Wish, mode: str, outcome: str | None, common: dict[str, Any]) -> Iterator[Event]:
    if after.ref is not None and after.ref.cart_id != before.cart_id:
        yield CartCreated(**common)
    told = [notice for notice in after.notices if notice.id > before.last_notice]
    yield from _of_notices(told, after, common)
    if after.version != before.version and outcome is None:
        yield from _of_lines(before, after, common)
    left = _pieces(after.left.lines) if after.left is not None else ()
    if after.left is not None and after.left.at != before.left_at and left:
        if after.left.moved or left != before.left:
            yield HandedOff(mode=mode, items=left, **common)
    elif before.left and after.left is None:
        yield (ArrivalConfirmed if outcome == "arrived" else ArrivalFailed)(items=before.left, **common)


def _of_notices(told: Sequence[Notice], after: Wish, common: dict[str, Any]) -> Iterator[Event]:
    for notice in told:
        if notice.code == "quantity_capped":
            yield QuantityCapped(asin=notice.asin, requested=notice.requested, actual=notice.actual, **common)
        elif notice.code == "saved_for_later":
            held = [line.quantity for line in after.lines if line.asin == notice.asin]
            yield SavedForLater(asin=notice.asin, quantity=sum(held), by_shopper=False, **common)
        elif notice.code == "cart_renewed":
            yield CartExpired(items=_pieces(after.lines), **common)


def _of_lines(before: _Before, after: Wish, common: dict[str, Any]) -> Iterator[Event]:
    more: list[Pieces] = []
    for line in after.lines:
        old = before.lines.get(_key(line))
        had = old.quantity if old is not None else 0
        if line.quantity > had:
            more.append(Pieces(line.asin, line.quantity - had))
        if line.area == "saved" and old is not None and old.area == "active":
            yield SavedForLater(asin=line.asin, quantity=line.quantity, by_shopper=True, **common)
    if more:
        yield ItemsAdded(items=tuple(more), **common)


def _key(line: Line) -> _LineKey:
    return line.asin if line.offer_listing_id is None else None, line.offer_listing_id


def _pieces(lines: Sequence[Line]) -> tuple[Pieces, ...]:
    return tuple(Pieces(line.asin, line.quantity) for line in lines)
