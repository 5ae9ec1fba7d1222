"""A real PostgreSQL on a loopback port. It refuses to run as root, so then it runs as another user."""

from __future__ import annotations

import itertools
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.support.needs import tool
from tests.support.process import Program, as_user, empty_folder, free_port, unprivileged

__all__ = ["PostgreSQLServer", "postgresql_server"]

_USER = "ecscart"


class PostgreSQLServer:
    """A PostgreSQL with one database per call of `new_database()`; `kill()` and `start()` keep its data.

    `durable`: a commit waits for the disk, as it does by default everywhere else.
    """

    def __init__(self, folder: Path, user: str | None, *, durable: bool = False) -> None:
        self._folder = folder
        self._user = user
        self._durable = durable
        self._port = free_port()
        self._numbers = itertools.count(1)
        self._make_cluster()
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "on" if self._durable else "off",  # off outlives kill -9; only a failing machine would notice
            "max_connections": "60",
        }
        command = [tool(["postgres"], "postgresql"), "-D", str(self._folder / "data"), "-p", str(self._port)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self._program = Program(command, self._folder / "postgresql.log", cwd=self._folder, user=self._user)
        self._program.wait_until(self._answers)

    def stop(self) -> None:
        """End it, whoever is connected."""
        self._program.stop(with_signal=signal.SIGINT)

    def kill(self) -> None:
        """End it as a power failure would; its children end when they notice."""
        self._program.kill()

    @contextmanager
    def new_database(self) -> Iterator[str]:
        """The URL of an empty database; it is dropped afterwards, whoever is connected."""
        name = f"test_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name}")
        try:
            yield f"postgresql+psycopg://{_USER}@127.0.0.1:{self._port}/{name}"
        finally:
            if self._program.runs:
                self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _make_cluster(self) -> None:
        command = [tool(["initdb"], "postgresql"), "--pgdata", str(self._folder / "data"), "--username", _USER]
        command += ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        subprocess.run(
            command,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd=self._folder,
            **as_user(self._user),
        )

    def _execute(self, statement: str) -> None:
        with self._connection() as connection:
            connection.execute(statement)

    def _connection(self) -> psycopg.Connection:
        address = f"host=127.0.0.1 port={self._port} user={_USER} dbname=postgres"
        return psycopg.connect(address, autocommit=True, connect_timeout=5)

    def _answers(self) -> bool:
        try:
            self._connection().close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def postgresql_server(*, durable: bool = False) -> Iterator[PostgreSQLServer]:
    """A PostgreSQL of one's own, for tests that kill it and for measurements."""
    user = unprivileged()
    with empty_folder(owner=user) as folder:
        server = PostgreSQLServer(folder, user, durable=durable)
        try:
            yield server
        finally:
            server.stop()
