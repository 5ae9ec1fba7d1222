"""Why an item is not taken, in words for the shopper and in their language, and what can be chosen instead."""

from __future__ import annotations

from collections.abc import Sequence

from flask_ecscart.errors import ECSError, ExceededMaximumCartItems, ItemNotAccessible, ItemNotEligibleForCart
from flask_ecscart.model import MAX_ENTRIES, NewItem, Product
from flask_ecscart.texts import Words
from flask_ecscart.web.present import choices_of
from flask_ecscart.web.problems import Refused, as_refused
from flask_ecscart.web.site import Site

__all__ = ["refused_items", "why_refused"]

_REASONS = {
    ItemNotEligibleForCart.code: "refused_ineligible",
    ItemNotAccessible.code: "refused_inaccessible",
}


def why_refused(words: Words, error: ECSError, *, known: bool = True) -> str:
    """What to tell the shopper; the service's own words where we have none. `known`: whether the catalog has it."""
    if error.code == ExceededMaximumCartItems.code:
        return words("too_many", n=MAX_ENTRIES)
    reason = _REASONS.get(error.code)
    if reason == "refused_ineligible" and not known:
        reason = "refused_unknown"
    return words("refused", reason=words(reason)) if reason else error.message


def refused_items(site: Site, locale: str, language: str, items: Sequence[NewItem], error: ECSError) -> Refused:
    """The refusal of all `items`, with the choices there are where one of them comes in several kinds."""
    asins = [item.asin for item in items if item.asin]
    several = asins if error.code == ItemNotEligibleForCart.code else []
    found = site.catalog.lookup(locale, several) if several else dict[str, Product]()
    return as_refused(error).retold(
        why_refused(Words(site.settings.texts, language), error, known=not several or bool(found)),
        [choice for asin in asins if asin in found for choice in choices_of(site, found[asin], language=language)],
    )
