"""The pieces every reply is built from: texts, money, errors, OperationRequest, and the bytes of the document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from xml.etree.ElementTree import Element, SubElement, tostring
from xml.sax.saxutils import escape

import msgspec

from flask_ecscart.model import CartFault, Money
from flask_ecscart.service.parameters import NOT_IN_XML

__all__ = [
    "Envelope",
    "add_errors",
    "add_money",
    "add_text",
    "document",
    "operation_request",
    "response_root",
]

_NAMESPACE = "http://webservices.amazon.com/AWSECommerceService/{}"


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What a reply says about its request. `seconds` is the processing time; `retail_base` is None for Amazon's own."""

    request_id: str
    arguments: Mapping[str, str]
    user_agent: str | None
    seconds: float
    retail_base: Callable[[str], str] | None = None


def response_root(operation: str, version: str, envelope: Envelope) -> Element:
    """The `<Operation>Response` element in the namespace of `version`, with its OperationRequest."""
    root = Element(f"{operation}Response", {"xmlns": _NAMESPACE.format(version)})
    operation_request(root, envelope)
    return root


def operation_request(root: Element, envelope: Envelope) -> None:
    """Add the OperationRequest: the caller's User-Agent, the request's id, its parameters, the time it took."""
    about = SubElement(root, "OperationRequest")
    if envelope.user_agent:
        headers = SubElement(about, "HTTPHeaders")
        SubElement(headers, "Header", {"Name": "UserAgent", "Value": NOT_IN_XML.sub("", envelope.user_agent)})
    add_text(about, "RequestId", envelope.request_id)
    if envelope.arguments:
        arguments = SubElement(about, "Arguments")
        for name, value in sorted(envelope.arguments.items()):
            SubElement(arguments, "Argument", {"Name": name, **({"Value": value} if value else {})})
    add_text(about, "RequestProcessingTime", f"{envelope.seconds:.6f}")


def add_errors(request: Element, faults: Iterable[CartFault]) -> None:
    """Add Errors where there are faults: an empty one is never sent (recorded)."""
    errors = Element("Errors")
    for fault in faults:
        error = SubElement(errors, "Error")
        add_text(error, "Code", fault.code)
        add_text(error, "Message", fault.message)
    if len(errors):
        request.append(errors)


def add_money(parent: Element, name: str, money: Money | None) -> None:
    """Add a price; nothing for None."""
    if money is None:
        return
    element = SubElement(parent, name)
    add_text(element, "Amount", str(money.amount))
    add_text(element, "CurrencyCode", money.currency)
    add_text(element, "FormattedPrice", money.formatted)


def add_text(parent: Element, name: str, text: str | None) -> None:
    """Add an element with `text`, less what XML cannot write; nothing for None."""
    if text is not None:
        SubElement(parent, name).text = NOT_IN_XML.sub("", text)


def document(root: Element, *, escaped_twice: bool = False) -> bytes:
    """The document as sent: one line, empty elements in two tags (recorded 2011).

    `escaped_twice` is XMLEscaping=Double: every text is escaped once more than XML asks for.
    """
    if escaped_twice:
        for element in root.iter():
            element.text = escape(element.text) if element.text else element.text
            for name, value in element.attrib.items():
                element.set(name, escape(value))
    body = tostring(root, encoding="unicode", short_empty_elements=False)
    return f'<?xml version="1.0" encoding="UTF-8"?>{body}'.encode()
