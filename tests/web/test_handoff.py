"""Leaving for the retailer: tickets, forms, links, and what becomes of the cart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from flask_ecscart.handoff import Leaving, describe, leads_to_the_retailer, tagged_url
from flask_ecscart.locales import LOCALES
from flask_ecscart.settings import LocaleSettings
from flask_ecscart.texts import Words
from flask_ecscart.web.site import Ticket
from tests.support.clock import FakeClock
from tests.support.shop import GERMAN, LAMP, LIMITED, MUG, OFFER_ID, SOLD_OUT, Shop


def ticket_url(shop: Shop) -> str:
    return str(shop.cart()["handoff"]["action"])


def test_a_demo_hand_off_shows_what_arrived_and_the_credited_tag(shop: Shop) -> None:
    shop.add(LAMP, quantity=2)
    gone = shop.client.get(ticket_url(shop))
    assert gone.status_code == 303
    page = shop.client.get(gone.headers["Location"])
    assert page.status_code == 200
    assert "lamp-20" in page.text
    assert "Test Lamp" in page.text
    assert "$128.00" in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_after_a_hand_off_the_cart_is_over_and_the_next_add_makes_a_new_one(shop: Shop) -> None:
    shop.add(LAMP)
    before = shop.site.sessions
    location = shop.client.get(ticket_url(shop)).headers["Location"]
    shop.client.get(location)
    assert shop.held() == {}
    shop.add(MUG)
    assert shop.held() == {MUG: 1}
    again = shop.client.get(location)
    assert again.status_code == 410
    assert before is shop.site.sessions


def test_a_ticket_is_good_once(shop: Shop) -> None:
    shop.add(LAMP)
    url = ticket_url(shop)
    assert "/demo/" in shop.client.get(url).headers["Location"]
    assert shop.client.get(url).headers["Location"] == "/ecscart/cart"


def test_a_ticket_of_an_older_cart_leads_to_the_cart_page(shop: Shop) -> None:
    shop.add(LAMP)
    old = ticket_url(shop)
    shop.client.get(old)
    shop.add(MUG)
    assert shop.client.get(old).headers["Location"] == "/ecscart/cart"
    assert shop.held() == {MUG: 1}


@pytest.mark.parametrize("spoil", [lambda url: url[:-2], lambda url: url + "x", lambda _: "/ecscart/go/x"], ids="abc")
def test_a_forged_ticket_hands_nothing_off(shop: Shop, spoil: Callable[[str], str]) -> None:
    shop.add(LAMP)
    assert shop.client.get(spoil(ticket_url(shop))).headers["Location"] == "/ecscart/cart"
    assert shop.held() == {LAMP: 1}


def test_a_ticket_for_a_cart_that_is_not_this_one_hands_nothing_off(shop: Shop) -> None:
    shop.add(LAMP)
    forged = shop.site.tickets.issue(Ticket("0" * 64, "US", "0" * 16))
    assert shop.client.get(f"/ecscart/go/{forged}").headers["Location"] == "/ecscart/cart?stale=1"
    assert "no longer this cart" in shop.client.get("/ecscart/cart?stale=1").text


def test_a_prefetch_does_not_leave(shop: Shop) -> None:
    shop.add(LAMP)
    response = shop.client.get(ticket_url(shop), headers={"Sec-Purpose": "prefetch;prerender"})
    assert response.status_code == 503
    assert shop.held() == {LAMP: 1}


def test_what_changed_since_the_shopper_looked_is_shown_before_leaving(shop: Shop) -> None:
    shop.add(LIMITED, LAMP, quantity=3)
    url = ticket_url(shop)
    shop.stock(LAMP, availability="out_of_stock")
    assert shop.client.get(url).headers["Location"] == "/ecscart/cart"
    assert "not available now" in shop.client.get("/ecscart/cart").text
    assert "/demo/" in shop.client.get(ticket_url(shop)).headers["Location"]


def test_the_cart_offers_no_hand_off_while_nothing_is_active(shop: Shop) -> None:
    shop.add(SOLD_OUT)
    assert shop.cart()["handoff"]["parts"] == []


def test_items_that_did_not_arrive_are_put_back(shop: Shop) -> None:
    shop.add(LAMP, quantity=2)
    shop.client.get(ticket_url(shop))
    asked = shop.cart()["handoff"]
    assert (asked["leftCount"], bool(asked["leftAt"])) == (2, True)
    shop.add(MUG)
    answered = shop.client.post("/ecscart/v1/carts/US/handoff", json={"outcome": "failed"}).json
    assert answered is not None
    assert answered["handoff"]["leftAt"] is None
    assert shop.held() == {MUG: 1, LAMP: 2}


def test_items_that_arrived_are_no_longer_asked_about(shop: Shop) -> None:
    shop.add(LAMP)
    shop.client.get(ticket_url(shop))
    for _ in range(2):  # a repeated answer does no harm
        shop.client.post("/ecscart/v1/carts/US/handoff", json={"outcome": "arrived"})
    assert shop.client.get("/ecscart/v1/carts").json == {"carts": {}}


@pytest.fixture
def form_shop(make_shop: Callable[..., Shop]) -> Shop:
    return make_shop(ECSCART_LOCALES={"US": {"associate_tag": "lamp-20", "max_items_per_form": 2}})


def test_amazons_form_carries_tag_and_items_in_parts_and_links_beside_it(form_shop: Shop) -> None:
    form_shop.add(LAMP, MUG, LIMITED, quantity=2)
    form_shop.add(SOLD_OUT)
    handoff = form_shop.cart()["handoff"]
    assert [part["action"] for part in handoff["parts"]] == ["https://www.amazon.com/gp/aws/cart/add.html"] * 2
    assert handoff["fields"] == {
        "AssociateTag": "lamp-20",
        "ASIN.1": LAMP,
        "Quantity.1": "2",
        "ASIN.2": MUG,
        "Quantity.2": "2",
    }
    assert [part["count"] for part in handoff["parts"]] == [4, 2]
    assert handoff["links"][2]["url"] == f"https://www.amazon.com/dp/{LIMITED}?tag=lamp-20"
    assert (handoff["mode"], handoff["method"], handoff["retailer"]) == ("form", "get", "Amazon.com")
    assert "earn from qualifying purchases" in handoff["disclosure"]


def test_after_the_form_the_cart_stays_until_the_shopper_says_the_items_arrived(
    form_shop: Shop, clock: FakeClock
) -> None:
    form_shop.add(LAMP, MUG)
    form_shop.add(SOLD_OUT)

    def answer(outcome: str) -> dict[str, Any]:
        response = form_shop.client.post("/ecscart/v1/carts/US/handoff", json={"outcome": outcome})
        assert response.status_code == 200
        return dict(response.json or {})

    assert answer("left")["handoff"]["leftCount"] == 2
    assert form_shop.held() == {LAMP: 1, MUG: 1}
    assert answer("failed")["handoff"]["leftAt"] is None
    assert form_shop.held() == {LAMP: 1, MUG: 1}
    answer("left")
    form_shop.add(LAMP)
    answer("arrived")
    assert (form_shop.held(), form_shop.saved()) == ({LAMP: 1}, {SOLD_OUT: 1})


@pytest.mark.parametrize(("mode", "shown"), [("links", True), ("off", False)])
def test_links_alone_or_nothing_where_the_owner_says_so(make_shop: Callable[..., Shop], mode: str, shown: bool) -> None:
    shop = make_shop(ECSCART_LOCALES={"US": {"associate_tag": "lamp-20", "handoff": mode}})
    shop.add(LAMP)
    handoff = shop.cart()["handoff"]
    assert (handoff is not None) is shown
    if shown:
        assert (handoff["parts"], len(handoff["links"])) == ([], 1)


def test_no_price_is_shown_where_it_does_not_come_from_amazon(form_shop: Shop) -> None:
    form_shop.add(LAMP)
    cart = form_shop.cart()
    assert (cart["subtotal"], cart["items"][0].get("price"), cart["handoff"]["disclaimer"]) == (None, None, None)


# --- Every marketplace ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", LOCALES)
def test_every_marketplace_has_its_form_and_its_links(make_shop: Callable[..., Shop], code: str) -> None:
    locale = LOCALES[code]
    tag = f"yoursite-{locale.tag_suffix}"
    shop = make_shop(ECSCART_LOCALES={code: tag}, ECSCART_CATALOG=None)
    shop.add("B000000000", quantity=2, locale=code)
    handoff = shop.cart(code)["handoff"]
    assert handoff["action"] == f"https://{locale.retail_host}/gp/aws/cart/add.html"
    assert handoff["fields"] == {"AssociateTag": tag, "ASIN.1": "B000000000", "Quantity.1": "2"}
    assert [link["url"] for link in handoff["links"]] == [f"https://{locale.retail_host}/dp/B000000000?tag={tag}"]
    assert handoff["retailer"] == locale.seller_nickname in handoff["note"]
    assert handoff["retailer"].startswith("Amazon.")


def test_a_tag_of_another_locale_is_taken_as_it_is(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(ECSCART_LOCALES={"US": "yoursite-21"})
    shop.add(LAMP)
    assert shop.cart()["handoff"]["fields"]["AssociateTag"] == "yoursite-21"


# --- What may leave ------------------------------------------------------------------------------------------


def test_a_limit_that_came_later_holds_in_the_form(form_shop: Shop) -> None:
    form_shop.add(LAMP, quantity=8)
    form_shop.stock(LAMP, limit=5)
    handoff = form_shop.cart()["handoff"]
    assert (handoff["fields"]["Quantity.1"], handoff["parts"][0]["count"]) == ("5", 5)
    assert handoff["links"][0]["quantity"] == 5


def test_what_is_saved_stays_behind(form_shop: Shop) -> None:
    form_shop.add(LAMP, MUG, SOLD_OUT)
    form_shop.change(MUG, area="saved")
    handoff = form_shop.cart()["handoff"]
    assert [link["asin"] for link in handoff["links"]] == [LAMP]
    assert [value for name, value in handoff["fields"].items() if name.startswith("ASIN")] == [LAMP]
    form_shop.client.post("/ecscart/v1/carts/US/handoff", json={"outcome": "left"})
    form_shop.client.post("/ecscart/v1/carts/US/handoff", json={"outcome": "arrived"})
    assert (form_shop.held(), form_shop.saved()) == ({}, {MUG: 1, SOLD_OUT: 1})


def test_one_product_from_two_sellers_leaves_as_one(form_shop: Shop) -> None:
    form_shop.add(MUG, quantity=2)
    form_shop.send("POST", "US", [{"offerListingId": OFFER_ID, "quantity": 3}])
    handoff = form_shop.cart()["handoff"]
    assert handoff["fields"] == {"AssociateTag": "lamp-20", "ASIN.1": MUG, "Quantity.1": "5"}
    assert [(link["asin"], link["quantity"]) for link in handoff["links"]] == [(MUG, 5)]


@pytest.mark.parametrize(
    ("lines", "quantity"),
    [
        ([(5, None), (3, None)], 8),
        ([(5, 3), (3, None)], 3),
        ([(2, 9), (2, 3)], 3),
        ([(999, None), (999, None)], 999),
        ([(4, 4)], 4),
    ],
)
def test_no_product_leaves_above_its_least_limit(lines: list[tuple[int, int | None]], quantity: int) -> None:
    handoff = describe(
        LocaleSettings(associate_tag="lamp-20"),
        LOCALES["US"],
        [Leaving(asin=LAMP, title="Lamp", quantity=pieces, limit=limit) for pieces, limit in lines],
        ticket_url=None,
        left=None,
        prices_shown=False,
        words=Words({}, "en"),
    )
    assert handoff is not None
    assert handoff.fields["Quantity.1"] == str(quantity)


@pytest.mark.parametrize(("size", "parts"), [(10, 5), (50, 1), (7, 8), (1, 50)])
def test_a_full_cart_leaves_in_parts_that_hold_everything_once(
    make_shop: Callable[..., Shop], size: int, parts: int
) -> None:
    shop = make_shop(ECSCART_LOCALES={"US": {"associate_tag": "lamp-20", "max_items_per_form": size}})
    asins = [f"B0TEST{number:04d}" for number in range(50)]
    shop.add(*asins)
    sent = shop.cart()["handoff"]["parts"]
    assert len(sent) == parts
    named = [value for part in sent for name, value in part["fields"].items() if name.startswith("ASIN.")]
    assert named == asins
    assert all(part["fields"]["AssociateTag"] == "lamp-20" for part in sent)
    assert all(list(part["fields"])[1:3] == ["ASIN.1", "Quantity.1"] for part in sent)


def test_two_hundred_items_are_refused_and_nothing_is_lost(form_shop: Shop) -> None:
    form_shop.add(LAMP)
    answer = form_shop.send("POST", "US", [{"asin": f"B0TEST{number:04d}"} for number in range(200)])
    assert (answer.status_code, (answer.json or {})["code"]) == (422, "AWS.ECommerceService.ExceededMaximumCartItems")
    assert "at most 50" in (answer.json or {})["detail"]
    assert form_shop.held() == {LAMP: 1}


# --- Links ---------------------------------------------------------------------------------------------------

DETAIL = f"https://www.amazon.com/dp/{LAMP}?tag=lamp-20&linkCode=osi&th=1&psc=1"


@pytest.mark.parametrize(
    ("url", "cart_link", "way_out"),
    [
        (DETAIL, DETAIL, DETAIL),
        (f"https://www.amazon.com/Lamp/dp/{LAMP}", None, None),
        ("/reviews/lamp", "/reviews/lamp", None),
        (f"https://www.amazon.de/dp/{LAMP}?tag=x-21", f"https://www.amazon.de/dp/{LAMP}?tag=x-21", None),
        ("https://www.amazon.com.evil.example/?tag=x", "https://www.amazon.com.evil.example/?tag=x", None),
        ("https://[broken", "https://[broken", None),
    ],
    ids=["Amazon's own", "without a tag", "the owner's page", "another Amazon", "looks like Amazon", "broken"],
)
def test_a_link_of_amazons_stays_as_it_is_and_one_without_a_tag_gets_it(
    form_shop: Shop, url: str, cart_link: str | None, way_out: str | None
) -> None:
    old = form_shop.catalog.lookup("US", [LAMP])[LAMP]
    form_shop.catalog.put(msgspec.structs.replace(old, url=url))
    form_shop.add(LAMP)
    tagged = f"https://www.amazon.com/dp/{LAMP}?tag=lamp-20"
    cart = form_shop.cart()
    assert cart["items"][0]["url"] == (cart_link or tagged)
    assert cart["handoff"]["links"][0]["url"] == (way_out or tagged)


def test_a_product_without_a_link_of_its_own_is_linked_with_the_tag_everywhere(form_shop: Shop) -> None:
    form_shop.add(LAMP)
    product = (form_shop.client.get(f"/ecscart/v1/products/US?asin={LAMP}").json or {})["products"][LAMP]
    tagged = f"https://www.amazon.com/dp/{LAMP}?tag=lamp-20"
    assert product["url"] == form_shop.cart()["items"][0]["url"] == tagged


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("https://www.amazon.co.jp/dp/B0", True),
        ("http://www.amazon.jp/dp/B0", True),
        ("https://www.amazon.co.jp@evil.example/", False),
        ("javascript://www.amazon.co.jp/%0aalert(1)", False),
        ("//www.amazon.co.jp/dp/B0", False),
        ("", False),
    ],
)
def test_the_retailers_own_pages_are_told_from_all_others(url: str, known: bool) -> None:
    assert leads_to_the_retailer(url, LOCALES["JP"]) is known


def test_without_a_tag_a_link_is_still_a_link() -> None:
    assert tagged_url(None, LAMP, LOCALES["US"], None) == f"https://www.amazon.com/dp/{LAMP}"


# --- What is said beside it ----------------------------------------------------------------------------------


def test_the_note_is_in_the_readers_language_and_the_disclosure_in_the_locales(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(ECSCART_LOCALES={"DE": "lampe-21"})
    shop.add(GERMAN, locale="DE")
    cart = shop.client.get("/ecscart/v1/carts/DE", headers={"Accept-Language": "fr"}).json
    assert cart is not None
    assert cart["handoff"]["note"].startswith("Amazon.de s’ouvre dans un nouvel onglet")
    assert cart["handoff"]["disclosure"] == "Als Amazon-Partner verdiene ich an qualifizierten Verkäufen."


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        ({}, "As an Amazon Associate I earn from qualifying purchases."),
        ({"disclosure_it": "Frase mia."}, "Frase mia."),
        ({"disclosure": "One for all."}, "One for all."),
    ],
)
def test_a_language_nobody_told_us_gets_the_owners_sentence_or_the_english_one(
    make_shop: Callable[..., Shop], texts: dict[str, str], shown: str
) -> None:
    shop = make_shop(ECSCART_LOCALES={"IT": "sito-21"}, ECSCART_CATALOG=None, ECSCART_TEXTS=texts)
    shop.add("B000000000", locale="IT")
    assert shop.cart("IT")["handoff"]["disclosure"] == shown


def test_the_demo_needs_no_note_and_its_page_runs_nothing(shop: Shop) -> None:
    shop.add(LAMP)
    assert shop.cart()["handoff"]["note"] is None
    page = shop.client.get(shop.client.get(ticket_url(shop)).headers["Location"])
    policy = page.headers["Content-Security-Policy"]
    nonce = policy.partition("'nonce-")[2].partition("'")[0]
    assert f'<style nonce="{nonce}">' in page.text
    assert policy.startswith("default-src 'none'; style-src 'nonce-")
    assert "unsafe" not in policy
