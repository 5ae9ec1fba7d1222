"""Finding products in a catalog: by words, product group and parent, through an index made once per catalog version."""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from threading import Lock

from flask_ecscart.catalog import BrowsableCatalog, Catalog
from flask_ecscart.model import Product

__all__ = ["Browser", "Shelves", "group_key", "words"]

_WRITTEN_WITHOUT_SPACES = "\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_WRITTEN_WITHOUT_SPACES}]+|[^\W_{_WRITTEN_WITHOUT_SPACES}]+")
_JAPANESE = re.compile(f"[{_WRITTEN_WITHOUT_SPACES}]")
_MAX_WORDS = 32
"""Words of one title or query that are looked at."""
_MAX_ALIKE = 200
"""A word that more titles have says nothing about likeness."""


class Shelves:
    """The products of one locale as they stood in one version of the catalog, in the catalog's order.

    What the service must not show (`inaccessible`) is not here; the children of a parent that is here are
    found through their parent only, as in Amazon's searches.
    """

    def __init__(self, products: Iterable[Product]) -> None:
        shown = [product for product in products if product.kind != "inaccessible"]
        here = {product.asin for product in shown}
        self.products: list[Product] = []
        self.children: dict[str, list[Product]] = {}
        self.groups: dict[str, array[int]] = {}
        self._words: dict[str, array[int]] = {}
        self._group_of: list[str] = []
        for product in shown:
            if product.parent_asin and product.parent_asin in here:
                self.children.setdefault(product.parent_asin, []).append(product)
            self._add(product)
        self._releases: dict[str, list[Product]] = {}

    def _add(self, product: Product) -> None:
        number = len(self.products)
        self.products.append(product)
        key = group_key(product.product_group or "")
        self.groups.setdefault(key, array("I")).append(number)
        self._group_of.append(key)
        for word in dict.fromkeys([*words(product.title), *words(product.product_group or ""), product.asin.lower()]):
            self._words.setdefault(word, array("I")).append(number)

    def is_child(self, product: Product) -> bool:
        """Whether the product is one of the variations of a parent that is here."""
        return bool(product.parent_asin) and product.parent_asin in self.children

    def search(self, wanted: Sequence[str], groups: frozenset[str] | None = None) -> list[Product]:
        """Products that have every one of the words `wanted`, in any of `groups` (keys; None: all)."""
        lists = sorted((self._words.get(word, array("I")) for word in dict.fromkeys(wanted)), key=len)
        if not lists:
            return []
        numbers: Iterable[int] = lists[0]
        for longer in lists[1:]:
            numbers = [number for number in numbers if _holds(longer, number)]
        if groups is not None:
            numbers = [number for number in numbers if self._group_of[number] in groups]
        found = [self.products[number] for number in numbers]
        return [product for product in found if not self.is_child(product)]

    def of_group(self, group: str | None, most: int) -> list[Product]:
        """The first products of a product group."""
        return [self.products[number] for number in self.groups.get(group_key(group or ""), array("I"))[:most]]

    def newest(self, group: str | None, today: str, most: int) -> list[Product]:
        """The products of a product group released by `today` (YYYY-MM-DD), newest first."""
        key = group_key(group or "")
        if key not in self._releases:
            dated = (self.products[number] for number in self.groups.get(key, ()))
            self._releases[key] = sorted((one for one in dated if one.released), key=_released, reverse=True)
        return list(islice((product for product in self._releases[key] if _released(product) <= today), most))

    def alike(self, products: Iterable[Product], most: int) -> list[Product]:
        """Products of the same groups whose titles share words with those of `products`, likest first."""
        score: Counter[int] = Counter()
        groups = set[str]()
        for product in products:
            groups.add(group_key(product.product_group or ""))
            for word in words(product.title):
                numbers = self._words.get(word, array("I"))
                if len(numbers) <= _MAX_ALIKE:
                    score.update(numbers)
        likest = sorted(score, key=lambda number: (-score[number], number))
        return [self.products[number] for number in likest if self._group_of[number] in groups][:most]


class Browser:
    """The shelves of a catalog, made anew when its version changes; none where it cannot be walked through."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog if isinstance(catalog, BrowsableCatalog) else None
        self._lock = Lock()
        self._made: tuple[object, dict[str, Shelves]] | None = None

    def shelves(self, locale: str) -> Shelves | None:
        """What is for sale in `locale`; None when the catalog cannot be walked through."""
        if self._catalog is None:
            return None
        made = self._made
        if made is not None and made[0] == self._catalog.version:
            return made[1].get(locale) or Shelves(())
        # While one thread makes the new shelves, the others go on with the old ones.
        if self._lock.acquire(blocking=made is None):
            try:
                made = self._made = self._current(self._catalog)
            finally:
                self._lock.release()
        return made[1].get(locale) or Shelves(()) if made else None

    def _current(self, catalog: BrowsableCatalog) -> tuple[object, dict[str, Shelves]]:
        version = catalog.version
        if self._made is not None and self._made[0] == version:
            return self._made
        by_locale: dict[str, list[Product]] = {}
        for product in tuple(catalog):
            by_locale.setdefault(product.locale, []).append(product)
        return version, {locale: Shelves(products) for locale, products in by_locale.items()}


def words(text: str) -> list[str]:
    """The words of `text` without case and accents; what is written without spaces in pairs of characters."""
    if not text.isascii():
        spread = unicodedata.normalize("NFKD", text)
        text = unicodedata.normalize("NFC", "".join(mark for mark in spread if not "\u0300" <= mark <= "\u036f"))
    found: list[str] = []
    for word in _WORD.findall(text.casefold())[:_MAX_WORDS]:
        if len(word) > 1 and _JAPANESE.match(word):
            found += [word[place : place + 2] for place in range(len(word) - 1)]
        else:
            found.append(word)
    return found


def group_key(name: str) -> str:
    """A product group or SearchIndex as it is compared: `Books` and `Book`, `Home & Garden` and `HomeGarden`."""
    return "".join(letter for letter in name.casefold() if letter.isalnum()).removesuffix("s")


def _holds(numbers: array[int], wanted: int) -> bool:
    """Whether the ascending `numbers` have `wanted` among them."""
    place = bisect_left(numbers, wanted)
    return place < len(numbers) and numbers[place] == wanted


def _released(product: Product) -> str:
    return product.released or ""
