"""Replies as XML: element for element what the recorded ones hold, in the namespace of the Version asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, tostring

import msgspec

from flask_ecscart.locales import LOCALES, Locale
from flask_ecscart.model import Cart, CartFault, CartItem, CartRef, Money
from flask_ecscart.service.operations import Outcome
from flask_ecscart.service.parameters import NOT_IN_XML
from flask_ecscart.service.purchase_url import Form, mobile_cart_url, purchase_url
from flask_ecscart.service.requests import Call

__all__ = ["Envelope", "render_error", "render_reply"]

_NAMESPACE = "http://webservices.amazon.com/AWSECommerceService/{}"
_ERROR_NAMESPACE = "http://ecs.amazonaws.com/doc/{}/"
_LAST_WITH_SELLER_IDS = "2010-12-01"
_FIRST_WITH_MOBILE_URL = "2010-12-01"
_FORM_D_SINCE = "2013-08-01"
_ITEM_FIELDS = ("Action", "CartItemId", "ASIN", "OfferListingId", "Quantity", "AssociateTag", "ListItemId")
"""Of each operation's Item, in the order of its schema."""
_SMALL_ID_CODES = ("SignatureDoesNotMatch", "RequestExpired")
"""Error documents that were recorded with RequestId; all others say RequestID."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What a reply says about its request. `seconds` is the processing time; `retail_base` is None for Amazon's own."""

    request_id: str
    arguments: Mapping[str, str]
    user_agent: str | None
    seconds: float
    retail_base: Callable[[str], str] | None = None


def render_reply(call: Call, outcome: Outcome, envelope: Envelope) -> bytes:
    """The `<Operation>Response` document."""
    root = Element(f"{call.operation}Response", {"xmlns": _NAMESPACE.format(call.version)})
    _operation_request(root, envelope)
    cart = SubElement(root, "Cart")
    _request(cart, call, outcome)
    if outcome.cart is not None and call.shows_cart:
        _cart(cart, call, outcome.cart, envelope)
    return _document(root)


def render_error(operation: str | None, version: str, fault: CartFault, request_id: str) -> bytes:
    """The top-level error document: access, throttling, and requests that cannot be read."""
    root = Element(f"{operation or ''}ErrorResponse", {"xmlns": _ERROR_NAMESPACE.format(version)})
    error = SubElement(root, "Error")
    _text(error, "Code", fault.code)
    _text(error, "Message", fault.message)
    _text(root, "RequestId" if fault.code in _SMALL_ID_CODES else "RequestID", request_id)
    return _document(root)


def _operation_request(root: Element, envelope: Envelope) -> None:
    about = SubElement(root, "OperationRequest")
    if envelope.user_agent:
        headers = SubElement(about, "HTTPHeaders")
        SubElement(headers, "Header", {"Name": "UserAgent", "Value": NOT_IN_XML.sub("", envelope.user_agent)})
    _text(about, "RequestId", envelope.request_id)
    arguments = SubElement(about, "Arguments")
    for name, value in sorted(envelope.arguments.items()):
        SubElement(arguments, "Argument", {"Name": name, **({"Value": value} if value else {})})
    _text(about, "RequestProcessingTime", f"{envelope.seconds:.6f}")


def _request(cart: Element, call: Call, outcome: Outcome) -> None:
    request = SubElement(cart, "Request")
    _text(request, "IsValid", str(outcome.valid))
    echo = Element(f"{call.operation}Request")
    _text(echo, "CartId", call.cart_id)
    _text(echo, "HMAC", call.hmac)
    _text(echo, "MergeCart", call.merge_cart)
    _echo_items(echo, call)
    for group in call.response_groups:
        _text(echo, "ResponseGroup", group)
    if len(echo):
        request.append(echo)
    _errors(request, outcome.faults)


def _echo_items(echo: Element, call: Call) -> None:
    # CartAdd with nothing at all was recorded with an empty Items, CartAdd with ids and no items without one.
    if not call.items and not (call.operation in {"CartAdd", "CartModify"} and not (call.cart_id or call.hmac)):
        return
    items = SubElement(echo, "Items")
    for sent in call.items:
        item = SubElement(items, "Item")
        for name in _ITEM_FIELDS:
            _text(item, name, sent.fields.get(name))


def _errors(request: Element, faults: Iterable[CartFault]) -> None:
    errors = Element("Errors")
    for fault in faults:
        error = SubElement(errors, "Error")
        _text(error, "Code", fault.code)
        _text(error, "Message", fault.message)
    if len(errors):
        request.append(errors)


def _cart(parent: Element, call: Call, cart: Cart, envelope: Envelope) -> None:
    _text(parent, "CartId", cart.ref.cart_id)
    _text(parent, "HMAC", cart.ref.hmac)
    _text(parent, "URLEncodedHMAC", quote(cart.ref.hmac, safe=""))
    if cart.purchase_url is not None:
        _urls(parent, call, cart.ref, envelope.retail_base)
    _money(parent, "SubTotal", cart.subtotal)
    _area(parent, call, ("CartItems", "CartItem"), cart.items, cart.items_subtotal)
    _area(parent, call, ("SavedForLaterItems", "SavedForLaterItem"), cart.saved, cart.saved_subtotal)


def _urls(parent: Element, call: Call, ref: CartRef, retail_base: Callable[[str], str] | None) -> None:
    """PurchaseURL, and MobileCartURL for Japan, in the form of the Version's time."""
    locale = LOCALES[ref.locale]
    form = _form(call.version, locale)
    base = retail_base(ref.locale) if retail_base else _retail_site(locale, form)
    merge = (call.merge_cart or "").lower() == "true"
    _text(parent, "PurchaseURL", purchase_url(form, base, ref, access_key=call.access_key, merge_cart=merge))
    if locale.code == "JP" and call.version >= _FIRST_WITH_MOBILE_URL:
        if not retail_base and form == "A":
            base = base.replace("https:", "http:")  # as recorded until 2011
        url = mobile_cart_url(form, base, ref, access_key=call.access_key, merge_cart=merge)
        _text(parent, "MobileCartURL", url)


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
    _money(area, "SubTotal", subtotal)
    for item in items:
        _item(SubElement(area, names[1]), item, with_seller_ids=call.version <= _LAST_WITH_SELLER_IDS)


def _item(parent: Element, item: CartItem, *, with_seller_ids: bool) -> None:
    _text(parent, "CartItemId", item.cart_item_id)
    _text(parent, "ASIN", item.asin)
    if with_seller_ids:
        _text(parent, "ExchangeId", item.exchange_id)
        _text(parent, "MerchantId", item.merchant_id)
        _text(parent, "SellerId", item.seller_id)
    _text(parent, "SellerNickname", item.seller_nickname)
    _text(parent, "Quantity", str(item.quantity))
    _text(parent, "Title", item.title)
    _text(parent, "ProductGroup", item.product_group)
    _money(parent, "Price", item.price)
    _money(parent, "ItemTotal", item.item_total)


def _money(parent: Element, name: str, money: Money | None) -> None:
    if money is None:
        return
    element = SubElement(parent, name)
    _text(element, "Amount", str(money.amount))
    _text(element, "CurrencyCode", money.currency)
    _text(element, "FormattedPrice", money.formatted)


def _text(parent: Element, name: str, text: str | None) -> None:
    if text is not None:
        SubElement(parent, name).text = NOT_IN_XML.sub("", text)


def _document(root: Element) -> bytes:
    body = tostring(root, encoding="unicode", short_empty_elements=False)
    return f'<?xml version="1.0" encoding="UTF-8"?>{body}'.encode()
