"""What is for sale: products by locale and ASIN, offers by OfferListingId.

`Catalog` is all the shop side needs (titles, links, pictures); `OfferCatalog` is what the cart service
needs beside it. The owner's file (`file.py`) is both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol
from urllib.parse import unquote

from flask_ecscart.model import Offer, Product

__all__ = ["Catalog", "OfferCatalog", "offer_listing_key"]


class Catalog(Protocol):
    """Looks products up. Unknown ASINs are simply absent from the answer."""

    def lookup(self, locale: str, asins: Iterable[str]) -> Mapping[str, Product]:
        """The products known under `asins` in `locale`, by ASIN."""
        ...


class OfferCatalog(Catalog, Protocol):
    """A catalog that also knows which offer an OfferListingId names."""

    def offer(self, locale: str, offer_listing_id: str) -> tuple[Product, Offer] | None:
        """The product and offer named by `offer_listing_id` (percent-encoded not at all, once or twice)."""
        ...


def offer_listing_key(offer_listing_id: str) -> str:
    """`offer_listing_id` with its percent-encoding taken off: callers send it raw, encoded once or twice."""
    once = unquote(offer_listing_id)
    return unquote(once) if "%" in once else once
