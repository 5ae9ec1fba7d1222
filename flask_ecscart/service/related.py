"""The other products a reply may name beside a cart: similar ones, top sellers, new releases, five of each.

All of it is true of this shop: SimilarProducts were put into carts together with what is in this one, TopSellers
were put into carts most often, NewReleases came out last, SimilarViewedProducts have titles alike. Where too little
was counted yet, SimilarProducts are filled up from the same product groups; nothing else is filled up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

import msgspec

from flask_ecscart.catalog import Catalog
from flask_ecscart.clock import Clock
from flask_ecscart.model import Cart, Product, RelatedItem
from flask_ecscart.service.browse import Browser
from flask_ecscart.service.together import Together

__all__ = ["FIVE", "Related"]

FIVE = 5
_LOOKED_AT = 10
"""Entries of a cart whose company is asked for: the newest."""
_CANDIDATES = 60
"""More than the entries of a full cart, all of which may have to be left out."""


class _Asked(msgspec.Struct, frozen=True):
    """One cart to find company for: where, what is in it (active first), and the product groups of that."""

    locale: str
    asins: tuple[str, ...]
    products: tuple[Product, ...]
    groups: tuple[str | None, ...]


class Related:
    """Finds what to name beside a cart, from counts, catalog and the date."""

    def __init__(self, catalog: Catalog, browser: Browser, together: Together, clock: Clock) -> None:
        self._catalog = catalog
        self._browser = browser
        self._together = together
        self._clock = clock

    def beside(self, cart: Cart, groups: Iterable[str]) -> Cart:
        """The cart with what the response groups ask for; an empty cart resembles nothing and stays as it is."""
        found: dict[str, tuple[RelatedItem, ...]] = {}
        asked = self._asked(cart)
        if asked.asins:
            for group in groups:
                for field, find in self._finders.get(group, {}).items():
                    found[field] = find(asked)
        return msgspec.structs.replace(cart, **found) if found else cart

    @property
    def _finders(self) -> Mapping[str, Mapping[str, Callable[[_Asked], tuple[RelatedItem, ...]]]]:
        return {
            "CartSimilarities": {
                "similar_products": self._similar,
                "similar_viewed_products": self._similar_viewed,
            },
            "CartTopSellers": {"top_sellers": self._top_sellers},
            "CartNewReleases": {"new_releases": self._new_releases},
        }

    def _asked(self, cart: Cart) -> _Asked:
        asins = tuple(dict.fromkeys(item.asin for item in (*cart.items, *cart.saved)))
        known = self._catalog.lookup(cart.ref.locale, asins)
        products = tuple(known[asin] for asin in asins if asin in known)
        groups = tuple(dict.fromkeys(product.product_group for product in products))[:_LOOKED_AT]
        return _Asked(cart.ref.locale, asins, products, groups)

    def _similar(self, asked: _Asked) -> tuple[RelatedItem, ...]:
        score: Counter[str] = Counter()
        with self._together.database.reading() as connection:
            for asin in asked.asins[:_LOOKED_AT]:
                score.update(dict(self._together.partners(connection, asked.locale, asin, _CANDIDATES)))
        counted = sorted(score, key=lambda asin: (-score[asin], asin))
        # A cart holds fifty entries at most, so that fifty-five candidates leave five whatever is in it.
        first = self._some(asked, counted[: 2 * _CANDIDATES])
        if len(first) == FIVE:
            return first
        own = {item.asin for item in first}
        rest = (*self._most_put(asked), *self._from_groups(asked))
        return (*first, *self._some(asked, [asin for asin in rest if asin not in own]))[:FIVE]

    def _similar_viewed(self, asked: _Asked) -> tuple[RelatedItem, ...]:
        shelves = self._browser.shelves(asked.locale)
        if shelves is None:
            return ()
        return _named(asked, shelves.alike(asked.products[:_LOOKED_AT], 2 * _CANDIDATES))

    def _top_sellers(self, asked: _Asked) -> tuple[RelatedItem, ...]:
        return self._some(asked, self._most_put(asked))

    def _new_releases(self, asked: _Asked) -> tuple[RelatedItem, ...]:
        shelves = self._browser.shelves(asked.locale)
        if shelves is None:
            return ()
        today = self._clock().date().isoformat()
        dated = [one for group in asked.groups for one in shelves.newest(group, today, 2 * _CANDIDATES)]
        return _named(asked, sorted(dated, key=lambda product: product.released or "", reverse=True))

    def _most_put(self, asked: _Asked) -> list[str]:
        """ASINs of the cart's product groups, those put into carts most often first."""
        with self._together.database.reading() as connection:
            counts = [
                pair
                for group in asked.groups
                for pair in self._together.most_put(connection, asked.locale, group, 2 * _CANDIDATES)
            ]
        return [asin for asin, _ in sorted(counts, key=lambda pair: (-pair[1], pair[0]))]

    def _from_groups(self, asked: _Asked) -> list[str]:
        shelves = self._browser.shelves(asked.locale)
        if shelves is None:
            return []
        return [one.asin for group in asked.groups for one in shelves.of_group(group, 2 * _CANDIDATES)]

    def _some(self, asked: _Asked, asins: Iterable[str]) -> tuple[RelatedItem, ...]:
        wanted = tuple(dict.fromkeys(asins))
        known = self._catalog.lookup(asked.locale, wanted)
        return _named(asked, [known[asin] for asin in wanted if asin in known])


def _named(asked: _Asked, products: Iterable[Product]) -> tuple[RelatedItem, ...]:
    """The first five that may stand in a cart now and do not stand in this one."""
    inside = set(asked.asins)
    others = (one for one in products if one.asin not in inside and _can_be_bought(one))
    return tuple(RelatedItem(one.asin, one.title) for one in islice(others, FIVE))


def _can_be_bought(product: Product) -> bool:
    return product.kind == "product" and any(offer.available for offer in product.offers)
