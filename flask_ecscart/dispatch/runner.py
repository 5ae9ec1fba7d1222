"""Runs dispatchers in this process: begun when first needed, after any fork, and ended with their turn handed back."""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Thread
from typing import Protocol

from flask_ecscart.errors import StateUnavailable

__all__ = ["Runner", "Runs"]

_log = logging.getLogger("flask_ecscart")
_RENEW_EVERY = 1.0
_PATIENCE = 0.8
"""Seconds a stop may take before the lease is handed back over the head of a transaction that is on its way."""


class Runs(Protocol):
    """What a runner runs; see `Dispatcher`."""

    def step(self) -> float:
        """Do one thing; seconds until there may be another."""
        ...

    def renew(self) -> None:
        """Keep what must be kept every second."""
        ...

    def await_work(self, seconds: float) -> None:
        """Return when there may be work."""
        ...

    def hand_back(self) -> None:
        """Let another process go on."""
        ...


class Runner:
    """`make(holder, pause)` builds the dispatchers of a process; `holder` names it, `pause` ends when it stops.

    Threads are daemons and are made by the process that uses them, so a fork inherits none.
    """

    def __init__(self, make: Callable[[str, Callable[[float], bool]], Sequence[Runs]]) -> None:
        self._make = make
        self._pid = 0
        self._locks: dict[int, threading.Lock] = {}
        self._stop = Event()
        self._running: list[tuple[Runs, Thread]] = []

    def start(self) -> None:
        """Run in threads of this process; costs a comparison when they run already."""
        if self._pid == os.getpid():
            return
        # A lock of this process: a thread of the parent may have held it at the fork, and under gevent one that was
        # made before the patching would stop every shopper instead of one.
        with self._locks.setdefault(os.getpid(), threading.Lock()):
            if self._pid != os.getpid():
                self._begin()
                self._pid = os.getpid()

    def stop(self) -> None:
        """End the threads of this process within a second and hand the leases back."""
        if self._pid != os.getpid():
            return
        self._stop.set()
        for dispatcher, thread in self._running:
            thread.join(_PATIENCE / len(self._running))
            with suppress(StateUnavailable):
                dispatcher.hand_back()
        self._running = []

    def wait(self) -> None:
        """Return when the threads have been told to stop."""
        while not self._stop.wait(_RENEW_EVERY):
            continue

    def _begin(self) -> None:
        self._stop = Event()
        holder = f"{os.getpid()}-{secrets.token_hex(8)}"
        dispatchers = self._make(holder, lambda seconds: not self._stop.wait(seconds))
        stop = self._stop
        self._running = []
        for dispatcher in dispatchers:
            thread = Thread(target=_run, args=(dispatcher, stop), name="ecscart-dispatch", daemon=True)
            self._running.append((dispatcher, thread))
            thread.start()
        Thread(target=_keep, args=(dispatchers, stop), name="ecscart-lease", daemon=True).start()
        atexit.register(self.stop)


def _run(dispatcher: Runs, stop: Event) -> None:
    while not stop.is_set():
        try:
            wait = dispatcher.step()
            if wait > 0 and not stop.is_set():
                dispatcher.await_work(min(wait, _RENEW_EVERY / 2))
        except StateUnavailable as problem:
            _log.warning("The dispatcher waits: %s", problem)
            stop.wait(_RENEW_EVERY)
        except Exception:
            _log.exception("The dispatcher failed and goes on.")
            stop.wait(_RENEW_EVERY)
    with suppress(StateUnavailable):
        dispatcher.hand_back()


def _keep(dispatchers: Sequence[Runs], stop: Event) -> None:
    while not stop.wait(_RENEW_EVERY):
        for dispatcher in dispatchers:
            try:
                dispatcher.renew()
            except StateUnavailable:
                continue  # the lease runs out, and nothing is sent without one
            except Exception:
                _log.exception("The lease could not be kept.")
