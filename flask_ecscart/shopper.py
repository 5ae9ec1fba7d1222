"""What is kept of a shopper: per locale what is wanted, the cart made from it, and what must be told.

ASINs, quantities, areas and the cart reference. Never prices or titles.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from flask_ecscart.model import Area, CartRef, Notice, NoticeCode

__all__ = ["Left", "Line", "Shopper", "Wish"]

_KEYS_KEPT = 64
"""Idempotency-Keys remembered per shopper."""


class Line(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One wanted line. `cart_item_id` is what the service last called it."""

    asin: str | None = None
    offer_listing_id: str | None = None
    quantity: int
    area: Area = "active"
    cart_item_id: str | None = None
    told_unavailable: bool = False
    """The shopper was told that it waits in the saved area because it is not available now."""
    moved_by_shopper: bool = False
    """The shopper moved it back from saved and the service has not yet been told."""


class Left(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A hand-off the shopper has not yet answered for. `moved`: the lines are no longer in the cart."""

    at: datetime
    lines: list[Line]
    moved: bool = False


class Wish(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a shopper wants in one locale, and the remote cart made from it.

    `version` grows with every change; the remote cart agreed with version `settled`.
    """

    lines: list[Line] = []
    ref: CartRef | None = None
    version: int = 0
    settled: int = 0
    outcome: int = 0
    """Grows when a dispatcher writes down what it changed: a last reply with another number shows an older cart."""
    notices: list[Notice] = []
    last_notice: int = 0
    left: Left | None = None

    def tell(
        self,
        code: NoticeCode,
        message: str,
        now: datetime,
        *,
        asin: str | None = None,
        requested: int | None = None,
        actual: int | None = None,
    ) -> None:
        """Add a notice under the next id."""
        self.last_notice += 1
        self.notices.append(
            Notice(
                id=self.last_notice,
                code=code,
                message=message,
                at=now,
                asin=asin,
                requested=requested,
                actual=actual,
            )
        )


class Shopper(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Everything kept of a shopper: a wish per locale and the keys of the last changes."""

    carts: dict[str, Wish] = {}
    keys: dict[str, str] = {}
    """Idempotency-Key → digest of the change it stood for, oldest first."""

    def wish(self, locale: str) -> Wish:
        """The wish for `locale`, made when it is not there."""
        return self.carts.setdefault(locale, Wish())

    def remember(self, key: str, digest: str) -> None:
        """Keep `key`, forgetting the oldest beyond `_KEYS_KEPT`."""
        self.keys[key] = digest
        for old in list(self.keys)[:-_KEYS_KEPT]:
            del self.keys[old]
