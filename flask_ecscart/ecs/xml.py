"""Bytes to an element tree, refusing what no ECS reply ever holds before it costs time or memory.

A recorded cart is a few kB; a full cart of 50 lines about 32 kB, 800 elements and 7 levels.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.ElementTree import DefusedXMLParser

from flask_ecscart.errors import MalformedReply

__all__ = ["MAX_BYTES", "parse_xml"]

MAX_BYTES = 1024 * 1024
_MAX_DEPTH = 32
_MAX_ELEMENTS = 20_000
_MAX_ATTRIBUTES = 100
_MAX_TEXT = 64 * 1024
# Small enough that a refused document is dropped early, large enough that expat before 2.6, which scans an
# unfinished token again with each piece, sees a token of 1 MiB sixteen times at most (CVE-2023-52425).
_PIECE = 64 * 1024


class _TooMuch(ValueError):
    """A document outgrew one of the limits."""


class _Guard:
    """Builds the tree and stops the parser as soon as a limit is passed."""

    def __init__(self) -> None:
        self._builder = TreeBuilder()
        self._depth = 0
        self._elements = 0
        self._text = 0

    def start(self, tag: str, attributes: dict[str, str]) -> Element:
        self._depth += 1
        self._elements += 1
        self._text = 0
        if self._depth > _MAX_DEPTH:
            raise _TooMuch(f"more than {_MAX_DEPTH} levels")
        if self._elements > _MAX_ELEMENTS:
            raise _TooMuch(f"more than {_MAX_ELEMENTS} elements")
        if len(attributes) > _MAX_ATTRIBUTES:
            raise _TooMuch(f"more than {_MAX_ATTRIBUTES} attributes")
        return self._builder.start(tag, attributes)

    def end(self, tag: str) -> Element:
        self._depth -= 1
        self._text = 0
        return self._builder.end(tag)

    def data(self, text: str) -> None:
        self._text += len(text)
        if self._text > _MAX_TEXT:
            raise _TooMuch(f"a text of more than {_MAX_TEXT} characters")
        self._builder.data(text)

    def close(self) -> Element:
        return self._builder.close()


def parse_xml(body: bytes) -> Element:
    """The root element of `body`; `MalformedReply` for anything that is not small, plain, well-formed XML."""
    if not body.strip():
        raise MalformedReply("The reply is empty. Check the endpoint; read the cart before repeating.")
    if len(body) > MAX_BYTES:
        raise MalformedReply(f"The reply is larger than {MAX_BYTES} bytes, so it is no cart. Check the endpoint.")
    # Every recorded reply is UTF-8. Left to the document, its declaration could name any of Python's codecs.
    parser = DefusedXMLParser(target=_Guard(), encoding="utf-8", forbid_dtd=True)
    try:
        for start in range(0, len(body), _PIECE):
            parser.feed(body[start : start + _PIECE])
        root: Element = parser.close()
    except _TooMuch as exc:
        problem = f"it has {exc}"
    except ParseError as exc:
        problem = f"it is not well-formed XML (line {exc.position[0]}, column {exc.position[1]})"
    except ValueError as exc:
        # defusedxml's refusals are no ParseErrors, and quote the document.
        problem = f"it holds what a reply may not hold ({type(exc).__name__})"
    else:
        return root
    # Raised outside the handlers: a cause would carry text of the document into logs.
    raise MalformedReply(f"The reply cannot be read: {problem}. Check the endpoint.")
