"""Asking a slow, limited source: few calls, one process at a time, at the pace allowed, never an error on a page."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests

from flask_ecscart.catalog.cache_queue import Queue, Want
from flask_ecscart.catalog.cache_refresher import Parts, Refresher
from flask_ecscart.catalog.creators import CreatorsSource
from flask_ecscart.catalog.creators_settings import read_credentials
from flask_ecscart.catalog.layers import LayeredCatalog, layered
from flask_ecscart.catalog.memory import MemoryCatalog
from flask_ecscart.model import Offer, Product
from flask_ecscart.state.fleeting_sql import SQLFleeting
from flask_ecscart.state.sql import Database
from tests.support.clock import FakeClock
from tests.support.creators_stand_in import SECRET, StandIn, item, listing
from tests.support.databases import BOTH_DATABASES
from tests.support.web import WorkerSite
from tests.unit.catalog.conftest import TAGS, Bench

LAMP = "B000LAMP01"
OWN = Product(locale="US", asin=LAMP, title="My lamp", offers=(Offer(offer_listing_id=None, limit=5),))
MANY = [f"B00MANY{n:03d}" for n in range(25)]
MakeBench = Callable[..., Bench]


@pytest.fixture
def owned(make_bench: MakeBench, amazon: StandIn) -> Bench:
    """The owner's file has the lamp, and so has Amazon."""
    amazon.sells(item(LAMP, listing(44.00)))
    return make_bench(MemoryCatalog([OWN]))


# --- Few calls -----------------------------------------------------------------------------------------------


@BOTH_DATABASES
def test_at_most_ten_asins_go_into_a_call(bench: Bench, amazon: StandIn) -> None:
    amazon.sells(*[item(asin, listing()) for asin in MANY])
    bench.look(*MANY)
    assert [len(call.asins) for call in amazon.calls] == [10, 10, 5]
    assert sorted(asin for call in amazon.calls for asin in call.asins) == MANY


def test_lookups_of_many_pages_are_folded_into_few_calls(bench: Bench, amazon: StandIn) -> None:
    for asin in MANY:
        bench.catalog.lookup("US", [asin])
        bench.catalog.lookup("US", [asin, MANY[0]])
    bench.work()
    assert len(amazon.calls) == 3


def test_what_comes_in_while_a_turn_is_awaited_goes_into_that_call(bench: Bench, amazon: StandIn) -> None:
    bench.look(MANY[0])
    bench.catalog.lookup("US", [MANY[1]])
    bench.while_pausing = lambda: bench.catalog.lookup("US", [MANY[2]])
    bench.work()
    assert [call.asins for call in amazon.calls] == [[MANY[0]], [MANY[1], MANY[2]]]


def test_looking_again_and_again_asks_once(bench: Bench, amazon: StandIn) -> None:
    amazon.sells(item(LAMP, listing()))
    for _ in range(20):
        bench.look(LAMP)
    assert len(amazon.calls) == 1


def test_each_locale_is_asked_at_its_own_marketplace(make_bench: MakeBench, amazon: StandIn) -> None:
    europe = amazon.settings | {"version": "2.2", "credential_id": "another"}
    credentials = read_credentials({"NA": amazon.settings, "EU": europe}, TAGS)
    bench = make_bench()
    source = CreatorsSource(credentials, TAGS, clock=bench.clock)
    parts = Parts(source, bench.cache, bench.queue, bench.fleeting)
    refresher = Refresher(parts, locales=TAGS, clock=bench.clock, pause=bench._pause, threaded=False)
    refresher.want([Want("US", LAMP), Want("DE", LAMP)])
    refresher.work()
    assert {(call.marketplace, call.body["partnerTag"]) for call in amazon.calls} == {
        ("www.amazon.com", "lamp-20"),
        ("www.amazon.de", "lampe-21"),
    }


# --- At the pace that is allowed, whoever asks -----------------------------------------------------------------


def test_calls_are_a_second_apart(make_bench: MakeBench, amazon: StandIn) -> None:
    bench = make_bench(rate=1.0)
    amazon.sells(item(MANY[0]))
    amazon.variations[MANY[0]] = [item(f"B0CHILD{n:03d}", listing()) for n in range(15)]
    bench.look(*MANY)
    at = bench.source.called_at
    assert len(at) == 5
    assert all((later - earlier).total_seconds() >= 1.0 for earlier, later in pairwise(at))


def test_two_processes_share_one_budget_and_one_cache(make_bench: MakeBench, amazon: StandIn) -> None:
    amazon.sells(item(LAMP, listing(44.00)))
    one, other = make_bench(), make_bench()
    one.look(LAMP)
    other.look(MANY[0])
    assert other.pauses, "the turn the other process took was not counted"
    assert other.catalog.lookup("US", [LAMP])[LAMP].offers[0].price == 4400
    assert len(amazon.calls) == 2


@BOTH_DATABASES
def test_while_one_process_asks_another_only_says_what_it_wants(make_bench: MakeBench, amazon: StandIn) -> None:
    one, other = make_bench(), make_bench()
    assert one.fleeting.take_lease("lease:catalog:creators", "one", 60)
    other.catalog.lookup("US", [LAMP])
    assert other.work() is True
    assert amazon.calls == []
    one.fleeting.drop_lease("lease:catalog:creators", "one")
    one.catalog.lookup("US", [MANY[0]])
    one.work()
    assert [sorted(call.asins) for call in amazon.calls] == [sorted([LAMP, MANY[0]])]
    assert other.work() is False


def test_when_the_one_that_asks_dies_another_takes_over(bench: Bench, amazon: StandIn) -> None:
    assert bench.fleeting.take_lease("lease:catalog:creators", "dead", 60)
    bench.catalog.lookup("US", [LAMP])
    assert bench.work() is True
    bench.clock.advance(seconds=61)
    assert bench.work() is False
    assert len(amazon.calls) == 1


def test_invented_asins_wait_behind_those_of_the_owner_and_of_carts(owned: Bench, amazon: StandIn) -> None:
    owned.catalog.lookup("US", MANY)
    owned.catalog.at_once.lookup("US", ["B000INCART"])
    owned.catalog.lookup("US", [LAMP])
    owned.work()
    assert set(amazon.calls[0].asins) >= {LAMP, "B000INCART"}


def test_invented_asins_never_fill_the_queue(database: Database, clock: FakeClock) -> None:
    queue = Queue(database, "creators", max_waiting=10)
    made_up = [Want("US", f"B00MADE{n:03d}", stranger=True) for n in range(50)]
    assert queue.put(made_up, clock()) == 45
    assert queue.put([Want("US", asin) for asin in MANY[:5]], clock()) == 0
    assert queue.put([Want("US", asin) for asin in MANY[5:10]], clock()) == 5
    assert queue.waiting("US") == 10


def test_what_nobody_looks_at_any_more_is_not_asked_for(bench: Bench, amazon: StandIn) -> None:
    amazon.fails(403)
    bench.look(LAMP)
    assert bench.queue.waiting("US") == 1
    bench.clock.advance(minutes=6)
    bench.work()
    assert bench.queue.waiting("US") == 0


# --- Bad days --------------------------------------------------------------------------------------------------

BAD_DAYS = [
    (400, "InvalidPartnerTag", "rejected", "InvalidPartnerTag"),
    (400, "InvalidAssociate", "rejected", "InvalidAssociate"),
    (401, "TokenExpired", "unauthorized", "TokenExpired"),
    (403, "AssociateNotEligible", "refused", "AssociateNotEligible"),
    (429, "Other", "throttled", "Other"),
    (500, "Other", "unreachable", "Other"),
    (503, "Other", "unreachable", "Other"),
]


@pytest.mark.parametrize(("status", "reason", "state", "detail"), BAD_DAYS)
def test_when_amazon_refuses_the_file_is_shown_and_the_status_says_why(
    owned: Bench, amazon: StandIn, status: int, reason: str, state: str, detail: str
) -> None:
    amazon.fails(status, reason)
    assert owned.look(LAMP)[LAMP] == OWN
    told = owned.state()
    assert (told.state, told.detail) == (state, detail)
    assert told.until > owned.clock()
    assert told.advice


GARBAGE = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b'{"itemsResult": []}',
    b'{"itemsResult": {"items": [{"asin": 5}]}}',
    b'{"itemsResult": {"items": [{"asin": "B000LAMP01", "offersV2": {"listings": [{"price": "12"}]}}]}}',
    b"\xff\xfe\x00garbage",
    b'{"a":' * 3000,
]


@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
@pytest.mark.parametrize("content_type", ["application/json", "text/html"])
def test_garbage_is_not_shown_and_hurts_nobody(owned: Bench, amazon: StandIn, body: bytes, content_type: str) -> None:
    amazon.answers(body, content_type)
    assert owned.look(LAMP)[LAMP] == OWN
    assert owned.state().state in {"unreadable", "ok"}  # null is an answer: nothing is known


def test_an_outage_is_told_as_one(make_bench: MakeBench, amazon: StandIn) -> None:
    bench = make_bench(MemoryCatalog([OWN]), host="http://127.0.0.1:9")
    assert bench.look(LAMP)[LAMP] == OWN
    assert bench.state().state == "unreachable"


@pytest.mark.parametrize("where", ["http://127.0.0.1:9/oauth2/token", "http://creators.invalid/oauth2/token"])
def test_an_outage_of_the_token_endpoint_is_told_as_one(make_bench: MakeBench, amazon: StandIn, where: str) -> None:
    bench = make_bench(MemoryCatalog([OWN]), auth_endpoint=where)
    assert bench.look(LAMP)[LAMP] == OWN
    assert (bench.state().state, bench.state().detail) == ("unreachable", "token")


def test_a_credential_that_is_not_accepted_is_told_without_being_told(
    make_bench: MakeBench, amazon: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = SECRET + "-mistyped"
    bench = make_bench(MemoryCatalog([OWN]), credential_secret=wrong)
    with caplog.at_level(logging.DEBUG):
        assert bench.look(LAMP)[LAMP] == OWN
    assert bench.state().state == "unauthorized"
    seen = caplog.text + repr(bench.catalog.status()) + repr(bench.source)
    assert "unauthorized" in seen
    assert SECRET not in seen


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
def test_nothing_is_asked_while_the_source_rests_and_then_all_is_well_again(
    owned: Bench, amazon: StandIn, status: int
) -> None:
    amazon.fails(status)
    owned.look(LAMP)
    before = len(amazon.calls)
    amazon.recovers()
    until = owned.state().until
    for _ in range(5):
        owned.look(LAMP)
    assert len(amazon.calls) == before
    owned.clock.now = until
    assert owned.look(LAMP)[LAMP].offers[0].price == 4400
    assert (owned.state().state, owned.state().until, owned.state().advice) == ("ok", None, "")


def test_rests_grow_while_it_stays_bad(owned: Bench, amazon: StandIn) -> None:
    amazon.fails(503)
    rests = []
    for _ in range(7):
        owned.look(LAMP)
        rests.append(round((owned.state().until - owned.clock()).total_seconds()))
        owned.clock.now = owned.state().until
    assert rests == [15, 30, 60, 120, 240, 300, 300]


def test_retry_after_is_obeyed(owned: Bench, amazon: StandIn) -> None:
    amazon.fails(429, Retry_After="120")
    owned.look(LAMP)
    assert 119 <= (owned.state().until - owned.clock()).total_seconds() <= 120


def test_a_token_that_was_taken_back_is_replaced_at_once(owned: Bench, amazon: StandIn) -> None:
    amazon.fails(401, "TokenExpired", times=1)
    assert owned.look(LAMP)[LAMP].offers[0].price == 4400
    assert (len(amazon.calls), len(amazon.tokens)) == (2, 2)


def test_one_unreadable_product_does_not_take_the_others_along(bench: Bench, amazon: StandIn) -> None:
    amazon.sells(*[item(asin, listing()) for asin in MANY[:10]])
    amazon.items[MANY[3]]["offersV2"]["listings"][0]["availability"] = "soon"
    found = bench.look(*MANY[:10])
    priced = [asin for asin in MANY[:10] if found[asin].offers[0].price]
    if len(priced) < 9:  # the unreadable one rested before the last ones had their turn
        bench.clock.now = bench.state().until
        bench.work()
        found = bench.catalog.lookup("US", MANY[:10])
        priced = [asin for asin in MANY[:10] if found[asin].offers[0].price]
    assert priced == [asin for asin in MANY[:10] if asin != MANY[3]]


def test_a_locale_of_another_region_has_no_credential_and_is_never_asked(bench: Bench, amazon: StandIn) -> None:
    assert bench.look(LAMP, locale="DE")[LAMP].title == f"Item {LAMP}"
    assert bench.state("DE").state == "no_credential"
    assert bench.state("DE").advice
    assert amazon.calls == []


def test_when_the_database_is_away_the_file_is_shown(owned: Bench, database: Database) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql("DROP TABLE ecscart_catalog_items")
    assert owned.catalog.lookup("US", [LAMP]) == {LAMP: OWN}


# --- A page never waits long -----------------------------------------------------------------------------------


@pytest.fixture
def living(database: Database, amazon: StandIn, closing: ExitStack) -> LayeredCatalog:
    """The catalog as a site has it: real time, a thread that asks."""
    from flask_ecscart.catalog.cache import ProductCache

    amazon.sells(item(LAMP, listing(44.00)))
    source = CreatorsSource(read_credentials(amazon.settings | {"rate": 10}, TAGS), TAGS)
    cache = ProductCache(database, "creators")
    refresher = Refresher(Parts(source, cache, Queue(database, "creators"), SQLFleeting(database)), locales=TAGS)
    catalog = layered(MemoryCatalog([OWN]), cache, refresher)
    closing.callback(catalog.close)
    import flask_ecscart.catalog.creators_client as warm

    assert warm.RESOURCES  # importing the SDK takes longer than a page may wait
    return catalog


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


def test_a_page_waits_a_moment_for_what_was_never_seen(living: LayeredCatalog) -> None:
    began = time.monotonic()
    price = living.lookup("US", [LAMP])[LAMP].offers[0].price
    if price is None:  # a machine under load: then the next view has it
        assert time.monotonic() - began < 0.6
        until(lambda: living.lookup("US", [LAMP])[LAMP].offers[0].price == 4400)


def test_a_page_does_not_wait_for_an_amazon_that_does_not_answer(living: LayeredCatalog, amazon: StandIn) -> None:
    amazon.answering.clear()
    began = time.monotonic()
    assert living.lookup("US", [LAMP]) == {LAMP: OWN}
    assert 0.25 < time.monotonic() - began < 0.6
    for number in range(3):  # nor once more for each further cart it shows
        living.lookup("US", [f"B00000000{number}"])
    assert time.monotonic() - began < 0.7
    amazon.answering.set()
    until(lambda: living.lookup("US", [LAMP])[LAMP].offers[0].price == 4400)


def test_the_cart_service_does_not_wait_at_all(living: LayeredCatalog, amazon: StandIn, database: Database) -> None:
    amazon.answering.clear()
    began = time.monotonic()
    with database.transaction():
        assert living.at_once.lookup("US", [LAMP]) == {LAMP: OWN}
    assert time.monotonic() - began < 0.2


def test_only_a_few_threads_of_a_process_wait_at_the_same_time(living: LayeredCatalog, amazon: StandIn) -> None:
    amazon.answering.clear()
    took: list[float] = []

    def view(number: int) -> None:
        began = time.monotonic()
        living.lookup("US", [f"B0000000{number:02d}"])
        took.append(time.monotonic() - began)

    views = [Thread(target=view, args=(number,)) for number in range(12)]
    for thread in views:
        thread.start()
    for thread in views:
        thread.join()
    assert sum(seconds > 0.25 for seconds in took) <= 4
    assert max(took) < 1.0


def test_many_views_at_once_are_few_calls(living: LayeredCatalog, amazon: StandIn) -> None:
    amazon.sells(*[item(asin, listing(1.00)) for asin in MANY])
    views = [Thread(target=living.lookup, args=("US", [asin, LAMP])) for asin in MANY for _ in range(2)]
    for thread in views:
        thread.start()
    for thread in views:
        thread.join()

    def all_known() -> bool:
        found = living.lookup("US", MANY)
        return len(found) == len(MANY) and all(product.offers[0].price for product in found.values())

    until(all_known)
    assert len(amazon.calls) <= 6


FORKED = """
import os, sys, time
from flask_ecscart.catalog.choose import Means, choose_catalog
from flask_ecscart.clock import utc_now
from flask_ecscart.state.fleeting_sql import SQLFleeting
from flask_ecscart.state.sql import Database

url, amazon, secret = sys.argv[1:]
database = Database(url)
creators = {"credential_id": "an-id-for-tests", "credential_secret": secret, "version": "2.1", "rate": 10,
            "host": amazon, "auth_endpoint": amazon + "/oauth2/token"}
catalog = choose_catalog({"creators": creators}, Means(database, SQLFleeting(database), {"US": "lamp-20"}, utc_now))
children = []
for asin in ("B000LAMP01", "B000MUGS01"):
    child = os.fork()
    children.append(child)
    if child == 0:
        deadline, price = time.monotonic() + 20, None
        while price is None and time.monotonic() < deadline:
            price = catalog.lookup("US", [asin])[asin].offers[0].price
            time.sleep(0.02)
        print(asin, price, flush=True)
        catalog.close()
        os._exit(0)
for child in children:
    os.waitpid(child, 0)
"""


def test_a_catalog_made_before_a_fork_asks_in_every_child(amazon: StandIn, tmp_database_url: str) -> None:
    amazon.sells(item(LAMP, listing(44.00)), item("B000MUGS01", listing(3.00)))
    command = [sys.executable, "-c", FORKED, tmp_database_url, amazon.url, SECRET]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert sorted(told.stdout.split("\n")) == ["", "B000LAMP01 4400", "B000MUGS01 300"]


def test_worker_processes_share_the_calls(
    amazon: StandIn, serve_processes: Callable[..., WorkerSite], tmp_path: Path
) -> None:
    amazon.sells(*[item(asin, listing(5.00)) for asin in MANY])
    amazon.spacing = 0.2
    catalog = {"creators": amazon.settings | {"rate": 5}}
    env = {"SHOP_FOLDER": str(tmp_path), "ECSCART_CATALOG": json.dumps(catalog)}
    site = serve_processes("tests.support.shop:create_app()", workers=2, env=env)

    def view(asin: str) -> dict[str, Any]:
        answer = requests.get(f"{site.url}/ecscart/v1/products/US", params={"asin": asin}, timeout=10)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["products"][asin])

    views = [Thread(target=view, args=(asin,)) for asin in MANY for _ in range(2)]
    for thread in views:
        thread.start()
    for thread in views:
        thread.join()
    until(lambda: all((view(asin).get("price") or {}).get("amount") == 500 for asin in MANY), seconds=20)
    assert len(amazon.calls) <= 8
    apart = [later.at - earlier.at for earlier, later in pairwise(amazon.calls)]
    assert min(apart) >= 0.2
    assert "Traceback" not in site.log
