"""Every access key has a budget of its own: in real workers, one per locale and one per site of a process."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import requests

from tests.faults.town import Town, gaps
from tests.faults.two_sites import FACTORY
from tests.support.remote_shop import ACCESS_KEY, OTHER_KEYS, SECRET_KEY
from tests.support.shop import GERMAN, LAMP
from tests.support.web import WorkerSite

_CARTS = (("127.0.0.1", "US", LAMP), ("127.0.0.1", "DE", GERMAN), ("localhost", "US", LAMP))


def test_each_locale_and_each_site_of_a_process_sends_at_the_pace_of_its_own_key(
    tmp_path: Path, serve_processes: Callable[..., WorkerSite]
) -> None:
    here = Town(serve_processes, tmp_path, {"REMOTE_RATE": "4"}, site=FACTORY)
    waiting = {}
    for name, locale, asin in _CARTS * 3:
        shopper = requests.Session()
        shopper.trust_env = False
        url = f"http://{name}:{here.site.port}/ecscart/v1/carts/{locale}"
        body = {"items": [{"asin": asin, "quantity": 2}]}
        shopper.post(f"{url}/items", json=body, timeout=10).raise_for_status()
        waiting[shopper] = (url, asin)
    began = time.monotonic()
    for shopper, (url, asin) in waiting.items():
        while (cart := shopper.get(url, timeout=10).json())["pending"]:
            assert time.monotonic() - began < 30, cart
            time.sleep(0.1)
        assert {item["asin"]: item["quantity"] for item in cart["items"]} == {asin: 2}
    assert all(status == 200 for _, _, status in here.calls()), "a key was used beyond its rate, or the wrong one"
    spans = {}
    for key in (ACCESS_KEY, *OTHER_KEYS):
        calls = here.calls_of(key)
        assert [operation for _, operation, _ in calls].count("CartCreate") == 3
        assert "ItemLookup" in {operation for _, operation, _ in calls}, "products are paid by the key of their carts"
        assert min(gaps(calls)) >= 0.99 / 4
        spans[key] = (calls[0][0], calls[-1][0])
    assert max(first for first, _ in spans.values()) < min(last for _, last in spans.values()), "they took turns"
    for secret in (SECRET_KEY, *OTHER_KEYS.values()):
        assert secret not in here.site.log
