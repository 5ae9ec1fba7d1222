"""An element of a reply, read by the names of its children, and the prices in it."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from flask_ecscart.errors import MalformedReply
from flask_ecscart.locales import LOCALES
from flask_ecscart.model import Money

__all__ = ["ASIN", "WHOLE", "Reader", "read_money"]

ASIN = re.compile(r"[A-Za-z0-9]{1,32}")
WHOLE = re.compile(r"-?[0-9]{1,15}")


class Reader:
    """An element whose children are looked up in one namespace; what stands in another is not seen."""

    __slots__ = ("_children", "_element", "_prefix", "namespace")

    def __init__(self, element: Element, namespace: str) -> None:
        self._element = element
        self.namespace = namespace
        self._prefix = f"{{{namespace}}}" if namespace else ""
        # One pass, the first of each name winning: a look-up for each field takes twice as long.
        self._children = {child.tag: child for child in reversed(list(element))}

    def all(self, path: str) -> list[Element]:
        """Every element at `path` (names joined by ``/``)."""
        return self._element.findall("/".join(f"{self._prefix}{name}" for name in path.split("/")))

    def readers(self, path: str) -> list[Reader]:
        """A reader of every element at `path`."""
        return [Reader(element, self.namespace) for element in self.all(path)]

    def one(self, path: str) -> Reader | None:
        """The first element at `path`."""
        found = self._find(path)
        return None if found is None else Reader(found, self.namespace)

    def text(self, path: str) -> str | None:
        """The text at `path` without surrounding space; None where it is missing or empty."""
        found = self._find(path)
        return None if found is None or found.text is None else found.text.strip() or None

    def matching(self, path: str, pattern: re.Pattern[str]) -> str:
        """The text at `path`, of the form of `pattern`; `MalformedReply` without it."""
        value = self.text(path)
        if value is None or not pattern.fullmatch(value):
            raise MalformedReply(f"The reply has no usable {path}. Check the endpoint.")
        return value

    def number(self, path: str) -> int | None:
        """The whole number at `path`; None where there is none."""
        value = self.text(path)
        return None if value is None or not WHOLE.fullmatch(value) else int(value)

    def _find(self, path: str) -> Element | None:
        name, _, rest = path.partition("/")
        found = self._children.get(self._prefix + name)
        if not rest or found is None:
            return found
        return next(iter(self.all(path)), None)


def read_money(reader: Reader, path: str, locale: str) -> Money | None:
    """The price at `path`; None where there is none, or one in words alone ("Too low to display")."""
    price = reader.one(path)
    if price is None or price.text("Amount") is None:
        return None
    amount = int(price.matching("Amount", WHOLE))
    currency, formatted = price.text("CurrencyCode"), price.text("FormattedPrice")
    if currency is None or formatted is None:
        written = LOCALES[locale].money(amount)
        return Money(amount, currency or written.currency, formatted or written.formatted)
    return Money(amount, currency, formatted)
