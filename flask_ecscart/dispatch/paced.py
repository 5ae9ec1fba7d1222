"""A provider of which every call costs a turn, is counted, and teaches breaker and pace."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from flask_ecscart.dispatch.breaker import Breakers
from flask_ecscart.dispatch.queue import Queue, Waiting
from flask_ecscart.dispatch.turns import Turns
from flask_ecscart.errors import (
    AccessRefused,
    AccountLimitExceeded,
    ECSCartError,
    ECSError,
    InternalError,
    MalformedReply,
    OutcomeUnknown,
    RequestThrottled,
    TransportError,
)
from flask_ecscart.model import Cart, CartRef, ItemChange, NewItem
from flask_ecscart.provider import CartProvider

__all__ = ["MAY_BE_DONE", "DayOver", "PacedProvider", "VisitOver"]

MAY_BE_DONE = (OutcomeUnknown, MalformedReply, InternalError)
"""After one of these nobody knows whether the operation was carried out."""

_CALLS_A_VISIT = 4
_ACCOUNT_REST = 300.0


class VisitOver(ECSCartError):
    """A cart has had its share of turns: it goes to the end of the line with what was reached."""


class DayOver(ECSCartError):
    """The day's transactions are spent."""


class PacedProvider:
    """A `CartProvider` that waits for turns. It serves one cart at a time: `visit()` says which.

    `last` is the last cart any call of the visit returned, `asked_at` the moment (queue's clock) before that call,
    `calls` how many were made, `changed` whether one of them may have changed the cart; `waiting` is the visited row
    with what was noted last. Raises what the provider raises, and `Stopped`, `Gone`, `DayOver`, `VisitOver`: nothing
    was sent then.
    """

    def __init__(
        self,
        provider: CartProvider,
        turns: Turns,
        queue: Queue,
        breakers: Breakers,
        *,
        day: Callable[[], str],
        daily: int | None,
    ) -> None:
        self._provider = provider
        self._turns = turns
        self._queue = queue
        self._breakers = breakers
        self._day = day
        self._daily = daily
        self._visited: Waiting | None = None
        self.calls = 0
        self.changed = False
        self.last: Cart | None = None
        self.asked_at = 0.0

    def visit(self, waiting: Waiting) -> None:
        """Spend turns on this cart from now on."""
        self._visited = waiting
        self.calls = 0
        self.changed = False
        self.last = None

    @property
    def waiting(self) -> Waiting:
        """The visited row with the operation noted last."""
        assert self._visited is not None, "visit() says which cart a turn is for"  # noqa: S101
        return self._visited

    def create(self, locale: str, associate_tag: str, items: Sequence[NewItem]) -> Cart:
        """See `CartProvider.create`."""
        return self._call("create", locale, lambda: self._provider.create(locale, associate_tag, items))

    def add(self, ref: CartRef, items: Sequence[NewItem]) -> Cart:
        """See `CartProvider.add`."""
        return self._call("add", ref.locale, lambda: self._provider.add(ref, items))

    def modify(self, ref: CartRef, changes: Sequence[ItemChange]) -> Cart:
        """See `CartProvider.modify`."""
        return self._call("modify", ref.locale, lambda: self._provider.modify(ref, changes))

    def clear(self, ref: CartRef) -> Cart:
        """See `CartProvider.clear`."""
        return self._call("clear", ref.locale, lambda: self._provider.clear(ref))

    def get(self, ref: CartRef) -> Cart:
        """See `CartProvider.get`."""
        return self._call("get", ref.locale, lambda: self._provider.get(ref))

    def _call(self, operation: str, locale: str, send: Callable[[], Cart]) -> Cart:
        if self.calls >= _CALLS_A_VISIT:
            raise VisitOver("This cart has had its share of turns; it goes on when it is in turn again.")
        self._turns.await_preparing()
        if not self._queue.sending(self.waiting, operation, day=self._day(), most=self._daily):
            raise DayOver("The transactions of this day are spent; they begin anew at midnight UTC.")
        self._visited = msgspec.structs.replace(self.waiting, sent=operation)
        asked_at = self._queue.now()
        self._turns.take()
        self.calls += 1
        try:
            cart = send()
        except ECSCartError as problem:
            self.changed |= operation != "get" and isinstance(problem, MAY_BE_DONE)
            self._learn(locale, problem)
            raise
        self.changed |= operation != "get"
        self._turns.answered()
        self._breakers.answered(locale)
        self.last, self.asked_at = cart, asked_at
        return cart

    def _learn(self, locale: str, problem: ECSCartError) -> None:
        if isinstance(problem, RequestThrottled):
            self._queue.add("throttled")
            self._turns.throttled(problem.retry_after)
            return
        if isinstance(problem, AccountLimitExceeded):
            self._turns.rest(_ACCOUNT_REST)
            return
        self._turns.answered()
        if isinstance(problem, AccessRefused):
            self._breakers.refused(locale)
        elif isinstance(problem, (TransportError, InternalError)):
            self._breakers.failed(locale)
        elif isinstance(problem, ECSError):
            self._breakers.answered(locale)
