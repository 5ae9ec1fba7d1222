"""A remote ECS service as a source: ItemLookup from the carts' own budget, in the same cache, by the same rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from flask_ecscart.catalog.layers import LayeredCatalog
from flask_ecscart.catalog.lookup import LookupSource
from flask_ecscart.catalog.memory import MemoryCatalog
from flask_ecscart.errors import (
    AccessRefused,
    ECSError,
    InternalError,
    MalformedReply,
    NotSent,
    RequestThrottled,
    TransportError,
)
from flask_ecscart.model import ItemGroup, Offer, Product, ProductPage
from flask_ecscart.service.http import create_app
from flask_ecscart.state.sql import Database
from tests.support.clock import START, FakeClock
from tests.support.shop import LAMP as TEST_LAMP
from tests.support.shop import Shop, products
from tests.support.web import Site
from tests.unit.catalog.conftest import Bench

LAMP, PARENT, CHILD = "B000LAMP01", "B000PARENT", "B000CHILD1"
SOLD = Product(
    locale="US",
    asin=LAMP,
    title="Lamp",
    offers=(
        Offer(offer_listing_id="a%2B1", price=6400, limit=4),
        Offer(offer_listing_id="b%2B2", price=900, seller="Jo"),
    ),
)
OWN = Product(locale="US", asin=LAMP, title="My lamp", image="/l.jpg", offers=(Offer(offer_listing_id=None, limit=2),))


class Client:
    """What `ECSClient.lookup` is, without a wire."""

    def __init__(self, *products: Product) -> None:
        self.products = {product.asin: product for product in products}
        self.calls: list[tuple[str, ...]] = []
        self.problem: ECSError | TransportError | None = None

    def lookup(self, *asins: str, response_groups: Sequence[ItemGroup] = ()) -> ProductPage:
        self.calls.append(asins)
        if self.problem is not None:
            raise self.problem
        return ProductPage(products=tuple(self.products[asin] for asin in asins if asin in self.products))


@pytest.fixture
def client() -> Client:
    return Client(SOLD)


@pytest.fixture
def bench(database: Database, clock: FakeClock, client: Client) -> Bench:
    source = LookupSource({"US": client}, accounts={"US": "key-account"}, clock=clock)
    return Bench(database, clock, source, MemoryCatalog([OWN]))


def test_products_come_with_their_offers_the_time_and_the_source(bench: Bench) -> None:
    product = bench.look(LAMP)[LAMP]
    assert (product.title, product.image) == ("Lamp", "/l.jpg")
    assert [(offer.offer_listing_id, offer.price, offer.source, offer.as_of) for offer in product.offers] == [
        ("a%2B1", 6400, "ecs", START),
        ("b%2B2", 900, "ecs", START),
    ]
    assert product.offers[0].limit == 2, "the owner's limit is the smaller one"


def test_ten_asins_are_one_transaction_and_are_kept_an_hour(bench: Bench, client: Client) -> None:
    asins = [f"B00MANY{n:03d}" for n in range(14)]
    bench.look(*asins)
    bench.look(*asins)
    assert [len(call) for call in client.calls] == [10, 4]
    bench.look(LAMP)
    bench.clock.advance(hours=1)
    client.problem = NotSent("away")
    assert bench.look(LAMP)[LAMP].offers == OWN.offers


def test_transactions_are_taken_from_the_carts_budget(bench: Bench, client: Client) -> None:
    assert bench.fleeting.take_lease("lease:key-account:x", "dispatcher", 60)
    assert bench.fleeting.take_turn("turn:key-account", "lease:key-account:x", "dispatcher", 1.1) == 0.0
    bench.look(LAMP)
    assert bench.pauses == [pytest.approx(1.1)]
    assert bench.fleeting.take_turn("turn:key-account", "lease:key-account:x", "dispatcher", 1.1) == pytest.approx(1.0)


def test_a_parents_variations_are_its_choices_without_another_call(bench: Bench, client: Client) -> None:
    child = Product(locale="US", asin=CHILD, title="Green", offers=(Offer(offer_listing_id=None, price=700),))
    client.products[PARENT] = Product(
        locale="US", asin=PARENT, title="Shirt", kind="variation_parent", variations=(child,)
    )
    product = bench.look(PARENT)[PARENT]
    assert (product.kind, [one.asin for one in product.variations]) == ("variation_parent", [CHILD])
    assert bench.look(CHILD)[CHILD].offers[0].price == 700
    assert client.calls == [(PARENT,)]


@pytest.mark.parametrize(
    ("problem", "state"),
    [
        (RequestThrottled("slow down"), "throttled"),
        (AccessRefused("no"), "unauthorized"),
        (MalformedReply("?"), "unreadable"),
        (NotSent("away"), "unreachable"),
        (InternalError("oh"), "rejected"),
    ],
)
def test_when_the_service_refuses_the_file_is_shown(
    bench: Bench, client: Client, problem: ECSError | TransportError, state: str
) -> None:
    client.problem = problem
    assert bench.look(LAMP)[LAMP] == OWN
    assert bench.state().state == state


def test_a_locale_without_a_client_is_not_asked(bench: Bench, client: Client) -> None:
    assert bench.look(LAMP, locale="DE") == {}
    assert client.calls == []


# --- On the wire -----------------------------------------------------------------------------------------------


def test_a_site_shows_what_the_service_of_its_carts_says(tmp_path: Path, serve: Callable[..., Site]) -> None:
    service = create_app(
        database_url=f"sqlite:///{tmp_path / 'service.db'}",
        catalog=MemoryCatalog(products()),
        keys={"AKIDFORTESTS": "a-secret-for-tests"},
    )
    endpoint = f"{serve(service).url}/onca/xml"
    shop = Shop(
        tmp_path,
        ECSCART_PROVIDER="ecs",
        ECSCART_ACCESS_KEY="AKIDFORTESTS",
        ECSCART_SECRET_KEY="a-secret-for-tests",
        ECSCART_RATE=20,
        ECSCART_CATALOG=None,
        ECSCART_LOCALES={"US": {"associate_tag": "lamp-20", "handoff": "form", "endpoint": endpoint}},
    )
    catalog = shop.site.catalog
    assert isinstance(catalog, LayeredCatalog)
    shown: dict[str, Any] = {}
    for _ in range(100):
        shown = (shop.client.get(f"/ecscart/v1/products/US?asin={TEST_LAMP}").json or {})["products"][TEST_LAMP]
        if "price" in shown:
            break
        catalog.refresher.wait(0.1)
    catalog.close()
    assert (shown["title"], shown["price"]["formatted"]) == ("Test Lamp", "$64.00")
    assert shown["priceAsOf"]
    assert catalog.status()[0].state == "ok"
