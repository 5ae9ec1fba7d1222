"""A catalog that is given its products: what `FileCatalog` reads into, and what tests and the sandbox use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from flask_ecscart.catalog import offer_listing_key
from flask_ecscart.model import Offer, Product

__all__ = ["MemoryCatalog"]


class MemoryCatalog:
    """An `OfferCatalog` over `products`. Replace what it holds with `put`."""

    def __init__(self, products: Iterable[Product] = ()) -> None:
        self._products: dict[tuple[str, str], Product] = {}
        self._offers: dict[tuple[str, str], tuple[Product, Offer]] = {}
        self._own = object()
        self._changes = 0
        for product in products:
            self.put(product)

    def __len__(self) -> int:
        return len(self._products)

    def __iter__(self) -> Iterator[Product]:
        return iter(self._products.values())

    @property
    def version(self) -> object:
        """Another one after every `put`, and never that of another catalog."""
        return self._own, self._changes

    def put(self, product: Product) -> None:
        """Add `product`, or replace the one of the same locale and ASIN."""
        old = self._products.get((product.locale, product.asin))
        for offer in old.offers if old else ():
            self._offers.pop((product.locale, offer_listing_key(offer.offer_listing_id or "")), None)
        self._products[product.locale, product.asin] = product
        for offer in product.offers:
            if offer.offer_listing_id:
                self._offers[product.locale, offer_listing_key(offer.offer_listing_id)] = (product, offer)
        self._changes += 1

    def lookup(self, locale: str, asins: Iterable[str]) -> Mapping[str, Product]:
        """The products known under `asins` in `locale`, by ASIN."""
        return {asin: self._products[locale, asin] for asin in asins if (locale, asin) in self._products}

    def offer(self, locale: str, offer_listing_id: str) -> tuple[Product, Offer] | None:
        """The product and offer named by `offer_listing_id` (percent-encoded not at all, once or twice)."""
        return self._offers.get((locale, offer_listing_key(offer_listing_id)))
