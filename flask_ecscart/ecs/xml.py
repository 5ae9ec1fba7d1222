"""Bytes to an element tree, refusing what no ECS reply ever holds before it costs time or memory.

A recorded cart is a few kB; a full cart of 50 lines about 32 kB, 900 elements and 7 levels.

What could be expensive or dangerous is refused on the bytes, so that the parser itself may be the fast one written
in C: wrappers that watch it from Python take as long as parsing and reading a cart together. That is sound because
the bytes are UTF-8 or refused: without a NUL there is no UTF-16 in which a ``<!DOCTYPE`` could hide.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, ParseError, XMLParser

from flask_ecscart.errors import MalformedReply

__all__ = ["MAX_BYTES", "parse_xml"]

MAX_BYTES = 1024 * 1024
_MAX_DEPTH = 32
_MAX_ELEMENTS = 20_000
_MAX_ATTRIBUTES = 100
_MAX_TEXT = 64 * 1024
# Small enough that expat before 2.6, which scans an unfinished token again with each piece, sees a token of 1 MiB
# sixteen times at most (CVE-2023-52425), large enough for a cart in one piece.
_PIECE = 64 * 1024
_DECLARATION = re.compile(rb"<!(?!--|\[CDATA\[)")
"""The start of a document type or of anything within one. No reply quotes one in a comment or CDATA."""


def parse_xml(body: bytes) -> Element:
    """The root element of `body`; `MalformedReply` for anything that is not small, plain, well-formed XML."""
    if not body.strip():
        raise MalformedReply("The reply is empty. Check the endpoint; read the cart before repeating.")
    if len(body) > MAX_BYTES:
        raise MalformedReply(f"The reply is larger than {MAX_BYTES} bytes, so it is no cart. Check the endpoint.")
    problem = _problem_of_bytes(body)
    if problem is None:
        # Every recorded reply is UTF-8. Left to the document, its declaration could name any of Python's codecs.
        parser = XMLParser(encoding="utf-8")  # noqa: S314 - see above: what defusedxml refuses is refused already
        try:
            for start in range(0, len(body), _PIECE):
                parser.feed(body[start : start + _PIECE])
            root: Element = parser.close()
        except ParseError as exc:
            problem = f"it is not well-formed XML (line {exc.position[0]}, column {exc.position[1]})"
        else:
            problem = _problem_of_tree(root)
            if problem is None:
                return root
    # Raised outside the handler: a cause would carry text of the document into logs.
    raise MalformedReply(f"The reply cannot be read: {problem}. Check the endpoint.")


def _problem_of_bytes(body: bytes) -> str | None:
    """What makes `body` too costly or too dangerous to parse at all."""
    if b"\0" in body:
        return "it holds a NUL, as no UTF-8 document does"
    if _DECLARATION.search(body):
        return "it has a document type"
    # Each element and each attribute has two of these at least or at most: good upper bounds, found at once.
    if body.count(b"<") > 2 * _MAX_ELEMENTS:
        return f"it has more than {_MAX_ELEMENTS} elements"
    if body.count(b'"') + body.count(b"'") > 2 * _MAX_ELEMENTS:
        return f"it has more than {_MAX_ELEMENTS} attributes or quotation marks"
    return None


def _problem_of_tree(root: Element) -> str | None:
    """What no reply has, in a tree that is small already: depth, long texts, many attributes on one element."""
    if max(map(len, root.itertext()), default=0) > _MAX_TEXT:
        return f"it has a text of more than {_MAX_TEXT} characters"
    count = 0
    level = [root]
    for _ in range(_MAX_DEPTH):
        if not level:
            break
        count += len(level)
        if max(map(len, map(Element.keys, level))) > _MAX_ATTRIBUTES:
            return f"it has more than {_MAX_ATTRIBUTES} attributes on one element"
        level = [child for element in level for child in element]
    if level:
        return f"it has more than {_MAX_DEPTH} levels"
    return f"it has more than {_MAX_ELEMENTS} elements" if count > _MAX_ELEMENTS else None
