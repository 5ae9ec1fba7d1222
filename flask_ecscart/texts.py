"""What the server tells the shopper, in English; `ECSCART_TEXTS` replaces any of them by name."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DISCLAIMER", "DISCLOSURES", "TEXTS", "text"]

TEXTS: dict[str, str] = {
    "quantity_capped": "You asked for {requested}; this seller allows {actual}.",
    "quantity_capped_total": "You asked for {requested}; one cart holds at most {actual} of an item.",
    "saved_for_later": "Saved for later: it is not available now. It comes back by itself when it is.",
    "moved_to_cart": "Available again, so it is back in your cart.",
    "refused": "This item could not be put into the cart: {reason}",
    "refused_ineligible": "it cannot be bought on its own here (choose a variation, or it is a digital item).",
    "refused_inaccessible": "its seller does not take part.",
    "refused_other": "the store did not take it.",
    "cart_renewed": "Your cart had expired; we put the items back.",
    "demo_retailer": "Demo Store",
}

DISCLOSURES: dict[str, str] = {
    "en": "As an Amazon Associate I earn from qualifying purchases.",
    "de": "Als Amazon-Partner verdiene ich an qualifizierten Verkäufen.",
}
"""The sentence the programme asks for, by language, where its wording is known."""

DISCLAIMER = (
    "Product prices and availability are accurate as of the date/time indicated and are subject to change. "
    "Any price and availability information displayed on {retailer} at the time of purchase will apply to "
    "the purchase of this product."
)
"""The programme's price disclaimer."""


def text(overrides: Mapping[str, str], name: str, **values: object) -> str:
    """The text called `name` with `values` filled in; the owner's own where there is one."""
    return overrides.get(name, TEXTS[name]).format(**values)
