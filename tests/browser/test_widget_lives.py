"""The widget where pages come and go: storage that fails, single-page apps, the back-forward cache, keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Embedded
from tests.support.blog import Blog
from tests.support.browser import page_keeping_browser
from tests.support.shop import LAMP, MUG
from tests.support.web import Site

pytestmark = pytest.mark.browser
ITEMS = re.compile(r"/items$")


@pytest.fixture
def keeping(serve: Callable[..., Site], chromium: Browser) -> Iterator[Page]:
    """A page of a browser with a back-forward cache."""
    with page_keeping_browser(chromium) as browser:
        yield browser.new_context().new_page()


@pytest.fixture
def url(blog: Blog, embedded: Embedded) -> str:
    """A page of the blog with the cart and two buttons."""
    return blog.write(embedded.script + embedded.cart_element + embedded.button(LAMP) + embedded.button(MUG))


def add(page: Page, asin: str) -> None:
    with page.expect_response(lambda answer: bool(ITEMS.search(answer.url)) and answer.ok):
        page.get_by_text(f"Add to cart {asin}").click()


def badge(page: Page, pieces: int) -> None:
    expect(page.get_by_role("button", name=f"Cart, {pieces} item{'s' if pieces != 1 else ''}")).to_be_visible()


# --- Storage -----------------------------------------------------------------------------------------------------

FORBIDDEN = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})"
FULL = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }"


@pytest.mark.parametrize("storage", [FORBIDDEN, FULL], ids=["forbidden", "full"])
def test_without_storage_the_whole_journey_works_while_the_page_is_open(page: Page, url: str, storage: str) -> None:
    page.add_init_script(storage)
    page.goto(url)
    add(page, LAMP)
    add(page, MUG)
    add(page, LAMP)
    badge(page, 3)
    page.get_by_role("button", name="Cart, 3 items").click()
    dialog = page.get_by_role("dialog")
    with page.expect_response(ITEMS):
        dialog.get_by_role("button", name="Remove: Test Mugs").click()
    with page.expect_popup() as popup:
        dialog.get_by_text("Continue to Demo Store with 2 items").click()
    expect(popup.value.get_by_text("lamp-20")).to_be_visible()


def test_a_wiped_storage_is_a_new_shopper_not_a_broken_cart(page: Page, url: str) -> None:
    page.goto(url)
    add(page, LAMP)
    other = page.context.new_page()
    other.goto(url)
    other.evaluate("localStorage.clear()")
    add(page, MUG)
    badge(page, 1)
    page.get_by_role("button", name="Cart, 1 item").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Test Mugs")
    expect(dialog).not_to_contain_text("Test Lamp")


def test_a_wipe_while_a_change_is_under_way_loses_nothing_that_was_sent(page: Page, url: str) -> None:
    page.goto(url)
    add(page, LAMP)
    page.route(ITEMS, lambda route: (page.evaluate("localStorage.clear()"), route.continue_())[1])
    add(page, MUG)
    badge(page, 2)
    page.get_by_role("button", name="Cart, 2 items").click()


# --- Single-page apps ---------------------------------------------------------------------------------------------


def counts(page: Page) -> tuple[int, int]:
    """Listeners and nodes that are alive after the garbage was collected."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.enable")
    session.send("Performance.enable")
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    metrics = {row["name"]: int(row["value"]) for row in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return metrics["JSEventListeners"], metrics["Nodes"]


def test_elements_that_come_and_go_leave_nothing_behind(page: Page, url: str, embedded: Embedded) -> None:
    page.goto(url)
    add(page, LAMP)
    come_and_go = """html => {
        const main = document.querySelector("main");
        for (let n = 0; n < 40; n++) {
            const view = main.appendChild(document.createElement("div"));
            const cart = view.appendChild(document.createElement("ecs-cart"));
            const button = view.appendChild(document.createElement("ecs-add-to-cart"));
            button.setAttribute("asin", "B0TESTMUGS");
            view.append(cart, button);  // moved, as a list that is sorted does
            view.remove();
        }
    }"""
    page.evaluate(come_and_go)
    before = counts(page)
    page.evaluate(come_and_go)
    after = counts(page)
    assert after[0] - before[0] <= 5, (before, after)
    assert after[1] - before[1] <= 40, (before, after)
    add(page, LAMP)
    badge(page, 2)


def test_a_cart_that_is_moved_and_one_that_comes_instead_of_it_work_on(
    page: Page, url: str, embedded: Embedded
) -> None:
    page.goto(url)
    add(page, LAMP)
    page.evaluate("document.querySelector('h1').before(document.querySelector('ecs-cart'))")
    page.get_by_role("button", name="Cart, 1 item").click()
    expect(page.get_by_role("dialog")).to_contain_text("Test Lamp")
    page.evaluate(
        """() => {
            document.querySelector("ecs-cart").remove();
            document.querySelector("main").prepend(document.createElement("ecs-cart"));
        }"""
    )
    expect(page.get_by_role("dialog")).to_have_count(0)
    add(page, MUG)
    page.get_by_role("button", name="Your cart, 2 items").click()
    expect(page.get_by_role("dialog")).to_contain_text("Test Mugs")


def test_one_of_several_carts_tells_and_all_count(page: Page, blog: Blog, embedded: Embedded) -> None:
    page.goto(blog.write(embedded.script + embedded.cart_element * 2 + embedded.button(LAMP)))
    add(page, LAMP)
    expect(page.get_by_role("button", name="Cart, 1 item")).to_have_count(2)
    expect(page.get_by_text("Added to your cart: Test Lamp")).to_have_count(1)


# --- The back-forward cache ---------------------------------------------------------------------------------------


def test_a_page_kept_by_the_back_forward_cache_shows_what_happened_meanwhile(
    keeping: Page, blog: Blog, embedded: Embedded
) -> None:
    url = blog.write(embedded.script + embedded.cart_element + embedded.button(LAMP) + embedded.button(MUG))
    blog.write("Another page", name="elsewhere")
    page = keeping
    page.goto(url)
    page.evaluate("addEventListener('pageshow', event => { window.kept = event.persisted })")
    add(page, LAMP)
    badge(page, 1)
    with page.expect_response(re.compile(r"/carts$")):
        page.get_by_role("button", name="Cart, 1 item").click()
    expect(page.get_by_role("dialog")).to_contain_text("Test Lamp")
    # A page left in the midst of a request is not kept once another tab wants its turn.
    page.wait_for_function("async () => !(await navigator.locks.query()).held.length")
    page.goto(f"{blog.origin}/elsewhere")
    other = page.context.new_page()
    other.goto(url)
    add(other, MUG)
    page.bring_to_front()
    with page.expect_event("framenavigated"):
        page.evaluate("history.back()")  # go_back() waits for a page that is loaded again
    page.wait_for_function("'kept' in window")
    assert page.evaluate("window.kept") is True
    expect(page.get_by_role("dialog")).to_contain_text("Test Mugs")
    expect(page.locator("ecs-cart > a")).to_have_attribute("aria-label", "Cart, 2 items")


# --- Keyboard ----------------------------------------------------------------------------------------------------


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus is called `name`."""
    for _ in range(40):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """() => {
                let node = document.activeElement;
                while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
                return node?.ariaLabel || node?.textContent || "";
            }"""
        )
        if name in focused:
            return
    pytest.fail(f"No Tab reaches {name!r}; the last one reached {focused!r}")


def test_the_whole_journey_by_keyboard_alone(page: Page, url: str, embedded: Embedded) -> None:
    page.goto(url)
    tab_to(page, f"Add to cart {LAMP}")
    with page.expect_response(ITEMS):
        page.keyboard.press("Space")
    tab_to(page, f"Add to cart {MUG}")
    with page.expect_response(ITEMS):
        page.keyboard.press("Enter")
    tab_to(page, "View cart")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("textbox", name="Quantity of Test Lamp")).to_be_visible()
    tab_to(page, "One more of Test Lamp")
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    expect(dialog.get_by_role("textbox", name="Quantity of Test Lamp")).to_have_value("3")
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("5")
    with page.expect_response(ITEMS):
        page.keyboard.press("Enter")
    expect(dialog.get_by_role("textbox", name="Quantity of Test Lamp")).to_have_value("5")
    tab_to(page, "Save for later: Test Mugs")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="Move to cart: Test Mugs")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="Save for later: Test Mugs")).to_be_focused()
    tab_to(page, "Remove: Test Mugs")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("textbox", name="Quantity of Test Mugs")).to_be_focused()
    tab_to(page, "Empty this cart")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="No, keep it")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")
    for _ in range(4):
        page.keyboard.press("Tab")
    tab_to(page, "Continue to Demo Store with 6 items")
    with page.expect_popup() as popup:
        page.keyboard.press("Enter")
    expect(popup.value.get_by_text("lamp-20")).to_be_visible()
    popup.value.close()
    page.bring_to_front()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    tab_to(page, "Cart, ")
    page.keyboard.press("Enter")
    tab_to(page, "Yes, start a new cart")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("Your cart is empty.")
