"""Signed requests over HTTP with the habits of the clients that exist (PROTOCOL 6), and the status of each refusal."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from flask_ecscart.clock import iso
from flask_ecscart.service.access import signature
from tests.support.clock import FakeClock
from tests.unit.service.asking import Reply
from tests.unit.service.shop import BOOK, TAG

KEY, SECRET = "AKIAEXAMPLE000000000", "a/secret+key="
HOST = "shop.example:8001"
Ask = Callable[..., TestResponse]


@pytest.fixture
def closed(new_app: Callable[..., Flask]) -> FlaskClient:
    return new_app(keys={KEY: SECRET}, unsigned=False).test_client()


@pytest.fixture
def asked(closed: FlaskClient, clock: FakeClock) -> Ask:
    """`asked(method="POST", signed_host="shop.example", spelled=…)`: one CartCreate, signed and sent so."""

    def ask(
        *,
        method: str = "GET",
        signed_host: str = HOST,
        path: str = "/onca/xml",
        signed_path: str | None = None,
        secret: str = SECRET,
        spelled: Callable[[str], str] = lambda text: quote(text, safe=""),
        ordered: Callable[[list[str]], list[str]] = list,
        **more: str,
    ) -> TestResponse:
        sent = {
            "Service": "AWSECommerceService",
            "Operation": "CartCreate",
            "AWSAccessKeyId": KEY,
            "AssociateTag": TAG,
            "Version": "2013-08-01",
            "Timestamp": iso(clock()),
            "Item.0.ASIN": BOOK,
            "Item.0.Quantity": "1",
            **more,
        }
        sent = {name: value for name, value in sent.items() if value}
        sent["Signature"] = signature(method, signed_host, signed_path or path, sent, secret)
        encoded = "&".join(f"{name}={spelled(sent[name])}" for name in ordered(list(sent)))
        if method == "GET":
            return closed.get(path, query_string=encoded, headers={"Host": HOST})
        form = "application/x-www-form-urlencoded"
        return closed.post(path, data=encoded, content_type=form, headers={"Host": HOST})

    return ask


def lower_escapes(text: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda found: found.group().lower(), quote(text, safe=""))


HABITS: dict[str, dict[str, object]] = {
    "plain": {},
    "host without port": {"signed_host": "shop.example"},
    "host in capitals": {"signed_host": "SHOP.example:8001"},
    "milliseconds": {"Timestamp": "2026-03-14T09:26:53.573Z"},
    "an offset": {"Timestamp": "2026-03-14T18:26:53+09:00"},
    "lower-case escapes": {
        "spelled": lower_escapes,
        "Item.0.ASIN": "",
        "Item.0.OfferListingId": "offer+of/0201896842=",
    },
    "every byte escaped": {"spelled": lambda text: "".join(f"%{byte:02x}" for byte in text.encode())},
    "spaces as plus": {"spelled": lambda text: quote(text, safe="").replace("%20", "+"), "Domain": "a b"},
    "unreserved left alone": {"Domain": "~-_.!*'()", "spelled": lambda text: quote(text, safe="~!*'()")},
    "method and version named": {"SignatureMethod": "HmacSHA256", "SignatureVersion": "2"},
    "old id": {"AWSAccessKeyId": "", "SubscriptionId": KEY},
    "backwards": {"ordered": lambda names: names[::-1]},
    "sorted": {"ordered": sorted},
    "another language": {"Domain": "本 & ü"},
    "a locale's path": {"path": "/DE/onca/xml"},
    "a locale's path, signed as Amazon's": {"path": "/DE/onca/xml", "signed_path": "/onca/xml"},
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("habit", HABITS)
def test_every_habit_of_the_clients_is_let_in(asked: Ask, method: str, habit: str) -> None:
    response = asked(method=method, **HABITS[habit])
    assert (response.status_code, Reply(response).codes) == (200, [])
    assert Reply(response).texts("Quantity", "CartItem") == ["1"]


@pytest.mark.parametrize("seed", range(10))
def test_the_order_of_parameters_does_not_matter(asked: Ask, seed: int) -> None:
    assert asked(ordered=lambda names: random.Random(seed).sample(names, len(names))).status_code == 200


def test_a_get_signature_does_not_fit_a_post(closed: FlaskClient, clock: FakeClock) -> None:
    sent = {"Service": "AWSECommerceService", "Operation": "CartGet", "AWSAccessKeyId": KEY, "Timestamp": iso(clock())}
    sent["Signature"] = signature("GET", HOST, "/onca/xml", sent, SECRET)
    assert closed.post("/onca/xml", data=sent, headers={"Host": HOST}).status_code == 403
    assert closed.get("/onca/xml", query_string=sent, headers={"Host": HOST}).status_code == 200


@pytest.mark.parametrize(
    ("habit", "status", "code", "said"),
    [
        ({"secret": "another"}, 403, "SignatureDoesNotMatch", "The request signature we calculated does not match"),
        ({"signed_host": "other.example"}, 403, "SignatureDoesNotMatch", "Check your AWS Secret Access Key"),
        ({"signed_path": "/other"}, 403, "SignatureDoesNotMatch", "signing method"),
        ({"AWSAccessKeyId": "AKIANOBODY"}, 403, "InvalidClientTokenId", "does not exist in our records."),
        ({"AWSAccessKeyId": ""}, 403, "MissingClientTokenId", "Request must contain AWSAccessKeyId or X.509"),
        ({"Timestamp": ""}, 400, "AWS.MissingParameters", "Required parameters include Timestamp."),
        ({"Timestamp": "2026-03-14T09:11:52Z"}, 400, "RequestExpired", "Timestamp date is 2026-03-14T09:11:52Z."),
        ({"Timestamp": "2026-03-14T09:41:54Z"}, 400, "RequestExpired", "Timestamp date is 2026-03-14T09:41:54Z."),
        ({"Timestamp": "now"}, 400, "AWS.InvalidISO8601Time", "valid ISO 8601 date and time."),
    ],
    ids=range(9),
)
def test_every_refusal_has_its_status_and_document(
    asked: Ask, habit: dict[str, str], status: int, code: str, said: str
) -> None:
    response = asked(**habit)
    reply = Reply(response)
    assert (response.status_code, reply.name, reply.codes) == (status, "CartCreateErrorResponse", [code])
    assert said in (reply.text("Message") or "")
    assert SECRET not in response.text


def test_a_replay_is_refused_only_where_it_was_switched_on(new_app: Callable[..., Flask], clock: FakeClock) -> None:
    sent = {"Service": "AWSECommerceService", "Operation": "CartGet", "AWSAccessKeyId": KEY, "Timestamp": iso(clock())}
    sent["Signature"] = signature("GET", HOST, "/onca/xml", sent, SECRET)

    def statuses(**options: bool) -> list[int]:
        workers = [new_app(keys={KEY: SECRET}, unsigned=False, **options).test_client() for _ in range(2)]
        return [worker.get("/onca/xml", query_string=sent, headers={"Host": HOST}).status_code for worker in workers]

    assert statuses() == [200, 200]
    assert statuses(refuse_replays=True) == [200, 400]
    clock.advance(minutes=15)
    assert statuses(refuse_replays=True) == [400, 400]


def test_carts_and_callers_may_go_by_different_clocks(new_app: Callable[..., Flask], clock: FakeClock) -> None:
    later = FakeClock(clock() + timedelta(days=1))
    web = new_app(keys={KEY: SECRET}, unsigned=False, access_clock=later).test_client()
    sent = {"Service": "AWSECommerceService", "Operation": "CartGet", "AWSAccessKeyId": KEY, "Timestamp": iso(later())}
    sent["Signature"] = signature("GET", HOST, "/onca/xml", sent, SECRET)
    assert web.get("/onca/xml", query_string=sent, headers={"Host": HOST}).status_code == 200
