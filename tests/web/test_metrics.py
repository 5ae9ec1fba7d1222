"""The Prometheus example of docs/metrics.md runs, and tells what shoppers did and how sending goes, without secrets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.remote_shop import ACCESS_KEY, OTHER_KEYS, SECRET_KEY
from tests.support.shop import GERMAN, LAMP, LIMITED, Shop

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "metrics.md").read_text()
_GERMAN_KEYS = dict(zip(("access_key", "secret_key"), next(iter(OTHER_KEYS.items())), strict=True))
NOWHERE = "http://127.0.0.1:9/onca/xml"
REMOTE = {
    "ECSCART_PROVIDER": "ecs",
    "ECSCART_ACCESS_KEY": ACCESS_KEY,
    "ECSCART_SECRET_KEY": SECRET_KEY,
    "ECSCART_LOCALES": {
        "US": {"associate_tag": "lamp-20", "endpoint": NOWHERE},
        "CA": {"associate_tag": "lampca-20", "endpoint": NOWHERE},
        "DE": {"associate_tag": "lampe-21", "endpoint": NOWHERE, **_GERMAN_KEYS},
    },
}


def measured(folder: Path, **config: object) -> Shop:
    """A shop with the page that the document shows."""
    shop = Shop(folder, **config)
    [source] = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(compile(source, "metrics.md", "exec"), {"app": shop.app})
    return shop


def scrape(shop: Shop) -> dict[tuple[str, ...], float]:
    """(name, label values by the order of their labels' names) → value, as Prometheus reads the page."""
    page = shop.new_shopper().get("/metrics")
    assert page.status_code == 200
    for secret in (ACCESS_KEY, SECRET_KEY, *_GERMAN_KEYS.values(), LAMP, "lamp-20"):
        assert secret not in page.text
    samples = [one for family in text_string_to_metric_families(page.text) for one in family.samples]
    return {(one.name, *(value for _, value in sorted(one.labels.items()))): one.value for one in samples}


def test_what_shoppers_do_is_counted_by_locale(tmp_path: Path) -> None:
    shop = measured(tmp_path, ECSCART_LOCALES={"US": {"associate_tag": "lamp-20"}, "DE": {"associate_tag": "lampe-21"}})
    shop.add(LAMP, quantity=2)
    shop.add(LIMITED, quantity=9)
    shop.add(GERMAN, locale="DE")
    shop.client.post("/ecscart/v1/carts/US/handoff", json={"outcome": "left"})
    shop.client.post("/ecscart/v1/carts/US/handoff", json={"outcome": "arrived"})
    said = scrape(shop)
    wanted = {("US", "added"): 5, ("US", "capped"): 1, ("US", "left"): 1, ("US", "arrived"): 1, ("DE", "added"): 1}
    assert {key: said[("ecscart_events_total", *key)] for key in wanted} == wanted
    assert said["ecscart_up", "database"] == 1
    assert not [name for name, *_ in said if name == "ecscart_waiting"]


def test_each_access_key_tells_its_queue_and_its_endpoints(tmp_path: Path) -> None:
    shop = measured(tmp_path, **REMOTE)
    remote = shop.site.remote
    assert remote is not None
    with shop.site.database.transaction():
        remote.front("US").note("ann", "US")
        remote.front("CA").note("bob", "CA")
        remote.accounts[1].queue.put("cem", "DE", 0)
    remote.accounts[1].queue.add("throttled", 3)
    remote.accounts[0].queue.add("orphans")
    said = scrape(shop)
    assert said["ecscart_waiting", "changed", "US+CA"] == 2
    assert said["ecscart_waiting", "leaving", "DE"] == 1
    assert said["ecscart_throttled_total", "DE"] == 3
    assert said["ecscart_orphans_total", "US+CA"] == 1
    assert said["ecscart_transactions_total", "US+CA"] == 0
    assert said["ecscart_dispatching", "DE"] == 0
    assert [said["ecscart_endpoint_up", code] for code in ("US", "CA", "DE")] == [1, 1, 1]
    named = set(re.findall(r"^\\| `(ecscart_\w+)`", PAGE, flags=re.MULTILINE))
    assert {name for name, *_ in said} == named - {"ecscart_events_total"}, "the page's table is complete"


def test_a_database_that_is_away_is_a_number_too(tmp_path: Path) -> None:
    shop = measured(tmp_path, ECSCART_DATABASE_URL="postgresql+psycopg://user:psst@127.0.0.1:1/nothing")
    assert scrape(shop) == {("ecscart_up", "database"): 0}


@pytest.mark.redis
def test_a_redis_that_is_away_is_a_number_too(tmp_path: Path) -> None:
    from tests.support.redis import redis_server

    with redis_server() as redis:
        shop = measured(tmp_path, **REMOTE, ECSCART_REDIS_URL=redis.url)
        assert scrape(shop)["ecscart_up", "shared state"] == 1
    assert scrape(shop) == {("ecscart_up", "database"): 1, ("ecscart_up", "shared state"): 0}


def test_strangers_are_not_told(tmp_path: Path) -> None:
    shop = measured(tmp_path)
    assert shop.client.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 404
