"""The raw parameters of a request: decoded once, bounded, each at most once, nothing in them that XML cannot hold."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from flask_ecscart.errors import InvalidParameterValue, MaximumParameterRequirement, ParameterRepeated
from flask_ecscart.service.messages import refusal

__all__ = ["MAX_BYTES", "NOT_IN_XML", "read_pairs", "unrepeated"]

MAX_BYTES = 256 * 1024
"""Most bytes of a query string or body: fifty lines with long OfferListingIds, encoded twice, need a tenth."""
_MAX_PARAMETERS = 5000
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has no way to write, not even escaped."""


def read_pairs(encoded: bytes) -> list[tuple[str, str]]:
    """Names and values of a query string or form body, in its order. Raises `RequestRefused`."""
    if len(encoded) > MAX_BYTES:
        raise InvalidParameterValue(f"The request is longer than {MAX_BYTES} bytes. Send fewer items at once.")
    if encoded.count(b"&") >= _MAX_PARAMETERS:
        raise MaximumParameterRequirement(f"The request has more than {_MAX_PARAMETERS} parameters. Send fewer items.")
    return [_pair(part) for part in encoded.split(b"&") if part]


def unrepeated(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The parameters by name; raises `ParameterRepeated` for one that is there twice."""
    named: dict[str, str] = {}
    for name, value in pairs:
        if name in named:
            raise refusal(ParameterRepeated, "", name=name)
        named[name] = value
    return named


def _pair(part: bytes) -> tuple[str, str]:
    name, _, value = part.partition(b"=")
    return _text(name), _text(value)


def _text(encoded: bytes) -> str:
    try:
        text = unquote_to_bytes(encoded.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError as problem:
        raise InvalidParameterValue("A parameter is not UTF-8. Encode it as UTF-8 and retry your request.") from problem
    if NOT_IN_XML.search(text):
        raise InvalidParameterValue(
            "A parameter holds a control character that XML cannot write. Remove it and retry your request."
        )
    return text
