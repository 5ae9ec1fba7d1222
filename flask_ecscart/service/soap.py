"""/onca/soap without a web framework: a SOAP message is answered as the REST request that asks for the same.

No library stands behind it: the kept ones for Python are clients, and the servers among them bring a parser and
a dispatcher of their own, past the limits and the rules that hold here. What is left is one envelope.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from xml.etree.ElementTree import fromstring
from xml.sax.saxutils import escape

import msgspec

from flask_ecscart.errors import InternalError
from flask_ecscart.model import CartFault
from flask_ecscart.service.endpoint import Received, Reply
from flask_ecscart.service.render import render_error
from flask_ecscart.service.soap_message import SOAP_NAMESPACES, Message, SoapRefused, SoapVersion, read_message

__all__ = ["SOAP_PATH", "SoapEndpoint", "SoapReply", "unreadable"]

SOAP_PATH = "/onca/soap"
_VERSION = "2013-08-01"
"""Namespace of an error where the message names no Version."""
_TYPES: dict[SoapVersion, str] = {"1.1": "text/xml;charset=UTF-8", "1.2": "application/soap+xml;charset=UTF-8"}
_SERVER_STATUS = 500
_WAIT_STATUS = 503
_REFUSED_STATUS = 400
_INTERNAL = f"<Code>{InternalError.code}</Code>".encode()
_ROLES_12 = {"Client": "Sender", "Server": "Receiver"}


class SoapReply(msgspec.Struct, frozen=True, kw_only=True):
    """A SOAP envelope with its HTTP status; `retry_after` in seconds where waiting helps."""

    status: int
    body: bytes
    content_type: str
    retry_after: float | None = None


class SoapEndpoint:
    """Answers SOAP messages through `answer`, which answers REST requests and whose access takes SOAP signatures."""

    def __init__(self, answer: Callable[[Received], Reply]) -> None:
        self._answer = answer

    def answer(self, received: Received) -> SoapReply:
        """The reply to the message in `received.form`; whatever goes wrong becomes a fault."""
        try:
            message = read_message(received.form)
        except SoapRefused as refused:
            document = _document(CartFault(refused.error.code, refused.error.message))
            return _fault(document, refused.soap or "1.1", refused.role)
        reply = self._answer(msgspec.structs.replace(received, query=message.query, form=b""))
        return _wrapped(message, reply)


def unreadable(message: str, status: int) -> SoapReply:
    """The fault for a request whose body was not even looked at."""
    reply = _fault(_document(CartFault("AWS.InvalidParameterValue", message)), "1.1", "Client")
    return msgspec.structs.replace(reply, status=status)


def _wrapped(message: Message, reply: Reply) -> SoapReply:
    if reply.status >= _REFUSED_STATUS:
        role = "Server" if reply.status >= _SERVER_STATUS else "Client"
        fault = _fault(reply.body, message.soap, role)
        if reply.status != _WAIT_STATUS:
            return fault
        return msgspec.structs.replace(fault, status=reply.status, retry_after=reply.retry_after)
    if _INTERNAL in reply.body:  # the one error of a cart that SOAP makes a fault of (PROTOCOL 2.3)
        errors = fromstring(reply.body).iter()  # noqa: S314 - our own document
        said = next(error.text or "" for error in errors if error.tag.endswith("}Message"))
        return _fault(_document(CartFault(InternalError.code, said), message.version), message.soap, "Server")
    return SoapReply(
        status=200, body=_envelope(message.soap, _undeclared(reply.body)), content_type=_TYPES[message.soap]
    )


def _fault(document: bytes, soap: SoapVersion, role: str) -> SoapReply:
    """A fault whose detail is the error `document` of REST.

    SOAP 1.1 answers every fault with 500; 1.2 has 400 for what the sender did.
    """
    code, said = _code_and_message(document)
    detail = _undeclared(document)
    if soap == "1.1":
        # A dot leads from the general to the special code (SOAP 1.1, 4.4.1).
        name = f"{role}.{code}" if role in _ROLES_12 else role
        fault = (
            f"<soapenv:Fault><faultcode>soapenv:{escape(name)}</faultcode><faultstring>{escape(said)}</faultstring>"
            f"<detail>{detail}</detail></soapenv:Fault>"
        )
        status = _SERVER_STATUS
    else:
        role = _ROLES_12.get(role, role)
        fault = (
            f"<soapenv:Fault><soapenv:Code><soapenv:Value>soapenv:{role}</soapenv:Value></soapenv:Code>"
            f'<soapenv:Reason><soapenv:Text xml:lang="en">{escape(f"{code}: {said}")}</soapenv:Text></soapenv:Reason>'
            f"<soapenv:Detail>{detail}</soapenv:Detail></soapenv:Fault>"
        )
        status = _REFUSED_STATUS if role == "Sender" else _SERVER_STATUS
    return SoapReply(status=status, body=_envelope(soap, fault), content_type=_TYPES[soap])


def _code_and_message(document: bytes) -> tuple[str, str]:
    texts = {
        element.tag.rpartition("}")[2]: element.text or ""
        for element in fromstring(document).iter()  # noqa: S314 - our own document
    }
    return texts["Code"], texts["Message"]


def _document(fault: CartFault, version: str = _VERSION) -> bytes:
    return render_error(None, version, fault, str(uuid.uuid4()))


def _undeclared(document: bytes) -> str:
    """The document without its XML declaration."""
    text = document.decode()
    return text.partition("?>")[2].lstrip() if text.startswith("<?xml") else text


def _envelope(soap: SoapVersion, content: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{SOAP_NAMESPACES[soap]}">'
        f"<soapenv:Body>{content}</soapenv:Body></soapenv:Envelope>"
    ).encode()
