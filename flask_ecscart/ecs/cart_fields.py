"""The fields of a ``<Cart>`` element, of every Version from 2005 to 2013, as a `Cart`."""

from __future__ import annotations

import re

from flask_ecscart.ecs.purchase_url import RetailBase, checked_mobile_url, checked_purchase_url
from flask_ecscart.ecs.reader import ASIN, WHOLE, Reader, read_money
from flask_ecscart.model import Cart, CartFault, CartItem, CartRef, RelatedItem

__all__ = ["read_cart"]

_CART_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_HMAC = re.compile(r"[A-Za-z0-9+/=_-]{1,128}")
_CART_ITEM_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def read_cart(
    cart: Reader,
    locale: str,
    associate_tag: str,
    retail_base: RetailBase,
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
        subtotal=read_money(cart, "SubTotal", locale),
        items_subtotal=read_money(cart, "CartItems/SubTotal", locale),
        saved_subtotal=read_money(cart, "SavedForLaterItems/SubTotal", locale),
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
    return tuple(_item(item, locale) for item in cart.readers(path))


def _item(item: Reader, locale: str) -> CartItem:
    return CartItem(
        cart_item_id=item.matching("CartItemId", _CART_ITEM_ID),
        asin=item.matching("ASIN", ASIN),
        quantity=int(item.matching("Quantity", WHOLE)),
        title=item.text("Title"),
        product_group=item.text("ProductGroup"),
        seller_nickname=item.text("SellerNickname"),
        merchant_id=_seller(item, "MerchantId"),
        seller_id=_seller(item, "SellerId"),
        exchange_id=item.text("ExchangeId"),
        price=read_money(item, "Price", locale),
        item_total=read_money(item, "ItemTotal", locale),
    )


def _seller(item: Reader, name: str) -> str | None:
    # From November 2011 on, old Versions say "Deprecated" where the id was (recorded).
    value = item.text(name)
    return None if value == "Deprecated" else value


def _related(cart: Reader, path: str) -> tuple[RelatedItem, ...]:
    named = ((entry.text("ASIN"), entry.text("Title")) for entry in cart.readers(path))
    return tuple(RelatedItem(asin, title) for asin, title in named if asin)
