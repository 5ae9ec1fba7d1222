"""Programs that run beside this one: started with a log of their own, ended by their process id."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["Program", "gunicorn", "listen", "postgresql", "redis"]

_PATIENCE = 30.0
_USER = "ecscart"


class Program:
    """A running program. It gets no Ctrl-C of its own: who started it ends it, in order."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        *,
        env: Mapping[str, str] | None = None,
        sockets: Sequence[int] = (),
        user: str | None = None,
        end_with: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._end_with = end_with
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own words, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                pass_fds=sockets,
                start_new_session=True,
                **_as_user(user),
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Return once `ready()`; ends here with what the program printed when it does not come up."""
        until = time.monotonic() + _PATIENCE
        while not ready():
            if not self.runs or time.monotonic() > until:
                raise SystemExit(f"{self.name} did not start:\n{self.log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it; one that does not listen is killed."""
        if self.runs:
            self._process.send_signal(self._end_with)
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def listen(port: int) -> socket.socket:
    """A listening socket on this computer at `port`, or at the next free one (0: anywhere)."""
    for candidate in range(port, port + 100 if port else 1):
        try:
            return socket.create_server(("127.0.0.1", candidate), backlog=128)
        except OSError:
            continue
    raise SystemExit(f"No port from {port} up is free: name others with --port.")


def gunicorn(
    name: str, factory: str, listener: socket.socket, folder: Path, *, workers: int, env: Mapping[str, str]
) -> Program:
    """`factory` ("module:create()") in `workers` processes of four threads behind `listener`."""
    command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}", "--workers", str(workers)]
    command += ["--threads", "4", "--no-control-socket", factory]
    return Program(name, command, folder, env=env, sockets=[listener.fileno()])


def redis(folder: Path) -> tuple[Program, str] | None:
    """A Redis that keeps nothing on disk, and its URL; None where it is not installed."""
    found = shutil.which("redis-server")
    if found is None:
        return None
    port = _free_port()
    options = {"port": port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": folder}
    command = [found, *(word for name, value in options.items() for word in (f"--{name}", str(value)))]
    program = Program("redis", command, folder)
    program.wait_until(lambda: _answers(port))
    return program, f"redis://127.0.0.1:{port}/0"


def postgresql(folder: Path, databases: Sequence[str]) -> tuple[Program, dict[str, str]] | None:
    """A PostgreSQL with empty `databases` and their URLs; None where it is not installed."""
    tools = [_of_postgresql(name) for name in ("initdb", "postgres")]
    if None in tools:
        return None
    initdb, postgres = (str(tool) for tool in tools)
    user = _unprivileged()
    home = folder / "postgresql"
    home.mkdir()
    if user is not None:
        folder.chmod(0o711)
        shutil.chown(home, user)
    made = [initdb, "--pgdata", str(home / "data"), "--username", _USER, "--auth=trust", "--encoding=UTF8"]
    made += ["--locale=C", "--no-instructions"]
    subprocess.run(made, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=home, **_as_user(user))  # noqa: S603
    port = _free_port()
    command = [postgres, "-D", str(home / "data"), "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
    command += ["-c", "unix_socket_directories="]
    program = Program("postgresql", command, folder, user=user, end_with=signal.SIGINT)
    address = f"host=127.0.0.1 port={port} user={_USER} dbname="
    program.wait_until(lambda: _made(address, databases))
    return program, {name: f"postgresql+psycopg://{_USER}@127.0.0.1:{port}/{name}" for name in databases}


def _made(address: str, databases: Sequence[str]) -> bool:
    """Whether the server answers; then the databases are made."""
    import psycopg  # noqa: PLC0415 - an extra

    try:
        connection = psycopg.connect(f"{address}postgres", autocommit=True, connect_timeout=5)
    except psycopg.OperationalError:
        return False
    with connection:
        for name in databases:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return True


def _of_postgresql(name: str) -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    return shutil.which(name) or (str(found[-1]) if found else None)


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root: then another user's name, else None."""
    if os.geteuid() != 0:
        return None
    return "postgres" if "postgres" in {account.pw_name for account in pwd.getpwall()} else "nobody"


def _as_user(name: str | None) -> dict[str, Any]:
    if name is None:
        return {}
    account = pwd.getpwnam(name)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
