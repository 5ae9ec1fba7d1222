"""What a web worker does with a remote provider: writes that a cart waits, waits a moment itself, says what is known.

It never asks the service anything. A reading of what is known costs two reads and no write.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

import msgspec

from flask_ecscart.dispatch.account import Account
from flask_ecscart.dispatch.known import Reply, State
from flask_ecscart.dispatch.policy import SEND_AT_ONCE
from flask_ecscart.dispatch.queue import CHANGED, HANDOFF, LOOKING, Waiting
from flask_ecscart.errors import RequestThrottled, StateUnavailable
from flask_ecscart.settle import Settler
from flask_ecscart.shopper import Shopper, Wish

__all__ = ["Front", "QueueFull", "Seen"]

_FULL_AFTER = 300.0
"""Seconds. When the last in line would wait longer, nobody else is let in."""
_LATER = 30.0
"""Retry-After of a change that is sent when the shopper looks or leaves."""
_AWAY = 5.0
_FIRST_LOOK, _LONGEST_LOOK = 0.02, 0.16
"""Seconds between two looks at a cart one waits for, where nobody can wake us: four looks in 0.3 seconds."""
_VERIFIED_FOR = 30.0
_CHANGE_EVERY, _CHANGES_AT_ONCE = 1.0, 30
"""What one shopper may change, in seconds and at once; a person who clicks plus and minus stays below."""
_NEW_CARTS_SHARE, _NEW_CARTS_AT_ONCE = 0.2, 30
"""Which part of all turns the new carts of one address may take."""


class QueueFull(RequestThrottled):
    """So many carts wait that this one was not let in; what is wanted is kept."""

    code = "queue_full"


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A cart as far as it is known: what is wanted, the last reply about it (None: nothing is known)."""

    wish: Wish
    reply: Reply | None
    pending: bool
    retry_after: float | None = None


class Front:
    """The web workers' side of one access key. `start` begins a dispatcher in this process, if there is none yet."""

    def __init__(self, account: Account, settler: Settler, *, start: Callable[[], None]) -> None:
        self._queue = account.queue
        self._known = account.known
        self._fleeting = account.fleeting
        self._sessions = account.sessions
        self._settler = settler
        self._pace = account.pace
        self._max_wait = account.max_wait
        self._fresh_for = account.fresh_for
        self._now = account.now
        self._bell = account.bell
        self._start = start

    # --- limits -----------------------------------------------------------------------------------------

    def must_wait(self, shopper: str, address: str | None) -> float:
        """Seconds until this shopper, or a new one from this address, may change something; 0.0: now."""
        try:
            wait = self._fleeting.limit(f"changes:{shopper}", _CHANGE_EVERY, _CHANGES_AT_ONCE)
            network = _network(address)
            if wait == 0.0 and network is not None and not self._sessions.read(shopper).carts:
                every = self._pace.interval / _NEW_CARTS_SHARE
                wait = self._fleeting.limit(f"new:{network}", every, _NEW_CARTS_AT_ONCE)
        except StateUnavailable:
            return 0.0  # a change is written to the database alone, and costs no turn as long as Redis is away
        return wait

    # --- changes ----------------------------------------------------------------------------------------

    def note(self, shopper: str, locale: str) -> None:
        """Let a changed cart wait; inside the transaction that writes the change."""
        self._queue.put(shopper, locale, CHANGED)

    def changed(self, shopper: str, locale: str) -> Seen:
        """The cart after a change: settled where a turn was free, else pending. Raises `QueueFull`."""
        self._call()
        state = self._state()
        row = self._queue.find(shopper, locale)
        deferred = state is not None and state.utilisation_at(self._queue.now()) >= SEND_AT_ONCE
        if row is not None and row.priority == CHANGED and deferred:
            self._refuse_when_full(row, state)
            return self._seen(shopper, locale, retry_after=_LATER)
        return self._awaited(shopper, locale, row, state)

    # --- looking ----------------------------------------------------------------------------------------

    def shown(self, shopper: str, locale: str, kept: Shopper) -> Seen:
        """The cart for a shopper who looks at it. Writes nothing where the last reply is fresh and says it all."""
        wish = kept.carts.get(locale, Wish())
        try:
            reply = self._known.reply(shopper, locale)
        except StateUnavailable:
            return Seen(wish=wish, reply=None, pending=bool(wish.lines or wish.ref), retry_after=_AWAY)
        if self._is_fresh(wish, reply):
            return Seen(wish=wish, reply=reply if reply is not None and reply.is_of(wish) else None, pending=False)
        return self._asked(shopper, locale, LOOKING)

    def leaving(self, shopper: str, locale: str) -> Seen:
        """The cart for a shopper who leaves now; pending unless it was just looked at for that purpose."""
        wish = self._sessions.read(shopper).carts.get(locale, Wish())
        try:
            if self._is_verified(wish, self._known.reply(shopper, locale)):
                return self._seen(shopper, locale, retry_after=None)
        except StateUnavailable:
            return Seen(wish=wish, reply=None, pending=True, retry_after=_AWAY)
        seen = self._asked(shopper, locale, HANDOFF)
        verified = self._is_verified(seen.wish, seen.reply)
        return seen if verified else msgspec.structs.replace(seen, pending=True)

    def _asked(self, shopper: str, locale: str, priority: int) -> Seen:
        row = self._queue.find(shopper, locale)
        state = self._state()
        if row is None or row.priority > priority:
            self._refuse_when_full(None if priority == LOOKING else row, state)
            self._queue.put(shopper, locale, priority)
            row = self._queue.find(shopper, locale)
        self._call()
        return self._awaited(shopper, locale, row, state)

    # --- waiting ----------------------------------------------------------------------------------------

    def _awaited(self, shopper: str, locale: str, row: Waiting | None, state: State | None) -> Seen:
        """Wait for the cart's turn where it comes soon enough; a worker is never held for one that does not."""
        expected = self._expected(row, state)
        if row is not None and expected <= self._max_wait:
            self._wait_until_served(shopper, locale, row.mark)
            row = self._queue.find(shopper, locale)
        if row is None:
            return self._seen(shopper, locale, retry_after=None)
        return self._seen(shopper, locale, retry_after=max(1.0, self._expected(row, self._state())))

    def _wait_until_served(self, shopper: str, locale: str, mark: int) -> None:
        until = self._now() + self._max_wait
        pause = self._max_wait if self._known.wakes else _FIRST_LOOK
        while (left := until - self._now()) > 0:
            try:
                self._known.await_served(shopper, locale, min(pause, left))
            except StateUnavailable:
                return
            row = self._queue.find(shopper, locale)
            if row is None or row.attempts or row.mark != mark:
                return
            pause = min(pause * 2, _LONGEST_LOOK)

    def _expected(self, row: Waiting | None, state: State | None) -> float:
        """Seconds until a cart is served, about, by its place in the line."""
        if state is None:
            return 0.0  # nobody has sent lately, so turns are free
        now = self._queue.now()
        wait = max(0.0, state.next_at - now)
        if row is not None:
            wait = max(wait, state.closed_until.get(row.locale, 0.0) - now)
        ahead = self._queue.ahead_of(row, most=self._most_ahead())
        return max(wait + ahead * state.spacing, state.resting_until - now)

    def _refuse_when_full(self, row: Waiting | None, state: State | None) -> None:
        most = self._most_ahead()
        if self._queue.ahead_of(row, most=most) >= most:
            raise QueueFull(
                "Very many carts are waiting to be shown. What you want is kept; ask again later.",
                retry_after=self._expected(row, state) or most * self._pace.interval,
            )

    def _most_ahead(self) -> int:
        return max(1, round(_FULL_AFTER * self._pace.rate))

    def _call(self) -> None:
        self._start()
        self._bell.ring()
        try:
            self._known.call_dispatcher()
        except StateUnavailable:
            return  # the dispatcher looks by itself when Redis is back; the row is in the database

    def _state(self) -> State | None:
        try:
            return self._known.state()
        except StateUnavailable:
            now = self._queue.now()
            return State(at=now, next_at=now + _AWAY, spacing=self._pace.interval, utilisation=1.0)

    # --- what is known ----------------------------------------------------------------------------------

    def _seen(self, shopper: str, locale: str, *, retry_after: float | None) -> Seen:
        wish = self._sessions.read(shopper).carts.get(locale, Wish())
        try:
            reply = self._known.reply(shopper, locale)
        except StateUnavailable:
            reply = None
        if reply is not None and not reply.is_of(wish):
            reply = None
        fresh = self._is_fresh(wish, reply)
        return Seen(wish=wish, reply=reply, pending=not fresh, retry_after=None if fresh else retry_after or 1.0)

    def _is_fresh(self, wish: Wish, reply: Reply | None) -> bool:
        if wish.version != wish.settled:
            return False
        if reply is None or not reply.is_of(wish):
            return wish.ref is None and not wish.lines
        return self._is_recent(reply.asked_at, self._fresh_for) and self._settler.agrees(wish, reply.cart)

    def _is_verified(self, wish: Wish, reply: Reply | None) -> bool:
        if reply is None or not reply.is_of(wish) or not self._settler.agrees(wish, reply.cart):
            return False
        return self._is_recent(reply.verified_at, _VERIFIED_FOR)

    def _is_recent(self, moment: float, seconds: float) -> bool:
        """A moment that is still to come was noted before the clock was set back: who knows how long ago."""
        return 0 <= self._queue.now() - moment <= seconds


def _network(address: str | None) -> str | None:
    """Who is behind an address: itself, or its /64 in IPv6; None for a proxy of the site's own, which is everybody."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    if not parsed.is_global:
        return None
    bits = 64 if parsed.version == 6 else 32  # noqa: PLR2004
    return str(ipaddress.ip_network((parsed, bits), strict=False).network_address)
