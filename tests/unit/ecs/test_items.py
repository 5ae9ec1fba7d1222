"""ItemLookup and ItemSearch become products whose offers can be bought, or the error they stand for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from flask_ecscart import errors
from flask_ecscart.catalog.file import FileCatalog, MemoryCatalog
from flask_ecscart.ecs import ECSClient, Reply
from flask_ecscart.ecs.parsing import parse_items
from flask_ecscart.model import CartRef, ItemChange, NewItem, Offer, ProductPage
from flask_ecscart.service.http import DATABASE, create_app
from tests.support.web import Site
from tests.unit.service.shop import BOOK, LAMP, TAG, USED_BOOK, shop

ROOT = Path(__file__).resolve().parents[3]
Sample = Callable[[str], bytes]
REF = CartRef(locale="US", cart_id="111-2222222-3333333", hmac="ab+cd/efghijklmnopqrstuvwxy=", associate_tag="first-20")
ONE = [NewItem(asin="B000SAMPL1", quantity=1)]


def looked_up(body: bytes) -> ProductPage:
    return parse_items(body, locale="US", operation="ItemLookup")


# --- Reading -------------------------------------------------------------------------------------------------


def test_a_product_keeps_what_is_needed_to_show_and_buy_it(sample: Sample) -> None:
    page = looked_up(sample("2011-lookup-us-offers"))
    lamp, parent, book = page.products
    assert (lamp.locale, lamp.asin, lamp.title, lamp.product_group) == (
        "US",
        "B000SAMPL1",
        "A lamp & its shade",
        "Lighting",
    )
    assert (lamp.parent_asin, lamp.released, lamp.kind) == ("B000SAMPL0", "2010-05", "product")
    assert lamp.url is not None
    assert lamp.url.startswith("http://www.amazon.com/A-lamp/dp/B000SAMPL1%3F")
    assert lamp.image == "http://ecx.images.example/medium.jpg"
    assert [(offer.offer_listing_id, offer.price, offer.seller) for offer in lamp.offers] == [
        ("j8ejq9wx%2Be8MS449BN1XGU%3D%3D", 1000, None),
        ("us3d%2Fsample%3D", 900, "a_small_shop"),
        ("pre%3D", None, None),
        ("abroad%3D", None, None),
        (None, None, "Elsewhere"),
    ]
    assert [offer.availability for offer in lamp.offers] == [
        "in_stock",
        "out_of_stock",
        "preorder",
        "out_of_stock",
        "in_stock",
    ]
    assert (lamp.offers[0].merchant_id, lamp.offers[0].seller_id, lamp.offers[0].condition) == (
        "ATVPDKIKX0DER",
        None,
        "New",
    )
    assert lamp.offers[1].seller_id == "A0SAMPLESELLER"
    assert (parent.kind, [child.offers[0].offer_listing_id for child in parent.variations]) == (
        "variation_parent",
        ["red%3D"],
    )
    assert (book.kind, book.title) == ("digital", "B000SAMPL2")


def test_links_that_lead_elsewhere_are_left_out(sample: Sample) -> None:
    parent = looked_up(sample("2011-lookup-us-offers")).products[1]
    assert (parent.url, parent.image) == (None, None)
    body = sample("2011-lookup-us-offers")
    kept = parse_items(body, locale="US", operation="ItemLookup", retail_base="http://elsewhere.example/US")
    assert kept.products[1].url == "http://elsewhere.example/dp/B000SAMPL0"


def test_an_asin_nobody_knows_is_a_fault_beside_the_others(sample: Sample) -> None:
    page = looked_up(sample("2011-lookup-us-offers"))
    assert [fault.code for fault in page.faults] == ["AWS.InvalidParameterValue"]
    assert "B000SAMPL9" in page.faults[0].message
    assert (page.total_results, page.request_id) == (None, "0a1b2c3d-0000-4000-8000-000000000011")


def test_a_search_that_finds_nothing_is_an_empty_page(sample: Sample) -> None:
    page = parse_items(sample("2011-search-us-nothing"), locale="US", operation="ItemSearch")
    assert (page.products, page.total_results, page.total_pages) == ((), 0, 0)
    assert [fault.code for fault in page.faults] == ["AWS.ECommerceService.NoExactMatches"]


def test_the_recorded_lookup_is_read(recorded: Path) -> None:
    body = (recorded / "2011-08-01" / "ItemLookup-us-valid-asin.xml").read_bytes()
    (book,) = looked_up(body).products
    assert (book.asin, book.product_group, book.offers, bool(book.url)) == ("0747532745", "Book", (), True)


def test_the_recorded_refusal_is_raised_with_its_others(recorded: Path) -> None:
    body = (recorded / "2011-08-01" / "ItemLookup-us-invalid-response-group.xml").read_bytes()
    with pytest.raises(errors.InvalidEnumeratedParameter) as caught:
        looked_up(body)
    assert errors.InvalidResponseGroup in {type(error) for error in caught.value.others}


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("in-body-account-de", errors.InvalidAccount),
        ("top-throttled-key", errors.RequestThrottled),
        ("top-throttled-ip", errors.RequestThrottled),
        ("top-signature", errors.SignatureDoesNotMatch),
        ("2011-search-us-nothing", errors.MalformedReply),
        ("2011-clear-us", errors.MalformedReply),
    ],
)
def test_an_error_instead_of_products_is_raised(sample: Sample, name: str, error: type[errors.ECSCartError]) -> None:
    with pytest.raises(error):
        looked_up(sample(name))


@pytest.mark.parametrize(
    "items",
    [
        "",
        "<Items><Request><IsValid>False</IsValid></Request></Items>",
        "<Items><Item><ItemAttributes/></Item></Items>",
        "<Items><Item><ASIN>a b</ASIN></Item></Items>",
        "<Items><Item><ASIN>B1</ASIN><Offers><Offer><OfferListing><Price><Amount>x</Amount></Price></OfferListing>"
        "</Offer></Offers></Item></Items>",
    ],
)
def test_what_is_no_answer_is_malformed(items: str) -> None:
    namespace = "http://webservices.amazon.com/AWSECommerceService/2013-08-01"
    with pytest.raises(errors.MalformedReply):
        looked_up(f'<ItemLookupResponse xmlns="{namespace}">{items}</ItemLookupResponse>'.encode())


# --- Asking --------------------------------------------------------------------------------------------------


def client(transport: Any, clock: Any) -> ECSClient:
    return ECSClient("US", "KEYCANARY", "secretcanary", "own-20", transport=transport, clock=clock)


def sent(transport: Any) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(transport.sent[-1][1]).query, keep_blank_values=True, strict_parsing=True))


def test_a_lookup_asks_for_what_buying_needs(scripted: Any, clock: Any, sample: Sample) -> None:
    transport = scripted(Reply(200, {}, sample("2011-lookup-us-offers")))
    client(transport, clock).lookup("B000SAMPL1", "B000SAMPL9")
    assert sent(transport).items() >= {
        ("Operation", "ItemLookup"),
        ("ItemId", "B000SAMPL1,B000SAMPL9"),
        ("ResponseGroup", "ItemAttributes,OfferFull,Images"),
        ("AssociateTag", "own-20"),
    }


def test_a_search_asks_for_one_page(scripted: Any, clock: Any, sample: Sample) -> None:
    transport = scripted(*[Reply(200, {}, sample("2011-search-us-nothing"))] * 2)
    asking = client(transport, clock)
    asking.search("lamp & shade", search_index="Books", page=3, response_groups=("Small", "Offers", "Small"))
    assert sent(transport).items() >= {
        ("Keywords", "lamp & shade"),
        ("SearchIndex", "Books"),
        ("ItemPage", "3"),
        ("ResponseGroup", "Small,Offers"),
    }
    asking.search("lamp")
    assert "ItemPage" not in sent(transport)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda c: c.lookup(), errors.MissingParameters),
        (lambda c: c.lookup(*["B000SAMPL1"] * 11), errors.MaximumParameterRequirement),
        (lambda c: c.lookup("B0,B1"), errors.InvalidParameterValue),
        (lambda c: c.lookup(""), errors.InvalidParameterValue),
        (lambda c: c.lookup("B1", response_groups=("Everything",)), errors.InvalidResponseGroup),
        (lambda c: c.search(" "), errors.MinimumParameterRequirement),
        (lambda c: c.search("lamp", page=0), errors.ParameterOutOfRange),
        (lambda c: c.search("lamp", page=True), errors.ParameterOutOfRange),
        (lambda c: c.search("lamp", response_groups=("Cart",)), errors.InvalidResponseGroup),
        (lambda c: c.create(ONE, response_groups=("Offers",)), errors.InvalidResponseGroup),
        (lambda c: c.get(REF, response_groups=("cart",)), errors.InvalidResponseGroup),
    ],
    ids=range(11),
)
def test_what_the_service_would_refuse_is_not_sent(
    scripted: Any, clock: Any, call: Callable[[ECSClient], Any], error: type[Exception]
) -> None:
    transport = scripted()
    with pytest.raises(error):
        call(client(transport, clock))
    assert transport.sent == []


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("CartCreate", lambda c, groups: c.create(ONE, response_groups=groups)),
        ("CartAdd", lambda c, groups: c.add(REF, ONE, response_groups=groups)),
        (
            "CartModify",
            lambda c, groups: c.modify(REF, [ItemChange(cart_item_id="U1", quantity=1)], response_groups=groups),
        ),
        ("CartClear", lambda c, groups: c.clear(REF, response_groups=groups)),
        ("CartGet", lambda c, groups: c.get(REF, response_groups=groups)),
    ],
)
def test_every_cart_operation_takes_response_groups_and_keeps_the_cart_among_them(
    scripted: Any, clock: Any, operation: str, call: Callable[[ECSClient, Any], Any]
) -> None:
    body = (
        f'<{operation}Response xmlns="http://webservices.amazon.com/AWSECommerceService/2013-08-01"><Cart>'
        f"<CartId>{REF.cart_id}</CartId><HMAC>{REF.hmac}</HMAC></Cart></{operation}Response>"
    ).encode()
    transport = scripted(Reply(200, {}, body), Reply(200, {}, body))
    call(client(transport, clock), ("CartTopSellers", "CartSimilarities"))
    assert sent(transport)["ResponseGroup"] == "Cart,CartTopSellers,CartSimilarities"
    call(client(transport, clock), ())
    assert "ResponseGroup" not in sent(transport)


# --- Against a real service ----------------------------------------------------------------------------------


@pytest.fixture
def at(serve: Callable[..., Site], tmp_database_url: str) -> Iterator[Callable[..., str]]:
    """`at(catalog)`: the address of a service of its own."""
    apps = []

    def start(catalog: Any) -> str:
        keys = {"AKIAEXAMPLE000000000": "secret"}
        apps.append(create_app(database_url=tmp_database_url, catalog=catalog, keys=keys))
        return serve(apps[-1]).url

    yield start
    for app in apps:
        app.extensions[DATABASE].close()


@pytest.mark.parametrize("locale", ["US", "UK", "DE", "JP", "FR", "CA"])
def test_what_is_looked_up_can_be_bought_by_its_offer(at: Callable[..., str], locale: str) -> None:
    catalog = shop()
    url = at(catalog)
    asking = ECSClient(locale, "AKIAEXAMPLE000000000", "secret", TAG, endpoint=f"{url}/{locale}/onca/xml")
    page = asking.lookup(BOOK, "B0NOBODY00")
    (book,) = page.products
    assert [fault.code for fault in page.faults] == ["AWS.InvalidParameterValue"]
    there = catalog.lookup(locale, [BOOK])[BOOK]
    assert (book.title, book.product_group) == (there.title, there.product_group)

    def known(offer: Offer) -> tuple[object, ...]:
        return offer.offer_listing_id, offer.price, offer.availability, offer.seller

    assert [known(offer) for offer in book.offers] == [known(offer) for offer in there.offers]
    items = [NewItem(offer_listing_id=offer.offer_listing_id, quantity=1) for offer in book.offers]
    assert [(item.asin, item.price and item.price.amount) for item in asking.create(items).items] == [
        (BOOK, offer.price) for offer in book.offers
    ]


def test_every_availability_survives_the_way(at: Callable[..., str]) -> None:
    catalog = shop()
    asking = ECSClient("US", "AKIAEXAMPLE000000000", "secret", TAG, endpoint=f"{at(catalog)}/onca/xml")
    page = asking.lookup(LAMP, "B0GONE0001", "B0GONE0002", "B0NOPRICE1")
    assert {product.asin: [offer.availability for offer in product.offers] for product in page.products} == {
        LAMP: ["in_stock"],
        "B0GONE0001": ["out_of_stock"],
        "B0GONE0002": ["preorder"],
        "B0NOPRICE1": ["in_stock"],
    }
    assert [product.offers[0].price for product in page.products if product.asin == "B0NOPRICE1"] == [None]


def test_a_search_is_walked_through_page_by_page(at: Callable[..., str]) -> None:
    asking = ECSClient("US", "AKIAEXAMPLE000000000", "secret", TAG, endpoint=f"{at(shop())}/onca/xml")
    first = asking.search("Title of", page=1)
    second = asking.search("Title of", page=2)
    assert len(first.products) == len(second.products) == 10
    assert {product.asin for product in first.products}.isdisjoint({product.asin for product in second.products})
    assert first.total_results is not None
    assert first.total_results >= 20
    assert asking.search("nothing like it").products == ()
    assert USED_BOOK in {
        offer.offer_listing_id for product in asking.search("Volume 2").products for offer in product.offers
    }


def test_the_documented_example_runs(at: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "client.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(example.strip().splitlines()) <= 11
    url = at(FileCatalog(str(ROOT / "flask_ecscart" / "catalog" / "sample.csv")))
    exec(compile(example.replace("http://127.0.0.1:8001", url), "client.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "$128.00 for ['2 × Brass Reading Lamp" in printed
    assert "/gp/cart/aws-merge.html?cart-id=" in printed


def test_the_page_names_every_error_family_and_group(catalog: MemoryCatalog) -> None:
    from typing import get_args

    from flask_ecscart.model import ItemGroup, ResponseGroup

    page = (ROOT / "docs" / "client.md").read_text()
    families = (
        "NotSent",
        "OutcomeUnknown",
        "MalformedReply",
        *(cls.__name__ for cls in errors.ERROR_CLASSES.values() if cls.__base__ is errors.ECSError),
        *("RequestRefused", "ItemError", "DeadCart", "AccessRefused"),
    )
    named = [*families, *get_args(ItemGroup), *get_args(ResponseGroup)]
    assert [name for name in named if f"`{name}`" not in page] == []


@pytest.fixture
def catalog() -> MemoryCatalog:
    return shop()
