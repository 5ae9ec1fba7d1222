"""The catalog in layers: what a source said, laid over the owner's word, asked for in one place.

`LayeredCatalog` is what pages ask: it may wait a moment for what was never seen. `at_once` is the same for the cart
service, which asks within a transaction and must not wait. Titles, links and pictures are the source's while it has
them; the owner's stay for when it has not. A seller's identity is the owner's: it names the line in the cart.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TypeGuard

from flask_ecscart.catalog import BrowsableCatalog, Catalog, OfferCatalog, offer_listing_key
from flask_ecscart.catalog.cache import OFFERS_LIFE, Cached, ProductCache
from flask_ecscart.catalog.cache_queue import Want
from flask_ecscart.catalog.cache_refresher import Refresher
from flask_ecscart.catalog.columns import ASIN
from flask_ecscart.catalog.overlay import merged
from flask_ecscart.catalog.sources import SourceStatus
from flask_ecscart.catalog.status import ReportingCatalog
from flask_ecscart.clock import Clock, utc_now
from flask_ecscart.errors import StateUnavailable
from flask_ecscart.model import Offer, Product

__all__ = ["AtOnce", "BrowsableAtOnce", "BrowsableLayers", "LayeredCatalog", "layered"]

_AHEAD = timedelta(minutes=15)
"""Offers are asked for again so long before they may no longer be shown."""
_UNKNOWN_LIFE = timedelta(hours=12)
_MAX_WAITERS = 4
"""Threads of a process that wait at the same time; the others show what is known: a site has views to serve."""
_LOOK_AGAIN = 0.03
_PATIENCE_WINDOW = 1.0


class LayeredCatalog:
    """An `OfferCatalog`: `base` (the owner's file), with what `cache` holds of a source laid over it.

    A lookup waits at most `max_wait` seconds, and a thread at most so long within any second, however many lookups
    its page needs. Whatever the source does, the answer is at least the base's, and no error.
    """

    def __init__(
        self,
        base: Catalog,
        cache: ProductCache,
        refresher: Refresher,
        *,
        clock: Clock = utc_now,
        max_wait: float = 0.3,
    ) -> None:
        self.base = base
        self.refresher = refresher
        self._cache = cache
        self._clock = clock
        self._max_wait = max_wait
        self._waiters = threading.Semaphore(_MAX_WAITERS)
        self._patience = threading.local()

    def lookup(self, locale: str, asins: Iterable[str]) -> Mapping[str, Product]:
        """The products known under `asins` in `locale`, by ASIN."""
        return self.find(locale, asins, patient=True)

    def offer(self, locale: str, offer_listing_id: str) -> tuple[Product, Offer] | None:
        """The product and offer named by `offer_listing_id`."""
        found = self.base.offer(locale, offer_listing_id) if _knows_offers(self.base) else None
        if found is None:
            return None
        product = self.find(locale, [found[0].asin], patient=False).get(found[0].asin)
        key = offer_listing_key(offer_listing_id)
        named = (o for o in (product.offers if product else ()) if offer_listing_key(o.offer_listing_id or "") == key)
        offer = next(named, None)
        return (product, offer) if product is not None and offer is not None else found

    @property
    def at_once(self) -> AtOnce:
        """The same catalog for callers who may not wait."""
        return BrowsableAtOnce(self) if isinstance(self, BrowsableLayers) else AtOnce(self)

    def status(self) -> list[SourceStatus]:
        """What a doctor can say of each layer: the base where it tells, then the source by locale."""
        own = self.base.status() if isinstance(self.base, ReportingCatalog) else []
        return [*own, *self.refresher.status()]

    def close(self) -> None:
        """End the thread that asks."""
        self.refresher.close()

    def find(self, locale: str, asins: Iterable[str], *, patient: bool) -> Mapping[str, Product]:
        """What `lookup` answers. What an impatient caller asks for is in a cart, so nobody made it up."""
        asins = list(dict.fromkeys(asins))
        base = self.base.lookup(locale, asins)
        proper = [asin for asin in asins if ASIN.fullmatch(asin)]
        if not proper or not self.refresher.serves(locale):
            return base
        try:
            cached = self._read(locale, proper, base, patient=patient)
            choices = self._choices(locale, cached)
        except StateUnavailable:
            return base
        found: dict[str, Product] = {}
        for asin in asins:
            product = merged(base.get(asin), cached.get(asin), choices)
            if product is not None:
                found[asin] = product
        return found

    def _read(self, locale: str, asins: list[str], base: Mapping[str, Product], *, patient: bool) -> dict[str, Cached]:
        now = self._clock()
        cached = self._cache.read(locale, asins, now)
        due = [asin for asin in asins if _is_due(cached.get(asin), now)]
        self.refresher.want(Want(locale, asin, stranger=patient and asin not in base) for asin in due)
        lacking = [asin for asin in due if _is_lacking(cached.get(asin))]
        if patient and lacking and self._waiters.acquire(blocking=False):
            try:
                cached = self._wait_for(locale, asins, lacking, cached)
            finally:
                self._waiters.release()
        return cached

    def _wait_for(
        self, locale: str, asins: list[str], lacking: list[str], cached: dict[str, Cached]
    ) -> dict[str, Cached]:
        began = time.monotonic()
        deadline = began + self._patience_left(began)
        while (left := deadline - time.monotonic()) > 0 and self.refresher.may_answer(locale):
            self.refresher.wait(min(left, _LOOK_AGAIN))
            cached = self._cache.read(locale, asins, self._clock())
            if not any(_is_lacking(cached.get(asin)) for asin in lacking):
                break
        self._patience.spent += time.monotonic() - began
        return cached

    def _patience_left(self, now: float) -> float:
        """What this thread may still wait: a page with three carts waits no longer than a page with one."""
        if now - getattr(self._patience, "since", -_PATIENCE_WINDOW) >= _PATIENCE_WINDOW:
            self._patience.since, self._patience.spent = now, 0.0
        return max(0.0, self._max_wait - float(self._patience.spent))

    def _choices(self, locale: str, cached: Mapping[str, Cached]) -> Mapping[str, Cached]:
        children = {asin for one in cached.values() for asin, _ in one.choices or ()}
        if not children:
            return {}
        now = self._clock()
        known = self._cache.read(locale, children, now)
        self.refresher.want(Want(locale, asin) for asin in sorted(children) if _is_due(known.get(asin), now))
        return known


class BrowsableLayers(LayeredCatalog):
    """Layers over a base that can be walked through. The walk shows the owner's word."""

    base: BrowsableCatalog

    def __iter__(self) -> Iterator[Product]:
        return iter(self.base)

    @property
    def version(self) -> object:
        """That of the base."""
        return self.base.version


class AtOnce:
    """Layers for a caller who may not wait."""

    def __init__(self, layers: LayeredCatalog) -> None:
        self._layers = layers

    def lookup(self, locale: str, asins: Iterable[str]) -> Mapping[str, Product]:
        """The products known under `asins` in `locale` at this moment, by ASIN."""
        return self._layers.find(locale, asins, patient=False)

    def offer(self, locale: str, offer_listing_id: str) -> tuple[Product, Offer] | None:
        """The product and offer named by `offer_listing_id`."""
        return self._layers.offer(locale, offer_listing_id)


class BrowsableAtOnce(AtOnce):
    """The same over a base that can be walked through."""

    def __init__(self, layers: BrowsableLayers) -> None:
        super().__init__(layers)
        self._base = layers.base

    def __iter__(self) -> Iterator[Product]:
        return iter(self._base)

    @property
    def version(self) -> object:
        """That of the base."""
        return self._base.version


def layered(
    base: Catalog, cache: ProductCache, refresher: Refresher, *, clock: Clock = utc_now, max_wait: float = 0.3
) -> LayeredCatalog:
    """Layers over `base`, browsable where it is."""
    kind = BrowsableLayers if isinstance(base, BrowsableCatalog) else LayeredCatalog
    return kind(base, cache, refresher, clock=clock, max_wait=max_wait)


def _knows_offers(base: Catalog) -> TypeGuard[OfferCatalog]:
    return hasattr(base, "offer")


def _is_lacking(cached: Cached | None) -> bool:
    """Whether there is nothing to show of it."""
    return cached is None or (cached.product is not None and not cached.offers_fresh)


def _is_due(cached: Cached | None, now: datetime) -> bool:
    if cached is None:
        return True
    age = now - cached.fetched_at
    return age >= (_UNKNOWN_LIFE if cached.product is None else OFFERS_LIFE - _AHEAD)
