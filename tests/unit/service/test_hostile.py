"""Requests made to hurt: each ends in a clear error document, soon, and takes no more memory than its size."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from xml.etree.ElementTree import fromstring

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flask_ecscart.service.access import Access
from flask_ecscart.service.endpoint import Endpoint, Received
from flask_ecscart.service.engine import CartService
from flask_ecscart.service.parameters import MAX_BYTES
from tests.support.clock import FakeClock
from tests.unit.service.asking import ONE, Reply, ask, encoded
from tests.unit.service.shop import BOOK

FORM = "application/x-www-form-urlencoded"
MEGABYTE = 1024 * 1024
ODD = [
    *("\x00", "\x01", "\x7f", "\u2028", "\ufffe", "\U0010ffff", "]]>", "<!--", "&amp;", "%", "%%", "%u0041", "'\"<>"),
    *("{0}", "{name}", "{value!r}", "%s%n", "../../etc", "\u202e", "a" * 5000, " ", "\t\r\n", "-0", "+1", "１"),
]
FIELDS = [
    *("Version", "Operation", "Service", "AssociateTag", "CartId", "HMAC", "ResponseGroup", "MergeCart", "Validate"),
    *("Item.1.ASIN", "Item.1.Quantity", "Item.1.OfferListingId", "Item.1.ListItemId", "XMLEscaping", "AWSAccessKeyId"),
    *("ItemId", "Keywords", "Title", "SearchIndex", "ItemPage", "Sort", "Condition", "MerchantId", "VariationPage"),
    "IdType",
]
OPERATIONS = ["CartCreate", "CartGet", "CartModify", "ItemLookup", "ItemSearch"]


def readable(web: FlaskClient, query: str | bytes) -> Reply:
    """The reply, which must be a document of ours with a status that says whose fault it was."""
    text = query.decode("latin-1") if isinstance(query, bytes) else query
    response = web.get("/onca/xml", query_string=text)
    assert response.status_code in {200, 400, 403}
    reply = Reply(response)
    assert reply.name.endswith("Response")
    return reply


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("field", FIELDS)
def test_odd_texts_in_every_parameter(web: FlaskClient, operation: str, field: str) -> None:
    usual = {**ONE, "CartId": "1", "HMAC": "1", "ItemId": BOOK, "Keywords": "x"}
    if operation == "ItemSearch":
        usual["SearchIndex"] = "All"
    for odd in ODD:
        reply = readable(web, encoded(operation, {**usual, field: odd}))
        assert "{name}" not in (reply.text("Message") or "") or odd == "{name}"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (b"&".join(b"a%d=1" % number for number in range(5001)), "AWS.MaximumParameterRequirement"),
        (b"&".join(b"Item.%d.ASIN=1" % number for number in range(5001)), "AWS.MaximumParameterRequirement"),
        (b"a=" + b"%41" * 100_000, "AWS.InvalidParameterValue"),
        (b"a=%00", "AWS.InvalidParameterValue"),
        (b"%00%00=a", "AWS.InvalidParameterValue"),
        (b"a=%ff", "AWS.InvalidParameterValue"),
        (b"a=%C0%80", "AWS.InvalidParameterValue"),
        (b"a=%F4%90%80%80", "AWS.InvalidParameterValue"),
        (b"a=%ED%A0%80%ED%B0%80", "AWS.InvalidParameterValue"),
        (b"a=%FF%FE<", "AWS.InvalidParameterValue"),
        (b"a=1&a=2", "AWS.ParameterRepeatedInRequest"),
        (b"=&=", "AWS.ParameterRepeatedInRequest"),
        (b"%61=1&a=1", "AWS.ParameterRepeatedInRequest"),
    ],
    ids=range(13),
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_cannot_be_read_is_refused_by_both_ways(web: FlaskClient, method: str, query: bytes, code: str) -> None:
    if method == "GET":
        response = web.get("/onca/xml", query_string=query.decode("latin-1"))
    else:
        response = web.post("/onca/xml", data=query, content_type=FORM)
    if len(query) > MAX_BYTES and method == "POST":
        assert response.status_code == 413
        return
    assert (response.status_code, Reply(response).codes) == (400, [code])
    assert Reply(response).name in {"ErrorResponse", "CartCreateErrorResponse"}


def test_almost_five_thousand_parameters_are_read_and_echoed(web: FlaskClient) -> None:
    more = {f"x{number}": "" for number in range(4900)}
    reply = Reply(ask(web, parameters={**ONE, **more}))
    assert (reply.text("IsValid"), len(reply.all("Argument")) > 4900) == ("True", True)


def test_a_thousand_lines_are_refused(web: FlaskClient) -> None:
    lines = {f"Item.{n}.ASIN": f"B00PLAIN{n:02d}" for n in range(55)} | {f"Item.{n}.Quantity": "1" for n in range(55)}
    assert Reply(ask(web, parameters=lines)).codes == ["AWS.ECommerceService.ExceededMaximumCartItems"]
    unknown = {f"Item.{n}.ASIN": f"B1{n:08d}" for n in range(1600)} | {f"Item.{n}.Quantity": "1" for n in range(1600)}
    refused = Reply(ask(web, parameters=unknown))
    assert set(refused.codes) == {"AWS.ECommerceService.ItemNotEligibleForCart"}
    assert len(refused.body) < 4 * MAX_BYTES


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 10 * MEGABYTE])
def test_a_body_of_any_size_is_refused_without_being_read(web: FlaskClient, size: int) -> None:
    body = b"a=" + b"b" * (size - 2)
    tracemalloc.start()
    try:
        response = web.post("/onca/xml", data=body, content_type=FORM)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    reply = Reply(response)
    assert (response.status_code, reply.codes) == (413, ["AWS.InvalidParameterValue"])
    assert f"longer than {MAX_BYTES} bytes" in (reply.text("Message") or "")
    assert peak < 4 * MEGABYTE


@pytest.mark.parametrize(
    "query",
    [
        b"&".join(b"x%d=%%3C" % number for number in range(4999)),
        b"a=" + b"<" * (MAX_BYTES - 2),
        b"ResponseGroup=" + b",".join(b"g%d" % number for number in range(30_000)),
        b"ItemId=" + b",".join(b"B%09d" % number for number in range(20_000)),
        b"Keywords=" + b"w+" * 100_000,
        b"Item." + b"9" * 200_000 + b".ASIN=1",
    ],
    ids=range(6),
)
@pytest.mark.parametrize("operation", ["CartCreate", "ItemLookup", "ItemSearch"])
def test_a_reply_takes_memory_in_proportion_to_its_request(
    service: CartService, clock: FakeClock, operation: str, query: bytes
) -> None:
    endpoint = Endpoint(service, Access({}, clock=clock, unsigned=True), clock=clock)
    usual = encoded(operation, {"XMLEscaping": "Double"}).encode() + b"&"
    received = Received(method="POST", host="shop.example", path="/onca/xml", locale="US", query=usual, form=query)
    endpoint.answer(received)  # what is made once is not this request's
    tracemalloc.start()
    try:
        reply = endpoint.answer(received)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert fromstring(reply.body).tag.endswith("Response")
    assert peak < 80 * MAX_BYTES
    assert len(reply.body) < 12 * MAX_BYTES


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    operation=st.sampled_from(OPERATIONS),
    sent=st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=20) | st.sampled_from(ODD), max_size=8),
)
@example(operation="ItemSearch", sent={"SearchIndex": "All", "Keywords": "\u0345\u0130", "ItemPage": "²"})
def test_whatever_is_sent_to_any_operation_the_answer_is_a_document(
    web: FlaskClient, operation: str, sent: dict[str, str]
) -> None:
    clean = {name: value.encode("utf-8", "replace").decode() for name, value in sent.items()}
    readable(web, encoded(operation, clean))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tail=st.binary(max_size=60))
def test_whatever_bytes_follow_the_answer_is_a_document(web: FlaskClient, tail: bytes) -> None:
    posted = web.post("/onca/xml", data=encoded("CartCreate", ONE).encode() + b"&" + tail, content_type=FORM)
    assert posted.status_code in {200, 400, 403}
    assert Reply(posted).name.endswith("Response")


def test_nothing_of_a_failure_is_told(new_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture) -> None:
    """The reason is for the log, and what was sent is for neither."""

    class Broken:
        version = 0

        def lookup(self, locale: str, asins: object) -> dict[str, object]:
            raise RuntimeError("the reason")

        def offer(self, locale: str, offer_listing_id: str) -> None:
            raise RuntimeError("the reason")

    web = new_app(catalog=Broken()).test_client()
    response = ask(web, "ItemLookup", parameters={"ItemId": BOOK, "Signature": "a secret"})
    assert (response.status_code, Reply(response).codes) == (500, ["InternalError"])
    assert b"reason" not in response.data
    assert "the reason" in caplog.text
    assert "a secret" not in caplog.text
