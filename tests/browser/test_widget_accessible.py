"""Everybody can use it: axe finds nothing in any state, and it holds under zoom, right-to-left and forced colours."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from flask_ecscart.catalog.memory import MemoryCatalog
from flask_ecscart.model import Product
from tests.browser.conftest import Embedded
from tests.support.blog import Blog
from tests.support.needs import axe_core
from tests.support.shop import CHILD, GERMAN, LAMP, LIMITED, MUG, PARENT, SOLD_OUT, products

pytestmark = [pytest.mark.browser, pytest.mark.node]
ITEMS = re.compile(r"/items$")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page) -> list[str]:
    """What axe finds in the page as it stands."""
    page.evaluate(axe_core())
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    return [f"{found['id']}: {[node['html'][:120] for node in found['nodes']]}" for found in found["violations"]]


def add(page: Page, *asins: str) -> None:
    for asin in asins:
        with page.expect_response(lambda answer: bool(ITEMS.search(answer.url)) and answer.ok):
            page.get_by_text(f"Add to cart {asin}").click()


def open_cart(page: Page) -> None:
    page.locator("ecs-cart").get_by_role("button").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()


STATES: dict[str, tuple[str, ...]] = {
    "empty": (),
    "filled": (LAMP, MUG),
    "two carts": (LAMP, GERMAN),
    "notice": (SOLD_OUT, LIMITED),
}


def blog_page(blog: Blog, shop: Embedded, **more: Any) -> str:
    buttons = shop.button(LAMP) + shop.button(MUG) + shop.button(LIMITED, quantity=9) + shop.button(SOLD_OUT)
    return blog.write(shop.script + shop.cart_element + buttons + shop.button(GERMAN, "DE"), **more)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(
    chromium: Browser, blog: Blog, embedded: Embedded, screenshot: Callable[..., Path], state: str, scheme: Any
) -> None:
    context = chromium.new_context(color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.goto(blog_page(blog, embedded, head='<meta name="color-scheme" content="light dark">'))
    add(page, *STATES[state])
    assert violations(page) == []
    open_cart(page)
    assert violations(page) == []
    screenshot(f"state {state} {scheme}", of=page)
    context.close()


def test_axe_finds_nothing_after_removing_and_while_asking(page: Page, blog: Blog, embedded: Embedded) -> None:
    page.goto(blog_page(blog, embedded))
    add(page, LAMP, MUG)
    open_cart(page)
    page.get_by_role("button", name="Remove: Test Lamp").click()
    assert violations(page) == []
    page.get_by_role("button", name="Empty this cart").click()
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_what_is_told_and_asked(
    chromium: Browser, blog: Blog, make_embedded: Callable[..., Embedded], screenshot: Callable[..., Path], scheme: Any
) -> None:
    kind = Product(locale="US", asin=CHILD, title="Test Chil", choice="Green, in a size with a long name")
    kinds = Product(locale="US", asin=PARENT, title="Kinds", kind="variation_parent", variations=(kind,))
    shop = make_embedded(
        ECSCART_LOCALES={"US": {"associate_tag": "lamp-20", "handoff": "form", "max_items_per_form": 1}},
        ECSCART_CATALOG=MemoryCatalog([*products(), kinds]),
    )
    context = chromium.new_context(color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    context.route(re.compile("amazon"), lambda route: route.fulfill(body="<title>Amazon</title>"))
    head = '<meta name="color-scheme" content="light dark">'
    buttons = "".join(shop.button(asin) for asin in (PARENT, LAMP, MUG))
    page.goto(blog.write(shop.script + shop.cart_element + buttons, head=head))

    def looked_at(state: str) -> None:
        assert violations(page) == [], state
        screenshot(f"told {state} {scheme}", of=page)

    page.get_by_text(f"Add to cart {PARENT}").click()
    expect(page.get_by_role("status").get_by_role("group")).to_be_visible()
    looked_at("choices beside the page")
    add(page, LAMP, MUG)
    open_cart(page)
    looked_at("choices in the drawer")
    with page.expect_popup():
        page.get_by_role("button", name="(1/2)").click()
    page.bring_to_front()
    expect(page.get_by_text("Did your 2 items arrive at Amazon.com?")).to_be_visible()
    looked_at("asked")
    page.route(ITEMS, lambda route: route.fulfill(status=503, headers={"Retry-After": "9"}))
    page.get_by_role("button", name="One more of Test Lamp").click()
    expect(page.get_by_role("dialog").get_by_text(re.compile("Busy|Offline"))).to_be_visible()
    looked_at("busy")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="View cart")).to_be_visible()
    looked_at("busy beside the page")
    context.close()


@pytest.mark.parametrize(
    ("name", "options", "page_options"),
    [
        ("narrow", {"viewport": {"width": 320, "height": 640}}, {}),
        ("zoomed", {"viewport": {"width": 320, "height": 256}}, {}),
        ("right to left", {}, {"lang": "ar", "head": "<style>html{direction:rtl}</style>"}),
        ("forced colours", {"forced_colors": "active"}, {}),
    ],
)
def test_it_holds_in_narrow_zoomed_rtl_and_forced_colours(
    chromium: Browser,
    blog: Blog,
    embedded: Embedded,
    screenshot: Callable[..., Path],
    name: str,
    options: dict[str, Any],
    page_options: dict[str, str],
) -> None:
    context = chromium.new_context(**options)
    page = context.new_page()
    page.goto(blog_page(blog, embedded, **page_options))
    add(page, LAMP, SOLD_OUT)
    open_cart(page)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("$64.00")
    assert dialog.evaluate("e => e.scrollWidth <= e.clientWidth"), "the drawer scrolls sideways"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    for button in dialog.get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 24
        assert box["width"] >= 24
    page.get_by_role("button", name="One more of Test Lamp").click()
    expect(page.get_by_role("textbox", name="Quantity of Test Lamp")).to_have_value("2")
    assert violations(page) == []
    screenshot(f"holds {name}", of=page)
    context.close()


def test_the_focus_goes_into_the_drawer_stays_there_and_comes_back(page: Page, blog: Blog, embedded: Embedded) -> None:
    page.goto(blog_page(blog, embedded))
    add(page, LAMP)
    opener = page.locator("ecs-cart").get_by_role("button", name="Cart, 1 item")
    opener.focus()
    page.keyboard.press("Enter")
    inside = "() => !!document.querySelector('ecs-cart').shadowRoot.activeElement?.closest('dialog')"
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.evaluate(inside)
    for _ in range(25):
        page.keyboard.press("Tab")
        assert page.evaluate(inside) or page.evaluate("document.activeElement === document.body")
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()


def test_adding_is_announced(page: Page, blog: Blog, embedded: Embedded) -> None:
    page.goto(blog_page(blog, embedded))
    add(page, LAMP)
    expect(page.get_by_role("status").filter(has_text="Added to your cart")).to_be_visible()


def test_the_button_does_not_move_the_page_when_it_is_upgraded(page: Page, blog: Blog, embedded: Embedded) -> None:
    page.add_init_script(
        "window.shift = 0;"
        "new PerformanceObserver(list => list.getEntries().forEach(entry => window.shift += entry.value))"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    page.goto(blog_page(blog, embedded))
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.shift") == 0
