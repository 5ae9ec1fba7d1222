"""The database goes away, fills up, cannot be written, is damaged or too new: said clearly, and nothing is lost."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from tests.faults.points import FACTORY
from tests.faults.shoppers import Shopper, check_kept, drive, lines_of, shoppers_of
from tests.support.databases import BOTH_DATABASES
from tests.support.process import unprivileged
from tests.support.shop import LAMP, MUG, Shop
from tests.support.web import WorkerSite

Workers = Callable[..., WorkerSite]


@pytest.fixture
def workers(serve_processes: Workers, tmp_path: Path) -> Workers:
    """`workers(database_url)`: two processes of the shop."""

    def start(database_url: str, arguments: str = "--preload") -> WorkerSite:
        env = {"SHOP_FOLDER": str(tmp_path), "SHOP_DATABASE_URL": database_url, "GUNICORN_CMD_ARGS": arguments}
        return serve_processes(FACTORY, workers=2, env=env)

    return start


@contextmanager
def looking_at_the_hosts_page(url: str) -> Iterator[list[tuple[int, str]]]:
    """Ask for a page of the host's own again and again while the block runs; what it answered."""
    seen: list[tuple[int, str]] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            answer = requests.get(url, timeout=10)
            seen.append((answer.status_code, answer.text))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def wait_until(ready: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.postgresql
@pytest.mark.parametrize("manner", ["stop", "kill"])
def test_postgresql_restarted_in_mid_traffic_loses_nothing_and_the_hosts_pages_stay(
    workers: Workers, tmp_path: Path, manner: str
) -> None:
    from tests.support.postgresql import postgresql_server

    with postgresql_server() as server, server.new_database() as url:
        site = workers(url)
        shoppers = shoppers_of(site.url, 3, 4)
        with looking_at_the_hosts_page(site.url) as seen:
            traffic = threading.Thread(target=drive, args=(shoppers, 25, lambda _: 0))
            traffic.start()
            for _ in range(2):
                before = refused(shoppers)
                getattr(server, manner)()
                wait_until(lambda before=before: refused(shoppers) > before or not traffic.is_alive())
                server.start()
            traffic.join()
        assert refused(shoppers) >= 2, "Nobody noticed: the restarts came when all was done."
        assert set(seen) == {(200, "the host's own page")}
        shop = Shop(tmp_path, ECSCART_DATABASE_URL=url)
        check_kept(shop, shoppers)
        shop.site.database.close()


def refused(shoppers: list[Shopper]) -> int:
    """Answers 503; the shoppers checked that each names a time and a code."""
    return sum(shopper.refusals[503] for shopper in shoppers)


def test_a_full_disk_is_said_and_loses_nothing(workers: Workers, tmp_path: Path) -> None:
    site = workers(f"sqlite:///{tmp_path / 'cart.db'}")
    [shopper] = shoppers_of(site.url, 4, 1)
    shopper.add("US", {LAMP: 2})
    room = max(path.stat().st_size for path in tmp_path.glob("cart.db*"))
    limit_files_of(site, room)
    late = threading.Thread(target=shopper.add, args=("US", {MUG: 3}))
    late.start()
    wait_until(lambda: shopper.refusals[503] >= 3)
    assert lines_of(shopper.cart("US")) == {LAMP: 2}
    assert requests.get(site.url, timeout=10).text == "the host's own page"
    limit_files_of(site, resource.RLIM_INFINITY)
    late.join()
    shop = Shop(tmp_path, ECSCART_DATABASE_URL=f"sqlite:///{tmp_path / 'cart.db'}")
    check_kept(shop, [shopper])
    shop.site.database.close()


def limit_files_of(site: WorkerSite, size: int) -> None:
    """Let no worker write a file beyond `size` bytes, as a full disk would."""
    for pid in site.worker_pids():
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


def test_a_file_that_cannot_be_written_is_said_and_loses_nothing(workers: Workers, tmp_path: Path) -> None:
    file = tmp_path / "cart.db"
    shop = Shop(tmp_path, ECSCART_DATABASE_URL=f"sqlite:///{file}")
    shop.add(LAMP, quantity=2)
    shop.site.database.close()
    kept = file.read_bytes()
    user = unprivileged()
    for path in [*tmp_path.parents][:2]:
        path.chmod(0o755)
    tmp_path.chmod(0o555)
    file.chmod(0o444)
    try:
        site = workers(f"sqlite:///{file}", f"--preload --user {user}" if user else "--preload")
        answer = requests.post(f"{site.url}/ecscart/v1/carts/US/items", json={"items": [{"asin": LAMP}]}, timeout=10)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), site.log
        assert int(answer.headers["Retry-After"]) >= 1
        assert "Nothing is lost" in answer.json()["detail"]
        assert "cart.db" not in answer.text
        assert requests.get(f"{site.url}/ecscart/healthz", timeout=10).status_code == 503
        assert requests.get(site.url, timeout=10).text == "the host's own page"
        assert file.read_bytes() == kept
    finally:
        tmp_path.chmod(0o755)
        file.chmod(0o644)
    assert shop.held() == {LAMP: 2}
    shop.site.database.close()


DAMAGE = {
    "cut off": lambda data: data[: len(data) // 2],
    "no JSON": lambda data: b"\x00\xff" * 20,
    "another shape": lambda data: b'{"carts":{"US":{"lines":"many"}}}',
    "empty": lambda data: b"",
}


@BOTH_DATABASES
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_session_fails_alone_and_is_not_overwritten(
    tmp_database_url: str, tmp_path: Path, damage: str
) -> None:
    shop = Shop(tmp_path, ECSCART_DATABASE_URL=tmp_database_url)
    shop.app.add_url_rule("/", "home", lambda: "the host's own page")
    shop.add(LAMP)
    with shop.site.database.transaction() as connection:
        whole = connection.execute(text("SELECT data FROM ecscart_sessions")).scalar_one()
        damaged = DAMAGE[damage](bytes(whole))
        connection.execute(text("UPDATE ecscart_sessions SET data = :data"), {"data": damaged})
    for method, path, body in (
        ("GET", "/ecscart/v1/carts", None),
        ("POST", "/ecscart/v1/carts/US/items", {"items": [{"asin": MUG}]}),
    ):
        answer = shop.client.open(path, method=method, json=body)
        assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
        assert LAMP not in answer.text
    other = shop.new_shopper()
    assert other.post("/ecscart/v1/carts/US/items", json={"items": [{"asin": MUG}]}).status_code == 200
    assert other.get("/").text == "the host's own page"
    with shop.site.database.transaction() as connection:
        found = [bytes(row.data) for row in connection.execute(text("SELECT data FROM ecscart_sessions"))]
        assert damaged in found
        connection.execute(text("UPDATE ecscart_sessions SET data = :d WHERE data = :o"), {"d": whole, "o": damaged})
    assert shop.held() == {LAMP: 1}
    shop.site.database.close()


@BOTH_DATABASES
def test_tables_of_a_newer_package_are_refused_by_name_and_left_alone(
    tmp_database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shop = Shop(tmp_path, ECSCART_DATABASE_URL=tmp_database_url)
    shop.add(LAMP)
    with shop.site.database.transaction() as connection:
        connection.execute(text("UPDATE ecscart_schema SET version = 99 WHERE part = 'sessions'"))
    shop.site.database.close()
    older = Shop(tmp_path, ECSCART_DATABASE_URL=tmp_database_url)
    older.app.add_url_rule("/", "home", lambda: "the host's own page")
    answer = older.add(MUG)
    assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
    assert "sessions tables have version 99" in caplog.text
    assert "install the newer package" in caplog.text
    assert older.client.get("/").text == "the host's own page"
    older.site.database.close()
    with shop.site.database.transaction() as connection:  # it has seen these tables before they were too new
        connection.execute(text("UPDATE ecscart_schema SET version = 1 WHERE part = 'sessions'"))
    assert shop.held() == {LAMP: 1}
    shop.site.database.close()
