"""Every way to serve a Flask app: what sends is started by the worker that needs it, and is handed back when it ends.

Nothing is taken over a fork: each worker answers changes and writes them, one of them all sends, never beyond the rate.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from sqlalchemy.exc import NoResultFound

from tests.faults.town import Town, gaps
from tests.support.gunicorn_config import WORKER_READY
from tests.support.process import Program, free_port
from tests.support.shop import LAMP, MUG
from tests.support.web import WorkerSite

_RATE = 4.0
_PATIENCE = 8.0
"""Seconds on a machine that is busy with other things. On a quiet one a worker ends in one: see what is printed."""
_GUNICORN: dict[str, tuple[str, ...]] = {
    "sync": ("--worker-class", "sync"),
    "gthread, preloaded": ("--worker-class", "gthread", "--threads", "4", "--preload"),
    "gevent": ("--worker-class", "gevent"),
    "gevent, preloaded": ("--worker-class", "gevent", "--preload"),
}
_FORKING = {"command": [sys.executable, "-m", "tests.faults.prefork"]}


def start(model: str, folder: Path, serve_processes: Callable[..., WorkerSite]) -> Town:
    more = {"model": _GUNICORN[model]} if model in _GUNICORN else _FORKING
    return Town(serve_processes, folder, {"REMOTE_RATE": f"{_RATE:g}"}, **more)


def add_in_every_worker(here: Town) -> list[requests.Session]:
    """Shoppers whose additions were answered, until every worker has answered one."""
    waiting = set(here.site.worker_pids())
    shoppers = []
    until = time.monotonic() + 15
    while waiting or len(shoppers) < 4:
        assert time.monotonic() < until, f"no change was answered by {waiting} of {here.site.worker_pids()}"
        shopper = here.shopper()
        answer = here.add(shopper)
        assert answer.status_code == 200, answer.text
        waiting -= {int(answer.headers["X-Pid"])}
        shopper.close()  # the next connection may come to another worker
        shoppers.append(shopper)
    return shoppers


def holder(here: Town) -> int | None:
    """The process that may send, None when the turn was handed back and nobody has taken it yet."""
    try:
        return here.dispatching_pid()
    except NoResultFound:
        return None


def wait_for(ready: Callable[[], object], seconds: float, what: str) -> float:
    """Seconds until `ready()`."""
    began = time.monotonic()
    while not ready():
        assert time.monotonic() - began < seconds, what
        time.sleep(0.01)
    return time.monotonic() - began


def is_over(pid: int) -> bool:
    """Whether a process has ended; it may not have been waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("model", [*_GUNICORN, "prefork"])
def test_every_worker_serves_one_sends_and_the_one_that_ends_hands_its_turn_back(
    model: str, tmp_path: Path, serve_processes: Callable[..., WorkerSite]
) -> None:
    here = start(model, tmp_path, serve_processes)
    shoppers = add_in_every_worker(here)
    assert [here.settled(shopper) for shopper in shoppers] == [{LAMP: 1}] * len(shoppers)
    assert all(status == 200 for _, _, status in here.calls())
    leader = holder(here)
    assert leader in here.site.worker_pids()
    for shopper in shoppers:
        here.add(shopper, MUG)
        shopper.close()
    os.kill(leader, signal.SIGTERM)
    took = wait_for(lambda: is_over(leader), _PATIENCE, "SIGTERM did not end the worker")
    print(f"{model}: SIGTERM ended the worker that sends in {took:.2f} s")
    assert holder(here) != leader, "the turn was not handed back"
    assert [here.settled(shopper) for shopper in shoppers] == [{LAMP: 1, MUG: 1}] * len(shoppers)
    check_pace(here)
    if model in _GUNICORN:
        wait_for(lambda: here.site.log.count(WORKER_READY) > 2, 15, "gunicorn did not replace the worker")
    check_end(here, shoppers)


def test_workers_forked_from_a_process_that_sends_already_serve_and_do_not_send_beside_it(
    tmp_path: Path, serve_processes: Callable[..., WorkerSite], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFORK_SENDS", "1")
    here = start("prefork", tmp_path, serve_processes)
    shoppers = add_in_every_worker(here)
    assert [here.settled(shopper) for shopper in shoppers] == [{LAMP: 1}] * len(shoppers)
    assert holder(here) == here.site.pid
    check_pace(here)
    check_end(here, shoppers)


def check_pace(here: Town) -> None:
    """One sent at a time, and no faster than it may."""
    assert all(status == 200 for _, _, status in here.calls()), "more than the rate allows"
    assert min(gaps(here.calls())) >= 0.99 / _RATE


def check_end(here: Town, shoppers: list[requests.Session]) -> None:
    """SIGTERM ends everything soon, and nobody holds the turn afterwards."""
    for shopper in shoppers:
        shopper.close()
    began = time.monotonic()
    here.site.stop()
    assert time.monotonic() - began < _PATIENCE
    assert holder(here) is None
    assert "Traceback" not in here.site.log


def test_the_development_server_sends_from_the_process_that_serves_and_goes_on_after_a_reload(
    tmp_path: Path, serve_processes: Callable[..., WorkerSite]
) -> None:
    here = Town(serve_processes, tmp_path, {"REMOTE_RATE": f"{_RATE:g}"}, workers=1)
    here.site.stop()  # its place is taken by the development server
    code = tmp_path / "watched_app.py"
    code.write_text("from tests.support.remote_shop import create_site\n")
    port = free_port()
    here.site.url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "flask", "--app", f"{code}:create_site", "run", "--debug", "--port", str(port)]
    env = {**os.environ, **here.env, "PYTHONPATH": os.getcwd(), "PYTHONUNBUFFERED": "1"}
    watcher = Program(command, tmp_path / "flask.log", env=env, cwd=tmp_path)
    try:
        watcher.wait_until(lambda: answers(here))
        shopper = here.shopper()
        first = int(here.add(shopper).headers["X-Pid"])
        assert here.settled(shopper) == {LAMP: 1}
        assert holder(here) == first != watcher.pid, "the process that only watches files must not send"
        code.write_text(code.read_text() + "# saved\n")
        wait_for(lambda: is_over(first), 10, "the reloader did not notice the change")
        assert holder(here) != first, "the turn was not handed back"
        watcher.wait_until(lambda: answers(here))
        second = int(here.add(shopper, MUG).headers["X-Pid"])
        assert here.settled(shopper) == {LAMP: 1, MUG: 1}
        assert holder(here) == second != first
        check_pace(here)
        for pid in (second, watcher.pid):  # what Ctrl-C does: everybody is told
            os.kill(pid, signal.SIGINT)
        wait_for(lambda: is_over(second) and not watcher.runs, _PATIENCE, "Ctrl-C did not end the development server")
        assert holder(here) is None
    finally:
        watcher.stop()


def answers(here: Town) -> bool:
    """Whether the site takes requests."""
    try:
        return requests.get(f"{here.site.url}/page", timeout=5).ok
    except requests.ConnectionError:
        return False
