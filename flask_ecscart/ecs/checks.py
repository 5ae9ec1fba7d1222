"""What the service would refuse anyway, refused before a transaction is spent on it: same classes, same texts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask_ecscart.errors import (
    CartInfoMismatch,
    ExceededMaximumCartItems,
    InvalidParameterCombination,
    InvalidParameterValue,
    InvalidQuantity,
    InvalidResponseGroup,
    MaximumParameterRequirement,
    MinimumParameterRequirement,
    MissingParameterCombination,
    MissingParameters,
    ParameterOutOfRange,
)
from flask_ecscart.model import MAX_ENTRIES, MAX_QUANTITY, CartRef, ItemChange, NewItem

__all__ = [
    "MAX_ASINS",
    "check_asins",
    "check_changes",
    "check_groups",
    "check_new_items",
    "check_ref",
    "check_search",
]

MAX_ASINS = 10
"""ItemIds of one ItemLookup (the developer guides)."""
_ASIN = re.compile(r"[A-Za-z0-9]{1,32}")


def check_new_items(items: Sequence[NewItem]) -> None:
    """Raise what CartCreate and CartAdd would answer to `items` before they look at the cart."""
    if not items:
        raise _missing("Items")
    if len(items) > MAX_ENTRIES:
        raise ExceededMaximumCartItems(
            f"You may not add more than {MAX_ENTRIES} items to the cart. Send fewer than the {len(items)} lines given."
        )
    for item in items:
        if item.asin and item.offer_listing_id:
            raise InvalidParameterCombination(
                "Your request contains an invalid parameter combination. ASIN and OfferListingId cannot appear in the"
                " same request. Give one of them for each line."
            )
        if not item.asin and not item.offer_listing_id:
            raise MissingParameterCombination(
                "Your request is missing a required parameter combination. Required parameter combinations include"
                " ASIN, OfferListingId. Give one of them for each line."
            )
        _check_quantity(item.quantity, lowest=1)


def check_changes(changes: Sequence[ItemChange]) -> None:
    """Raise what CartModify would answer to `changes` before it looks at the cart."""
    if not changes:
        raise _missing("Items")
    if len(changes) > MAX_ENTRIES:
        raise MaximumParameterRequirement(
            f"Your request should have at most {MAX_ENTRIES} of the following parameters: Item. Send several requests."
        )
    for change in changes:
        if not change.cart_item_id:
            raise _missing("CartItemId")
        if change.quantity is None and change.action is None:
            raise MinimumParameterRequirement(
                "Your request should have atleast 1 of the following parameters: Quantity, Action."
            )
        if change.quantity is not None:
            _check_quantity(change.quantity, lowest=0)


def check_ref(ref: CartRef, locale: str) -> None:
    """Raise when `ref` names no cart of `locale`: a cart is known in its own locale only (seed 002)."""
    for name, value in (("CartId", ref.cart_id), ("HMAC", ref.hmac)):
        if not value:
            raise _missing(name)
    if ref.locale != locale:
        raise CartInfoMismatch(
            f"The cart belongs to locale {ref.locale}, not {locale}. Send it to the client of its own locale."
        )


def check_groups(groups: Sequence[str], valid: Sequence[str]) -> None:
    """Raise when a response group is not one of `valid`."""
    if unknown := [group for group in groups if group not in valid]:
        wrong = ", ".join(map(repr, unknown))[:200]
        raise InvalidResponseGroup(
            f"Your ResponseGroup parameter is invalid: {wrong}. Valid response groups are {', '.join(valid)}."
        )


def check_asins(asins: Sequence[str]) -> None:
    """Raise what ItemLookup would answer to `asins` before it looks anything up."""
    if not asins:
        raise _missing("ItemId")
    if len(asins) > MAX_ASINS:
        raise MaximumParameterRequirement(
            f"Your request should have at most {MAX_ASINS} of the following parameters: ItemId. Send several requests."
        )
    for asin in asins:
        if not _ASIN.fullmatch(asin):
            raise InvalidParameterValue(
                f"{asin[:40]!r} is not a valid value for ItemId. Please change this value and retry your request."
            )


def check_search(keywords: str, page: int) -> None:
    """Raise what ItemSearch would answer to `keywords` and `page` before it searches."""
    if not keywords.strip():
        raise MinimumParameterRequirement(
            "Your request should have atleast 1 of the following parameters: Keywords. Say what to look for."
        )
    if isinstance(page, bool) or page < 1:
        # The last page differs with Version and SearchIndex (5, 10, 400): that is left to the service.
        raise ParameterOutOfRange("The value you specified for ItemPage is invalid. Count the pages from 1.")


def _missing(name: str) -> MissingParameters:
    return MissingParameters(f"Your request is missing required parameters. Required parameters include {name}.")


def _check_quantity(quantity: object, *, lowest: int) -> None:
    if not isinstance(quantity, int) or isinstance(quantity, bool):
        raise InvalidQuantity(f"A quantity is not a whole number. Give one between {lowest} and {MAX_QUANTITY}.")
    if not lowest <= quantity <= MAX_QUANTITY:
        raise ParameterOutOfRange(
            f"The value you specified for Quantity is invalid.  Valid values must be between {lowest}"
            f" and {MAX_QUANTITY}."
        )
