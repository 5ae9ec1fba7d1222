"""The life of a cart as its owner sees it over HTTP, REST and SOAP alike, with a clock that is moved."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_ecscart.catalog.file import MemoryCatalog
from flask_ecscart.service.engine import CartService
from flask_ecscart.state.sql import Database
from tests.support.clock import FakeClock
from tests.unit.service.asking import ONE, Reply, ask
from tests.unit.service.shop import BOOK, DVD, product
from tests.unit.service.test_soap import areas, envelope, operation, send

EXPIRED = ["AWS.ECommerceService.InvalidCartId"]
Call = Callable[..., Reply]


@pytest.fixture(params=["rest", "soap"])
def call(request: pytest.FixtureRequest, web: FlaskClient) -> Call:
    """`call("CartAdd", ids, Items=[…])`: one request by REST or by SOAP."""

    def by_rest(name: str, ids: dict[str, str] | None = None, items: list[dict[str, str]] | None = None) -> Reply:
        lines = {f"Item.{n}.{field}": text for n, item in enumerate(items or [], 1) for field, text in item.items()}
        return Reply(ask(web, name, parameters={**(ids or {}), **lines}))

    def by_soap(name: str, ids: dict[str, str] | None = None, items: list[dict[str, str]] | None = None) -> Reply:
        def written(fields: dict[str, str]) -> str:
            return "".join(f"<{field}>{text}</{field}>" for field, text in fields.items())

        lines = "".join(f"<Item>{written(item)}</Item>" for item in items or [])
        return Reply(send(web, envelope(operation(name, f"{written(ids or {})}<Items>{lines}</Items>"))))

    return by_rest if request.param == "rest" else by_soap


BOOKS = [{"ASIN": BOOK, "Quantity": "1"}]
DVDS = [{"ASIN": DVD, "Quantity": "1"}]


@pytest.mark.parametrize(("emptied", "days"), [(False, 90), (True, 7)])
def test_a_cart_answers_for_90_days_with_items_and_7_without(
    call: Call, clock: FakeClock, emptied: bool, days: int
) -> None:
    ids = call("CartCreate", items=BOOKS).ids()
    if emptied:
        assert call("CartClear", ids).codes == []
    clock.advance(days=days, seconds=-1)
    assert call("CartGet", ids).codes == []
    clock.advance(seconds=1)
    for name, items in (("CartGet", None), ("CartAdd", DVDS), ("CartClear", None)):
        reply = call(name, ids, items)
        assert (reply.codes, areas(reply), reply.all("PurchaseURL")) == (EXPIRED, {}, [])


def test_every_change_gives_90_more_days_and_looking_gives_none(call: Call, clock: FakeClock) -> None:
    made = call("CartCreate", items=BOOKS)
    ids = made.ids()
    clock.advance(days=89)
    assert call("CartAdd", ids, DVDS).codes == []
    clock.advance(days=89)
    change = [{"CartItemId": made.text("CartItemId") or "", "Quantity": "3"}]
    assert areas(call("CartModify", ids, change)) == {f"CartItem {DVD}": "1", f"CartItem {BOOK}": "3"}
    clock.advance(days=89)
    assert len(areas(call("CartGet", ids))) == 2
    clock.advance(days=1)
    assert call("CartGet", ids).codes == EXPIRED


def test_a_cleared_cart_that_is_filled_again_lives_90_days(call: Call, clock: FakeClock) -> None:
    ids = call("CartCreate", items=BOOKS).ids()
    call("CartClear", ids)
    clock.advance(days=6)
    assert areas(call("CartAdd", ids, DVDS)) == {f"CartItem {DVD}": "1"}
    clock.advance(days=89)
    assert areas(call("CartGet", ids)) == {f"CartItem {DVD}": "1"}


def test_a_line_leaves_and_comes_back_as_the_product_does(call: Call, catalog: MemoryCatalog) -> None:
    made = call("CartCreate", items=[*BOOKS, *DVDS])
    ids = made.ids()
    before = catalog_product = product(DVD, 1099)
    offer = msgspec.structs.replace(before.offers[0], availability="out_of_stock")
    catalog.put(msgspec.structs.replace(catalog_product, offers=(offer,)))
    assert areas(call("CartGet", ids)) == {f"CartItem {BOOK}": "1", f"SavedForLaterItem {DVD}": "1"}
    catalog.put(before)
    assert areas(call("CartGet", ids)) == {f"CartItem {BOOK}": "1", f"CartItem {DVD}": "1"}


def test_what_the_shopper_saved_stays_saved_whatever_the_product_does(call: Call, catalog: MemoryCatalog) -> None:
    made = call("CartCreate", items=DVDS)
    save = [{"CartItemId": made.text("CartItemId") or "", "Action": "SaveForLater"}]
    assert areas(call("CartModify", made.ids(), save)) == {f"SavedForLaterItem {DVD}": "1"}
    catalog.put(product(DVD, availability="out_of_stock"))
    catalog.put(product(DVD, 1099))
    assert areas(call("CartGet", made.ids())) == {f"SavedForLaterItem {DVD}": "1"}


def test_visiting_the_purchase_url_takes_both_areas_along_and_ends_the_cart(
    new_app: Callable[..., Flask], clock: FakeClock
) -> None:
    web = new_app(retail_base="http://shop.example").test_client()
    made = Reply(ask(web, parameters={**ONE, "Item.2.ASIN": DVD, "Item.2.Quantity": "1"}))
    first = made.text("CartItemId") or ""
    save = {**made.ids(), "Item.1.CartItemId": first, "Item.1.Action": "SaveForLater"}
    saved = Reply(ask(web, "CartModify", parameters=save))
    assert areas(saved) == {f"CartItem {DVD}": "1", f"SavedForLaterItem {BOOK}": "1"}
    url = urlsplit(saved.text("PurchaseURL") or "")
    clock.advance(days=89)
    visit = f"{url.path}?{url.query}"
    arrived = web.get(visit)
    assert (arrived.status_code, BOOK in arrived.text, DVD in arrived.text) == (200, True, True)
    for name in ("CartGet", "CartClear"):
        assert Reply(ask(web, name, parameters=made.ids())).codes == EXPIRED
    assert Reply(ask(web, "CartAdd", parameters={**made.ids(), **ONE})).codes == EXPIRED
    assert web.get(visit).status_code == 410


def test_an_expired_cart_cannot_be_bought(new_app: Callable[..., Flask], clock: FakeClock) -> None:
    web = new_app(retail_base="http://shop.example").test_client()
    url = urlsplit(Reply(ask(web)).text("PurchaseURL") or "")
    clock.advance(days=90)
    visited = web.get(f"{url.path}?{url.query}")
    assert (visited.status_code, BOOK in visited.text) == (410, False)


def test_purging_changes_no_answer(call: Call, database: Database, catalog: MemoryCatalog, clock: FakeClock) -> None:
    dead, emptied = call("CartCreate", items=BOOKS).ids(), call("CartCreate", items=BOOKS).ids()
    clock.advance(days=84)
    call("CartClear", emptied)
    alive = call("CartCreate", items=BOOKS).ids()
    clock.advance(days=6)
    before = [call("CartGet", ids).codes for ids in (dead, emptied, alive)]
    assert CartService(database, catalog, clock=clock).purge() == 1
    assert [call("CartGet", ids).codes for ids in (dead, emptied, alive)] == before == [EXPIRED, [], []]
    clock.advance(days=1)
    assert CartService(database, catalog, clock=clock).purge() == 1
    assert [call("CartGet", ids).codes for ids in (dead, emptied, alive)] == [EXPIRED, EXPIRED, []]
