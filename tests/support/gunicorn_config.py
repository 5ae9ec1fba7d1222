"""Settings of the worker processes the tests start: they say when they are ready, and may not leave the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support import guard

if TYPE_CHECKING:
    from gunicorn.workers.base import Worker

__all__ = ["WORKER_READY", "post_worker_init"]

WORKER_READY = "worker ready, app loaded"


def post_worker_init(worker: Worker) -> None:
    """Called by gunicorn in a worker that has loaded the app."""
    guard.install()
    worker.log.info(WORKER_READY)
