"""PurchaseURL and MobileCartURL in the four forms that were recorded, and the way back from any of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from urllib.parse import quote, unquote

from flask_ecscart.model import CartRef

__all__ = ["NO_TAG", "PURCHASE_PATH", "Form", "mobile_cart_url", "purchase_url", "read_purchase_query"]

PURCHASE_PATH = "/gp/cart/aws-merge.html"
NO_TAG = "ws"
"""What stands in a PurchaseURL for the tag of a cart that has none (recorded until 2010)."""
_MOBILE_PATH = "/gp/aw/rcart"

Form = Literal["A", "B", "C", "D"]
"""A: 2008–2013, separators written ``%26``, only ``+`` of the HMAC encoded. B: China, as A with real ``&``.
C: 2015–2016, as A with the HMAC fully encoded. D: 2017, real ``&``, HMAC fully encoded."""


def purchase_url(form: Form, base: str, ref: CartRef, *, access_key: str | None, merge_cart: bool = False) -> str:
    """The URL under `base` (scheme and host) that hands the cart over.

    The parameter is called SubscriptionId even for an AWSAccessKeyId (recorded); without a key it is left out.
    """
    return f"{base}{PURCHASE_PATH}?{_query(form, ref, access_key, merge_cart=merge_cart)}"


def mobile_cart_url(form: Form, base: str, ref: CartRef, *, access_key: str | None, merge_cart: bool = False) -> str:
    """The Japanese phones' URL beside it."""
    tail = "&uid=NULLGWDOCOMO" if form in "BD" else "%26uid=NULLGWDOCOMO"
    return f"{base}{_MOBILE_PATH}?{_query(form, ref, access_key, merge_cart=merge_cart)}{tail}"


def read_purchase_query(query: str) -> Mapping[str, str]:
    """The parameters of a PurchaseURL's query string in any of its forms, HMAC and tag decoded."""
    if "&" not in query:
        query = unquote(query)  # forms A and C: all of it is one value, its separators encoded once
    pairs = (pair.partition("=") for pair in query.split("&"))
    return {name: unquote(value) for name, _, value in pairs}


def _query(form: Form, ref: CartRef, access_key: str | None, *, merge_cart: bool) -> str:
    hidden = form in "AC"
    hmac = ref.hmac.replace("+", "%2B") if form in "AB" else quote(ref.hmac, safe="")
    tag = quote(ref.associate_tag or NO_TAG, safe="")
    pairs = [
        ("cart-id", ref.cart_id),
        # Behind a separator that is itself encoded, what is not plain text must be encoded once more.
        ("associate-id", tag.replace("%", "%25") if hidden else tag),
        ("hmac", hmac),
    ]
    if access_key is not None:
        key = quote(access_key, safe="")
        pairs.append(("SubscriptionId", key.replace("%", "%25") if hidden else key))
    pairs.append(("MergeCart", str(merge_cart)))
    return ("%26" if hidden else "&").join(f"{name}={value}" for name, value in pairs)
