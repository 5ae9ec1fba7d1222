"""Faults that were ordered: which request gets which, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Annotated, Literal

import msgspec

__all__ = ["Fault", "FaultKind", "Faults", "OperationName"]

FaultKind = Literal["delay", "error", "unavailable", "cut_before", "cut_after", "truncated", "garbage", "wrong_cart"]
OperationName = Literal["CartCreate", "CartAdd", "CartModify", "CartClear", "CartGet", "ItemLookup", "ItemSearch"]
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=60)]
_MOST = 100


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """One order. `times` is how many requests it will still strike (None: all until it is removed).

    `delay` waits `seconds` and then answers; every other kind may wait too. `error` (500) and `unavailable` (503 with
    Retry-After `retry_after`) leave the request undone unless `applied`, and say so in an ECS document, or with `plain`
    in a line of text as a proxy would. `cut_before` and `cut_after` hang up without an answer, before or after the
    request is carried out. `truncated` sends half the body, `garbage` one that is no XML, `wrong_cart` another CartId:
    all three after it is carried out.
    """

    kind: FaultKind
    operation: OperationName | None = None
    locale: str | None = None
    times: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = 1
    seconds: _Seconds = 0.0
    retry_after: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 1
    applied: bool = False
    plain: bool = False

    @property
    def carries_out(self) -> bool:
        """Whether the request is carried out before it is answered wrongly."""
        return self.applied or self.kind in {"delay", "cut_after", "truncated", "garbage", "wrong_cart"}


class Faults:
    """The orders that still stand, oldest first."""

    def __init__(self) -> None:
        self._orders: list[Fault] = []
        self._lock = Lock()

    def add(self, fault: Fault) -> bool:
        """Order `fault`; False when too many orders stand already."""
        with self._lock:
            if len(self._orders) >= _MOST:
                return False
            self._orders.append(fault)
        return True

    def standing(self) -> Sequence[Fault]:
        """The orders that still stand."""
        return tuple(self._orders)

    def reset(self) -> None:
        """Remove every order."""
        with self._lock:
            self._orders = []

    def take(self, operation: str | None, locale: str) -> Fault | None:
        """The oldest order for this request, counted as used."""
        with self._lock:
            for place, fault in enumerate(self._orders):
                if fault.operation in (None, operation) and fault.locale in (None, locale):
                    left = None if fault.times is None else fault.times - 1
                    self._orders[place : place + 1] = [] if left == 0 else [msgspec.structs.replace(fault, times=left)]
                    return fault
        return None
