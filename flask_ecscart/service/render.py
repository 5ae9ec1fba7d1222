"""Replies as XML: element for element what the recorded ones hold, in the namespace of the Version asked for."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement

from flask_ecscart.locales import LOCALES, Locale
from flask_ecscart.model import Cart, CartFault, CartItem, CartRef, Money, RelatedItem
from flask_ecscart.service.elements import Envelope, add_errors, add_money, add_text, document, response_root
from flask_ecscart.service.ids import exchange_id
from flask_ecscart.service.operations import Outcome
from flask_ecscart.service.purchase_url import Form, mobile_cart_url, purchase_url
from flask_ecscart.service.requests import Call

__all__ = ["Envelope", "render_error", "render_reply"]

_ERROR_NAMESPACE = "http://ecs.amazonaws.com/doc/{}/"
_LAST_WITH_SELLER_IDS = "2010-12-01"
_AMAZONS = frozenset([None, *(locale.seller_nickname for locale in LOCALES.values())])
"""Sellers whose offers have no ExchangeId: Amazon itself, and nobody."""
_FIRST_WITH_MOBILE_URL = "2010-12-01"
_FORM_D_SINCE = "2013-08-01"
_IDS_ALWAYS_SINCE = "2011-08-01"
"""From then on the schema demands CartId and HMAC in every cart. Before, a reply without the group Cart was
documented without them (2006: CartSimilarities alone)."""
_RELATED = (
    ("SimilarProducts", "SimilarProduct"),
    ("TopSellers", "TopSeller"),
    ("NewReleases", "NewRelease"),
    ("SimilarViewedProducts", "SimilarViewedProduct"),
)
"""In the order of the schema and the recordings."""
_NEW_FIELDS = ("ASIN", "OfferListingId", "Quantity", "AssociateTag", "ListItemId")
_CHANGE_FIELDS = ("Action", "CartItemId", "Quantity")
"""Of an Item that is echoed, in the order of the schema; what does not belong to the operation is not."""
_SMALL_ID_CODES = ("SignatureDoesNotMatch", "RequestExpired")
"""Error documents that were recorded with RequestId; all others say RequestID."""


def render_reply(call: Call, outcome: Outcome, envelope: Envelope) -> bytes:
    """The `<Operation>Response` document."""
    root = response_root(call.operation, call.version, envelope)
    cart = SubElement(root, "Cart")
    _request(cart, call, outcome)
    if outcome.cart is not None:
        _cart(cart, call, outcome.cart, envelope)
    return document(root, escaped_twice=call.escaped_twice)


def render_error(operation: str | None, version: str, fault: CartFault, request_id: str) -> bytes:
    """The top-level error document: access, throttling, and requests that cannot be read."""
    root = Element(f"{operation or ''}ErrorResponse", {"xmlns": _ERROR_NAMESPACE.format(version)})
    error = SubElement(root, "Error")
    add_text(error, "Code", fault.code)
    add_text(error, "Message", fault.message)
    add_text(root, "RequestId" if fault.code in _SMALL_ID_CODES else "RequestID", request_id)
    return document(root)


def _request(cart: Element, call: Call, outcome: Outcome) -> None:
    request = SubElement(cart, "Request")
    add_text(request, "IsValid", str(outcome.valid))
    echo = Element(f"{call.operation}Request")
    add_text(echo, "CartId", call.cart_id)
    add_text(echo, "HMAC", call.hmac)
    add_text(echo, "MergeCart", call.merge_cart)
    _echo_items(echo, call)
    for group in call.response_groups:
        add_text(echo, "ResponseGroup", group)
    if len(echo):
        request.append(echo)
    add_errors(request, outcome.faults)


def _echo_items(echo: Element, call: Call) -> None:
    # CartAdd with nothing at all was recorded with an empty Items, CartAdd with ids and no items without one.
    if not call.items and not (call.operation in {"CartAdd", "CartModify"} and not (call.cart_id or call.hmac)):
        return
    items = SubElement(echo, "Items")
    for sent in call.items:
        item = SubElement(items, "Item")
        for name in _CHANGE_FIELDS if call.operation == "CartModify" else _NEW_FIELDS:
            add_text(item, name, sent.fields.get(name))


def _cart(parent: Element, call: Call, cart: Cart, envelope: Envelope) -> None:
    if call.shows_cart or call.version >= _IDS_ALWAYS_SINCE:
        add_text(parent, "CartId", cart.ref.cart_id)
        add_text(parent, "HMAC", cart.ref.hmac)
        add_text(parent, "URLEncodedHMAC", quote(cart.ref.hmac, safe=""))
    if call.shows_cart:
        _contents(parent, call, cart, envelope)
    for (area, entry), related in zip(_RELATED, _related(cart), strict=True):
        _related_items(parent, area, entry, related)


def _contents(parent: Element, call: Call, cart: Cart, envelope: Envelope) -> None:
    if cart.purchase_url is not None:
        _urls(parent, call, cart.ref, envelope.retail_base)
    add_money(parent, "SubTotal", cart.subtotal)
    _area(parent, call, ("CartItems", "CartItem"), cart.items, cart.items_subtotal)
    _area(parent, call, ("SavedForLaterItems", "SavedForLaterItem"), cart.saved, cart.saved_subtotal)


def _related(cart: Cart) -> tuple[tuple[RelatedItem, ...], ...]:
    """In the order of `_RELATED`."""
    return (cart.similar_products, cart.top_sellers, cart.new_releases, cart.similar_viewed_products)


def _related_items(parent: Element, area: str, entry: str, items: tuple[RelatedItem, ...]) -> None:
    if not items:
        return
    element = SubElement(parent, area)
    for item in items:
        one = SubElement(element, entry)
        add_text(one, "ASIN", item.asin)
        add_text(one, "Title", item.title)


def _urls(parent: Element, call: Call, ref: CartRef, retail_base: Callable[[str], str] | None) -> None:
    """PurchaseURL, and MobileCartURL for Japan, in the form of the Version's time."""
    locale = LOCALES[ref.locale]
    form = _form(call.version, locale)
    base = retail_base(ref.locale) if retail_base else _retail_site(locale, form)
    merge = (call.merge_cart or "").lower() == "true"
    add_text(parent, "PurchaseURL", purchase_url(form, base, ref, access_key=call.access_key, merge_cart=merge))
    if locale.code == "JP" and call.version >= _FIRST_WITH_MOBILE_URL:
        if not retail_base and form == "A":
            base = base.replace("https:", "http:")  # as recorded until 2011
        url = mobile_cart_url(form, base, ref, access_key=call.access_key, merge_cart=merge)
        add_text(parent, "MobileCartURL", url)


def _form(version: str, locale: Locale) -> Form:
    """The form recorded for that Version: the latest one where several were."""
    if version < _FORM_D_SINCE:
        return "A"
    return "C" if locale.code == "JP" else "D"


def _retail_site(locale: Locale, form: Form) -> str:
    """Japan's later PurchaseURLs led to www.amazon.jp (recorded 2016)."""
    return f"https://{locale.retail_hosts[-1] if form == 'C' else locale.retail_host}"


def _area(
    parent: Element, call: Call, names: tuple[str, str], items: tuple[CartItem, ...], subtotal: Money | None
) -> None:
    if not items:
        return  # an empty area is never sent (recorded)
    area = SubElement(parent, names[0])
    add_money(area, "SubTotal", subtotal)
    for item in items:
        _item(SubElement(area, names[1]), item, with_seller_ids=call.version <= _LAST_WITH_SELLER_IDS)


def _item(parent: Element, item: CartItem, *, with_seller_ids: bool) -> None:
    add_text(parent, "CartItemId", item.cart_item_id)
    add_text(parent, "ASIN", item.asin)
    if with_seller_ids:
        if item.seller_nickname not in _AMAZONS:
            add_text(parent, "ExchangeId", exchange_id(item.cart_item_id[1:]))
        add_text(parent, "MerchantId", item.merchant_id)
        add_text(parent, "SellerId", item.seller_id)
    add_text(parent, "SellerNickname", item.seller_nickname)
    add_text(parent, "Quantity", str(item.quantity))
    add_text(parent, "Title", item.title)
    add_text(parent, "ProductGroup", item.product_group)
    add_money(parent, "Price", item.price)
    add_money(parent, "ItemTotal", item.item_total)
