"""What the catalog may ask beside the owner's file: Amazon's API, or a remote ECS service; and how that goes.

A source is slow and limited, so nothing but `cache_refresher.py` calls one. Pages read what it brought from
`cache.py`, through `layers.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from flask_ecscart.errors import ECSCartError
from flask_ecscart.model import OfferSource, Product

__all__ = ["ChoicePage", "Fetched", "Source", "SourceProblem", "SourceState", "SourceStatus", "State"]

State = Literal[
    "ok", "unused", "throttled", "refused", "unauthorized", "rejected", "unreachable", "unreadable", "no_credential"
]


class SourceProblem(ECSCartError):
    """A source did not answer as hoped. `detail` is a code such as AssociateNotEligible: no text of the reply."""

    def __init__(self, state: State, detail: str, *, retry_after: float | None = None) -> None:
        self.state: State = state
        self.detail = detail
        self.retry_after = retry_after
        super().__init__(f"The product source answered {state} ({detail}); the owner's file is shown meanwhile.")


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one call, in no order. An ASIN that was asked for and is not in it is not known there."""

    products: Sequence[Product]
    perhaps_parents: Sequence[str] = ()
    """ASINs without any offer, whose `choices` are worth a call."""


class ChoicePage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of what can be bought of a variation parent; no products: it is no parent."""

    products: Sequence[Product]
    pages: int = 1


class Source(Protocol):
    """A limited service that knows products. Both calls are one request each and raise `SourceProblem`."""

    name: OfferSource
    batch: int
    """ASINs of one call."""

    def account(self, locale: str) -> str | None:
        """Name of the budget that calls for `locale` are spent from; None where none can be made."""
        ...

    def spacing(self, locale: str) -> float:
        """Seconds from one call to the next of the same account."""
        ...

    def fetch(self, locale: str, asins: Sequence[str]) -> Fetched:
        """What is known of `asins`."""
        ...

    def choices(self, locale: str, asin: str, page: int) -> ChoicePage:
        """What can be bought of the variation parent `asin`; pages count from 1."""
        ...


class SourceState(msgspec.Struct, frozen=True, kw_only=True):
    """How the last call for one locale ended."""

    state: State = "unused"
    detail: str = ""
    since: datetime | None = None
    """When it began to be so."""
    until: datetime | None = None
    """Nothing is asked before."""
    last_ok: datetime | None = None
    failures: int = 0


class SourceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a doctor can say about one layer of the catalog in one locale (None: in all of them)."""

    source: str
    locale: str | None
    state: str
    """A `State`; of a file "ok" or "broken"."""
    detail: str = ""
    since: datetime | None = None
    until: datetime | None = None
    last_ok: datetime | None = None
    waiting: int = 0
    """ASINs that wait to be asked for."""
    unknown: tuple[str, ...] = ()
    """ASINs the source does not know (some twenty of them): dead, or not sold through it."""
    advice: str = ""
    """What the owner can do; empty when all is well."""
