"""A Flask site with a cart and a small catalog, for tests of everything between the browser and the cart service."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from flask_ecscart.catalog.memory import MemoryCatalog
from flask_ecscart.clock import Clock, utc_now
from flask_ecscart.extension import ECSCart
from flask_ecscart.model import Offer, Product
from flask_ecscart.web.site import Site

__all__ = [
    "BLOG",
    "CHILD",
    "DIGITAL",
    "GERMAN",
    "INACCESSIBLE",
    "LAMP",
    "LIMITED",
    "MUG",
    "OFFER_ID",
    "PARENT",
    "SOLD_OUT",
    "Shop",
    "create_app",
    "products",
]

LAMP = "B0TESTLAMP"
MUG = "B0TESTMUGS"
LIMITED = "B0TESTLIMT"
SOLD_OUT = "B0TESTGONE"
PARENT = "B0TESTPARE"
CHILD = "B0TESTCHIL"
DIGITAL = "B0TESTDIGI"
INACCESSIBLE = "B0TESTINAC"
GERMAN = "B0TESTLADE"
OFFER_ID = "mSe2vcJ%2BXvPOkkHz%2FtestTEST8Q%3D%3D"
BLOG = "https://blog.example.org"


def products() -> list[Product]:
    """What the shop sells: a lamp, a mug (from a third party too), and one of each difficult kind."""

    def product(asin: str, *offers: Offer, locale: str = "US", **more: Any) -> Product:
        return Product(locale=locale, asin=asin, title=f"Test {asin[-4:].title()}", offers=offers, **more)

    third_party = Offer(offer_listing_id=OFFER_ID, price=1250, seller="Mug House", seller_id="A1MUGHOUSE")
    return [
        product(LAMP, Offer(offer_listing_id=None, price=6400), product_group="Lighting"),
        product(MUG, Offer(offer_listing_id=None, price=1400), third_party),
        product(LIMITED, Offer(offer_listing_id=None, price=999, limit=3)),
        product(SOLD_OUT, Offer(offer_listing_id=None, price=500, availability="out_of_stock")),
        product(PARENT, kind="variation_parent"),
        product(CHILD, Offer(offer_listing_id=None, price=700), parent_asin=PARENT),
        product(DIGITAL, Offer(offer_listing_id=None, price=300), kind="digital"),
        product(INACCESSIBLE, Offer(offer_listing_id=None, price=300), kind="inaccessible"),
        product(GERMAN, Offer(offer_listing_id=None, price=5900), locale="DE"),
        *[product(f"B0TEST{n:04d}", Offer(offer_listing_id=None, price=100)) for n in range(60)],
    ]


class Shop:
    """A site and a shopper in front of it."""

    def __init__(self, folder: Path, *, clock: Clock = utc_now, **config: Any) -> None:
        self.catalog = MemoryCatalog(products())
        self.app = Flask("shop", instance_path=str(folder))
        self.app.config.update(
            SECRET_KEY="a-secret-for-tests-0123456789abcdef",
            ECSCART_LOCALES={
                "US": {"associate_tag": "lamp-20", "handoff": "demo"},
                "DE": {"associate_tag": "lampe-21", "handoff": "demo"},
            },
            ECSCART_CATALOG=self.catalog,
            ECSCART_ALLOWED_ORIGINS=[BLOG],
        )
        self.app.config.update(config)
        ECSCart(self.app, clock=clock)
        self.client = self.app.test_client()

    @property
    def site(self) -> Site:
        """The parts of the extension."""
        site = self.app.extensions["ecscart"]
        assert isinstance(site, Site)
        return site

    def new_shopper(self) -> FlaskClient:
        """A browser with no cookies."""
        return self.app.test_client()

    def stock(self, asin: str, **changes: Any) -> None:
        """Change the (first) offer of a US product: availability, price, limit."""
        import msgspec

        old = self.catalog.lookup("US", [asin])[asin]
        offer = msgspec.structs.replace(old.offers[0], **changes)
        self.catalog.put(msgspec.structs.replace(old, offers=(offer, *old.offers[1:])))

    # --- what a shopper does, through the JSON API -------------------------------------------------------

    def add(self, *asins: str, quantity: int = 1, locale: str = "US", key: str | None = None) -> TestResponse:
        """POST the items, each with the same quantity."""
        return self.send("POST", locale, [{"asin": asin, "quantity": quantity} for asin in asins], key)

    def change(self, asin: str, locale: str = "US", key: str | None = None, **change: Any) -> TestResponse:
        """PATCH one line by ASIN."""
        return self.send("PATCH", locale, [{"asin": asin, **change}], key)

    def send(self, method: str, locale: str, items: list[dict[str, Any]], key: str | None = None) -> TestResponse:
        """Send `items` to the cart of `locale`."""
        headers = {"Idempotency-Key": key} if key else {}
        return self.client.open(
            f"/ecscart/v1/carts/{locale}/items", method=method, json={"items": items}, headers=headers
        )

    def cart(self, locale: str = "US") -> dict[str, Any]:
        """The cart as the API shows it."""
        response = self.client.get(f"/ecscart/v1/carts/{locale}")
        assert response.status_code == 200, response.text
        return dict(response.json or {})

    def held(self, locale: str = "US") -> dict[str, int]:
        """ASIN → pieces in the active area."""
        return {item["asin"]: item["quantity"] for item in self.cart(locale)["items"]}

    def saved(self, locale: str = "US") -> dict[str, int]:
        """ASIN → pieces saved for later."""
        return {item["asin"]: item["quantity"] for item in self.cart(locale)["saved"]}


def create_app(environ: Mapping[str, str] | None = None) -> Flask:
    """The shop for worker processes; SHOP_FOLDER names where its database lives."""
    environ = os.environ if environ is None else environ
    return Shop(Path(environ["SHOP_FOLDER"])).app
