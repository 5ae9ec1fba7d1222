"""Pages that work without JavaScript: confirm an addition, look at the carts and change them, leave.

Nothing changes on a GET (leaving apart, which a ticket allows once). Forms carry a token bound to the shopper's
cookie. A page of ours is never framed and loads nothing from elsewhere but product pictures.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import urlencode

from flask import Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from flask_ecscart.errors import ECSError, ParameterOutOfRange
from flask_ecscart.locales import LOCALES
from flask_ecscart.model import MAX_QUANTITY, NewItem
from flask_ecscart.service.purchase_url import PURCHASE_PATH, read_purchase_query
from flask_ecscart.web.origins import Who, identify, set_cookie
from flask_ecscart.web.present import present, present_product
from flask_ecscart.web.problems import Refused
from flask_ecscart.web.site import Site, current_site
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
_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' https: data:; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self' https:"
)


def confirm_page() -> Response:
    """What would be added, and a button that adds it."""
    site = current_site()
    item, locale = _asked_for(site)
    who = identify(site, changing=False)
    product = site.catalog.lookup(locale, [item.asin]).get(item.asin) if item.asin else None
    shown = present_product(site, product) if product is not None else None
    return _page(site, who, "confirm.html", item=item, locale=LOCALES[locale], product=shown)


def add_form() -> BaseResponse:
    """Add what the confirm page asked about."""
    site = current_site()
    item, locale = _asked_for(site)
    who = _form_sender(site)
    try:
        site.carts.add(who.shopper, locale, [item], request.form.get("key") or None)
    except ECSError as error:
        return _page(
            site,
            who,
            "confirm.html",
            HTTPStatus.UNPROCESSABLE_ENTITY,
            problem=error.message,
            item=item,
            locale=LOCALES[locale],
            product=None,
        )
    return _to_cart_page(site, who, locale)


def cart_page() -> Response:
    """Every cart of the shopper, with forms for everything that can be done to it."""
    site = current_site()
    who = identify(site, changing=False)
    views = site.carts.read_all(who.shopper) if who.known else []
    carts = [(LOCALES[view.locale], present(site, view, who.shopper)) for view in views]
    return _page(
        site, who, "cart.html", carts=carts, tags={c: s.associate_tag for c, s in site.settings.locales.items()}
    )


def cart_form() -> BaseResponse:
    """One button of the cart page."""
    site = current_site()
    who = _form_sender(site)
    locale = _locale(site, request.form.get("locale", ""))
    action, _, line = request.form.get("do", "").partition(":")
    if action == "clear":
        site.carts.clear(who.shopper, locale, None)
    elif action in {"arrived", "failed"}:
        site.carts.answer(who.shopper, locale, action)
    else:
        site.carts.change(who.shopper, locale, [_line_change(action, line)], None)
    return _to_cart_page(site, who, locale)


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
    return redirect(url or f"{site.settings.url_prefix}/cart", HTTPStatus.SEE_OTHER)


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
    body = render_template(
        "ecscart/retail.html",
        locale=locale,
        associate_tag=cart.ref.associate_tag if cart else None,
        items=cart.items if cart else (),
        saved=cart.saved if cart else (),
        subtotal=cart.subtotal if cart else None,
        problem=problem or None,
        csp_nonce=None,
    )
    response = Response(body, status=HTTPStatus.OK if cart else HTTPStatus.GONE)
    response.headers["Referrer-Policy"] = "no-referrer"  # its own address holds the HMAC
    return response


def _asked_for(site: Site) -> tuple[NewItem, str]:
    values = request.values
    locale = _locale(site, values.get("locale", site.settings.default_locale))
    asin, offer = values.get("asin") or None, values.get("offer_listing_id") or None
    if (asin is None) == (offer is None):
        raise Refused(
            HTTPStatus.BAD_REQUEST, "item_missing", "The link must name asin or offer_listing_id, one of the two."
        )
    quantity = _quantity(values.get("quantity", "1"), least=1)
    return NewItem(asin=asin, offer_listing_id=offer, quantity=quantity), locale


def _line_change(action: str, line: str) -> LineChange:
    if action == "remove":
        return LineChange(cart_item_id=line, quantity=0)
    if action in {"save", "move"}:
        return LineChange(cart_item_id=line, area="saved" if action == "save" else "active")
    if action != "set":
        raise Refused(HTTPStatus.BAD_REQUEST, "action_unknown", "Use the buttons of the cart page.", field="do")
    return LineChange(cart_item_id=line, quantity=_quantity(request.form.get(f"quantity:{line}", ""), least=0))


def _quantity(text: str, *, least: int) -> int:
    if re.fullmatch(r"[0-9]{1,3}", text) and int(text) >= least:
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


def _page(site: Site, who: Who, template: str, status: int = HTTPStatus.OK, **values: object) -> Response:
    body = render_template(
        f"ecscart/{template}",
        token=site.tickets.form_token(who.sid),
        prefix=site.settings.url_prefix,
        **values,
    )
    response = Response(body, status=status)
    set_cookie(site, who, response)
    response.headers["Content-Security-Policy"] = _CSP
    return response


def _to_cart_page(site: Site, who: Who, locale: str) -> BaseResponse:
    response = redirect(
        f"{site.settings.url_prefix}/cart?{urlencode({'locale': locale})}#{locale}", HTTPStatus.SEE_OTHER
    )
    set_cookie(site, who, response)  # type: ignore[arg-type]
    return response


ROUTES = (
    ("/add", "GET", confirm_page),
    ("/add", "POST", add_form),
    ("/cart", "GET", cart_page),
    ("/cart", "POST", cart_form),
    ("/go/<ticket>", "GET", go),
    (DEMO_PATH + PURCHASE_PATH, "GET", demo_retail_page),
)
"""Rule, method and view of every page."""
