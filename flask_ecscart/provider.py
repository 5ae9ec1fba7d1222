"""The one contract behind which a cart lives: the `ecs` client and the `service` engine both keep it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from flask_ecscart.model import Cart, CartRef, ItemChange, NewItem

__all__ = ["CartProvider"]


class CartProvider(Protocol):
    """The five operations on remote carts of one ECS service.

    Each returns the cart as it stands after the call. Where the service did part of what was asked,
    the rest stands in `Cart.faults`; where it did nothing, the error is raised (see `errors`).
    Quantities in `modify` are totals. Nothing is retried here.
    """

    def create(self, locale: str, associate_tag: str, items: Sequence[NewItem]) -> Cart:
        """A new cart holding `items` (1–50 lines). Raises `ItemError` when no line could be taken."""
        ...

    def add(self, ref: CartRef, items: Sequence[NewItem]) -> Cart:
        """Put more lines in; a line that is already there is a fault and keeps its quantity."""
        ...

    def modify(self, ref: CartRef, changes: Sequence[ItemChange]) -> Cart:
        """Set quantities (0 deletes) and areas by CartItemId; unknown CartItemIds are ignored."""
        ...

    def clear(self, ref: CartRef) -> Cart:
        """Remove every line of both areas; the reference stays valid."""
        ...

    def get(self, ref: CartRef) -> Cart:
        """The cart as it is now."""
        ...
