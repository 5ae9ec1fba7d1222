"""The tests' own tools do what the other tests rely on."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
import redis
import requests
from sqlalchemy import text

from flask_ecscart.state.sql import Database
from tests.support import guard
from tests.support.clock import START, FakeClock
from tests.support.databases import BOTH_DATABASES
from tests.support.house import ROOT
from tests.support.samples import create_app
from tests.support.web import Site, WorkerSite

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.support.browser import Problems


# --- Clock and network ---------------------------------------------------------------------------------------


def test_the_clock_stands_still_until_told(clock: FakeClock) -> None:
    assert clock() == clock() == START
    assert (clock.advance(days=1, seconds=2) - START).total_seconds() == 86_402
    assert clock().utcoffset() is not None


def test_a_connection_that_leaves_the_machine_is_refused() -> None:
    with pytest.raises(guard.LeftTheMachine):
        requests.get("http://192.0.2.1/", timeout=1)
    with pytest.raises(guard.LeftTheMachine):
        socket.getaddrinfo("shop.example", 80)
    assert guard.attempts[-2:] == ["192.0.2.1", "shop.example"]
    del guard.attempts[-2:]  # they were meant


def test_a_name_below_invalid_does_not_resolve() -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get("http://nowhere.invalid/", timeout=1)


@pytest.mark.parametrize(("ci", "outcome"), [("true", "failed"), ("", "skipped")])
@pytest.mark.parametrize("how", ["pytest.skip('no server')", "pytest.importorskip('no_such_module')"])
def test_in_ci_a_skip_is_a_failure(tmp_path: Path, ci: str, outcome: str, how: str) -> None:
    assert f"1 {outcome}" in _closing_line(tmp_path, f"def test_it():\n    {how}\n", ci)


def test_in_ci_a_whole_file_that_skips_is_a_failure(tmp_path: Path) -> None:
    assert "1 error" in _closing_line(tmp_path, "pytest.skip('no server', allow_module_level=True)\n", "true")


def test_in_ci_recorded_replies_may_be_absent(tmp_path: Path) -> None:
    assert "1 skipped" in _closing_line(tmp_path, "def test_it(recorded): ...\n", "true")


def _closing_line(folder: Path, source: str, ci: str) -> str:
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_sample.py").write_text(f"import pytest\n{source}")
    pytest_here = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    env = {**os.environ, "CI": ci, "ECSCART_RECORDED": str(folder / "absent")}
    command = [*pytest_here, "-c", str(folder / "pytest.ini"), str(folder)]
    run = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    return run.stdout.splitlines()[-1]


# --- Databases -----------------------------------------------------------------------------------------------


@BOTH_DATABASES
@pytest.mark.parametrize("time", ["first", "second"])
def test_every_test_begins_with_an_empty_database(database: Database, time: str) -> None:
    with database.transaction() as connection:
        connection.execute(text("CREATE TABLE ours (name VARCHAR(10))"))


@pytest.mark.postgresql
def test_a_postgresql_database_is_a_real_one(postgresql_url: str, database: Database) -> None:
    assert database.url.get_backend_name() == "postgresql"
    with psycopg.connect(postgresql_url.replace("+psycopg", "")) as connection:
        answer = connection.execute("SHOW server_version_num").fetchone()
    assert answer is not None
    assert int(answer[0]) >= 130_000


@pytest.mark.redis
@pytest.mark.parametrize("time", ["first", "second"])
def test_every_test_begins_with_an_empty_redis(redis_url: str, time: str) -> None:
    with redis.Redis.from_url(redis_url) as connection:
        assert connection.dbsize() == 0
        connection.set("key", time)


@pytest.mark.redis
def test_a_killed_redis_comes_back_empty_at_the_same_address() -> None:
    from tests.support.redis import redis_server

    with redis_server() as server:
        url = server.url
        with redis.Redis.from_url(url) as connection:
            connection.set("key", "value")
        server.kill()
        server.start()
        with redis.Redis.from_url(url) as connection:
            assert connection.get("key") is None


@pytest.mark.postgresql
def test_a_killed_postgresql_comes_back_with_what_was_committed() -> None:
    from tests.support.postgresql import postgresql_server

    with postgresql_server() as server, server.new_database() as url:
        address = url.replace("+psycopg", "")
        with psycopg.connect(address) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        server.kill()
        server.start()
        with psycopg.connect(address) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


# --- Sites ---------------------------------------------------------------------------------------------------


def test_serve_answers_on_a_port_of_its_own(serve: Callable[..., Site]) -> None:
    one, other = serve(create_app()), serve(create_app())
    assert one.port != other.port
    assert requests.get(f"{one.url}/pid", timeout=5).text == str(os.getpid())


def test_a_stopped_site_takes_no_connections(serve: Callable[..., Site]) -> None:
    site = serve(create_app())
    site.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{site.url}/pid", timeout=5)


def test_worker_processes_answer_on_one_port(serve_processes: Callable[..., WorkerSite]) -> None:
    site = serve_processes("tests.support.samples:create_app()", workers=2, env={"SAMPLE_WORD": "told"})
    workers = site.worker_pids()
    assert len(workers) == 2
    assert int(requests.get(f"{site.url}/pid", timeout=5).text) in workers
    assert requests.get(f"{site.url}/word", timeout=5).text == "told"


def test_worker_processes_are_gone_afterwards() -> None:
    from tests.support.web import running_workers

    with running_workers("tests.support.samples:create_app()", 2, {}) as site:
        pids = [site.pid, *site.worker_pids()]
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []


def test_a_factory_that_fails_is_reported_with_what_it_printed(serve_processes: Callable[..., WorkerSite]) -> None:
    with pytest.raises(RuntimeError, match="no_such_factory"):
        serve_processes("tests.support.samples:no_such_factory()", workers=1)


# --- Browser -------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_a_page_is_shown_and_photographed(
    serve: Callable[..., Site], page: Page, screenshot: Callable[[str], Path]
) -> None:
    page.goto(f"{serve(create_app()).url}/page")
    assert page.title() == "カート"
    assert screenshot("support sample").read_bytes().startswith(b"\x89PNG")


@pytest.mark.browser
def test_an_expected_error_of_a_page_is_let_through(
    serve: Callable[..., Site], page: Page, page_problems: Problems
) -> None:
    page_problems.expect("undefinedName is not defined")
    page.goto(f"{serve(create_app()).url}/broken")


@pytest.mark.browser
def test_an_unexpected_error_of_a_page_fails_the_test(serve: Callable[..., Site], chromium: Browser) -> None:
    from tests.support.browser import Problems

    problems = Problems()
    with chromium.new_context() as context:
        context.on("page", problems.watch)
        context.new_page().goto(f"{serve(create_app()).url}/broken")
        with pytest.raises(pytest.fail.Exception, match="undefinedName"):
            problems.check()


@pytest.mark.browser
def test_the_browser_finds_no_other_machine_but_many_names_of_this_one(
    serve: Callable[..., Site], page: Page, page_problems: Problems
) -> None:
    from playwright.sync_api import Error

    site = serve(create_app())
    page.goto(f"http://blog.test:{site.port}/page")
    assert page.title() == "カート"
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        page.goto("https://shop.example/")
