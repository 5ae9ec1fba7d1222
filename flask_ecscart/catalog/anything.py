"""A catalog for owners who have none yet: every well-formed ASIN is for sale, without a name or a price."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from flask_ecscart.model import Offer, Product

__all__ = ["AnyCatalog"]


class AnyCatalog:
    """An `OfferCatalog` that takes any ASIN at its word. It knows no OfferListingIds."""

    def lookup(self, locale: str, asins: Iterable[str]) -> Mapping[str, Product]:
        """A nameless product for each well-formed ASIN."""
        return {
            asin: Product(locale=locale, asin=asin, title=f"Item {asin}", offers=(Offer(offer_listing_id=None),))
            for asin in asins
            if re.fullmatch(r"[A-Z0-9]{10}", asin)
        }

    def offer(self, locale: str, offer_listing_id: str) -> tuple[Product, Offer] | None:  # noqa: ARG002
        """Nothing: without a catalog nobody knows what an OfferListingId names."""
        return None
