"""What the service would refuse anyway, refused before a transaction is spent on it: same classes, same texts."""

from __future__ import annotations

from collections.abc import Sequence

from flask_ecscart.errors import (
    CartInfoMismatch,
    ExceededMaximumCartItems,
    InvalidParameterCombination,
    InvalidQuantity,
    MaximumParameterRequirement,
    MinimumParameterRequirement,
    MissingParameters,
    ParameterOutOfRange,
)
from flask_ecscart.model import MAX_ENTRIES, MAX_QUANTITY, CartRef, ItemChange, NewItem

__all__ = ["check_changes", "check_new_items", "check_ref"]


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
            raise _missing("ASIN or OfferListingId")
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
