"""What was asked lately: a bounded list of requests without anything secret."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import count

import msgspec

__all__ = ["Entry", "Journal", "shown"]

_MOST = 1000
_MOST_PARAMETERS = 120
_LONGEST = 120
_HIDDEN = "…"
_SHOWN = re.compile(
    r"Service|Operation|Version|Timestamp|AssociateTag|ResponseGroup|MergeCart|Validate|XMLEscaping|SignatureMethod"
    r"|SignatureVersion|ItemId|IdType|Keywords|SearchIndex|ItemPage"
    r"|Item\.[A-Za-z0-9_]{1,20}\.(ASIN|OfferListingId|Quantity|Action|CartItemId|ListItemId)"
)
"""Parameters whose values are shown. Of all others, secrets among them, only that they were sent."""
_ENDED = ("CartId", "AWSAccessKeyId", "SubscriptionId")
"""Parameters of which the last four characters are shown, to tell one from another."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One request. `parameters` are redacted, `codes` the errors in the answer, `status` None for a cut connection."""

    number: int
    at: str
    method: str
    path: str
    locale: str
    operation: str | None
    parameters: Mapping[str, str]
    status: int | None
    codes: Sequence[str]
    fault: str | None
    milliseconds: float


class Journal:
    """The last thousand requests."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_MOST)
        self._numbers = count(1)

    def add(self, **fields: object) -> None:
        """Write one request down under the next number."""
        self._entries.append(msgspec.convert({"number": next(self._numbers), **fields}, Entry))

    def last(self, most: int = _MOST) -> list[Entry]:
        """The last `most` requests, oldest first."""
        return list(self._entries)[-most:] if most else []

    def reset(self) -> None:
        """Forget every request."""
        self._entries.clear()


def shown(parameters: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Names and values as the journal may keep them."""
    kept: dict[str, str] = {}
    for name, value in parameters:
        if len(kept) >= _MOST_PARAMETERS:
            break
        if _SHOWN.fullmatch(name):
            kept[name] = value[:_LONGEST]
        else:
            kept[name[:_LONGEST]] = (
                _HIDDEN + value[-4:] if name in _ENDED and len(value) > len(_HIDDEN) + 7 else _HIDDEN
            )
    return kept
