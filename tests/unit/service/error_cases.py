"""The table of errors: what a request does wrong, what is said about it, where, and how we know.

`documented`: in the guides or seed 004. `recorded`: seen in a real reply. `decided`: nobody said, we chose.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from flask_ecscart.service.messages import NOT_A_NUMBER
from tests.unit.service.asking import ONE
from tests.unit.service.shop import BOOK, DVD, USED_BOOK, asin

__all__ = ["CASES", "DOCUMENTS", "MISSING", "Case", "E", "Mark", "Prepared", "line"]

Mark = Literal["documented", "recorded", "decided"]
Prepared = dict[str, str | None]


class Case(NamedTuple):
    """A request, and the one error (or more) it ends in."""

    operation: str
    parameters: Prepared
    code: str
    message: str
    mark: Mark
    valid: Literal["True", "False"] = "False"
    cart: bool = False
    locale: str = "US"


CART = {"CartId": "(id)", "HMAC": "(hmac)"}
WRONG = {"CartId": "178-5227311-4914036", "HMAC": "nLzBAjpArhIw8knM+dVfbKRKa38="}
MISSING = "Your request is missing required parameters. Required parameters include {}."
RANGE = "The value you specified for Quantity is invalid.  Valid values must be between {} and 999."
NOT_ELIGIBLE = (
    "The item you specified, {}, is not eligible to be added to the cart. "
    "Check the item's availability to make sure it is available."
)
MISMATCH = (
    "Your request contains an invalid AssociateTag, CartId and HMAC combination. Please verify the AssociateTag, "
    "CartId, HMAC and retry. Remember that all Cart operations must pass in the CartId and HMAC that were returned to "
    "you during the CartCreate operation."
)
E = "AWS.ECommerceService."


def line(item: str, quantity: str = "1", number: int = 1) -> Prepared:
    return {f"Item.{number}.ASIN": item, f"Item.{number}.Quantity": quantity}


def change(**fields: str) -> Prepared:
    return {**CART, **{f"Item.1.{name}": value for name, value in {"CartItemId": "(item)", **fields}.items()}}


CASES = [
    # Something is missing.
    Case("CartCreate", {}, "AWS.MissingParameters", MISSING.format("Items"), "recorded"),
    Case("CartAdd", dict(CART), "AWS.MissingParameters", MISSING.format("Items"), "recorded"),
    Case("CartModify", dict(CART), "AWS.MissingParameters", MISSING.format("Items"), "recorded"),
    Case("CartGet", {"CartId": "(id)"}, "AWS.MissingParameters", MISSING.format("HMAC"), "recorded"),
    Case("CartClear", {"HMAC": "(hmac)"}, "AWS.MissingParameters", MISSING.format("CartId"), "recorded"),
    Case(
        "CartCreate", {**ONE, "AssociateTag": None}, "AWS.MissingParameters", MISSING.format("AssociateTag"), "recorded"
    ),
    Case("CartCreate", {"Item.1.ASIN": BOOK}, "AWS.MissingParameters", MISSING.format("Quantity"), "documented"),
    Case(
        "CartModify",
        {**CART, "Item.1.Quantity": "1"},
        "AWS.MissingParameters",
        MISSING.format("CartItemId"),
        "documented",
    ),
    Case("ItemLookup", {}, "AWS.MissingParameters", MISSING.format("ItemId"), "documented"),
    Case("ItemSearch", {"Keywords": "x"}, "AWS.MissingParameters", MISSING.format("SearchIndex"), "documented"),
    Case(
        "CartCreate",
        {"Item.1.Quantity": "1"},
        "AWS.MissingParameterCombination",
        "Your request is missing a required parameter combination. "
        "Required parameter combinations include ASIN, OfferListingId.",
        "decided",
    ),
    Case(
        "CartModify",
        change(),
        "AWS.MinimumParameterRequirement",
        "Your request should have atleast 1 of the following parameters: Quantity, Action.",
        "decided",
    ),
    Case(
        "ItemSearch",
        {"SearchIndex": "All"},
        "AWS.MinimumParameterRequirement",
        "Your request should have atleast 1 of the following parameters: 'Keywords','Title'.",
        "recorded",
    ),
    # Something is out of range or of no known value.
    *(
        Case("CartCreate", line(BOOK, quantity), "AWS.ParameterOutOfRange", RANGE.format(1), "recorded")
        for quantity in ("0", "-1", "1000")
    ),
    Case("CartAdd", {**CART, **line(DVD, "0")}, "AWS.ParameterOutOfRange", RANGE.format(1), "recorded"),
    Case("CartModify", change(Quantity="-1"), "AWS.ParameterOutOfRange", RANGE.format(0), "recorded"),
    Case("CartAdd", {**WRONG, **line(DVD, "0")}, "AWS.ParameterOutOfRange", RANGE.format(1), "recorded"),
    Case("CartCreate", line(BOOK, "many"), f"{E}InvalidQuantity", NOT_A_NUMBER, "documented"),
    Case("CartModify", change(Quantity="1.5"), f"{E}InvalidQuantity", NOT_A_NUMBER, "documented"),
    Case(
        "CartModify",
        change(Action="Burn"),
        "AWS.InvalidEnumeratedParameter",
        "The value you specified for Action is invalid. Valid values include ['MoveToCart', 'SaveForLater'].",
        "documented",
    ),
    Case(
        "ItemLookup",
        {"ItemId": BOOK, "Condition": "Broken"},
        "AWS.InvalidEnumeratedParameter",
        "The value you specified for Condition is invalid. "
        "Valid values include ['All', 'New', 'Used', 'Collectible', 'Refurbished'].",
        "documented",
    ),
    Case(
        "ItemLookup",
        {"ItemId": BOOK, "IdType": "EAN"},
        "AWS.InvalidEnumeratedParameter",
        "The value you specified for IdType is invalid. Valid values include ['ASIN'].",
        "decided",
    ),
    Case(
        "CartCreate",
        {**ONE, "ResponseGroup": "Small"},
        "AWS.InvalidResponseGroup",
        "Your ResponseGroup parameter is invalid. Valid response groups for CartCreate requests include "
        "['Request','Cart','CartSimilarities','CartTopSellers','CartNewReleases'].",
        "recorded",
    ),
    Case(
        "CartCreate",
        {**ONE, "AssociateTag": "t" * 129},
        "AWS.ExactParameterRequirement",
        "Your request contains too much data for AssociateTag. This parameter can have a maximum length of 128.",
        "documented",
    ),
    Case(
        "ItemLookup",
        {"ItemId": ",".join(asin(number) for number in range(11))},
        "AWS.ExceededMaximumParameterValues",
        "Your request contains too many values for ItemId. This parameter can have a maximum of 10 values.",
        "documented",
    ),
    # What excludes each other.
    Case(
        "CartCreate",
        {**ONE, "Item.1.OfferListingId": USED_BOOK},
        "AWS.InvalidParameterCombination",
        "Your request contains an invalid parameter combination. "
        "ASIN and OfferListingId cannot appear in the same request.",
        "documented",
    ),
    Case(
        "ItemLookup",
        {"ItemId": BOOK, "SearchIndex": "Books"},
        "AWS.RestrictedParameterValueCombination",
        "Your request contains a restricted parameter combination. "
        "When IdType equals ASIN, SearchIndex cannot be present.",
        "decided",  # the code was recorded, its text is not at hand
    ),
    # The request is right; the cart is not.
    *(
        Case(operation, {**WRONG, **more}, f"{E}CartInfoMismatch", MISMATCH, "recorded", "True")
        for operation, more in (
            *(("CartGet", {}), ("CartClear", {}), ("CartAdd", line(DVD))),
            ("CartModify", {"Item.1.CartItemId": "C", "Item.1.Quantity": "1"}),
        )
    ),
    Case("CartGet", {"CartId": "foo", "HMAC": "(hmac)"}, f"{E}CartInfoMismatch", MISMATCH, "recorded", "True"),
    Case("CartGet", {**CART, "AssociateTag": "another-20"}, f"{E}CartInfoMismatch", MISMATCH, "decided", "True"),
    Case(
        "CartGet",
        {"CartId": "(id)", "HMAC": "(spaced)"},
        f"{E}InvalidHMAC",
        "Your request contains an invalid value for HMAC. Please check your HMAC and retry your request. "
        "Remember that the HMAC must be URL-encoded if you are using REST.",
        "documented",
        "True",
    ),
    Case(
        "CartGet",
        {"CartId": "(expired)", "HMAC": "(expired hmac)"},
        f"{E}InvalidCartId",
        "Your request contains an invalid value for CartId. Please check your CartId and retry your request.",
        "documented",
        "True",
    ),
    # The request is right; the item is not.
    *(
        Case("CartCreate", line(item), f"{E}ItemNotEligibleForCart", NOT_ELIGIBLE.format(named), mark, "True")
        for item, named, mark in (
            ("021554", "", "recorded"),
            ("B0NOBODY01", "B0NOBODY01", "decided"),
            ("B0PARENT01", "B0PARENT01", "documented"),
            ("B0PARENT02", "B0PARENT02", "documented"),
            ("B0KINDLE01", "B0KINDLE01", "documented"),
        )
    ),
    Case(
        "CartAdd", {**CART, **line("021554")}, f"{E}ItemNotEligibleForCart", NOT_ELIGIBLE.format(""), "recorded", "True"
    ),
    Case(
        "CartCreate",
        line("B0OTHERS01"),
        f"{E}ItemNotAccessible",
        "This item is not accessible through the Product Advertising API.",
        "documented",
        "True",
    ),
    Case(
        "CartAdd",
        {**CART, **line(BOOK, "2")},
        f"{E}ItemAlreadyInCart",
        f"The item you specified, {BOOK}, is already in your cart.",
        "recorded",
        "True",
        cart=True,
    ),
    Case(
        "CartCreate",
        {name: value for number in range(51) for name, value in line(asin(number), number=number).items()},
        f"{E}ExceededMaximumCartItems",
        "You may not add more than 50 items to the cart.",
        "documented",
        "True",
    ),
    Case(
        "CartAdd",
        {**CART, **{name: value for n in range(50) for name, value in line(asin(n), number=n).items()}},
        f"{E}ExceededMaximumCartItems",
        "You may not add more than 50 items to the cart.",
        "documented",
        "True",
    ),
    Case(
        "ItemLookup",
        {"ItemId": "FOO"},
        "AWS.InvalidParameterValue",
        "FOO is not a valid value for ItemId. Please change this value and retry your request.",
        "recorded",
        "True",
    ),
    Case(
        "ItemSearch",
        {"SearchIndex": "All", "Keywords": "nothing like it"},
        f"{E}NoExactMatches",
        "We did not find any matches for your request.",
        "documented",
        "True",
    ),
    # Other languages.
    Case(
        "CartCreate",
        {},
        "AWS.MissingParameters",
        "リクエストには、必要なパラメータが含まれていません。必要なパラメータには、Itemsなどがあります。",
        "recorded",
        locale="JP",
    ),
    Case(
        "CartCreate",
        line(BOOK, "1000"),
        "AWS.ParameterOutOfRange",
        "Quantity として指定した値は無効です。有効な値は、1から999までのものです。",
        "recorded",
        locale="JP",
    ),
    Case(
        "CartAdd",
        {**CART, **line(BOOK)},
        f"{E}ItemAlreadyInCart",
        f"リクエストで商品として指定された{BOOK}は、すでにショッピングカートの中に入っています。",
        "recorded",
        "True",
        cart=True,
        locale="JP",
    ),
    Case(
        "CartCreate",
        line("021554"),
        f"{E}ItemNotEligibleForCart",
        "リクエストで商品として指定されたは、カートに追加する商品として、適格ではありません。"
        "商品の在庫があるかどうか確かめてください。",
        "recorded",
        "True",
        locale="JP",
    ),
    Case(
        "CartGet",
        dict(WRONG),
        f"{E}CartInfoMismatch",
        "Votre demande comprend une combinaison AssociateTag, CartId et HMAC non valide. Veuillez vérifier "
        "l'AssociateTag, le CartId et le HMAC avant de réessayer. N'oubliez pas que toutes les opérations du panier "
        "doivent s'effectuer avec le CartId et le HMAC qui vous ont été renvoyés lors de l'opération CartCreate.",
        "recorded",
        "True",
        locale="FR",
    ),
    Case("CartCreate", {}, "AWS.MissingParameters", MISSING.format("Items"), "recorded", locale="FR"),
    Case("CartGet", dict(WRONG), f"{E}CartInfoMismatch", MISMATCH, "recorded", "True", locale="DE"),
]

DOCUMENTS: list[tuple[dict[str, str | None], int, str, str, str, Mark]] = [
    (
        {"Operation": None},
        400,
        "",
        "AWS.MissingOperationParameter",
        "Your request is missing the Operation parameter. Please add the Operation parameter to your request and "
        "retry. Valid values for the Operation parameter include CartAdd, CartClear, CartCreate, CartGet, CartModify, "
        "ItemLookup, ItemSearch.",
        "documented",
    ),
    (
        {"Operation": "AsinSearch"},
        400,
        "",
        "AWS.InvalidOperationParameter",
        "The Operation parameter is invalid. Please modify the Operation parameter and retry. Valid values for the "
        "Operation parameter include CartAdd, CartClear, CartCreate, CartGet, CartModify, ItemLookup, ItemSearch.",
        "documented",
    ),
    (
        {"Operation": "BrowseNodeLookup"},
        400,
        "",
        "AWS.InvalidOperationForMarketplace",
        "This operation, BrowseNodeLookup, is not available for this locale.",
        "documented",
    ),
    (
        {"Operation": "CustomerContentLookup"},
        410,
        "",
        "Deprecated",
        "Feature CustomerContentLookup is deprecated.",
        "recorded",
    ),
    (
        {"Service": None},
        400,
        "CartCreate",
        "AWS.MissingServiceParameter",
        "Your request is missing the Service parameter. Please add the Service parameter to your request and retry. "
        "Valid values for the Service parameter include AWSECommerceService.",
        "documented",
    ),
    (
        {"Service": "AWSMechanicalTurkRequester"},
        400,
        "CartCreate",
        "AWS.InvalidServiceParameter",
        "The Service parameter is invalid. Please modify the Service parameter and retry. "
        "Valid values for the Service parameter include AWSECommerceService.",
        "documented",
    ),
    (
        {"Version": "2011-02-31x"},
        400,
        "CartCreate",
        "AWS.InvalidISO8601Time",
        "Version has an invalid value. It must contain a valid ISO 8601 date and time.",
        "documented",
    ),
    (
        {"AWSAccessKeyId": None},
        403,
        "CartCreate",
        "MissingClientTokenId",
        "Request must contain AWSAccessKeyId or X.509 certificate.",
        "recorded",
    ),
]
