"""OfferListingIds for offers whose catalog gives them none, so that a caller can put any of them into a cart.

Such an id is made of the ASIN and the key that names the offer in every cart; nothing has to be kept for it.
"""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import quote

from flask_ecscart.catalog import Catalog, offer_listing_key
from flask_ecscart.model import Offer, Product
from flask_ecscart.service.ids import entry_key

__all__ = ["listing_id", "own_listing"]

_OWN = re.compile(rb"own:([A-Z0-9]{10}):([A-Z0-9]{13})")
_MAX_LENGTH = 64


def listing_id(product: Product, offer: Offer) -> str:
    """The OfferListingId of an offer, percent-encoded once as Amazon's are."""
    if offer.offer_listing_id:
        return offer.offer_listing_id
    named = f"own:{product.asin}:{entry_key(product.locale, product.asin, offer)}"
    return quote(base64.b64encode(named.encode()).decode(), safe="")


def own_listing(catalog: Catalog, locale: str, offer_listing_id: str) -> tuple[Product, Offer] | None:
    """The product and offer that an id of `listing_id`'s own making names, as the catalog has them now."""
    text = offer_listing_key(offer_listing_id)
    if len(text) > _MAX_LENGTH or not text.isascii():
        return None
    try:
        named = _OWN.fullmatch(base64.b64decode(text, validate=True))
    except binascii.Error:
        return None
    if named is None:
        return None
    asin, key = (part.decode() for part in named.groups())
    product = catalog.lookup(locale, [asin]).get(asin)
    if product is None:
        return None
    offers = (offer for offer in product.offers if entry_key(locale, asin, offer) == key)
    return next(((product, offer) for offer in offers), None)
