"""A circuit breaker for each endpoint: one that does not answer is asked seldom, and one at a time, until it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

__all__ = ["Breakers"]

_FAILURES = 3
_FIRST, _LONGEST = 5.0, 60.0


class _Breaker(msgspec.Struct):
    failures: int = 0
    open_until: float = 0.0
    length: float = 0.0


class Breakers:
    """The breakers of one access key, by locale. `now` is a clock in seconds.

    Three failures in a row open one for five seconds. Then one transaction is tried (half open): its success closes
    the breaker, its failure opens it for twice as long, up to a minute.
    """

    def __init__(self, locales: Iterable[str], *, now: Callable[[], float]) -> None:
        self._breakers = {locale: _Breaker() for locale in locales}
        self._now = now

    def usable(self) -> list[str]:
        """Locales that may be asked now."""
        now = self._now()
        return [locale for locale, breaker in self._breakers.items() if breaker.open_until <= now]

    def closed_in(self) -> dict[str, float]:
        """Locale → seconds until it is tried again, for those that may not be asked now."""
        now = self._now()
        waits = {locale: breaker.open_until - now for locale, breaker in self._breakers.items()}
        return {locale: wait for locale, wait in waits.items() if wait > 0}

    def answered(self, locale: str) -> None:
        """The endpoint answered as it should."""
        self._breakers[locale] = _Breaker()

    def failed(self, locale: str) -> None:
        """The endpoint did not answer, or not as it should."""
        breaker = self._breakers[locale]
        breaker.failures += 1
        if breaker.failures >= _FAILURES:
            self._open(breaker)

    def refused(self, locale: str) -> None:
        """The endpoint does not let us in: no use in asking again soon."""
        breaker = self._breakers[locale]
        breaker.failures = max(breaker.failures, _FAILURES)
        breaker.length = max(breaker.length, _LONGEST / 2)
        self._open(breaker)

    def restore(self, waits: dict[str, float]) -> None:
        """Take over what a dispatcher before this one knew; see `closed_in`."""
        for locale, wait in waits.items():
            if locale in self._breakers and 0 < wait <= _LONGEST:
                open_until = self._now() + wait
                self._breakers[locale] = _Breaker(failures=_FAILURES, open_until=open_until, length=_FIRST)

    def _open(self, breaker: _Breaker) -> None:
        breaker.length = min(max(breaker.length * 2, _FIRST), _LONGEST)
        breaker.open_until = self._now() + breaker.length
