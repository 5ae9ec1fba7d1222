"""The owner's word with Amazon's laid over it: what is shown while it is fresh, and what when it is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from flask_ecscart.catalog import BrowsableCatalog
from flask_ecscart.catalog.memory import MemoryCatalog
from flask_ecscart.model import Offer, Product
from flask_ecscart.state.sql import Database
from tests.support.clock import FakeClock
from tests.support.creators_stand_in import StandIn, item, listing
from tests.support.databases import BOTH_DATABASES
from tests.unit.catalog.conftest import Bench

LAMP, MUG, PARENT, GREEN, RED = "B000LAMP01", "B000MUGS01", "B000PARENT", "B000GREEN1", "B0000RED01"
OWN = Product(
    locale="US",
    asin=LAMP,
    title="My lamp",
    url="/posts/lamp",
    image="/static/lamp.jpg",
    product_group="Home",
    offers=(
        Offer(offer_listing_id="mine%2B1", price=5000, limit=5, seller="Jo", seller_id="A2JO"),
        Offer(offer_listing_id="used%2B1", price=400, seller="Used", seller_id="A3USED"),
    ),
)
MakeBench = Callable[..., Bench]


@pytest.fixture
def owned(make_bench: MakeBench, amazon: StandIn) -> Bench:
    """The owner's file has the lamp, and so has Amazon."""
    amazon.sells(item(LAMP, listing(44.00), title="Amazon's lamp"))
    return make_bench(MemoryCatalog([OWN]))


def shown(bench: Bench, asin: str = LAMP) -> Product:
    found = bench.catalog.lookup("US", [asin])[asin]
    assert isinstance(found, Product)
    return found


# --- Laying over ---------------------------------------------------------------------------------------------


@BOTH_DATABASES
def test_before_amazon_has_answered_the_owners_file_is_shown(owned: Bench) -> None:
    assert shown(owned) == OWN
    owned.work()
    assert shown(owned).title == "Amazon's lamp"


def test_amazons_price_stands_on_the_offer_the_owners_carts_know(owned: Bench) -> None:
    owned.look(LAMP)
    first, second = shown(owned).offers
    assert (first.offer_listing_id, first.seller_id, first.price) == ("mine%2B1", "A2JO", 4400)
    assert (first.source, first.as_of) == ("creators", owned.clock())
    assert second == OWN.offers[1]
    assert shown(owned).product_group == "Home"


@pytest.mark.parametrize(("most", "limit"), [(30, 5), (2, 2)])
def test_the_smaller_limit_counts(owned: Bench, amazon: StandIn, most: int, limit: int) -> None:
    amazon.sells(item(LAMP, listing(availability={"type": "IN_STOCK", "maxOrderQuantity": most})))
    assert owned.look(LAMP)[LAMP].offers[0].limit == limit


def test_an_offer_listing_id_of_the_owners_buys_at_amazons_limit(owned: Bench, amazon: StandIn) -> None:
    amazon.sells(item(LAMP, listing(availability={"type": "IN_STOCK", "maxOrderQuantity": 2})))
    owned.look(LAMP)
    found = owned.catalog.offer("US", "mine+1")
    assert found is not None
    assert (found[0].title, found[1].limit) == (f"Amazon's {LAMP}", 2)
    assert owned.catalog.offer("US", "nobodys") is None


def test_an_asin_the_owner_does_not_have_is_amazons_alone(owned: Bench, amazon: StandIn) -> None:
    amazon.sells(item(MUG, listing(3.00)))
    assert owned.look(MUG)[MUG].offers[0].price == 300


def test_layers_over_a_file_can_be_walked_through_like_the_file(owned: Bench, bench: Bench) -> None:
    assert isinstance(owned.catalog, BrowsableCatalog)
    assert isinstance(owned.catalog.at_once, BrowsableCatalog)
    assert list(owned.catalog) == [OWN]
    assert not isinstance(bench.catalog, BrowsableCatalog)


# --- As long as it may be shown ------------------------------------------------------------------------------


def test_a_price_is_gone_after_an_hour_and_the_product_still_there(owned: Bench, amazon: StandIn) -> None:
    owned.look(LAMP)
    amazon.fails(500)
    owned.clock.advance(minutes=59)
    assert shown(owned).offers[0].price == 4400
    owned.clock.advance(minutes=1)
    product = shown(owned)
    assert product.title == "Amazon's lamp"
    assert product.offers == OWN.offers


def test_without_a_file_an_hour_old_product_can_still_be_bought_without_a_price(bench: Bench, amazon: StandIn) -> None:
    amazon.sells(item(LAMP, listing(44.00)))
    bench.look(LAMP)
    bench.clock.advance(hours=2)
    assert shown(bench).offers == (Offer(offer_listing_id=None),)


def test_titles_and_pictures_are_gone_after_a_day(owned: Bench, amazon: StandIn) -> None:
    owned.look(LAMP)
    amazon.fails(403, "AssociateNotEligible")
    owned.clock.advance(hours=23, minutes=59)
    assert shown(owned).title == "Amazon's lamp"
    owned.clock.advance(minutes=1)
    assert shown(owned) == OWN


def test_what_may_no_longer_be_shown_is_not_kept_either(owned: Bench, database: Database) -> None:
    owned.look(LAMP)
    kept = "SELECT count(content), count(offers) FROM ecscart_catalog_items"

    def rows() -> tuple[int, ...]:
        with database.reading() as connection:
            return tuple(connection.exec_driver_sql(kept).one())

    assert rows() == (1, 1)
    owned.cache.prune(owned.clock.advance(hours=1))
    assert rows() == (1, 0)
    owned.cache.prune(owned.clock.advance(hours=23))
    assert rows() == (0, 0)


def test_a_clock_that_was_set_back_makes_nothing_fresh_for_ever(owned: Bench) -> None:
    owned.look(LAMP)
    owned.clock.advance(hours=-5)
    assert shown(owned) == OWN


def test_prices_are_asked_for_again_before_they_are_gone(owned: Bench, amazon: StandIn) -> None:
    owned.look(LAMP)
    owned.clock.advance(minutes=44)
    owned.look(LAMP)
    assert len(amazon.calls) == 1
    owned.clock.advance(minutes=2)
    amazon.sells(item(LAMP, listing(45.00)))
    assert shown(owned).offers[0].price == 4400
    owned.work()
    assert shown(owned).offers[0].price == 4500
    assert len(amazon.calls) == 2


def test_the_table_stays_within_its_bound(database: Database, clock: FakeClock, make_bench: MakeBench) -> None:
    from flask_ecscart.catalog.cache import ProductCache

    small = ProductCache(database, "creators", max_rows=3)
    for number in range(5):
        asin = f"B00000000{number}"
        small.store("US", [asin], {asin: msgspec.structs.replace(OWN, asin=asin)}, clock.advance(seconds=1))
    small.prune(clock())
    kept = small.read("US", [f"B00000000{number}" for number in range(5)], clock())
    assert sorted(kept) == ["B000000002", "B000000003", "B000000004"]


# --- What Amazon does not know -------------------------------------------------------------------------------


def test_a_partial_answer_is_told_apart_from_what_was_asked(owned: Bench, amazon: StandIn) -> None:
    found = owned.look(LAMP, MUG)
    assert set(found) == {LAMP}
    assert owned.state().unknown == (MUG,)


def test_an_asin_amazon_does_not_know_is_not_asked_for_again_today(owned: Bench, amazon: StandIn) -> None:
    owned.look(MUG)
    owned.clock.advance(hours=11)
    owned.look(MUG)
    assert len(amazon.calls) == 1
    owned.clock.advance(hours=2)
    owned.look(MUG)
    assert len(amazon.calls) == 2


def test_a_dead_asin_in_the_owners_file_keeps_the_owners_word(owned: Bench, amazon: StandIn) -> None:
    amazon.items.clear()
    assert owned.look(LAMP)[LAMP] == OWN
    assert owned.state().unknown == (LAMP,)


def test_items_nobody_asked_for_are_not_taken(owned: Bench, amazon: StandIn) -> None:
    amazon.items[LAMP] = item(MUG, listing())
    owned.look(LAMP)
    assert owned.catalog.lookup("US", [MUG]) == {}


@pytest.mark.parametrize("asin", ["lamp", "B000LAMP0", "B000LAMP01X", "b000lamp01", "B000 LAMP1", "ＢB00LAMP01"])
def test_what_is_no_asin_costs_no_call(bench: Bench, amazon: StandIn, asin: str) -> None:
    assert bench.look(asin) == {}
    assert amazon.calls == []


# --- Choices -------------------------------------------------------------------------------------------------


def child(asin: str, colour: str, **more: Any) -> dict[str, Any]:
    attributes = [{"name": "color_name", "value": colour}, {"name": "size_name", "value": "40 cm"}]
    return item(asin, listing(7.00), variationAttributes=attributes, parentASIN=PARENT, **more)


def test_a_parent_offers_its_variations_as_choices_and_cannot_be_bought(bench: Bench, amazon: StandIn) -> None:
    amazon.sells(item(PARENT))
    amazon.variations[PARENT] = [child(GREEN, "Green"), child(RED, "Red")]
    product = bench.look(PARENT)[PARENT]
    assert (product.kind, product.offers) == ("variation_parent", ())
    assert [(one.asin, one.choice) for one in product.variations] == [(GREEN, "Green, 40 cm"), (RED, "Red, 40 cm")]
    assert product.variations[0].offers[0].price == 700
    assert [call.operation for call in amazon.calls] == ["getItems", "getVariations"]


def test_a_choice_can_be_bought_without_another_call(bench: Bench, amazon: StandIn) -> None:
    amazon.sells(item(PARENT))
    amazon.variations[PARENT] = [child(GREEN, "Green")]
    bench.look(PARENT)
    product = bench.look(GREEN)[GREEN]
    assert (product.offers[0].price, product.parent_asin, len(amazon.calls)) == (700, PARENT, 2)


def test_many_choices_are_fetched_page_by_page_each_at_its_turn(bench: Bench, amazon: StandIn) -> None:
    amazon.sells(item(PARENT))
    amazon.variations[PARENT] = [child(f"B00CHILD{n:02d}", f"Colour {n}") for n in range(23)]
    assert len(bench.look(PARENT)[PARENT].variations) == 23
    assert [call.body.get("variationPage") for call in amazon.calls[1:]] == [1, 2, 3]
    assert len(bench.pauses) >= 3


def test_no_more_than_fifty_choices_are_fetched(bench: Bench, amazon: StandIn) -> None:
    amazon.sells(item(PARENT))
    amazon.variations[PARENT] = [child(f"B0CHILD{n:03d}", f"Colour {n}") for n in range(90)]
    assert len(bench.look(PARENT)[PARENT].variations) == 50


def test_a_choices_price_goes_like_any_other(bench: Bench, amazon: StandIn) -> None:
    amazon.sells(item(PARENT))
    amazon.variations[PARENT] = [child(GREEN, "Green")]
    bench.look(PARENT)
    amazon.fails(429)
    bench.clock.advance(hours=1)
    (choice,) = shown(bench, PARENT).variations
    assert (choice.choice, choice.offers) == ("Green, 40 cm", ())


def test_a_product_nobody_sells_is_no_parent_and_is_asked_for_once(bench: Bench, amazon: StandIn) -> None:
    amazon.sells(item(LAMP))
    product = bench.look(LAMP)[LAMP]
    assert (product.kind, [offer.available for offer in product.offers]) == ("product", [False])
    bench.clock.advance(minutes=50)
    bench.look(LAMP)
    assert [call.operation for call in amazon.calls] == ["getItems", "getVariations", "getItems"]


def test_the_time_of_an_offer_is_that_of_its_call(bench: Bench, amazon: StandIn) -> None:
    amazon.sells(item(LAMP, listing()))
    bench.look(LAMP)
    called = bench.clock()
    bench.clock.advance(minutes=30)
    as_of = shown(bench).offers[0].as_of
    assert as_of is not None
    assert timedelta(0) <= called - as_of < timedelta(seconds=1)
