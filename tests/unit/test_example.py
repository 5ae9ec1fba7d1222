"""The example site keeps what it promises: its catalog, its posts, its pages, and the demo as one process."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import Environment

from example_app import elsewhere, site
from example_app.posts import POSTS, STORES, Post
from example_app.products import CATALOG, read_products
from example_app.themes import THEMES, Theme
from flask_ecscart.catalog.file import FileCatalog, check
from flask_ecscart.locales import LOCALES, RECORDED
from flask_ecscart.model import CartItem, Offer, Product
from tests.support.process import free_port

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "example_app" / "static"
RETAIL = ROOT / "flask_ecscart" / "templates" / "ecscart" / "retail.html"
DISCLOSURE = "As an Amazon Associate I earn from qualifying purchases."
PAGES = ["/", "/about", "/nowhere", *(f"/posts/{post.slug}" for post in POSTS)]
LOOKS = ["/themes", *(f"/themes/{theme.name}" for theme in THEMES[1:])]
MANIFEST = json.loads((ROOT / "widget" / "custom-elements.json").read_text())
SHOP = "http://127.0.0.1:8000"
MONEY = re.compile(r"[$£€￥¥]\s?\d|\d\s?[€円]|EUR \d")


class Page(HTMLParser):
    """Every tag of a page with its attributes, and its text outside of `script` and `style`."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.inline: list[str] = []
        self.text = ""
        self._inside: str | None = None
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._inside = tag if tag in {"script", "style"} else None

    def handle_endtag(self, tag: str) -> None:
        self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside is None:
            self.text += data
        elif data.strip():
            self.inline.append(self._inside)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def fetched(self) -> list[str]:
        """The addresses a browser fetches by itself."""
        named = [attributes.get("src", "") for _, attributes in self.tags]
        linked = [attributes.get("href", "") for attributes in self.all("link")]
        return [address for address in named + linked if address and not address.startswith("data:")]

    def acting_attributes(self) -> list[str]:
        """Attributes that a strict Content-Security-Policy forbids."""
        return [name for _, attributes in self.tags for name in attributes if name == "style" or name.startswith("on")]


@pytest.fixture(scope="module")
def catalog() -> FileCatalog:
    return FileCatalog(CATALOG)


@pytest.fixture
def blog(tmp_path: Path) -> Flask:
    return site.create_app({"TESTING": True}, instance=tmp_path / "instance")


@pytest.fixture
def visitor(blog: Flask) -> FlaskClient:
    return blog.test_client()


@pytest.fixture
def stranger() -> Page:
    return Page(elsewhere.create_app(SHOP).test_client().get("/").text)


def offers(catalog: FileCatalog) -> list[tuple[Product, Offer]]:
    return [(product, offer) for product in catalog for offer in product.offers]


# --- The sample catalog --------------------------------------------------------------------------------------


def test_the_sample_catalog_has_no_problem() -> None:
    assert check(CATALOG) == []


def test_the_sample_catalog_is_large_enough_for_a_full_cart(catalog: FileCatalog) -> None:
    assert len(CATALOG.read_text("utf-8").splitlines()) - 1 >= 48
    assert len(catalog) >= 40
    assert {product.locale for product in catalog} == set(RECORDED)


def test_the_sample_asins_are_recognisably_invented(catalog: FileCatalog) -> None:
    assert [product.asin for product in catalog if not re.fullmatch(r"B0EX[A-Z0-9]{6}", product.asin)] == []


@pytest.mark.parametrize(
    ("asin", "availability", "limit"),
    [
        ("B0EXUSMILL", "in_stock", 3),
        ("B0EXUSENDS", "out_of_stock", None),
        ("B0EXUSGUID", "preorder", None),
        ("B0EXUSBLAN", "discontinued", None),
    ],
)
def test_the_us_has_a_product_that_is(asin: str, availability: str, limit: int | None, catalog: FileCatalog) -> None:
    offer = catalog.lookup("US", [asin])[asin].offers[0]
    assert (offer.availability, offer.limit) == (availability, limit)


@pytest.mark.parametrize("case", ["limit", "out_of_stock", "preorder", "variation_parent", "digital", "further offer"])
def test_a_special_case_is_there_in_another_locale_too(case: str, catalog: FileCatalog) -> None:
    met = {
        (word, product.locale)
        for product in catalog
        for offer in product.offers or [Offer(offer_listing_id=None)]
        for word in (
            product.kind,
            offer.availability,
            "limit" if offer.limit == 3 else "",
            "further offer" if offer is not (product.offers or [offer])[0] else "",
        )
    }
    assert {locale for word, locale in met if word == case} > {"US"}


@pytest.mark.parametrize(("parent", "kind"), [("B0EXUSMUGS", "variation_parent"), ("B0EXUSBOXS", "collection_parent")])
def test_a_parent_has_no_offer_and_three_members_that_have(parent: str, kind: str, catalog: FileCatalog) -> None:
    found = catalog.lookup("US", [parent])[parent]
    members = [product for product in catalog if product.parent_asin == parent]
    assert (found.kind, found.offers) == (kind, ())
    assert [member.kind for member in members] == ["product"] * 3
    assert all(member.offers for member in members)


@pytest.mark.parametrize("kind", ["digital", "inaccessible"])
def test_the_us_has_a_product_of_the_kind(kind: str, catalog: FileCatalog) -> None:
    assert [product for product in catalog if product.kind == kind and product.locale == "US"]


def test_every_parent_that_is_named_is_there(catalog: FileCatalog) -> None:
    named = {(product.locale, product.parent_asin) for product in catalog if product.parent_asin}
    assert named <= {(product.locale, product.asin) for product in catalog}


def test_one_product_in_stock_has_no_known_price(catalog: FileCatalog) -> None:
    assert [product.asin for product, offer in offers(catalog) if offer.available and offer.price is None] != []


def test_every_third_party_offer_names_its_seller_both_ways_and_no_merchant(catalog: FileCatalog) -> None:
    third = [offer for _, offer in offers(catalog) if offer.seller]
    assert len(third) >= 6
    assert all(offer.seller_id and re.fullmatch(r"A[0-9A-Z]{13}", offer.seller_id) for offer in third)
    assert all(offer.merchant_id is None for offer in third)


def test_every_offer_listing_id_is_percent_escaped_text(catalog: FileCatalog) -> None:
    listings = [offer.offer_listing_id or "" for _, offer in offers(catalog) if offer.offer_listing_id]
    assert all(re.fullmatch(r"(?:[A-Za-z0-9]|%2B|%2F)+%3D%3D", listing) for listing in listings)
    assert any("%2F" in listing for listing in listings)


@pytest.mark.parametrize("times_encoded", [0, 1])
def test_an_offer_is_found_by_its_listing_as_given_and_encoded_once_more(
    times_encoded: int, catalog: FileCatalog
) -> None:
    for product, offer in offers(catalog):
        if offer.offer_listing_id:
            sent = quote(offer.offer_listing_id, safe="") if times_encoded else offer.offer_listing_id
            assert catalog.offer(product.locale, sent) == (product, offer)


def test_every_picture_is_a_drawing_of_the_site_that_fetches_and_runs_nothing(catalog: FileCatalog) -> None:
    for path in {STATIC.parent / product.image.lstrip("/") for product in catalog if product.image}:
        drawing = path.read_text()
        assert drawing.startswith("<svg ")
        assert re.search(r"<script|<foreignObject|<style|href|url\(|\son\w+=", drawing) is None


def test_every_product_has_a_picture(catalog: FileCatalog) -> None:
    assert [product.asin for product in catalog if product.image is None] == []


def test_every_link_in_the_catalog_leads_to_the_card_of_its_product(catalog: FileCatalog, visitor: FlaskClient) -> None:
    links = [(product.asin, product.url.partition("#")) for product in catalog if product.url]
    assert len(links) >= 40
    for asin, (path, _, anchor) in links:
        assert anchor == asin
        assert f'id="{asin}"' in visitor.get(path).text


# --- The pages -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES + LOOKS)
def test_a_page_answers(path: str, visitor: FlaskClient) -> None:
    assert visitor.get(path).status_code == (404 if path == "/nowhere" else 200)


@pytest.mark.parametrize("path", PAGES + LOOKS)
def test_a_page_has_no_inline_script_or_style(path: str, visitor: FlaskClient) -> None:
    page = Page(visitor.get(path).text)
    assert page.inline == []
    assert page.acting_attributes() == []


@pytest.mark.parametrize("path", PAGES + LOOKS)
def test_a_page_fetches_from_its_own_site_alone_and_all_of_it_is_there(path: str, visitor: FlaskClient) -> None:
    for address in Page(visitor.get(path).text).fetched():
        assert re.match(r"/(?!/)", address), address
        with visitor.get(address) as answer:
            assert answer.status_code == 200, address


@pytest.mark.parametrize("path", PAGES + LOOKS)
def test_a_page_forbids_everything_it_does_not_need(path: str, visitor: FlaskClient) -> None:
    policy = visitor.get(path).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", PAGES + LOOKS)
def test_a_page_discloses_and_shows_no_price(path: str, visitor: FlaskClient) -> None:
    text = Page(visitor.get(path).text).text
    assert DISCLOSURE in text
    assert MONEY.search(text) is None


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_one_heading_a_cart_and_the_widget_once(path: str, visitor: FlaskClient) -> None:
    page = Page(visitor.get(path).text)
    assert [len(page.all(tag)) for tag in ("h1", "ecs-cart", "script")] == [1, 1, 1]


@pytest.mark.parametrize("post", POSTS, ids=lambda post: post.slug)
def test_a_post_says_which_language_it_is_in(post: Post, visitor: FlaskClient) -> None:
    page = Page(visitor.get(f"/posts/{post.slug}").text)
    assert page.all("html")[0]["lang"] == post.lang


@pytest.mark.parametrize("post", POSTS, ids=lambda post: post.slug)
def test_every_button_of_a_post_names_something_in_the_catalog(
    post: Post, visitor: FlaskClient, catalog: FileCatalog
) -> None:
    buttons = Page(visitor.get(f"/posts/{post.slug}").text).all("ecs-add-to-cart")
    assert len(buttons) >= 5
    for button in buttons:
        assert_known(button, catalog)


def assert_known(button: dict[str, str], catalog: FileCatalog) -> None:
    locale = button.get("locale", "US")
    if "offer-listing-id" in button:
        assert catalog.offer(locale, button["offer-listing-id"]) is not None
    if "asin" in button:
        assert set(catalog.lookup(locale, [button["asin"]])) == {button["asin"]}


def test_the_posts_use_every_locale(visitor: FlaskClient) -> None:
    used = {
        button.get("locale", "US")
        for post in POSTS
        for button in Page(visitor.get(f"/posts/{post.slug}").text).all("ecs-add-to-cart")
    }
    assert used == set(RECORDED) == set(STORES)


def test_one_button_buys_a_third_partys_offer(visitor: FlaskClient, catalog: FileCatalog) -> None:
    page = Page(visitor.get("/posts/what-the-cart-tells-you").text)
    [listing] = [button["offer-listing-id"] for button in page.all("ecs-add-to-cart") if button.get("offer-listing-id")]
    found = catalog.offer("US", listing)
    assert found is not None
    assert found[1].seller == "Harbor Lane Used Books"


def test_a_button_is_a_link_that_works_without_javascript(visitor: FlaskClient) -> None:
    page = Page(visitor.get("/posts/schreibtisch-am-abend").text)
    links = [link["href"] for link in page.all("a") if "/ecscart/add?" in link["href"]]
    assert len(links) == len(page.all("ecs-add-to-cart"))
    assert all("locale=DE" in link for link in links)
    assert visitor.get(links[0]).status_code == 200


def test_the_cards_show_what_the_catalog_calls_the_product(catalog: FileCatalog) -> None:
    for (locale, asin), card in read_products().items():
        product = catalog.lookup(locale, [asin])[asin]
        assert (card.title, card.image) == (product.title, product.image)


# --- The cart in three looks ---------------------------------------------------------------------------------


def documented(kind: str) -> set[str]:
    elements = [element for module in MANIFEST["modules"] for element in module["declarations"]]
    return {one["name"] for element in elements for one in element[kind]}


def test_the_looks_are_reached_from_every_page_of_the_blog_and_from_each_other(visitor: FlaskClient) -> None:
    for path in PAGES:
        assert {"href": "/themes"} in Page(visitor.get(path).text).all("a")
    for path in LOOKS:
        links = Page(visitor.get(path).text).all("a")
        assert [link["href"] for link in links if link["href"].startswith("/themes")] == LOOKS
        assert len([link for link in links if "aria-current" in link]) == 1
    assert visitor.get("/themes/nothing").status_code == 404


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_a_look_is_made_of_what_is_documented(theme: Theme) -> None:
    rules = re.sub(r"/\*.*?\*/", "", theme.sheet, flags=re.DOTALL)
    used = set(re.findall(r"(--ecs-[a-z-]+):", rules))
    assert used == (documented("cssProperties") if rules else set())
    assert set(re.findall(r"--[a-z_]\w*", rules)) <= {"--ecs"}
    assert set(re.findall(r"::part\(([^)]*)\)", rules)) <= documented("cssParts")
    assert re.search(r"[.#][a-z][\w-]*[^;}]*\{|!important|url\(", rules) is None
    assert bool(rules) == (theme.name != "plain")


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_a_look_shows_the_very_sheet_it_wears(theme: Theme, visitor: FlaskClient) -> None:
    page = Page(visitor.get(f"/themes/{theme.name}", follow_redirects=True).text)
    worn = [link["href"] for link in page.all("link") if link["href"].endswith(f"/{theme.name}.css")]
    assert len(worn) == bool(theme.sheet)
    assert theme.sheet in page.text
    for address in worn:
        with visitor.get(address) as answer:
            assert answer.text.strip().endswith(theme.sheet)


def test_the_sheet_around_the_looks_says_nothing_of_the_inside_of_the_cart() -> None:
    around = (STATIC / "themes" / "page.css").read_text()
    assert re.search(r"--ecs-|::part", around) is None


# --- The page on another origin ------------------------------------------------------------------------------


def test_the_strangers_page_takes_one_script_from_the_shop_and_nothing_else(stranger: Page) -> None:
    assert stranger.all("script") == [{"type": "module", "src": f"{SHOP}/ecscart/ecscart.js"}]
    assert stranger.inline == []
    assert [address for address in stranger.fetched() if not address.startswith("/")] == [f"{SHOP}/ecscart/ecscart.js"]


def test_the_strangers_buttons_are_links_to_the_shop(stranger: Page, catalog: FileCatalog) -> None:
    buttons = stranger.all("ecs-add-to-cart")
    assert len(buttons) >= 2
    for button in buttons:
        assert_known(button, catalog)
        assert [
            link for link in stranger.all("a") if link["href"].startswith(f"{SHOP}/ecscart/add?asin={button['asin']}")
        ]


# --- The stand-in retail page --------------------------------------------------------------------------------


def retail(**context: object) -> Page:
    template = Environment(autoescape=True).from_string(RETAIL.read_text("utf-8"))
    return Page(template.render({"locale": LOCALES["DE"], "associate_tag": "paperlampde-21", **context}))


def line(asin: str, title: str, quantity: int, cents: int | None) -> CartItem:
    money = LOCALES["DE"].money
    return CartItem(
        cart_item_id=f"C{asin}",
        asin=asin,
        title=title,
        quantity=quantity,
        price=None if cents is None else money(cents),
        item_total=None if cents is None else money(cents * quantity),
    )


ARRIVED = {
    "items": (line("B0EXDELAMP", "Leuchte <i>", 2, 7900), line("B0EXDEHEFT", "Heft", 1, None)),
    "saved": (line("B0EXDEABLG", "Ablage", 1, 3600),),
    "subtotal": LOCALES["DE"].money(15800),
}


def test_the_retail_page_shows_what_arrived_and_who_is_credited() -> None:
    words = " ".join(retail(**ARRIVED).text.split())
    assert "Demo store – nothing is sold here" in words
    assert "3 items arrived for amazon.de" in words
    assert "Credited to Associate tag: paperlampde-21" in words
    assert "Leuchte <i> B0EXDELAMP EUR 79,00 2 EUR 158,00" in words
    assert "Heft B0EXDEHEFT not known 1 not known" in words
    assert "Subtotal EUR 158,00" in words


def test_the_retail_page_keeps_the_saved_items_apart() -> None:
    words = " ".join(retail(**ARRIVED).text.split())
    assert words.index("Subtotal") < words.index("Saved for later") < words.index("B0EXDEABLG")
    assert "Saved for later" not in " ".join(retail(**{**ARRIVED, "saved": ()}).text.split())


def test_the_retail_page_is_friendly_when_the_cart_is_gone() -> None:
    page = retail(locale=None, associate_tag=None, items=(), saved=(), subtotal=None, problem="It was handed over.")
    assert "It was handed over." in page.text
    assert "what you chose is still there" in page.text
    assert "Credited" not in page.text


@pytest.mark.parametrize("nonce", [None, "r4nd0m"])
def test_the_retail_page_needs_nothing_from_elsewhere(nonce: str | None) -> None:
    page = retail(**ARRIVED, csp_nonce=nonce)
    assert page.fetched() == []
    assert page.inline == ["style"]
    assert page.acting_attributes() == []
    assert page.all("style") == [{} if nonce is None else {"nonce": nonce}]


# --- The demo as a process -----------------------------------------------------------------------------------


def test_the_secret_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    first = site.create_app(instance=tmp_path)
    second = site.create_app(instance=tmp_path)
    assert len(first.config["SECRET_KEY"]) >= 32
    assert first.config["SECRET_KEY"] == second.config["SECRET_KEY"]
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, str], int]]:
    """The running demo, its URLs by name and the port it was asked for, which somebody else has."""
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "example_app", "--port", str(port), "--instance", str(tmp_path)]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONWARNINGS": "error"}
        )
        with process:
            try:
                yield process, printed_urls(process), port
            finally:
                process.kill()


def printed_urls(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    urls: dict[str, str] = {}
    for printed in process.stdout:
        if found := re.match(r"\s+(.+?)\s{2,}(http://\S+)$", printed):
            urls[found[1]] = found[2]
        if "Ctrl-C" in printed:
            return urls
    raise AssertionError("The demo ended before it was open.")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_opens_three_servers_beside_a_taken_port_and_closes_cleanly(
    number: signal.Signals, demo: tuple[subprocess.Popen[str], dict[str, str], int]
) -> None:
    process, urls, taken = demo
    assert list(urls) == ["The blog", "Somebody else's", "The cart service"]
    assert f":{taken}/" not in urls["The blog"]
    shop = urls["The blog"].rstrip("/")
    assert "Paper" in read(urls["The blog"])
    assert f'src="{shop}/ecscart/ecscart.js"' in read(urls["Somebody else's"])
    assert "CartCreateResponse" in read(
        f"{urls['The cart service']}?Service=AWSECommerceService&AWSAccessKeyId=demo&Operation=CartCreate"
        "&AssociateTag=paperlamp-20&Item.1.ASIN=B0EXUSLAMP&Item.1.Quantity=1&Version=2013-08-01"
    )
    process.send_signal(number)
    assert process.wait(timeout=20) == 0


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read().decode()
