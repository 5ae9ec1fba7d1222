"""The JSON that goes in and out, version 1. The OpenAPI document is made from these structs.

Names are camelCase on the wire, times ISO 8601 UTC, money in minor units with the text to print.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from flask_ecscart.handoff import Handoff
from flask_ecscart.model import MAX_ENTRIES, Deal, NoticeCode

__all__ = [
    "AddItem",
    "AddItems",
    "CartOut",
    "CartsOut",
    "ChangeItem",
    "ChangeItems",
    "ChoiceOut",
    "HandoffIn",
    "ItemOut",
    "MoneyOut",
    "NoticeOut",
    "Problem",
    "ProductOut",
    "ProductsOut",
    "ShopperOut",
]

_Quantity = Annotated[int, Meta(description="Pieces, a whole number from 0 to 999.")]
_Asin = Annotated[str, Meta(pattern="^[A-Z0-9]{10}$", max_length=10, description="Ten capital letters and digits.")]
_OfferListingId = Annotated[str, Meta(min_length=1, max_length=1000)]
_CartItemId = Annotated[str, Meta(min_length=1, max_length=40)]


class _In(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What a caller sends: unknown fields are refused."""


class _Out(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What we send."""


class AddItem(_In, frozen=True):
    """A line to add: ASIN xor _OfferListingId."""

    asin: _Asin | None = None
    offer_listing_id: _OfferListingId | None = None
    quantity: _Quantity = 1


class AddItems(_In, frozen=True):
    """Body of POST …/items."""

    items: Annotated[list[AddItem], Meta(min_length=1, max_length=MAX_ENTRIES)]


class ChangeItem(_In, frozen=True):
    """A line to change; quantity is the total, 0 removes.

    It is named as it was added, or by its _CartItemId. An ASIN may also name the only line that has it.
    """

    cart_item_id: _CartItemId | None = None
    asin: _Asin | None = None
    offer_listing_id: _OfferListingId | None = None
    quantity: _Quantity | None = None
    area: Literal["active", "saved"] | None = None


class ChangeItems(_In, frozen=True):
    """Body of PATCH …/items."""

    items: Annotated[list[ChangeItem], Meta(min_length=1, max_length=MAX_ENTRIES)]


class HandoffIn(_In, frozen=True):
    """Body of POST …/handoff: the shopper left; the items arrived; they did not."""

    outcome: Literal["left", "arrived", "failed"]


class MoneyOut(_Out, frozen=True):
    """An amount in minor units and the text to print."""

    amount: int
    currency: str
    formatted: str


class ItemOut(_Out, frozen=True, omit_defaults=True):
    """A line of the cart as the shopper sees it. `cartItemId` is absent while the line is on its way."""

    asin: str
    title: str
    url: str
    quantity: int
    available: bool
    cart_item_id: str | None = None
    offer_listing_id: str | None = None
    image: str | None = None
    limit: int | None = None
    price: MoneyOut | None = None
    item_total: MoneyOut | None = None
    price_as_of: str | None = None
    """When the retailer said this price; to be shown beside it."""
    price_hidden: bool = False
    """There is a price that may only be seen at the retailer."""
    deal: Deal | None = None
    """Who the price is for, where it is not for everybody; to be shown beside it."""
    price_note: str | None = None
    """What `deal` or `price_hidden` says, in the reader's language."""
    link_note: str | None = None
    """What must stand beside a link to `url`, in the reader's language: "(paid link)"."""
    seller: str | None = None


class ChoiceOut(_Out, frozen=True, omit_defaults=True):
    """What can be bought of a product that comes in several kinds; `choice` sets it apart ("Green, 40 cm")."""

    asin: str
    title: str
    choice: str
    url: str
    available: bool
    image: str | None = None
    price: MoneyOut | None = None
    price_as_of: str | None = None
    deal: Deal | None = None
    price_note: str | None = None


class NoticeOut(_Out, frozen=True, omit_defaults=True):
    """Something to tell the shopper once; `id` grows per cart, so what was told is not told again."""

    id: int
    code: NoticeCode
    message: str
    """In the reader's language."""
    asin: str | None = None
    title: str | None = None
    requested: int | None = None
    actual: int | None = None
    choices: list[ChoiceOut] = []
    """Of an item that was refused because it comes in several kinds: let the shopper choose one of these."""


class CartOut(_Out, frozen=True):
    """One locale's cart. `count` and `subtotal` are of the active area; `pending` means the remote cart is behind."""

    locale: str
    store: str
    """The retailer's name, a heading for the cart ("Amazon.de")."""
    items: list[ItemOut]
    saved: list[ItemOut]
    count: int
    subtotal: MoneyOut | None
    notices: list[NoticeOut]
    pending: bool
    as_of: str | None
    version: int
    """Grows with every change; a smaller one is older."""
    handoff: Handoff | None
    stays: str | None
    """What to say in place of a hand-off where the owner offers none, in the reader's language."""


class CartsOut(_Out, frozen=True):
    """Every cart of the shopper that holds something or was just handed off, by locale."""

    carts: dict[str, CartOut]


class ProductOut(_Out, frozen=True, omit_defaults=True):
    """A product of the catalog as a page may show it."""

    asin: str
    title: str
    url: str
    available: bool
    image: str | None = None
    limit: int | None = None
    price: MoneyOut | None = None
    seller: str | None = None
    parent_asin: str | None = None
    kind: str | None = None
    price_as_of: str | None = None
    price_hidden: bool = False
    deal: Deal | None = None
    price_note: str | None = None
    link_note: str | None = None
    disclaimer: str | None = None
    """The programme's sentence about prices, where one is shown."""
    choices: list[ChoiceOut] = []
    """Not empty: it cannot be bought itself; let the shopper choose one of these."""


class ProductsOut(_Out, frozen=True):
    """Products by ASIN; ASINs the catalog does not know are absent."""

    products: dict[str, ProductOut]


class ShopperOut(_Out, frozen=True):
    """A token for a page of another origin; null on the site itself, where a cookie was set instead."""

    token: str | None


class Problem(_Out, frozen=True, omit_defaults=True):
    """An application/problem+json error (RFC 9457) that says what to do."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None
    retry_after: int | None = None
    choices: list[ChoiceOut] = []
    """Where an item was refused because it comes in several kinds: let the shopper choose one of these."""
