"""What a cart request asks for: its parameters read into a `Call`, with the texts as sent for the echo."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

import msgspec

from flask_ecscart.errors import ECSError, InvalidQuantity, MissingParameters
from flask_ecscart.model import Action, CartRef, ItemChange, NewItem
from flask_ecscart.service.common import (
    CART_OPERATIONS,
    TAG_REQUIRED,
    escaped_twice,
    is_true,
    operation_of,
    too_long,
    version_of,
)
from flask_ecscart.service.groups import CART_GROUPS, group_problems, read_groups, unrivalled
from flask_ecscart.service.messages import NOT_A_NUMBER, refusal

__all__ = ["OPERATIONS", "RESPONSE_GROUPS", "Call", "SentItem", "operation_of", "read_call", "version_of"]

OPERATIONS = CART_OPERATIONS
RESPONSE_GROUPS = CART_GROUPS
_ITEM = re.compile(
    r"Item\.(.+)\.(ASIN|OfferListingId|Quantity|AssociateTag|ListItemId|Action|CartItemId)", re.ASCII | re.DOTALL
)
_WHOLE = re.compile(r"-?[0-9]+", re.ASCII)
_LONG = 32
_WITH_ITEMS = ("CartCreate", "CartAdd", "CartModify")


class SentItem(msgspec.Struct, frozen=True):
    """One `Item.<index>` as it was sent: field name → text."""

    fields: Mapping[str, str]

    def get(self, name: str) -> str | None:
        """The text of a field; None where it is missing or empty."""
        return self.fields.get(name) or None


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A cart request. `None` is what was not sent."""

    operation: str
    locale: str
    version: str
    access_key: str
    associate_tag: str | None = None
    cart_id: str | None = None
    hmac: str | None = None
    merge_cart: str | None = None
    items: tuple[SentItem, ...] = ()
    response_groups: tuple[str, ...] = ()
    only_validate: bool = False
    escaped_twice: bool = False

    @property
    def ref(self) -> CartRef:
        """The cart that is meant."""
        return CartRef(
            locale=self.locale,
            cart_id=self.cart_id or "",
            hmac=self.hmac or "",
            associate_tag=self.associate_tag or "",
        )

    @property
    def groups(self) -> tuple[str, ...]:
        """The response groups to answer with: Cart unless others were asked for."""
        return self.response_groups or ("Cart",)

    @property
    def shows_cart(self) -> bool:
        """Whether CartId, HMAC, items and so on belong into the reply."""
        return "Cart" in self.groups

    @property
    def related_groups(self) -> tuple[str, ...]:
        """The groups that name other products, as far as they are answered."""
        return tuple(group for group in unrivalled(self.groups, self.version) if group not in ("Cart", "Request"))

    def new_items(self) -> list[NewItem]:
        """The lines of CartCreate and CartAdd; only when `problems` are none."""
        return [
            NewItem(
                asin=item.get("ASIN"),
                offer_listing_id=item.get("OfferListingId"),
                quantity=_number(item.get("Quantity") or ""),
            )
            for item in self.items
        ]

    def changes(self) -> list[ItemChange]:
        """The lines of CartModify; only when `problems` are none."""
        return [
            ItemChange(
                cart_item_id=item.get("CartItemId") or "",
                quantity=None if item.get("Quantity") is None else _number(item.get("Quantity") or ""),
                action=cast("Action | None", item.get("Action")),
            )
            for item in self.items
        ]

    def problems(self) -> list[ECSError]:
        """What is missing or cannot be read, in the order it was recorded in; the engine checks the rest."""
        found: list[ECSError] = [
            refusal(MissingParameters, self.locale, name=name) for name, value in self._required() if not value
        ]
        found += group_problems(self.operation, self.locale, self.response_groups)
        found += too_long(self.locale, {"AssociateTag": self.associate_tag})
        quantities = [item.get("Quantity") for item in self.items]
        if self.operation != "CartModify" and None in quantities:
            found.append(refusal(MissingParameters, self.locale, name="Quantity"))
        if any(quantity is not None and not _WHOLE.fullmatch(quantity) for quantity in quantities):
            found.append(InvalidQuantity(NOT_A_NUMBER))
        return found

    def _required(self) -> list[tuple[str, object]]:
        required: list[tuple[str, object]] = []
        if self.operation != "CartCreate":
            required += [("CartId", self.cart_id), ("HMAC", self.hmac)]
        if self.operation in _WITH_ITEMS:
            required.append(("Items", self.items))
        if self.version >= TAG_REQUIRED:
            required.append(("AssociateTag", self.associate_tag))
        return required


def read_call(parameters: Mapping[str, str], *, locale: str, access_key: str) -> Call:
    """The call these parameters make in `locale`. What is wrong in it is found by `Call.problems`."""
    return Call(
        operation=operation_of(parameters),
        locale=locale,
        version=version_of(parameters),
        access_key=access_key,
        associate_tag=parameters.get("AssociateTag") or None,
        cart_id=parameters.get("CartId") or None,
        hmac=parameters.get("HMAC") or None,
        merge_cart=parameters.get("MergeCart") or None,
        items=_items(parameters),
        response_groups=read_groups(parameters.get("ResponseGroup", "")),
        only_validate=is_true(parameters.get("Validate")),
        escaped_twice=escaped_twice(parameters),
    )


def _items(parameters: Mapping[str, str]) -> tuple[SentItem, ...]:
    """The items in the order of their numbers; any other index is allowed (seed 004) and comes after, as sent."""
    by_index: dict[str, dict[str, str]] = {}
    for name, value in parameters.items():
        found = _ITEM.fullmatch(name)
        if found is not None:
            by_index.setdefault(found.group(1), {})[found.group(2)] = value
    ordered = sorted(by_index, key=lambda index: (0, int(index)) if _is_number(index) else (1, 0))
    return tuple(SentItem(by_index[index]) for index in ordered)


def _is_number(index: str) -> bool:
    return index.isascii() and index.isdigit() and len(index) <= _LONG


def _number(text: str) -> int:
    """The number; of one too long to be in any range, only that it is."""
    return int(text if len(text) <= _LONG else text[:1].replace("-", "-1") + "0" * 9)
