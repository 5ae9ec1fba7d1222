"""Fixtures of the whole suite, and its one rule about skips: with CI=true a skip is a failure.

`clock` · `recorded` · `tmp_database_url`, `database` (`BOTH_DATABASES`) · `redis_url` · `postgresql_url` ·
`serve`, `serve_processes` · `chromium`, `page`, `page_problems`, `screenshot`
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flask_ecscart.state.sql import Database
from tests.support import guard
from tests.support.clock import FakeClock
from tests.support.needs import in_ci, recorded_folder
from tests.support.web import Site, WorkerSite, running, running_workers

if TYPE_CHECKING:  # a run without these parts need not load them
    from playwright.sync_api import Browser, Page

    from tests.support.browser import Problems
    from tests.support.postgresql import PostgreSQLServer
    from tests.support.redis import RedisServer

guard.install()

_MAY_SKIP = "recorded"
"""A skip whose reason has this word stays a skip: recorded replies are third-party data, not everybody's."""


# --- Skips ---------------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    _no_skip_in_ci(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    report = yield
    _no_skip_in_ci(report)
    return report


def _no_skip_in_ci(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not (report.skipped and in_ci()) or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if _MAY_SKIP not in reason.lower():
        report.outcome = "failed"
        report.longrepr = f"With CI=true nothing may be skipped, but this was. {reason}"


# --- Time, data, network -------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still until `clock.advance(seconds=…)`."""
    return FakeClock()


@pytest.fixture(scope="session")
def recorded() -> Path:
    """The folder of recorded replies of the real service; a test that asks for it is skipped where there is none."""
    folder = recorded_folder()
    if folder is None:
        pytest.skip("recorded replies are not here; ECSCART_RECORDED names their folder")
    return folder


@pytest.fixture(autouse=True)
def _stays_on_this_machine() -> Iterator[None]:
    """Fail a test that tried to reach another machine, even when what it tested swallowed the refusal."""
    before = len(guard.attempts)
    yield
    if guard.attempts[before:]:
        pytest.fail(f"The test tried to reach {guard.attempts[before:]}", pytrace=False)


# --- Databases -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _postgresql_server() -> Iterator[PostgreSQLServer]:
    from tests.support.postgresql import postgresql_server

    with postgresql_server() as server:
        yield server


@pytest.fixture
def postgresql_url(_postgresql_server: PostgreSQLServer) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    with _postgresql_server.new_database() as url:
        yield url


@pytest.fixture
def tmp_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database: a SQLite file, or PostgreSQL for a test marked so (see `BOTH_DATABASES`)."""
    if request.node.get_closest_marker("postgresql"):
        return str(request.getfixturevalue("postgresql_url"))
    return f"sqlite:///{tmp_path / 'cart.db'}"


@pytest.fixture
def database(tmp_database_url: str) -> Iterator[Database]:
    """An empty `Database` at `tmp_database_url`."""
    opened = Database(tmp_database_url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def _redis_server() -> Iterator[RedisServer]:
    from tests.support.redis import redis_server

    with redis_server() as server:
        yield server


@pytest.fixture(scope="session")
def redis_url(_redis_server: RedisServer) -> str:
    """The URL of a Redis server; it is empty when a test begins. To kill one, use `redis_server()` of support."""
    return _redis_server.url


@pytest.fixture(autouse=True)
def _empty_redis(request: pytest.FixtureRequest) -> None:
    if "redis_url" in request.fixturenames:
        request.getfixturevalue("_redis_server").empty()


# --- Sites ---------------------------------------------------------------------------------------------------


@pytest.fixture
def serve() -> Iterator[Callable[..., Site]]:
    """`serve(app)` answers on a loopback port, in threads of this process, until the test ends."""
    with ExitStack() as sites:
        yield lambda app, port=0: sites.enter_context(running(app, port))


@pytest.fixture
def serve_processes() -> Iterator[Callable[..., WorkerSite]]:
    """`serve_processes("module:create_app()", workers=2, env={…})`: real worker processes on one port."""
    with ExitStack() as sites:

        def start(factory: str, workers: int = 2, env: Mapping[str, str] | None = None, **more: Any) -> WorkerSite:
            return sites.enter_context(running_workers(factory, workers, env or {}, **more))

        yield start


# --- Browser -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A browser with an empty profile; every `browser.new_context()` is a visitor of its own."""
    from tests.support.browser import running_browser

    with running_browser() as browser:
        yield browser


@pytest.fixture
def page_problems(chromium: Browser) -> Iterator[Problems]:
    """What pages reported: `page_problems.expect("503")` for errors a test causes, `.watch(page)` for more pages."""
    from tests.support.browser import Problems

    problems = Problems()
    yield problems
    problems.check()


@pytest.fixture
def page(chromium: Browser, page_problems: Problems) -> Iterator[Page]:
    """A page of a new visitor. What it reports as an error fails the test."""
    context = chromium.new_context()
    context.on("page", page_problems.watch)
    yield context.new_page()
    context.close()


@pytest.fixture
def screenshot(page: Page) -> Callable[..., Path]:
    """`screenshot("cart")` keeps what a page shows, its animations ended, as test-results/cart.png."""
    from tests.support.browser import SCREENSHOTS

    def take(name: str, of: Page = page, *, full_page: bool = False) -> Path:
        path = SCREENSHOTS / f"{re.sub(r'[^a-z0-9-]+', '-', name.lower())}.png"
        of.screenshot(path=path, full_page=full_page, animations="disabled")
        return path

    return take
