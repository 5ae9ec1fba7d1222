"""What a source said of one product, laid over what the owner says of it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from flask_ecscart.catalog.cache import Cached
from flask_ecscart.model import Offer, Product, ProductKind

__all__ = ["merged"]


def merged(own: Product | None, cached: Cached | None, choices: Mapping[str, Cached]) -> Product | None:
    """The product to show; the owner's own where the source has nothing to say."""
    said = cached.product if cached is not None else None
    if cached is None or said is None:
        return own
    parent = bool(cached.choices) or said.kind in {"variation_parent", "collection_parent"}
    product = Product(
        locale=said.locale,
        asin=said.asin,
        title=said.title or (own.title if own else "") or said.asin,
        url=said.url or (own.url if own else None),
        image=said.image or (own.image if own else None),
        product_group=(own.product_group if own else None) or said.product_group,
        kind=_kind(own, said, parent=parent),
        parent_asin=said.parent_asin or (own.parent_asin if own else None),
        released=said.released or (own.released if own else None),
        variations=tuple(_choice(said.locale, asin, text, choices.get(asin)) for asin, text in cached.choices or ()),
        choice=said.choice,
    )
    if product.kind in {"variation_parent", "collection_parent"}:
        return product
    return msgspec.structs.replace(product, offers=_offers(own, said, cached))


def _kind(own: Product | None, said: Product, *, parent: bool) -> ProductKind:
    if parent:
        return "collection_parent" if said.kind == "collection_parent" else "variation_parent"
    return said.kind if said.kind != "product" or own is None else own.kind


def _offers(own: Product | None, said: Product, cached: Cached) -> tuple[Offer, ...]:
    owners = own.offers if own else ()
    if not cached.offers_fresh:  # what was said of prices is gone; that the product is sold stays true
        return owners or (Offer(offer_listing_id=None),)
    if not said.offers:
        return tuple(msgspec.structs.replace(offer, availability="out_of_stock", price=None) for offer in owners)
    if said.offers[0].source == "ecs":  # offers of the service that keeps the carts: they name themselves
        first = msgspec.structs.replace(said.offers[0], limit=_least(said.offers[0].limit, _limit(owners)))
        return (first, *said.offers[1:])
    return (_buy_box(owners[0] if owners else None, said.offers[0]), *owners[1:])


def _buy_box(own: Offer | None, said: Offer) -> Offer:
    """What the source says of price and stock, as an offer of the seller the owner's carts know."""
    if own is None:
        return said
    return msgspec.structs.replace(
        said,
        offer_listing_id=own.offer_listing_id,
        seller=own.seller,
        merchant_id=own.merchant_id,
        seller_id=own.seller_id,
        condition=own.condition,
        limit=_least(own.limit, said.limit),
    )


def _choice(locale: str, asin: str, text: str | None, cached: Cached | None) -> Product:
    product = cached.product if cached is not None else None
    if product is None:
        return Product(locale=locale, asin=asin, title=text or asin, choice=text)
    return msgspec.structs.replace(product, title=product.title or text or asin, choice=text or product.choice)


def _limit(offers: tuple[Offer, ...]) -> int | None:
    return offers[0].limit if offers else None


def _least(one: int | None, other: int | None) -> int | None:
    return min((limit for limit in (one, other) if limit is not None), default=None)
