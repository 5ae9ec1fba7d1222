"""The bytes of a SOAP message to an element tree, refusing what no cart request holds before it costs anything.

A message with fifty lines and long OfferListingIds is 15 kB, 160 elements and 7 levels.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.ElementTree import DefusedXMLParser

from flask_ecscart.service.parameters import MAX_BYTES

__all__ = ["Unreadable", "parse_message"]

_MAX_DEPTH = 16
_MAX_ELEMENTS = 5_000
_MAX_ATTRIBUTES = 32
_MAX_TEXT = 16 * 1024
_PIECE = 64 * 1024
"""Bytes given to the parser at once: a refused message is dropped after the piece that broke a limit."""


class Unreadable(ValueError):
    """The message cannot be read; the text says why and quotes nothing of it."""


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
        _at_most(self._depth, _MAX_DEPTH, "levels")
        _at_most(self._elements, _MAX_ELEMENTS, "elements")
        _at_most(len(attributes), _MAX_ATTRIBUTES, "attributes on one element")
        return self._builder.start(tag, attributes)

    def end(self, tag: str) -> Element:
        self._depth -= 1
        self._text = 0
        return self._builder.end(tag)

    def data(self, text: str) -> None:
        self._text += len(text)
        _at_most(self._text, _MAX_TEXT, "characters in one text")
        self._builder.data(text)

    def close(self) -> Element:
        return self._builder.close()


def parse_message(body: bytes) -> Element:
    """The root element; raises `Unreadable` for anything that is not small, plain, well-formed UTF-8 XML."""
    _at_most(len(body), MAX_BYTES, "bytes")
    # Left to the document, its declaration could name any of Python's codecs.
    parser = DefusedXMLParser(target=_Guard(), encoding="utf-8", forbid_dtd=True)
    try:
        for start in range(0, len(body), _PIECE):
            parser.feed(body[start : start + _PIECE])
        root: Element = parser.close()
    except Unreadable:
        raise
    except ParseError as exc:
        problem = f"It is not well-formed XML in UTF-8 (line {exc.position[0]}, column {exc.position[1]})."
    except ValueError as exc:
        problem = f"It holds what no message may hold ({type(exc).__name__})."  # defusedxml's own text quotes it
    else:
        return root
    raise Unreadable(problem)  # outside the handlers: a cause would carry text of the message into logs


def _at_most(count: int, most: int, what: str) -> None:
    if count > most:
        raise Unreadable(f"It has more than {most} {what}.")
