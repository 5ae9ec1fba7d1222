"""Finding what to put into a cart: ItemLookup and ItemSearch over the catalog, and the way from there to a cart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_ecscart.catalog.anything import AnyCatalog
from flask_ecscart.catalog.file import FileCatalog, MemoryCatalog
from flask_ecscart.model import Offer, Product
from tests.unit.service.asking import Reply, ask
from tests.unit.service.shop import BOOK, USED_BOOK

NewApp = Callable[..., Flask]
LAMP, POSTER, SHIRT, SHIRT_S, SHIRT_L, EBOOK, HIDDEN = (
    *("B0ITEMLAMP", "B0ITEMPOST", "B0ITEMSHRT", "B0ITEMSHRS", "B0ITEMSHRL", "B0ITEMEBOK", "B0ITEMHIDE"),
)
GROUPS = "Small,ItemAttributes,Offers,OfferFull,Images,Variations"


def goods() -> Iterator[Product]:
    """A few things with facts worth showing."""
    yield Product(
        locale="US",
        asin=LAMP,
        title="Brass Reading Lamp, Élégant",
        product_group="Home",
        image="https://shop.example/lamp.jpg",
        released="2020-02-29",
        offers=(
            Offer(offer_listing_id="lamp%2Bnew", price=6400),
            Offer(offer_listing_id="lamp%2Bused", price=2500, condition="Used", seller="Old Co", seller_id="AOLD"),
            Offer(offer_listing_id=None, price=5000, seller="New Co", merchant_id="ANEW", availability="preorder"),
        ),
    )
    yield Product(
        locale="US",
        asin=POSTER,
        title="Poster of a brass lamp",
        product_group="Art & Crafts",
        image="/poster.jpg",
        url="https://blog.example/poster",
        offers=(Offer(offer_listing_id=None, price=None),),
    )
    yield Product(locale="US", asin=SHIRT, title="Reading shirt", product_group="Apparel", kind="variation_parent")
    for asin, size in ((SHIRT_S, "small"), (SHIRT_L, "large")):
        offers = (Offer(offer_listing_id=f"{size}%2Fshirt", price=1999),)
        yield Product(
            locale="US", asin=asin, title=f"Shirt, {size}", product_group="Apparel", parent_asin=SHIRT, offers=offers
        )
    digital = Offer(offer_listing_id="ebook", price=300)
    yield Product(locale="US", asin=EBOOK, title="Reading, digital", kind="digital", offers=(digital,))
    yield Product(locale="US", asin=HIDDEN, title="Hidden lamp", kind="inaccessible", offers=(digital,))
    yield Product(locale="JP", asin=LAMP, title="プログラミング言語Go", product_group="Book", offers=(digital,))
    yield Product(locale="DE", asin=LAMP, title="Leselampe", product_group="Home", offers=(digital,))


@pytest.fixture
def catalog() -> MemoryCatalog:
    return MemoryCatalog(goods())


def look_up(web: FlaskClient, ids: str = LAMP, **more: str | None) -> Reply:
    path = f"/{more.pop('locale', 'US')}/onca/xml"
    return Reply(ask(web, "ItemLookup", path=path, parameters={"ItemId": ids, **more}))


def search(web: FlaskClient, **more: str | None) -> Reply:
    path = f"/{more.pop('locale', 'US')}/onca/xml"
    return Reply(ask(web, "ItemSearch", path=path, parameters={"SearchIndex": "All", **more}))


def asins(reply: Reply) -> list[str | None]:
    """Of the items themselves, without their variations."""
    items = reply.all("Items")[0]
    return [one[0].text for one in items if one.tag.endswith("}Item")]


# --- ItemLookup ----------------------------------------------------------------------------------------------


def test_without_a_group_an_item_is_small(web: FlaskClient) -> None:
    """Recorded 2011, less what no catalog of ours knows (author, links to other pages)."""
    reply = look_up(web, Version="2011-08-01")
    assert reply.name == "ItemLookupResponse"
    assert reply.flat("Request") == [
        ("IsValid", "True"),
        *(("IdType", "ASIN"), ("ItemId", LAMP), ("ResponseGroup", "Small"), ("VariationPage", "All")),
    ]
    assert [name for name, _ in reply.flat("Item")] == ["ASIN", "DetailPageURL", "ProductGroup", "Title"]
    assert reply.text("Title") == "Brass Reading Lamp, Élégant"


@pytest.mark.parametrize(
    ("version", "tag", "tail"),
    [
        ("2013-08-01", "t-20", "?SubscriptionId=AKIAEXAMPLE&tag=t-20&linkCode=xm2&creativeASIN=B0ITEMLAMP"),
        (
            "2011-08-01",
            "t-20",
            "%3FSubscriptionId%3DAKIAEXAMPLE%26tag%3Dt-20%26linkCode%3Dxm2%26creativeASIN%3DB0ITEMLAMP",
        ),
        ("2010-12-01", None, "%3FSubscriptionId%3DAKIAEXAMPLE%26tag%3Dws%26linkCode%3Dxm2%26creativeASIN%3DB0ITEMLAMP"),
    ],
)
def test_detail_pages_credit_the_caller(web: FlaskClient, version: str, tag: str | None, tail: str) -> None:
    """Recorded: the query encoded until 2013, plain later."""
    url = look_up(web, Version=version, AssociateTag=tag).text("DetailPageURL")
    assert url == f"https://www.amazon.com/dp/{LAMP}{tail}"


def test_the_owners_own_page_is_the_detail_page(web: FlaskClient) -> None:
    assert look_up(web, POSTER).text("DetailPageURL") == "https://blog.example/poster"


def test_ten_ids_are_looked_up_in_their_order_each_once(web: FlaskClient) -> None:
    """Documented: up to ten, upper or lower case."""
    reply = look_up(web, f"{POSTER},{LAMP.lower()}, {LAMP},,")
    assert asins(reply) == [POSTER, LAMP]
    assert reply.texts("ItemId") == [POSTER, LAMP]
    eleven = look_up(web, ",".join(f"B00000000{n:X}" for n in range(11)))
    assert (eleven.text("IsValid"), eleven.codes) == ("False", ["AWS.ExceededMaximumParameterValues"])


def test_an_unknown_id_is_an_error_beside_the_items(web: FlaskClient) -> None:
    """Recorded; the item that is known comes all the same."""
    reply = look_up(web, f"FOO,{LAMP},{HIDDEN}")
    assert (reply.text("IsValid"), asins(reply)) == ("True", [LAMP])
    assert reply.texts("Message") == [
        "FOO is not a valid value for ItemId. Please change this value and retry your request.",
        "This item is not accessible through the Product Advertising API.",
    ]


def test_offers_have_all_a_cart_needs_to_know(web: FlaskClient) -> None:
    reply = look_up(web, ResponseGroup="Offers", Condition="All")
    assert reply.texts("OfferListingId") == ["lamp%2Bnew", "lamp%2Bused", reply.texts("OfferListingId")[2]]
    assert reply.texts("Condition", "OfferAttributes") == ["New", "Used", "New"]
    assert reply.texts("Amount", "OfferListing") == ["6400", "2500", "5000"]
    assert reply.texts("AvailabilityType") == ["now", "now", "futureDate"]
    assert reply.texts("IsPreorder") == ["0", "0", "1"]
    assert reply.texts("TotalOffers") == ["3"]
    summary = reply.flat("OfferSummary")
    assert [pair for pair in summary if pair[0].startswith("Total")] == [
        *(("TotalNew", "2"), ("TotalUsed", "1"), ("TotalCollectible", "0"), ("TotalRefurbished", "0")),
    ]
    assert [text for name, text in summary if name == "Amount"] == ["5000", "2500"]
    assert reply.all("Merchant") == []


@pytest.mark.parametrize(
    ("more", "prices"),
    [
        ({}, ["6400", "5000"]),
        ({"Condition": "Used"}, ["2500"]),
        ({"Condition": "Collectible"}, []),
        ({"MerchantId": "All"}, ["6400", "5000"]),
        ({"MerchantId": "Amazon"}, ["6400"]),
        ({"MerchantId": "ATVPDKIKX0DER"}, ["6400"]),
        ({"MerchantId": "Featured"}, ["6400"]),
        ({"MerchantId": "ANEW"}, ["5000"]),
        ({"MerchantId": "AOLD", "Condition": "All"}, ["2500"]),
        ({"MerchantId": "ANOBODY"}, []),
    ],
)
def test_condition_and_merchant_choose_the_offers(web: FlaskClient, more: dict[str, str], prices: list[str]) -> None:
    """Documented: New unless another Condition was asked for."""
    reply = look_up(web, ResponseGroup="Offers", **more)
    assert reply.texts("Amount", "OfferListing") == prices
    assert reply.texts("TotalOffers") == [str(len(prices))]


def test_full_offers_name_the_merchant(web: FlaskClient) -> None:
    assert look_up(web, ResponseGroup="OfferFull").texts("Name", "Merchant") == ["Amazon.com", "New Co"]


def test_until_2010_offers_say_who_has_which_id(web: FlaskClient) -> None:
    """Seed 002."""
    reply = look_up(web, ResponseGroup="OfferListings", Condition="All", Version="2010-12-01")
    assert reply.texts("MerchantId", "Merchant") == ["ATVPDKIKX0DER", "ANEW"]
    assert reply.texts("SellerId") == ["AOLD"]


def test_pictures_have_addresses_or_are_not_there(web: FlaskClient) -> None:
    """Decided: the catalog knows one picture and no sizes; a path on the owner's site leads nowhere from here."""
    reply = look_up(web, f"{LAMP},{POSTER}", ResponseGroup="Images")
    assert reply.texts("URL") == ["https://shop.example/lamp.jpg"] * 3
    assert reply.texts("Height") == ["75", "160", "500"]


def test_a_parent_shows_its_variations(web: FlaskClient) -> None:
    """Seed 003: the parent itself has no offer, its children do."""
    reply = look_up(web, SHIRT, ResponseGroup="Variations,Offers")
    assert (reply.text("TotalVariations"), reply.text("TotalVariationPages")) == ("2", "1")
    assert asins(reply) == [SHIRT]
    assert reply.texts("ASIN", "Variations") == [SHIRT_S, SHIRT_L]
    assert reply.texts("OfferListingId") == ["small%2Fshirt", "large%2Fshirt"]
    assert reply.texts("ParentASIN") == [SHIRT, SHIRT]
    second = look_up(web, SHIRT, ResponseGroup="Variations", VariationPage="2")
    assert (second.text("TotalVariations"), second.texts("ASIN", "Variations")) == ("2", [])


def test_digital_items_have_no_offers(web: FlaskClient) -> None:
    """Seed 003: they cannot be placed in a cart."""
    assert look_up(web, EBOOK, ResponseGroup="Offers").all("OfferListingId") == []


def test_the_request_group_shows_no_item(web: FlaskClient) -> None:
    assert asins(look_up(web, ResponseGroup="Request")) == []


@pytest.mark.parametrize("group", ["Reviews", "SalesRank", "BrowseNodes", "Tracks"])
def test_groups_the_catalog_knows_nothing_for_are_taken(web: FlaskClient, group: str) -> None:
    """Decided: a program that asks for more than there is gets what there is."""
    reply = look_up(web, ResponseGroup=f"{group},Small")
    assert (reply.text("IsValid"), asins(reply)) == ("True", [LAMP])


def test_a_look_up_needs_no_catalog_that_can_be_walked_through(new_app: NewApp) -> None:
    web = new_app(catalog=AnyCatalog()).test_client()
    assert asins(look_up(web, BOOK, ResponseGroup="Variations")) == [BOOK]


def test_item_replies_have_a_uuid_and_double_escaping(web: FlaskClient) -> None:
    """Recorded: items had UUIDs in 2010 already."""
    reply = look_up(web, POSTER, Version="2010-12-01", XMLEscaping="Double", ResponseGroup="ItemAttributes")
    assert len(reply.text("RequestId") or "") == 36
    assert reply.text("ProductGroup") == "Art &amp; Crafts"


# --- ItemSearch ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"Keywords": "lamp"}, [LAMP, POSTER]),
        ({"Keywords": "LAMP elegant"}, [LAMP]),
        ({"Keywords": "brass  poster!"}, [POSTER]),
        ({"Keywords": "lam"}, []),
        ({"Keywords": "home"}, [LAMP]),
        ({"Title": "home"}, []),
        ({"Title": "reading"}, [LAMP, SHIRT, EBOOK]),
        ({"Keywords": LAMP.lower()}, [LAMP]),
        ({"Keywords": "reading", "SearchIndex": "Apparel"}, [SHIRT]),
        ({"Keywords": "brass", "SearchIndex": "ArtsAndCrafts"}, []),
        ({"Keywords": "brass", "SearchIndex": "Art & Crafts"}, [POSTER]),
        ({"Keywords": "brass", "SearchIndex": "Homes"}, [LAMP]),
        ({"Keywords": "brass", "SearchIndex": "DVD"}, []),
        ({"Keywords": "!!!"}, []),
        ({"Keywords": "shirt small"}, []),
        ({"Keywords": "lamp", "Condition": "Used"}, [LAMP]),
        ({"Keywords": "lamp", "MerchantId": "ANEW"}, [LAMP]),
        ({"Keywords": "shirt", "MerchantId": "Amazon"}, [SHIRT]),
        ({"Keywords": "プログラミング", "locale": "JP"}, [LAMP]),
        ({"Keywords": "言語", "locale": "JP"}, [LAMP]),
        ({"Keywords": "語言", "locale": "JP"}, []),
        ({"Keywords": "leselampe", "locale": "DE"}, [LAMP]),
    ],
)
def test_what_has_all_the_words_is_found(web: FlaskClient, wanted: dict[str, str], found: list[str]) -> None:
    """Children are found through their parent; what is not accessible is not found at all."""
    reply = search(web, **wanted)
    assert (reply.text("IsValid"), asins(reply)) == ("True", found)
    assert reply.text("TotalResults") == str(len(found))
    assert reply.codes == ([] if found else ["AWS.ECommerceService.NoExactMatches"])
    if not found:
        assert reply.text("Message") == "We did not find any matches for your request."


def test_results_come_in_pages_of_ten(web: FlaskClient, catalog: MemoryCatalog) -> None:
    for number in range(23):
        offer = Offer(offer_listing_id=None, price=1000 - number)
        catalog.put(
            Product(locale="US", asin=f"B0PAGES{number:03d}", title="Paged", product_group="X", offers=(offer,))
        )
    pages = [search(web, Keywords="paged", SearchIndex="X", ItemPage=str(page)) for page in (1, 2, 3)]
    assert [len(asins(page)) for page in pages] == [10, 10, 3]
    assert {(page.text("TotalResults"), page.text("TotalPages")) for page in pages} == {("23", "3")}
    assert len({asin for page in pages for asin in asins(page)}) == 23
    assert asins(search(web, Keywords="paged", Sort="price"))[0] == "B0PAGES022"
    assert asins(search(web, Keywords="paged", Sort="-price"))[0] == "B0PAGES000"
    assert asins(search(web, Keywords="paged", Sort="reviewrank"))[0] == "B0PAGES000"
    beyond = search(web, Keywords="paged", ItemPage="4")
    assert (asins(beyond), beyond.codes) == ([], ["AWS.ECommerceService.NoExactMatches"])


@pytest.mark.parametrize(
    ("version", "index", "page", "most"),
    [
        ("2013-08-01", "Apparel", "11", 10),
        ("2013-08-01", "All", "6", 5),
        ("2010-12-01", "All", "401", 400),
        ("2013-08-01", "All", "0", 5),
        ("2013-08-01", "All", "two", 5),
        ("2013-08-01", "All", "9" * 5000, 5),
    ],
)
def test_there_are_only_so_many_pages(web: FlaskClient, version: str, index: str, page: str, most: int) -> None:
    """The text was recorded; ten pages and five for All since 2011, four hundred before (documented)."""
    reply = search(web, Keywords="lamp", Version=version, SearchIndex=index, ItemPage=page)
    assert (reply.text("IsValid"), reply.texts("Message")) == (
        "False",
        [f"The value you specified for ItemPage is invalid.  Valid values must be between 1 and {most}."],
    )


def test_a_catalog_that_cannot_be_walked_through_has_no_matches(new_app: NewApp) -> None:
    """Decided: every ASIN is for sale there, but nobody can list them."""
    reply = search(new_app(catalog=AnyCatalog()).test_client(), Keywords="lamp")
    assert (reply.text("IsValid"), reply.codes) == ("True", ["AWS.ECommerceService.NoExactMatches"])


def test_a_changed_catalog_is_searched_as_it_is_now(web: FlaskClient, catalog: MemoryCatalog) -> None:
    assert asins(search(web, Keywords="teapot")) == []
    catalog.put(Product(locale="US", asin="B0TEAPOTS1", title="Teapot"))
    assert asins(search(web, Keywords="teapot")) == ["B0TEAPOTS1"]


def test_a_catalog_file_is_searched_as_it_stands_on_disk(new_app: NewApp, tmp_path: Path) -> None:
    path = tmp_path / "catalog.csv"
    path.write_text("locale,asin,title\nUS,B0TEAPOTS1,Teapot\n")
    web = new_app(catalog=FileCatalog(path)).test_client()
    assert asins(search(web, Keywords="teapot")) == ["B0TEAPOTS1"]
    path.write_text("locale,asin,title\nUS,B0TEAPOTS2,Another teapot\n")
    assert asins(search(web, Keywords="teapot")) == ["B0TEAPOTS2"]
    path.write_text("locale,asin,title\nUS,broken,Teapot\n")
    assert asins(search(web, Keywords="teapot")) == ["B0TEAPOTS2"]


def test_searching_does_not_walk_through_the_catalog_each_time(new_app: NewApp) -> None:
    class Counting(MemoryCatalog):
        walks = 0

        def __iter__(self) -> Iterator[Product]:
            self.walks += 1
            return super().__iter__()

    catalog = Counting(goods())
    web = new_app(catalog=catalog).test_client()
    for word in ("lamp", "shirt", "nothing"):
        search(web, Keywords=word)
    assert catalog.walks == 1


# --- From there to a cart ------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["2005-10-05", "2010-12-01", "2013-08-01"])
def test_what_was_found_can_be_put_into_a_cart(web: FlaskClient, version: str) -> None:
    """The way seed 002 describes: search, choose an offer, create a cart with its OfferListingId."""
    found = search(web, Keywords="lamp", ResponseGroup="Offers", Condition="All", Version=version)
    listings = [listing or "" for listing in found.texts("OfferListingId")]
    assert len(listings) == len(set(listings)) == 4
    lines = {f"Item.{n}.OfferListingId": listing for n, listing in enumerate(listings)}
    lines |= {f"Item.{n}.Quantity": "1" for n in range(len(listings))}
    cart = Reply(ask(web, parameters={**lines, "Version": version}))
    assert cart.codes == []
    assert cart.texts("ASIN", "CartItem") == [LAMP, LAMP, POSTER]
    assert cart.texts("ASIN", "SavedForLaterItem") == [LAMP]  # not released yet
    assert cart.texts("SellerNickname", "CartItem") == ["Amazon.com", "Old Co", "Amazon.com"]


def test_a_variation_can_be_put_into_a_cart_and_its_parent_cannot(web: FlaskClient) -> None:
    listing = look_up(web, SHIRT, ResponseGroup="Variations").texts("OfferListingId")[1]
    wanted = {"Item.1.OfferListingId": listing, "Item.1.Quantity": "2", "Item.2.ASIN": SHIRT, "Item.2.Quantity": "1"}
    cart = Reply(ask(web, parameters=wanted))
    assert cart.texts("ASIN", "CartItem") == [SHIRT_L]
    assert cart.codes == ["AWS.ECommerceService.ItemNotEligibleForCart"]


@pytest.mark.parametrize("listing", ["b3duOg==", "b3duOkIwSVRFTUxBTVA6", "%%%", "ü", "A" * 5000, USED_BOOK])
def test_a_made_up_listing_names_nothing(web: FlaskClient, listing: str) -> None:
    cart = Reply(ask(web, parameters={"Item.1.OfferListingId": listing, "Item.1.Quantity": "1"}))
    assert cart.codes == ["AWS.ECommerceService.ItemNotEligibleForCart"]
