"""The identifiers of remote carts: CartId, HMAC and CartItemId.

A cart is found only by its CartId together with the HMAC over locale, CartId and Associate tag, which
nobody can make without the server's key: a reference that verifies was handed out by this service.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable

from flask_ecscart.catalog import offer_listing_key
from flask_ecscart.locales import Locale
from flask_ecscart.model import Area, Offer

__all__ = ["Seal", "area_of_id", "cart_item_id", "entry_key", "exchange_id", "new_cart_id"]

_CART_ID = re.compile(r"[0-9]{3}-[0-9]{7}-[0-9]{7}", re.ASCII)
_ENTRY_ID = re.compile(r"[A-Z][A-Z0-9]{13}", re.ASCII)
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_HMAC_BYTES = 20  # as in every one of 4,357 recorded HMACs
_KEY_BYTES = 16


class Seal:
    """Makes and checks HMACs with the server's `key` (at least 16 bytes), or the one a call of `key` gives."""

    def __init__(self, key: bytes | Callable[[], bytes]) -> None:
        self._source = key
        self._known = b"" if callable(key) else _long_enough(key)

    @property
    def _key(self) -> bytes:
        if not self._known and callable(self._source):
            self._known = _long_enough(self._source())
        return self._known

    def __repr__(self) -> str:
        """Without the key."""
        return "Seal(…)"

    def hmac(self, locale: str, cart_id: str, associate_tag: str) -> str:
        """Base64 of the first 20 bytes of an HMAC-SHA256 over the three."""
        text = "\n".join((locale, cart_id, associate_tag))
        digest = hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
        return base64.b64encode(digest[:_HMAC_BYTES]).decode()

    def fits(self, locale: str, cart_id: str, associate_tag: str, given: str) -> bool:
        """Whether `given` is the HMAC of the three, found out in the same time whatever it is."""
        right = self.hmac(locale, cart_id, associate_tag)
        equal = hmac.compare_digest(right.encode(), given.encode("utf-8", "surrogatepass"))
        return equal and _CART_ID.fullmatch(cart_id) is not None


def _long_enough(key: bytes) -> bytes:
    if len(key) < _KEY_BYTES:
        raise ValueError(f"The HMAC key needs at least {_KEY_BYTES} bytes: make one with secrets.token_bytes(32).")
    return key


def new_cart_id(locale: Locale) -> str:
    """An unpredictable CartId whose first group lies in the range recorded for `locale`."""
    low, high = locale.cart_id_group
    group = low + secrets.randbelow(high - low + 1)
    return f"{group:03d}-{secrets.randbelow(10**7):07d}-{secrets.randbelow(10**7):07d}"


def entry_key(locale: str, asin: str, offer: Offer) -> str:
    """The 13 characters that name this offer in every cart of `locale`: a CartItemId without its letter."""
    if offer.offer_listing_id:
        which = offer_listing_key(offer.offer_listing_id)
    else:
        which = "\n".join(("", asin, offer.seller or "", offer.merchant_id or "", offer.seller_id or ""))
    number = _number(f"{locale}\n{which}")
    letters: list[str] = []
    for _ in range(13):
        number, place = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[place])
    return "".join(letters)


def exchange_id(key: str) -> str:
    """The ExchangeId of a third party's offer: the shape was recorded in 2010, the digits follow from the key."""
    digits = f"{_number(key) % 10**16:016d}"
    return f"Y{digits[:2]}M{digits[2:9]}M{digits[9:]}"


def cart_item_id(key: str, area: Area) -> str:
    """The CartItemId of an entry: moving it to the saved area swaps the first letter for S (recorded JP 2016)."""
    return ("S" if area == "saved" else "C") + key


def _number(text: str) -> int:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:16], "big")


def area_of_id(item_id: str) -> tuple[str, Area] | None:
    """The entry's key and the area a CartItemId speaks of; None when it is no CartItemId at all."""
    if not _ENTRY_ID.fullmatch(item_id):
        return None
    return item_id[1:], "saved" if item_id[0] == "S" else "active"
