"""How a cart leaves: the Add to Cart form, tagged links, or a ticket that leads to the PurchaseURL.

Amazon's form works in 2026 only with an Associate tag, as a GET form the shopper submits: it is described here,
rendered by the widget and the pages, and never fetched, redirected to or submitted by us.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import parse_qs, urlsplit

import msgspec

from flask_ecscart.clock import iso
from flask_ecscart.locales import Locale
from flask_ecscart.model import MAX_QUANTITY
from flask_ecscart.settings import HandoffMode, LocaleSettings
from flask_ecscart.shopper import Left
from flask_ecscart.texts import Words, programme_text

__all__ = ["Handoff", "HandoffPart", "ItemLink", "Leaving", "describe", "leads_to_the_retailer", "tagged_url"]

_ADD_TO_CART_PATH = "/gp/aws/cart/add.html"
"""Path of Amazon's public Add to Cart form, the same in every locale."""


class ItemLink(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A tagged product link: the way out that cannot break."""

    asin: str
    title: str
    url: str
    quantity: int
    link_note: str
    """What must stand beside the link, in the reader's language: "(paid link)"."""


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
    note: str | None
    """What the shopper must know before leaving: that Amazon may ask to sign in, when something is bought, and
    that there are parts."""
    left_at: str | None
    """When the shopper left with this cart and has not yet said whether the items arrived."""
    left_count: int
    """Pieces the shopper left with."""


class Leaving(msgspec.Struct, frozen=True, kw_only=True):
    """A line that would leave. `limit` is how many may be bought, where that is known; `url` its page, likewise."""

    asin: str
    title: str
    quantity: int
    limit: int | None = None
    url: str | None = None


def describe(
    settings: LocaleSettings,
    locale: Locale,
    lines: Sequence[Leaving],
    *,
    ticket_url: str | None,
    left: Left | None,
    prices_shown: bool,
    words: Words,
) -> Handoff | None:
    """The hand-off of a cart holding `lines` in its active area; None where the owner offers none.

    `ticket_url` is where a "demo" or "purchase_url" hand-off leads, None while there is no remote cart. `words` are
    the reader's; the programme's sentences are in the locale's language, whose Operating Agreement words them.
    """
    if settings.handoff == "off" or settings.associate_tag is None:
        return None
    lines = _by_asin(lines)
    parts = _parts(settings, locale, lines, ticket_url)
    demo = settings.handoff == "demo"
    retailer = words("demo_retailer") if demo else locale.seller_nickname
    return Handoff(
        mode=settings.handoff,
        method="get",
        action=parts[0].action if parts else None,
        fields=parts[0].fields if parts else {},
        parts=parts,
        links=[] if demo else [_link(settings, locale, line, words) for line in lines],
        retailer=retailer,
        disclosure=programme_text(words.own, "disclosure", locale.language),
        disclaimer=programme_text(words.own, "disclaimer", locale.language, retailer=retailer)
        if prices_shown
        else None,
        note=None if demo else _note(words, retailer, len(parts)),
        left_at=iso(left.at) if left is not None else None,
        left_count=sum(line.quantity for line in left.lines) if left is not None else 0,
    )


def _note(words: Words, retailer: str, parts: int) -> str:
    note = words("note", to=retailer)
    return f"{words('parts_note', to=retailer, k=parts)} {note}" if parts > 1 else note


def leads_to_the_retailer(url: str, locale: Locale) -> bool:
    """Whether `url` is a page of the locale's Amazon, so that it must be labelled as a paid link."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and parts.hostname in locale.retail_hosts
    except ValueError:
        return False


def tagged_url(url: str | None, asin: str, locale: Locale, associate_tag: str | None) -> str:
    """`url` when Amazon or the owner tagged it (it may say more than we know), else the tagged product link."""
    if url and leads_to_the_retailer(url, locale) and parse_qs(urlsplit(url).query).get("tag"):
        return url
    return locale.product_url(asin, associate_tag)


def _by_asin(lines: Iterable[Leaving]) -> list[Leaving]:
    """One line for each ASIN, no line above its limit: the form names products, and Amazon picks the offers.

    Above what the cheapest seller allows, Amazon silently adds a dearer seller's offer (seen in 2026).
    """
    merged: dict[str, Leaving] = {}
    for line in lines:
        before = merged.get(line.asin)
        limits = [one.limit for one in (before, line) if one is not None and one.limit is not None]
        limit = min(limits, default=None)
        wanted = line.quantity + (before.quantity if before else 0)
        merged[line.asin] = msgspec.structs.replace(
            before or line, quantity=min(wanted, MAX_QUANTITY if limit is None else max(limit, 1)), limit=limit
        )
    return list(merged.values())


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


def _link(settings: LocaleSettings, locale: Locale, line: Leaving, words: Words) -> ItemLink:
    return ItemLink(
        asin=line.asin,
        title=line.title,
        url=tagged_url(line.url, line.asin, locale, settings.associate_tag),
        quantity=line.quantity,
        link_note=words("paid"),
    )
