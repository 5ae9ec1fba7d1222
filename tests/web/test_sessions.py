"""Shopper sessions: nothing is written by a read, nothing lost between workers, nothing but JSON is read."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from flask_ecscart.sessions import shopper_id
from tests.support.databases import BOTH_DATABASES
from tests.support.shop import GERMAN, LAMP, MUG, Shop
from tests.support.web import WorkerSite


def stored(shop: Shop) -> list[tuple[Any, ...]]:
    with shop.site.database.reading() as connection:
        return [tuple(row) for row in connection.exec_driver_sql("SELECT id, data, expires FROM ecscart_sessions")]


def test_reading_writes_nothing(shop: Shop) -> None:
    shop.add(LAMP)
    before = stored(shop)
    with shop.site.database.reading() as connection:
        changes = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
        for _ in range(3):
            shop.client.get("/ecscart/v1/carts")
            shop.client.get("/ecscart/v1/carts/US")
            shop.client.get("/ecscart/cart")
    with shop.site.database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA data_version").scalar_one() == changes
    assert stored(shop) == before


def test_looking_around_without_a_cart_stores_no_shopper(shop: Shop) -> None:
    shop.client.get("/ecscart/v1/carts")
    shop.client.post("/ecscart/v1/shopper")
    shop.add("B0TESTNONE")
    shop.add(LAMP, quantity=0)
    shop.site.sessions.read(shopper_id("somebody"))
    assert stored(shop) == []


def test_a_session_holds_no_price_and_no_title_and_is_json(shop: Shop) -> None:
    shop.add(LAMP, MUG)
    [(id_, data, _)] = stored(shop)
    assert len(id_) == 64
    assert json.loads(data)["carts"]["US"]["lines"][0]["asin"] == LAMP
    assert b"64.00" not in data
    assert b"Test Lamp" not in data


def test_the_stored_id_is_not_what_the_browser_sends(shop: Shop) -> None:
    shop.add(LAMP)
    cookie = shop.client.get_cookie("ecscart", path="/ecscart")
    assert cookie is not None
    assert stored(shop)[0][0] not in cookie.value


def test_a_pickle_in_the_store_is_never_run(shop: Shop, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "boom",))

    shop.add(LAMP)
    with shop.site.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE ecscart_sessions SET data = ?", (pickle.dumps(Bomb()),))
    shop.client.get("/ecscart/v1/carts")
    with pytest.raises(msgspec.DecodeError):
        shop.site.sessions.read(stored(shop)[0][0])
    assert not (tmp_path / "boom").exists()


def test_a_change_that_raises_leaves_the_session_as_it_was(shop: Shop) -> None:
    shop.add(LAMP)
    before = stored(shop)

    def empty_it_and_fail() -> None:
        with shop.site.sessions.exclusive(before[0][0]) as kept:
            kept.wish("US").lines.clear()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        empty_it_and_fail()
    assert stored(shop) == before


@BOTH_DATABASES
def test_changes_from_many_threads_are_all_kept(make_shop: Callable[..., Shop], tmp_database_url: str) -> None:
    shop = make_shop(ECSCART_DATABASE_URL=tmp_database_url)
    shop.add(LAMP)
    cookie = shop.client.get_cookie("ecscart", path="/ecscart")
    assert cookie is not None

    def add_one(_: int) -> int:
        client = shop.new_shopper()
        client.set_cookie("ecscart", cookie.value, path="/ecscart")
        return client.post("/ecscart/v1/carts/US/items", json={"items": [{"asin": LAMP}]}).status_code

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(add_one, range(24))) == [200] * 24
    assert shop.held() == {LAMP: 25}


@pytest.mark.parametrize("attempt", range(5))
def test_two_first_adds_on_two_worker_processes_meet_in_one_cart(
    serve_processes: Callable[..., WorkerSite], tmp_path: Path, attempt: int
) -> None:
    site = serve_processes("tests.support.shop:create_app()", workers=2, env={"SHOP_FOLDER": str(tmp_path)})
    api = f"{site.url}/ecscart/v1"
    session = requests.Session()
    session.post(f"{api}/shopper", timeout=10).raise_for_status()
    cookie = session.cookies.get("ecscart")
    assert cookie is not None

    def first_add(asin: str) -> dict[str, Any]:
        answer = requests.post(
            f"{api}/carts/US/items",
            json={"items": [{"asin": asin}]},
            headers={"Cookie": f"ecscart={cookie}", "Connection": "close"},
            timeout=10,
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(first_add, [LAMP, MUG]))
    cart = session.get(f"{api}/carts/US", timeout=10).json()
    assert {item["asin"]: item["quantity"] for item in cart["items"]} == {LAMP: 1, MUG: 1}
    shop = Shop(tmp_path)
    with shop.site.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM ecscart_remote_carts").scalar_one() == 1
    shop.site.database.close()


def test_each_locale_of_a_shopper_keeps_its_own_reference(shop: Shop) -> None:
    shop.add(LAMP)
    shop.add(GERMAN, locale="DE")
    carts = json.loads(stored(shop)[0][1])["carts"]
    assert carts["US"]["ref"]["cart_id"] != carts["DE"]["ref"]["cart_id"]
    assert (carts["US"]["ref"]["associate_tag"], carts["DE"]["ref"]["associate_tag"]) == ("lamp-20", "lampe-21")


def test_the_host_can_rotate_its_secret_key(make_shop: Callable[..., Shop], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'rotated.db'}"
    old = make_shop(ECSCART_DATABASE_URL=url, SECRET_KEY="the-old-secret")
    old.add(LAMP, quantity=2)
    cookie = old.client.get_cookie("ecscart", path="/ecscart")
    assert cookie is not None
    new = make_shop(ECSCART_DATABASE_URL=url, SECRET_KEY="the-new-secret", SECRET_KEY_FALLBACKS=["the-old-secret"])
    new.client.set_cookie("ecscart", cookie.value, path="/ecscart")
    assert new.held() == {LAMP: 2}
