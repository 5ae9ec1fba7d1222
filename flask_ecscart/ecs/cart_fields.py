"""The fields of a ``<Cart>`` element, of every Version from 2005 to 2013, as a `Cart`."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from flask_ecscart.ecs.purchase_url import checked_mobile_url, checked_purchase_url
from flask_ecscart.errors import MalformedReply
from flask_ecscart.locales import LOCALES
from flask_ecscart.model import Cart, CartFault, CartItem, CartRef, Money, RelatedItem

__all__ = ["Reader", "read_cart"]

_CART_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_HMAC = re.compile(r"[A-Za-z0-9+/=_-]{1,128}")
_CART_ITEM_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ASIN = re.compile(r"[A-Za-z0-9]{1,32}")
_WHOLE = re.compile(r"-?[0-9]{1,15}")


class Reader:
    """An element whose children are looked up in one namespace; what stands in another is not seen."""

    def __init__(self, element: Element, namespace: str) -> None:
        self._element = element
        self.namespace = namespace

    def all(self, path: str) -> list[Element]:
        """Every element at `path` (names joined by ``/``)."""
        return self._element.findall(self._qualified(path))

    def one(self, path: str) -> Reader | None:
        """The first element at `path`."""
        found = self._element.find(self._qualified(path))
        return None if found is None else Reader(found, self.namespace)

    def text(self, path: str) -> str | None:
        """The text at `path` without surrounding space; None where it is missing or empty."""
        found = self._element.find(self._qualified(path))
        return None if found is None or found.text is None else found.text.strip() or None

    def matching(self, path: str, pattern: re.Pattern[str]) -> str:
        """The text at `path`, of the form of `pattern`; `MalformedReply` without it."""
        value = self.text(path)
        if value is None or not pattern.fullmatch(value):
            raise MalformedReply(f"The cart in the reply has no usable {path}. Check the endpoint.")
        return value

    def _qualified(self, path: str) -> str:
        if not self.namespace:
            return path
        return "/".join(f"{{{self.namespace}}}{name}" for name in path.split("/"))


def read_cart(
    cart: Reader,
    locale: str,
    associate_tag: str,
    retail_base: str | None,
    faults: tuple[CartFault, ...],
    request_id: str | None,
) -> Cart:
    """The cart in `cart`; `MalformedReply` where a field that makes a cart is missing or misshapen."""
    purchase_url = cart.text("PurchaseURL")
    mobile_url = cart.text("MobileCartURL")
    return Cart(
        ref=CartRef(
            locale=locale,
            cart_id=cart.matching("CartId", _CART_ID),
            hmac=cart.matching("HMAC", _HMAC),
            associate_tag=associate_tag,
        ),
        purchase_url=purchase_url and checked_purchase_url(purchase_url, locale=locale, retail_base=retail_base),
        mobile_cart_url=mobile_url and checked_mobile_url(mobile_url, locale=locale, retail_base=retail_base),
        items=_items(cart, "CartItems/CartItem", locale),
        saved=_items(cart, "SavedForLaterItems/SavedForLaterItem", locale),
        subtotal=_money(cart, "SubTotal", locale),
        items_subtotal=_money(cart, "CartItems/SubTotal", locale),
        saved_subtotal=_money(cart, "SavedForLaterItems/SubTotal", locale),
        faults=faults,
        similar_products=_related(cart, "SimilarProducts/SimilarProduct"),
        similar_viewed_products=_related(cart, "SimilarViewedProducts/SimilarViewedProduct"),
        other_categories_similar_products=_related(
            cart, "OtherCategoriesSimilarProducts/OtherCategoriesSimilarProduct"
        ),
        top_sellers=_related(cart, "TopSellers/TopSeller"),
        new_releases=_related(cart, "NewReleases/NewRelease"),
        request_id=request_id,
    )


def _items(cart: Reader, path: str, locale: str) -> tuple[CartItem, ...]:
    return tuple(_item(Reader(element, cart.namespace), locale) for element in cart.all(path))


def _item(item: Reader, locale: str) -> CartItem:
    return CartItem(
        cart_item_id=item.matching("CartItemId", _CART_ITEM_ID),
        asin=item.matching("ASIN", _ASIN),
        quantity=int(item.matching("Quantity", _WHOLE)),
        title=item.text("Title"),
        product_group=item.text("ProductGroup"),
        seller_nickname=item.text("SellerNickname"),
        merchant_id=_seller(item, "MerchantId"),
        seller_id=_seller(item, "SellerId"),
        exchange_id=item.text("ExchangeId"),
        price=_money(item, "Price", locale),
        item_total=_money(item, "ItemTotal", locale),
    )


def _seller(item: Reader, name: str) -> str | None:
    # From November 2011 on, old Versions say "Deprecated" where the id was (recorded).
    value = item.text(name)
    return None if value == "Deprecated" else value


def _money(reader: Reader, path: str, locale: str) -> Money | None:
    price = reader.one(path)
    if price is None or price.text("Amount") is None:
        # A price may be a text alone ("Too low to display"): no amount is no price.
        return None
    amount = int(price.matching("Amount", _WHOLE))
    written = LOCALES[locale].money(amount)
    return Money(
        amount, price.text("CurrencyCode") or written.currency, price.text("FormattedPrice") or written.formatted
    )


def _related(cart: Reader, path: str) -> tuple[RelatedItem, ...]:
    entries = (Reader(element, cart.namespace) for element in cart.all(path))
    named = ((entry.text("ASIN"), entry.text("Title")) for entry in entries)
    return tuple(RelatedItem(asin, title) for asin, title in named if asin)
