"""Asking the service over HTTP as a program does, and reading its replies by element names."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote
from xml.etree.ElementTree import Element, fromstring

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.unit.service.shop import BOOK, TAG

__all__ = ["ONE", "Reply", "ask", "encoded"]

ONE = {"Item.1.ASIN": BOOK, "Item.1.Quantity": "1"}


def ask(web: FlaskClient, operation: str = "CartCreate", path: str = "/onca/xml", **options: object) -> TestResponse:
    """One request; `parameters` over the usual ones, None leaves one out, `headers` over none."""
    given: Mapping[str, str | None] = options.get("parameters", ONE)  # type: ignore[assignment]
    return web.get(path, query_string=encoded(operation, given), headers=options.get("headers", {}))  # type: ignore[arg-type]


def encoded(operation: str, parameters: Mapping[str, str | None]) -> str:
    """The query string of a request; `parameters` over the usual ones, None leaves one out."""
    usual = {
        "Service": "AWSECommerceService",
        "Operation": operation,
        "AWSAccessKeyId": "AKIAEXAMPLE",
        "AssociateTag": TAG,
        "Version": "2013-08-01",
    }
    sent = {name: value for name, value in {**usual, **parameters}.items() if value is not None}
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sent.items())


class Reply:
    """A reply by element names, whatever its namespace."""

    def __init__(self, response: TestResponse) -> None:
        self.body = response.data
        self.root = fromstring(response.data)
        self.namespace, _, self.name = self.root.tag[1:].rpartition("}")

    def all(self, name: str) -> list[Element]:
        """Every element of that name, in the document's order."""
        return [element for element in self.root.iter() if element.tag.rpartition("}")[2] == name]

    def text(self, name: str) -> str | None:
        """The text of the first element of that name."""
        found = self.all(name)
        return found[0].text if found else None

    def texts(self, name: str, within: str | None = None) -> list[str | None]:
        """The texts of all elements of that name, within those of another name."""
        places = self.all(within) if within else [self.root]
        return [one.text for place in places for one in place.iter() if one.tag.rpartition("}")[2] == name]

    def flat(self, name: str) -> list[tuple[str, str | None]]:
        """Names and texts of what has a text below the first element of that name."""
        found = self.all(name)
        return [(one.tag.rpartition("}")[2], one.text) for one in (found[0].iter() if found else ()) if one.text]

    @property
    def codes(self) -> list[str | None]:
        """The codes of all errors."""
        return self.texts("Code")

    def ids(self) -> dict[str, str]:
        """CartId and HMAC, as the next request needs them."""
        return {name: self.text(name) or "" for name in ("CartId", "HMAC")}
