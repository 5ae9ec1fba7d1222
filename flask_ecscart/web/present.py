"""A cart as JSON: joins what is wanted, what the remote cart says and what the catalog knows."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from flask_ecscart.carts import CartView, cart_mark
from flask_ecscart.catalog import offer_listing_key
from flask_ecscart.clock import iso
from flask_ecscart.handoff import Handoff, Leaving, describe, leads_to_the_retailer, tagged_url
from flask_ecscart.locales import LOCALES, Locale
from flask_ecscart.matching import entries_of, match
from flask_ecscart.model import CartItem, Notice, Offer, Product
from flask_ecscart.shopper import Line
from flask_ecscart.texts import Words, programme_text
from flask_ecscart.web.prices import Price, PriceRules, money_out
from flask_ecscart.web.schemas import CartOut, ChoiceOut, ItemOut, NoticeOut, ProductOut
from flask_ecscart.web.site import Site, Ticket, prefix_seen
from flask_ecscart.web.titles import readable

__all__ = ["choices_of", "present", "present_product"]


def present(site: Site, view: CartView, shopper: str, *, language: str = "en") -> CartOut:
    """The cart as the API shows it, its notices in `language`."""
    words = Words(site.settings.texts, language)
    locale = LOCALES[view.locale]
    tag = site.settings.locales[view.locale].associate_tag
    rules = PriceRules(site, view.locale)
    entries = entries_of(view.cart) if view.cart is not None else ()
    in_saved = {item.cart_item_id for item in view.cart.saved} if view.cart is not None else set[str]()
    active: list[ItemOut] = []
    saved: list[ItemOut] = []
    for line, item in match(view.wish.lines, entries):
        waits = item.cart_item_id in in_saved if item is not None else line.area == "saved"
        product = view.products.get((item.asin if item is not None else line.asin) or "")
        url = _link(locale, tag, product, (item.asin if item is not None else line.asin) or "")
        price = rules.of_line(item, _offer(line, product), view.as_of)
        out = _item(line, item, product, url, price=price, available=not waits or line.area == "saved")
        out = msgspec.structs.replace(
            out,
            item_total=rules.total(price, item, line.quantity),
            price_note=_price_note(words, locale, price),
            link_note=words("paid") if leads_to_the_retailer(url, locale) else None,
        )
        (saved if waits else active).append(out)
    shown = any(out.price is not None for out in (*active, *saved))
    handoff = _handoff(site, view, shopper, active, prices=shown, words=words)
    return CartOut(
        locale=view.locale,
        store=locale.seller_nickname,
        items=active,
        saved=saved,
        count=sum(item.quantity for item in active),
        subtotal=rules.subtotal(view, active),
        notices=_notices(site, view, (*active, *saved), words),
        pending=view.pending,
        as_of=iso(view.as_of) if view.as_of is not None else None,
        version=view.wish.version,
        handoff=handoff,
        stays=words("off", to=locale.seller_nickname) if active and handoff is None else None,
    )


def present_product(site: Site, product: Product, *, language: str = "en") -> ProductOut:
    """A product of the catalog as a page may show it, its notes in `language`."""
    words = Words(site.settings.texts, language)
    locale = LOCALES[product.locale]
    tag = site.settings.locales[product.locale].associate_tag
    rules = PriceRules(site, product.locale)
    offer = product.offers[0] if product.offers else None
    price = rules.of_offer(offer)
    url = _link(locale, tag, product, product.asin)
    choices = choices_of(site, product, language=language)
    shown = [price.money, *(choice.price for choice in choices)]
    return ProductOut(
        asin=product.asin,
        title=readable(product.title) or product.asin,
        url=url,
        available=offer is not None and offer.available,
        image=product.image,
        limit=offer.limit if offer is not None else None,
        price=money_out(price.money),
        price_as_of=price.as_of_text,
        price_hidden=price.hidden,
        deal=price.deal,
        price_note=_price_note(words, locale, price),
        link_note=words("paid") if leads_to_the_retailer(url, locale) else None,
        disclaimer=programme_text(site.settings.texts, "disclaimer", locale.language, retailer=locale.seller_nickname)
        if any(money is not None for money in shown)
        else None,
        seller=offer.seller if offer is not None else None,
        parent_asin=product.parent_asin,
        kind=product.kind,
        choices=choices,
    )


def choices_of(site: Site, product: Product, *, language: str) -> list[ChoiceOut]:
    """The kinds a product comes in, their notes in `language`; none when it can be bought itself."""
    locale = LOCALES[product.locale]
    rules, words = PriceRules(site, product.locale), Words(site.settings.texts, language)
    tag = site.settings.locales[product.locale].associate_tag
    return [_choice(rules, locale, tag, kind, words) for kind in product.variations]


def _choice(rules: PriceRules, locale: Locale, tag: str | None, product: Product, words: Words) -> ChoiceOut:
    offer = product.offers[0] if product.offers else None
    price = rules.of_offer(offer)
    return ChoiceOut(
        asin=product.asin,
        title=readable(product.title),
        choice=readable(product.choice or product.title),
        url=_link(locale, tag, product, product.asin),
        available=offer is None or offer.available,
        image=product.image,
        price=money_out(price.money),
        price_as_of=price.as_of_text,
        deal=price.deal,
        price_note=_price_note(words, locale, price),
    )


def _price_note(words: Words, locale: Locale, price: Price) -> str | None:
    """What must stand beside a price, or in its place."""
    if price.hidden:
        return words("price_hidden", to=locale.seller_nickname)
    return words(price.deal) if price.deal is not None else None


def _link(locale: Locale, tag: str | None, product: Product | None, asin: str) -> str:
    """The owner's own page of a product, else its page at the retailer, which credits the owner."""
    url = product.url if product is not None else None
    if url and not leads_to_the_retailer(url, locale):
        return url
    return tagged_url(url, asin, locale, tag)


def _item(
    line: Line, item: CartItem | None, product: Product | None, url: str, *, price: Price, available: bool
) -> ItemOut:
    asin = (item.asin if item is not None else line.asin) or ""
    offer = _offer(line, product)
    return ItemOut(
        asin=asin,
        title=readable((product.title if product else None) or (item.title if item is not None else None) or "")
        or asin,
        url=url,
        quantity=line.quantity,
        available=available,
        cart_item_id=item.cart_item_id if item is not None else None,
        offer_listing_id=line.offer_listing_id,
        image=product.image if product else None,
        limit=offer.limit if offer else None,
        price=money_out(price.money),
        price_as_of=price.as_of_text,
        price_hidden=price.hidden,
        deal=price.deal,
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


def _handoff(
    site: Site, view: CartView, shopper: str, active: Sequence[ItemOut], *, prices: bool, words: Words
) -> Handoff | None:
    settings, ticket = site.settings.locales[view.locale], None
    leaves_by_ticket = settings.handoff in {"demo", "purchase_url"}
    if leaves_by_ticket and view.wish.ref is not None and view.cart is not None and view.cart.items:
        issued = site.tickets.issue(Ticket(shopper, view.locale, cart_mark(view.wish.ref)))
        ticket = f"{prefix_seen(site)}/go/{issued}"
    return describe(
        settings,
        LOCALES[view.locale],
        [
            Leaving(asin=item.asin, title=item.title, quantity=item.quantity, limit=item.limit, url=item.url)
            for item in active
            if item.asin
        ],
        ticket_url=ticket,
        left=view.wish.left,
        prices_shown=prices,
        words=words,
    )


def _notices(site: Site, view: CartView, lines: Sequence[ItemOut], words: Words) -> list[NoticeOut]:
    """What is to be told. A refused item is in no line: what it is called, and comes in, the catalog knows."""
    titles = {line.asin: line.title for line in lines}
    others = [notice.asin for notice in view.wish.notices if notice.asin and notice.asin not in titles]
    products = site.catalog.lookup(view.locale, others) if others else dict[str, Product]()
    titles.update({asin: readable(product.title) for asin, product in products.items()})
    told: list[NoticeOut] = []
    for notice in view.wish.notices:
        product = products.get(notice.asin or "") if notice.code == "refused" else None
        choices = choices_of(site, product, language=words.language) if product is not None else []
        told.append(_notice(words, notice, titles.get(notice.asin or ""), choices))
    return told


def _notice(words: Words, notice: Notice, title: str | None, choices: list[ChoiceOut]) -> NoticeOut:
    return NoticeOut(
        id=notice.id,
        code=notice.code,
        message=words.retold(notice.message, requested=notice.requested, actual=notice.actual),
        asin=notice.asin,
        title=title,
        choices=choices,
        requested=notice.requested,
        actual=notice.actual,
    )
