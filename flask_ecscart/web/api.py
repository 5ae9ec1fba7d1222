"""The JSON endpoints, version 1."""

from __future__ import annotations

import math
import re
from http import HTTPStatus
from typing import TypeVar

import msgspec
from flask import Response, request

from flask_ecscart.carts import CartView
from flask_ecscart.errors import (
    ExceededMaximumCartItems,
    InvalidParameterCombination,
    ItemNotAccessible,
    ItemNotEligibleForCart,
    MinimumParameterRequirement,
    ParameterOutOfRange,
)
from flask_ecscart.model import MAX_QUANTITY, NewItem
from flask_ecscart.web.language import reader_language
from flask_ecscart.web.origins import Who, check_origin, identify, refuse_too_many, set_cookie
from flask_ecscart.web.present import present, present_product
from flask_ecscart.web.problems import Refused, refused_shape
from flask_ecscart.web.refusals import refused_items
from flask_ecscart.web.schemas import (
    AddItem,
    AddItems,
    CartsOut,
    ChangeItem,
    ChangeItems,
    HandoffIn,
    ProductsOut,
    ShopperOut,
)
from flask_ecscart.web.site import Site, current_site
from flask_ecscart.wishes import LineChange

__all__ = [
    "ROUTES",
    "add_items",
    "all_carts",
    "change_items",
    "clear_items",
    "handoff",
    "one_cart",
    "products",
    "shopper",
]

_MAX_BODY = 64 * 1024
_MAX_PRODUCTS = 50
_Body = TypeVar("_Body")


def all_carts() -> Response:
    """Every cart of the shopper."""
    site = current_site()
    who = identify(site, changing=False)
    views = site.carts.read_all(who.shopper) if who.known else []
    carts = {view.locale: present(site, view, who.shopper, language=reader_language()) for view in views}
    return _wait_named(_json(CartsOut(carts=carts)), *views)


def one_cart(locale: str) -> Response:
    """The shopper's cart of one locale; an empty one when there is none."""
    site, locale = _site_and_locale(locale)
    who = identify(site, changing=False)
    view = site.carts.read(who.shopper, locale)
    return _wait_named(_json(present(site, view, who.shopper, language=reader_language())), view)


def add_items(locale: str) -> Response:
    """Put items in; what is there already gets more."""
    site, locale, who = _changing(locale)
    items = [_new_item(index, item) for index, item in enumerate(_body(AddItems).items)]
    try:
        view = site.carts.add(who.shopper, locale, items, _key(), page=who.page)
    except (ExceededMaximumCartItems, ItemNotAccessible, ItemNotEligibleForCart) as error:
        raise refused_items(site, locale, reader_language(), items, error) from error
    return _answer(site, who, view)


def change_items(locale: str) -> Response:
    """Set quantities and areas of lines."""
    site, locale, who = _changing(locale)
    changes = [_change(index, item) for index, item in enumerate(_body(ChangeItems).items)]
    return _answer(site, who, site.carts.change(who.shopper, locale, changes, _key(), page=who.page))


def clear_items(locale: str) -> Response:
    """Empty both areas."""
    site, locale, who = _changing(locale)
    return _answer(site, who, site.carts.clear(who.shopper, locale, _key(), page=who.page))


def handoff(locale: str) -> Response:
    """The shopper left, or says whether the items arrived."""
    site, locale, who = _changing(locale)
    return _answer(site, who, site.carts.answer(who.shopper, locale, _body(HandoffIn).outcome, page=who.page))


def products(locale: str) -> Response:
    """What the catalog knows of some ASINs."""
    site, locale = _site_and_locale(locale)
    check_origin(site, changing=False)
    lists = request.args.getlist("asin")
    asins = [asin for asin in ",".join(lists).split(",") if asin]
    if len(lists) != 1 or not 1 <= len(asins) <= _MAX_PRODUCTS:
        raise Refused(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "AWS.InvalidParameterValue",
            f"Name 1 to {_MAX_PRODUCTS} ASINs: ?asin=A,B.",
            field="asin",
        )
    asins = [asin for asin in asins if re.fullmatch(r"[A-Z0-9]{10}", asin)]  # no catalog is asked for others
    found = site.catalog.lookup(locale, asins)
    language = reader_language()
    shown = {asin: present_product(site, product, language=language) for asin, product in found.items()}
    return _json(ProductsOut(products=shown))


def shopper() -> Response:
    """A token for a page of another origin; a cookie for the site itself. Nothing is stored yet."""
    site = current_site()
    origin = check_origin(site, changing=True)
    if origin is not None:
        return _json(ShopperOut(token=site.sessions.token(site.sessions.new_sid(), origin=origin)))
    response = _json(ShopperOut(token=None))
    set_cookie(site, identify(site, changing=True), response)
    return response


# --- reading a request -----------------------------------------------------------------------------------


def _site_and_locale(locale: str) -> tuple[Site, str]:
    site = current_site()
    if locale not in site.settings.locales:
        raise Refused(
            HTTPStatus.NOT_FOUND,
            "unknown_locale",
            f"This site has no cart for {locale[:20]!r}. It has: {', '.join(site.settings.locales)}.",
            field="locale",
        )
    return site, locale


def _changing(locale: str) -> tuple[Site, str, Who]:
    site, locale = _site_and_locale(locale)
    who = identify(site, changing=True)
    refuse_too_many(site, who, locale)
    return site, locale, who


def _body(shape: type[_Body]) -> _Body:
    if request.mimetype != "application/json":
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not_json", "Send the body as JSON with Content-Type: application/json."
        )
    request.max_content_length = _MAX_BODY
    try:
        return msgspec.json.decode(request.get_data(cache=False), type=shape)
    except msgspec.ValidationError as error:
        raise refused_shape(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(HTTPStatus.BAD_REQUEST, "malformed_json", f"The body is not JSON: {error}.") from None


def _key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (1 <= len(key) <= 200 and key.isascii() and key.isprintable()):  # noqa: PLR2004
        raise Refused(
            HTTPStatus.BAD_REQUEST, "idempotency_key_invalid", "An Idempotency-Key is 1 to 200 printable characters."
        )
    return key


def _new_item(index: int, item: AddItem) -> NewItem:
    _require_one(index, asin=item.asin, offerListingId=item.offer_listing_id)
    _require_range(index, item.quantity, least=1)
    return NewItem(asin=item.asin, offer_listing_id=item.offer_listing_id, quantity=item.quantity)


def _change(index: int, item: ChangeItem) -> LineChange:
    _require_one(index, cartItemId=item.cart_item_id, asin=item.asin, offerListingId=item.offer_listing_id)
    if item.quantity is None and item.area is None:
        raise Refused(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            MinimumParameterRequirement.code,
            "Your request should have at least 1 of the following parameters: quantity, area.",
            field=f"items[{index}]",
        )
    if item.quantity is not None:
        _require_range(index, item.quantity, least=0)
    return LineChange(
        cart_item_id=item.cart_item_id,
        asin=item.asin,
        offer_listing_id=item.offer_listing_id,
        quantity=item.quantity,
        area=item.area,
    )


def _require_one(index: int, **names: str | None) -> None:
    given = [name for name, value in names.items() if value is not None]
    if len(given) == 1:
        return
    either = " or ".join(names)
    if not given:
        code, detail = MinimumParameterRequirement.code, f"Name the item by {either}."
    else:
        code = InvalidParameterCombination.code
        detail = f"Your request contains an invalid parameter combination. Send {either}, one of them."
    raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, code, detail, field=f"items[{index}].{next(iter(names))}")


def _require_range(index: int, quantity: int, *, least: int) -> None:
    if not least <= quantity <= MAX_QUANTITY:
        raise Refused(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            ParameterOutOfRange.code,
            f"The value you specified for quantity is invalid. Valid are {least} to {MAX_QUANTITY}.",
            field=f"items[{index}].quantity",
        )


# --- answering -------------------------------------------------------------------------------------------


def _answer(site: Site, who: Who, view: CartView) -> Response:
    response = _json(present(site, view, who.shopper, language=reader_language()))
    set_cookie(site, who, response)
    return _wait_named(response, view)


def _wait_named(response: Response, *views: CartView) -> Response:
    """Say when to ask again about the carts that are behind."""
    waits = [view.retry_after or 1.0 for view in views if view.pending]
    if waits:
        response.headers["Retry-After"] = str(math.ceil(min(waits)))
    return response


def _json(body: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(body), mimetype="application/json")


ROUTES = (
    ("/v1/carts", "GET", all_carts),
    ("/v1/carts/<locale>", "GET", one_cart),
    ("/v1/carts/<locale>/items", "POST", add_items),
    ("/v1/carts/<locale>/items", "PATCH", change_items),
    ("/v1/carts/<locale>/items", "DELETE", clear_items),
    ("/v1/carts/<locale>/handoff", "POST", handoff),
    ("/v1/products/<locale>", "GET", products),
    ("/v1/shopper", "POST", shopper),
)
"""Rule, method and view of every JSON endpoint."""
