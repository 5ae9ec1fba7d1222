"""Amazon's Creators API as a `Source`, through python-amazon-paapi (extra `creators`)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING

import msgspec

from flask_ecscart.catalog.creators_items import read_item
from flask_ecscart.catalog.creators_settings import Credential, region_of
from flask_ecscart.catalog.sources import ChoicePage, Fetched, SourceProblem
from flask_ecscart.clock import Clock, utc_now
from flask_ecscart.errors import ConfigError
from flask_ecscart.locales import LOCALES
from flask_ecscart.model import Offer, OfferSource, Product

if TYPE_CHECKING:
    from creatorsapi_python_sdk.models.item import Item

    from flask_ecscart.catalog.creators_client import CreatorsClient

__all__ = ["CreatorsSource"]

_MAX_PAGES = 5
"""Fifty choices: more than a shopper reads."""


class CreatorsSource:
    """Products of the locales in `tags` (locale → partner tag) that `credentials` (by region) answer for.

    Nothing is imported or opened before the first call; a process that was forked opens its own connections.
    """

    name: OfferSource = "creators"
    batch = 10

    def __init__(
        self, credentials: Mapping[str, Credential], tags: Mapping[str, str], *, clock: Clock = utc_now
    ) -> None:
        if find_spec("amazon_creatorsapi") is None:
            raise ConfigError(
                "ECSCART_CATALOG['creators']",
                "…",
                'The package for Amazon\'s API is not installed: pip install "flask-ecscart[creators]".',
            )
        self._credentials = dict(credentials)
        self._tags = dict(tags)
        self._clock = clock
        self._lock = Lock()
        self._clients: dict[tuple[int, str], CreatorsClient] = {}

    def __repr__(self) -> str:
        """Without the credentials."""
        return f"CreatorsSource({sorted(self._credentials)}, {sorted(self._tags)})"

    def account(self, locale: str) -> str | None:
        """The budget of the credential that answers for `locale`."""
        credential = self._credential(locale)
        return credential.account if credential is not None else None

    def spacing(self, locale: str) -> float:
        """Seconds between two calls of that credential."""
        credential = self._credential(locale)
        return 1 / credential.rate if credential is not None else 1.0

    def fetch(self, locale: str, asins: Sequence[str]) -> Fetched:
        """One getItems call for at most ten ASINs."""
        found = {product.asin: product for product in self._products(self._client(locale).items(asins), locale)}
        asked = [found[asin] for asin in asins if asin in found]  # in whatever order, and perhaps with others
        return Fetched(
            products=[_can_be_had(product) for product in asked],
            perhaps_parents=[one.asin for one in asked if not one.offers and one.parent_asin is None],
        )

    def choices(self, locale: str, asin: str, page: int) -> ChoicePage:
        """One getVariations call: ten products."""
        found = self._client(locale).variations(asin, page)
        products = [_can_be_had(one) for one in self._products(found.items, locale) if one.asin != asin]
        return ChoicePage(products=products, pages=max(1, min(found.pages, _MAX_PAGES)))

    def _products(self, items: Iterable[Item], locale: str) -> list[Product]:
        now = self._clock()
        read = (read_item(item, LOCALES[locale], now) for item in items)
        return [product for product in read if product is not None]

    def _credential(self, locale: str) -> Credential | None:
        return self._credentials.get(region_of(locale) or "") if locale in self._tags else None

    def _client(self, locale: str) -> CreatorsClient:
        key = (os.getpid(), locale)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._new_client(locale)
            return self._clients[key]

    def _new_client(self, locale: str) -> CreatorsClient:
        from flask_ecscart.catalog.creators_client import CreatorsClient  # noqa: PLC0415 - half a second, and an extra

        credential = self._credential(locale)
        if credential is None:
            raise SourceProblem("no_credential", region_of(locale) or locale)
        return CreatorsClient(credential, self._tags[locale], LOCALES[locale].retail_host)


def _can_be_had(product: Product) -> Product:
    """A product nobody lists cannot be had; one that turns out to be a parent loses this again."""
    nothing = Offer(offer_listing_id=None, availability="out_of_stock", source="creators")
    return product if product.offers else msgspec.structs.replace(product, offers=(nothing,))
