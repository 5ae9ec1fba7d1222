"""Leaving for the retailer: tickets, forms, links, and what becomes of the cart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flask_ecscart.web.site import Ticket
from tests.support.clock import FakeClock
from tests.support.shop import LAMP, LIMITED, MUG, SOLD_OUT, Shop


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
    assert shop.client.get(f"/ecscart/go/{forged}").headers["Location"] == "/ecscart/cart"


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
