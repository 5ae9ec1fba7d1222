"""/healthz says in few words whether carts work: 503 when none can be kept, 200 when somebody should merely look."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.remote import RemoteSite
from tests.support.remote_shop import ACCESS_KEY, SECRET_KEY
from tests.support.shop import LAMP, Shop

REMOTE = {
    "ECSCART_PROVIDER": "ecs",
    "ECSCART_ACCESS_KEY": ACCESS_KEY,
    "ECSCART_SECRET_KEY": SECRET_KEY,
    "ECSCART_LOCALES": {"US": {"associate_tag": "lamp-20", "endpoint": "http://127.0.0.1:9/onca/xml"}},
}


def health(shop: Shop) -> tuple[int, dict[str, str]]:
    answer = shop.client.get("/ecscart/healthz")
    assert SECRET_KEY not in answer.text
    assert ACCESS_KEY not in answer.text
    return answer.status_code, dict(answer.json or {})


def test_a_site_with_an_embedded_service_has_a_database_and_nothing_else(tmp_path: Path) -> None:
    assert health(Shop(tmp_path)) == (200, {"status": "ok", "database": "ok"})


def test_without_its_database_a_site_asks_to_be_left_out(tmp_path: Path) -> None:
    shop = Shop(tmp_path, ECSCART_DATABASE_URL="postgresql+psycopg://user:psst@127.0.0.1:1/nothing")
    answer = shop.client.get("/ecscart/healthz")
    assert (answer.status_code, answer.json) == (503, {"status": "unavailable", "database": "away"})
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.redis
def test_without_redis_carts_are_kept_and_the_site_stays_in(tmp_path: Path) -> None:
    from tests.support.redis import redis_server

    with redis_server() as redis:
        shop = Shop(tmp_path, **REMOTE, ECSCART_REDIS_URL=redis.url)
        well = {"status": "ok", "database": "ok", "redis": "ok", "dispatcher": "ok"}
        assert health(shop) == (200, well)
        redis.stop()
        assert health(shop) == (200, {**well, "status": "degraded", "redis": "away", "dispatcher": "unknown"})
        assert shop.add(LAMP).status_code == 200
    shop.site.remote.runner.stop()  # type: ignore[union-attr]


def test_carts_that_wait_while_nobody_sends_are_told(tmp_path: Path) -> None:
    shop = Shop(tmp_path, **REMOTE)
    assert health(shop)[1]["dispatcher"] == "ok"
    with shop.site.database.transaction():
        shop.site.remote.front("US").note("ann", "US")  # type: ignore[union-attr]
    assert health(shop) == (200, {"status": "degraded", "database": "ok", "dispatcher": "absent"})


def test_an_endpoint_that_does_not_answer_and_a_day_that_is_spent_are_told(tmp_path: Path) -> None:
    from flask_ecscart.errors import NotSent
    from flask_ecscart.model import NewItem

    away = RemoteSite(tmp_path / "away")
    away.provider.fail = [NotSent("away")] * 9
    away.carts.add("ann", "US", [NewItem(asin=LAMP, quantity=1)], None)
    away.run_until(away.time.now + 4)
    assert away.remote.condition() == "unreachable"
    spent = RemoteSite(tmp_path / "spent", ECSCART_DAILY_LIMIT=1)
    for shopper in ("ann", "bob"):
        spent.carts.add(shopper, "US", [NewItem(asin=LAMP, quantity=1)], None)
        spent.carts.read(shopper, "US")
    spent.run_until(spent.time.now + 4)
    assert spent.remote.condition() == "resting"


def test_it_reads_little_and_writes_nothing(tmp_path: Path) -> None:
    from sqlalchemy import event

    shop = Shop(tmp_path, **REMOTE)
    health(shop)
    asked: list[str] = []
    engine = shop.site.database._of_this_process()
    event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
    health(shop)
    assert len(asked) <= 6
    assert all(statement.lstrip().startswith(("BEGIN", "SELECT")) for statement in asked), asked
