"""Pages that work without JavaScript: confirm an addition, look at the carts and change them, leave.

Nothing changes on a GET (leaving apart, which a ticket allows once). Forms carry a token bound to the shopper's
cookie. A page of ours is never framed and loads nothing from elsewhere but product pictures.
"""

from __future__ import annotations

import re
import secrets
from http import HTTPStatus

import msgspec
from flask import Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from flask_ecscart.errors import ECSError, ParameterOutOfRange
from flask_ecscart.locales import LOCALES
from flask_ecscart.model import MAX_QUANTITY, NewItem
from flask_ecscart.service.purchase_url import PURCHASE_PATH, read_purchase_query
from flask_ecscart.sessions import COOKIE, shopper_id
from flask_ecscart.texts import Words
from flask_ecscart.web.language import page_language
from flask_ecscart.web.origins import Who, identify, page_before, refuse_too_many
from flask_ecscart.web.page_view import for_people, render_page, to_cart_page
from flask_ecscart.web.present import present, present_product
from flask_ecscart.web.problems import Refused
from flask_ecscart.web.refusals import why_refused
from flask_ecscart.web.site import Site, current_site, prefix_seen
from flask_ecscart.wishes import LineChange

__all__ = [
    "DEMO_PATH",
    "ROUTES",
    "add_form",
    "cart_form",
    "cart_page",
    "confirm_page",
    "demo_retail_page",
    "go",
]

DEMO_PATH = "/demo"
_MAX_FORM = 16 * 1024


@for_people
def confirm_page() -> BaseResponse:
    """What would be added, and a button that adds it."""
    site = current_site()
    item, locale = _asked_for(site)
    who = identify(site, changing=False)
    return _confirm(site, who, item, locale)


@for_people
def add_form() -> BaseResponse:
    """Add what the confirm page asked about; what cannot be added is said on the same page."""
    site = current_site()
    who = _form_sender(site)
    who = msgspec.structs.replace(who, page=page_before(site) or who.page)
    try:
        item, locale = _asked_for(site)
    except Refused as refused:
        if refused.problem.field != "quantity":
            raise
        item, locale = _asked_for(site, quantity="1")
        words = Words(site.settings.texts, page_language(locale))
        return _confirm(site, who, item, locale, problem=words("pieces_wrong"))
    refuse_too_many(site, who, locale)
    # A page sent twice adds once; sent again with another quantity it is another wish.
    key = request.form.get("key")
    try:
        site.carts.add(who.shopper, locale, [item], f"{key}:{item.quantity}"[:200] if key else None, page=who.page)
    except ECSError as error:
        words = Words(site.settings.texts, page_language(locale))
        known = item.asin is None or item.asin in site.catalog.lookup(locale, [item.asin])
        return _confirm(site, who, item, locale, problem=why_refused(words, error, known=known))
    return to_cart_page(site, who, locale)


@for_people
def cart_page() -> BaseResponse:
    """Every cart of the shopper, with forms for everything that can be done to it."""
    site = current_site()
    who = identify(site, changing=False)
    named = request.args.get("locale", "")
    locale = named if named in site.settings.locales else site.settings.default_locale
    language = page_language(locale)
    views = site.carts.read_all(who.shopper) if who.known else []
    carts = [(LOCALES[view.locale], present(site, view, who.shopper, language=language)) for view in views]
    stale = "stale" in request.args
    return render_page(site, "cart.html", locale=locale, who=who, carts=carts, stale=stale)


@for_people
def cart_form() -> BaseResponse:
    """One button of the cart page."""
    site = current_site()
    who = _form_sender(site)
    locale = _locale(site, request.form.get("locale", ""))
    refuse_too_many(site, who, locale)
    action, _, line = request.form.get("do", "").partition(":")
    if action == "clear":
        site.carts.clear(who.shopper, locale, None, page=who.page)
    elif action in {"arrived", "failed"}:
        site.carts.answer(who.shopper, locale, action, page=who.page)
    elif action == "sent":
        _sent(site, who, locale)
    elif changes := _line_changes(action, line):
        site.carts.change(who.shopper, locale, changes, None, page=who.page)
    return to_cart_page(site, who, locale)


@for_people
def go(ticket: str) -> BaseResponse:
    """Leave: to the PurchaseURL by a fresh ticket, to the cart page when there is something to see first."""
    site = current_site()
    if "prefetch" in request.headers.get("Sec-Purpose", request.headers.get("Purpose", "")):
        raise Refused(
            HTTPStatus.SERVICE_UNAVAILABLE, "prefetch", "Leaving is for shoppers who click, not for prefetching."
        )
    redeemed = site.tickets.redeem(ticket)
    url = None
    if redeemed is not None and redeemed.locale in site.settings.locales:
        url = site.carts.leave(redeemed.shopper, redeemed.locale, redeemed.cart)
    if url is None:
        own = site.sessions.sid_from_token(request.cookies.get(COOKIE, ""), origin=None)
        elsewhere = redeemed is not None and (own is None or shopper_id(own) != redeemed.shopper)
        # A shopper of another origin has no cookie here: the cart is at the page the click came from.
        return redirect(f"{prefix_seen(site)}/cart" + ("?stale=1" if elsewhere else ""), HTTPStatus.SEE_OTHER)
    # Only the demo's shop has an address without a host.
    return redirect(request.script_root + url if url.startswith("/") else url, HTTPStatus.SEE_OTHER)


def demo_retail_page() -> Response:
    """The stand-in shop of the demo hand-off: shows what arrived and which Associate tag was credited."""
    site = current_site()
    sent = read_purchase_query(request.query_string.decode("ascii", "replace"))
    problem = "This cart is no longer here: it was handed over already, or it expired."
    cart, locale = None, None
    for code, row in site.settings.locales.items():
        if site.service is None or row.handoff != "demo":
            continue
        try:
            cart = site.service.purchase(
                code, sent.get("cart-id", ""), sent.get("hmac", ""), sent.get("associate-id", "")
            )
        except ECSError:
            continue
        problem, locale = "", LOCALES[code]
        break
    nonce = secrets.token_urlsafe(16)
    body = render_template(
        "ecscart/retail.html",
        locale=locale,
        associate_tag=cart.ref.associate_tag if cart else None,
        items=cart.items if cart else (),
        saved=cart.saved if cart else (),
        subtotal=cart.subtotal if cart else None,
        problem=problem or None,
        csp_nonce=nonce,
    )
    response = Response(body, status=HTTPStatus.OK if cart else HTTPStatus.GONE)
    response.headers["Referrer-Policy"] = "no-referrer"  # its own address holds the HMAC
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return response


def _confirm(site: Site, who: Who, item: NewItem, locale: str, problem: str | None = None) -> Response:
    product = site.catalog.lookup(locale, [item.asin]).get(item.asin) if item.asin else None
    return render_page(
        site,
        "confirm.html",
        locale=locale,
        who=who,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        item=item,
        place=LOCALES[locale],
        product=present_product(site, product, language=page_language(locale)) if product is not None else None,
        problem=problem,
        before=page_before(site),
    )


def _sent(site: Site, who: Who, locale: str) -> None:
    """The shopper says the items are at the retailer; without JavaScript nobody saw them leave.

    Only when the cart is still the one the page showed: what was added since did not leave.
    """
    if str(site.carts.read(who.shopper, locale).wish.version) == request.form.get("version"):
        site.carts.answer(who.shopper, locale, "left", page=who.page)
        site.carts.answer(who.shopper, locale, "arrived", page=who.page)


def _asked_for(site: Site, quantity: str | None = None) -> tuple[NewItem, str]:
    values = request.values
    locale = _locale(site, values.get("locale", site.settings.default_locale))
    asin, offer = values.get("asin") or None, values.get("offer_listing_id") or None
    if (asin is None) == (offer is None):
        raise Refused(
            HTTPStatus.BAD_REQUEST, "item_missing", "The link must name asin or offer_listing_id, one of the two."
        )
    pieces = _quantity(quantity or values.get("quantity", "1"), least=1)
    return NewItem(asin=asin, offer_listing_id=offer, quantity=pieces), locale


def _line_changes(action: str, line: str) -> list[LineChange]:
    if action == "remove":
        return [LineChange(cart_item_id=line, quantity=0)]
    if action in {"save", "move"}:
        return [LineChange(cart_item_id=line, area="saved" if action == "save" else "active")]
    if action != "set":
        raise Refused(HTTPStatus.BAD_REQUEST, "action_unknown", "Use the buttons of the cart page.", field="do")
    fields = {f"quantity:{line}"} if line else {name for name in request.form if name.startswith("quantity:")}
    return [
        LineChange(cart_item_id=name.partition(":")[2], quantity=_quantity(request.form.get(name, ""), least=0))
        for name in sorted(fields)
    ]


def _quantity(text: str, *, least: int) -> int:
    if re.fullmatch(r"0*[0-9]{1,3}", text.strip()) and int(text) >= least:
        return int(text)
    raise Refused(
        HTTPStatus.BAD_REQUEST,
        ParameterOutOfRange.code,
        f"The quantity must be a whole number from {least} to {MAX_QUANTITY}.",
        field="quantity",
    )


def _locale(site: Site, code: str) -> str:
    if code not in site.settings.locales:
        raise Refused(
            HTTPStatus.NOT_FOUND, "unknown_locale", f"This site has no cart for {code[:20]!r}.", field="locale"
        )
    return code


def _form_sender(site: Site) -> Who:
    request.max_content_length = _MAX_FORM
    who = identify(site, changing=True)
    if not (who.known and site.tickets.form_token_valid(request.form.get("token", ""), who.sid)):
        raise Refused(
            HTTPStatus.FORBIDDEN,
            "form_expired",
            "This form is too old or not yours. Go back, reload the page, try again.",
        )
    return who


ROUTES = (
    ("/add", "GET", confirm_page),
    ("/add", "POST", add_form),
    ("/cart", "GET", cart_page),
    ("/cart", "POST", cart_form),
    ("/go/<ticket>", "GET", go),
    (DEMO_PATH + PURCHASE_PATH, "GET", demo_retail_page),
)
"""Rule, method and view of every page."""
