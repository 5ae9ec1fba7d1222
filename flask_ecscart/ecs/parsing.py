"""One reply's bytes to a `Cart` or to a page of products, or to the exception it stands for."""

from __future__ import annotations

from collections.abc import Iterable

from flask_ecscart.ecs.cart_fields import read_cart
from flask_ecscart.ecs.item_fields import read_product
from flask_ecscart.ecs.purchase_url import RetailBase
from flask_ecscart.ecs.replies import faults_of, open_reply, raised
from flask_ecscart.errors import MalformedReply
from flask_ecscart.model import Cart, ProductPage

__all__ = ["parse_cart", "parse_items"]

_BESIDE_ITEMS = frozenset(
    [
        "AWS.InvalidParameterValue",
        "AWS.ECommerceService.NoExactMatches",
        "AWS.ECommerceService.ItemNotAccessible",
    ]
)
"""Errors of a valid request that speak of one ASIN, or say that nothing was found."""


def parse_cart(
    body: bytes,
    *,
    locale: str,
    associate_tag: str,
    operation: str,
    expected_cart_id: str | None = None,
    retail_base: RetailBase = None,
    hidden: Iterable[str] = (),
) -> Cart:
    """The cart in `body`, the reply to `operation`.

    Errors beside a cart stand in `Cart.faults`. Errors instead of a cart are raised: the first one, with the rest in
    its `others`. `hidden` are texts (keys, HMAC) that are blotted out where the service quotes them in a message.
    Raises `MalformedReply` for anything else: another operation's reply, another cart's, a foreign namespace, no XML.
    """
    reply = open_reply(body, operation, hidden)
    carts = reply.root.readers("Cart")
    if len(carts) > 1:
        raise MalformedReply("The reply holds more than one cart. Check the endpoint.")
    cart = carts[0] if carts else None
    # With IsValid False nothing was done; without a CartId there is no cart to stand beside (PROTOCOL 4).
    whole = cart is not None and cart.text("Request/IsValid") != "False" and cart.text("CartId") is not None
    if reply.errors and not whole:
        raise raised(reply.errors)
    if cart is None or not whole:
        raise MalformedReply(f"The reply to {operation} holds neither a cart nor an error. Check the endpoint.")
    read = read_cart(cart, locale, associate_tag, retail_base, faults_of(reply.errors), reply.request_id)
    if expected_cart_id is not None and read.ref.cart_id != expected_cart_id:
        raise MalformedReply(f"The reply to {operation} holds another cart than the one asked about.")
    return read


def parse_items(
    body: bytes, *, locale: str, operation: str, retail_base: RetailBase = None, hidden: Iterable[str] = ()
) -> ProductPage:
    """The products in `body`, the reply to `operation` (ItemLookup or ItemSearch).

    An ASIN nobody knows, and a search that finds nothing, are `ProductPage.faults`; every other error is raised.
    Raises `MalformedReply` as `parse_cart` does.
    """
    reply = open_reply(body, operation, hidden)
    items = reply.root.one("Items")
    refused = items is None or items.text("Request/IsValid") == "False"
    if reply.errors and (refused or any(error.code not in _BESIDE_ITEMS for error in reply.errors)):
        raise raised(reply.errors)
    if items is None or refused:
        raise MalformedReply(f"The reply to {operation} holds neither items nor an error. Check the endpoint.")
    return ProductPage(
        products=tuple(read_product(item, locale, retail_base) for item in items.readers("Item")),
        total_results=items.number("TotalResults"),
        total_pages=items.number("TotalPages"),
        faults=faults_of(reply.errors),
        request_id=reply.request_id,
    )
