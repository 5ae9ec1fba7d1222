"""The words of the cart as frozen structs. Money is in minor units, times are aware UTC datetimes."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

__all__ = [
    "MAX_ENTRIES",
    "MAX_QUANTITY",
    "Action",
    "Area",
    "Availability",
    "Cart",
    "CartFault",
    "CartItem",
    "CartRef",
    "Deal",
    "ItemChange",
    "ItemGroup",
    "Money",
    "NewItem",
    "Notice",
    "NoticeCode",
    "Offer",
    "OfferSource",
    "Product",
    "ProductKind",
    "ProductPage",
    "RelatedItem",
    "ResponseGroup",
]

MAX_ENTRIES = 50
"""Entries in one cart, both areas together (seed 002, 004)."""
MAX_QUANTITY = 999
"""Pieces of one entry (seed 003, 004)."""

Area = Literal["active", "saved"]
Action = Literal["MoveToCart", "SaveForLater"]
Availability = Literal["in_stock", "out_of_stock", "preorder", "discontinued"]
ProductKind = Literal["product", "variation_parent", "collection_parent", "digital", "inaccessible"]
OfferSource = Literal["owner", "creators", "ecs"]
Deal = Literal["prime_exclusive", "prime_early_access"]
ResponseGroup = Literal["Cart", "Request", "CartSimilarities", "CartTopSellers", "CartNewReleases"]
ItemGroup = Literal[
    "Request",
    "Small",
    "ItemAttributes",
    "OfferSummary",
    "Offers",
    "OfferFull",
    "OfferListings",
    "Images",
    "Variations",
]
NoticeCode = Literal[
    "quantity_capped", "saved_for_later", "moved_to_cart", "refused", "price_changed", "cart_renewed", "busy"
]


class Money(msgspec.Struct, frozen=True):
    """An amount in minor units (cents; yen have none), its ISO 4217 currency and the text to print."""

    amount: int
    currency: str
    formatted: str


class Offer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One seller's offer of a product: what an OfferListingId names."""

    offer_listing_id: str | None
    price: int | None = None
    """Minor units of the locale's currency; None when no price is known."""
    availability: Availability = "in_stock"
    limit: int | None = None
    """Most pieces one cart may hold; None: no limit below 999."""
    seller: str | None = None
    """SellerNickname; None means the locale's Amazon itself."""
    merchant_id: str | None = None
    seller_id: str | None = None
    condition: str | None = None
    """Condition in the words of the service (New, Used…); None when it was not said."""
    source: OfferSource = "owner"
    """Who said so: a price may be shown only where it was Amazon's API or the remote service."""
    as_of: datetime | None = None
    """When they said so; None for the owner's word, which has no time."""
    deal: Deal | None = None
    """Who the price is for, where it is not for everybody."""
    price_hidden: bool = False
    """There is a price that may not be shown (violatesMAP): the shopper sees it at the retailer."""

    @property
    def available(self) -> bool:
        """Whether it can stand in the active area now."""
        return self.availability == "in_stock"


class Product(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is for sale under an ASIN in one locale. `offers[0]` is the one an ASIN alone buys."""

    locale: str
    asin: str
    title: str
    url: str | None = None
    """Detail page; None: the locale's `/dp/<ASIN>`."""
    image: str | None = None
    product_group: str | None = None
    kind: ProductKind = "product"
    parent_asin: str | None = None
    released: str | None = None
    """Release date, ISO 8601 (YYYY-MM-DD)."""
    offers: tuple[Offer, ...] = ()
    variations: tuple[Product, ...] = ()
    """Of a variation parent, the products that can be bought, where they were asked for."""
    choice: str | None = None
    """Of a variation, what sets it apart from the others: "Green, 40 cm"."""


class CartRef(msgspec.Struct, frozen=True, kw_only=True):
    """Where a remote cart is: locale, CartId, raw HMAC and the Associate tag it was created with."""

    locale: str
    cart_id: str
    hmac: str
    associate_tag: str

    def __repr__(self) -> str:
        """Without the HMAC: it is a bearer secret and reprs end up in logs."""
        return f"CartRef(locale={self.locale!r}, cart_id='…{self.cart_id[-4:]}')"


class NewItem(msgspec.Struct, frozen=True, kw_only=True):
    """A line for CartCreate or CartAdd: ASIN xor OfferListingId, quantity 1–999."""

    quantity: int
    asin: str | None = None
    offer_listing_id: str | None = None


class ItemChange(msgspec.Struct, frozen=True, kw_only=True):
    """A line for CartModify: a new total quantity (0 deletes), or a move to the other area, or both (seed era)."""

    cart_item_id: str
    quantity: int | None = None
    action: Action | None = None


class CartItem(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a cart as the service shows it."""

    cart_item_id: str
    asin: str
    quantity: int
    title: str | None = None
    product_group: str | None = None
    seller_nickname: str | None = None
    merchant_id: str | None = None
    seller_id: str | None = None
    exchange_id: str | None = None
    price: Money | None = None
    item_total: Money | None = None


class CartFault(msgspec.Struct, frozen=True):
    """An error the service reported beside a cart (ItemAlreadyInCart, InvalidQuantity, a refused line)."""

    code: str
    message: str


class RelatedItem(msgspec.Struct, frozen=True):
    """An entry of SimilarProducts, TopSellers, NewReleases and their like."""

    asin: str
    title: str | None = None


class Cart(msgspec.Struct, frozen=True, kw_only=True):
    """A remote cart as one reply showed it.

    `items` is the active area, `saved` the saved-for-later area, both in the service's order.
    `faults` are errors that came beside the cart: part of the call was done all the same.
    After CartClear only `ref` is filled.
    """

    ref: CartRef
    purchase_url: str | None = None
    mobile_cart_url: str | None = None
    items: tuple[CartItem, ...] = ()
    saved: tuple[CartItem, ...] = ()
    subtotal: Money | None = None
    items_subtotal: Money | None = None
    saved_subtotal: Money | None = None
    faults: tuple[CartFault, ...] = ()
    similar_products: tuple[RelatedItem, ...] = ()
    similar_viewed_products: tuple[RelatedItem, ...] = ()
    other_categories_similar_products: tuple[RelatedItem, ...] = ()
    top_sellers: tuple[RelatedItem, ...] = ()
    new_releases: tuple[RelatedItem, ...] = ()
    request_id: str | None = None

    def __repr__(self) -> str:
        """Without PurchaseURL, which holds the HMAC."""
        return f"Cart({self.ref!r}, {len(self.items)} items, {len(self.saved)} saved)"


class ProductPage(msgspec.Struct, frozen=True, kw_only=True):
    """What ItemLookup or one page of ItemSearch found, in the service's order.

    `faults` are errors that came beside the products: an ASIN nobody knows, nothing found at all.
    """

    products: tuple[Product, ...] = ()
    total_results: int | None = None
    total_pages: int | None = None
    """Of a search, how much there is in all; None for a lookup."""
    faults: tuple[CartFault, ...] = ()
    request_id: str | None = None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something the shopper must be told. `id` grows within a shopper's cart, so that each is told once."""

    id: int
    code: NoticeCode
    asin: str | None = None
    requested: int | None = None
    actual: int | None = None
    message: str
    at: datetime
