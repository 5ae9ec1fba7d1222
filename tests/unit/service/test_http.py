"""The service over HTTP: what is asked, how it is answered, and what is refused before anything is looked at."""

from __future__ import annotations

import gzip
import logging
import re
from collections.abc import Callable
from urllib.parse import quote, unquote, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flask_ecscart.catalog.file import MemoryCatalog
from flask_ecscart.errors import ConfigError
from flask_ecscart.locales import LOCALES, RECORDED
from flask_ecscart.service.messages import NOT_A_NUMBER
from tests.support.clock import FakeClock
from tests.support.databases import BOTH_DATABASES
from tests.unit.service.asking import ONE, Reply, ask
from tests.unit.service.shop import BOOK, DVD, TAG, product

NewApp = Callable[..., Flask]


# --- Versions and what a reply says about its request --------------------------------------------------------


@pytest.mark.parametrize(
    "version", ["2004-08-01", "2005-03-23", "2010-12-01", "2011-08-01", "2013-08-01", "2099-01-01"]
)
def test_a_reply_speaks_the_version_asked_for(web: FlaskClient, version: str) -> None:
    reply = Reply(ask(web, parameters={**ONE, "Version": version}))
    assert reply.namespace == f"http://webservices.amazon.com/AWSECommerceService/{version}"
    assert bool(reply.all("MerchantId")) == (version <= "2010-12-01")
    expected = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}" if version >= "2013-08-01" else r"[0-9A-Z]{20}"
    assert re.fullmatch(expected, reply.text("RequestId") or "")


def test_without_a_version_the_oldest_guide_holds_and_no_tag_is_needed(web: FlaskClient) -> None:
    reply = Reply(ask(web, parameters={**ONE, "Version": None, "AssociateTag": None}))
    assert reply.namespace.endswith("/2005-10-05")
    assert "associate-id=ws" in (reply.text("PurchaseURL") or "")


def test_from_2011_on_a_tag_is_required(web: FlaskClient) -> None:
    reply = Reply(ask(web, parameters={**ONE, "Version": "2011-08-01", "AssociateTag": None}))
    assert (reply.text("IsValid"), reply.codes) == ("False", ["AWS.MissingParameters"])
    assert "AssociateTag" in (reply.text("Message") or "")


def test_arguments_are_echoed_with_their_values(web: FlaskClient) -> None:
    reply = Reply(ask(web, parameters={**ONE, "Domain": "", "Zeichen": "<ü&\"'>"}))
    arguments = {found.attrib["Name"]: found.attrib.get("Value") for found in reply.all("Argument")}
    assert arguments["Zeichen"] == "<ü&\"'>"
    assert arguments["Domain"] is None
    assert arguments["Item.1.ASIN"] == BOOK


def test_the_user_agent_is_echoed_and_absent_when_none_came(web: FlaskClient) -> None:
    named = Reply(ask(web, headers={"User-Agent": "old/1.0 \x01"}))
    assert [header.attrib for header in named.all("Header")] == [{"Name": "UserAgent", "Value": "old/1.0 "}]
    assert Reply(ask(web, headers={"User-Agent": ""})).all("HTTPHeaders") == []


def test_the_request_is_echoed_as_sent(web: FlaskClient) -> None:
    sent = {"Item.b.Quantity": "1", "Item.b.ASIN": DVD, "Item.10.ASIN": "B00PLAIN10", "Item.10.Quantity": "2"}
    sent |= {"Item.9.OfferListingId": "x%2By", "Item.9.Quantity": "03", "MergeCart": "True"}
    reply = Reply(ask(web, parameters={**sent, "ResponseGroup": "Request,Cart"}))
    (echo,) = reply.all("CartCreateRequest")
    flat = [(element.tag.rpartition("}")[2], element.text) for element in echo.iter() if element.text]
    assert flat == [
        ("MergeCart", "True"),
        *(("OfferListingId", "x%2By"), ("Quantity", "03")),
        *(("ASIN", "B00PLAIN10"), ("Quantity", "2")),
        *(("ASIN", DVD), ("Quantity", "1")),
        *(("ResponseGroup", "Request"), ("ResponseGroup", "Cart")),
    ]
    assert "MergeCart=True" in (reply.text("PurchaseURL") or "")
    assert [asin.text for asin in reply.all("CartItem")[0] if asin.tag.endswith("ASIN")] == ["B00PLAIN10"]


@pytest.mark.parametrize(
    ("locale", "version", "start", "separator"),
    [
        ("US", "2011-08-01", "https://www.amazon.com/", "%26"),
        ("US", "2013-08-01", "https://www.amazon.com/", "&"),
        ("DE", "2010-09-01", "https://www.amazon.de/", "%26"),
        ("JP", "2011-08-01", "https://www.amazon.co.jp/", "%26"),
        ("JP", "2013-08-01", "https://www.amazon.jp/", "%26"),
    ],
)
def test_purchase_urls_have_the_form_of_their_time(
    web: FlaskClient, locale: str, version: str, start: str, separator: str
) -> None:
    reply = Reply(ask(web, path=f"/{locale}/onca/xml", parameters={**ONE, "Version": version}))
    url = reply.text("PurchaseURL") or ""
    assert url.startswith(f"{start}gp/cart/aws-merge.html?cart-id={reply.text('CartId')}{separator}associate-id={TAG}")
    assert url.endswith(f"{separator}SubscriptionId=AKIAEXAMPLE{separator}MergeCart=False")
    assert bool(reply.all("MobileCartURL")) == (locale == "JP")


# --- Locales -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", RECORDED)
def test_the_locale_comes_from_the_host_or_from_the_path(web: FlaskClient, locale: str) -> None:
    by_host = Reply(ask(web, headers={"Host": f"{LOCALES[locale].endpoint}:80"}))
    by_path = Reply(ask(web, path=f"/{locale}/onca/xml"))
    assert by_host.text("CurrencyCode") == by_path.text("CurrencyCode") == LOCALES[locale].currency


def test_old_endpoints_are_known_and_strangers_get_the_us(web: FlaskClient) -> None:
    assert Reply(ask(web, headers={"Host": "ecs.amazonaws.co.uk"})).text("CurrencyCode") == "GBP"
    assert Reply(ask(web, headers={"Host": "127.0.0.1:8001"})).text("CurrencyCode") == "USD"
    assert ask(web, path="/XX/onca/xml").status_code == 404


# --- GET, POST, compression ----------------------------------------------------------------------------------


def test_a_form_post_is_answered_like_a_get(web: FlaskClient) -> None:
    form = {
        "Service": "AWSECommerceService",
        "Operation": "CartCreate",
        "SubscriptionId": "X",
        "AssociateTag": TAG,
        **ONE,
    }
    reply = Reply(web.post("/onca/xml", data=form))
    assert (reply.name, reply.text("IsValid")) == ("CartCreateResponse", "True")
    mixed = web.post("/onca/xml?Service=AWSECommerceService&Operation=CartCreate", data=form)
    assert Reply(mixed).codes == ["AWS.ParameterRepeatedInRequest"]


def test_a_body_of_another_kind_is_refused(web: FlaskClient) -> None:
    response = web.post("/onca/xml", data=b"{}", content_type="application/json")
    assert (response.status_code, Reply(response).name) == (415, "ErrorResponse")


def test_a_head_request_carries_nothing_out(web: FlaskClient) -> None:
    assert web.head("/onca/xml").status_code == 405


@pytest.mark.parametrize(
    ("accepted", "packed"), [("gzip", True), ("deflate, gzip;q=0.5", True), ("", False), ("gzip;q=0", False)]
)
def test_replies_are_compressed_when_asked(web: FlaskClient, accepted: str, packed: bool) -> None:
    response = ask(web, headers={"Accept-Encoding": accepted})
    assert (response.headers.get("Content-Encoding") == "gzip") is packed
    body = gzip.decompress(response.data) if packed else response.data
    assert body.startswith(b'<?xml version="1.0" encoding="UTF-8"?><CartCreateResponse xmlns=')
    assert "Accept-Encoding" in response.headers["Vary"]
    assert response.headers["Cache-Control"] == "no-store"
    assert response.content_type == "text/xml;charset=UTF-8"


# --- Validation ----------------------------------------------------------------------------------------------

INVALID = [
    ("CartCreate", {}, ["AWS.MissingParameters"]),
    ("CartCreate", {"Item.1.ASIN": BOOK}, ["AWS.MissingParameters"]),
    ("CartCreate", {"Item.1.Quantity": "1"}, ["AWS.MissingParameterCombination"]),
    ("CartCreate", {**ONE, "Item.1.OfferListingId": "x"}, ["AWS.InvalidParameterCombination"]),
    ("CartCreate", {**ONE, "Item.1.Quantity": "0"}, ["AWS.ParameterOutOfRange"]),
    ("CartCreate", {**ONE, "Item.1.Quantity": "9" * 6000}, ["AWS.ParameterOutOfRange"]),
    ("CartCreate", {**ONE, "Item.1.Quantity": "-" + "9" * 6000}, ["AWS.ParameterOutOfRange"]),
    ("CartCreate", {**ONE, "Item.1.Quantity": "two"}, ["AWS.ECommerceService.InvalidQuantity"]),
    ("CartCreate", {**ONE, "Item.1.Quantity": "1e2"}, ["AWS.ECommerceService.InvalidQuantity"]),
    ("CartCreate", {**ONE, "Item.1.Quantity": "٣"}, ["AWS.ECommerceService.InvalidQuantity"]),
    (
        "CartCreate",
        {**ONE, "ResponseGroup": "Cart,Huge"},
        ["AWS.InvalidEnumeratedParameter", "AWS.InvalidResponseGroup"],
    ),
    ("CartCreate", {**ONE, "ResponseGroup": "Cart,Large"}, ["AWS.InvalidResponseGroup"]),
    ("CartAdd", {}, ["AWS.MissingParameters"] * 3),
    ("CartGet", {"CartId": "1"}, ["AWS.MissingParameters"]),
    ("CartModify", {"CartId": "1", "HMAC": "2", "Item.1.Quantity": "1"}, ["AWS.MissingParameters"]),
    ("CartModify", {"CartId": "1", "HMAC": "2", "Item.1.CartItemId": "C"}, ["AWS.MinimumParameterRequirement"]),
    (
        "CartModify",
        {"CartId": "1", "HMAC": "2", "Item.1.CartItemId": "C", "Item.1.Action": "Burn"},
        ["AWS.InvalidEnumeratedParameter"],
    ),
    (
        "CartModify",
        {"CartId": "1", "HMAC": "2", "Item.1.CartItemId": "C", "Item.1.Quantity": "-1"},
        ["AWS.ParameterOutOfRange"],
    ),
]


@pytest.mark.parametrize(("operation", "parameters", "codes"), INVALID)
def test_a_request_that_is_wrong_in_itself_is_not_valid(
    web: FlaskClient, operation: str, parameters: dict[str, str], codes: list[str]
) -> None:
    response = ask(web, operation, parameters=parameters)
    reply = Reply(response)
    assert (response.status_code, reply.text("IsValid"), reply.codes) == (200, "False", codes)
    assert reply.all("PurchaseURL") == []
    if "InvalidQuantity" in codes[0]:
        assert reply.text("Message") == NOT_A_NUMBER


def test_validate_checks_and_does_nothing(web: FlaskClient) -> None:
    reply = Reply(ask(web, parameters={**ONE, "Validate": "True"}))
    assert (reply.text("IsValid"), reply.all("CartId"), reply.codes) == ("True", [], [])


def test_the_cart_group_is_needed_to_see_the_cart(web: FlaskClient) -> None:
    assert Reply(ask(web, parameters={**ONE, "ResponseGroup": "Request"})).all("CartItems") == []
    assert len(Reply(ask(web, parameters={**ONE, "ResponseGroup": "CartSimilarities,Cart"})).all("CartItems")) == 1


def test_a_plus_sign_sent_raw_is_explained(web: FlaskClient) -> None:
    ids = next(ids for ids in iter(lambda: Reply(ask(web)).ids(), None) if "+" in ids["HMAC"])
    query = "Service=AWSECommerceService&Operation=CartGet&AWSAccessKeyId=X&AssociateTag=" + TAG
    raw = web.get("/onca/xml", query_string=f"{query}&CartId={ids['CartId']}&HMAC={ids['HMAC']}")
    assert Reply(raw).codes == ["AWS.ECommerceService.InvalidHMAC"]
    encoded = web.get("/onca/xml", query_string=f"{query}&CartId={ids['CartId']}&HMAC={quote(ids['HMAC'], safe='')}")
    assert Reply(encoded).codes == []


# --- Error documents -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "status", "name", "code"),
    [
        ({"Operation": None}, 400, "ErrorResponse", "AWS.MissingOperationParameter"),
        ({"Operation": "CartBurn"}, 400, "ErrorResponse", "AWS.InvalidOperationParameter"),
        ({"Service": None}, 400, "CartCreateErrorResponse", "AWS.MissingServiceParameter"),
        ({"Service": "Mail"}, 400, "CartCreateErrorResponse", "AWS.InvalidServiceParameter"),
        ({"AWSAccessKeyId": None}, 403, "CartCreateErrorResponse", "MissingClientTokenId"),
        ({"AWSAccessKeyId": "AKIANOBODY"}, 403, "CartCreateErrorResponse", "InvalidClientTokenId"),
        (
            {"Signature": "x", "Timestamp": "2026-03-14T09:26:53Z"},
            403,
            "CartCreateErrorResponse",
            "SignatureDoesNotMatch",
        ),
        ({}, 400, "CartCreateErrorResponse", "AWS.MissingParameters"),
    ],
)
def test_who_may_not_ask_gets_an_error_document(
    new_app: NewApp, parameters: dict[str, str | None], status: int, name: str, code: str
) -> None:
    web = new_app(keys={"AKIAEXAMPLE": "secret"}, unsigned=False).test_client()
    response = ask(web, parameters={**ONE, **parameters})
    reply = Reply(response)
    assert (response.status_code, reply.name, reply.codes) == (status, name, [code])
    assert reply.namespace == "http://ecs.amazonaws.com/doc/2013-08-01/"
    assert bool(reply.all("RequestId")) == (code == "SignatureDoesNotMatch")


def test_a_version_that_is_no_date_is_refused(web: FlaskClient) -> None:
    response = ask(web, parameters={**ONE, "Version": "latest"})
    assert (response.status_code, Reply(response).codes) == (400, ["AWS.InvalidISO8601Time"])


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (b"&" * 5000, "AWS.MaximumParameterRequirement"),
        (b"x=" + b"y" * 300_000, "AWS.InvalidParameterValue"),
        (b"Operation=Cart%00Get", "AWS.InvalidParameterValue"),
        (b"%00=1", "AWS.InvalidParameterValue"),
        (b"x=%01", "AWS.InvalidParameterValue"),
        (b"x=%ff%fe", "AWS.InvalidParameterValue"),
        (b"x=%ed%a0%80", "AWS.InvalidParameterValue"),
        (b"x=%ef%bf%bf", "AWS.InvalidParameterValue"),
        (b"Operation=CartGet&Operation=CartClear", "AWS.ParameterRepeatedInRequest"),
    ],
    ids=range(9),
)
def test_a_request_that_cannot_be_read_ends_in_a_clear_error(web: FlaskClient, query: bytes, code: str) -> None:
    response = web.get("/onca/xml", query_string=query.decode("latin-1"))
    assert (response.status_code, Reply(response).codes) == (400, [code])


def test_a_body_that_is_too_long_is_refused(web: FlaskClient) -> None:
    response = web.post("/onca/xml", data={"x": "y" * 300_000})
    assert (response.status_code, Reply(response).name) == (413, "ErrorResponse")


def test_one_transaction_a_second_for_each_key(new_app: NewApp, clock: FakeClock) -> None:
    web, other_worker = (new_app(rate=1.0).test_client() for _ in range(2))
    assert ask(web).status_code == 200
    refused = ask(other_worker)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert Reply(refused).text("Message") == (
        "AWS Access Key ID: AKIAEXAMPLE. You are submitting requests too quickly. "
        "Please retry your requests at a slower rate."
    )
    assert ask(web, parameters={**ONE, "AWSAccessKeyId": "AKIAOTHER"}).status_code == 200
    clock.advance(seconds=1)
    assert ask(other_worker).status_code == 200


def test_an_unexpected_failure_is_an_internal_error_without_its_reason(
    new_app: NewApp, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(MemoryCatalog):
        def lookup(self, locale: str, asins: object) -> dict[str, object]:  # type: ignore[override]
            raise RuntimeError("the reason")

    web = new_app(catalog=Broken()).test_client()
    with caplog.at_level(logging.ERROR):
        response = ask(web)
    assert (response.status_code, Reply(response).codes) == (500, ["InternalError"])
    assert b"the reason" not in response.data
    assert "the reason" in caplog.text


def test_a_server_nobody_may_ask_is_not_started(new_app: NewApp) -> None:
    with pytest.raises(ConfigError, match="allow unsigned requests"):
        new_app(unsigned=False)


# --- Durability ----------------------------------------------------------------------------------------------


@BOTH_DATABASES
def test_carts_outlive_the_server_and_its_workers_share_them(new_app: NewApp) -> None:
    first, second = new_app().test_client(), new_app().test_client()
    made = Reply(ask(first)).ids()
    assert len(Reply(ask(second, "CartGet", parameters=made)).all("CartItem")) == 1
    assert len(Reply(ask(new_app().test_client(), "CartGet", parameters=made)).all("CartItem")) == 1


# --- The retail page -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["2011-08-01", "2013-08-01"])
@pytest.mark.parametrize("locale", ["US", "JP"])
@pytest.mark.parametrize("tag", [TAG, None])
def test_visiting_the_purchase_url_ends_the_cart(new_app: NewApp, version: str, locale: str, tag: str | None) -> None:
    web = new_app(retail_base="http://shop.example:8001/").test_client()
    version = version if tag else "2010-12-01"
    wanted = {**ONE, "Version": version, "AssociateTag": tag}
    made = Reply(ask(web, path=f"/{locale}/onca/xml", parameters=wanted))
    url = urlsplit(made.text("PurchaseURL") or "")
    assert url.netloc == "shop.example:8001"
    there = f"{url.path}?{url.query}"
    assert web.head(there).status_code == 200
    arrived = web.get(there)
    assert arrived.status_code == 200
    assert BOOK in arrived.text
    assert (tag or "none") in arrived.text
    assert arrived.headers["Referrer-Policy"] == "no-referrer"
    asked = {**made.ids(), "Version": version, "AssociateTag": tag}
    after = Reply(ask(web, "CartGet", path=f"/{locale}/onca/xml", parameters=asked))
    assert after.codes == ["AWS.ECommerceService.InvalidCartId"]
    again = web.get(there)
    assert (again.status_code, BOOK in again.text) == (410, False)


def test_the_retail_page_knows_no_other_cart(web: FlaskClient) -> None:
    for query in ("", "cart-id=1&hmac=2", "%26%26%3d", "cart-id=%ff%00", "&&&==="):
        assert web.get("/gp/cart/aws-merge.html", query_string=query).status_code == 404


def test_a_title_cannot_write_into_the_retail_page(new_app: NewApp, catalog: MemoryCatalog) -> None:
    import msgspec

    catalog.put(msgspec.structs.replace(product(BOOK), title="<script>alert(1)</script>"))
    web = new_app(retail_base="http://shop.example").test_client()
    url = urlsplit(Reply(ask(web)).text("PurchaseURL") or "")
    assert "<script>" not in web.get(f"{url.path}?{url.query}").text


def test_health_is_told(web: FlaskClient) -> None:
    assert (web.get("/healthz").status_code, web.get("/healthz").text) == (200, "ok")


# --- Anything at all -----------------------------------------------------------------------------------------

_NAMES = st.sampled_from(
    [
        *("Service", "Operation", "Version", "AssociateTag", "CartId", "HMAC", "ResponseGroup", "Timestamp"),
        *("Item.1.ASIN", "Item.1.Quantity", "Item..ASIN", "Item.x.y.CartItemId", "Item.1.Action", "Validate"),
    ]
)
_VALUES = st.text(max_size=30) | st.sampled_from(["AWSECommerceService", "CartAdd", "CartModify", "CartGet", BOOK, "1"])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=st.dictionaries(_NAMES | st.text(max_size=10), _VALUES, max_size=12))
def test_whatever_is_sent_the_answer_is_a_document(web: FlaskClient, sent: dict[str, str]) -> None:
    def encoded(text: str) -> str:
        return quote(text.encode("utf-8", "surrogatepass"), safe="")

    query = "&".join(f"{encoded(name)}={encoded(value)}" for name, value in sent.items())
    response = web.get("/onca/xml", query_string=f"AWSAccessKeyId=X&{query}")
    assert response.status_code in {200, 400, 403}
    assert Reply(response).name.endswith("Response")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cart_id=st.text(max_size=30), hmac=st.text(max_size=40))
def test_no_guess_opens_a_cart(web: FlaskClient, cart_id: str, hmac: str) -> None:
    ids = {"CartId": cart_id, "HMAC": hmac, "AssociateTag": unquote(TAG)}
    reply = Reply(ask(web, "CartGet", parameters=ids))
    assert reply.all("CartItems") == []
    assert set(reply.codes) <= {
        "AWS.ECommerceService.CartInfoMismatch",
        "AWS.MissingParameters",
        "AWS.InvalidParameterValue",
    }
    assert reply.codes
