"""Hostile replies and hostile requests over real sockets: a clear error on either side, and no memory spent on them."""

from __future__ import annotations

import gzip
import http.client
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote
from xml.etree.ElementTree import fromstring

import pytest

from benchmarks.fuzz_protocol import read_reply, read_request
from flask_ecscart import errors
from flask_ecscart.catalog.file import MemoryCatalog
from flask_ecscart.ecs.client import ECSClient
from flask_ecscart.ecs.transport import RequestsTransport
from flask_ecscart.model import CartRef, NewItem
from flask_ecscart.service.http import DATABASE, create_app
from tests.support.clock import FakeClock
from tests.support.web import Site
from tests.unit.ecs.conftest import StandIn
from tests.unit.service.shop import BOOK, KEY, TAG

FUZZED = Path(__file__).resolve().parents[1] / "samples" / "fuzzed"
REF = CartRef(locale="US", cart_id="111-2222222-3333333", hmac="ab+cd/efghijklmnopqrstuvwxy=", associate_tag="t-20")
MEGABYTE = 1024 * 1024
MOST = 12 * MEGABYTE
"""A full cart and its tree need about one; what a hostile document would need is told beside it below."""


@contextmanager
def little_memory(most: int = MOST) -> Iterator[None]:
    """Fails when more than `most` bytes are held at once while the block runs."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < most, f"{peak / MEGABYTE:.0f} MB"


# --- Replies -------------------------------------------------------------------------------------------------


def cart(inside: str) -> bytes:
    namespace = "http://webservices.amazon.com/AWSECommerceService/2013-08-01"
    ids = f"<CartId>{REF.cart_id}</CartId><HMAC>{REF.hmac}</HMAC>"
    return f'<CartGetResponse xmlns="{namespace}"><Cart>{ids}{inside}</Cart></CartGetResponse>'.encode()


def laughs(name: str) -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE x [<!ENTITY l0 "ha">{entities}]><{name}>&l9;</{name}>'.encode()


REPLIES: dict[str, tuple[bytes, str]] = {
    "a billion laughs": (laughs("CartGetResponse"), ""),
    "a quadratic entity": (
        b'<!DOCTYPE x [<!ENTITY a "' + b"a" * 100_000 + b'">]><CartGetResponse>' + b"&a;" * 10_000,
        "",
    ),
    "a file's entity": (b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><CartGetResponse>&e;', ""),
    "a DTD in UTF-16": ("\ufeff<!DOCTYPE x><CartGetResponse/>".encode("utf-16-le"), ""),
    "a DTD behind a comment": (b"<!-- x --><!DOCTYPE x><CartGetResponse/>", ""),
    "50 MB of text": (b"<CartGetResponse>" + b"x" * (50 * MEGABYTE), ""),
    "two million elements": (b"<CartGetResponse>" + b"<b/>" * 2_000_000, ""),
    "300,000 attributes": (b"<CartGetResponse " + b" ".join(b'a%d=""' % n for n in range(300_000)), ""),
    "100,000 levels": (b"<a>" * 100_000, ""),
    "many lines": (cart("<CartItems>" + "<CartItem/>" * 30_000 + "</CartItems>"), ""),
    "a gzip bomb": (gzip.compress(b"\0" * (300 * MEGABYTE)), "gzip"),
    "a bomb in deflate": (zlib.compress(b" " * (300 * MEGABYTE)), "deflate"),
    "a bomb in a bomb": (gzip.compress(gzip.compress(b"\0" * (100 * MEGABYTE))), "gzip"),
    "gzip that is none": (b"\x1f\x8b" + b"\xff" * 1000, "gzip"),
    "brotli": (b"\x0b\x02\x80", "br"),
    "broken UTF-8": (cart("<SubTotal>").replace(b"SubTotal", b"\xc3\x28"), ""),
    "surrogates": (cart("").replace(b"</Cart>", b"\xed\xa0\x80</Cart>"), ""),
    "NULs": (cart("").replace(b"</Cart>", b"\0</Cart>"), ""),
    "UTF-7": (b'<?xml version="1.0" encoding="UTF-7"?>' + cart("")[:-20], ""),
    "an endless number": (cart(f"<SubTotal><Amount>{'9' * 60_000}</Amount></SubTotal>"), ""),
}


@pytest.fixture
def endpoint() -> Iterator[StandIn]:
    standing = StandIn()
    yield standing
    standing.close()


def answering(body: bytes, encoding: str) -> bytes:
    coded = f"Content-Encoding: {encoding}\r\n" if encoding else ""
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n{coded}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


@pytest.mark.parametrize("name", REPLIES)
def test_a_hostile_reply_is_malformed_and_costs_little(endpoint: StandIn, clock: FakeClock, name: str) -> None:
    endpoint.says(answering(*REPLIES[name]))
    client = ECSClient("US", "k", "s", "t-20", endpoint=endpoint.url, transport=RequestsTransport(), clock=clock)
    with little_memory(), pytest.raises(errors.MalformedReply) as caught:
        client.get(REF)
    assert caught.value.__cause__ is None
    assert len(str(caught.value)) < 300
    assert REF.hmac not in str(caught.value)


def test_a_hostile_reply_to_a_lookup_is_malformed_too(endpoint: StandIn, clock: FakeClock) -> None:
    client = ECSClient("US", "k", "s", "t-20", endpoint=endpoint.url, transport=RequestsTransport(), clock=clock)
    for body, encoding in REPLIES.values():
        endpoint.says(answering(body, encoding))
        with pytest.raises(errors.MalformedReply):
            client.lookup(BOOK)


# --- Requests ------------------------------------------------------------------------------------------------


@pytest.fixture
def site(serve: Callable[..., Site], tmp_database_url: str, catalog: MemoryCatalog, clock: FakeClock) -> Iterator[Site]:
    app = create_app(database_url=tmp_database_url, catalog=catalog, keys={}, unsigned=True, clock=clock, hmac_key=KEY)
    yield serve(app)
    app.extensions[DATABASE].close()


COMMON = "Service=AWSECommerceService&Operation=CartCreate&AWSAccessKeyId=X&AssociateTag=t-20"
ONE = "Item.1.ASIN=0201896842&Item.1.Quantity=1"
FORM = "application/x-www-form-urlencoded"
FORMS: dict[str, tuple[bytes, str]] = {
    "5,000 parameters": (f"{COMMON}&{'&'.join(f'x{n}=1' for n in range(5000))}".encode(), "MaximumParameter"),
    "2,400 items": (
        f"{COMMON}&{'&'.join(f'Item.{n}.ASIN=B{n:09d}&Item.{n}.Quantity=1' for n in range(2400))}".encode(),
        "NotEligible",
    ),
    "one long value": (f"{COMMON}&{ONE}&MergeCart={'x' * 200_000}".encode(), ""),
    "a NUL": (f"{COMMON}&{ONE}&MergeCart=%00".encode(), "InvalidParameterValue"),
    "a raw NUL": (f"{COMMON}&{ONE}&MergeCart=".encode() + b"\0", "InvalidParameterValue"),
    "broken UTF-8": (f"{COMMON}&Item.1.ASIN=%c3%28&Item.1.Quantity=1".encode(), "InvalidParameterValue"),
    "raw broken UTF-8": (f"{COMMON}&Item.1.ASIN=".encode() + b"\xff\xfe", "InvalidParameterValue"),
    "a surrogate": (f"{COMMON}&Item.1.ASIN=%ed%b0%80&Item.1.Quantity=1".encode(), "InvalidParameterValue"),
    "half an escape": (f"{COMMON}&Item.1.ASIN=%E3%&Item.1.Quantity=1".encode(), "InvalidParameterValue"),
    "a lone percent sign": (f"{COMMON}&Item.1.ASIN=%&Item.1.Quantity=1".encode(), "NotEligible"),
    "a number of 60,000 digits": (f"{COMMON}&Item.1.ASIN=B&Item.1.Quantity={'9' * 60_000}".encode(), "OutOfRange"),
    "an index of 60,000 digits": (f"{COMMON}&Item.{'9' * 60_000}.ASIN={BOOK}&{ONE}".encode(), "MissingParameters"),
    "markup": (f"{COMMON}&{ONE}&MergeCart={quote(']]></a><b>&x;')}".encode(), ""),
    "the same twice": (f"{COMMON}&{ONE}&{ONE}".encode(), "ParameterRepeated"),
    "everything at once": (b"&".join(b"%ff=%00" for _ in range(4000)), "InvalidParameterValue"),
}


def ask(site: Site, method: str, path: str, body: bytes | None = None, kind: str = FORM) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
    try:
        connection.request(method, path, body, {"Content-Type": kind} if body is not None else {})
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def still_serves(site: Site) -> bool:
    status, body = ask(site, "GET", f"/onca/xml?{COMMON}&{ONE}")
    return status == 200 and b"<CartId>" in body


@pytest.mark.parametrize("name", FORMS)
def test_a_hostile_form_ends_in_a_clear_error_and_costs_little(site: Site, name: str) -> None:
    body, code = FORMS[name]
    with little_memory(32 * MEGABYTE):
        status, answer = ask(site, "POST", "/onca/xml", body)
    assert status in {200, 400}
    assert fromstring(answer).tag.endswith("Response")
    assert code.encode() in answer
    assert still_serves(site)


def test_ten_megabytes_are_refused_before_they_are_read(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
    for path, kind in (("/onca/xml", FORM), ("/onca/soap", "text/xml")):
        connection.putrequest("POST", path)
        connection.putheader("Content-Type", kind)
        connection.putheader("Content-Length", str(10 * MEGABYTE))
        connection.endheaders(b"x" * 1000)
        reply = connection.getresponse()
        assert reply.status in {413, 500}
        assert fromstring(reply.read()) is not None
        connection.close()
    assert still_serves(site)


def test_a_body_without_an_end_is_not_gathered(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
    connection.putrequest("POST", "/onca/xml")
    connection.putheader("Content-Type", FORM)
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    piece = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    with little_memory(), suppress(OSError):  # the service hangs up on us: that is the point
        for _ in range(160):
            connection.send(piece)
    connection.close()
    assert still_serves(site)


SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ENVELOPES: dict[str, bytes] = {
    "a billion laughs": laughs("Envelope"),
    "a file's entity": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><Envelope>&e;</Envelope>',
    "a DTD in UTF-16": "\ufeff<!DOCTYPE x><Envelope/>".encode("utf-16-le"),
    "depth": b"<a>" * 50_000,
    "elements": f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{"<b/>" * 50_000}</s:Body></s:Envelope>'.encode(),
    "attributes": b"<Envelope " + b" ".join(b'a%d=""' % n for n in range(20_000)) + b"/>",
    "NULs": b"\0" * 1000,
    "broken UTF-8": b"<Envelope>\xc3\x28</Envelope>",
    "nothing": b"",
    "a cart": cart(""),
    "two bodies": f'<s:Envelope xmlns:s="{SOAP}"><s:Body/><s:Body/></s:Envelope>'.encode(),
}


@pytest.mark.parametrize("name", ENVELOPES)
def test_a_hostile_envelope_ends_in_a_fault_and_costs_little(site: Site, name: str) -> None:
    with little_memory(32 * MEGABYTE):
        status, answer = ask(site, "POST", "/onca/soap", ENVELOPES[name], "text/xml")
    assert 400 <= status <= 500
    assert b"Fault" in answer
    assert b"Traceback" not in answer
    assert fromstring(answer).tag == f"{{{SOAP}}}Envelope"
    assert still_serves(site)


# --- What a fuzzer found worth trying ------------------------------------------------------------------------


def fuzzed(kind: str) -> list[Path]:
    return sorted((FUZZED / kind).iterdir())


@pytest.mark.parametrize("path", fuzzed("replies"), ids=lambda path: path.name)
def test_a_fuzzed_reply_is_read_or_refused(path: Path) -> None:
    read_reply(path.read_bytes())


@pytest.mark.parametrize("path", fuzzed("requests"), ids=lambda path: path.name)
def test_a_fuzzed_request_is_read_or_refused_and_answered(site: Site, path: Path) -> None:
    read_request(path.read_bytes())
    status, answer = ask(site, "POST", "/onca/xml", path.read_bytes())
    assert status in {200, 400, 403, 413}
    assert fromstring(answer).tag.endswith("Response")


def test_user_text_never_becomes_a_parameter(site: Site, clock: FakeClock) -> None:
    client = ECSClient("US", "k", "s", TAG, endpoint=f"{site.url}/onca/xml", clock=clock)
    for text in ("B0&Operation=CartClear", "B0;x=1", "B0%26HMAC=1", "B0\r\nHost: x", "B0#x", "Ü&=+ %"):
        with pytest.raises(errors.ItemNotEligibleForCart):
            client.create([NewItem(asin=text, quantity=1)])
