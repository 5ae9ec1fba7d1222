"""How a cart leaves: the Add to Cart form, tagged links, or a ticket that leads to the PurchaseURL.

Amazon's form works in 2026 only with an Associate tag, as a GET form the shopper submits: it is described here,
rendered by the widget and the pages, and never fetched, redirected to or submitted by us.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from flask_ecscart.clock import iso
from flask_ecscart.locales import Locale
from flask_ecscart.settings import HandoffMode, LocaleSettings
from flask_ecscart.shopper import Left
from flask_ecscart.texts import DISCLAIMER, DISCLOSURES, text

__all__ = ["Handoff", "HandoffPart", "ItemLink", "Leaving", "describe"]

_ADD_TO_CART_PATH = "/gp/aws/cart/add.html"
"""Path of Amazon's public Add to Cart form, the same in every locale."""


class ItemLink(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A tagged product link: the way out that cannot break."""

    asin: str
    title: str
    url: str
    quantity: int


class HandoffPart(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One form of a hand-off in parts; `fields` in the order to send them, `count` its pieces."""

    action: str
    fields: dict[str, str]
    count: int


class Handoff(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How a cart leaves. `parts` are the forms to submit (none for "links"); `action` and `fields` are the first's."""

    mode: HandoffMode
    method: str
    action: str | None
    fields: dict[str, str]
    parts: list[HandoffPart]
    links: list[ItemLink]
    retailer: str
    """The name a button must carry ("Amazon.de", or "Demo Store")."""
    disclosure: str
    disclaimer: str | None
    """The programme's sentence about prices, where prices are shown."""
    left_at: str | None
    """When the shopper left with this cart and has not yet said whether the items arrived."""
    left_count: int
    """Pieces the shopper left with."""


class Leaving(msgspec.Struct, frozen=True, kw_only=True):
    """A line that would leave."""

    asin: str
    title: str
    quantity: int


def describe(
    settings: LocaleSettings,
    locale: Locale,
    lines: Sequence[Leaving],
    *,
    ticket_url: str | None,
    left: Left | None,
    prices_shown: bool,
    texts: Mapping[str, str],
) -> Handoff | None:
    """The hand-off of a cart holding `lines` in its active area; None where the owner offers none.

    `ticket_url` is where a "demo" or "purchase_url" hand-off leads, None while there is no remote cart.
    """
    if settings.handoff == "off" or settings.associate_tag is None:
        return None
    parts = _parts(settings, locale, lines, ticket_url)
    demo = settings.handoff == "demo"
    retailer = text(texts, "demo_retailer") if demo else locale.seller_nickname
    disclosure = DISCLOSURES.get(locale.language, DISCLOSURES["en"])
    return Handoff(
        mode=settings.handoff,
        method="get",
        action=parts[0].action if parts else None,
        fields=parts[0].fields if parts else {},
        parts=parts,
        links=[] if demo else [_link(settings, locale, line) for line in lines],
        retailer=retailer,
        disclosure=texts.get(f"disclosure_{locale.language}", texts.get("disclosure", disclosure)),
        disclaimer=DISCLAIMER.format(retailer=retailer) if prices_shown else None,
        left_at=iso(left.at) if left is not None else None,
        left_count=sum(line.quantity for line in left.lines) if left is not None else 0,
    )


def _parts(
    settings: LocaleSettings, locale: Locale, lines: Sequence[Leaving], ticket_url: str | None
) -> list[HandoffPart]:
    if not lines or settings.handoff == "links":
        return []
    if settings.handoff in {"demo", "purchase_url"}:
        count = sum(line.quantity for line in lines)
        return [HandoffPart(action=ticket_url, fields={}, count=count)] if ticket_url else []
    size = settings.max_items_per_form
    return [_form(settings, locale, lines[start : start + size]) for start in range(0, len(lines), size)]


def _form(settings: LocaleSettings, locale: Locale, lines: Sequence[Leaving]) -> HandoffPart:
    fields = {"AssociateTag": settings.associate_tag or ""}
    for number, line in enumerate(lines, 1):
        fields[f"ASIN.{number}"] = line.asin
        fields[f"Quantity.{number}"] = str(line.quantity)
    return HandoffPart(
        action=f"https://{locale.retail_host}{_ADD_TO_CART_PATH}",
        fields=fields,
        count=sum(line.quantity for line in lines),
    )


def _link(settings: LocaleSettings, locale: Locale, line: Leaving) -> ItemLink:
    return ItemLink(
        asin=line.asin,
        title=line.title,
        url=locale.product_url(line.asin, settings.associate_tag),
        quantity=line.quantity,
    )
