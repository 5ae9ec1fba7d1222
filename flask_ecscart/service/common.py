"""What every request says, whatever it asks for: service, operation, version, and how the reply is to be written."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask_ecscart.errors import (
    ECSError,
    ExactParameterRequirement,
    FeatureDeprecated,
    InvalidISO8601Time,
    InvalidOperation,
    InvalidOperationForMarketplace,
    InvalidService,
)
from flask_ecscart.service.messages import refusal

__all__ = [
    "CART_OPERATIONS",
    "ITEM_OPERATIONS",
    "OPERATIONS",
    "TAG_REQUIRED",
    "escaped_twice",
    "is_true",
    "operation_of",
    "too_long",
    "version_of",
]

CART_OPERATIONS = ("CartAdd", "CartClear", "CartCreate", "CartGet", "CartModify")
ITEM_OPERATIONS = ("ItemLookup", "ItemSearch")
OPERATIONS = (*CART_OPERATIONS, *ITEM_OPERATIONS)
TAG_REQUIRED = "2011-08-01"
"""From this Version on a request needs an AssociateTag (recorded 2016)."""
_SERVICE = "AWSECommerceService"
_ELSEWHERE = frozenset(
    [
        *("BrowseNodeLookup", "Help", "ListLookup", "ListSearch", "SellerListingLookup", "SellerListingSearch"),
        *("SellerLookup", "SimilarityLookup", "TagLookup", "TransactionLookup"),
        *("VehiclePartLookup", "VehiclePartSearch", "VehicleSearch"),
    ]
)
"""Amazon's other operations: known, and not to be had here."""
_DEPRECATED = frozenset({"CustomerContentLookup", "CustomerContentSearch"})
"""Amazon switched these off itself (recorded for the first)."""
_OLDEST_VERSION = "2005-10-05"
"""What a request without Version asks for (the 2011 guide)."""
_VERSION = re.compile(r"20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])", re.ASCII)
_MAX_LENGTH = 128


def operation_of(parameters: Mapping[str, str]) -> str:
    """The operation asked for.

    Raises `InvalidService`, `InvalidOperation`, `InvalidOperationForMarketplace` for one of Amazon's that is not
    served, and `FeatureDeprecated` for one that Amazon itself switched off.
    """
    _named("Service", (_SERVICE,), InvalidService, parameters.get("Service"))
    operation = parameters.get("Operation") or ""
    if operation in _DEPRECATED:
        raise FeatureDeprecated(f"Feature {operation} is deprecated.")
    if operation in _ELSEWHERE:
        raise InvalidOperationForMarketplace(f"This operation, {operation}, is not available for this locale.")
    _named("Operation", OPERATIONS, InvalidOperation, operation)
    return operation


def version_of(parameters: Mapping[str, str]) -> str:
    """The Version asked for, any dated one; raises `InvalidISO8601Time`."""
    version = parameters.get("Version") or _OLDEST_VERSION
    if not _VERSION.fullmatch(version):
        raise InvalidISO8601Time("Version has an invalid value. It must contain a valid ISO 8601 date and time.")
    return version


def is_true(text: str | None) -> bool:
    """Whether a parameter says True, however it is written."""
    return (text or "").lower() == "true"


def escaped_twice(parameters: Mapping[str, str]) -> bool:
    """Whether XMLEscaping is Double; every other value means Single, its default."""
    return parameters.get("XMLEscaping", "").lower() == "double"


def too_long(locale: str, values: Mapping[str, str | None]) -> list[ECSError]:
    """An error for each value that is longer than 128 characters, by parameter name (code and text documented)."""
    return [
        refusal(ExactParameterRequirement, locale, name=name, most=_MAX_LENGTH)
        for name, value in values.items()
        if value is not None and len(value) > _MAX_LENGTH
    ]


def _named(name: str, values: tuple[str, ...], error: type[ECSError], value: str | None) -> None:
    listed = f"Valid values for the {name} parameter include {', '.join(values)}."
    if not value:
        text = f"Your request is missing the {name} parameter. Please add the {name} parameter to your request and "
        raise error(f"{text}retry. {listed}", code=f"AWS.Missing{name}Parameter")
    if value not in values:
        raise error(
            f"The {name} parameter is invalid. Please modify the {name} parameter and retry. {listed}",
            code=f"AWS.Invalid{name}Parameter",
        )
