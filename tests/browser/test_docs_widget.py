"""The examples of docs/widget.md, pasted into a page on another origin: they do what the page says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Embedded
from tests.support.blog import Blog
from tests.support.browser import Problems
from tests.support.house import ROOT
from tests.support.shop import LAMP, LIMITED, MUG

pytestmark = pytest.mark.browser

DOCS = (ROOT / "docs" / "widget.md").read_text()
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", DOCS, flags=re.MULTILINE | re.DOTALL))
ICON = '<link rel="icon" href="data:,">'


def example(heading: str, language: str, shop: Embedded) -> str:
    """The first example in `language` under a heading, about the shop and its lamp."""
    [code, *_] = re.findall(rf"^```{language}\n(.*?)^```", SECTIONS[heading], flags=re.MULTILINE | re.DOTALL)
    return str(code).replace("https://shop.example.org", shop.url).replace("B000000000", LAMP)


def add(page: Page, name: str) -> None:
    with page.expect_response(re.compile(r"/items$")) as answer:
        page.locator("ecs-add-to-cart > a").filter(has_text=name).click()
    assert answer.value.ok


def test_the_whole_page_sells(page: Page, blog: Blog, embedded: Embedded) -> None:
    blog.pages["home"] = example("A whole page", "html", embedded).replace("<title>", ICON + "<title>")
    page.goto(blog.origin)
    add(page, "Add to cart")
    page.get_by_role("button", name="Cart, 1 item").click()
    expect(page.get_by_role("dialog")).to_contain_text("Test Lamp")


def test_a_cart_without_a_button_is_opened_and_counted_by_the_pages_own_script(
    page: Page, blog: Blog, embedded: Embedded
) -> None:
    page.goto(blog.write(embedded.script + example("The cart", "html", embedded) + embedded.button(LAMP, quantity=2)))
    add(page, f"Add to cart {LAMP}")
    page.get_by_role("button", name="My basket (2)").click()
    expect(page.get_by_role("dialog")).to_contain_text("Test Lamp")


def test_a_page_hears_what_was_added_and_can_keep_something_out(page: Page, blog: Blog, embedded: Embedded) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    buttons = embedded.button(LAMP, quantity=3) + embedded.button(MUG, quantity=11)
    page.goto(blog.write(embedded.script + embedded.cart_element + buttons + example("Events", "html", embedded)))
    page.get_by_text(f"Add to cart {MUG}").click()
    add(page, f"Add to cart {LAMP}")
    expect(page.get_by_role("button", name="Cart, 3 items")).to_be_visible()
    assert said == [f"added {LAMP} to US now 3"]


@pytest.mark.parametrize(("event", "silent"), [("ecs:notice", True), ("ecs:change", False)])
def test_only_a_prevented_notice_is_not_shown(
    page: Page, blog: Blog, embedded: Embedded, event: str, silent: bool
) -> None:
    prevent = f"<script>document.addEventListener('{event}', event => event.preventDefault())</script>"
    page.goto(blog.write(prevent + embedded.script + embedded.cart_element + embedded.button(LIMITED, quantity=5)))
    add(page, f"Add to cart {LIMITED}")
    expect(page.get_by_role("status").filter(has_text="Added to your cart")).to_be_visible()
    expect(page.get_by_text("this seller allows 3")).to_have_count(0 if silent else 1)


def test_a_page_gives_the_cart_its_looks(page: Page, blog: Blog, embedded: Embedded) -> None:
    style = f"<style>{example('Looks', 'css', embedded)}{example('The button', 'css', embedded)}</style>"
    page.goto(blog.write(embedded.script + embedded.cart_element + embedded.button(LAMP), head=style))
    add(page, f"Add to cart {LAMP}")
    button = page.locator("ecs-add-to-cart")
    assert button.get_attribute("state") == "added"
    assert button.locator("a").evaluate("a => getComputedStyle(a, '::after').content") == '" ✓"'
    page.get_by_role("button", name="Cart, 1 item").click()
    drawer = page.get_by_role("dialog")
    assert drawer.evaluate("e => [getComputedStyle(e).left, getComputedStyle(e).borderRightWidth]") == ["0px", "4px"]
    title = page.get_by_role("heading", name="Your cart")
    assert title.evaluate("e => getComputedStyle(e).fontFamily") == "Georgia, serif"
    leave = page.get_by_text("Continue to Demo Store")
    assert leave.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(122, 31, 61)"


def test_a_page_gives_the_cart_its_words(page: Page, blog: Blog, embedded: Embedded) -> None:
    tag = example("Words and languages", "html", embedded)
    carts = '<ecs-cart></ecs-cart> <ecs-cart lang="de"></ecs-cart>'
    page.goto(blog.write(tag + carts + embedded.button(LAMP, quantity=2)))
    add(page, f"Add to cart {LAMP}")
    expect(page.get_by_role("button", name=re.compile("^Körbchen, 2 "))).to_be_visible()
    page.get_by_role("button", name="Basket, 2 things").click()
    expect(page.get_by_role("dialog")).to_contain_text("Take 2 things to Demo Store")


def test_a_page_needs_nothing_in_its_policy_but_what_is_said(
    page: Page, blog: Blog, make_embedded: Callable[..., Embedded]
) -> None:
    shop = make_embedded(ECSCART_LOCALES={"US": "lamp-20"})
    policy = example("Content-Security-Policy", "text", shop).strip()
    blog.headers["Content-Security-Policy"] = (
        f"default-src 'none'; {policy}; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation', e => console.error('CSP ' + e.violatedDirective))"
    )
    page.context.route("https://www.amazon.com/**", lambda route: route.fulfill(body="The retailer."))
    page.goto(blog.write(shop.script + shop.cart_element + shop.button(LAMP)))
    add(page, f"Add to cart {LAMP}")
    page.get_by_role("button", name="Cart, 1 item").click()
    with page.expect_popup() as popup:
        page.get_by_text("Continue to Amazon.com with 1 item").click()
    expect(popup.value.get_by_text("The retailer.")).to_be_visible()


def test_the_browser_keeps_only_what_is_said_under_the_names_that_are_said(
    page: Page, blog: Blog, embedded: Embedded, page_problems: Problems
) -> None:
    page_problems.expect("ERR_CONNECTION_REFUSED")
    said = {name.strip("`…") for name in re.findall(r"^\| (`\S+`) \|", SECTIONS["What is kept in the browser"], re.M)}
    assert said == {"kept", "did:", "sending", "token"}
    page.goto(blog.write(embedded.script + embedded.cart_element + embedded.button(LAMP) + embedded.button(LIMITED)))
    add(page, f"Add to cart {LAMP}")
    embedded.running.stop()
    page.get_by_text(f"Add to cart {LIMITED}").click()
    expect(page.get_by_role("button", name="Cart, 2 items")).to_be_visible()
    kept = json.loads(page.evaluate("JSON.stringify({...localStorage})"))
    prefix = f"ecscart:{embedded.url}/ecscart:"
    assert {re.sub(r"(?<=:)[\d.]+$", "", name.removeprefix(prefix)) for name in kept} == said
    [change] = [json.loads(value) for name, value in kept.items() if ":did:" in name]
    assert change.keys() == {"kind", "locale", "line", "at"}
    assert change["line"] == {"asin": LIMITED, "quantity": 1}
    assert json.loads(kept[prefix + "kept"]) == {"US": [1, 0]}
    under_way = json.loads(kept[prefix + "sending"])
    assert under_way.keys() <= {"ids", "kind", "locale", "items", "outcome", "tries", "until"}
    embedded.restart()
