"""Whatever goes wrong, no log record, exception or repr holds a key, an HMAC, a signature or a signed URL."""

from __future__ import annotations

import logging
import socket
import struct
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from flask_ecscart.ecs import ECSClient, RequestsTransport
from flask_ecscart.ecs.query import percent_encode
from flask_ecscart.errors import ECSCartError
from flask_ecscart.model import CartRef, ItemChange, NewItem

ACCESS_KEY = "AKIACANARYACCESSKEY0"
SECRET_KEY = "canary-secret-key/with+signs="
HMAC = "canaryHMAC+with/signs+0="
TAG = "tag-20"
REF = CartRef(locale="US", cart_id="111-2222222-3333333", hmac=HMAC, associate_tag=TAG)
ONE = [NewItem(asin="B000SAMPL1", quantity=1)]

ECHO = f"{ACCESS_KEY} {SECRET_KEY} {HMAC} {percent_encode(HMAC)}"


def document(message: str) -> bytes:
    return (
        b'<CartGetErrorResponse xmlns="http://ecs.amazonaws.com/doc/2013-08-01/"><Error><Code>RequestThrottled</Code>'
        + f"<Message>{message}</Message></Error></CartGetErrorResponse>".encode()
    )


def http(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    size = f"Content-Length: {len(body) if length is None else length}"
    return "\r\n".join([f"HTTP/1.1 {status}", size, "Connection: close", *headers, "", ""]).encode() + body


def silent(conn: socket.socket) -> None:
    conn.recv(1)


def reset(conn: socket.socket) -> None:
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<CartGet")
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def says(raw: bytes) -> Callable[[socket.socket], None]:
    return lambda conn: conn.sendall(raw)


CART = '<CartGetResponse xmlns="http://webservices.amazon.com/AWSECommerceService/2013-08-01"><Cart>'
FAULTS: dict[str, Callable[[socket.socket], None]] = {
    "no answer": silent,
    "hung up": lambda conn: None,
    "reset": reset,
    "truncated": says(http(b"<CartGet", length=1000)),
    "no HTTP": says(b"220 mail\r\n"),
    "damaged headers": says(b"HTTP/1.1 200 OK\r\nno header at all\r\n bad\r\nContent-Length: 4\r\n\r\n<a/>"),
    "redirect": says(http(b"", f"Location: http://127.0.0.1:9/?HMAC={percent_encode(HMAC)}", status="302 Found")),
    "HTML": says(http(f"<html><br>{ECHO}".encode())),
    "HTML, 503": says(http(f"<html><br>{ECHO}".encode(), status="503 Busy")),
    "HTML, 500": says(http(f"<html><br>{ECHO}".encode(), status="500 Error")),
    "reason that quotes": says(http(b"", status=f"500 {ACCESS_KEY}")),
    "empty": says(http(b"")),
    "bad gzip": says(http(b"<a/>", "Content-Encoding: gzip")),
    "throttle that quotes": says(http(document(ECHO), status="503 Busy")),
    "code that quotes": says(http(document("m").replace(b"RequestThrottled", ACCESS_KEY.encode()))),
    "DTD that quotes": says(http(f'<!DOCTYPE a SYSTEM "{HMAC}"><a/>'.encode())),
    "entity that quotes": says(http(f'<!DOCTYPE a [<!ENTITY x "{HMAC}">]><a>&x;</a>'.encode())),
    "foreign root": says(http(f"<{ACCESS_KEY}/>".encode())),
    "foreign namespace": says(http(f'<CartGetResponse xmlns="{ACCESS_KEY}"/>'.encode())),
    "PurchaseURL elsewhere": says(
        http(
            f"{CART}<CartId>{REF.cart_id}</CartId><HMAC>{HMAC}</HMAC>"
            f"<PurchaseURL>https://evil.example/{ECHO}</PurchaseURL></Cart></CartGetResponse>".encode()
        )
    ),
    "another cart": says(http(f"{CART}<CartId>9</CartId><HMAC>{HMAC}</HMAC></Cart></CartGetResponse>".encode())),
    "misshapen HMAC": says(
        http(f"{CART}<CartId>9</CartId><HMAC>{HMAC} {HMAC}</HMAC></Cart></CartGetResponse>".encode())
    ),
}
CALLS: dict[str, Callable[[ECSClient], Any]] = {
    "create": lambda client: client.create(ONE),
    "add": lambda client: client.add(REF, ONE),
    "modify": lambda client: client.modify(REF, [ItemChange(cart_item_id="U1", quantity=0)]),
    "clear": lambda client: client.clear(REF),
    "get": lambda client: client.get(REF),
}


def whole_chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and every cause and context, also those that `from None` only hides."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if current is not None and id(current) not in seen:
            seen.add(id(current))
            yield current
            waiting += [current.__cause__, current.__context__, *getattr(current, "others", ())]


def sinks(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    texts = [traceback.format_exc()]
    for link in whole_chain(error):
        texts += [str(link), repr(link), repr(link.args), repr(vars(link))]
    for record in caplog.records:
        texts += [record.getMessage(), repr(record.args), repr(record.exc_info), record.exc_text or ""]
    return "\n".join([*texts, caplog.text])


def requests_of_create(requests: list[bytes]) -> bool:
    return all(b"Operation=CartCreate&" in request for request in requests) and bool(requests)


def secrets(endpoint_requests: list[bytes]) -> list[str]:
    known = [ACCESS_KEY, SECRET_KEY, HMAC, percent_encode(HMAC), percent_encode(percent_encode(HMAC))]
    if requests_of_create(endpoint_requests):
        # It sends no HMAC, so none of its own can be quoted; the keys alone are at stake.
        known = [ACCESS_KEY, SECRET_KEY]
    for request in endpoint_requests:
        # The signatures themselves, as they were sent.
        known += [piece.split(b"&")[0].split(b" ")[0].decode() for piece in request.split(b"Signature=")[1:]]
    return known


def assert_clean(text: str, requests: list[bytes]) -> None:
    assert [secret for secret in secrets(requests) if secret in text] == []


@pytest.fixture
def client(endpoint: Any) -> Iterator[ECSClient]:
    transport = RequestsTransport(connect_timeout=1, read_timeout=0.1, deadline=1)
    yield ECSClient("US", ACCESS_KEY, SECRET_KEY, TAG, endpoint=endpoint.url, transport=transport)
    transport.close()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_brings_a_secret_to_light(
    endpoint: Any, client: ECSClient, caplog: pytest.LogCaptureFixture, fault: str, call: str
) -> None:
    caplog.set_level(logging.DEBUG)
    endpoint.answer = FAULTS[fault]
    try:
        CALLS[call](client)
    except ECSCartError as error:
        assert_clean(sinks(error, caplog), endpoint.requests)
    else:
        pytest.fail("The fault went unnoticed.")
    assert endpoint.requests
    # The sink works: urllib3 said at DEBUG that it connected.
    assert "Starting new HTTP connection" in caplog.text


def test_a_service_that_quotes_the_whole_request_is_not_quoted(
    endpoint: Any, client: ECSClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    def quote_it(conn: socket.socket) -> None:
        line = endpoint.requests[-1].split(b"\r\n")[0].decode().replace("&", "&amp;")
        conn.sendall(http(document(f"Bad request: {line}"), status="400 Bad"))

    endpoint.answer = quote_it
    with pytest.raises(ECSCartError, match=r"Bad request: GET .+AWSAccessKeyId=.+&AssociateTag=tag-20") as caught:
        client.get(REF)
    assert_clean(sinks(caught.value, caplog), endpoint.requests)


@pytest.mark.parametrize("base", ["http://nowhere.invalid", "https://nowhere.invalid"])
def test_a_failed_connection_brings_no_secret_to_light(base: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    try:
        ECSClient("US", ACCESS_KEY, SECRET_KEY, TAG, endpoint=base).get(REF)
    except ECSCartError as error:
        assert_clean(sinks(error, caplog), [])
    else:
        pytest.fail("The fault went unnoticed.")
    assert "nowhere.invalid" in caplog.text


def test_a_successful_call_logs_no_secret(endpoint: Any, client: ECSClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    url = f"https://www.amazon.com/gp/cart/aws-merge.html?hmac={percent_encode(HMAC)}"
    ids = f"<CartId>{REF.cart_id}</CartId><HMAC>{HMAC}</HMAC><PurchaseURL>{url}</PurchaseURL>"
    endpoint.answer = says(http(f"{CART}{ids}</Cart></CartGetResponse>".encode()))
    cart = client.get(REF)
    assert cart.purchase_url == url
    assert "GET /onca/xml HTTP/1.1" in caplog.text
    assert_clean(f"{caplog.text} {cart!r} {cart.ref!r} {client!r} {vars(client)!r}", endpoint.requests)
