"""Requests of strangers: who may change a cart, from where, with what kind of body, and how large it may be."""

from __future__ import annotations

import io
import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from flask_ecscart.web import api, blueprint, pages
from tests.support.shop import BLOG, LAMP, MUG, Shop

CARTS = "/ecscart/v1/carts/US"
EVIL = "https://evil.example"
OWN = "http://localhost"
CHANGES: dict[str, tuple[str, str, Any]] = {
    "add": ("POST", f"{CARTS}/items", {"items": [{"asin": MUG}]}),
    "change": ("PATCH", f"{CARTS}/items", {"items": [{"asin": LAMP, "quantity": 9}]}),
    "clear": ("DELETE", f"{CARTS}/items", None),
    "arrived": ("POST", f"{CARTS}/handoff", {"outcome": "arrived"}),
}
JSON = "application/json"
TYPES = [JSON, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None]
FETCH_SITES = [None, "same-origin", "none", "same-site", "cross-site"]
ORIGINS = [None, OWN, BLOG, EVIL, "null"]


def cookie_of(client: FlaskClient) -> str:
    cookie = client.get_cookie("ecscart", path="/ecscart")
    assert cookie is not None
    return cookie.value


def carrying(shop: Shop, cookie: str | None) -> FlaskClient:
    """A browser with this cookie."""
    client = shop.new_shopper()
    if cookie is not None:
        client.set_cookie("ecscart", cookie, path="/ecscart")
    return client


# --- Cross-site changes --------------------------------------------------------------------------------------


def expected(origin: str | None, fetch_site: str | None, content_type: str | None, *, has_body: bool) -> int:
    if origin in {EVIL, "null"}:
        return 403
    if origin is None and fetch_site in {"same-site", "cross-site"}:
        return 403
    if origin == BLOG:  # a page of another origin is nobody without its token, whatever cookie the browser adds
        return 401
    return 415 if has_body and content_type != JSON else 200


@pytest.mark.parametrize("with_cookie", [True, False], ids=["cookie", "no cookie"])
@pytest.mark.parametrize("change", CHANGES)
def test_what_a_page_may_change_follows_from_its_origin_and_the_type_of_its_body(
    shop: Shop, change: str, with_cookie: bool
) -> None:
    shop.add(LAMP)
    before = shop.held()
    method, path, body = CHANGES[change]
    client = carrying(shop, cookie_of(shop.client) if with_cookie else None)
    wrong = {}
    for content_type, fetch_site, origin in itertools.product(TYPES, FETCH_SITES, ORIGINS):
        headers = {"Origin": origin, "Sec-Fetch-Site": fetch_site}
        answer = client.open(
            path,
            method=method,
            data=json.dumps(body) if body is not None else None,
            content_type=content_type,
            headers={name: value for name, value in headers.items() if value is not None},
        )
        right = expected(origin, fetch_site, content_type, has_body=body is not None)
        if answer.status_code != right:
            wrong[content_type, fetch_site, origin] = (answer.status_code, right)
        if right != 200 and shop.held() != before:
            wrong[content_type, fetch_site, origin] = "changed the cart"
        before = shop.held()
    assert wrong == {}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path", ["/v1/carts", "/v1/carts/US", "/v1/carts/US/items", "/add?asin=" + MUG, "/cart", "/go/x"]
)
def test_nothing_changes_on_a_get(shop: Shop, method: str, path: str) -> None:
    shop.add(LAMP)
    with shop.site.database.reading() as connection:
        before = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
        shop.client.open(f"/ecscart{path}", method=method)
        assert connection.exec_driver_sql("SELECT count(*) FROM ecscart_sessions").scalar_one() == 1
    with shop.site.database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA data_version").scalar_one() == before
    assert shop.held() == {LAMP: 1}


@pytest.mark.parametrize("origin", [EVIL, "null", "https://shop.example.evil.example"])
def test_no_answer_allows_an_origin_that_is_not_listed_nor_any_credentials(shop: Shop, origin: str) -> None:
    for method, path, _ in [*CHANGES.values(), ("GET", CARTS, None), ("POST", "/ecscart/v1/shopper", None)]:
        for verb in (method, "OPTIONS"):
            answer = shop.client.open(path, method=verb, headers={"Origin": origin})
            assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]
            assert "Origin" in answer.headers["Vary"]
    allowed = shop.client.options(CARTS, headers={"Origin": BLOG})
    assert "Access-Control-Allow-Credentials" not in allowed.headers


# --- Other people's carts ------------------------------------------------------------------------------------


def test_a_cookie_with_any_character_changed_belongs_to_nobody(shop: Shop) -> None:
    shop.add(LAMP)
    cookie = cookie_of(shop.client)
    adopted = []
    for place in range(len(cookie)):
        other = "A" if cookie[place] != "A" else "C"  # C: the last character's unused bits stay what they are
        spoilt = cookie[:place] + other + cookie[place + 1 :]
        if carrying(shop, spoilt).get("/ecscart/v1/carts").json != {"carts": {}}:
            adopted.append((place, len(cookie)))
    assert [place for place, length in adopted if place < length - 1] == []


@given(guess=st.text(max_size=80) | st.from_regex(r"[A-Za-z0-9_\-]{1,60}(\.[A-Za-z0-9_\-]{1,40}){0,3}", fullmatch=True))
@example(guess="")
@example(guess="null")
@settings(
    max_examples=150, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_guess_is_anybodys_token_ticket_or_form(shop: Shop, guess: str) -> None:
    if not shop.held():
        shop.add(LAMP)
    header = guess.encode("ascii", "backslashreplace").decode().replace("\n", "").replace("\r", "")
    by_token = shop.new_shopper().get(
        "/ecscart/v1/carts", headers={"Origin": BLOG, "Authorization": f"Bearer {header}"}
    )
    assert by_token.status_code == 401
    assert shop.site.tickets.redeem(guess) is None
    assert not shop.site.tickets.form_token_valid(guess, "sid")
    assert shop.site.sessions.sid_from_token(guess, origin=None) is None
    assert shop.held() == {LAMP: 1}


def test_absent_forged_and_unknown_shoppers_are_answered_alike(shop: Shop) -> None:
    shop.add(LAMP)
    unknown = shop.site.sessions.token(shop.site.sessions.new_sid(), origin=None)
    answers = [
        carrying(shop, cookie).get("/ecscart/v1/carts")
        for cookie in (None, "x", cookie_of(shop.client)[:-3] + "AAA", unknown)
    ]
    assert {(answer.status_code, answer.data) for answer in answers} == {(200, b'{"carts":{}}')}
    assert len({str(sorted(answer.headers)) for answer in answers}) == 1


def test_a_line_of_another_shopper_cannot_be_named(shop: Shop) -> None:
    shop.add(LAMP, quantity=2)
    line = shop.cart()["items"][0]["cartItemId"]
    thief = shop.new_shopper()
    thief.post(f"{CARTS}/items", json={"items": [{"asin": MUG}]})
    for change in ({"quantity": 9}, {"quantity": 0}, {"area": "saved"}):
        answer = thief.patch(f"{CARTS}/items", json={"items": [{"cartItemId": line, **change}]})
        assert [item["asin"] for item in (answer.json or {})["items"]] == [MUG]
    assert shop.held() == {LAMP: 2}


@pytest.mark.parametrize("planted", ["chosen", "eyJhIjoxfQ.AAAA.BBBB", "", "a" * 4000])
def test_a_planted_session_id_is_replaced_by_one_of_ours(shop: Shop, planted: str) -> None:
    victim = carrying(shop, planted)
    victim.post(f"{CARTS}/items", json={"items": [{"asin": LAMP}]})
    assert cookie_of(victim) != planted
    assert carrying(shop, planted).get("/ecscart/v1/carts").json == {"carts": {}}


def test_a_cookie_of_another_site_with_its_own_secret_is_no_cookie_here(make_shop: Callable[..., Shop]) -> None:
    here, there = make_shop(), make_shop(SECRET_KEY="another-sites-secret-0123456789")
    there.add(LAMP)
    stranger = carrying(here, cookie_of(there.client))
    assert stranger.get("/ecscart/v1/carts").json == {"carts": {}}


# --- Bombs ---------------------------------------------------------------------------------------------------

DEEP = b"[" * 30_000
BODIES: dict[str, bytes] = {
    "deep arrays": DEEP,
    "deep objects": b'{"items":' * 5_000,
    "deep in an item": b'{"items":[{"asin":' + DEEP,
    "long number": b'{"items":[{"asin":"B0TESTLAMP","quantity":' + b"9" * 60_000 + b"}]}",
    "long exponent": b'{"items":[{"asin":"B0TESTLAMP","quantity":1e999999999}]}',
    "long string": b'{"items":[{"asin":"' + b"A" * 60_000 + b'"}]}',
    "many items": b'{"items":[' + b"{}," * 20_000 + b"{}]}",
    "many fields": b'{"items":[{' + b",".join(b'"f%d":1' % n for n in range(5_000)) + b"}]}",
    "same field often": b'{"items":[],' + b'"items":[],' * 4_000 + b'"items":[]}',
    "surrogate": b'{"items":[{"offerListingId":"\\ud800"}]}',
    "NUL": b"\x00" * 60_000,
    "over the limit": b" " * 70_000,
    "a megabyte": b" " * 1_000_000,
}
_SECONDS = 1.0


def asked(client: FlaskClient, method: str, path: str, **request: Any) -> TestResponse:
    begun = time.perf_counter()
    answer = client.open(path, method=method, **request)
    assert time.perf_counter() - begun < _SECONDS
    return answer


@pytest.mark.parametrize("change", ["add", "change", "arrived"])
@pytest.mark.parametrize("body", BODIES)
def test_a_body_made_to_hurt_is_refused_quickly_and_changes_nothing(shop: Shop, change: str, body: str) -> None:
    shop.add(LAMP)
    method, path, _ = CHANGES[change]
    answer = asked(shop.client, method, path, data=BODIES[body], content_type=JSON)
    assert answer.status_code in {400, 413, 422}
    assert answer.mimetype == "application/problem+json"
    assert len(answer.data) < 1_000
    assert shop.held() == {LAMP: 1}


@pytest.mark.parametrize("path", ["/ecscart/add", "/ecscart/cart"])
@pytest.mark.parametrize(
    "form",
    [b"a" * 20_000, b"&".join(b"f%d=1" % n for n in range(4_000)), b"token=" + b"%41" * 7_000],
    ids=["long", "many", "escapes"],
)
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_form_made_to_hurt_is_refused_quickly(shop: Shop, path: str, form: bytes, kind: str) -> None:
    shop.add(LAMP)
    sent = (
        form
        if "multipart" not in kind
        else b"".join(b'--x\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n1\r\n' % n for n in range(2_000))
    )
    answer = asked(shop.client, "POST", path, data=sent, content_type=kind)
    assert answer.status_code == 413
    assert shop.held() == {LAMP: 1}


ROUTES = [(rule, method) for rule, method, _ in (*api.ROUTES, *pages.ROUTES, *blueprint.ROUTES)]


@pytest.mark.parametrize(("rule", "method"), ROUTES, ids=[f"{method} {rule}" for rule, method in ROUTES])
def test_no_endpoint_is_brought_down_by_long_lists_long_values_or_a_body(shop: Shop, rule: str, method: str) -> None:
    shop.add(LAMP)
    path = "/ecscart" + rule.replace("<locale>", "US").replace("<ticket>", "t" * 5_000).replace("<digest>", "d" * 900)
    bombs: list[dict[str, Any]] = [
        {"query_string": "&".join(f"asin={n}" for n in range(5_000))},
        {"query_string": "asin=" + "A," * 20_000},
        {"query_string": "lang=" + "%" * 10_000 + "&locale=" + "US" * 10_000},
        {"headers": {"Authorization": "Bearer " + "a." * 30_000, "Origin": BLOG}},
        {"headers": {"Cookie": "ecscart=" + "a." * 30_000}},
        {"headers": {"Idempotency-Key": "k" * 30_000}},
        {"headers": {"Accept-Language": "de-" * 10_000, "Accept": "text/html," * 5_000}},
        {"headers": {"Referer": "http://localhost/" + "[" * 10_000, "Sec-Purpose": "p" * 10_000}},
        {"data": io.BytesIO(b"x" * 2_000_000), "content_type": "application/octet-stream"},
    ]
    for bomb in bombs:
        answer = asked(shop.new_shopper(), method, path, **bomb)
        assert answer.status_code < 500, bomb
    assert shop.held() == {LAMP: 1}
