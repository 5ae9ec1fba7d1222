"""What the catalog says about the entries of one cart at one moment: product, offer, limit, availability."""

from __future__ import annotations

from collections.abc import Iterable

from flask_ecscart.catalog import OfferCatalog
from flask_ecscart.model import MAX_QUANTITY, Offer, Product
from flask_ecscart.service.ids import entry_key
from flask_ecscart.service.store import Entry

__all__ = ["Shelf", "capped"]


class Shelf:
    """The products of `entries` in `locale`, looked up at once and not again."""

    def __init__(self, catalog: OfferCatalog, locale: str, entries: Iterable[Entry]) -> None:
        asins = dict.fromkeys(entry.asin for entry in entries)
        self._products = dict(catalog.lookup(locale, asins)) if asins else {}
        self._offers = {
            entry_key(locale, product.asin, offer): offer
            for product in self._products.values()
            if product.kind == "product"
            for offer in product.offers
        }

    def product(self, entry: Entry) -> Product | None:
        """The entry's product; None when the catalog no longer has it."""
        return self._products.get(entry.asin)

    def offer(self, entry: Entry) -> Offer | None:
        """The entry's offer; None when it is no longer made."""
        return self._offers.get(entry.key)

    def available(self, entry: Entry) -> bool:
        """Whether the entry can stand in the active area now."""
        offer = self.offer(entry)
        return offer is not None and offer.available

    def quantity(self, entry: Entry) -> int:
        """The entry's quantity under today's limit."""
        return capped(self.offer(entry), entry.quantity)


def capped(offer: Offer | None, quantity: int) -> int:
    """`quantity`, reset to the offer's limit where it is above it: no error is made (seed 002)."""
    limit = MAX_QUANTITY if offer is None or offer.limit is None else offer.limit
    return min(quantity, limit, MAX_QUANTITY)
