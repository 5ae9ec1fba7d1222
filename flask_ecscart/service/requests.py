"""What a cart request asks for: its parameters read into a `Call`, with the texts as sent for the echo."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

import msgspec

from flask_ecscart.errors import (
    ECSError,
    InvalidEnumeratedParameter,
    InvalidISO8601Time,
    InvalidOperation,
    InvalidQuantity,
    InvalidResponseGroup,
    InvalidService,
    MissingParameters,
)
from flask_ecscart.model import Action, CartRef, ItemChange, NewItem
from flask_ecscart.service.messages import NOT_A_NUMBER, refusal

__all__ = ["OPERATIONS", "RESPONSE_GROUPS", "Call", "SentItem", "operation_of", "read_call", "version_of"]

OPERATIONS = ("CartAdd", "CartClear", "CartCreate", "CartGet", "CartModify")
RESPONSE_GROUPS = ("Request", "Cart", "CartSimilarities", "CartTopSellers", "CartNewReleases")
_SERVICE = "AWSECommerceService"
_OLDEST_VERSION = "2005-10-05"
"""What a request without Version asks for (the 2011 guide)."""
_TAG_REQUIRED = "2011-08-01"
_VERSION = re.compile(r"20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])", re.ASCII)
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
        if not all(group in RESPONSE_GROUPS for group in self.response_groups):
            found += _group_problems(self)
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
        if self.version >= _TAG_REQUIRED:
            required.append(("AssociateTag", self.associate_tag))
        return required


def operation_of(parameters: Mapping[str, str]) -> str:
    """The operation asked for; raises `InvalidService` or `InvalidOperation`."""
    for name, values, error in (("Service", (_SERVICE,), InvalidService), ("Operation", OPERATIONS, InvalidOperation)):
        value = parameters.get(name)
        listed = f"Valid values for the {name} parameter include {', '.join(values)}."
        if not value:
            text = f"Your request is missing the {name} parameter. Please add the {name} parameter to your request and "
            raise error(f"{text}retry. {listed}", code=f"AWS.Missing{name}Parameter")
        if value not in values:
            raise error(
                f"The {name} parameter is invalid. Please modify the {name} parameter and retry. {listed}",
                code=f"AWS.Invalid{name}Parameter",
            )
    return parameters["Operation"]


def version_of(parameters: Mapping[str, str]) -> str:
    """The Version asked for, any dated one; raises `InvalidISO8601Time`."""
    version = parameters.get("Version") or _OLDEST_VERSION
    if not _VERSION.fullmatch(version):
        raise InvalidISO8601Time("Version has an invalid value. It must contain a valid ISO 8601 date and time.")
    return version


def read_call(parameters: Mapping[str, str], *, locale: str, access_key: str) -> Call:
    """The call these parameters make in `locale`. What is wrong in it is found by `Call.problems`."""
    groups = parameters.get("ResponseGroup", "")
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
        response_groups=tuple(dict.fromkeys(group.strip() for group in groups.split(",") if group.strip())),
        only_validate=parameters.get("Validate", "").lower() == "true",
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


def _group_problems(call: Call) -> list[ECSError]:
    names = ", ".join(f"'{group}'" for group in RESPONSE_GROUPS)
    return [
        refusal(InvalidEnumeratedParameter, call.locale, name="ResponseGroup", values=names),
        refusal(InvalidResponseGroup, call.locale, operation=call.operation, values=names),
    ]
