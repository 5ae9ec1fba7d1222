"""One reply's bytes to a `Cart`, or to the exception it stands for.

Errors come in three places (PROTOCOL 4): beside the cart or instead of it in ``Cart/Request/Errors``, in
``OperationRequest/Errors``, and as a document of their own, ``<…ErrorResponse>``. The code decides, not the status.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from xml.etree.ElementTree import Element

from flask_ecscart.ecs.cart_fields import Reader, read_cart
from flask_ecscart.ecs.xml import parse_xml
from flask_ecscart.errors import ECSError, MalformedReply, error_from_code
from flask_ecscart.model import Cart, CartFault

__all__ = ["parse_cart"]

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


class _Expected(NamedTuple):
    """What a reply must agree with, and what may not be seen of it."""

    locale: str
    associate_tag: str
    operation: str
    cart_id: str | None
    retail_base: str | None
    hidden: tuple[str, ...]


def parse_cart(
    body: bytes,
    *,
    locale: str,
    associate_tag: str,
    operation: str,
    expected_cart_id: str | None = None,
    retail_base: str | None = None,
    hidden: Iterable[str] = (),
) -> Cart:
    """The cart in `body`, the reply to `operation`.

    Errors beside a cart stand in `Cart.faults`. Errors instead of a cart are raised: the first one, with the rest in
    its `others`. `hidden` are texts (keys, HMAC) that are blotted out where the service quotes them in a message.
    Raises `MalformedReply` for anything else: another operation's reply, another cart's, a foreign namespace, no XML.
    """
    expected = _Expected(locale, associate_tag, operation, expected_cart_id, retail_base, tuple(filter(None, hidden)))
    root = parse_xml(body)
    namespace, name = _split(root.tag)
    if _ERROR_ROOT.fullmatch(name) and _ERROR_NAMESPACE.fullmatch(namespace):
        raise _error_document(Reader(root, namespace), expected)
    if not _REPLY_NAMESPACE.fullmatch(namespace):
        raise MalformedReply(f"The reply to {operation} is not in a namespace of ECS. Check the endpoint.")
    if name != f"{operation}Response":
        raise MalformedReply(f"The reply does not answer {operation} but something else. Check the endpoint.")
    return _cart_or_error(Reader(root, namespace), expected)


def _split(tag: str) -> tuple[str, str]:
    if not tag.startswith("{"):
        return "", tag
    namespace, _, name = tag[1:].rpartition("}")
    return namespace, name


def _error_document(root: Reader, expected: _Expected) -> ECSError | MalformedReply:
    # The last element is spelled RequestId in some documents and RequestID in others (recorded 2013 to 2017).
    request_id = root.text("RequestId") or root.text("RequestID")
    # An access error is found before the operation is looked at, so the root's name is not compared with it.
    errors = _errors(root.all("Error"), request_id, expected)
    return _raised(errors) if errors else MalformedReply("An error document came without an error. Check the endpoint.")


def _cart_or_error(root: Reader, expected: _Expected) -> Cart:
    carts = root.all("Cart")
    if len(carts) > 1:
        raise MalformedReply("The reply holds more than one cart. Check the endpoint.")
    found = [error for path in _ERROR_PLACES for error in root.all(path)]
    cart = Reader(carts[0], root.namespace) if carts else None
    request_id = _clean_id(root.text("OperationRequest/RequestId"), expected)
    errors = _errors(found, request_id, expected)
    # With IsValid False nothing was done; without a CartId there is no cart to stand beside (PROTOCOL 4).
    whole = cart is not None and cart.text("Request/IsValid") != "False" and cart.text("CartId") is not None
    if errors and not whole:
        raise _raised(errors)
    if cart is None or not whole:
        raise MalformedReply(
            f"The reply to {expected.operation} holds neither a cart nor an error. Check the endpoint."
        )
    faults = tuple(CartFault(error.code, error.message) for error in errors)
    read = read_cart(cart, expected.locale, expected.associate_tag, expected.retail_base, faults, request_id)
    if expected.cart_id is not None and read.ref.cart_id != expected.cart_id:
        raise MalformedReply(f"The reply to {expected.operation} holds another cart than the one asked about.")
    return read


def _errors(elements: list[Element], request_id: str | None, expected: _Expected) -> list[ECSError]:
    errors: list[ECSError] = []
    for element in elements:
        error = Reader(element, _split(element.tag)[0])
        code = _blotted(error.text("Code") or "", expected.hidden)
        if not _CODE.fullmatch(code):
            raise MalformedReply("The reply holds an error without a readable code. Check the endpoint.")
        message = _blotted(error.text("Message") or "", expected.hidden)
        message = _CONTROLS.sub(" ", message)[:_MAX_MESSAGE].strip()
        errors.append(error_from_code(code, message, request_id=_clean_id(request_id, expected)))
    return errors


def _raised(errors: list[ECSError]) -> ECSError:
    first, *others = errors
    first.others = tuple(others)
    return first


def _clean_id(request_id: str | None, expected: _Expected) -> str | None:
    """`request_id` when it is one: it goes into messages and logs."""
    if request_id is None or not _REQUEST_ID.fullmatch(request_id) or request_id in expected.hidden:
        return None
    return request_id


def _blotted(text: str, hidden: tuple[str, ...]) -> str:
    for secret in hidden:
        text = text.replace(secret, "***")
    # A service may quote the request as a whole, signature and all.
    return _SIGNED_PARAMETER.sub(r"\1=***", text)
