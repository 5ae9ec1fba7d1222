"""A clock that stands still until a test tells it otherwise."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

__all__ = ["START", "FakeClock"]

START = datetime(2026, 3, 14, 9, 26, 53, tzinfo=timezone.utc)


class FakeClock:
    """A `flask_ecscart.clock.Clock` that starts at `START`."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> datetime:
        """Let time pass; returns the new moment. Negative values set the clock back."""
        self.now += timedelta(seconds=seconds, minutes=minutes, hours=hours, days=days)
        return self.now
