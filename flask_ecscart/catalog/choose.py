"""From `ECSCART_CATALOG` to the one catalog a site asks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, cast

from flask_ecscart.catalog import Catalog
from flask_ecscart.catalog.anything import AnyCatalog
from flask_ecscart.catalog.cache import ProductCache
from flask_ecscart.catalog.cache_queue import Queue
from flask_ecscart.catalog.cache_refresher import Parts, Refresher
from flask_ecscart.catalog.creators import CreatorsSource
from flask_ecscart.catalog.creators_settings import read_credentials
from flask_ecscart.catalog.file import FileCatalog
from flask_ecscart.catalog.layers import LayeredCatalog, layered
from flask_ecscart.catalog.sources import Source
from flask_ecscart.clock import Clock
from flask_ecscart.errors import ConfigError
from flask_ecscart.state.fleeting import Fleeting
from flask_ecscart.state.sql import Database

__all__ = ["Means", "choose_catalog", "over"]

_SETTING = "ECSCART_CATALOG"
_PARTS = ("file", "creators", "lookup")
_LONGEST_WAIT = 0.3
"""A page view waits no longer for Amazon, whatever ECSCART_MAX_WAIT allows for carts."""


class Means(NamedTuple):
    """What a layered catalog works with. `tags` has the Associate tag of every locale of the site, None without one."""

    database: Database
    fleeting: Fleeting
    tags: Mapping[str, str | None]
    clock: Clock
    max_wait: float = _LONGEST_WAIT


def choose_catalog(value: object, means: Means, lookup: Source | None = None) -> Catalog:
    """The catalog that the setting `value` describes; raises `ConfigError`.

    `lookup` is the remote ECS service, where carts are kept by one: it is asked too, unless the setting is a catalog
    object, names Amazon's API, or says {"lookup": False}.
    """
    if value is not None and not isinstance(value, (str, Path, Mapping)):
        if not hasattr(value, "lookup"):
            raise _wrong(type(value).__name__)
        return cast("Catalog", value)
    parts = _parts(cast("str | Path | Mapping[object, object] | None", value))
    file = parts.get("file")
    base: Catalog = FileCatalog(file, forgiving=True) if isinstance(file, (str, Path)) else AnyCatalog()
    if parts.get("creators") is not None:
        tags = {code: tag for code, tag in means.tags.items() if tag}
        credentials = read_credentials(parts["creators"], tags)
        return over(base, CreatorsSource(credentials, tags, clock=means.clock), means)
    return over(base, lookup, means) if lookup is not None and parts.get("lookup", True) else base


def over(base: Catalog, source: Source, means: Means) -> LayeredCatalog:
    """`base` with `source` laid over it."""
    cache = ProductCache(means.database, source.name)
    parts = Parts(source, cache, Queue(means.database, source.name), means.fleeting)
    refresher = Refresher(parts, locales=means.tags, clock=means.clock)
    return layered(base, cache, refresher, clock=means.clock, max_wait=min(means.max_wait, _LONGEST_WAIT))


def _parts(value: str | Path | Mapping[object, object] | None) -> Mapping[str, object]:
    if value is None:
        return {}
    if isinstance(value, (str, Path)):
        return {"file": value}
    parts = _folded(value)
    for name in parts:
        if name not in _PARTS:
            raise ConfigError(f"{_SETTING}[{name!r}]", "…", f"There is no such part. Known are: {', '.join(_PARTS)}.")
    file = parts.get("file")
    if file is not None and not isinstance(file, (str, Path)):
        raise ConfigError(f"{_SETTING}['file']", file, "Use the path of a CSV file.")
    return parts


def _folded(mapping: Mapping[object, object]) -> dict[str, object]:
    """`mapping` with small names: what the environment adds in capitals belongs to what the app has in small ones."""
    folded: dict[str, object] = {}
    for key, value in mapping.items():
        name, new = str(key).lower(), value
        if isinstance(value, Mapping):
            before = folded.get(name)
            inner = _folded(cast("Mapping[object, object]", value))
            new = {**cast("dict[str, object]", before), **inner} if isinstance(before, dict) else inner
        folded[name] = new
    return folded


def _wrong(value: object) -> ConfigError:
    return ConfigError(
        _SETTING,
        value,
        'Use the path of a CSV file, {"file": …, "creators": {…}}, or an object with lookup(locale, asins).',
    )
