"""What the service says when it refuses: the exact texts, and the exceptions that carry them.

Texts were recorded where a recording exists and are the documented templates elsewhere. Japanese carts
answer in Japanese, French ones only for CartInfoMismatch; every other locale speaks English (recorded).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, cast

from flask_ecscart import errors
from flask_ecscart.model import CartFault

__all__ = ["NOT_A_NUMBER", "faults_of", "refusal", "together"]

_E = TypeVar("_E", bound=errors.ECSError)

NOT_A_NUMBER = "Quantity values must be positive integers or zero."
"""Text of InvalidQuantity for a quantity that is no number (the description in seed 004; no recording)."""

_TEXTS: dict[type[errors.ECSError], str] = {
    errors.CartInfoMismatch: (
        "Your request contains an invalid AssociateTag, CartId and HMAC combination. Please verify the AssociateTag, "
        "CartId, HMAC and retry. Remember that all Cart operations must pass in the CartId and HMAC that were returned "
        "to you during the CartCreate operation."
    ),
    errors.ExactParameterRequirement: (
        "Your request contains too much data for {name}. This parameter can have a maximum length of {most}."
    ),
    errors.ExceededMaximumCartItems: "You may not add more than {most} items to the cart.",
    errors.InternalError: "We are unable to process your request at this time. Please retry your request.",
    errors.InvalidCartId: (
        "Your request contains an invalid value for CartId. Please check your CartId and retry your request."
    ),
    errors.InvalidEnumeratedParameter: (
        "The value you specified for {name} is invalid. Valid values include [{values}]."
    ),
    errors.InvalidHMAC: (
        "Your request contains an invalid value for HMAC. Please check your HMAC and retry your request. "
        "Remember that the HMAC must be URL-encoded if you are using REST."
    ),
    errors.InvalidParameterCombination: (
        "Your request contains an invalid parameter combination. {one} and {other} cannot appear in the same request."
    ),
    errors.InvalidParameterValue: (
        "{value} is not a valid value for {name}. Please change this value and retry your request."
    ),
    errors.InvalidQuantity: "You have exceeded the maximum quantity allowed for the following items: {asin}.",
    errors.InvalidResponseGroup: (
        "Your ResponseGroup parameter is invalid. Valid response groups for {operation} requests include [{values}]."
    ),
    errors.ItemAlreadyInCart: "The item you specified, {asin}, is already in your cart.",
    errors.ItemNotAccessible: "This item is not accessible through the Product Advertising API.",
    errors.ItemNotEligibleForCart: (
        "The item you specified, {asin}, is not eligible to be added to the cart. "
        "Check the item's availability to make sure it is available."
    ),
    errors.MaximumParameterRequirement: (
        "Your request contains too many values for {name}. This parameter can have a maximum of {most} values."
    ),
    errors.MinimumParameterRequirement: (
        "Your request should have atleast 1 of the following parameters: {names}."  # sic, recorded
    ),
    errors.MissingParameterCombination: (
        "Your request is missing a required parameter combination. Required parameter combinations include {names}."
    ),
    errors.MissingParameters: ("Your request is missing required parameters. Required parameters include {name}."),
    errors.ParameterOutOfRange: (
        "The value you specified for {name} is invalid.  Valid values must be between {least} and {most}."
    ),
    errors.ParameterRepeated: "The parameter, {name}, appeared more than once in your request.",
}

_LOCAL_TEXTS: dict[str, dict[type[errors.ECSError], str]] = {
    "JP": {
        errors.CartInfoMismatch: (
            "リクエストに指定されたAssociateTag、CartId、およびHMACの組み合わせが不正です。AssociateTag、CartId、およびHMACの値を"
            "確認して再度実行してください。なお、ショッピングカートを操作する、CartCreate以外のすべてのオペレーションで、"
            "CartCreateオペレーションで返されるCartIdとHMACが必要になるので注意してください。"
        ),
        errors.InvalidQuantity: "次の商品の注文可能な数量の上限を超えました：{asin}",
        errors.ItemAlreadyInCart: (
            "リクエストで商品として指定された{asin}は、すでにショッピングカートの中に入っています。"
        ),
        errors.ItemNotEligibleForCart: (
            "リクエストで商品として指定された{asin}は、カートに追加する商品として、適格ではありません。"
            "商品の在庫があるかどうか確かめてください。"
        ),
        errors.MissingParameters: (
            "リクエストには、必要なパラメータが含まれていません。必要なパラメータには、{name}などがあります。"
        ),
        errors.ParameterOutOfRange: (
            "{name} として指定した値は無効です。有効な値は、{least}から{most}までのものです。"
        ),
    },
    "FR": {
        errors.CartInfoMismatch: (
            "Votre demande comprend une combinaison AssociateTag, CartId et HMAC non valide. Veuillez vérifier "
            "l'AssociateTag, le CartId et le HMAC avant de réessayer. N'oubliez pas que toutes les opérations du "
            "panier doivent s'effectuer avec le CartId et le HMAC qui vous ont été renvoyés lors de l'opération "
            "CartCreate."
        ),
    },
}


def refusal(kind: type[_E], locale: str, **values: object) -> _E:
    """The error of class `kind` with its text in the language of `locale`; `values` fill the text's gaps."""
    text = _LOCAL_TEXTS.get(locale, {}).get(kind, _TEXTS[kind])
    return kind(text.format(**values))


def together(problems: Sequence[errors.ECSError]) -> errors.ECSError:
    """The first of `problems`, carrying all of them: see `faults_of`."""
    first = problems[0]
    vars(first)["faults"] = tuple(CartFault(problem.code, problem.message) for problem in problems)
    return first


def faults_of(error: errors.ECSError) -> tuple[CartFault, ...]:
    """Every fault an error stands for, in the order of the lines; the error itself where it came alone."""
    alone = (CartFault(error.code, error.message),)
    return cast("tuple[CartFault, ...]", vars(error).get("faults", alone))
