"""Prices on pages: Amazon's own with their time beside them, gone after an hour, hidden or labelled where need be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from markupsafe import Markup

from flask_ecscart.catalog.memory import MemoryCatalog
from flask_ecscart.clock import iso
from flask_ecscart.model import Deal, Offer, Product
from tests.support.clock import START, FakeClock
from tests.support.creators_stand_in import StandIn, item, listing, running_stand_in
from tests.support.shop import Shop

LAMP, MUG, PARENT = "B000LAMP01", "B000MUGS01", "B000PARENT"
FORM = {"US": {"associate_tag": "lamp-20", "handoff": "form"}}


def sold(asin: str = LAMP, **offer: Any) -> Product:
    made: dict[str, Any] = {"price": 4400, "source": "creators", "as_of": START} | offer
    return Product(locale="US", asin=asin, title=f"Test {asin}", offers=(Offer(offer_listing_id=None, **made),))


@pytest.fixture
def make(tmp_path: Path, clock: FakeClock) -> Callable[..., Shop]:
    """`make(*products)`: a site with a form hand-off and just these products."""

    def make(*products: Product, locales: Any = FORM) -> Shop:
        return Shop(tmp_path, clock=clock, ECSCART_LOCALES=locales, ECSCART_CATALOG=MemoryCatalog(products))

    return make


def unbound(page: str) -> str:
    """`page` with the marks that keep a line together as ordinary ones."""
    return page.replace("\u00a0", " ").replace("\u2011", "-")


def product(shop: Shop, asin: str = LAMP) -> dict[str, Any]:
    body = shop.client.get(f"/ecscart/v1/products/US?asin={asin}").json
    assert body is not None
    return dict(body["products"][asin])


def line(shop: Shop, asin: str = LAMP) -> dict[str, Any]:
    return next(one for one in shop.cart()["items"] if one["asin"] == asin)


def test_a_price_of_amazons_is_shown_with_its_time_and_the_disclaimer(make: Callable[..., Shop]) -> None:
    shop = make(sold())
    shop.add(LAMP, quantity=2)
    shown = line(shop)
    assert (shown["price"]["formatted"], shown["itemTotal"]["formatted"]) == ("$44.00", "$88.00")
    assert shown["priceAsOf"] == iso(START)
    cart = shop.cart()
    assert cart["subtotal"]["formatted"] == "$88.00"
    assert "accurate as of the date/time indicated" in cart["handoff"]["disclaimer"]
    told = product(shop)
    assert (told["price"]["formatted"], told["priceAsOf"]) == ("$44.00", iso(START))
    assert "accurate as of the date/time indicated" in told["disclaimer"]


@pytest.mark.parametrize(("minutes", "shows"), [(0, True), (59, True), (60, False), (1440, False), (-5, False)])
def test_a_price_is_gone_when_it_is_an_hour_old(
    make: Callable[..., Shop], clock: FakeClock, minutes: int, shows: bool
) -> None:
    shop = make(sold())
    shop.add(LAMP)
    clock.advance(minutes=minutes)
    assert ("price" in line(shop), "price" in product(shop), "priceAsOf" in line(shop)) == (shows, shows, shows)
    assert (shop.cart()["subtotal"] is not None) is shows
    assert (shop.cart()["handoff"]["disclaimer"] is not None) is shows


def test_a_price_the_owner_typed_in_is_shown_in_the_demo_alone(make: Callable[..., Shop], tmp_path: Path) -> None:
    own = sold(source="owner", as_of=None)
    assert "price" not in product(make(own))
    demo = Shop(tmp_path / "demo", ECSCART_CATALOG=MemoryCatalog([own]))
    assert product(demo)["price"]["formatted"] == "$44.00"
    assert "priceAsOf" not in product(demo)


def test_a_sum_is_shown_only_when_every_price_of_it_is(make: Callable[..., Shop]) -> None:
    shop = make(sold(), sold(MUG, price=None))
    shop.add(LAMP)
    assert shop.cart()["subtotal"]["formatted"] == "$44.00"
    shop.add(MUG)
    assert shop.cart()["subtotal"] is None
    assert line(shop)["price"]["formatted"] == "$44.00"


def test_a_hidden_price_is_nowhere_and_the_page_says_where_to_see_it(make: Callable[..., Shop]) -> None:
    shop = make(sold(price=None, price_hidden=True))
    shop.add(LAMP)
    assert (line(shop)["priceHidden"], product(shop)["priceHidden"]) == (True, True)
    assert "price" not in line(shop)
    for page in ("/ecscart/cart", f"/ecscart/add?asin={LAMP}"):
        assert "See the price at Amazon.com" in shop.client.get(page).text
    way = f'<a href="https://www.amazon.com/dp/{LAMP}?tag=lamp-20" target="_blank" rel="sponsored nofollow noopener">'
    assert f"{way}See the price at Amazon.com</a>" in shop.client.get(f"/ecscart/add?asin={LAMP}").text


def test_even_a_hidden_offer_that_has_a_price_shows_none(make: Callable[..., Shop]) -> None:
    assert "price" not in product(make(sold(price_hidden=True)))


@pytest.mark.parametrize(
    ("deal", "label"), [("prime_exclusive", "for Prime members"), ("prime_early_access", "Prime early access")]
)
def test_a_price_for_prime_members_says_so_beside_it(make: Callable[..., Shop], deal: Deal, label: str) -> None:
    shop = make(sold(deal=deal))
    shop.add(LAMP)
    assert (line(shop)["deal"], product(shop)["deal"]) == (deal, deal)
    for page in ("/ecscart/cart", f"/ecscart/add?asin={LAMP}"):
        assert label in shop.client.get(page).text


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", "as of 2026-03-14 09:26 UTC"),
        ("de", "Stand 14.03.2026, 09:26 UTC"),
        ("fr", "au 14/03/2026 à 09:26 UTC"),
        ("ja", "2026年03月14日 09:26 UTC 時点"),
    ],
)
def test_the_time_beside_a_price_is_written_as_its_reader_writes_it(
    make: Callable[..., Shop], lang: str, said: str
) -> None:
    shop = make(sold())
    shop.add(LAMP)
    for page in (f"/ecscart/cart?lang={lang}", f"/ecscart/add?asin={LAMP}&lang={lang}"):
        assert f"({said})" in unbound(shop.client.get(page).text)


def test_pages_print_the_time_beside_the_price(make: Callable[..., Shop]) -> None:
    shop = make(sold())
    shop.add(LAMP)
    for page in ("/ecscart/cart", f"/ecscart/add?asin={LAMP}"):
        text = shop.client.get(page).text
        assert "as of 2026-03-14 09:26 UTC" in unbound(text)
        assert "accurate as of the date/time indicated" in text


def test_a_parent_shows_its_choices_each_with_a_link_of_its_own(make: Callable[..., Shop]) -> None:
    green = msgspec.structs.replace(sold(), parent_asin=PARENT, choice="Green, 40 cm")
    parent = Product(locale="US", asin=PARENT, title="Lamps", kind="variation_parent", variations=(green,))
    shop = make(parent, green)
    (choice,) = product(shop, PARENT)["choices"]
    assert (choice["asin"], choice["choice"], choice["price"]["formatted"]) == (LAMP, "Green, 40 cm", "$44.00")
    assert product(shop, PARENT)["available"] is False
    page = shop.client.get(f"/ecscart/add?asin={PARENT}").text
    assert "Green, 40 cm" in page
    assert f"asin={LAMP}" in page
    assert shop.add(PARENT).status_code == 422
    assert shop.add(LAMP).status_code == 200


def test_a_choice_stands_with_price_time_and_stock_and_keeps_quantity_and_language(make: Callable[..., Shop]) -> None:
    red = msgspec.structs.replace(sold(deal="prime_exclusive"), choice="Red")
    black = msgspec.structs.replace(sold(MUG, availability="out_of_stock", price=None), choice="Black")
    shop = make(Product(locale="US", asin=PARENT, title="Lamps", kind="variation_parent", variations=(red, black)))
    page = shop.client.get(f"/ecscart/add?asin={PARENT}&quantity=3&lang=fr").text
    link = f"/ecscart/add?locale=US&amp;asin={LAMP}&amp;quantity=3&amp;lang=fr"
    assert f'<a href="{link}" rel="nofollow"><bdi>Red</bdi></a>' in page
    said = Markup(unbound(page)).striptags()
    assert "Red $44.00 réservé aux membres Prime (au 14/03/2026 à 09:26 UTC)" in said
    assert "Black Indisponible pour le moment" in said
    assert "<form" not in page, "a parent cannot be bought: no button says otherwise"


@pytest.mark.parametrize(
    ("kind", "said"),
    [("variation_parent", "choose a variation"), ("digital", "digital item"), ("inaccessible", "does not take part")],
)
def test_what_cannot_be_bought_says_so_before_anybody_presses_a_button(
    make: Callable[..., Shop], kind: Any, said: str
) -> None:
    shop = make(Product(locale="US", asin=PARENT, title="Lamps", kind=kind))
    page = shop.client.get(f"/ecscart/add?asin={PARENT}").text
    assert said in page
    assert "<form" not in page


def of_a_kind(*kinds: str) -> Product:
    """A parent that comes in `kinds`."""
    made = [msgspec.structs.replace(sold(f"B000KIND{n:02d}"), choice=kind) for n, kind in enumerate(kinds)]
    return Product(locale="US", asin=PARENT, title="Lamps", kind="variation_parent", variations=tuple(made))


def test_a_refused_parent_brings_its_choices_in_the_readers_language(make: Callable[..., Shop]) -> None:
    shop = make(of_a_kind("Green", "Red"))
    answer = shop.client.post(
        "/ecscart/v1/carts/US/items", json={"items": [{"asin": PARENT}]}, headers={"Accept-Language": "de"}
    )
    problem = answer.json or {}
    assert (answer.status_code, problem["code"]) == (422, "AWS.ECommerceService.ItemNotEligibleForCart")
    assert "wählen Sie eine Ausführung" in problem["detail"]
    assert [choice["choice"] for choice in problem["choices"]] == ["Green", "Red"]


def test_a_parent_refused_beside_others_is_told_with_its_name_and_choices(make: Callable[..., Shop]) -> None:
    shop = make(of_a_kind("Green"), sold())
    cart = shop.add(LAMP, PARENT).json or {}
    (notice,) = cart["notices"]
    assert (notice["code"], notice["title"], notice["choices"][0]["choice"]) == ("refused", "Lamps", "Green")
    assert [item["asin"] for item in cart["items"]] == [LAMP]


@pytest.mark.parametrize(
    ("offer", "language", "note"),
    [
        ({"deal": "prime_exclusive"}, "en", "for Prime members"),
        ({"deal": "prime_exclusive"}, "de", "für Prime-Mitglieder"),
        ({"price": None, "price_hidden": True}, "fr", "Voir le prix sur Amazon.com"),
        ({}, "en", None),
    ],
)
def test_what_stands_beside_a_price_comes_in_words(
    make: Callable[..., Shop], offer: dict[str, Any], language: str, note: str | None
) -> None:
    shop = make(sold(**offer))
    shop.add(LAMP)
    cart = shop.client.get("/ecscart/v1/carts/US", headers={"Accept-Language": language}).json or {}
    assert cart["items"][0].get("priceNote") == note


def test_a_link_to_the_retailer_is_called_a_paid_link_and_an_owners_own_page_is_not(make: Callable[..., Shop]) -> None:
    shop = make(sold(), msgspec.structs.replace(sold(MUG), url="https://blog.example.org/mug"))
    shop.add(LAMP, MUG)
    assert [line(shop, asin).get("linkNote") for asin in (LAMP, MUG)] == ["(paid link)", None]
    assert {link["linkNote"] for link in shop.cart()["handoff"]["links"]} == {"(paid link)"}


def test_a_cart_that_cannot_leave_says_so(make: Callable[..., Shop]) -> None:
    shop = make(sold(), locales={"US": {"associate_tag": "lamp-20", "handoff": "off"}})
    assert shop.cart()["stays"] is None
    shop.add(LAMP)
    assert shop.cart()["stays"] == "This cart cannot be sent to Amazon.com from here."


@pytest.mark.parametrize("title", ["<script>alert(1)</script>", "\u202eevil", "x" * 10_000])
def test_hostile_titles_are_text_on_every_page(make: Callable[..., Shop], title: str) -> None:
    hostile = msgspec.structs.replace(sold(), title=title, choice=title, asin=MUG)
    shop = make(msgspec.structs.replace(sold(), title=title, kind="product"), hostile)
    shop.add(LAMP)
    for page in ("/ecscart/cart", f"/ecscart/add?asin={LAMP}"):
        answer = shop.client.get(page)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text


def test_what_the_widget_is_given_of_a_title_turns_no_text_around_and_has_an_end(make: Callable[..., Shop]) -> None:
    title = "\u202eevil\x00 👨\u200d👩\u200d👧 مصباح " + "x" * 10_000
    choice = msgspec.structs.replace(sold(MUG), title=title, choice=title)
    parent = Product(locale="US", asin=PARENT, title=title, kind="variation_parent", variations=(choice,))
    shop = make(msgspec.structs.replace(sold(), title=title), choice, parent)
    shop.add(LAMP)
    cart, told = shop.cart(), product(shop, PARENT)
    (kind,) = told["choices"]
    titles = [cart["items"][0]["title"], cart["handoff"]["links"][0]["title"], told["title"], kind["title"]]
    assert {*titles, kind["choice"]} == {titles[0]}
    assert titles[0].startswith("evil  👨\u200d👩\u200d👧 مصباح xxx")
    assert len(titles[0]) == 300


# --- The whole way, from Amazon's answer to the page -----------------------------------------------------------


@pytest.fixture
def amazon() -> Iterator[StandIn]:
    with running_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
def live(tmp_path: Path, clock: FakeClock, amazon: StandIn) -> Iterator[Shop]:
    """A site that asks the stand-in, with its thread, and a clock of the test's."""
    catalog = tmp_path / "own.csv"
    catalog.write_text(f"locale,asin,title,price,limit\nUS,{LAMP},My lamp,50.00,9\n")
    setting = {"file": str(catalog), "creators": amazon.settings | {"rate": 10}}
    shop = Shop(tmp_path, clock=clock, ECSCART_LOCALES=FORM, ECSCART_CATALOG=setting)
    yield shop
    shop.site.catalog.close()  # type: ignore[attr-defined]


def filled_in(shop: Shop) -> dict[str, Any]:
    """The product once Amazon's word is there; `product` waits up to 0.3 s each time, so this is half a minute."""
    for _ in range(300):
        told = product(shop)
        if told["title"] != "My lamp":
            return told
        shop.site.catalog.refresher.wait(0.1)  # type: ignore[attr-defined]
    raise AssertionError("Amazon's word never came.")


def test_a_cart_is_capped_priced_and_titled_by_amazons_word(live: Shop, amazon: StandIn) -> None:
    stock = {"type": "IN_STOCK", "maxOrderQuantity": 3}
    amazon.sells(item(LAMP, listing(44.00, availability=stock), title="<b>Amazon's lamp</b>"))
    told = filled_in(live)
    assert (told["price"]["formatted"], told["limit"]) == ("$44.00", 3)
    assert told["url"] == f"https://www.amazon.com/dp/{LAMP}?tag=lamp-20&linkCode=ogi&th=1&psc=1"
    live.add(LAMP, quantity=7)
    cart = live.cart()
    assert (cart["items"][0]["quantity"], cart["items"][0]["title"]) == (3, "<b>Amazon's lamp</b>")
    assert [notice["code"] for notice in cart["notices"]] == ["quantity_capped"]
    assert cart["subtotal"]["formatted"] == "$132.00"
    assert cart["handoff"]["fields"]["Quantity.1"] == "3"
    assert cart["handoff"]["links"][0]["url"] == told["url"]


def test_a_cart_that_was_filled_by_the_file_is_the_same_cart_under_amazons_word(live: Shop, amazon: StandIn) -> None:
    amazon.fails(403, "AssociateNotEligible")
    assert live.add(LAMP, quantity=2).status_code == 200
    before = live.cart()["items"][0]
    assert (before["title"], "price" in before) == ("My lamp", False)
    amazon.recovers()
    amazon.sells(item(LAMP, listing(44.00)))
    now = live.site.clock
    assert isinstance(now, FakeClock)
    now.advance(hours=2)
    filled_in(live)
    after = live.cart()["items"][0]
    assert (after["cartItemId"], after["quantity"]) == (before["cartItemId"], 2)
    assert after["price"]["formatted"] == "$44.00"


def test_no_page_tells_a_credential(live: Shop, amazon: StandIn) -> None:
    amazon.sells(item(LAMP, listing()))
    filled_in(live)
    live.add(LAMP)
    secret = amazon.settings["credential_secret"]
    pages = [live.client.get(path).text for path in ("/ecscart/cart", "/ecscart/openapi.json", "/ecscart/v1/carts")]
    assert secret not in json.dumps(pages)
