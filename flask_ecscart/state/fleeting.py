"""What workers share that may be lost at any moment: leases, next allowed times, last replies, limits, wake-ups.

Nothing here is needed to know what a shopper wants. Times are seconds by the store's own clock, so that the clocks
of several machines need not agree; names are short texts without secrets.
"""

from __future__ import annotations

import os
from threading import Condition
from typing import Protocol

__all__ = ["Bell", "Fleeting", "ThreadBell"]


class Fleeting(Protocol):
    """Shared state that may be emptied or away. Every method raises `StateUnavailable` when the store is away."""

    wakes: bool
    """Whether `wake` reaches other processes; else they have to look again by themselves."""

    def take_lease(self, name: str, holder: str, seconds: float) -> bool:
        """Whether `holder` has the lease now, for `seconds` from now: it was free, run out, or its own."""
        ...

    def drop_lease(self, name: str, holder: str) -> None:
        """Give the lease back; nothing happens when another holds it."""
        ...

    def take_turn(self, name: str, lease: str, holder: str, spacing: float, ahead: float = 0.0) -> float | None:
        """Take the turn called `name` if it is due and `holder` has `lease`: 0.0, and the next is due `spacing` later.

        `ahead`: it may be taken so many seconds before it is due, by who waits for the moment himself. Else the seconds
        until it is due (nothing was taken), or None when another holds the lease or nobody does. Where the store cannot
        know when the last one was taken, it is due in `spacing`.
        """
        ...

    def pace(self, name: str, seconds: float) -> None:
        """Let the next turn be due `seconds` from now."""
        ...

    def limit(self, name: str, interval: float, burst: int) -> float:
        """0.0 and counted, or the seconds until another is allowed: one each `interval`, and `burst` at once."""
        ...

    def put(self, name: str, value: bytes, seconds: float) -> None:
        """Keep `value` for `seconds`."""
        ...

    def get(self, name: str) -> bytes | None:
        """What is kept under `name`."""
        ...

    def forget(self, name: str) -> None:
        """Keep nothing under `name`."""
        ...

    def wake(self, name: str) -> None:
        """End the waiting for `name`, here and in other processes as far as the store can."""
        ...

    def wait(self, name: str, seconds: float) -> None:
        """Return after a `wake(name)`, after `seconds`, or sooner: look again whatever the reason."""
        ...


class Bell(Protocol):
    """Wakes threads of this process."""

    def ring(self) -> None:
        """End every waiting."""
        ...

    def wait(self, seconds: float) -> None:
        """Return after a ring or after `seconds`."""
        ...


class ThreadBell:
    """A `Bell` for real threads. A child process has a bell of its own: a lock is never taken over a fork."""

    def __init__(self) -> None:
        self._condition = Condition()
        self._pid = os.getpid()
        self._rung = 0

    def ring(self) -> None:
        """End every waiting."""
        condition = self._of_this_process()
        with condition:
            self._rung += 1
            condition.notify_all()

    def wait(self, seconds: float) -> None:
        """Return after a ring or after `seconds`."""
        condition = self._of_this_process()
        with condition:
            heard = self._rung
            condition.wait_for(lambda: self._rung != heard, timeout=seconds)

    def _of_this_process(self) -> Condition:
        if self._pid != os.getpid():
            self._condition = Condition()
            self._pid = os.getpid()
        return self._condition
