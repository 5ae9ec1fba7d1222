"""What a monitoring system may want to know, read when it asks: the same answer from every worker process.

No dependency on any such system: docs/metrics.md hands `measures(app)` to Prometheus. Labels are locales and words of
ours; there is no shopper, page, ASIN, key or CartId in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
from flask import Flask

from flask_ecscart.dispatch import Status
from flask_ecscart.errors import StateUnavailable
from flask_ecscart.web.site import Site

__all__ = ["Measure", "measures"]

_PRIORITIES = ("leaving", "looking", "changed")


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is measured. `samples`: values of the `labels`, in their order, and the number.

    A counter begins anew at midnight UTC, or never where its `text` says so.
    """

    name: str
    kind: Literal["counter", "gauge"]
    text: str
    labels: tuple[str, ...] = ()
    samples: Sequence[tuple[tuple[str, ...], float]]


def measures(app: Flask) -> Iterator[Measure]:
    """Everything that is known now. What is away is said in `ecscart_up`, and what it would know is left out."""
    site: Site = app.extensions["ecscart"]
    up: dict[str, float] = {}
    try:
        yield _events(site)
        up["database"] = 1
    except StateUnavailable:
        up["database"] = 0
    if site.remote is not None and up["database"]:
        try:
            accounts = site.remote.status()
        except StateUnavailable:
            accounts = []
            up["shared state"] = 0
        else:
            up["shared state"] = 1
            yield from _of_accounts(accounts)
    yield Measure(
        name="ecscart_up",
        kind="gauge",
        text="Whether a part answers.",
        labels=("part",),
        samples=[((part,), value) for part, value in up.items()],
    )


def _events(site: Site) -> Measure:
    today = site.clock().date()
    totals = site.counters.totals("locale", since=today, until=today)
    return Measure(
        name="ecscart_events",
        kind="counter",
        text="What shoppers did today (UTC), as in docs/signals.md.",
        labels=("locale", "what"),
        samples=[((total.key, what), n) for total in totals for what, n in sorted(total.counts.items())],
    )


def _of_accounts(accounts: Sequence[Status]) -> Iterator[Measure]:
    """What is known of each access key, named by the locales it pays for."""
    named = [("+".join(one.locales), one) for one in accounts]

    def measure(name: str, kind: Literal["counter", "gauge"], text: str, values: Sequence[float]) -> Measure:
        samples = [((locales,), value) for (locales, _), value in zip(named, values, strict=True)]
        return Measure(name=f"ecscart_{name}", kind=kind, text=text, labels=("locales",), samples=samples)

    yield Measure(
        name="ecscart_waiting",
        kind="gauge",
        text="Carts that wait for a transaction: to leave, to be shown, or merely changed.",
        labels=("locales", "for"),
        samples=[((key, why), n) for key, one in named for why, n in zip(_PRIORITIES, one.waiting, strict=True)],
    )
    yield measure("transactions", "counter", "Transactions sent today (UTC).", [one.sent_today for one in accounts])
    yield measure("throttled", "counter", "Refused as too fast, ever.", [one.throttled for one in accounts])
    yield measure("orphans", "counter", "Carts nobody knows any more, ever.", [one.orphans for one in accounts])
    yield measure("turns_used", "gauge", "Part of the turns used lately.", [one.utilisation or 0 for one in accounts])
    yield measure("dispatching", "gauge", "Somebody sends.", [one.utilisation is not None for one in accounts])
    yield Measure(
        name="ecscart_endpoint_up",
        kind="gauge",
        text="Whether a locale's endpoint is asked: 0 while its circuit breaker is open.",
        labels=("locale",),
        samples=[((code,), code not in one.unreachable) for one in accounts for code in one.locales],
    )
