"""The cart over JSON: what a shopper does and is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.shop import GERMAN, LAMP, LIMITED, MUG, OFFER_ID, PARENT, SOLD_OUT, Shop


def codes(cart: dict[str, Any]) -> list[str]:
    return [notice["code"] for notice in cart["notices"]]


def test_an_added_item_shows_title_price_quantity_and_subtotal(shop: Shop) -> None:
    cart = shop.add(LAMP, quantity=2).json
    assert cart is not None
    item = cart["items"][0]
    assert (item["asin"], item["title"], item["quantity"]) == (LAMP, "Test Lamp", 2)
    assert item["price"] == {"amount": 6400, "currency": "USD", "formatted": "$64.00"}
    assert cart["subtotal"]["formatted"] == "$128.00"
    assert (cart["count"], cart["pending"], cart["asOf"]) == (2, False, "2026-03-14T09:26:53Z")


def test_adding_what_is_there_raises_its_quantity(shop: Shop) -> None:
    shop.add(LAMP, quantity=2)
    shop.add(LAMP, quantity=3)
    assert shop.held() == {LAMP: 5}


def test_many_items_go_in_with_one_request(shop: Shop) -> None:
    shop.add(LAMP, MUG)
    assert shop.held() == {LAMP: 1, MUG: 1}


def test_a_capped_quantity_is_told_with_what_was_asked_and_what_was_given(shop: Shop) -> None:
    cart = shop.add(LIMITED, quantity=5).json
    assert cart is not None
    assert cart["notices"] == [
        {
            "id": 1,
            "code": "quantity_capped",
            "asin": LIMITED,
            "title": "Test Limt",
            "requested": 5,
            "actual": 3,
            "message": "You asked for 5; this seller allows 3.",
        }
    ]
    assert shop.held() == {LIMITED: 3}


def test_a_notice_keeps_its_id_when_read_again_so_that_it_is_told_once(shop: Shop) -> None:
    told = shop.add(LIMITED, quantity=5).json
    assert told is not None
    assert shop.cart()["notices"] == told["notices"]
    after = shop.add(LAMP).json
    assert after is not None
    assert after["notices"] == []


def test_what_is_not_available_waits_under_saved_for_later_and_is_told(shop: Shop) -> None:
    cart = shop.add(SOLD_OUT).json
    assert cart is not None
    assert codes(cart) == ["saved_for_later"]
    assert [(item["asin"], item["available"]) for item in cart["saved"]] == [(SOLD_OUT, False)]
    assert cart["count"] == 0


def test_a_waiting_item_comes_back_by_itself_and_that_is_told(shop: Shop) -> None:
    shop.add(SOLD_OUT, quantity=2)
    shop.stock(SOLD_OUT, availability="in_stock")
    cart = shop.cart()
    assert codes(cart)[-1] == "moved_to_cart"
    assert shop.held() == {SOLD_OUT: 2}


def test_an_item_that_sells_out_while_in_the_cart_is_told_by_the_next_reading(shop: Shop) -> None:
    shop.add(LAMP)
    shop.stock(LAMP, availability="out_of_stock")
    assert codes(shop.cart()) == ["saved_for_later"]
    assert shop.saved() == {LAMP: 1}


def test_saving_for_later_and_back_keeps_the_quantity(shop: Shop) -> None:
    shop.add(LAMP, quantity=4)
    shop.change(LAMP, area="saved")
    assert (shop.held(), shop.saved()) == ({}, {LAMP: 4})
    shop.change(LAMP, area="active")
    assert (shop.held(), shop.saved()) == ({LAMP: 4}, {})


def test_moving_an_unavailable_item_to_the_cart_is_told_again(shop: Shop) -> None:
    shop.add(SOLD_OUT)
    cart = shop.change(SOLD_OUT, area="active").json
    assert cart is not None
    assert codes(cart) == ["saved_for_later"]


def test_quantity_and_area_of_one_line_change_together(shop: Shop) -> None:
    shop.add(LAMP, quantity=4)
    shop.change(LAMP, quantity=2, area="saved")
    assert shop.saved() == {LAMP: 2}


def test_adding_a_saved_item_brings_it_back_with_more_pieces(shop: Shop) -> None:
    shop.add(LAMP, quantity=2)
    shop.change(LAMP, area="saved")
    shop.add(LAMP)
    assert (shop.held(), shop.saved()) == ({LAMP: 3}, {})


def test_quantity_zero_removes(shop: Shop) -> None:
    shop.add(LAMP, MUG)
    shop.change(LAMP, quantity=0)
    assert shop.held() == {MUG: 1}


def test_clearing_empties_both_areas(shop: Shop) -> None:
    shop.add(LAMP, SOLD_OUT)
    cart = shop.send("DELETE", "US", []).json
    assert cart is not None
    assert (cart["items"], cart["saved"], cart["subtotal"]) == ([], [], None)


def test_an_offer_of_another_seller_is_a_line_of_its_own(shop: Shop) -> None:
    shop.add(MUG)
    cart = shop.send("POST", "US", [{"offerListingId": OFFER_ID, "quantity": 2}]).json
    assert cart is not None
    assert sorted((item["seller"], item["quantity"], item["asin"]) for item in cart["items"]) == [
        ("Amazon.com", 1, MUG),
        ("Mug House", 2, MUG),
    ]
    shop.send("POST", "US", [{"offerListingId": OFFER_ID.replace("%", "%25")}])
    assert sorted(item["quantity"] for item in shop.cart()["items"]) == [1, 3]


def test_two_sellers_of_one_item_are_changed_apart_each_as_it_was_added(shop: Shop) -> None:
    shop.add(MUG)
    shop.send("POST", "US", [{"offerListingId": OFFER_ID, "quantity": 2}])
    shop.send("PATCH", "US", [{"offerListingId": OFFER_ID, "area": "saved"}, {"asin": MUG, "quantity": 4}])
    shop.send("PATCH", "US", [{"offerListingId": OFFER_ID, "quantity": 5}])
    cart = shop.cart()
    assert [(item.get("offerListingId"), item["quantity"]) for item in cart["items"]] == [(None, 4)]
    assert [(item["offerListingId"], item["quantity"]) for item in cart["saved"]] == [(OFFER_ID, 5)]


def test_an_asin_names_the_only_line_that_has_it_whatever_its_seller(shop: Shop) -> None:
    shop.send("POST", "US", [{"offerListingId": OFFER_ID, "quantity": 2}])
    shop.change(MUG, quantity=3)
    assert shop.held() == {MUG: 3}


def test_good_items_go_in_beside_a_refused_one_which_is_told(shop: Shop) -> None:
    response = shop.add(LAMP, PARENT, MUG)
    assert response.status_code == 200
    assert response.json is not None
    assert [(n["code"], n["asin"]) for n in response.json["notices"]] == [("refused", PARENT)]
    assert shop.held() == {LAMP: 1, MUG: 1}


def test_each_locale_has_a_cart_of_its_own(shop: Shop) -> None:
    shop.add(LAMP)
    shop.add(GERMAN, locale="DE")
    carts = shop.client.get("/ecscart/v1/carts").json
    assert carts is not None
    assert {code: cart["subtotal"]["formatted"] for code, cart in carts["carts"].items()} == {
        "US": "$64.00",
        "DE": "EUR 59,00",
    }


def test_a_repeated_key_changes_nothing_and_answers_the_same_cart(shop: Shop) -> None:
    first = shop.add(LIMITED, quantity=5, key="k1").json
    again = shop.add(LIMITED, quantity=5, key="k1").json
    assert first is not None
    assert again is not None
    for volatile in (first, again):
        volatile["handoff"] = None  # holds a fresh ticket each time
    assert again == first


def test_a_key_used_for_another_change_is_refused(shop: Shop) -> None:
    shop.add(LAMP, key="k1")
    response = shop.add(MUG, key="k1")
    assert (response.status_code, response.json and response.json["code"]) == (409, "idempotency_key_reused")
    assert shop.held() == {LAMP: 1}


def test_a_key_whose_change_was_refused_may_be_used_again(shop: Shop) -> None:
    shop.add(LAMP)
    shop.stock(MUG, availability="in_stock")
    assert shop.add(PARENT, key="k1").status_code == 422
    assert shop.add(PARENT, key="k1").status_code == 422
    assert shop.held() == {LAMP: 1}


def test_an_expired_cart_is_made_again_from_what_is_wanted(shop: Shop, clock: FakeClock) -> None:
    shop.add(LAMP, quantity=2)
    clock.advance(days=91)
    cart = shop.cart()
    assert codes(cart) == ["cart_renewed"]
    assert shop.held() == {LAMP: 2}


def test_a_shopper_is_forgotten_after_180_days_without_a_change(shop: Shop, clock: FakeClock) -> None:
    shop.add(LAMP)
    clock.advance(days=181)
    assert shop.held() == {}
    assert shop.site.sessions.purge() == 1


def test_a_sum_above_999_is_capped_and_told(shop: Shop) -> None:
    shop.add(LAMP, quantity=600)
    cart = shop.add(LAMP, quantity=600).json
    assert cart is not None
    assert [(n["code"], n["requested"], n["actual"]) for n in cart["notices"]] == [("quantity_capped", 1200, 999)]
    assert shop.held() == {LAMP: 999}


def test_the_51st_entry_is_refused_and_nothing_of_its_request_is_added(shop: Shop) -> None:
    shop.add(*[f"B0TEST{n:04d}" for n in range(49)])
    response = shop.add(LAMP, MUG)
    assert (response.status_code, response.json and response.json["code"]) == (
        422,
        "AWS.ECommerceService.ExceededMaximumCartItems",
    )
    assert len(shop.held()) == 49
    assert shop.add(LAMP).status_code == 200


def test_the_fiftieth_can_be_exchanged_in_one_settling(shop: Shop) -> None:
    shop.add(*[f"B0TEST{n:04d}" for n in range(50)])
    shop.change("B0TEST0000", quantity=0)
    assert shop.add(LAMP).status_code == 200
    assert len(shop.held()) == 50


@pytest.mark.parametrize("missing", ["B0TESTNONE", LAMP])
def test_changing_a_line_that_is_gone_is_no_error(shop: Shop, missing: str) -> None:
    shop.add(MUG)
    response = shop.change(missing, quantity=3)
    assert response.status_code == 200
    assert shop.held() == {MUG: 1}


def test_products_are_shown_with_price_only_where_prices_may_be_shown(shop: Shop, make_shop: Any) -> None:
    form = make_shop(ECSCART_LOCALES={"US": "lamp-20"})
    for site, price in ((shop, "$64.00"), (form, None)):
        body = site.client.get(f"/ecscart/v1/products/US?asin={LAMP},B0TESTNONE").json
        assert list(body["products"]) == [LAMP]
        assert (body["products"][LAMP].get("price") or {}).get("formatted") == price
