"""What is known of remote carts between turns: last replies, and how the dispatcher is doing."""

from __future__ import annotations

import math
from typing import TypeVar

import msgspec

from flask_ecscart.dispatch.queue import Queue
from flask_ecscart.model import Cart
from flask_ecscart.shopper import Wish
from flask_ecscart.state.fleeting import Fleeting

__all__ = ["Known", "Reply", "State"]

_Kept = TypeVar("_Kept", bound=msgspec.Struct)
_KEPT = 3600.0
"""Seconds: the programme allows a price to be shown for an hour."""
_STATE_KEPT = 15.0


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A remote cart as the service last showed it. `asked_at`: just before it was asked, in the queue's seconds."""

    cart: Cart
    asked_at: float
    verified_at: float = 0.0
    """When it was last looked at for a hand-off."""
    outcome: int = 0
    """The `Wish.outcome` it was kept for. The reply of a later one may be lost: killed before it was kept, a rewound
    Redis, a dispatcher that was paused and came late."""

    def is_of(self, wish: Wish) -> bool:
        """Whether it shows the cart the wish now has, as it was left by whoever changed it last."""
        return wish.ref is not None and wish.ref == self.cart.ref and wish.outcome == self.outcome


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How the dispatcher of an access key is doing, said at most once a turn. Times are in the queue's seconds."""

    at: float
    next_at: float
    spacing: float
    utilisation: float
    closed_until: dict[str, float] = {}
    """Locale → when its endpoint is tried again."""
    resting_until: float = 0.0
    """Until when nothing at all is sent (the day's transactions are spent)."""

    def utilisation_at(self, now: float) -> float:
        """What utilisation has come down to, when nothing was sent since."""
        return self.utilisation * math.exp(-max(0.0, now - self.at) / 30)


class Known:
    """Last replies and the dispatcher's state, in fleeting state under one access key."""

    def __init__(self, fleeting: Fleeting, queue: Queue) -> None:
        self._fleeting = fleeting
        self.wakes = fleeting.wakes
        self._queue = queue

    def reply(self, shopper: str, locale: str) -> Reply | None:
        """The last reply about a shopper's cart, at most an hour old."""
        return _decoded(self._fleeting.get(self._name(shopper, locale)), Reply)

    def keep_reply(self, shopper: str, locale: str, reply: Reply) -> None:
        """Keep a reply for an hour."""
        self._fleeting.put(self._name(shopper, locale), msgspec.json.encode(reply), _KEPT)

    def forget_reply(self, shopper: str, locale: str) -> None:
        """The cart is no longer known: it must be read."""
        self._fleeting.forget(self._name(shopper, locale))

    def state(self) -> State | None:
        """What the dispatcher last said, None when it has been silent."""
        return _decoded(self._fleeting.get(f"state:{self._prefix}"), State)

    def keep_state(self, state: State) -> None:
        """Say how the dispatcher is doing."""
        self._fleeting.put(f"state:{self._prefix}", msgspec.json.encode(state), _STATE_KEPT)

    def call_dispatcher(self) -> None:
        """There is work."""
        self._fleeting.wake(f"work:{self._prefix}")

    def await_work(self, seconds: float) -> None:
        """Return when there may be work; see `Fleeting.wait`."""
        self._fleeting.wait(f"work:{self._prefix}", seconds)

    def call_waiting(self, shopper: str, locale: str) -> None:
        """A cart was served."""
        self._fleeting.wake(f"done:{self._name(shopper, locale)}")

    def await_served(self, shopper: str, locale: str, seconds: float) -> None:
        """Return when a cart may have been served; see `Fleeting.wait`."""
        self._fleeting.wait(f"done:{self._name(shopper, locale)}", seconds)

    @property
    def _prefix(self) -> str:
        return f"{self._queue.account}:{self._queue.site()}"

    def _name(self, shopper: str, locale: str) -> str:
        return f"reply:{self._prefix}:{shopper}:{locale}"


def _decoded(value: bytes | None, kind: type[_Kept]) -> _Kept | None:
    if value is None:
        return None
    try:
        return msgspec.json.decode(value, type=kind)
    except msgspec.MsgspecError:
        return None  # written by another version of this package: as good as not there
