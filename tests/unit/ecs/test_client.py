"""Five operations, one transaction each: checked before, signed, sent once, and read for what the answer says."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from flask_ecscart import errors
from flask_ecscart.ecs import ECSClient, ECSProvider, Reply, RequestsTransport
from flask_ecscart.locales import LOCALES
from flask_ecscart.model import CartRef, ItemChange, NewItem
from flask_ecscart.provider import CartProvider

Sample = Callable[[str], bytes]
Script = Callable[..., Any]

CART_ID, HMAC = "111-2222222-3333333", "ab+cd/efghijklmnopqrstuvwxy="
REF = CartRef(locale="US", cart_id=CART_ID, hmac=HMAC, associate_tag="first-20")
ONE = [NewItem(asin="B000SAMPL1", quantity=1)]
FULL = (
    '<{0}Response xmlns="http://webservices.amazon.com/AWSECommerceService/2013-08-01"><Cart>'
    f"<CartId>{CART_ID}</CartId><HMAC>{HMAC}</HMAC></Cart></{{0}}Response>"
)
HTML = b"<html><body><h1>Busy</h1></body></html>"


def full(operation: str) -> Reply:
    return Reply(200, {}, FULL.format(operation).encode())


def client(transport: Any, clock: Any, **options: Any) -> ECSClient:
    return ECSClient("US", "KEYCANARY", "secretcanary", "own-20", transport=transport, clock=clock, **options)


def sent_parameters(transport: Any, index: int = -1) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(transport.sent[index][1]).query, keep_blank_values=True, strict_parsing=True))


CALLS: dict[str, tuple[Callable[[ECSClient], Any], dict[str, str]]] = {
    "CartCreate": (lambda c: c.create(ONE), {"AssociateTag": "own-20", "Item.1.ASIN": "B000SAMPL1"}),
    "CartAdd": (lambda c: c.add(REF, ONE), {"AssociateTag": "first-20", "Item.1.ASIN": "B000SAMPL1"}),
    "CartModify": (
        lambda c: c.modify(REF, [ItemChange(cart_item_id="U1", quantity=0)]),
        {"AssociateTag": "first-20", "Item.1.CartItemId": "U1", "Item.1.Quantity": "0"},
    ),
    "CartClear": (lambda c: c.clear(REF), {"AssociateTag": "first-20"}),
    "CartGet": (lambda c: c.get(REF), {"AssociateTag": "first-20"}),
}
every_operation = pytest.mark.parametrize("operation", CALLS)


# --- What is sent --------------------------------------------------------------------------------------------


@every_operation
def test_an_operation_is_one_signed_get_to_the_locales_endpoint(scripted: Script, clock: Any, operation: str) -> None:
    call, expected = CALLS[operation]
    transport = scripted(full(operation))
    cart = call(client(transport, clock))
    assert (cart.ref.cart_id, cart.ref.hmac) == (CART_ID, HMAC)
    assert cart.ref.associate_tag == expected["AssociateTag"]
    ((method, url, headers),) = transport.sent
    assert method == "GET"
    assert url.startswith("https://webservices.amazon.com/onca/xml?")
    assert headers["Host"] == "webservices.amazon.com"
    sent = sent_parameters(transport)
    on_cart = {} if operation == "CartCreate" else {"CartId": CART_ID, "HMAC": HMAC}
    common = {
        "Service": "AWSECommerceService",
        "Operation": operation,
        "AWSAccessKeyId": "KEYCANARY",
        "Timestamp": "2026-03-14T09:26:53Z",
        "Version": "2013-08-01",
    }
    assert sent.items() >= {**common, **on_cart, **expected}.items()


def test_the_signature_verifies_over_what_arrived(endpoint: Any, clock: Any, answer_with: Callable[..., bytes]) -> None:
    endpoint.says(answer_with(FULL.format("CartGet").encode()))
    asking = client(RequestsTransport(), clock, endpoint=endpoint.url)
    asking.get(REF)
    head = endpoint.requests[0].decode().split("\r\n")
    target = head[0].split(" ")[1]
    host = next(line.partition(": ")[2] for line in head if line.lower().startswith("host:"))
    path, _, query = target.partition("?")
    signed, _, signature = query.rpartition("&Signature=")
    made = hmac.digest(b"secretcanary", f"GET\n{host}\n{path}\n{signed}".encode(), hashlib.sha256)
    assert dict(parse_qsl("s=" + signature))["s"] == base64.b64encode(made).decode()
    assert host == f"127.0.0.1:{endpoint.port}"
    assert "HMAC=ab%2Bcd%2Fefghijklmnopqrstuvwxy%3D" in query


@pytest.mark.parametrize("locale", LOCALES)
def test_each_locale_asks_its_own_endpoint(scripted: Script, clock: Any, locale: str) -> None:
    transport = scripted(full("CartCreate"))
    cart = ECSClient(locale, "k", "s", "t", transport=transport, clock=clock).create(ONE)
    assert urlsplit(transport.sent[0][1]).netloc == LOCALES[locale].endpoint
    assert cart.ref.locale == locale


def test_a_cart_may_be_created_for_another_tag_and_with_response_groups(scripted: Script, clock: Any) -> None:
    transport = scripted(full("CartCreate"))
    cart = client(transport, clock).create(ONE, associate_tag="guest-20", response_groups=("CartSimilarities",))
    assert sent_parameters(transport).items() >= {
        ("AssociateTag", "guest-20"),
        ("ResponseGroup", "Cart,CartSimilarities"),
    }
    assert cart.ref.associate_tag == "guest-20"


def test_a_version_may_be_asked_for(scripted: Script, clock: Any) -> None:
    transport = scripted(full("CartGet"))
    client(transport, clock, version="2011-08-01").get(REF)
    assert sent_parameters(transport)["Version"] == "2011-08-01"


def test_a_request_too_long_for_a_request_line_goes_as_a_form_and_is_signed_as_one(
    endpoint: Any, clock: Any, answer_with: Callable[..., bytes]
) -> None:
    endpoint.says(answer_with(FULL.format("CartCreate").encode()))
    listing = "j8ejq9wxDfSYWf2OCp6XQGDsVrWhl08GSQ9m5j%2Be8MS449BN1XGUC3DfU5Zw4nt%2FFBt87cspLow1QXzfvZpvzg%3D%3D"
    items = [NewItem(offer_listing_id=f"{listing}{number}", quantity=1) for number in range(50)]
    client(RequestsTransport(), clock, endpoint=endpoint.url).create(items)
    head, _, body = endpoint.requests[0].decode().partition("\r\n\r\n")
    assert head.startswith("POST /onca/xml HTTP/1.1")
    assert dict(parse_qsl(body))["Item.50.OfferListingId"] == f"{listing}49"
    signed, _, signature = body.rpartition("&Signature=")
    text = f"POST\n127.0.0.1:{endpoint.port}\n/onca/xml\n{signed}"
    made = hmac.digest(b"secretcanary", text.encode(), hashlib.sha256)
    assert dict(parse_qsl("s=" + signature))["s"] == base64.b64encode(made).decode()


# --- What is refused before it is sent -----------------------------------------------------------------------

REFUSED: dict[str, tuple[Callable[[ECSClient], Any], type[errors.ECSError]]] = {
    "create without lines": (lambda c: c.create([]), errors.MissingParameters),
    "add without lines": (lambda c: c.add(REF, []), errors.MissingParameters),
    "modify without lines": (lambda c: c.modify(REF, []), errors.MissingParameters),
    "51 lines": (lambda c: c.create(ONE * 51), errors.ExceededMaximumCartItems),
    "51 changes": (
        lambda c: c.modify(REF, [ItemChange(cart_item_id="U1", quantity=1)] * 51),
        errors.MaximumParameterRequirement,
    ),
    "ASIN and OfferListingId": (
        lambda c: c.create([NewItem(asin="A", offer_listing_id="L", quantity=1)]),
        errors.InvalidParameterCombination,
    ),
    "neither": (lambda c: c.add(REF, [NewItem(quantity=1)]), errors.MissingParameterCombination),
    "empty ASIN": (lambda c: c.add(REF, [NewItem(asin="", quantity=1)]), errors.MissingParameterCombination),
    "create 0": (lambda c: c.create([NewItem(asin="A", quantity=0)]), errors.ParameterOutOfRange),
    "create 1000": (lambda c: c.create([NewItem(asin="A", quantity=1000)]), errors.ParameterOutOfRange),
    "add -1": (lambda c: c.add(REF, [NewItem(asin="A", quantity=-1)]), errors.ParameterOutOfRange),
    "second line wrong": (
        lambda c: c.create([*ONE, NewItem(asin="A", quantity=0)]),
        errors.ParameterOutOfRange,
    ),
    "modify -1": (
        lambda c: c.modify(REF, [ItemChange(cart_item_id="U1", quantity=-1)]),
        errors.ParameterOutOfRange,
    ),
    "modify 1000": (
        lambda c: c.modify(REF, [ItemChange(cart_item_id="U1", quantity=1000)]),
        errors.ParameterOutOfRange,
    ),
    "neither quantity nor action": (
        lambda c: c.modify(REF, [ItemChange(cart_item_id="U1")]),
        errors.MinimumParameterRequirement,
    ),
    "no CartItemId": (
        lambda c: c.modify(REF, [ItemChange(cart_item_id="", quantity=1)]),
        errors.MissingParameters,
    ),
    "True for a number": (lambda c: c.create([NewItem(asin="A", quantity=True)]), errors.InvalidQuantity),
    "text for a number": (
        lambda c: c.create([NewItem(asin="A", quantity="1e2")]),  # type: ignore[arg-type]
        errors.InvalidQuantity,
    ),
    "no CartId": (
        lambda c: c.get(CartRef(locale="US", cart_id="", hmac="h", associate_tag="t")),
        errors.MissingParameters,
    ),
    "no HMAC": (
        lambda c: c.clear(CartRef(locale="US", cart_id="1", hmac="", associate_tag="t")),
        errors.MissingParameters,
    ),
    "another locale's cart": (
        lambda c: c.get(CartRef(locale="DE", cart_id="1", hmac="h", associate_tag="t")),
        errors.CartInfoMismatch,
    ),
    "text that is no Unicode": (lambda c: c.create([NewItem(asin="\ud800", quantity=1)]), errors.InvalidParameterValue),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_service_would_refuse_spends_no_transaction(scripted: Script, clock: Any, case: str) -> None:
    call, error = REFUSED[case]
    transport = scripted()
    with pytest.raises(error):
        call(client(transport, clock))
    assert transport.sent == []


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda c: c.create(ONE * 50), id="50 lines"),
        pytest.param(lambda c: c.create([NewItem(asin="A", quantity=999)]), id="999 pieces"),
    ],
)
def test_what_is_just_allowed_is_sent(scripted: Script, clock: Any, call: Callable[[ECSClient], Any]) -> None:
    transport = scripted(full("CartCreate"))
    call(client(transport, clock))
    assert len(transport.sent) == 1


# --- What the answer says ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers", "error", "retry_after"),
    [
        (503, {}, errors.RequestThrottled, None),
        (503, {"Retry-After": "7"}, errors.RequestThrottled, 7.0),
        (429, {"retry-after": "2"}, errors.RequestThrottled, 2.0),
        (500, {}, errors.OutcomeUnknown, None),
        (502, {}, errors.OutcomeUnknown, None),
        (504, {}, errors.OutcomeUnknown, None),
        (200, {}, errors.MalformedReply, None),
        (400, {}, errors.MalformedReply, None),
        (404, {}, errors.MalformedReply, None),
    ],
)
@pytest.mark.parametrize("body", [HTML, b"", b"Service Unavailable"], ids=["html", "empty", "text"])
def test_an_answer_that_is_no_ecs_document_is_told_by_its_status(
    scripted: Script,
    clock: Any,
    status: int,
    headers: dict[str, str],
    error: type[Exception],
    retry_after: float | None,
    body: bytes,
) -> None:
    transport = scripted(Reply(status, headers, body))
    with pytest.raises(error) as caught:
        client(transport, clock).get(REF)
    assert len(transport.sent) == 1
    assert getattr(caught.value, "retry_after", None) == retry_after


@pytest.mark.parametrize("status", [200, 400, 403, 500, 503])
def test_an_ecs_document_is_told_by_its_code_and_not_by_its_status(
    scripted: Script, clock: Any, sample: Sample, status: int
) -> None:
    for name, error in (
        ("top-signature", errors.SignatureDoesNotMatch),
        ("top-throttled-ip", errors.RequestThrottled),
        ("2011-get-us-mismatch", errors.CartInfoMismatch),
    ):
        with pytest.raises(error):
            client(scripted(Reply(status, {}, sample(name))), clock).get(REF)
    assert client(scripted(Reply(status, {}, FULL.format("CartGet").encode())), clock).get(REF).ref == REF


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        (" 12 ", 12.0),
        ("Sat, 14 Mar 2026 09:27:23 GMT", 30.0),
        ("Sat, 14 Mar 2026 09:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("٣", None),
        ("", None),
    ],
)
def test_a_throttle_says_when_to_come_back(
    scripted: Script, clock: Any, sample: Sample, value: str, seconds: float | None
) -> None:
    transport = scripted(Reply(503, {"Retry-After": value}, sample("top-throttled-ip")))
    with pytest.raises(errors.RequestThrottled) as caught:
        client(transport, clock).get(REF)
    assert caught.value.retry_after == seconds


def test_a_date_to_come_back_is_measured_on_the_services_clock(scripted: Script, clock: Any, sample: Sample) -> None:
    dates = {"date": "Sat, 14 Mar 2026 12:00:00 GMT", "retry-after": "Sat, 14 Mar 2026 12:00:09 GMT"}
    with pytest.raises(errors.RequestThrottled) as caught:
        client(scripted(Reply(503, dates, sample("top-throttled-ip"))), clock).get(REF)
    assert caught.value.retry_after == 9.0


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_malformed_even_around_a_cart(scripted: Script, clock: Any, status: int) -> None:
    reply = Reply(status, {"location": "https://evil.example/canary"}, FULL.format("CartGet").encode())
    with pytest.raises(errors.MalformedReply, match="redirects are not followed") as caught:
        client(scripted(reply), clock).get(REF)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("operation", ["CartAdd", "CartModify", "CartClear", "CartGet"])
def test_another_carts_answer_is_malformed(scripted: Script, clock: Any, operation: str) -> None:
    body = FULL.format(operation).replace(CART_ID, "999-9999999-9999999").encode()
    with pytest.raises(errors.MalformedReply):
        CALLS[operation][0](client(scripted(Reply(200, {}, body)), clock))


def test_a_purchase_url_is_held_to_the_owners_retail_base(scripted: Script, clock: Any, sample: Sample) -> None:
    body = sample("2005-create-us")
    reply = Reply(200, {}, body.replace(b"https://www.amazon.com", b"http://127.0.0.1:8001"))
    base = "http://127.0.0.1:8001"
    cart = client(scripted(reply), clock, endpoint=f"{base}/onca/xml", retail_base=base).create(ONE)
    assert cart.purchase_url is not None
    assert cart.purchase_url.startswith(base)
    with pytest.raises(errors.MalformedReply):
        client(scripted(reply), clock, endpoint=f"{base}/onca/xml").create(ONE)


@every_operation
@pytest.mark.parametrize(
    "fault",
    [errors.NotSent("n"), errors.OutcomeUnknown("u"), errors.MalformedReply("m")],
    ids=lambda fault: type(fault).__name__,
)
def test_no_operation_is_ever_repeated(clock: Any, operation: str, fault: errors.TransportError) -> None:
    class Failing:
        count = 0

        def send(self, method: str, url: str, *, headers: Any) -> Reply:
            self.count += 1
            raise fault

    transport = Failing()
    with pytest.raises(type(fault)):
        CALLS[operation][0](client(transport, clock))
    assert transport.count == 1


@every_operation
@pytest.mark.parametrize("name", ["top-throttled-ip", "top-signature", "2011-get-us-mismatch"])
def test_no_refused_operation_is_repeated(
    scripted: Script, clock: Any, sample: Sample, operation: str, name: str
) -> None:
    transport = scripted(Reply(200, {}, sample(name)))
    with pytest.raises(errors.ECSCartError):
        CALLS[operation][0](client(transport, clock))
    assert len(transport.sent) == 1


# --- A clock that is wrong -----------------------------------------------------------------------------------


def expired(sample: Sample, date: str | None) -> Reply:
    return Reply(400, {} if date is None else {"Date": date}, sample("top-expired"))


@pytest.mark.parametrize("minutes", [20, -20, 60 * 24 * 400])
def test_a_wrong_clock_is_read_off_the_date_header_and_the_request_signed_once_more(
    scripted: Script, clock: Any, sample: Sample, minutes: int
) -> None:
    theirs = clock.now + timedelta(minutes=minutes)
    transport = scripted(
        expired(sample, theirs.strftime("%a, %d %b %Y %H:%M:%S GMT")), full("CartGet"), full("CartGet")
    )
    asking = client(transport, clock)
    assert asking.get(REF).ref == REF
    clock.advance(seconds=30)
    asking.get(REF)
    first, second, third = (sent_parameters(transport, index) for index in range(3))
    assert first["Timestamp"] == "2026-03-14T09:26:53Z"
    assert second["Timestamp"] == theirs.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert third["Timestamp"] == (theirs + timedelta(seconds=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    differing = {"Timestamp", "Signature"}
    assert {k: v for k, v in first.items() if k not in differing} == {
        k: v for k, v in second.items() if k not in differing
    }
    assert first["Signature"] != second["Signature"]


def test_a_request_that_expires_again_is_not_signed_a_third_time(scripted: Script, clock: Any, sample: Sample) -> None:
    far = "Sat, 14 Mar 2026 12:00:00 GMT"
    transport = scripted(expired(sample, far), expired(sample, far))
    with pytest.raises(errors.RequestExpired):
        client(transport, clock).get(REF)
    assert len(transport.sent) == 2


@pytest.mark.parametrize("date", [None, "", "yesterday", "Sat, 14 Mar 2026 09:27:20 GMT"])
def test_without_a_date_that_explains_it_an_expired_request_is_the_error_it_is(
    scripted: Script, clock: Any, sample: Sample, date: str | None
) -> None:
    transport = scripted(expired(sample, date))
    with pytest.raises(errors.RequestExpired):
        client(transport, clock).get(REF)
    assert len(transport.sent) == 1


def test_a_clock_set_right_again_is_noticed_too(scripted: Script, clock: Any, sample: Sample) -> None:
    now, later = "Sat, 14 Mar 2026 09:26:53 GMT", "Sat, 14 Mar 2026 09:56:53 GMT"
    transport = scripted(expired(sample, later), full("CartGet"), expired(sample, later), full("CartGet"))
    asking = client(transport, clock)
    asking.get(REF)
    clock.advance(minutes=30)
    asking.get(REF)
    assert now != later
    assert sent_parameters(transport)["Timestamp"] == "2026-03-14T09:56:53Z"


# --- How it is set up ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "url", "host"),
    [
        ("https://ecs.example/onca/xml", "https://ecs.example/onca/xml", "ecs.example"),
        ("https://ecs.example", "https://ecs.example/onca/xml", "ecs.example"),
        ("https://ECS.Example/", "https://ecs.example/onca/xml", "ecs.example"),
        ("https://ecs.example:443/onca/xml", "https://ecs.example/onca/xml", "ecs.example"),
        ("https://ecs.example:8443/a/onca/xml", "https://ecs.example:8443/a/onca/xml", "ecs.example:8443"),
        ("http://127.0.0.1:8001/onca/xml", "http://127.0.0.1:8001/onca/xml", "127.0.0.1:8001"),
        ("http://[::1]:8001/onca/xml", "http://[::1]:8001/onca/xml", "[::1]:8001"),
    ],
)
def test_an_endpoint_may_be_any_full_url(scripted: Script, clock: Any, endpoint: str, url: str, host: str) -> None:
    transport = scripted(full("CartGet"))
    client(transport, clock, endpoint=endpoint).get(REF)
    _, sent, headers = transport.sent[0]
    assert sent.partition("?")[0] == url
    assert headers["Host"] == host


@pytest.mark.parametrize(
    "wrong",
    [
        "ecs.example",
        "//ecs.example/onca/xml",
        "ftp://ecs.example/onca/xml",
        "https:///onca/xml",
        "https://user:canary@ecs.example/onca/xml",
        "https://ecs.example/onca/xml?a=b",
        "https://ecs.example/onca/xml#a",
        "https://ecs.example:port/onca/xml",
        "https://ecs.example/onca xml",
        "https://ecs.exámple/onca/xml",
        "https://[::1/onca/xml",
    ],
)
@pytest.mark.parametrize("option", ["endpoint", "retail_base"])
def test_an_endpoint_that_is_no_full_url_is_a_config_error(wrong: str, option: str) -> None:
    with pytest.raises(errors.ConfigError) as caught:
        ECSClient("US", "k", "s", "t", **{option: wrong})  # type: ignore[arg-type]
    assert caught.value.key == option
    assert "canary" not in str(caught.value)


def test_an_unknown_locale_is_a_config_error_that_names_the_known_ones() -> None:
    with pytest.raises(errors.ConfigError, match="US, UK, DE, JP, FR, CA"):
        ECSClient("XX", "k", "s", "t")


def test_a_client_shows_no_key() -> None:
    shown = repr(ECSClient("US", "KEYCANARY", "secretcanary", "t"))
    assert shown == "ECSClient('US', endpoint='https://webservices.amazon.com/onca/xml')"


# --- One provider over many locales --------------------------------------------------------------------------


def test_the_provider_asks_the_client_of_the_locale(scripted: Script, clock: Any) -> None:
    order = ("CartCreate", "CartAdd", "CartModify", "CartClear", "CartGet")
    german, american = scripted(*map(full, order)), scripted()
    provider: CartProvider = ECSProvider(
        {
            "DE": ECSClient("DE", "k", "s", "de-21", transport=german, clock=clock),
            "US": ECSClient("US", "k", "s", "us-20", transport=american, clock=clock),
        }
    )
    ref = provider.create("DE", "other-21", ONE).ref
    assert (ref.locale, ref.associate_tag) == ("DE", "other-21")
    carts = [
        provider.add(ref, ONE),
        provider.modify(ref, [ItemChange(cart_item_id="U1", quantity=2)]),
        provider.clear(ref),
        provider.get(ref),
    ]
    assert [cart.ref for cart in carts] == [ref] * 4
    assert [sent_parameters(german, index)["Operation"] for index in range(5)] == list(order)
    assert {sent_parameters(german, index)["AssociateTag"] for index in range(5)} == {"other-21"}
    assert american.sent == []


def test_a_locale_nobody_set_up_is_a_config_error() -> None:
    with pytest.raises(errors.ConfigError, match="Add locale DE"):
        ECSProvider({}).create("DE", "t", ONE)
