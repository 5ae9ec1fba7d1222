"""A real Redis on a loopback port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from redis.exceptions import ConnectionError as NotThere

from tests.support.needs import tool
from tests.support.process import Program, empty_folder, free_port

__all__ = ["RedisServer", "redis_server"]


class RedisServer:
    """A Redis that keeps nothing on disk: `kill()` and `start()` give an empty one at the same `url`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._program.pid

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = {"port": self._port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": self._folder}
        command = [tool(["redis-server"], "redis-server")]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        self._program = Program(command, self._folder / "redis.log", cwd=self._folder)
        self._program.wait_until(self._answers)

    def kill(self) -> None:
        """End it as a power failure would."""
        self._program.kill()

    def stop(self) -> None:
        """End it."""
        self._program.stop()

    def empty(self) -> None:
        """Remove every key."""
        with redis.Redis.from_url(self.url) as connection:
            connection.flushall()

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as connection:
                return bool(connection.ping())
        except NotThere:
            return False


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """A Redis of one's own, for tests that kill it."""
    with empty_folder() as folder:
        server = RedisServer(folder)
        try:
            yield server
        finally:
            server.stop()
