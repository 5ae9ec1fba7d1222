"""The WSDL says where we are and what we answer: every reply fits the schema in it."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient
from lxml import etree

from flask_ecscart.catalog.file import MemoryCatalog
from flask_ecscart.locales import LOCALES
from flask_ecscart.service.soap_wsdl import wsdl
from tests.unit.service.asking import ONE, Reply, ask
from tests.unit.service.shop import BOOK, DVD, LAMP, USED_BOOK, product

XSD = "{http://www.w3.org/2001/XMLSchema}schema"
VERSIONS = ("2005-03-23", "2010-12-01", "2011-08-01", "2013-08-01")
GROUPS = "Request,Cart,CartSimilarities,CartTopSellers,CartNewReleases"


def schema_of(document: bytes) -> etree.XMLSchema:
    (schema,) = etree.fromstring(document).iter(XSD)
    return etree.XMLSchema(copy.deepcopy(schema))


def addresses(document: bytes) -> dict[str, str]:
    ports = etree.fromstring(document).iterfind(".//{*}port")
    return {port.get("name"): port.find("{*}address").get("location") for port in ports}


# --- Where it is ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("/onca/soap?wsdl", "2013-08-01"),
        ("/onca/soap?WSDL", "2013-08-01"),
        ("/AWSECommerceService/AWSECommerceService.wsdl", "2013-08-01"),
        ("/AWSECommerceService/2005-03-23/AWSECommerceService.wsdl", "2005-03-23"),
        ("/AWSECommerceService/2011-08-01/AWSECommerceService.wsdl", "2011-08-01"),
    ],
)
def test_the_wsdl_is_where_amazon_had_it_with_our_address_in_it(web: FlaskClient, path: str, version: str) -> None:
    response = web.get(path, base_url="https://carts.example:8443")
    root = etree.fromstring(response.data)
    assert (response.status_code, response.content_type) == (200, "text/xml;charset=UTF-8")
    assert root.get("targetNamespace") == f"http://webservices.amazon.com/AWSECommerceService/{version}"
    found = addresses(response.data)
    assert found.pop("AWSECommerceServicePort") == "https://carts.example:8443/onca/soap"
    assert found == {
        f"AWSECommerceServicePort{code}": f"https://carts.example:8443/{code}/onca/soap" for code in LOCALES
    }


def test_behind_a_prefix_and_in_a_locale_the_address_is_the_one_asked_at(web: FlaskClient) -> None:
    found = addresses(web.get("/DE/onca/soap?wsdl", base_url="http://shop.example/ecs").data)
    assert found["AWSECommerceServicePort"] == "http://shop.example/ecs/DE/onca/soap"
    assert found["AWSECommerceServicePortFR"] == "http://shop.example/ecs/FR/onca/soap"


@pytest.mark.parametrize("version", ["latest", "2013-13-01", "..", "%00", "2013-08-01x"])
def test_there_is_no_wsdl_of_what_is_no_version(web: FlaskClient, version: str) -> None:
    assert web.get(f"/AWSECommerceService/{version}/AWSECommerceService.wsdl").status_code == 404


def test_an_address_cannot_write_into_the_document() -> None:
    hostile = 'http://x"><evil/>&'
    assert addresses(wsdl("2013-08-01", {"": hostile})) == {"AWSECommerceServicePort": hostile}


def test_every_operation_has_its_soap_action(web: FlaskClient) -> None:
    root = etree.fromstring(web.get("/onca/soap?wsdl").data)
    actions = {
        one.getparent().get("name"): one.get("soapAction") for one in root.iterfind(".//{*}operation[@soapAction]")
    }
    assert actions == {
        name: f"http://soap.amazon.com/{name}"
        for name in ("CartAdd", "CartClear", "CartCreate", "CartGet", "CartModify", "ItemLookup", "ItemSearch")
    }


# --- What is answered ----------------------------------------------------------------------------------------


def journey(web: FlaskClient, version: str, locale: str) -> list[Reply]:
    """Replies of every kind: both areas, every group, all operations, items, and errors."""

    def call(operation: str, **parameters: Any) -> Reply:
        named = {name.replace("_", "."): value for name, value in parameters.items()} | {"Version": version}
        return Reply(ask(web, operation, path=f"/{locale}/onca/xml", parameters=named))

    more = {"Item.2.OfferListingId": USED_BOOK, "Item.2.Quantity": "1"} if locale == "US" else {}
    made = call("CartCreate", **ONE, **more, ResponseGroup=GROUPS, MergeCart="True")
    ids = made.ids()
    item_id = made.text("CartItemId")
    saved = call("CartModify", **ids, Item_1_CartItemId=item_id, Item_1_Action="SaveForLater", ResponseGroup=GROUPS)
    return [
        made,
        saved,
        call("CartAdd", **ids, **ONE),
        call("CartGet", **ids, ResponseGroup="CartSimilarities"),
        call("CartClear", **ids),
        call("CartCreate", Item_1_ASIN="B0KINDLE01", Item_1_Quantity="1"),
        call("CartGet", CartId="1", HMAC="2"),
        call("CartCreate"),
        call("ItemLookup", ItemId=f"{BOOK},{DVD},{LAMP},B0PARENT01", ResponseGroup="Large,OfferFull,Variations"),
        call("ItemLookup", ItemId="NOBODY0000"),
        call("ItemSearch", SearchIndex="All", Keywords="title", ResponseGroup="Medium,Offers"),
        call("ItemSearch"),
    ]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("locale", ["US", "JP"])
def test_every_reply_fits_the_schema(web: FlaskClient, catalog: MemoryCatalog, version: str, locale: str) -> None:
    pictured = msgspec.structs.replace(product(DVD, locale=locale), image="https://shop.example/dvd.jpg")
    catalog.put(pictured)
    schema = schema_of(web.get(f"/AWSECommerceService/{version}/AWSECommerceService.wsdl").data)
    replies = journey(web, version, locale)
    names = {name for reply in replies for name in (element.tag.rpartition("}")[2] for element in reply.root.iter())}
    assert {"CartItem", "SavedForLaterItem", "Error", "Offer", "LargeImage", "TotalPages", "MergeCart"} <= names
    for reply in replies:
        document = etree.fromstring(reply.body)
        assert schema.validate(document), f"{reply.name}: {schema.error_log.last_error}\n{reply.body.decode()}"


def test_a_reply_that_does_not_fit_is_found(web: FlaskClient) -> None:
    schema = schema_of(web.get("/onca/soap?wsdl").data)
    body = Reply(ask(web)).body
    assert schema.validate(etree.fromstring(body))
    assert not schema.validate(etree.fromstring(body.replace(b"CartItemId", b"CartItemNo")))
    assert not schema.validate(etree.fromstring(body.replace(b"2013-08-01", b"2011-08-01")))
