"""A small shop for the cart service's tests: products by the fact they stand for."""

from __future__ import annotations

from flask_ecscart.catalog.file import MemoryCatalog
from flask_ecscart.model import Availability, CartItem, Offer, Product, ProductKind

__all__ = [
    "BOOK",
    "DVD",
    "KEY",
    "LAMP",
    "NO_PRICE",
    "PAIR",
    "TAG",
    "USED_BOOK",
    "asin",
    "ids",
    "product",
    "quantities",
    "shop",
]

KEY = b"a key of the tests, 32 bytes long"
TAG = "shop-20"
BOOK, DVD, LAMP, NO_PRICE, PAIR = "0201896842", "B00001ZWUS", "B000LAMP01", "B0NOPRICE1", "B000PAIR03"
USED_BOOK = "u5ed%2BBook%2F0ffer%3D%3D"


def product(
    asin: str,
    price: int | None = 1000,
    *,
    locale: str = "US",
    limit: int | None = None,
    kind: ProductKind = "product",
    availability: Availability = "in_stock",
    **offer: str,
) -> Product:
    """A product with one offer (none for a parent)."""
    only = Offer(
        **{"offer_listing_id": f"offer%2Bof%2F{asin}%3D", **offer}, price=price, limit=limit, availability=availability
    )
    offers = () if kind.endswith("parent") else (only,)
    return Product(locale=locale, asin=asin, title=f"Title of {asin}", product_group="Book", kind=kind, offers=offers)


def shop() -> MemoryCatalog:
    """Fifty-five plain products and one of every special kind."""
    used = Offer(offer_listing_id=USED_BOOK, price=500, limit=1, seller="Harbor Books", seller_id="A2HARBOR")
    book = product(BOOK, 6001)
    return MemoryCatalog(
        [
            Product(locale="US", asin=BOOK, title="Volume 2", product_group="Book", offers=(*book.offers, used)),
            product(DVD, 1099),
            product(LAMP, 8999, limit=3),
            product(NO_PRICE, None),
            product(PAIR, 250, limit=2),
            product("B0GONE0001", availability="out_of_stock"),
            product("B0GONE0002", availability="preorder"),
            product("B0GONE0003", availability="discontinued"),
            product("B0PARENT01", kind="variation_parent"),
            product("B0PARENT02", kind="collection_parent"),
            product("B0KINDLE01", kind="digital"),
            product("B0OTHERS01", kind="inaccessible"),
            *(product(asin(number), 100 + number) for number in range(55)),
            *(product(BOOK, 4730, locale=locale) for locale in ("UK", "DE", "FR", "CA")),
            product(BOOK, 5546, locale="JP"),
        ]
    )


def asin(number: int) -> str:
    """The ASIN of one of the plain products, 0 to 54."""
    return f"B00PLAIN{number:02d}"


def quantities(items: tuple[CartItem, ...]) -> dict[str, int]:
    """ASIN → quantity of one area."""
    return {item.asin: item.quantity for item in items}


def ids(items: tuple[CartItem, ...]) -> dict[str, str]:
    """ASIN → CartItemId of one area."""
    return {item.asin: item.cart_item_id for item in items}
