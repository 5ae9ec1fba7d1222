"""One reply's bytes to a root element of the right operation and the errors it holds.

Errors come in three places (PROTOCOL 4): beside the answer or instead of it in ``…/Request/Errors``, in
``OperationRequest/Errors``, and as a document of their own, ``<…ErrorResponse>``. The code decides, not the status.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from flask_ecscart.ecs.reader import Reader
from flask_ecscart.ecs.xml import parse_xml
from flask_ecscart.errors import ECSError, MalformedReply, error_from_code
from flask_ecscart.model import CartFault

__all__ = ["Opened", "faults_of", "open_reply", "raised"]

_REPLY_NAMESPACE = re.compile(r"http://webservices\.amazon\.com/AWSECommerceService/\d{4}-\d{2}-\d{2}")
_ERROR_NAMESPACE = re.compile(r"(http://ecs\.amazonaws\.com/doc/\d{4}-\d{2}-\d{2}/)?")
_ERROR_ROOT = re.compile(r"[A-Za-z]{0,40}ErrorResponse")
_CODE = re.compile(r"[A-Za-z0-9._]{1,100}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
# The last: an account refused within the body was recorded under Items (DE 2013).
_ERROR_PLACES = (
    "Errors/Error",
    "OperationRequest/Errors/Error",
    "Cart/Request/Errors/Error",
    "Items/Request/Errors/Error",
)
_SIGNED_PARAMETER = re.compile(r"(Signature|HMAC|AWSAccessKeyId|SubscriptionId)=[^&\s]+", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_MAX_MESSAGE = 2000


class Opened(NamedTuple):
    """A reply that answers what was asked; its errors are in the reply's order."""

    root: Reader
    errors: tuple[ECSError, ...]
    request_id: str | None


def open_reply(body: bytes, operation: str, hidden: Iterable[str] = ()) -> Opened:
    """The reply to `operation` in `body`; an error document is raised.

    `hidden` are texts (keys, HMAC) that are blotted out where the service quotes them in a message.
    Raises `MalformedReply` for another operation's reply, a foreign namespace, or no XML.
    """
    secrets = tuple(filter(None, hidden))
    element = parse_xml(body)
    namespace, name = _split(element.tag)
    root = Reader(element, namespace)
    if _ERROR_ROOT.fullmatch(name) and _ERROR_NAMESPACE.fullmatch(namespace):
        raise _error_document(root, secrets)
    if not _REPLY_NAMESPACE.fullmatch(namespace):
        raise MalformedReply(f"The reply to {operation} is not in a namespace of ECS. Check the endpoint.")
    if name != f"{operation}Response":
        raise MalformedReply(f"The reply does not answer {operation} but something else. Check the endpoint.")
    request_id = _clean_id(root.text("OperationRequest/RequestId"), secrets)
    found = [error for path in _ERROR_PLACES for error in root.readers(path)]
    return Opened(root, _errors(found, request_id, secrets), request_id)


def raised(errors: Sequence[ECSError]) -> ECSError:
    """The first of `errors`, which has the rest in its `others`."""
    first, *others = errors
    first.others = tuple(others)
    return first


def faults_of(errors: Sequence[ECSError]) -> tuple[CartFault, ...]:
    """`errors` as what stands beside an answer."""
    return tuple(CartFault(error.code, error.message) for error in errors)


def _split(tag: str) -> tuple[str, str]:
    if not tag.startswith("{"):
        return "", tag
    namespace, _, name = tag[1:].rpartition("}")
    return namespace, name


def _error_document(root: Reader, secrets: tuple[str, ...]) -> ECSError | MalformedReply:
    # The last element is spelled RequestId in some documents and RequestID in others (recorded 2013 to 2017).
    request_id = _clean_id(root.text("RequestId") or root.text("RequestID"), secrets)
    # An access error is found before the operation is looked at, so the root's name is not compared with it.
    errors = _errors(root.readers("Error"), request_id, secrets)
    return raised(errors) if errors else MalformedReply("An error document came without an error. Check the endpoint.")


def _errors(found: list[Reader], request_id: str | None, secrets: tuple[str, ...]) -> tuple[ECSError, ...]:
    return tuple(_error(error, request_id, secrets) for error in found)


def _error(error: Reader, request_id: str | None, secrets: tuple[str, ...]) -> ECSError:
    code = _blotted(error.text("Code") or "", secrets)
    if not _CODE.fullmatch(code):
        raise MalformedReply("The reply holds an error without a readable code. Check the endpoint.")
    message = _blotted(error.text("Message") or "", secrets)
    message = _CONTROLS.sub(" ", message)[:_MAX_MESSAGE].strip()
    return error_from_code(code, message, request_id=request_id)


def _clean_id(request_id: str | None, secrets: tuple[str, ...]) -> str | None:
    """`request_id` when it is one: it goes into messages and logs."""
    if request_id is None or not _REQUEST_ID.fullmatch(request_id) or request_id in secrets:
        return None
    return request_id


def _blotted(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    # A service may quote the request as a whole, signature and all.
    return _SIGNED_PARAMETER.sub(r"\1=***", text)
