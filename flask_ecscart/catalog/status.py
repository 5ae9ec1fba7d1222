"""How the layers of a catalog are, for the one who looks after the site."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from flask_ecscart.catalog.cache import ProductCache
from flask_ecscart.catalog.cache_queue import Queue
from flask_ecscart.catalog.sources import Source, SourceState, SourceStatus, State

__all__ = ["ReportingCatalog", "source_status"]

_ADVICE: dict[State, str] = {
    "throttled": "Amazon allows fewer calls than are made; it is asked again more slowly. Lower `rate` if this stays.",
    "refused": "Nothing, while it says AssociateNotEligible: the account has fewer than ten sales in thirty days, and "
    "may ask again about two days after further sales ship. Anything else: ask Associates Central why.",
    "unauthorized": "The credential is not accepted: copy id, secret and version from Associates Central again.",
    "rejected": "Amazon does not take the request: check that the Associate tag belongs to this locale and account.",
    "unreachable": "No answer: check the network, and a `host` or endpoint of your own.",
    "unreadable": "An answer came that cannot be read: look for a newer version of this package and of its source's.",
    "no_credential": "No credential of this locale's region is set, so the owner's file is shown alone.",
}


@runtime_checkable
class ReportingCatalog(Protocol):
    """A catalog that can say how it is."""

    def status(self) -> list[SourceStatus]:
        """One entry for each layer, and for each locale where they differ."""
        ...


def source_status(source: Source, cache: ProductCache, queue: Queue, locales: Iterable[str]) -> list[SourceStatus]:
    """How asking `source` goes in each of `locales`."""
    states = queue.states()
    return [_one(source, cache, queue, code, states.get(code, SourceState())) for code in locales]


def _one(source: Source, cache: ProductCache, queue: Queue, locale: str, state: SourceState) -> SourceStatus:
    if source.account(locale) is None:
        return SourceStatus(source=source.name, locale=locale, state="no_credential", advice=_ADVICE["no_credential"])
    return SourceStatus(
        source=source.name,
        locale=locale,
        state=state.state,
        detail=state.detail,
        since=state.since,
        until=state.until,
        last_ok=state.last_ok,
        waiting=queue.waiting(locale),
        unknown=cache.unknown(locale),
        advice=_ADVICE.get(state.state, ""),
    )
