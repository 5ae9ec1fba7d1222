"""A catalog whose stock, prices and limits can be changed without touching what it is made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from flask_ecscart.catalog import BrowsableCatalog, OfferCatalog, offer_listing_key
from flask_ecscart.model import Offer, Product

__all__ = ["ChangeableCatalog"]

_Place = tuple[str, str]
_Changes = Mapping[int, Mapping[str, Any]]
"""Of one product: place of the offer → names of the changed fields with their values."""


class ChangeableCatalog:
    """An `OfferCatalog` and `BrowsableCatalog` that shows `base` with the changes made here."""

    def __init__(self, base: OfferCatalog) -> None:
        self._base = base
        self._changes: dict[_Place, _Changes] = {}
        self._times = 0

    def __iter__(self) -> Iterator[Product]:
        """Every product of a catalog that can be walked through; nothing of one that cannot."""
        products = self._base if isinstance(self._base, BrowsableCatalog) else ()
        return map(self._changed, products)

    @property
    def version(self) -> object:
        """Another one after every change, here or below."""
        return getattr(self._base, "version", None), self._times

    def lookup(self, locale: str, asins: Iterable[str]) -> Mapping[str, Product]:
        """The products known under `asins` in `locale`, by ASIN."""
        found = self._base.lookup(locale, asins)
        return {asin: self._changed(product) for asin, product in found.items()}

    def offer(self, locale: str, offer_listing_id: str) -> tuple[Product, Offer] | None:
        """The product and offer named by `offer_listing_id` (percent-encoded not at all, once or twice)."""
        found = self._base.offer(locale, offer_listing_id)
        if found is None:
            return None
        product, offer = found
        changed = self._changed(product)
        places = [place for place, one in enumerate(product.offers) if one == offer]
        return (changed, changed.offers[places[0]]) if places else (product, offer)

    def change(self, locale: str, asin: str, offer_listing_id: str | None, fields: Mapping[str, Any]) -> Product | None:
        """The product after its offer (None: the first) got the new values of `fields`; None where there is none."""
        product = self._base.lookup(locale, [asin]).get(asin)
        place = None if product is None else _place_of(product, offer_listing_id)
        if product is None or place is None:
            return None
        before = self._changes.get((locale, asin), {})
        self._changes[locale, asin] = {**before, place: {**before.get(place, {}), **fields}}
        self._times += 1
        return self._changed(product)

    def restore(self, locale: str, asin: str) -> None:
        """Show the product as it is again."""
        self._changes.pop((locale, asin), None)
        self._times += 1

    def reset(self) -> None:
        """Show every product as it is again."""
        self._changes = {}
        self._times += 1

    def changed(self) -> list[Product]:
        """The products that were changed, as they are shown."""
        found = [self.lookup(locale, [asin]).get(asin) for locale, asin in list(self._changes)]
        return [product for product in found if product is not None]

    def _changed(self, product: Product) -> Product:
        changes = self._changes.get((product.locale, product.asin))
        if changes is None:
            return product
        offers = [
            msgspec.structs.replace(offer, **changes.get(place, {})) for place, offer in enumerate(product.offers)
        ]
        return msgspec.structs.replace(product, offers=tuple(offers))


def _place_of(product: Product, offer_listing_id: str | None) -> int | None:
    if offer_listing_id is None:
        return 0 if product.offers else None
    wanted = offer_listing_key(offer_listing_id)
    keys = [offer_listing_key(offer.offer_listing_id or "") for offer in product.offers]
    return keys.index(wanted) if wanted in keys else None
