"""What belongs to one access key: its queue, what is known, its pace, and the parts that are injected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from flask_ecscart.dispatch.known import Known
from flask_ecscart.dispatch.queue import Queue
from flask_ecscart.dispatch.turns import Pace
from flask_ecscart.sessions import ShopperSessionInterface
from flask_ecscart.shopper import Shopper
from flask_ecscart.state.fleeting import Bell, Fleeting

__all__ = ["Account", "Exclusive"]


Exclusive = Callable[[str, str], AbstractContextManager[Shopper]]
"""`sessions.exclusive()` for a shopper's cart of one locale, with whoever must know of the change standing by."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """One access key. `tags`: locale → Associate tag; `now`: seconds of a clock that never goes back.

    `fresh_for` and `max_wait` are in seconds; `bell` wakes the dispatcher of this process.
    """

    queue: Queue
    known: Known
    fleeting: Fleeting
    sessions: ShopperSessionInterface
    exclusive: Exclusive
    tags: Mapping[str, str]
    pace: Pace
    fresh_for: float
    max_wait: float
    now: Callable[[], float]
    bell: Bell
