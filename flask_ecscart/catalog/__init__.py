"""What is for sale: products by locale and ASIN, offers by OfferListingId.

`Catalog` is all the shop side needs (titles, links, pictures); `OfferCatalog` is what the cart service
needs beside it. The owner's file (`file.py`) is both. `BrowsableCatalog` is one that can say what it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, runtime_checkable
from urllib.parse import unquote

from flask_ecscart.model import Offer, Product

__all__ = ["BrowsableCatalog", "Catalog", "OfferCatalog", "offer_listing_key"]


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


@runtime_checkable
class BrowsableCatalog(Catalog, Protocol):
    """A catalog that can be walked through: what searching and "more like this" need."""

    @property
    def version(self) -> object:
        """Equal as long as nothing changed; read it before walking, then an old walk is never taken for a new one."""
        ...

    def __iter__(self) -> Iterator[Product]:
        """Every product of every locale, in the catalog's order."""
        ...


def offer_listing_key(offer_listing_id: str) -> str:
    """`offer_listing_id` with its percent-encoding taken off: callers send it raw, encoded once or twice."""
    once = unquote(offer_listing_id)
    return unquote(once) if "%" in once else once
