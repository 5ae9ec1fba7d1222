"""Fleeting state in Redis: what several machines share. It may be emptied, restarted or away at any moment.

Every step is one command or one Lua script by the server's own clock. Nothing is tried twice here, and a server that
is away is asked once a second at most: redis-py's own habits (ten retries, five seconds each) would hold a web
worker for a minute.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import resources
from typing import Any, cast

from flask_ecscart.errors import ConfigError, StateUnavailable

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError
    from redis.retry import Retry
except ImportError as missing:
    raise ConfigError(
        "ECSCART_REDIS_URL", "redis://…", "Install redis-py: pip install flask-ecscart[redis]."
    ) from missing

__all__ = ["RedisFleeting"]

_PREFIX = "ecscart:"
_TIMEOUT = 1.0
"""Seconds for a connection, and for an answer."""
_QUIET = 1.0
"""Seconds during which a server that did not answer is not asked again."""
_LONGEST_WAIT = 0.5
_FARTHEST_TURN = 3_600_000
_WAKE_KEPT = 2
_SCRIPTS = ("take_lease", "drop_lease", "take_turn", "pace", "limit")


class RedisFleeting:
    """`Fleeting` in Redis. Connections belong to the process that opened them (redis-py sees to that)."""

    wakes = True

    def __init__(self, url: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        try:
            self._redis: Any = cast("Any", redis.Redis).from_url(
                url,
                socket_timeout=_TIMEOUT,
                socket_connect_timeout=_TIMEOUT,
                retry=Retry(NoBackoff(), 0),
                health_check_interval=15,
            )
        except ValueError as problem:
            fix = "Use redis://host:6379/0, or rediss:// for TLS."
            raise ConfigError("ECSCART_REDIS_URL", url.rsplit("@", maxsplit=1)[-1], fix) from problem
        folder = resources.files("flask_ecscart.state") / "lua"
        self._scripts = {
            name: self._redis.register_script((folder / f"{name}.lua").read_text("utf-8")) for name in _SCRIPTS
        }
        self._monotonic = monotonic
        self._quiet_until = float("-inf")

    def take_lease(self, name: str, holder: str, seconds: float) -> bool:
        """See `Fleeting.take_lease`."""
        return bool(self._run("take_lease", [name], holder, _ms(seconds)))

    def drop_lease(self, name: str, holder: str) -> None:
        """See `Fleeting.drop_lease`."""
        self._run("drop_lease", [name], holder)

    def take_turn(self, name: str, lease: str, holder: str, spacing: float, ahead: float = 0.0) -> float | None:
        """See `Fleeting.take_turn`. A turn Redis does not know may have been taken just before it lost its memory."""
        answer = int(self._run("take_turn", [name, lease], holder, _ms(spacing), _FARTHEST_TURN, round(ahead * 1000)))
        return None if answer < 0 else answer / 1000

    def pace(self, name: str, seconds: float) -> None:
        """See `Fleeting.pace`."""
        self._run("pace", [name], _ms(seconds), 2 * _FARTHEST_TURN)

    def limit(self, name: str, interval: float, burst: int) -> float:
        """See `Fleeting.limit`."""
        return int(self._run("limit", [name], _ms(interval), burst)) / 1000

    def put(self, name: str, value: bytes, seconds: float) -> None:
        """See `Fleeting.put`."""
        with self._asking():
            self._redis.set(_PREFIX + name, value, px=_ms(seconds))

    def get(self, name: str) -> bytes | None:
        """See `Fleeting.get`."""
        with self._asking():
            value = self._redis.get(_PREFIX + name)
        return bytes(value) if value is not None else None

    def forget(self, name: str) -> None:
        """See `Fleeting.forget`."""
        with self._asking():
            self._redis.delete(_PREFIX + name)

    def wake(self, name: str) -> None:
        """See `Fleeting.wake`. Who comes to wait within two seconds is woken too."""
        key = _PREFIX + "wake:" + name
        with self._asking(), self._redis.pipeline() as pipeline:
            pipeline.lpush(key, 1).ltrim(key, 0, 0).expire(key, _WAKE_KEPT).execute()

    def wait(self, name: str, seconds: float) -> None:
        """See `Fleeting.wait`; at most half a second, so that no read times out and a stop is noticed."""
        with self._asking():
            self._redis.blpop([_PREFIX + "wake:" + name], timeout=max(0.01, min(seconds, _LONGEST_WAIT)))

    def _run(self, script: str, names: list[str], *arguments: str | int) -> Any:
        with self._asking():
            return self._scripts[script](keys=[_PREFIX + name for name in names], args=arguments)

    @contextmanager
    def _asking(self) -> Generator[None, None, None]:
        if self._monotonic() < self._quiet_until:
            raise StateUnavailable("Redis does not answer; try again in a few seconds.")
        try:
            yield
        except RedisError as problem:
            self._quiet_until = self._monotonic() + _QUIET
            kind = type(problem).__name__
        else:
            return
        # Raised outside the handler, and without redis-py's words: they may hold the server's address.
        raise StateUnavailable(f"Redis does not answer ({kind}); try again in a few seconds.")


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
