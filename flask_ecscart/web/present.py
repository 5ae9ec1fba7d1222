"""A cart as JSON: joins what is wanted, what the remote cart says and what the catalog knows."""

from __future__ import annotations

from collections.abc import Sequence

from flask_ecscart.carts import CartView, cart_mark
from flask_ecscart.catalog import offer_listing_key
from flask_ecscart.clock import iso
from flask_ecscart.handoff import Handoff, Leaving, describe
from flask_ecscart.locales import LOCALES, Locale
from flask_ecscart.matching import entries_of, match
from flask_ecscart.model import CartItem, Money, Notice, Offer, Product
from flask_ecscart.shopper import Line
from flask_ecscart.web.schemas import CartOut, ItemOut, MoneyOut, NoticeOut, ProductOut
from flask_ecscart.web.site import Site, Ticket

__all__ = ["present", "present_product"]


def present(site: Site, view: CartView, shopper: str) -> CartOut:
    """The cart as the API shows it."""
    locale = LOCALES[view.locale]
    prices = _prices_shown(site, view.locale)
    entries = entries_of(view.cart) if view.cart is not None else ()
    in_saved = {item.cart_item_id for item in view.cart.saved} if view.cart is not None else set[str]()
    active: list[ItemOut] = []
    saved: list[ItemOut] = []
    for line, item in match(view.wish.lines, entries):
        waits = item.cart_item_id in in_saved if item is not None else line.area == "saved"
        product = view.products.get((item.asin if item is not None else line.asin) or "")
        out = _item(locale, line, item, product, prices=prices, available=not waits or line.area == "saved")
        (saved if waits else active).append(out)
    subtotal = view.cart.items_subtotal if prices and view.cart is not None else None
    return CartOut(
        locale=view.locale,
        store=locale.seller_nickname,
        items=active,
        saved=saved,
        count=sum(item.quantity for item in active),
        subtotal=_money(subtotal),
        notices=[_notice(notice) for notice in view.wish.notices],
        pending=view.pending,
        as_of=iso(view.as_of) if view.as_of is not None else None,
        version=view.wish.version,
        handoff=_handoff(site, view, shopper, active, prices=prices),
    )


def present_product(site: Site, product: Product) -> ProductOut:
    """A product of the catalog as a page may show it."""
    locale = LOCALES[product.locale]
    offer = product.offers[0] if product.offers else None
    shown = offer.price if offer is not None and _prices_shown(site, product.locale) else None
    return ProductOut(
        asin=product.asin,
        title=product.title,
        url=product.url or locale.product_url(product.asin, site.settings.locales[product.locale].associate_tag),
        available=offer is not None and offer.available,
        image=product.image,
        limit=offer.limit if offer is not None else None,
        price=_money(locale.money(shown)) if shown is not None else None,
        seller=offer.seller if offer is not None else None,
        parent_asin=product.parent_asin,
        kind=product.kind,
    )


def _prices_shown(site: Site, locale: str) -> bool:
    """Prices may be shown when they come from the remote service, or when nothing is sold (demo)."""
    return site.settings.provider == "ecs" or site.settings.locales[locale].handoff == "demo"


def _item(
    locale: Locale, line: Line, item: CartItem | None, product: Product | None, *, prices: bool, available: bool
) -> ItemOut:
    asin = (item.asin if item is not None else line.asin) or ""
    offer = _offer(line, product)
    return ItemOut(
        asin=asin,
        title=(product.title if product else None) or (item.title if item is not None else None) or asin,
        url=(product.url if product else None) or locale.product_url(asin),
        quantity=line.quantity,
        available=available,
        cart_item_id=item.cart_item_id if item is not None else None,
        offer_listing_id=line.offer_listing_id,
        image=product.image if product else None,
        limit=offer.limit if offer else None,
        price=_money(item.price) if prices and item is not None else None,
        item_total=_money(item.item_total) if prices and item is not None else None,
        seller=item.seller_nickname if item is not None else offer.seller if offer else None,
    )


def _offer(line: Line, product: Product | None) -> Offer | None:
    if product is None or not product.offers:
        return None
    if line.offer_listing_id is None:
        return product.offers[0]
    key = offer_listing_key(line.offer_listing_id)
    named = (o for o in product.offers if o.offer_listing_id and offer_listing_key(o.offer_listing_id) == key)
    return next(named, None)


def _handoff(site: Site, view: CartView, shopper: str, active: Sequence[ItemOut], *, prices: bool) -> Handoff | None:
    ticket = None
    if view.wish.ref is not None and view.cart is not None and view.cart.items:
        issued = site.tickets.issue(Ticket(shopper, view.locale, cart_mark(view.wish.ref)))
        ticket = f"{site.settings.url_prefix}/go/{issued}"
    return describe(
        site.settings.locales[view.locale],
        LOCALES[view.locale],
        [Leaving(asin=item.asin, title=item.title, quantity=item.quantity) for item in active if item.asin],
        ticket_url=ticket,
        left=view.wish.left,
        prices_shown=prices,
        texts=site.settings.texts,
    )


def _money(money: Money | None) -> MoneyOut | None:
    return MoneyOut(amount=money.amount, currency=money.currency, formatted=money.formatted) if money else None


def _notice(notice: Notice) -> NoticeOut:
    return NoticeOut(
        id=notice.id,
        code=notice.code,
        message=notice.message,
        asin=notice.asin,
        requested=notice.requested,
        actual=notice.actual,
    )
