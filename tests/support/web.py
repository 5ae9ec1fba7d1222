"""Real web servers on loopback ports: one in a thread of the test, or several worker processes."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from werkzeug.serving import WSGIRequestHandler, make_server

from tests.support.gunicorn_config import WORKER_READY
from tests.support.process import Program, empty_folder

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Site", "WorkerSite", "running", "running_workers"]

_ROOT = Path(__file__).resolve().parents[2]


class Site:
    """A site that answers at `url` (no slash at the end) until `stop()`."""

    def __init__(self, app: WSGIApplication, port: int = 0) -> None:
        self._server = make_server("127.0.0.1", port, _closing(app), threaded=True, request_handler=_QuietHandler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests; the port is closed afterwards."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class WorkerSite:
    """A site behind gunicorn: several processes, one port. `model`: the kind of worker, four threads each by default.

    `command`, where given, starts another server instead: it gets the listening socket's number and the factory.
    """

    def __init__(
        self,
        factory: str,
        folder: Path,
        *,
        workers: int,
        env: Mapping[str, str],
        model: Sequence[str] = ("--worker-class", "gthread", "--threads", "4"),
        command: Sequence[str] | None = None,
    ) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
            self.port = int(listener.getsockname()[1])
            self.url = f"http://127.0.0.1:{self.port}"
            gunicorn = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}", *model]
            gunicorn += ["--workers", str(workers), "--config", "python:tests.support.gunicorn_config"]
            gunicorn += ["--no-control-socket", factory]
            other = None if command is None else [*command, str(listener.fileno()), factory, str(workers)]
            self._program = Program(
                other or gunicorn,
                folder / "gunicorn.log",
                env={**os.environ, **env},
                cwd=_ROOT,
                keep_open=[listener.fileno()],
            )
        self._workers = workers
        try:
            self._program.wait_until(self._is_ready)
        except RuntimeError:
            self._program.stop()
            raise

    @property
    def pid(self) -> int:
        """Process id of gunicorn's master."""
        return self._program.pid

    @property
    def log(self) -> str:
        """What the processes have printed so far."""
        return self._program.output.read_text(errors="replace")

    def worker_pids(self) -> list[int]:
        """Process ids of the workers that run now; a killed one is replaced by the master."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def stop(self) -> None:
        """End master and workers."""
        self._program.stop()

    def _is_ready(self) -> bool:
        return self.log.count(WORKER_READY) >= self._workers


@contextmanager
def running(app: WSGIApplication, port: int = 0) -> Iterator[Site]:
    """A site while the block runs."""
    site = Site(app, port)
    try:
        yield site
    finally:
        site.stop()


@contextmanager
def running_workers(factory: str, workers: int, env: Mapping[str, str], **more: Any) -> Iterator[WorkerSite]:
    """Worker processes of `factory` ("package.module:create_app()") while the block runs; `more` as `WorkerSite`."""
    with empty_folder() as folder:
        site = WorkerSite(factory, folder, workers=workers, env=env, **more)
        try:
            yield site
        finally:
            site.stop()


def _closing(app: WSGIApplication) -> WSGIApplication:
    """The app with answers that are closed even when a browser hangs up in the middle, which werkzeug's server forgets.

    Else the picture a page no longer wants stays an open file, and the warning of it fails whatever test runs then.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return _Closing(app(environ, start_response))

    return answer


class _Closing:
    def __init__(self, body: Iterable[bytes]) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        if close := getattr(self._body, "close", None):
            close()

    __del__ = close


class _QuietHandler(WSGIRequestHandler):
    """Prints nothing: a test's output is its failures."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the name is werkzeug's
        pass
