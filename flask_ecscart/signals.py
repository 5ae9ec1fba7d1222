"""Signals a site can listen to (blinker): what shoppers do, told after it is safely kept.

A receiver is called with the Flask app as sender and one argument, `event`::

    from flask_ecscart.signals import ItemsAdded, items_added

    @items_added.connect_via(app)
    def note(sender: Flask, event: ItemsAdded) -> None:
        print(event.locale, event.page, event.items)

Receivers run inside the shopper's request, after the change is durable: hand slow work on. One that raises is
logged and disturbs neither the shopper nor the other receivers. No event holds CartId, HMAC, cookie or address.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterable
from datetime import datetime

import msgspec
from blinker import Namespace, Signal

__all__ = [
    "SIGNALS",
    "ArrivalConfirmed",
    "ArrivalFailed",
    "CartCreated",
    "CartExpired",
    "Event",
    "HandedOff",
    "ItemsAdded",
    "Pieces",
    "QuantityCapped",
    "SavedForLater",
    "arrival_confirmed",
    "arrival_failed",
    "cart_created",
    "cart_expired",
    "handed_off",
    "items_added",
    "quantity_capped",
    "saved_for_later",
    "send",
]

_log = logging.getLogger(__name__)


class Pieces(msgspec.Struct, frozen=True):
    """So many of an item. `asin` is None for an OfferListingId whose ASIN nobody knows yet."""

    asin: str | None
    quantity: int


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What every event says.

    `page` is the path of the page the shopper was on (with its origin in front, on a page of another allowed
    origin), never a query, at most 200 characters; None when the browser did not say. `shopper` is the same text
    for the same shopper on the same UTC day, and another one tomorrow.
    """

    locale: str
    page: str | None
    shopper: str
    at: datetime


class CartCreated(Event, frozen=True, kw_only=True):
    """The cart service made a cart: the shopper's first, or a new one after a hand-off or an expiry."""


class ItemsAdded(Event, frozen=True, kw_only=True):
    """The shopper added items or raised quantities. `items` holds what came in addition, after capping."""

    items: tuple[Pieces, ...]


class QuantityCapped(Event, frozen=True, kw_only=True):
    """The shopper wanted `requested` in all and got `actual`."""

    asin: str | None
    requested: int | None
    actual: int | None


class SavedForLater(Event, frozen=True, kw_only=True):
    """An item went to the saved area: `by_shopper`, or because it is not available now."""

    asin: str | None
    quantity: int
    by_shopper: bool


class HandedOff(Event, frozen=True, kw_only=True):
    """The shopper left for the retailer with `items`, by the hand-off called `mode` (form, links, …).

    Leaving again with the same items before answering whether they arrived is the same hand-off.
    """

    mode: str
    items: tuple[Pieces, ...]


class ArrivalConfirmed(Event, frozen=True, kw_only=True):
    """The shopper came back and said that the items arrived."""

    items: tuple[Pieces, ...]


class ArrivalFailed(Event, frozen=True, kw_only=True):
    """The shopper came back and said that the items did not arrive."""

    items: tuple[Pieces, ...]


class CartExpired(Event, frozen=True, kw_only=True):
    """A cart with `items` was found dead and made again from what was wanted."""

    items: tuple[Pieces, ...]


_namespace = Namespace()
cart_created = _namespace.signal("ecscart-cart-created")
items_added = _namespace.signal("ecscart-items-added")
quantity_capped = _namespace.signal("ecscart-quantity-capped")
saved_for_later = _namespace.signal("ecscart-saved-for-later")
handed_off = _namespace.signal("ecscart-handed-off")
arrival_confirmed = _namespace.signal("ecscart-arrival-confirmed")
arrival_failed = _namespace.signal("ecscart-arrival-failed")
cart_expired = _namespace.signal("ecscart-cart-expired")

SIGNALS: dict[type[Event], Signal] = {
    CartExpired: cart_expired,
    CartCreated: cart_created,
    ItemsAdded: items_added,
    QuantityCapped: quantity_capped,
    SavedForLater: saved_for_later,
    HandedOff: handed_off,
    ArrivalConfirmed: arrival_confirmed,
    ArrivalFailed: arrival_failed,
}
"""The signal of each event, in the order they are sent when one change causes several."""


def send(sender: object, events: Iterable[Event]) -> None:
    """Call every receiver of every event; a receiver that raises is logged."""
    for event in events:
        signal = SIGNALS[type(event)]
        for receiver in signal.receivers_for(sender):
            try:
                answer = receiver(sender, event=event)
            except Exception:
                _log.exception("A receiver of %s failed; the shopper's change is kept.", type(event).__name__)
                continue
            if inspect.iscoroutine(answer):
                answer.close()
                _log.error("A receiver of %s is a coroutine; make it a plain function.", type(event).__name__)
