"""What Amazon's items become: the buy-box listing, links unchanged, prices that may be shown, text of a sane length."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from flask_ecscart.catalog.columns import MAX_TITLE
from flask_ecscart.catalog.creators import CreatorsSource
from flask_ecscart.catalog.creators_client import RESOURCES
from flask_ecscart.catalog.creators_settings import read_credentials
from flask_ecscart.catalog.memory import MemoryCatalog
from flask_ecscart.model import Offer, Product
from tests.support.clock import START
from tests.support.creators_stand_in import StandIn, item, listing
from tests.unit.catalog.conftest import Bench

LAMP = "B000LAMP01"


def lamp(bench: Bench, amazon: StandIn, *listings: dict[str, Any], **more: Any) -> Product:
    amazon.sells(item(LAMP, *listings, **more))
    found = bench.look(LAMP)[LAMP]
    assert isinstance(found, Product)
    return found


def offer(bench: Bench, amazon: StandIn, *listings: dict[str, Any]) -> Offer:
    return lamp(bench, amazon, *listings).offers[0]


def test_title_link_picture_price_and_limit_come_from_amazon_with_their_time(bench: Bench, amazon: StandIn) -> None:
    product = lamp(bench, amazon, listing(12.99), title="A lamp")
    assert product.title == "A lamp"
    assert product.image == f"https://m.media-amazon.com/images/I/{LAMP}._SL160_.jpg"
    assert product.offers == (Offer(offer_listing_id=None, price=1299, limit=30, source="creators", as_of=START),)


def test_the_detail_page_link_is_used_to_the_letter(bench: Bench, amazon: StandIn) -> None:
    link = f"https://www.amazon.com/dp/{LAMP}?tag=lamp-20&linkCode=ogi&th=1&psc=1&unknown=%C3%A9"
    assert lamp(bench, amazon, listing(), detailPageURL=link).url == link


@pytest.mark.parametrize(
    "link",
    [
        "http://www.amazon.com/dp/x",
        "https://www.amazon.com.evil.example/dp/x",
        "https://evil.example/",
        "javascript:1",
        "",
    ],
)
def test_a_link_that_leads_elsewhere_is_left_out(bench: Bench, amazon: StandIn, link: str) -> None:
    assert lamp(bench, amazon, listing(), detailPageURL=link).url is None


@pytest.mark.parametrize("link", ["http://x.example/a.jpg", "https://x.example/a'onerror", "data:image/png,x"])
def test_a_picture_that_is_no_plain_https_link_is_left_out(bench: Bench, amazon: StandIn, link: str) -> None:
    assert lamp(bench, amazon, listing(), images={"primary": {"medium": {"url": link}}}).image is None


def test_the_listing_that_wins_the_buy_box_counts_and_not_the_first(bench: Bench, amazon: StandIn) -> None:
    first = listing(1.00, isBuyBoxWinner=False)
    assert offer(bench, amazon, first, listing(20.00)).price == 2000


def test_without_a_winner_there_is_no_price_but_the_product_can_be_had(bench: Bench, amazon: StandIn) -> None:
    found = offer(bench, amazon, listing(1.00, isBuyBoxWinner=False), listing(2.00, isBuyBoxWinner=None))
    assert (found.price, found.limit, found.available) == (None, None, True)


def test_a_price_below_the_sellers_minimum_is_hidden(bench: Bench, amazon: StandIn) -> None:
    found = offer(bench, amazon, listing(9.99, violatesMAP=True))
    assert (found.price, found.price_hidden) == (None, True)


@pytest.mark.parametrize(
    ("access", "deal"),
    [
        ("PRIME_EXCLUSIVE", "prime_exclusive"),
        ("PRIME_EARLY_ACCESS", "prime_early_access"),
        ("ALL", None),
        ("NEW", None),
    ],
)
def test_a_deal_for_prime_members_is_labelled(bench: Bench, amazon: StandIn, access: str, deal: str | None) -> None:
    assert offer(bench, amazon, listing(dealDetails={"accessType": access, "badge": "x"})).deal == deal


@pytest.mark.parametrize(
    ("kind", "means"),
    [
        ("IN_STOCK", "in_stock"),
        ("IN_STOCK_SCARCE", "in_stock"),
        ("LEADTIME", "in_stock"),
        ("UNKNOWN", "in_stock"),
        ("SOMETHING_NEW", "in_stock"),
        ("OUT_OF_STOCK", "out_of_stock"),
        ("UNAVAILABLE", "out_of_stock"),
        ("PREORDER", "preorder"),
        ("AVAILABLE_DATE", "preorder"),
    ],
)
def test_availability_is_understood(bench: Bench, amazon: StandIn, kind: str, means: str) -> None:
    assert offer(bench, amazon, listing(availability={"type": kind})).availability == means


@pytest.mark.parametrize(("most", "limit"), [(3, 3), (3.0, 3), (0, None), (-1, None), (999, None), (10**9, None)])
def test_max_order_quantity_is_the_limit(bench: Bench, amazon: StandIn, most: float, limit: int | None) -> None:
    assert offer(bench, amazon, listing(availability={"type": "IN_STOCK", "maxOrderQuantity": most})).limit == limit


@pytest.mark.parametrize(
    ("amount", "currency", "price"),
    [
        (12.99, "USD", 1299),
        (12, "USD", 1200),
        (0.1, "USD", 10),
        (1234.56, "USD", 123456),
        (12.99, "EUR", None),
        (-1, "USD", None),
        (0, "USD", None),
        (1e300, "USD", None),
        (None, "USD", None),
    ],
)
def test_prices_are_minor_units_of_the_locales_currency(
    bench: Bench, amazon: StandIn, amount: float | None, currency: str, price: int | None
) -> None:
    assert offer(bench, amazon, listing(amount, currency)).price == price


@pytest.mark.parametrize(
    "title",
    ["<script>alert(1)</script>", "\u202eevil\u202c", "</title><img src=x onerror=alert(1)>", "日本語のランプ 🛋"],
)
def test_a_hostile_title_stays_the_text_it_is(bench: Bench, amazon: StandIn, title: str) -> None:
    assert lamp(bench, amazon, listing(), title=title).title == title


def test_a_title_of_ten_kilobytes_is_cut(bench: Bench, amazon: StandIn) -> None:
    title = lamp(bench, amazon, listing(), title="lamp " * 2000).title
    assert len(title) <= MAX_TITLE
    assert title.endswith("…")


def test_control_characters_and_lone_surrogates_are_taken_out_of_a_title(bench: Bench, amazon: StandIn) -> None:
    assert lamp(bench, amazon, listing(), title="a\x00b\r\nc\ud800d").title == "a b c?d"


def test_an_item_without_a_title_keeps_the_owners(make_bench: Callable[..., Bench], amazon: StandIn) -> None:
    bench = make_bench(
        MemoryCatalog([Product(locale="US", asin=LAMP, title="My lamp", offers=(Offer(offer_listing_id=None),))])
    )
    amazon.sells({"asin": LAMP, "offersV2": {"listings": [listing()]}})
    assert bench.look(LAMP)[LAMP].title == "My lamp"


def test_only_what_is_shown_is_asked_for(bench: Bench, amazon: StandIn) -> None:
    lamp(bench, amazon, listing())
    (call,) = amazon.calls
    assert call.operation == "getItems"
    assert call.marketplace == "www.amazon.com"
    assert call.body["partnerTag"] == "lamp-20"
    assert call.body["resources"] == list(RESOURCES)


@pytest.mark.parametrize(
    ("version", "path", "header"),
    [
        ("2.1", "/oauth2/token", "Bearer token-for-tests, Version 2.1"),
        ("3.1", "/auth/o2/token", "Bearer token-for-tests"),
    ],
)
def test_both_kinds_of_credentials_get_a_token_and_use_it_again(
    make_bench: Callable[..., Bench], amazon: StandIn, version: str, path: str, header: str
) -> None:
    bench = make_bench(version=version, auth_endpoint=amazon.url + path)
    lamp(bench, amazon, listing())
    bench.clock.advance(minutes=50)
    assert bench.look(LAMP)[LAMP].offers[0].as_of >= START + timedelta(minutes=50)
    assert [token["path"] for token in amazon.tokens] == [path]
    assert [call.authorization for call in amazon.calls] == [header, header]


@pytest.mark.parametrize(
    ("locale", "host"), [("IE", "www.amazon.ie"), ("EG", "www.amazon.eg"), ("SE", "www.amazon.se")]
)
def test_locales_the_library_has_no_name_for_are_asked_by_their_marketplace(
    amazon: StandIn, locale: str, host: str
) -> None:
    credentials = read_credentials(amazon.settings | {"version": "2.2"}, [locale])
    source = CreatorsSource(credentials, {locale: "lamp-21"})
    assert source.fetch(locale, [LAMP]).products == []
    assert [call.marketplace for call in amazon.calls] == [host]
