"""A server that forks as uWSGI does: the app is loaded and has answered before there is a worker.

`python -m tests.faults.prefork LISTENING_SOCKET module:create_app() WORKERS`; ends its workers on SIGTERM.
"""

from __future__ import annotations

import importlib
import os
import signal
import socket
import sys
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from flask import Flask
from werkzeug.serving import make_server

from tests.support import guard
from tests.support.gunicorn_config import WORKER_READY

__all__ = ["main"]


def main(listening: int, factory: str, workers: int) -> None:
    """Serve until SIGTERM; a worker that ended is not replaced."""
    module, _, call = factory.partition(":")
    app = getattr(importlib.import_module(module), call.removesuffix("()"))()
    # The worst an app may do before a fork: its database is open, and with PREFORK_SENDS its dispatcher runs.
    shopper = app.test_client()
    shopper.get("/ecscart/v1/carts/US")
    if "PREFORK_SENDS" in os.environ:
        shopper.post("/ecscart/v1/carts/US/items", json={"items": [{"asin": "B0TESTLAMP", "quantity": 1}]})
    pids = [_fork(app, listening) for _ in range(workers)]

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        for pid in pids:
            with suppress(ProcessLookupError):  # it was ended before
                os.kill(pid, signal.SIGTERM)
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    for _ in pids:
        os.wait()
    signal.pause()


def _fork(app: Flask, listening: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    guard.install()
    with socket.socket(fileno=listening) as listener:
        server = make_server(*listener.getsockname()[:2], app, threaded=True, fd=listener.fileno())
    print(WORKER_READY, flush=True)
    server.serve_forever()
    raise SystemExit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
