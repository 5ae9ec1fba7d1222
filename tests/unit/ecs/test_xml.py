"""No reply, however hostile, costs more than a bounded piece of work or gets past as something else than an error."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flask_ecscart.ecs.parsing import parse_cart
from flask_ecscart.ecs.xml import MAX_BYTES, parse_xml
from flask_ecscart.errors import ECSCartError, MalformedReply

BILLION = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]><a>&d;</a>"""
HOSTILE = {
    "billion laughs": BILLION,
    "entity in a file": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>',
    "entity over http": b'<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]><a>&x;</a>',
    "parameter entity": b'<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/hostname">%p;]><a/>',
    "external DTD": b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
    "DTD alone": b"<!DOCTYPE a><a/>",
    "DTD in UTF-16": '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'.encode("utf-16"),
    "DTD in big-endian UTF-16": "<!DOCTYPE a><a/>".encode("utf-16-be"),
    "invalid UTF-8": b"<a>\xff\xfe</a>",
    "overlong UTF-8": b"<a>\xc0\xaf</a>",
    "NUL": b"<a>\x00</a>",
    "NUL behind": b"<a/>\x00",
    "Latin-1": b'<?xml version="1.0" encoding="iso-8859-1"?><a>\xe9</a>',
    "multi-byte encoding": '<?xml version="1.0" encoding="shift_jis"?><a>本</a>'.encode("shift_jis"),
    "UTF-7": b'<?xml version="1.0" encoding="UTF-7"?>+ADw-a+AD4-',
    "depth": b"<a>" * 100_000,
    "depth, closed": b"<a>" * 100_000 + b"</a>" * 100_000,
    "33 levels": b"<a>" * 33 + b"</a>" * 33,
    "nodes": b"<a>" + b"<b/>" * 2_000_000 + b"</a>",
    "nodes within the byte cap": b"<a>" + b"<b/>" * 200_000 + b"</a>",
    "attributes": b"<a " + b" ".join(b'a%d="1"' % n for n in range(300_000)) + b"/>",
    "101 attributes": b"<a " + b" ".join(b'a%d="1"' % n for n in range(101)) + b"/>",
    "50 MB of text": b"<a>" + b"x" * 50_000_000 + b"</a>",
    "text over its cap": b"<a>" + b"x" * 65_537 + b"</a>",
    "text in pieces": b"<a>" + b"x<!-- -->" * 65_537 + b"</a>",
    "one byte over the cap": b"<a/>" + b" " * (MAX_BYTES - 3),
    "truncated": b"<CartGetResponse><Cart><Reque",
    "empty": b"",
    "white space": b" \r\n",
    "HTML": b"<!DOCTYPE html><html><head><title>Sorry</title></head><body><p>Busy</body></html>",
    "HTML without a doctype": b"<html><body><br>Busy</body></html>",
    "JSON": b'{"error": "no"}',
    "two roots": b"<a/><b/>",
    "undeclared prefix": b"<x:a/>",
    "undeclared entity": b"<a>&nbsp;</a>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_reply_is_malformed_and_its_text_is_not_carried_along(name: str) -> None:
    with pytest.raises(MalformedReply) as caught:
        parse_xml(HOSTILE[name])
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"<a>" * 300_000, "elements", id="depth"),
        pytest.param(b"<a>" + b"<b/>" * 200_000 + b"</a>", "elements", id="elements"),
        pytest.param(b"<a " + b" ".join(b'a%d=""' % n for n in range(60_000)) + b"/>", "attributes", id="attributes"),
        pytest.param(b"<!DOCTYPE a><a/>", "document type", id="document type"),
        pytest.param("<!DOCTYPE a><a/>".encode("utf-16"), "NUL", id="UTF-16"),
    ],
)
def test_what_would_cost_much_is_refused_before_the_parser_sees_it(body: bytes, said: str) -> None:
    calls = []

    def watch(frame: object, event: str, what: object) -> None:
        if event == "c_call":
            calls.append(getattr(what, "__qualname__", ""))

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        with pytest.raises(MalformedReply, match=said):
            parse_xml(body)
    finally:
        sys.setprofile(before)
    assert [call for call in calls if call.startswith("XMLParser")] == []
    assert "bytes.count" in calls or "Pattern.search" in calls or said == "NUL"


def test_twenty_thousand_levels_are_refused_and_taken_down_without_harm() -> None:
    with pytest.raises(MalformedReply, match="32 levels"):
        parse_xml(b"<a>" * 19_999 + b"</a>" * 19_999)


@pytest.mark.parametrize(
    "body",
    [b"<!-- a -- b --><a/>", b"<a><![CDATA[<!DOCTYPE]]></a>", b"<a><!-- <!ENTITY --></a>", b"<a><!ELEMENT b></a>"],
    ids=range(4),
)
def test_declarations_are_refused_wherever_they_stand(body: bytes) -> None:
    with pytest.raises(MalformedReply):
        parse_xml(body)


def test_comments_and_cdata_are_read() -> None:
    root = parse_xml(b'<?xml version="1.0"?><!-- x --><a>1<!-- y --><![CDATA[<&]]>2</a><!-- z -->')
    assert root.text == "1<&2"


def test_a_document_at_the_limits_is_read() -> None:
    body = b"<a>" * 31 + b"<b " + b" ".join(b'a%d="1"' % n for n in range(100)) + b">" + b"x" * 65_536
    root = parse_xml(body + b"</b>" + b"</a>" * 31)
    assert sum(1 for _ in root.iter()) == 32


def test_a_full_cart_of_fifty_lines_is_far_from_the_limits(sample: Callable[[str], bytes]) -> None:
    body = sample("2005-create-us")
    start, end = body.index(b"<CartItem>"), body.index(b"</CartItems>")
    full = body[:start] + body[start:end] * 25 + body[end:]
    assert len(parse_cart(full, locale="US", associate_tag="t", operation="CartCreate").items) == 50
    assert len(full) < MAX_BYTES / 10


@pytest.mark.parametrize("encoding", ["nonsense-9", "unicode_escape", "idna", "hex", "undefined", "UTF-8"])
def test_a_reply_is_read_as_utf_8_whatever_encoding_it_declares(encoding: str) -> None:
    root = parse_xml(f'<?xml version="1.0" encoding="{encoding}"?><a>カート \\d</a>'.encode())
    assert root.text == "カート \\d"


def parses_or_refuses(body: bytes) -> None:
    for operation in ("CartCreate", "CartGet"):
        try:
            parse_cart(body, locale="JP", associate_tag="t", operation=operation)
        except ECSCartError:
            continue


@given(st.binary(max_size=300))
@example(b"<ErrorResponse/>")
def test_any_bytes_give_a_cart_or_one_of_our_errors(body: bytes) -> None:
    parses_or_refuses(body)


@given(st.data())
def test_a_damaged_cart_gives_a_cart_or_one_of_our_errors(sample_bytes: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(sample_bytes)))
    gone = data.draw(st.integers(0, 40))
    parses_or_refuses(sample_bytes[:at] + data.draw(st.binary(max_size=12)) + sample_bytes[at + gone :])


@pytest.fixture(scope="module")
def sample_bytes() -> bytes:
    from pathlib import Path

    folder = Path(__file__).resolve().parents[2] / "samples"
    return (folder / "2013-modify-jp-saved-and-related.xml").read_bytes()
