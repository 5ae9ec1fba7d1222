"""Every success reply fits the schema that the real service published, where that file is at hand.

The schema is of Version 2013-08-01; a reply of another Version is the same document in another namespace, less
MerchantId, SellerId and ExchangeId, which the schema of 2013 no longer has. Error replies never fitted it (recorded).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from lxml import etree

from flask_ecscart.catalog.file import MemoryCatalog
from flask_ecscart.locales import RECORDED
from flask_ecscart.model import Offer, Product
from tests.unit.service.asking import ONE, Reply, ask
from tests.unit.service.shop import BOOK, DVD, NO_PRICE, USED_BOOK, product, shop

Check = Callable[[bytes], None]
PARENT, CHILD = "B0SCHEMAPA", "B0SCHEMACH"
GROUPS = ["Cart", "Request", "CartSimilarities", "CartTopSellers", "CartNewReleases"]
EVERY_GROUP = ["", *GROUPS, "Cart,CartSimilarities,CartTopSellers", "Cart,CartNewReleases,Request,CartSimilarities"]
ITEM_GROUPS = [
    *("Request", "ItemIds", "Small", "Medium", "Large", "ItemAttributes", "OfferSummary", "Offers", "OfferFull"),
    *("OfferListings", "Images", "Variations", "VariationSummary", "VariationOffers", "VariationMinimum", "Reviews"),
    "Request,Small,ItemAttributes,Offers,OfferFull,OfferListings,Images,Variations",
]


@pytest.fixture(scope="module")
def schema(recorded: Path) -> etree.XMLSchema:
    wsdl = etree.parse(recorded / "wsdl" / "AWSECommerceService-2013-08-01.wsdl")
    (inlined,) = wsdl.iterfind(".//{http://www.w3.org/2001/XMLSchema}schema")
    return etree.XMLSchema(inlined)


@pytest.fixture
def fits(schema: etree.XMLSchema) -> Check:
    """`fits(reply)` fails naming the element that does not."""

    def check(body: bytes) -> None:
        schema.assertValid(etree.fromstring(body))

    return check


@pytest.fixture
def catalog() -> MemoryCatalog:
    catalog = shop()
    offer = Offer(offer_listing_id=None, price=100, availability="preorder", condition="Used", seller="S & Co")
    more = {"product_group": "Book", "image": "https://shop.example/a.jpg?b&c", "released": "2020-01-31"}
    for locale in RECORDED:
        catalog.put(Product(locale=locale, asin=PARENT, title="All of it", kind="variation_parent", **more))  # type: ignore[arg-type]
        child = Product(locale=locale, asin=CHILD, title="Part", parent_asin=PARENT, offers=(offer,), **more)  # type: ignore[arg-type]
        catalog.put(child)
    return catalog


def test_the_schema_finds_what_does_not_fit(fits: Check, web: FlaskClient) -> None:
    good = ask(web).data
    fits(good)
    with pytest.raises(etree.DocumentInvalid, match="Quantity"):
        fits(good.replace(b"<Quantity>1</Quantity>", b"<Quantity>one</Quantity>"))
    with pytest.raises(etree.DocumentInvalid, match="CartId"):
        fits(good.replace(b"CartId>", b"Cart_Id>"))


@pytest.mark.parametrize("groups", EVERY_GROUP)
@pytest.mark.parametrize("locale", RECORDED)
def test_the_replies_of_the_cart_operations(web: FlaskClient, fits: Check, locale: str, groups: str) -> None:
    def reply(operation: str, **parameters: str) -> Reply:
        wanted = {**parameters, "MergeCart": "True", **({"ResponseGroup": groups} if groups else {})}
        answer = Reply(ask(web, operation, path=f"/{locale}/onca/xml", parameters=wanted))
        assert (answer.text("IsValid"), answer.codes) == ("True", [])
        fits(answer.body)
        return answer

    made = reply("CartCreate", **ONE, **{"Item.1.ListItemId": "I1", "Item.1.AssociateTag": "t-20"})
    ids = made.ids()
    added = reply("CartAdd", **ids, **{"Item.1.ASIN": CHILD, "Item.1.Quantity": "2"})
    shown = Reply(ask(web, "CartGet", path=f"/{locale}/onca/xml", parameters={**ids}))
    assert [len(shown.all(name)) for name in ("CartItem", "SavedForLaterItem")] == [1, 1]
    item = shown.text("CartItemId") or ""
    reply("CartModify", **ids, **{"Item.1.CartItemId": item, "Item.1.Quantity": "0"})
    reply("CartModify", **ids, **{"Item.1.CartItemId": item, "Item.1.Action": "SaveForLater"})
    reply("CartGet", **ids)
    assert added.name == "CartAddResponse"
    reply("CartClear", **ids)
    reply("CartGet", **ids)


def test_replies_with_everything_a_cart_can_hold(web: FlaskClient, fits: Check) -> None:
    lines = [{"ASIN": BOOK}, {"OfferListingId": USED_BOOK}, {"ASIN": NO_PRICE}, {"ASIN": "B0GONE0001"}, {"ASIN": DVD}]
    wanted = {f"Item.{n}.{name}": value for n, one in enumerate(lines) for name, value in one.items()}
    wanted |= {f"Item.{n}.Quantity": "1" for n in range(len(lines))}
    made = Reply(ask(web, parameters=wanted, headers={"User-Agent": 'a <b> & "c"'}))
    fits(made.body)
    double = ask(web, "CartGet", parameters={**made.ids(), "XMLEscaping": "Double"})
    fits(double.data)
    beside = Reply(ask(web, "CartAdd", parameters={**made.ids(), **ONE, "Odd": "", "Odder": "ü\t&<"}))
    assert beside.codes == ["AWS.ECommerceService.ItemAlreadyInCart"]
    fits(beside.body)


@pytest.mark.parametrize("groups", ITEM_GROUPS)
@pytest.mark.parametrize("locale", RECORDED)
def test_the_replies_about_items(web: FlaskClient, fits: Check, locale: str, groups: str) -> None:
    for operation, parameters in lookups():
        wanted = {**parameters, "ResponseGroup": groups}
        answer = Reply(ask(web, operation, path=f"/{locale}/onca/xml", parameters=wanted))
        assert answer.text("IsValid") == "True"
        assert bool(answer.all("Item")) is (groups != "Request")
        fits(answer.body)


def lookups() -> Iterator[tuple[str, dict[str, str]]]:
    """Requests about items that find something."""
    yield "ItemLookup", {"ItemId": f"{BOOK},{PARENT},{CHILD},B0KINDLE01,FOO"}
    everything = {"IdType": "ASIN", "Condition": "All", "MerchantId": "All", "VariationPage": "1"}
    yield "ItemLookup", {"ItemId": PARENT, **everything}
    yield "ItemSearch", {"SearchIndex": "Books", "Title": "all"}
    everything = {"ItemPage": "1", "Sort": "price", "Condition": "All", "MerchantId": "All"}
    yield "ItemSearch", {"SearchIndex": "Blended", "Keywords": "book", **everything}


@pytest.mark.parametrize("version", ["2011-08-01", "2012-01-01"])
def test_a_reply_of_another_version_is_the_same_in_another_namespace(
    web: FlaskClient, fits: Check, version: str
) -> None:
    fits(ask(web, parameters={**ONE, "Version": version}).data.replace(version.encode(), b"2013-08-01"))


@pytest.mark.parametrize("version", ["2005-03-23", "2010-12-01"])
def test_an_old_reply_differs_from_it_by_its_seller_ids_only(
    web: FlaskClient, catalog: MemoryCatalog, fits: Check, version: str
) -> None:
    catalog.put(product(DVD, seller="Old Co", merchant_id="AOLD", seller_id="AALSO"))
    wanted = {**ONE, "Item.2.ASIN": DVD, "Item.2.Quantity": "1", "Version": version}
    root = etree.fromstring(ask(web, parameters=wanted).data.replace(version.encode(), b"2013-08-01"))
    gone = [one for name in ("MerchantId", "SellerId", "ExchangeId") for one in root.iterfind(f".//{{*}}{name}")]
    assert len(gone) == 5
    for one in gone:
        one.getparent().remove(one)
    fits(etree.tostring(root))
