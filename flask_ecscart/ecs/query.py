"""What is asked, as parameters, and how a request is signed (Signature version 2, PROTOCOL 2.2).

Every value is percent-encoded exactly once, here and nowhere else: an HMAC's ``+`` leaves as ``%2B``, and an
OfferListingId, which the API hands out as percent-escaped text, leaves as ``%252F…`` (recorded 2011, 2016).
Names are made by this module alone, so that no text of a user can become a parameter.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from flask_ecscart.errors import InvalidParameterValue
from flask_ecscart.model import CartRef, ItemChange, ItemGroup, NewItem, ResponseGroup

__all__ = [
    "Credentials",
    "canonical_query",
    "cart_add",
    "cart_clear",
    "cart_create",
    "cart_get",
    "cart_modify",
    "item_lookup",
    "item_search",
    "percent_encode",
    "signature",
]


class Credentials:
    """An access key and its secret; neither is ever printed."""

    __slots__ = ("_secret_key", "access_key")

    def __init__(self, access_key: str, secret_key: str) -> None:
        self.access_key = access_key
        self._secret_key = secret_key.encode()

    def __repr__(self) -> str:
        """Without either key: reprs end up in logs."""
        return "Credentials(***)"

    def hidden_in(self) -> tuple[str, ...]:
        """The texts that no message may show."""
        return (self.access_key, self._secret_key.decode())

    def signed_query(self, parameters: Mapping[str, str], *, method: str, host: str, path: str, timestamp: str) -> str:
        """The query string of `parameters` with key, Timestamp and Signature, ready to follow the ``?``."""
        query = canonical_query({**parameters, "AWSAccessKeyId": self.access_key, "Timestamp": timestamp})
        proof = signature(self._secret_key, method=method, host=host, path=path, query=query)
        return f"{query}&Signature={percent_encode(proof)}"


def percent_encode(text: str) -> str:
    """`text` with everything but ``A-Z a-z 0-9 - _ . ~`` as ``%XX`` of its UTF-8 bytes."""
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        pass
    # Raised out here: inside the handler the error would carry the text along as its context.
    raise InvalidParameterValue("A value is not valid Unicode (a lone surrogate). Send well-formed text.")


def canonical_query(parameters: Mapping[str, str]) -> str:
    """The query string that is signed and sent: each name and value encoded once, in byte order of the names."""
    in_byte_order = sorted((percent_encode(name), percent_encode(value)) for name, value in parameters.items())
    return "&".join(f"{name}={value}" for name, value in in_byte_order)


def signature(secret_key: bytes, *, method: str, host: str, path: str, query: str) -> str:
    """Base64 of HMAC-SHA256 over method, lower-case host (as sent, port included), path and canonical query."""
    signed = "\n".join((method, host.lower(), path, query)).encode()
    return base64.b64encode(hmac.digest(secret_key, signed, hashlib.sha256)).decode()


def cart_create(
    items: Sequence[NewItem], *, associate_tag: str, response_groups: Sequence[ResponseGroup] = ()
) -> dict[str, str]:
    """Parameters of CartCreate."""
    return _operation("CartCreate", associate_tag) | _new_items(items) | _cart_groups(response_groups)


def cart_add(
    ref: CartRef, items: Sequence[NewItem], *, response_groups: Sequence[ResponseGroup] = ()
) -> dict[str, str]:
    """Parameters of CartAdd."""
    return _on_cart("CartAdd", ref) | _new_items(items) | _cart_groups(response_groups)


def cart_modify(
    ref: CartRef, changes: Sequence[ItemChange], *, response_groups: Sequence[ResponseGroup] = ()
) -> dict[str, str]:
    """Parameters of CartModify."""
    parameters = _on_cart("CartModify", ref) | _cart_groups(response_groups)
    for index, change in enumerate(changes, start=1):
        parameters[f"Item.{index}.CartItemId"] = change.cart_item_id
        if change.quantity is not None:
            parameters[f"Item.{index}.Quantity"] = str(change.quantity)
        if change.action is not None:
            parameters[f"Item.{index}.Action"] = change.action
    return parameters


def cart_clear(ref: CartRef, *, response_groups: Sequence[ResponseGroup] = ()) -> dict[str, str]:
    """Parameters of CartClear."""
    return _on_cart("CartClear", ref) | _cart_groups(response_groups)


def cart_get(ref: CartRef, *, response_groups: Sequence[ResponseGroup] = ()) -> dict[str, str]:
    """Parameters of CartGet."""
    return _on_cart("CartGet", ref) | _cart_groups(response_groups)


def item_lookup(asins: Sequence[str], *, associate_tag: str, response_groups: Sequence[ItemGroup]) -> dict[str, str]:
    """Parameters of ItemLookup."""
    asked = {"ItemId": ",".join(asins), "ResponseGroup": ",".join(dict.fromkeys(response_groups))}
    return _operation("ItemLookup", associate_tag) | asked


def item_search(
    keywords: str, *, search_index: str, page: int, associate_tag: str, response_groups: Sequence[ItemGroup]
) -> dict[str, str]:
    """Parameters of ItemSearch."""
    asked = {
        "Keywords": keywords,
        "SearchIndex": search_index,
        "ResponseGroup": ",".join(dict.fromkeys(response_groups)),
    }
    if page > 1:
        asked["ItemPage"] = str(page)
    return _operation("ItemSearch", associate_tag) | asked


def _cart_groups(response_groups: Sequence[ResponseGroup]) -> dict[str, str]:
    # Without Cart the reply has no CartId (documented 2006), and of the two top-five groups only the one listed first
    # comes back (recorded 2016): so Cart leads, and the caller's order stays.
    return {"ResponseGroup": ",".join(dict.fromkeys(("Cart", *response_groups)))} if response_groups else {}


def _operation(operation: str, associate_tag: str) -> dict[str, str]:
    parameters = {"Service": "AWSECommerceService", "Operation": operation}
    if associate_tag:
        parameters["AssociateTag"] = associate_tag
    return parameters


def _on_cart(operation: str, ref: CartRef) -> dict[str, str]:
    # The tag is the one the cart was created with: the HMAC covers it.
    return {**_operation(operation, ref.associate_tag), "CartId": ref.cart_id, "HMAC": ref.hmac}


def _new_items(items: Sequence[NewItem]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for index, item in enumerate(items, start=1):
        if item.asin is not None:
            parameters[f"Item.{index}.ASIN"] = item.asin
        if item.offer_listing_id is not None:
            parameters[f"Item.{index}.OfferListingId"] = item.offer_listing_id
        parameters[f"Item.{index}.Quantity"] = str(item.quantity)
    return parameters
