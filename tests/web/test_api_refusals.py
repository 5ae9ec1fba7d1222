"""Bad input: a clear problem that names code and field, and every cart as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.shop import BLOG, DIGITAL, INACCESSIBLE, LAMP, MUG, OFFER_ID, PARENT, Shop

NOT_ELIGIBLE = "AWS.ECommerceService.ItemNotEligibleForCart"
OUT_OF_RANGE = "AWS.ParameterOutOfRange"
INVALID_QUANTITY = "AWS.ECommerceService.InvalidQuantity"
INVALID_VALUE = "AWS.InvalidParameterValue"


def body(**item: Any) -> str:
    return json.dumps({"items": [item]})


REFUSED: list[tuple[str, str, str, int, str, str | None]] = [
    ("unknown ASIN", "POST", body(asin="B0TESTNONE"), 422, NOT_ELIGIBLE, None),
    ("parent ASIN", "POST", body(asin=PARENT), 422, NOT_ELIGIBLE, None),
    ("digital item", "POST", body(asin=DIGITAL), 422, NOT_ELIGIBLE, None),
    ("inaccessible", "POST", body(asin=INACCESSIBLE), 422, "AWS.ECommerceService.ItemNotAccessible", None),
    ("unknown offer", "POST", body(offerListingId="nobody%2Fsells"), 422, NOT_ELIGIBLE, None),
    ("quantity 0", "POST", body(asin=LAMP, quantity=0), 422, OUT_OF_RANGE, "items[0].quantity"),
    ("quantity -1", "POST", body(asin=LAMP, quantity=-1), 422, OUT_OF_RANGE, "items[0].quantity"),
    ("quantity 1000", "POST", body(asin=LAMP, quantity=1000), 422, OUT_OF_RANGE, "items[0].quantity"),
    ("quantity 10^30", "POST", body(asin=LAMP, quantity=10**30), 422, OUT_OF_RANGE, "items[0].quantity"),
    ("quantity x", "POST", body(asin=LAMP, quantity="x"), 422, INVALID_QUANTITY, "items[0].quantity"),
    ("quantity 1.5", "POST", body(asin=LAMP, quantity=1.5), 422, INVALID_QUANTITY, "items[0].quantity"),
    ("quantity true", "POST", body(asin=LAMP, quantity=True), 422, INVALID_QUANTITY, "items[0].quantity"),
    (
        "ASIN and offer",
        "POST",
        body(asin=LAMP, offerListingId=OFFER_ID),
        422,
        "AWS.InvalidParameterCombination",
        "items[0].asin",
    ),
    ("neither", "POST", body(quantity=1), 422, "AWS.MinimumParameterRequirement", "items[0].asin"),
    ("no ASIN at all", "POST", body(asin="lamp"), 422, INVALID_VALUE, "items[0].asin"),
    ("unknown field", "POST", body(asin=LAMP, price=1), 422, INVALID_VALUE, "items[0]"),
    ("no items", "POST", '{"items":[]}', 422, INVALID_VALUE, "items"),
    ("an array", "POST", "[]", 422, INVALID_VALUE, None),
    (
        "51 items at once",
        "POST",
        json.dumps({"items": [{"asin": LAMP}] * 51}),
        422,
        "AWS.ECommerceService.ExceededMaximumCartItems",
        "items",
    ),
    ("malformed JSON", "POST", '{"items":', 400, "malformed_json", None),
    ("broken UTF-8", "POST", b'{"items":[{"asin":"\xff"}]}', 400, "malformed_json", None),  # type: ignore[list-item]
    ("empty body", "POST", "", 400, "malformed_json", None),
    ("modify -1", "PATCH", body(asin=LAMP, quantity=-1), 422, OUT_OF_RANGE, "items[0].quantity"),
    ("modify 1000", "PATCH", body(asin=LAMP, quantity=1000), 422, OUT_OF_RANGE, "items[0].quantity"),
    ("modify nothing", "PATCH", body(asin=LAMP), 422, "AWS.MinimumParameterRequirement", "items[0]"),
    ("modify area", "PATCH", body(asin=LAMP, area="lost"), 422, INVALID_VALUE, "items[0].area"),
]


@pytest.mark.parametrize(
    ("method", "sent", "status", "code", "field"), [row[1:] for row in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_a_bad_request_names_code_and_field_and_changes_nothing(
    shop: Shop, method: str, sent: str, status: int, code: str, field: str | None
) -> None:
    shop.add(MUG, quantity=2)
    before = shop.cart()
    response = shop.client.open("/ecscart/v1/carts/US/items", method=method, data=sent, content_type="application/json")
    problem = response.json or {}
    assert (response.status_code, problem["code"], problem.get("field")) == (status, code, field)
    assert response.mimetype == "application/problem+json"
    assert len(problem["detail"]) > 20
    after = shop.cart()
    before["handoff"] = after["handoff"] = None  # hold fresh tickets
    assert after == before


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None]
)
def test_a_body_that_is_not_called_json_is_refused(shop: Shop, content_type: str | None) -> None:
    response = shop.client.post("/ecscart/v1/carts/US/items", data=body(asin=LAMP), content_type=content_type)
    assert (response.status_code, response.json and response.json["code"]) == (415, "not_json")
    assert shop.held() == {}


def test_a_body_over_64_kb_is_refused_unread(shop: Shop) -> None:
    response = shop.client.post(
        "/ecscart/v1/carts/US/items", data='{"items":[' + " " * 65536 + "]}", content_type="application/json"
    )
    assert (response.status_code, response.mimetype) == (413, "application/problem+json")


@pytest.mark.parametrize("locale", ["XX", "us", "FR", "US%00", "../US"])
def test_an_unknown_locale_is_a_problem_that_lists_the_known_ones(shop: Shop, locale: str) -> None:
    response = shop.client.get(f"/ecscart/v1/carts/{locale}")
    assert response.status_code == 404
    assert response.mimetype == "application/problem+json"
    if locale in {"XX", "us", "FR"}:
        assert "US, DE" in (response.json or {})["detail"]


def test_a_wrong_method_says_so(shop: Shop) -> None:
    response = shop.client.put("/ecscart/v1/carts/US/items", json={})
    assert (response.status_code, response.mimetype) == (405, "application/problem+json")


@pytest.mark.parametrize("key", ["", "x" * 201, "a\u00a0b"])
def test_an_unusable_idempotency_key_is_refused(shop: Shop, key: str) -> None:
    response = shop.client.post(
        "/ecscart/v1/carts/US/items", json={"items": [{"asin": LAMP}]}, headers={"Idempotency-Key": key}
    )
    assert (response.status_code, response.json and response.json["code"]) == (400, "idempotency_key_invalid")


# --- Who may ask -----------------------------------------------------------------------------------------


HOSTILE_ORIGINS = [
    "null",
    "https://evil.example",
    "https://blog.example.org.evil.example",
    "https://blog.example.org:444",
    "http://blog.example.org",
    "https://sub.blog.example.org",
    "https://xblog.example.org",
    "HTTPS://BLOG.EXAMPLE.ORG",
    "https://blog.example.org/",
    "https://localhost.evil.example",
    "https://localhost:1",
    "",
]


@pytest.mark.parametrize("origin", HOSTILE_ORIGINS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_page_that_is_not_allowed_gets_nothing_and_no_cors(shop: Shop, origin: str, method: str) -> None:
    shop.add(LAMP)
    path = "/ecscart/v1/carts/US" + ("/items" if method == "POST" else "")
    response = shop.client.open(
        path, method=method, json={"items": [{"asin": MUG}]} if method == "POST" else None, headers={"Origin": origin}
    )
    assert (response.status_code, (response.json or {})["code"]) == (403, "origin_not_allowed")
    assert "Access-Control-Allow-Origin" not in response.headers
    assert "Origin" in response.headers["Vary"]
    assert shop.held() == {LAMP: 1}


def test_a_cross_site_change_without_origin_is_refused(shop: Shop) -> None:
    response = shop.client.post(
        "/ecscart/v1/carts/US/items", json={"items": [{"asin": LAMP}]}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert response.status_code == 403


def token_of(shop: Shop, origin: str = BLOG) -> str:
    response = shop.new_shopper().post("/ecscart/v1/shopper", headers={"Origin": origin})
    assert response.status_code == 200
    assert "Set-Cookie" not in response.headers
    return str((response.json or {})["token"])


def embedded_add(shop: Shop, token: str, origin: str = BLOG) -> Any:
    return shop.new_shopper().post(
        "/ecscart/v1/carts/US/items",
        json={"items": [{"asin": LAMP}]},
        headers={"Origin": origin, "Authorization": f"Bearer {token}"},
    )


def test_an_allowed_page_uses_a_token_and_no_cookie(shop: Shop) -> None:
    token = token_of(shop)
    response = embedded_add(shop, token)
    assert (response.status_code, response.json["count"]) == (200, 1)
    assert response.headers["Access-Control-Allow-Origin"] == BLOG
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert "Set-Cookie" not in response.headers
    assert embedded_add(shop, token).json["count"] == 2


def test_a_token_is_good_for_its_origin_alone(make_shop: Any) -> None:
    other = "https://other.example"
    shop = make_shop(ECSCART_ALLOWED_ORIGINS=[BLOG, other])
    response = embedded_add(shop, token_of(shop), origin=other)
    assert (response.status_code, response.json["code"]) == (401, "token_invalid")


SPOILT = {
    "truncated": lambda token: token[:-1],
    "lengthened": lambda token: token + "A",
    "another": lambda _: "x",
    "swapped": str.swapcase,
    "empty": lambda _: "",
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_a_forged_or_truncated_token_is_refused(shop: Shop, spoil: Any) -> None:
    response = embedded_add(shop, spoil(token_of(shop)))
    assert response.status_code == 401


def test_a_pages_cookie_is_not_looked_at_when_another_origin_asks(shop: Shop) -> None:
    shop.add(LAMP)
    response = shop.client.get("/ecscart/v1/carts", headers={"Origin": BLOG})
    assert response.json == {"carts": {}}


def test_a_token_is_no_cookie_and_a_cookie_no_token(shop: Shop) -> None:
    shop.add(LAMP)
    cookie = shop.client.get_cookie("ecscart", path="/ecscart")
    assert cookie is not None
    assert embedded_add(shop, cookie.value).status_code == 401
    thief = shop.new_shopper()
    thief.set_cookie("ecscart", token_of(shop), path="/ecscart")
    assert thief.get("/ecscart/v1/carts").json == {"carts": {}}


def test_an_id_the_site_did_not_issue_is_not_adopted(shop: Shop) -> None:
    attacker = shop.new_shopper()
    attacker.set_cookie("ecscart", "chosen-by-the-attacker", path="/ecscart")
    attacker.post("/ecscart/v1/carts/US/items", json={"items": [{"asin": LAMP}]})
    cookie = attacker.get_cookie("ecscart", path="/ecscart")
    assert cookie is not None
    assert cookie.value != "chosen-by-the-attacker"


def test_a_preflight_of_an_allowed_page_names_what_it_may_send(shop: Shop) -> None:
    response = shop.client.options("/ecscart/v1/carts/US/items", headers={"Origin": BLOG})
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == BLOG
    assert "Idempotency-Key" in response.headers["Access-Control-Allow-Headers"]
    refused = shop.client.options("/ecscart/v1/carts/US/items", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in refused.headers


def test_answers_are_not_kept_by_caches_and_never_hold_the_hmac(shop: Shop) -> None:
    response = shop.add(LAMP)
    with shop.site.database.reading() as connection:
        stored = connection.exec_driver_sql("SELECT data FROM ecscart_sessions").scalar_one()
    reference = json.loads(stored)["carts"]["US"]["ref"]
    for answer in (response, shop.client.get("/ecscart/v1/carts"), shop.client.get("/ecscart/cart")):
        assert "no-store" in answer.headers["Cache-Control"]
        assert reference["hmac"] not in answer.text
        assert reference["cart_id"] not in answer.text
