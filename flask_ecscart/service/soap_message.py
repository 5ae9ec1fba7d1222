"""What a SOAP message asks for, as the parameters of the REST request that asks for the same.

Document/literal as in PROTOCOL 2.3: `<Operation>` with Shared and Request inside the Body, and the access key,
timestamp and signature in the Header. Everything that is checked, done and answered is then done once, for both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal
from urllib.parse import quote
from xml.etree.ElementTree import Element

import msgspec

from flask_ecscart.errors import ECSError, InvalidOperation, MaximumParameterRequirement, MissingParameters
from flask_ecscart.service.soap_xml import Unreadable, parse_message

__all__ = ["NAMESPACE", "SOAP_NAMESPACES", "Message", "SoapRefused", "SoapVersion", "read_message"]

SoapVersion = Literal["1.1", "1.2"]
SOAP_NAMESPACES: dict[SoapVersion, str] = {
    "1.1": "http://schemas.xmlsoap.org/soap/envelope/",
    "1.2": "http://www.w3.org/2003/05/soap-envelope",
}
NAMESPACE = "http://webservices.amazon.com/AWSECommerceService/"
"""The Version follows."""
_SECURITY = "http://security.amazonaws.com/doc/2007-01-01/"
_SECURITY_FIELDS = ("AWSAccessKeyId", "Timestamp", "Signature")
_KEYS = ("AWSAccessKeyId", "SubscriptionId")
_COMMON_FIELDS = (*_KEYS, "AssociateTag", "Validate", "XMLEscaping", "MarketplaceDomain")
_LISTS = ("ResponseGroup", "ItemId")
"""Fields of a Request that may be there several times: REST has one parameter with commas."""
_FIELD = re.compile(r"[A-Z][A-Za-z]{0,39}", re.ASCII)
_NOT_OF_A_REQUEST = {"Service", "Operation", "Version", *_SECURITY_FIELDS, *_COMMON_FIELDS}

_Pairs = list[tuple[str, str]]


class SoapRefused(Exception):
    """The message is no request. `role` is the SOAP fault code, `error` what is wrong."""

    def __init__(self, error: ECSError, *, role: str = "Client", soap: SoapVersion | None = None) -> None:
        self.error = error
        self.role = role
        self.soap: SoapVersion | None = soap
        super().__init__(str(error))


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A request. `query` is its parameters as a query string."""

    soap: SoapVersion
    operation: str
    version: str
    query: bytes


def read_message(body: bytes) -> Message:
    """The request in a SOAP 1.1 or 1.2 envelope; raises `SoapRefused`."""
    try:
        envelope = parse_message(body)
    except Unreadable as problem:
        raise SoapRefused(_wrong(f"The message cannot be read. {problem} Send a SOAP envelope.")) from problem
    soap = _soap_version(envelope)
    header, content = (_child(envelope, SOAP_NAMESPACES[soap], name) for name in ("Header", "Body"))
    _check_understood(header, soap)
    asked = list(content) if content is not None else []
    if len(asked) != 1:
        raise SoapRefused(_wrong("The Body must hold one operation, such as CartCreate."), soap=soap)
    try:
        return _message(soap, header, asked[0])
    except ECSError as error:
        raise SoapRefused(error, soap=soap) from None


def _soap_version(envelope: Element) -> SoapVersion:
    for version, namespace in SOAP_NAMESPACES.items():
        if envelope.tag == f"{{{namespace}}}Envelope":
            return version
    error = _wrong("The root element is no SOAP envelope. Send an Envelope of SOAP 1.1 or 1.2.")
    raise SoapRefused(error, role="VersionMismatch")


def _check_understood(header: Element | None, soap: SoapVersion) -> None:
    for entry in header if header is not None else ():
        must = entry.get(f"{{{SOAP_NAMESPACES[soap]}}}mustUnderstand", "0").strip() in {"1", "true"}
        if must and _namespace(entry) != _SECURITY:
            error = _wrong(f"A header must be understood that is not. Sign with the three headers of {_SECURITY}.")
            raise SoapRefused(error, role="MustUnderstand", soap=soap)


def _message(soap: SoapVersion, header: Element | None, asked: Element) -> Message:
    namespace, operation = _namespace(asked), _name(asked)
    if not namespace.startswith(NAMESPACE):
        raise InvalidOperation(f"The operation stands in no namespace known here. Use {NAMESPACE}<Version>.")
    version = namespace.removeprefix(NAMESPACE)
    signed = _signed(header)
    common = [
        (name, text)
        for name, text in _texts(asked, namespace, _COMMON_FIELDS)
        if not (signed and name in _KEYS)  # the key that signed is the one that counts
    ]
    pairs = [
        *(("Service", "AWSECommerceService"), ("Operation", operation), ("Version", version)),
        *signed,
        *common,
        *_request(asked, namespace),
    ]
    query = "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in pairs)
    return Message(soap=soap, operation=operation, version=version, query=query.encode())


def _signed(header: Element | None) -> _Pairs:
    """The security headers: all three, or none where the request is not signed."""
    found = [] if header is None else list(_texts(header, _SECURITY, _SECURITY_FIELDS))
    missing = set(_SECURITY_FIELDS) - {name for name, _ in found}
    if found and missing:
        names = ", ".join(name for name in _SECURITY_FIELDS if name in missing)
        raise MissingParameters(f"Your request is missing required parameters. Required parameters include {names}.")
    return found


def _request(asked: Element, namespace: str) -> _Pairs:
    """The parameters of the one Request, over those of Shared."""
    requests = list(_children(asked, namespace, "Request"))
    shared = list(_children(asked, namespace, "Shared"))
    for name, several in (("Request", requests), ("Shared", shared)):
        if len(several) > 1:  # a cart call changes something: two in one would be done or lost together
            raise MaximumParameterRequirement(
                f"Your request should have at most 1 of the following parameters: {name}. Send one message for each."
            )
    fields: dict[str, _Pairs] = {}
    for request in (*shared, *requests):
        fields.update(_fields(request, namespace))
    return [pair for pairs in fields.values() for pair in pairs]


def _fields(request: Element, namespace: str) -> dict[str, _Pairs]:
    found: dict[str, _Pairs] = {}
    for child in request:
        name = _name(child)
        if _namespace(child) != namespace or not _FIELD.fullmatch(name) or name in _NOT_OF_A_REQUEST:
            continue
        if name == "Items":
            found[name] = list(_items(child, namespace))
        elif name in _LISTS and name in found:
            found[name] = [(name, f"{found[name][0][1]},{_text(child)}")]
        elif not len(child):
            found.setdefault(name, []).append((name, _text(child)))
    return found


def _items(items: Element, namespace: str) -> Iterator[tuple[str, str]]:
    for number, item in enumerate(_children(items, namespace, "Item"), start=1):
        for child in item:
            if _namespace(child) == namespace and _FIELD.fullmatch(_name(child)) and not len(child):
                yield f"Item.{number}.{_name(child)}", _text(child)


def _texts(parent: Element, namespace: str, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    return ((_name(child), _text(child)) for name in names for child in _children(parent, namespace, name))


def _children(parent: Element, namespace: str, name: str) -> Iterator[Element]:
    return (child for child in parent if child.tag == f"{{{namespace}}}{name}")


def _child(parent: Element, namespace: str, name: str) -> Element | None:
    return next(_children(parent, namespace, name), None)


def _namespace(element: Element) -> str:
    return element.tag[1:].partition("}")[0] if element.tag.startswith("{") else ""


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _text(element: Element) -> str:
    return (element.text or "").strip()


def _wrong(message: str) -> ECSError:
    return ECSError(message, code="AWS.InvalidParameterValue")
