"""The budget of one access key: so many transactions a second, spent by the one process that holds the lease.

The service counts when a request arrives, which lies somewhere between our sending it and its answer. So the next
one is sent a full interval after the last answer; before an answer is there, the next turn is due 1.1 intervals
after the sending, and written down as such, for whoever takes over.

No turn is wasted on our own work: it is prepared a little before it is due. Whoever had the last turn also takes it
(which is a durable write) before it is due, and then waits for the moment itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import Lock

import msgspec

from flask_ecscart.dispatch.queue import Queue
from flask_ecscart.errors import ECSCartError
from flask_ecscart.state.fleeting import Fleeting

__all__ = ["LEASE_SECONDS", "Pace", "Stopped", "Turns"]

LEASE_SECONDS = 3.0
"""A dispatcher that is killed is replaced within this and one look of another (1 s)."""
_RENEW_AFTER = 1.0
_SURE = 1.1
_MARGIN, _LEAST_MARGIN = 0.005, 0.001
"""Part of an interval, and seconds. Clocks of two machines differ a little in speed, and services round."""
_MOMENT = 1e-6
"""Seconds that are not worth waiting for: a clock may be too coarse to show that they passed."""
_AHEAD, _FARTHEST_AHEAD = 0.25, 0.05
"""How long before it is due a turn may be taken: part of an interval, and seconds."""
_SLOWER, _FASTER, _SLOWEST = 1.5, 0.97, 8.0
_LONGEST_REST = 300.0
_REMEMBERED = 30.0
"""Seconds over which utilisation is averaged."""


class Stopped(ECSCartError):
    """The process is ending, or another one sends now: nothing more may be sent from here."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast an access key may ask. `daily` None: as often as that allows."""

    rate: float
    daily: int | None = None

    @property
    def interval(self) -> float:
        """Seconds from one transaction to the next."""
        return 1 / self.rate


class Turns:
    """Who may send and when. `now` is a clock in seconds; `pause` waits, and returns False when this process ends."""

    def __init__(
        self,
        fleeting: Fleeting,
        queue: Queue,
        holder: str,
        pace: Pace,
        *,
        now: Callable[[], float],
        pause: Callable[[float], bool],
    ) -> None:
        self._fleeting = fleeting
        self._queue = queue
        self._turn = f"turn:{queue.account}"
        self._holder = holder
        self._interval = pace.interval
        self._ahead = min(pace.interval * _AHEAD, _FARTHEST_AHEAD)
        self._now = now
        self._pause = pause
        self._renewing = Lock()  # the keeper renews while the dispatcher waits for an answer
        self._held_until = -math.inf
        self._next = -math.inf
        self._is_ours = False
        """Whether the last turn was this process's, so that `_next` is the truth to the microsecond."""
        self._slowdown = 1.0
        self._used = 0.0
        self._used_at = now()

    @property
    def _lease(self) -> str:
        return f"lease:{self._queue.account}:{self._queue.site()}"

    # --- who --------------------------------------------------------------------------------------------

    @property
    def leads(self) -> bool:
        """Whether this process held the lease when it last looked, and it cannot have run out since."""
        return self._now() < self._held_until

    def lead(self) -> bool:
        """Take or renew the lease where that is due; whether this process leads."""
        with self._renewing:
            now = self._now()
            remaining = self._held_until - now
            if LEASE_SECONDS - _RENEW_AFTER < remaining <= LEASE_SECONDS:
                return True
            leads = self._fleeting.take_lease(self._lease, self._holder, LEASE_SECONDS)
            self._held_until = now + LEASE_SECONDS if leads else -math.inf
            self._is_ours &= leads and remaining > 0
            return leads

    def hand_back(self) -> None:
        """Let another process lead at once."""
        with self._renewing:
            if self._held_until > -math.inf:
                self._held_until = -math.inf
                self._is_ours = False
                self._fleeting.drop_lease(self._lease, self._holder)

    # --- when -------------------------------------------------------------------------------------------

    def due_in(self) -> float:
        """Seconds until the next turn, as far as this process knows."""
        now = self._now()
        self._next = min(self._next, now + _LONGEST_REST)  # the clock was set back
        return max(0.0, self._next - now)

    def prepare_in(self) -> float:
        """Seconds until it is time to choose what the next turn is for, and to write down what will be sent."""
        return self._short_of(1.5 * self._ahead)

    def await_preparing(self) -> None:
        """Return when the next turn may be prepared, as far as this process knows. Raises `Stopped`."""
        self._wait_until_due_in(1.5 * self._ahead)

    def take(self) -> None:
        """Return when a turn is taken and due: a request may be sent now. Raises `Stopped`."""
        while True:
            ahead = self._ahead if self._is_ours else 0.0
            self._wait_until_due_in(ahead / 2)
            spacing = self._spacing * _SURE
            wait = self._fleeting.take_turn(self._turn, self._lease, self._holder, spacing, ahead)
            if wait is None:
                self._held_until = -math.inf
                self._is_ours = False
                raise Stopped("Another process sends now.")
            if wait == 0:
                break
            self._next = self._now() + wait
        self._wait_until_due_in(0.0)
        if not self.leads:  # this process was paused since, and another may have sent
            raise Stopped("Another process may send now.")
        self._is_ours = True
        self._next = self._now() + self._spacing * _SURE
        self._used = self.utilisation() + min(1.0, self._interval / _REMEMBERED)

    def answered(self) -> None:
        """An answer came, or none will: the next turn is due an interval from now."""
        self._slowdown = max(1.0, self._slowdown * _FASTER)
        self._pace(self._spacing + max(self._spacing * _MARGIN, _LEAST_MARGIN))

    def throttled(self, retry_after: float | None) -> None:
        """The service said that we are too fast: slower from now on, and no sooner than it asked for."""
        self._slowdown = min(self._slowdown * _SLOWER, _SLOWEST)
        self.rest(max(retry_after or 0.0, self._spacing))

    def rest(self, seconds: float) -> None:
        """Send nothing for so long (five minutes at most)."""
        self._pace(min(seconds, _LONGEST_REST))

    def utilisation(self) -> float:
        """Which part of the turns of the last half minute was used, about; from 0 to 1."""
        now = self._now()
        elapsed = max(0.0, now - self._used_at)
        self._used_at = now
        self._used *= math.exp(-elapsed / _REMEMBERED)
        return self._used

    @property
    def _spacing(self) -> float:
        return self._interval * self._slowdown

    def _short_of(self, seconds: float) -> float:
        wait = self.due_in() - seconds
        return wait if wait > _MOMENT else 0.0

    def _wait_until_due_in(self, seconds: float) -> None:
        while (wait := self._short_of(seconds)) > 0:
            if not self._pause(wait):
                raise Stopped("This process is ending.")

    def _pace(self, seconds: float) -> None:
        self._next = self._now() + seconds
        self._fleeting.pace(self._turn, seconds)
