"""A clock that can be moved, set and stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from flask_ecscart.clock import Clock

__all__ = ["MovableClock", "Sleep", "sleep"]

Sleep = Callable[[float], object]
"""Waits so many seconds."""
sleep: Sleep = time.sleep


class MovableClock:
    """A `Clock` that runs like `real` from wherever it was put."""

    def __init__(self, real: Clock) -> None:
        self._real = real
        self._ahead = timedelta(0)
        self._stopped_at: datetime | None = None

    def __call__(self) -> datetime:
        """The moment it shows."""
        return self._stopped_at or self._real() + self._ahead

    @property
    def ahead(self) -> timedelta:
        """How far it is ahead of the real clock."""
        return self() - self._real()

    @property
    def stopped(self) -> bool:
        """Whether it stands still."""
        return self._stopped_at is not None

    def set(self, moment: datetime) -> None:
        """Show `moment` (aware) now; a stopped clock stays stopped."""
        self._ahead = moment - self._real()
        if self._stopped_at is not None:
            self._stopped_at = moment

    def stop(self) -> None:
        """Stand still."""
        self._stopped_at = self()

    def run(self) -> None:
        """Go on from where it stood."""
        if self._stopped_at is not None:
            self._ahead = self._stopped_at - self._real()
            self._stopped_at = None

    def reset(self) -> None:
        """Show the real time again, and run."""
        self._ahead = timedelta(0)
        self._stopped_at = None
