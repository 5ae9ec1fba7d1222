"""A SOAP client of other people's making, from our WSDL and from Amazon's, against a server that really answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import zeep
from lxml import etree
from zeep.exceptions import Fault

from flask_ecscart.catalog.file import MemoryCatalog
from flask_ecscart.service.access import soap_signature
from flask_ecscart.service.http import DATABASE, create_app
from flask_ecscart.service.soap_message import NAMESPACE
from tests.support.web import Site
from tests.unit.service.shop import BOOK, DVD, LAMP, TAG

ACCESS_KEY, SECRET_KEY = "AKIAEXAMPLE000000000", "a/secret+key="
SECURITY = "http://security.amazonaws.com/doc/2007-01-01/"
BINDING = f"{{{NAMESPACE}2013-08-01}}AWSECommerceServiceBinding"


@pytest.fixture
def site(serve: Callable[..., Site], tmp_database_url: str, catalog: MemoryCatalog) -> Iterator[Site]:
    """A cart service that wants signatures. Time is the machine's, as the client's is."""
    app = create_app(database_url=tmp_database_url, catalog=catalog, keys={ACCESS_KEY: SECRET_KEY})
    yield serve(app)
    app.extensions[DATABASE].close()


class Amazon:
    """zeep with the security headers, as programs of the time had it."""

    def __init__(self, client: zeep.Client, service: Any, secret: str = SECRET_KEY) -> None:
        self._client, self._service, self._secret = client, service, secret

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            timestamp = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            signed = soap_signature(operation, timestamp, self._secret)
            headers = []
            for name, text in (("AWSAccessKeyId", ACCESS_KEY), ("Timestamp", timestamp), ("Signature", signed)):
                headers.append(etree.Element(f"{{{SECURITY}}}{name}"))
                headers[-1].text = text
            return self._service[operation](
                AWSAccessKeyId=ACCESS_KEY, AssociateTag=TAG, Request=[request], _soapheaders=headers
            )

        return call


@pytest.fixture(params=["ours", "recorded"])
def amazon(request: pytest.FixtureRequest, site: Site) -> Callable[..., Amazon]:
    """`amazon(secret)`: a client made from the WSDL we serve, or from Amazon's own with the address changed."""
    address = f"{site.url}/onca/soap"
    if request.param == "ours":
        client = zeep.Client(f"{address}?wsdl")
        return lambda secret=SECRET_KEY: Amazon(client, client.service, secret)
    recorded: Path = request.getfixturevalue("recorded")
    client = zeep.Client(str(recorded / "wsdl" / "AWSECommerceService-2013-08-01.wsdl"))
    return lambda secret=SECRET_KEY: Amazon(client, client.create_service(BINDING, address), secret)


def contents(reply: Any) -> dict[str, int]:
    """Area and ASIN → quantity of the one cart in a reply."""
    (cart,) = reply["Cart"]
    found = {}
    for area, item in (("CartItems", "CartItem"), ("SavedForLaterItems", "SavedForLaterItem")):
        for line in cart[area][item] if cart[area] else ():
            found[f"{item} {line['ASIN']}"] = int(line["Quantity"])
    return found


def lines(**items: int) -> dict[str, Any]:
    return {"Item": [{"ASIN": asin, "Quantity": quantity} for asin, quantity in items.items()]}


def test_the_five_operations(amazon: Callable[..., Amazon]) -> None:
    client = amazon()
    made = client.CartCreate(Items=lines(**{BOOK: 2, LAMP: 9}), ResponseGroup=["Cart"])
    assert contents(made) == {f"CartItem {BOOK}": 2, f"CartItem {LAMP}": 3}
    (cart,) = made["Cart"]
    assert (cart["SubTotal"]["FormattedPrice"], cart["SubTotal"]["Amount"]) == ("$389.99", 38999)
    assert cart["PurchaseURL"].startswith("https://www.amazon.com/gp/cart/aws-merge.html?cart-id=")
    ids = {"CartId": cart["CartId"], "HMAC": cart["HMAC"]}
    added = client.CartAdd(**ids, Items=lines(**{DVD: 1}))
    assert list(contents(added)) == [f"CartItem {DVD}", f"CartItem {BOOK}", f"CartItem {LAMP}"]
    item_ids = {line["ASIN"]: line["CartItemId"] for line in added["Cart"][0]["CartItems"]["CartItem"]}
    changes = [
        {"CartItemId": item_ids[BOOK], "Quantity": 0},
        {"CartItemId": item_ids[LAMP], "Action": "SaveForLater"},
        {"CartItemId": item_ids[DVD], "Quantity": 4},
    ]
    changed = client.CartModify(**ids, Items={"Item": changes})
    assert contents(changed) == {f"CartItem {DVD}": 4, f"SavedForLaterItem {LAMP}": 3}
    assert contents(client.CartGet(**ids)) == contents(changed)
    cleared = client.CartClear(**ids)
    assert (contents(cleared), cleared["Cart"][0]["CartId"]) == ({}, cart["CartId"])


def test_a_refused_item_comes_as_an_error_in_the_cart(amazon: Callable[..., Amazon]) -> None:
    (cart,) = amazon().CartCreate(Items=lines(B0KINDLE01=1))["Cart"]
    (error,) = cart["Request"]["Errors"]["Error"]
    assert (cart["Request"]["IsValid"], cart["CartId"]) == ("True", None)
    assert error["Code"] == "AWS.ECommerceService.ItemNotEligibleForCart"


def test_a_wrong_secret_is_a_fault(amazon: Callable[..., Amazon]) -> None:
    with pytest.raises(Fault, match="request signature we calculated does not match") as caught:
        amazon("another secret").CartCreate(Items=lines(**{BOOK: 1}))
    assert caught.value.code == "soapenv:Client.SignatureDoesNotMatch"
    assert caught.value.detail.findtext(".//{*}Code") == "SignatureDoesNotMatch"


def test_every_locale_has_a_port_at_our_own_address(site: Site) -> None:
    client = zeep.Client(f"{site.url}/AWSECommerceService/2011-08-01/AWSECommerceService.wsdl")
    german = client.bind("AWSECommerceService", "AWSECommerceServicePortDE")
    reply = Amazon(client, german).CartCreate(Items=lines(**{BOOK: 1}))
    assert reply["Cart"][0]["SubTotal"]["CurrencyCode"] == "EUR"


def test_an_offer_that_was_looked_up_goes_into_a_cart(site: Site) -> None:
    client = zeep.Client(f"{site.url}/onca/soap?wsdl")
    amazon = Amazon(client, client.service)
    found = amazon.ItemLookup(ItemId=[BOOK, DVD], ResponseGroup=["ItemAttributes", "Offers"])
    book, dvd = found["Items"][0]["Item"]
    assert (book["ASIN"], dvd["ItemAttributes"]["Title"]) == (BOOK, f"Title of {DVD}")
    listing = book["Offers"]["Offer"][0]["OfferListing"]["OfferListingId"]
    made = amazon.CartCreate(Items={"Item": [{"OfferListingId": listing, "Quantity": 1}]})
    assert contents(made) == {f"CartItem {BOOK}": 1}
    searched = amazon.ItemSearch(SearchIndex="All", Keywords="Volume")
    assert [item["ASIN"] for item in searched["Items"][0]["Item"]] == [BOOK]
