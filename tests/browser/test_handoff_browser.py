"""What a real browser sends to Amazon, and that it sends nothing before the shopper's click.

Every www.amazon.* is a stand-in on this machine. That the site itself never asks Amazon is checked beside: a test
that reached for another machine fails (tests/conftest.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from flask_ecscart.locales import LOCALES
from tests.support.blog import Blog
from tests.support.retail import RetailStandIn, browser_with_amazon_at, retail_stand_in
from tests.support.shop import Shop
from tests.support.web import Site

pytestmark = pytest.mark.browser

TAGS = {"US": "yoursite-20", "DE": "yoursite-21", "JP": "yoursite-22"}
LAMP, MUG, BOOK = "B0EXAMPL01", "B0EXAMPL02", "B0EXAMPL03"
URLS = {
    code: f"https://{LOCALES[code].retail_host}/gp/aws/cart/add.html?AssociateTag={tag}"
    f"&ASIN.1={LAMP}&Quantity.1=2&ASIN.2={MUG}&Quantity.2=1"
    for code, tag in TAGS.items()
}
every_locale = pytest.mark.parametrize("locale", TAGS)


@pytest.fixture(scope="module")
def amazon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RetailStandIn]:
    with retail_stand_in(tmp_path_factory.mktemp("retail")) as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def shoppers_browser(amazon: RetailStandIn, chromium: Browser) -> Iterator[Browser]:
    with browser_with_amazon_at(amazon.server_port, chromium) as browser:
        yield browser


@pytest.fixture
def visit(amazon: RetailStandIn, shoppers_browser: Browser) -> Iterator[Callable[..., Page]]:
    """`visit(java_script_enabled=False)`: a page of a new visitor, whom Amazon has not seen yet."""
    amazon.requests.clear()
    amazon.connections = 0
    amazon.reached.clear()
    contexts = []

    def new_page(**options: bool) -> Page:
        contexts.append(shoppers_browser.new_context(ignore_https_errors=True, **options))
        return contexts[-1].new_page()

    yield new_page
    for context in contexts:
        context.close()


@pytest.fixture
def shop_site(tmp_path: Path, serve: Callable[..., Site], blog: Blog) -> Iterator[Callable[..., str]]:
    """`shop_site(US={…})`: the address of a site that sells any ASIN there, also from the pages of the blog."""
    made: list[Shop] = []

    def start(**locales: object) -> str:
        config = {"ECSCART_LOCALES": locales or TAGS, "ECSCART_ALLOWED_ORIGINS": [blog.origin]}
        shop = Shop(tmp_path, ECSCART_CATALOG=None, **config)
        made.append(shop)
        return serve(shop.app).url

    yield start
    for shop in made:
        shop.site.database.close()


def blog_page(blog: Blog, url: str, locale: str) -> str:
    """The address of a page on another origin with the mini-cart and two buttons."""
    script = f'<script type="module" src="{url}/ecscart/ecscart.js"></script>'
    body = f'<ecs-cart><a href="{url}/ecscart/cart">Cart</a></ecs-cart>'
    for asin, quantity in ((LAMP, 2), (MUG, 1)):
        link = f'<a href="{url}/ecscart/add?asin={asin}&amp;locale={locale}&amp;quantity={quantity}">{asin}</a>'
        element = f'<ecs-add-to-cart asin="{asin}" locale="{locale}" quantity="{quantity}">'
        body += f"{element}{link}</ecs-add-to-cart>"
    return blog.write(body, head=script)


def put_in_by_forms(page: Page, url: str, locale: str) -> None:
    for asin, quantity in ((LAMP, 2), (MUG, 1)):
        page.goto(f"{url}/ecscart/add?asin={asin}&locale={locale}&lang=en")
        page.get_by_label("Quantity").fill(str(quantity))
        page.get_by_role("button", name="Add to cart").click()


@every_locale
def test_the_page_without_javascript_sends_exactly_this(
    visit: Callable[..., Page], shop_site: Callable[..., str], amazon: RetailStandIn, locale: str
) -> None:
    url = shop_site()
    page = visit(java_script_enabled=False)
    put_in_by_forms(page, url, locale)
    button = page.get_by_role("button", name=f"Continue to {LOCALES[locale].seller_nickname} with 3 items")
    button.hover()
    assert (amazon.requests, amazon.connections) == ([], 0)
    with page.context.expect_page() as popup:
        button.click()
    expect(popup.value.get_by_role("heading", name="Stand-in")).to_be_visible()
    assert amazon.requests == [(URLS[locale], f"{url}/")]
    assert page.url.startswith(f"{url}/ecscart/cart")


@every_locale
def test_the_widget_on_a_page_of_another_origin_sends_the_same(
    visit: Callable[..., Page], shop_site: Callable[..., str], blog: Blog, amazon: RetailStandIn, locale: str
) -> None:
    url = shop_site()
    page = visit()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(blog_page(blog, url, locale))
    for asin in (LAMP, MUG):
        with page.expect_response(lambda answer: answer.url.endswith("/items")):
            page.locator(f'ecs-add-to-cart[asin="{asin}"] a').click()
    page.get_by_role("button", name="Cart, 3 items").first.click()
    form = page.get_by_role("dialog").locator('form[action$="/gp/aws/cart/add.html"]')
    assert form.evaluate("f => [f.method, f.target, f.rel]") == ["get", "_blank", "sponsored nofollow noopener"]
    button = form.get_by_role("button")
    expect(button).to_contain_text(LOCALES[locale].seller_nickname)
    button.hover()
    assert (amazon.requests, amazon.connections) == ([], 0)
    with page.context.expect_page() as popup:
        button.click()
    expect(popup.value.get_by_role("heading", name="Stand-in")).to_be_visible()
    assert amazon.requests == [(URLS[locale], f"{blog.origin}/")], "by the click alone, and telling Amazon from where"
    assert {one.split("/ecscart/")[0] for one in asked if not one.startswith(blog.origin)} <= {url, "data:,"}
    assert page.url == f"{blog.origin}/"
    assert page.locator("iframe, link[rel*=pre], meta[http-equiv=refresh]").count() == 0


def test_parts_are_sent_one_by_one_each_by_its_own_click(
    visit: Callable[..., Page], shop_site: Callable[..., str], amazon: RetailStandIn
) -> None:
    url = shop_site(US={"associate_tag": "yoursite-20", "max_items_per_form": 1})
    page = visit(java_script_enabled=False)
    put_in_by_forms(page, url, "US")
    for number, (asin, quantity) in enumerate(((LAMP, 2), (MUG, 1)), 1):
        with page.context.expect_page() as popup:
            page.get_by_role("button", name=f"Part {number} of 2").click()
        expect(popup.value.get_by_role("heading", name="Stand-in")).to_be_visible()
        form = "https://www.amazon.com/gp/aws/cart/add.html?AssociateTag=yoursite-20"
        assert [sent for sent, _ in amazon.requests][number - 1 :] == [f"{form}&ASIN.1={asin}&Quantity.1={quantity}"]


def test_a_link_beside_the_form_sends_tag_and_referer(
    visit: Callable[..., Page], shop_site: Callable[..., str], amazon: RetailStandIn
) -> None:
    url = shop_site(JP={"associate_tag": "yoursite-22", "handoff": "links"})
    page = visit(java_script_enabled=False)
    put_in_by_forms(page, url, "JP")
    assert amazon.connections == 0
    with page.context.expect_page() as popup:
        page.locator(".links").get_by_role("link", name=f"Item {LAMP}").click()
    expect(popup.value.get_by_role("heading", name="Stand-in")).to_be_visible()
    assert amazon.requests == [(f"https://www.amazon.co.jp/dp/{LAMP}?tag=yoursite-22", f"{url}/")]


def test_switched_off_there_is_no_way_to_amazon(
    visit: Callable[..., Page], shop_site: Callable[..., str], amazon: RetailStandIn
) -> None:
    url = shop_site(US={"handoff": "off"})
    page = visit(java_script_enabled=False)
    put_in_by_forms(page, url, "US")
    expect(page.get_by_text("This cart cannot be sent to Amazon.com from here.")).to_be_visible()
    assert page.locator("form[action*=amazon]").count() == 0
    assert amazon.connections == 0


def test_the_stand_in_notices_a_page_that_asks_before_a_click(
    visit: Callable[..., Page], serve: Callable[..., Site], amazon: RetailStandIn
) -> None:
    app = Flask("hasty")
    app.add_url_rule("/", view_func=lambda: '<!doctype html><link rel="prefetch" href="https://www.amazon.com/">')
    visit().goto(serve(app).url)
    assert amazon.reached.wait(10)
