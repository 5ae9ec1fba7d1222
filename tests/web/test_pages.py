"""The pages that need no JavaScript: the whole journey by links and forms."""

from __future__ import annotations

import re

import pytest
from werkzeug.test import TestResponse

from tests.support.shop import LAMP, LIMITED, MUG, OFFER_ID, PARENT, SOLD_OUT, Shop


def token_in(page: TestResponse) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found is not None
    return found.group(1)


def post(shop: Shop, path: str, **values: str) -> TestResponse:
    form = "/ecscart/cart" if path == "cart" else f"/ecscart/add?asin={LAMP}"
    values.setdefault("token", token_in(shop.client.get(form)))
    return shop.client.post(f"/ecscart/{path}", data=values)


def line_id(shop: Shop, asin: str) -> str:
    cart = shop.cart()
    return str(next(item["cartItemId"] for item in [*cart["items"], *cart["saved"]] if item["asin"] == asin))


def test_a_link_asks_first_and_its_form_adds(shop: Shop) -> None:
    page = shop.client.get(f"/ecscart/add?asin={LAMP}&locale=US&quantity=2")
    assert "Test Lamp" in page.text
    assert shop.held() == {}
    answer = post(shop, "add", asin=LAMP, locale="US", quantity="2")
    assert (answer.status_code, shop.held()) == (303, {LAMP: 2})
    assert answer.headers["Location"].startswith("/ecscart/cart")


def test_everything_the_cart_page_offers_works(shop: Shop) -> None:
    shop.add(LAMP, MUG, quantity=2)
    post(shop, "cart", locale="US", do=f"set:{line_id(shop, LAMP)}", **{f"quantity:{line_id(shop, LAMP)}": "5"})
    assert shop.held() == {LAMP: 5, MUG: 2}
    post(shop, "cart", locale="US", do=f"save:{line_id(shop, LAMP)}")
    assert (shop.held(), shop.saved()) == ({MUG: 2}, {LAMP: 5})
    post(shop, "cart", locale="US", do=f"move:{line_id(shop, LAMP)}")
    post(shop, "cart", locale="US", do=f"remove:{line_id(shop, MUG)}")
    assert shop.held() == {LAMP: 5}
    post(shop, "cart", locale="US", do="clear")
    assert shop.held() == {}


def test_notices_and_the_way_out_stand_on_the_cart_page(shop: Shop) -> None:
    shop.add(LIMITED, quantity=9)
    shop.add(SOLD_OUT)
    page = shop.client.get("/ecscart/cart").text
    assert "not available now" in page
    assert "Continue to Demo Store with 3 items" in page
    assert 'rel="sponsored nofollow noopener"' in page
    assert "noreferrer" not in page


@pytest.mark.parametrize("token", ["", "forged", "ImEi.aaaa.bbbb"])
def test_a_form_without_its_token_changes_nothing(shop: Shop, token: str) -> None:
    shop.add(LAMP)
    assert post(shop, "cart", locale="US", do="clear", token=token).status_code == 403
    assert post(shop, "add", asin=MUG, token=token).status_code == 403
    assert shop.held() == {LAMP: 1}


def test_a_form_token_of_another_shopper_changes_nothing(shop: Shop) -> None:
    shop.add(LAMP)
    stolen = token_in(shop.new_shopper().get(f"/ecscart/add?asin={LAMP}"))
    assert post(shop, "cart", locale="US", do="clear", token=stolen).status_code == 403
    assert shop.held() == {LAMP: 1}


def test_a_form_posted_from_another_site_changes_nothing(shop: Shop) -> None:
    shop.add(LAMP)
    token = token_in(shop.client.get("/ecscart/cart"))
    answer = shop.client.post(
        "/ecscart/cart",
        data={"token": token, "locale": "US", "do": "clear"},
        headers={"Origin": "https://evil.example"},
    )
    assert (answer.status_code, shop.held()) == (403, {LAMP: 1})


@pytest.mark.parametrize(
    "query",
    [
        "",
        "asin=",
        f"asin={LAMP}&offer_listing_id={OFFER_ID}",
        f"asin={LAMP}&quantity=0",
        f"asin={LAMP}&quantity=1000",
        f"asin={LAMP}&quantity=x",
        f"asin={LAMP}&quantity=٣",
        f"asin={LAMP}&locale=XX",
    ],
)
def test_a_broken_link_is_a_clear_problem(shop: Shop, query: str) -> None:
    answer = shop.client.get(f"/ecscart/add?{query}")
    assert answer.status_code in {400, 404}
    assert answer.mimetype == "application/problem+json"


def test_an_item_that_cannot_be_bought_says_so_on_the_page(shop: Shop) -> None:
    answer = post(shop, "add", asin=PARENT, locale="US")
    assert answer.status_code == 422
    assert "not eligible" in answer.text


def test_hostile_titles_and_parameters_are_shown_as_text(shop: Shop) -> None:
    page = shop.client.get('/ecscart/add?asin="><script>alert(1)</script>')
    assert "<script>" not in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
