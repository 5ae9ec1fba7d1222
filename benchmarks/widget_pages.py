"""The pages the widget is measured on: its own, and those of carts others offer, each answered by a stub."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

__all__ = ["ANCHORS", "PAGES", "SHOPIFY", "anchors", "shopify_answer"]

ANCHORS = ("@shopify/buy-button-js@3.0.6", "@commercelayer/drop-in.js@2.27.0", "minicart@3.0.6")
"""npm packages that are measured beside ours."""
SHOPIFY = "https://bench.myshopify.com/"
_ASIN = "B0TESTLAMP"


def anchors(folder: Path) -> Path | None:
    """`node_modules` with the anchors in it, installed into `folder` when they are not; None without npm."""
    modules = folder / "node_modules"
    if not (modules / "minicart").is_dir():
        npm = shutil.which("npm")
        if npm is None:
            return None
        command = [npm, "install", "--prefix", str(folder), "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
        subprocess.run([*command, *ANCHORS], check=True, capture_output=True)
    return modules


def _page(body: str) -> str:
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>b</title>{body}'


def _ours(buttons: int) -> str:
    one = f'<ecs-add-to-cart asin="{_ASIN}"><a href="/ecscart/add?asin={_ASIN}">Add</a></ecs-add-to-cart>'
    cart = '<ecs-cart><a href="/ecscart/cart">Cart</a></ecs-cart>'
    return _page('<script type="module" src="/ecscart/ecscart.js"></script>' + cart + one * buttons)


_BUY_BUTTON = """<div id=p></div><script src="/anchors/@shopify/buy-button-js/dist/buybutton.min.js"></script><script>
const client = ShopifyBuy.buildClient({domain: "bench.myshopify.com", storefrontAccessToken: "t"});
ShopifyBuy.UI.init(client).createComponent("product", {id: "1", node: document.getElementById("p")});
</script>"""
_MINICART = """<form method=post action="https://pay.example/"><input type=hidden name=cmd value=_cart>
<input type=hidden name=add value=1><input type=hidden name=business value=x><input type=hidden name=item_name value=L>
<input type=hidden name=amount value=1><input type=submit value=Add id=add></form>
<script src="/anchors/minicart/dist/minicart.min.js"></script><script>paypal.minicart.render()</script>"""
_DROP_IN = """<script>window.commercelayerConfig = {clientId: "c", slug: "demo", scope: "market:1", domain: "x.example"}
</script><link rel=stylesheet href="/anchors/@commercelayer/drop-in.js/dist/drop-in/drop-in.css">
<script type=module src="/anchors/@commercelayer/drop-in.js/dist/drop-in/drop-in.esm.js"></script>
<cl-add-to-cart code="a">Add</cl-add-to-cart><cl-cart-count></cl-cart-count><cl-cart></cl-cart>"""

PAGES: dict[str, tuple[str, str]] = {
    "blank page": (_page("<p>nothing"), "document.readyState == 'complete'"),
    "ours: 1 button, cart": (_ours(1), "document.querySelector('ecs-cart a[role=button], ecs-cart button')"),
    "ours: 50 buttons, cart": (_ours(50), "document.querySelector('ecs-cart a[role=button], ecs-cart button')"),
    "Buy Button: product, cart": (
        _page(_BUY_BUTTON),
        "document.querySelector('iframe')?.contentDocument?.querySelector('button')",
    ),
    "minicart: 1 form": (_page(_MINICART), "globalThis.paypal && paypal.minicart"),
    "Commerce Layer: button, cart": (_page(_DROP_IN), "document.querySelector('cl-cart-count')?.shadowRoot"),
}
"""Name → the page, and a script that is true once its buttons can be clicked."""


def shopify_answer() -> str:
    """What a shop answers Buy Button: one product with one variant."""
    money = {"amount": "64.0", "currencyCode": "USD"}
    variant: dict[str, Any] = {
        "id": "gid://shopify/ProductVariant/1",
        "title": "Default",
        "price": money,
        "priceV2": money,
        "weight": 1,
        "available": True,
        "sku": "",
        "compareAtPrice": None,
        "compareAtPriceV2": None,
        "image": None,
        "selectedOptions": [{"name": "Title", "value": "Default"}],
        "unitPrice": None,
        "unitPriceMeasurement": None,
    }
    end = {"hasNextPage": False, "hasPreviousPage": False}
    product = {
        "__typename": "Product",
        "id": "gid://shopify/Product/1",
        "availableForSale": True,
        "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-01-01T00:00:00Z",
        "descriptionHtml": "",
        "description": "",
        "handle": "lamp",
        "productType": "",
        "title": "Lamp",
        "vendor": "",
        "publishedAt": "2026-01-01T00:00:00Z",
        "onlineStoreUrl": None,
        "options": [{"id": "gid://shopify/ProductOption/1", "name": "Title", "values": ["Default"]}],
        "images": {"pageInfo": end, "edges": []},
        "variants": {"pageInfo": end, "edges": [{"cursor": "a", "node": variant}]},
    }
    return json.dumps({"data": {"node": product}})
