"""Programs a test starts: each with a folder of its own, its output kept, ended by its process id."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Program", "empty_folder", "free_port", "unprivileged"]

_PATIENCE = 20.0
"""Seconds a program may take to come up or to end."""


class Program:
    """A running program. `output` is the file that takes what it prints."""

    def __init__(
        self,
        command: Sequence[str],
        output: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        keep_open: Sequence[int] = (),
        user: str | None = None,
    ) -> None:
        self.output = output
        with output.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                cwd=cwd,
                pass_fds=keep_open,
                **as_user(user),
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def wait_until(self, ready: Callable[[], bool], *, patience: float = _PATIENCE) -> None:
        """Return once `ready()`; fails with the program's output when it ends or takes too long."""
        deadline = time.monotonic() + patience
        while not ready():
            if not self.runs or time.monotonic() > deadline:
                printed = self.output.read_text(errors="replace")
                raise RuntimeError(f"{self._process.args} did not come up:\n{printed}")
            time.sleep(0.02)

    def stop(self, *, with_signal: signal.Signals = signal.SIGTERM) -> None:
        """End it and wait; one that does not listen is killed."""
        if self.runs:
            self._process.send_signal(with_signal)
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self) -> None:
        """End it as a power failure would (kill -9)."""
        self.stop(with_signal=signal.SIGKILL)


def as_user(name: str | None) -> dict[str, object]:
    """The arguments of Popen that run a program as this user; none where that is who we are."""
    if name is None:
        return {}
    account = pwd.getpwnam(name)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def unprivileged() -> str | None:
    """A user for programs that refuse to run as root; None when we are not root."""
    if os.geteuid() != 0:
        return None
    known = {account.pw_name for account in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


@contextmanager
def empty_folder(owner: str | None = None) -> Iterator[Path]:
    """A folder that is gone afterwards. Its path is short, and `owner` can reach it (pytest's own are closed)."""
    folder = Path(tempfile.mkdtemp(prefix="ecscart-"))
    try:
        if owner is not None:
            shutil.chown(folder, owner)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
