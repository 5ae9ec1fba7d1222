"""Response groups: which there are, which fit which operation, and what is said about one that does not."""

from __future__ import annotations

from collections.abc import Iterable

from flask_ecscart.errors import ECSError, InvalidEnumeratedParameter, InvalidResponseGroup
from flask_ecscart.service.messages import refusal

__all__ = ["CART_GROUPS", "ITEM_GROUPS", "group_problems", "read_groups", "unrivalled"]

CART_GROUPS = ("Request", "Cart", "CartSimilarities", "CartTopSellers", "CartNewReleases")
"""Valid with each of the five cart operations (DG)."""
_WHOLE_ITEMS = (
    *("Request", "ItemIds", "Small", "Medium", "Large", "Offers", "OfferFull", "OfferSummary", "OfferListings"),
    *("Variations", "VariationSummary", "VariationOffers", "VariationMinimum", "ItemAttributes", "Images"),
)
"""Answered with what the catalog knows."""
_EMPTY_ITEMS = (
    *("Accessories", "AlternateVersions", "BrowseNodes", "Collections", "EditorialReview", "ListmaniaLists"),
    *("MerchantItemAttributes", "PromotionalTag", "PromotionDetails", "PromotionSummary", "RelatedItems", "Reviews"),
    *("SalesRank", "SearchInside", "ShippingCharges", "ShippingOptions", "Similarities", "Subjects", "Tags"),
    *("TagsSummary", "Tracks", "VariationImages", "VariationMatrix"),
)
"""Valid (recorded 2011) and answered with nothing: a catalog has no reviews, ranks or tags."""
ITEM_GROUPS = (*_WHOLE_ITEMS, *_EMPTY_ITEMS)
"""Valid with ItemLookup and ItemSearch."""
_SEARCH_ONLY = ("SearchBins",)
_RIVALS = frozenset({"CartTopSellers", "CartNewReleases"})
_RIVALS_SINCE = "2013-08-01"


def read_groups(text: str) -> tuple[str, ...]:
    """The groups of a ResponseGroup parameter, each once, in its order."""
    return tuple(dict.fromkeys(group.strip() for group in text.split(",") if group.strip()))


def unrivalled(groups: Iterable[str], version: str) -> tuple[str, ...]:
    """The groups that are answered: of CartTopSellers and CartNewReleases only the one listed first.

    Recorded with Version 2013-08-01 in all four replies to both; older Versions answer both as documented.
    """
    if version < _RIVALS_SINCE:
        return tuple(groups)
    kept: list[str] = []
    for group in groups:
        if group not in _RIVALS or _RIVALS.isdisjoint(kept):
            kept.append(group)
    return tuple(kept)


def group_problems(operation: str, locale: str, groups: Iterable[str]) -> list[ECSError]:
    """What is wrong with `groups`: a name nobody knows makes both errors (recorded), one of elsewhere the second."""
    valid = CART_GROUPS if operation.startswith("Cart") else ITEM_GROUPS
    if operation == "ItemSearch":
        valid = (*valid, *_SEARCH_ONLY)
    wrong = [group for group in groups if group not in valid]
    if not wrong:
        return []
    known = tuple(dict.fromkeys((*CART_GROUPS, *ITEM_GROUPS, *_SEARCH_ONLY)))
    problems: list[ECSError] = []
    if not all(group in known for group in wrong):
        listed = ", ".join(f"'{group}'" for group in known)
        problems.append(refusal(InvalidEnumeratedParameter, locale, name="ResponseGroup", values=listed))
    listed = ",".join(f"'{group}'" for group in valid)
    problems.append(refusal(InvalidResponseGroup, locale, operation=operation, values=listed))
    return problems
