"""A client of other people's making against a server that really answers: signature, gzip, `Item.0`."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from urllib.error import HTTPError
from xml.etree.ElementTree import fromstring

import bottlenose.api
import pytest

from flask_ecscart.catalog.file import MemoryCatalog
from flask_ecscart.service.http import DATABASE, create_app
from tests.support.web import Site
from tests.unit.service.shop import BOOK, DVD, LAMP, TAG

ACCESS_KEY, SECRET_KEY = "AKIAEXAMPLE000000000", "a/secret+key="
NAMESPACE = "{http://webservices.amazon.com/AWSECommerceService/2013-08-01}"


class LoopbackAmazon(bottlenose.api.AmazonCall):  # type: ignore[misc]  # bottlenose has no types
    """Bottlenose as it is, save that it asks over http: all it knows of a server is a host name for https."""

    def __getattr__(self, operation: str) -> LoopbackAmazon:
        return LoopbackAmazon(
            self.AWSAccessKeyId, self.AWSSecretAccessKey, self.AssociateTag, Operation=operation, Region=self.Region
        )

    def api_url(self, **parameters: str) -> str:
        return str(super().api_url(**parameters)).replace("https://", "http://", 1)


Client = Callable[..., LoopbackAmazon]


@pytest.fixture
def amazon(
    serve: Callable[..., Site], tmp_database_url: str, catalog: MemoryCatalog, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    """`amazon(secret)`: the client, its table of hosts naming our server. Time is the machine's, as the client's is."""
    app = create_app(database_url=tmp_database_url, catalog=catalog, keys={ACCESS_KEY: SECRET_KEY})
    site = serve(app)
    monkeypatch.setitem(bottlenose.api.SERVICE_DOMAINS, "US", (f"127.0.0.1:{site.port}", ""))
    yield lambda secret=SECRET_KEY: LoopbackAmazon(ACCESS_KEY, secret, TAG, Region="US")
    app.extensions[DATABASE].close()


def contents(reply: bytes) -> dict[str, str]:
    """CartId, HMAC, IsValid, errors, and area/ASIN → quantity of a reply."""
    root = fromstring(reply)
    cart = root.find(f"{NAMESPACE}Cart")
    assert cart is not None
    found = {name: cart.findtext(f"{NAMESPACE}{name}", "") for name in ("CartId", "HMAC", "PurchaseURL")}
    found["IsValid"] = cart.findtext(f"{NAMESPACE}Request/{NAMESPACE}IsValid", "")
    found["Error"] = cart.findtext(f".//{NAMESPACE}Error/{NAMESPACE}Code", "")
    for area in ("CartItem", "SavedForLaterItem"):
        for item in cart.iter(f"{NAMESPACE}{area}"):
            asin = item.findtext(f"{NAMESPACE}ASIN", "")
            found[f"{area} {asin}"] = item.findtext(f"{NAMESPACE}Quantity", "")
            found[f"id {asin}"] = item.findtext(f"{NAMESPACE}CartItemId", "")
    return found


def items(found: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in found.items() if name.startswith(("CartItem ", "SavedForLaterItem "))}


def test_the_five_operations(amazon: Client) -> None:
    client = amazon()
    made = contents(
        client.CartCreate(**{"Item.0.ASIN": BOOK, "Item.0.Quantity": 2, "Item.1.ASIN": LAMP, "Item.1.Quantity": 9})
    )
    assert items(made) == {f"CartItem {BOOK}": "2", f"CartItem {LAMP}": "3"}
    cart = {"CartId": made["CartId"], "HMAC": made["HMAC"]}
    added = contents(client.CartAdd(**cart, **{"Item.0.ASIN": DVD, "Item.0.Quantity": 1}))
    assert list(items(added)) == [f"CartItem {DVD}", f"CartItem {BOOK}", f"CartItem {LAMP}"]
    changed = contents(
        client.CartModify(
            **cart,
            **{
                "Item.0.CartItemId": made[f"id {BOOK}"],
                "Item.0.Quantity": 0,
                "Item.1.CartItemId": made[f"id {LAMP}"],
                "Item.1.Action": "SaveForLater",
            },
        )
    )
    assert items(changed) == {f"CartItem {DVD}": "1", f"SavedForLaterItem {LAMP}": "3"}
    assert items(contents(client.CartGet(**cart))) == items(changed)
    cleared = contents(client.CartClear(**cart))
    assert (items(cleared), cleared["IsValid"], cleared["PurchaseURL"]) == ({}, "True", "")


def test_a_refused_item_comes_as_an_error_in_the_body(amazon: Client) -> None:
    refused = contents(amazon().CartCreate(**{"Item.0.ASIN": "B0KINDLE01", "Item.0.Quantity": 1}))
    assert (refused["IsValid"], refused["Error"]) == ("True", "AWS.ECommerceService.ItemNotEligibleForCart")


def test_a_wrong_secret_is_refused_with_403(amazon: Client) -> None:
    with pytest.raises(HTTPError, match="403") as caught:
        amazon("another secret").CartCreate(**{"Item.0.ASIN": BOOK, "Item.0.Quantity": 1})
    with caught.value as reply:
        assert b"<Code>SignatureDoesNotMatch</Code>" in gzip.decompress(reply.read())
