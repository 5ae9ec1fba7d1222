"""The other products beside a cart: five of each kind, true of this shop, never what is in the cart already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from flask_ecscart.catalog.anything import AnyCatalog
from flask_ecscart.catalog.file import MemoryCatalog
from flask_ecscart.model import Cart, NewItem, Offer, Product, ProductKind, RelatedItem
from flask_ecscart.service.engine import CartService
from flask_ecscart.service.together import MAX_PARTNERS, Together
from flask_ecscart.state.sql import Database
from tests.support.clock import START, FakeClock
from tests.support.databases import BOTH_DATABASES
from tests.unit.service.asking import Reply, ask
from tests.unit.service.shop import KEY, TAG

ALL_GROUPS = ("CartSimilarities", "CartTopSellers", "CartNewReleases")
NewCart = Callable[..., Cart]


def book(number: int, title: str | None = None, **more: object) -> Product:
    """The book B0BOOK000n."""
    offer = Offer(offer_listing_id=None, price=100 + number)
    facts: dict[str, object] = {"product_group": "Book", "offers": (offer,), **more}
    return Product(locale="US", asin=asin(number), title=title or f"Volume {number}", **facts)  # type: ignore[arg-type]


def asin(number: int) -> str:
    return f"B0BOOK{number:04d}"


def goods() -> Iterator[Product]:
    """Twenty books, the later the newer, and what must never be named."""
    for number in range(20):
        yield book(number, released=(START - timedelta(days=20 - number)).date().isoformat())
    kinds: tuple[ProductKind, ...] = ("variation_parent", "collection_parent", "digital", "inaccessible")
    for number, kind in enumerate(kinds, 20):
        yield book(number, "Volume 1", kind=kind, released="2026-03-14")
    gone = Offer(offer_listing_id=None, price=1, availability="out_of_stock")
    yield book(24, "Volume 1", offers=(gone,), released="2026-03-14")
    yield book(25, released=(START + timedelta(days=1)).date().isoformat())
    for number in range(40, 43):
        yield book(number, f"Lamp {number}", product_group="Home", released=None)


@pytest.fixture
def catalog() -> MemoryCatalog:
    return MemoryCatalog(goods())


@pytest.fixture
def put(service: CartService) -> NewCart:
    """`put(1, 2)`: a new cart of those books."""

    def create(*numbers: int) -> Cart:
        return service.create("US", TAG, [NewItem(asin=asin(number), quantity=1) for number in numbers])

    return create


def numbers(items: tuple[RelatedItem, ...]) -> list[int]:
    return [int(item.asin[-4:]) for item in items]


# --- Similar products ----------------------------------------------------------------------------------------


@BOTH_DATABASES
def test_what_was_put_into_carts_together_is_similar(service: CartService, put: NewCart) -> None:
    for others in ((11, 12), (11, 13), (11, 12, 14), (15,), (16,)):
        put(10, *others)
    cart = service.beside(put(10), ["CartSimilarities"])
    assert numbers(cart.similar_products) == [11, 12, 13, 14, 15]
    assert cart.similar_products[0].title == "Volume 11"


def test_what_is_added_later_was_put_in_together_too(service: CartService, put: NewCart) -> None:
    service.add(put(10).ref, [NewItem(asin=asin(42), quantity=1)])
    assert numbers(service.beside(put(10), ["CartSimilarities"]).similar_products)[0] == 42
    assert numbers(service.beside(put(42), ["CartSimilarities"]).similar_products)[0] == 10


def test_too_few_are_filled_up_from_the_same_product_group(service: CartService, put: NewCart) -> None:
    for _ in range(3):
        put(17)
    put(10, 42)
    assert numbers(service.beside(put(10), ["CartSimilarities"]).similar_products) == [42, 17, 0, 1, 2]


def test_titles_alike_make_similar_viewed_products(service: CartService, put: NewCart, catalog: MemoryCatalog) -> None:
    """Decided: nobody's views are kept, so it is what one would look at beside it."""
    for number, title in ((1, "Cooking with tea"), (2, "Tea and coffee"), (3, "Coffee, tea and more cooking")):
        catalog.put(book(number, title))
    catalog.put(book(40, "Tea pot", product_group="Home"))
    cart = service.beside(put(1), ["CartSimilarities"])
    assert numbers(cart.similar_viewed_products) == [3, 2]


# --- Top sellers and new releases ----------------------------------------------------------------------------


@BOTH_DATABASES
def test_what_was_put_into_most_carts_is_a_top_seller_of_its_group(service: CartService, put: NewCart) -> None:
    for number, times in ((3, 3), (5, 4), (7, 1), (8, 2), (9, 1), (10, 1), (41, 9)):
        for _ in range(times):
            put(number)
    assert numbers(service.beside(put(1), ["CartTopSellers"]).top_sellers) == [5, 3, 8, 7, 9]
    assert numbers(service.beside(put(40), ["CartTopSellers"]).top_sellers) == [41]


def test_nothing_is_called_a_top_seller_that_nobody_put_into_a_cart(service: CartService, put: NewCart) -> None:
    assert service.beside(put(1), ["CartTopSellers"]).top_sellers == ()


def test_the_newest_of_the_group_are_new_releases(service: CartService, put: NewCart, clock: FakeClock) -> None:
    cart = put(19)
    assert numbers(service.beside(cart, ["CartNewReleases"]).new_releases) == [18, 17, 16, 15, 14]
    clock.advance(days=1)
    assert numbers(service.beside(cart, ["CartNewReleases"]).new_releases) == [25, 18, 17, 16, 15]


def test_what_has_no_date_is_no_new_release(service: CartService, put: NewCart) -> None:
    assert service.beside(put(40), ["CartNewReleases"]).new_releases == ()


# --- What is never named -------------------------------------------------------------------------------------


def test_neither_the_cart_itself_nor_what_cannot_be_put_into_one(
    service: CartService, put: NewCart, catalog: MemoryCatalog
) -> None:
    for number in range(20):
        put(*(n for n in range(6) if n != number), number)
    cart = service.add(put(0, 1, 2).ref, [NewItem(asin=asin(3), quantity=1)])
    beside = service.beside(cart, ALL_GROUPS)
    named = [
        *numbers(beside.similar_products),
        *numbers(beside.similar_viewed_products),
        *numbers(beside.top_sellers),
        *numbers(beside.new_releases),
    ]
    assert len(named) == 20
    assert not {0, 1, 2, 3} & set(named)
    assert not set(range(20, 26)) & set(named)


@pytest.mark.parametrize("groups", [("Cart",), ("Request", "Cart"), ()])
def test_nothing_is_named_unasked(service: CartService, put: NewCart, groups: tuple[str, ...]) -> None:
    cart = put(1)
    assert service.beside(cart, groups) is cart


def test_an_empty_cart_resembles_nothing(service: CartService, put: NewCart) -> None:
    cleared = service.clear(put(1).ref)
    assert service.beside(cleared, ALL_GROUPS) == cleared


def test_a_product_that_left_the_catalog_is_not_named(
    database: Database, service: CartService, put: NewCart, catalog: MemoryCatalog, clock: FakeClock
) -> None:
    put(1, 2)
    smaller = MemoryCatalog(one for one in goods() if one.asin != asin(2))
    cart = CartService(database, smaller, hmac_key=KEY, clock=clock).beside(put(1), ALL_GROUPS)
    assert 2 not in numbers(cart.similar_products) + numbers(cart.top_sellers)


def test_a_catalog_that_cannot_be_walked_through_still_has_what_was_counted(
    database: Database, clock: FakeClock
) -> None:
    service = CartService(database, AnyCatalog(), hmac_key=KEY, clock=clock)
    for _ in range(2):
        made = service.create("US", TAG, [NewItem(asin=asin(n), quantity=1) for n in (1, 2)])
    alone = service.create("US", TAG, [NewItem(asin=asin(1), quantity=1)])
    cart = service.beside(alone, ALL_GROUPS)
    assert (numbers(cart.similar_products), numbers(cart.top_sellers)) == ([2], [2])
    assert (cart.new_releases, cart.similar_viewed_products) == ((), ())
    assert service.beside(made, ["CartTopSellers"]).top_sellers == ()


# --- Counting ------------------------------------------------------------------------------------------------


def counts(database: Database, table: str = "pairs") -> int:
    with database.reading() as connection:
        return connection.execute(text(f"SELECT count(*) FROM ecscart_remote_{table}")).scalar_one()


def test_a_full_cart_costs_a_bounded_number_of_rows(database: Database, clock: FakeClock) -> None:
    service = CartService(database, AnyCatalog(), hmac_key=KEY, clock=clock)
    cart = service.create("US", TAG, [NewItem(asin=asin(n), quantity=1) for n in range(49)])
    before = counts(database)
    assert (before, counts(database, "puts")) == (2 * sum(min(n, MAX_PARTNERS) for n in range(49)), 49)
    service.add(cart.ref, [NewItem(asin=asin(49), quantity=1)])
    assert counts(database) - before == 2 * MAX_PARTNERS


def test_a_refused_change_counts_nothing(database: Database, service: CartService, put: NewCart) -> None:
    cart = put(1)
    before = counts(database), counts(database, "puts")
    service.add(cart.ref, [NewItem(asin=asin(1), quantity=1)])
    with pytest.raises(Exception, match="not eligible"):
        service.add(cart.ref, [NewItem(asin=asin(20), quantity=1)])
    assert (counts(database), counts(database, "puts")) == before


def test_a_change_that_is_rolled_back_counts_nothing(database: Database, put: NewCart) -> None:
    put(1)
    before = counts(database), counts(database, "puts")

    def fail() -> None:
        with database.transaction():
            put(1, 2)
            raise RuntimeError("the caller's own trouble")

    with pytest.raises(RuntimeError):
        fail()
    assert (counts(database), counts(database, "puts")) == before


def test_two_offers_of_one_product_are_one_thing(database: Database, catalog: MemoryCatalog, clock: FakeClock) -> None:
    offers = (Offer(offer_listing_id="a"), Offer(offer_listing_id="b", seller="Old Co"))
    catalog.put(book(1, offers=offers))
    service = CartService(database, catalog, hmac_key=KEY, clock=clock)
    service.create("US", TAG, [NewItem(offer_listing_id=one, quantity=1) for one in "ab"])
    assert (counts(database), counts(database, "puts")) == (0, 1)


def test_what_nobody_puts_into_carts_any_more_is_forgotten(
    database: Database, service: CartService, put: NewCart, clock: FakeClock
) -> None:
    put(1, 2)
    clock.advance(days=89)
    put(1, 3)
    clock.advance(days=2)
    service.purge()
    assert (counts(database), counts(database, "puts")) == (2, 2)


@BOTH_DATABASES
def test_two_writers_of_the_same_counts_lose_none(database: Database, service: CartService, put: NewCart) -> None:
    put(1)
    orders = [(1, 2, 3, 4), (4, 3, 2, 1)] * 10
    with ThreadPoolExecutor(2) as writers:
        list(writers.map(lambda order: put(*order), orders))
    together = Together(database)
    with database.reading() as connection:
        assert together.partners(connection, "US", asin(1), 9) == [(asin(n), 20) for n in (2, 3, 4)]
        assert together.most_put(connection, "US", "Book", 1) == [(asin(1), 21)]


@given(
    added=st.lists(st.sampled_from("ABCDEFGH"), min_size=1, unique=True), beside=st.lists(st.sampled_from("ABCDEFGHIJ"))
)
def test_pairs_are_counted_both_ways_and_each_line_with_few_others(added: list[str], beside: list[str]) -> None:
    from flask_ecscart.service.together import _pairs

    found = _pairs(added, beside)
    assert found == {(other, one) for one, other in found}
    assert all(one != other and {one, other} & set(added) for one, other in found)
    assert len(found) <= 2 * MAX_PARTNERS * len(added)
    assert len(set(added) | set(beside)) == 1 or found


# --- In the reply --------------------------------------------------------------------------------------------


@pytest.fixture
def shop(web: FlaskClient) -> FlaskClient:
    """A shop with a little history."""
    for numbers in ((1, 2), (1, 3), (4, 5), (6, 7), (8, 9)):
        wanted = {f"Item.{n}.ASIN": asin(n) for n in numbers} | {f"Item.{n}.Quantity": "1" for n in numbers}
        ask(web, parameters=wanted)
    return web


def one(**more: str) -> dict[str, str | None]:
    return {"Item.1.ASIN": asin(1), "Item.1.Quantity": "1", **more}


RELATED = ("SimilarProducts", "TopSellers", "NewReleases", "SimilarViewedProducts")


@pytest.mark.parametrize("operation", ["CartCreate", "CartAdd", "CartModify", "CartGet", "CartClear"])
def test_every_operation_answers_the_groups(shop: FlaskClient, operation: str) -> None:
    """Documented: valid with all five; a cleared cart has nothing to go with."""
    made = Reply(ask(shop, parameters=one()))
    items = {"CartCreate": one(), "CartAdd": {"Item.1.ASIN": asin(10), "Item.1.Quantity": "1"}}
    change = {"Item.1.CartItemId": made.text("CartItemId") or "", "Item.1.Quantity": "2"}
    parameters = {**made.ids(), **items.get(operation, change if operation == "CartModify" else {})}
    wanted = {**parameters, "ResponseGroup": "Cart," + ",".join(ALL_GROUPS), "Version": "2010-12-01"}
    reply = Reply(ask(shop, operation, parameters=wanted))
    shown = [child.tag.rpartition("}")[2] for child in reply.all("Cart")[0]]
    assert [name for name in shown if name in RELATED] == ([] if operation == "CartClear" else list(RELATED))
    for name, entry in (("SimilarProducts", "SimilarProduct"), ("NewReleases", "NewRelease")):
        assert len(reply.all(entry)) == (0 if operation == "CartClear" else 5), name


@pytest.mark.parametrize(
    ("version", "groups", "shown"),
    [
        ("2013-08-01", "Cart,CartNewReleases,CartTopSellers", {"NewReleases"}),
        ("2013-08-01", "Cart,CartTopSellers,CartNewReleases", {"TopSellers"}),
        ("2013-08-01", "CartTopSellers", {"TopSellers"}),
        ("2011-08-01", "Cart,CartTopSellers,CartNewReleases", {"NewReleases", "TopSellers"}),
    ],
)
def test_of_top_sellers_and_new_releases_the_first_comes(
    shop: FlaskClient, version: str, groups: str, shown: set[str]
) -> None:
    """Recorded in 2016 with Version 2013-08-01; older Versions answer both as documented."""
    reply = Reply(ask(shop, parameters=one(ResponseGroup=groups, Version=version)))
    assert {name for name in RELATED if reply.all(name)} == shown
    assert reply.texts("ResponseGroup") == groups.split(",")


@pytest.mark.parametrize(("version", "ids"), [("2006-03-08", 0), ("2010-12-01", 0), ("2011-08-01", 1)])
def test_similarities_alone_come_without_a_cart(shop: FlaskClient, version: str, ids: int) -> None:
    """Documented in 2006 without ids; decided: with them where the schema demands them, from 2011 on."""
    reply = Reply(ask(shop, parameters=one(ResponseGroup="CartSimilarities", Version=version)))
    assert len(reply.all("SimilarProduct")) == 5
    assert (reply.all("CartItems"), reply.all("PurchaseURL"), reply.all("SubTotal")) == ([], [], [])
    assert [len(reply.all(name)) for name in ("CartId", "HMAC", "URLEncodedHMAC")] == [ids] * 3
