"""What is neither up nor down: a frozen Redis, a frozen worker that holds a row. Nobody waits for them for long."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from flask_ecscart.errors import StateUnavailable
from flask_ecscart.state.sql import Database
from tests.faults.town import Town
from tests.support.redis import redis_server
from tests.support.shop import LAMP, MUG
from tests.support.web import WorkerSite


@pytest.mark.redis
def test_a_frozen_redis_neither_stops_additions_nor_the_hosts_pages(
    tmp_path: Path, serve_processes: Callable[..., WorkerSite]
) -> None:
    with redis_server() as redis:
        here = Town(serve_processes, tmp_path, {"REMOTE_RATE": "5", "ECSCART_REDIS_URL": redis.url})
        shopper = here.shopper()
        here.add(shopper)
        assert here.settled(shopper) == {LAMP: 1}
        os.kill(redis.pid, signal.SIGSTOP)
        try:
            for _ in range(3):
                began = time.monotonic()
                assert here.add(shopper, MUG).status_code == 200
                assert time.monotonic() - began < 5
            began = time.monotonic()
            assert requests.get(f"{here.site.url}/page", timeout=10).ok
            assert time.monotonic() - began < 1
        finally:
            os.kill(redis.pid, signal.SIGCONT)
        assert here.settled(shopper) == {LAMP: 1, MUG: 3}


@pytest.mark.postgresql
def test_a_process_that_froze_in_a_transaction_keeps_its_row_for_a_moment_only(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flask_ecscart.state.sql._BUSY_SECONDS", 1)
    frozen, other = Database(postgresql_url), Database(postgresql_url)
    with other.transaction() as connection:
        connection.execute(text("CREATE TABLE rows (id integer)"))
        connection.execute(text("INSERT INTO rows VALUES (1)"))
    row = text("SELECT * FROM rows FOR UPDATE")
    holds, over = threading.Event(), threading.Event()
    told: list[BaseException] = []

    def freeze() -> None:
        try:
            with frozen.transaction() as connection:
                connection.execute(row)
                holds.set()
                over.wait(20)
                connection.execute(text("INSERT INTO rows VALUES (2)"))
        except StateUnavailable as problem:
            told.append(problem)

    thread = threading.Thread(target=freeze)
    thread.start()
    assert holds.wait(10)
    try:
        with pytest.raises(StateUnavailable), other.transaction() as connection:
            connection.execute(row)
        until = time.monotonic() + 10
        while True:
            try:
                with other.transaction() as connection:
                    assert connection.execute(row).scalars().all() == [1]
                break
            except StateUnavailable:
                assert time.monotonic() < until, "the frozen one keeps the row"
    finally:
        over.set()
        thread.join()
    assert told, "what woke up late must be told that its transaction is over"
    frozen.close()
    other.close()
