"""Answers: their headers, where they lead, what strangers can write into them, what they and logs never hold."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from flask_ecscart.ecs.query import percent_encode
from flask_ecscart.web import api, blueprint, pages
from tests.support.databases import BOTH_DATABASES
from tests.support.shop import LAMP, LIMITED, MUG, Shop

CARTS = "/ecscart/v1/carts/US"
LINE_BREAKS = [
    "\r\nSet-Cookie: planted=1",
    "\nplanted: 1",
    "\r\n\r\n<script>planted</script>",
    "\x85planted",
    "\u2028planted",
]


# --- Headers -------------------------------------------------------------------------------------------------

PAGES = {rule for rule, _, _ in pages.ROUTES} - {"/go/<ticket>"}
PUBLIC = {"/ecscart.js", "/ecscart.<digest>.js", "/pages.css"}
ROUTES = [(rule, method) for rule, method, _ in (*api.ROUTES, *pages.ROUTES, *blueprint.ROUTES)]


@pytest.mark.parametrize(("rule", "method"), ROUTES, ids=[f"{method} {rule}" for rule, method in ROUTES])
def test_every_answer_says_how_it_may_be_used(shop: Shop, rule: str, method: str) -> None:
    path = "/ecscart" + rule.replace("<locale>", "US").replace("<digest>", shop.site.widget.digest)
    path = path.replace("<ticket>", "x") + (f"?asin={LAMP}" if rule == "/add" else "")
    for accept in ("text/html", "application/json"):
        answer = shop.client.open(path, method=method, headers={"Accept": accept})
        headers = answer.headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Origin" in headers["Vary"]
        if rule in PUBLIC:
            assert "public" in headers["Cache-Control"]
            continue
        assert headers["Cache-Control"] == "private, no-store"
        assert "Cookie" in headers["Vary"]
        policy = {part.strip() for part in headers["Content-Security-Policy"].split(";")}
        assert {"default-src 'none'", "frame-ancestors 'none'"} <= policy
        assert not [part for part in policy if re.search(r"script-src|unsafe|\*", part)]
        assert headers["Cross-Origin-Resource-Policy"] == ("cross-origin" if rule == "/healthz" else "same-origin")


def test_the_widget_and_the_sign_of_life_may_be_loaded_by_other_sites(shop: Shop) -> None:
    for path in ("ecscart.js", f"ecscart.{shop.site.widget.digest}.js", "healthz"):
        assert shop.client.get(f"/ecscart/{path}").headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_the_integrity_of_the_printed_tag_is_that_of_the_file(shop: Shop) -> None:
    import hashlib

    served = shop.client.get("/ecscart/ecscart.js").data
    assert shop.site.widget.integrity == "sha384-" + base64.b64encode(hashlib.sha384(served).digest()).decode()


@pytest.mark.parametrize("secure", [True, False])
def test_the_cookie_is_secure_where_the_site_says_so_small_and_bound_to_our_path(
    make_shop: Callable[..., Shop], secure: bool
) -> None:
    shop = make_shop(SESSION_COOKIE_SECURE=secure)
    [cookie] = shop.add(LAMP).headers.getlist("Set-Cookie")
    parts = {part.strip() for part in cookie.split(";")}
    assert {"HttpOnly", "Path=/ecscart", "SameSite=Lax"} <= parts
    assert ("Secure" in parts) is secure
    assert not [part for part in parts if part.startswith("Domain")]
    assert len(cookie) < 400


# --- Where answers lead --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/ecscart/go/x?next=https://evil.example",
        "/ecscart/go/https%3A%2F%2Fevil.example",
        "/ecscart/go/%5C%5Cevil.example",
        "/ecscart/go//evil.example",
        "//evil.example/ecscart/go/x",
        "/ecscart/cart/",
        "/ecscart//evil.example/..",
        "/ecscart/go/x?lang=//evil.example&locale=https://evil.example",
    ],
)
def test_no_address_of_ours_redirects_to_where_a_stranger_says(shop: Shop, path: str) -> None:
    shop.add(LAMP)
    answer = shop.client.get(path, headers={"X-Forwarded-Host": "evil.example"})
    leads = urlsplit(answer.headers.get("Location", "/ecscart/cart"))
    assert leads.netloc in {"", "localhost"}
    assert leads.path.startswith("/ecscart/")


def test_a_form_leads_back_to_our_own_page_whatever_host_was_named(shop: Shop) -> None:
    page = shop.client.get(f"/ecscart/add?asin={LAMP}").text
    form = {"token": re.findall(r'name="token" value="([^"]+)"', page)[0], "asin": LAMP, "lang": "//evil.example"}
    answer = shop.client.post("/ecscart/add", data=form, headers={"X-Forwarded-Host": "evil.example"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/ecscart/cart?locale=US#US")


# --- What strangers can write --------------------------------------------------------------------------------


def no_header_was_planted(answer: TestResponse) -> None:
    for name, value in answer.headers:
        assert not re.search(r"[\r\n\x00\x85\u2028]", value), (name, value)
        assert name.lower() != "planted"
        assert not value.startswith("planted=")


@pytest.mark.parametrize("piece", LINE_BREAKS)
def test_what_a_request_names_breaks_no_header_and_no_line_of_a_log(
    shop: Shop, caplog: pytest.LogCaptureFixture, piece: str
) -> None:
    caplog.set_level(logging.DEBUG)
    escaped = percent_encode(piece)
    shop.add(LAMP)
    page = shop.client.get(f"/ecscart/add?asin={LAMP}").text
    token = re.findall(r'name="token" value="([^"]+)"', page)[0]
    for method, path, sent in [
        ("GET", f"/ecscart/v1/carts/US{escaped}", {}),
        ("GET", f"/ecscart/go/{escaped}", {}),
        ("GET", f"/ecscart/{escaped}", {}),
        ("GET", f"/ecscart/v1/products/US?asin={LAMP}{escaped}", {}),
        ("GET", f"/ecscart/cart?locale=US{escaped}&lang=de{escaped}", {}),
        ("GET", f"/ecscart/add?asin={LAMP}{escaped}", {}),
        (
            "POST",
            "/ecscart/add",
            {"data": {"token": token, "asin": LAMP + piece, "locale": "US", "lang": "de" + piece}},
        ),
        ("POST", "/ecscart/cart", {"data": {"token": token, "do": "remove:" + piece, "locale": "US" + piece}}),
        ("POST", f"{CARTS}/items", {"json": {"items": [{"asin": LAMP + piece}]}}),
        ("POST", f"{CARTS}/items", {"json": {"items": [{"offerListingId": piece}]}}),
        ("PATCH", f"{CARTS}/items", {"json": {"items": [{"cartItemId": piece, "quantity": 1}]}}),
    ]:
        answer = shop.client.open(path, method=method, **sent)
        assert answer.status_code < 500
        no_header_was_planted(answer)
    for record in caplog.records:
        if not record.name.startswith("sqlalchemy"):  # says at DEBUG what is stored
            assert not re.search(r"[\r\n]", record.getMessage())
    assert shop.held() == {LAMP: 1}


@pytest.mark.parametrize("ending", ["\n", "\r\n", " ", "\u0000", "\u2028"])
def test_an_asin_with_anything_behind_it_is_no_asin(shop: Shop, ending: str) -> None:
    answer = shop.client.post(f"{CARTS}/items", json={"items": [{"asin": LAMP + ending}]})
    assert (answer.status_code, (answer.json or {})["field"]) == (422, "items[0].asin")


@pytest.mark.parametrize("title", [f"Lamp{piece}" for piece in LINE_BREAKS])
def test_a_title_breaks_no_header_and_no_log(shop: Shop, caplog: pytest.LogCaptureFixture, title: str) -> None:
    caplog.set_level(logging.DEBUG)
    old = shop.catalog.lookup("US", [LIMITED])[LIMITED]
    shop.catalog.put(msgspec.structs.replace(old, title=title))
    shop.add(LIMITED, quantity=9)
    for path in ("/ecscart/cart", f"/ecscart/add?asin={LIMITED}", CARTS, f"/ecscart/v1/products/US?asin={LIMITED}"):
        no_header_was_planted(shop.client.get(path))
    assert "planted" not in "".join(record.getMessage() for record in caplog.records)


# --- Secrets -------------------------------------------------------------------------------------------------

CANARY = "canary-secret-key-5f0c1b7e9d"


class Heard:
    """Everything a shop answered, and everything that was logged while it did."""

    def __init__(self, shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
        self.shop, self._caplog = shop, caplog
        self.answers: list[str] = []

    def ask(self, method: str, path: str, **sent: Any) -> TestResponse:
        answer = self.shop.client.open(path, method=method, **sent)
        headers = [f"{name}: {value}" for name, value in answer.headers if name not in {"Set-Cookie", "Location"}]
        self.answers += headers
        if answer.status_code != 303:  # leaving is where Location leads, and its body says the same
            self.answers.append(answer.text)
        return answer

    def logs(self) -> Iterator[str]:
        for record in self._caplog.records:
            yield f"{record.getMessage()} {record.args!r}"
            yield record.exc_text or ""
        yield self._caplog.text


def secrets_of(shop: Shop) -> dict[str, str]:
    with shop.site.database.reading() as connection:
        carts = [json.loads(row.data)["carts"] for row in connection.execute(text("SELECT data FROM ecscart_sessions"))]
        seals = [bytes(row.value) for row in connection.execute(text("SELECT value FROM ecscart_remote_secrets"))]
    refs = [wish["ref"] for wishes in carts for wish in wishes.values() if wish.get("ref")]
    cookie = shop.client.get_cookie("ecscart", path="/ecscart")
    assert refs
    assert seals
    assert cookie is not None
    sid = shop.site.sessions.sid_from_token(cookie.value, origin=None)
    known = {"SECRET_KEY": CANARY, "cookie": cookie.value, "session id": str(sid)}
    for number, ref in enumerate(refs):
        known |= {f"HMAC {number}": ref["hmac"], f"CartId {number}": ref["cart_id"]}
        known |= {f"encoded HMAC {number}": percent_encode(ref["hmac"])}
    for number, seal in enumerate(seals):
        known |= {f"seal {number}": seal.hex(), f"raw seal {number}": repr(seal)[2:-1]}
    return known


def test_no_secret_is_in_any_answer_log_or_traceback_of_a_whole_run(
    make_shop: Callable[..., Shop], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shop = make_shop(SECRET_KEY=CANARY)
    heard = Heard(shop, caplog)
    items = {"json": {"items": [{"asin": LAMP}, {"asin": LIMITED, "quantity": 9}, {"asin": "B0TESTNONE"}]}}
    heard.ask("POST", f"{CARTS}/items", **items, headers={"Idempotency-Key": "k1"})
    heard.ask("POST", f"{CARTS}/items", json={"items": [{"asin": MUG}]}, headers={"Idempotency-Key": "k1"})
    known = secrets_of(shop)
    for method, path in [
        ("GET", path) for path in ("/v1/carts", "/v1/carts/US", "/cart", "/v1/nowhere", "/openapi.json")
    ]:
        heard.ask(method, f"/ecscart{path}")
    heard.ask("PATCH", f"{CARTS}/items", json={"items": [{"asin": LAMP, "quantity": "x"}]})
    heard.ask("PATCH", f"{CARTS}/items", json={"items": [{"asin": LAMP, "quantity": 2}]}, headers={"Origin": "null"})
    heard.ask("POST", "/ecscart/cart", data={"token": "forged", "do": "clear:"})
    with shop.site.database.transaction() as connection:  # a row nobody can read: a traceback is logged
        whole = connection.execute(text("SELECT data FROM ecscart_sessions")).scalar_one()
        connection.execute(text("UPDATE ecscart_sessions SET data = :d"), {"d": bytes(whole)[:-9]})
    assert heard.ask("POST", f"{CARTS}/items", json={"items": [{"asin": MUG}]}).status_code == 500
    with shop.site.database.transaction() as connection:
        connection.execute(text("UPDATE ecscart_sessions SET data = :d"), {"d": whole})
        connection.execute(text("ALTER TABLE ecscart_remote_lines RENAME TO gone"))
    assert heard.ask("POST", f"{CARTS}/items", json={"items": [{"asin": MUG}]}).status_code == 503
    with shop.site.database.transaction() as connection:
        connection.execute(text("ALTER TABLE gone RENAME TO ecscart_remote_lines"))
    ticket = (heard.ask("GET", CARTS).json or {})["handoff"]["action"]
    assert "/demo/" in heard.ask("GET", ticket).headers["Location"]
    heard.ask("POST", f"{CARTS}/handoff", json={"outcome": "failed"})
    everything = "\n".join([*heard.answers, *heard.logs(), repr(shop.site.settings), repr(shop.site.database)])
    assert "Traceback" in everything
    assert [name for name, secret in known.items() if secret in everything] == []


@BOTH_DATABASES
def test_a_database_error_nobody_foresaw_is_logged_without_what_was_written(
    make_shop: Callable[..., Shop], tmp_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    shop = make_shop(SECRET_KEY=CANARY, ECSCART_DATABASE_URL=tmp_database_url)
    heard = Heard(shop, caplog)
    shop.add(LAMP)
    body, done = "BEGIN SELECT RAISE(ABORT, 'not today'); END", ""
    if not shop.site.database.is_sqlite:
        body, done = "FOR EACH ROW EXECUTE FUNCTION no()", "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS "
        done += "$$ BEGIN RAISE EXCEPTION 'not today'; END $$"
    with shop.site.database.transaction() as connection:
        for statement in filter(None, [done, f"CREATE TRIGGER no BEFORE UPDATE ON ecscart_sessions {body}"]):
            connection.execute(text(statement))
    assert heard.ask("POST", f"{CARTS}/items", json={"items": [{"asin": MUG}]}).status_code == 500
    everything = "\n".join([*heard.answers, *heard.logs()])
    assert "not today" in everything
    assert [name for name, secret in secrets_of(shop).items() if secret in everything] == []
