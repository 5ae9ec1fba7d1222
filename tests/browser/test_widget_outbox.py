"""What the shopper did is shown at once, sent once, and survives everything that happens on the way."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.conftest import Embedded
from tests.support.blog import Blog
from tests.support.browser import Problems
from tests.support.shop import CHILD, LAMP, LIMITED, MUG, SOLD_OUT

pytestmark = pytest.mark.browser
ITEMS = re.compile(r"/items$")


@pytest.fixture
def changes(page: Page) -> list[Request]:
    """Every change the context's pages send, the preflights left out."""
    seen: list[Request] = []

    def note(request: Request) -> None:
        if ITEMS.search(request.url) and request.method in {"POST", "PATCH", "DELETE"}:
            seen.append(request)

    page.context.on("request", note)
    return seen


@pytest.fixture
def url(blog: Blog, embedded: Embedded) -> str:
    """A page of the blog with the cart and some buttons."""
    buttons = "".join(embedded.button(asin) for asin in (LAMP, MUG, LIMITED, SOLD_OUT, CHILD))
    return blog.write(embedded.script + embedded.cart_element + buttons)


def click(page: Page, asin: str) -> None:
    page.get_by_text(f"Add to cart {asin}").click()


def add(page: Page, asin: str) -> None:
    with page.expect_response(lambda answer: bool(ITEMS.search(answer.url)) and answer.status == 200):
        click(page, asin)


def open_cart(page: Page) -> None:
    page.locator("ecs-cart").get_by_role("button").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()


def badge(page: Page, pieces: int) -> None:
    name = "Cart, 1 item" if pieces == 1 else f"Cart, {pieces} items"
    expect(page.locator("ecs-cart").get_by_role("button", name=name)).to_be_visible()


def held(embedded: Embedded, page: Page) -> dict[str, int]:
    """What the server has for the shopper of this page."""
    token = page.evaluate(
        """() => Object.values(localStorage).flatMap(text => text.match(/[\\w-]{20,}\\.[\\w.-]{20,}/g) ?? [])[0]"""
    )
    answer = embedded.new_shopper().get(
        "/ecscart/v1/carts/US",
        headers={"Origin": page.evaluate("origin"), "Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 200, answer.text
    return {item["asin"]: item["quantity"] for item in (answer.json or {})["items"]}


def test_ten_clicks_on_plus_are_one_request(page: Page, url: str, changes: list[Request], embedded: Embedded) -> None:
    page.goto(url)
    add(page, LAMP)
    open_cart(page)
    changes.clear()
    with page.expect_response(ITEMS):
        for _ in range(10):
            page.get_by_role("button", name="One more of Test Lamp").click(delay=0)
    expect(page.get_by_role("textbox", name="Quantity of Test Lamp")).to_have_value("11")
    expect(page.get_by_role("dialog")).to_contain_text("$704.00")
    assert [request.method for request in changes] == ["PATCH"]
    assert held(embedded, page) == {LAMP: 11}


def test_two_quick_clicks_of_a_new_visitor_meet_in_one_cart(
    page: Page, url: str, changes: list[Request], embedded: Embedded
) -> None:
    page.goto(url)
    page.evaluate("document.querySelectorAll('ecs-add-to-cart a').forEach((link, at) => at < 2 && link.click())")
    badge(page, 2)
    page.wait_for_load_state("networkidle")
    assert held(embedded, page) == {LAMP: 1, MUG: 1}
    assert len({request.headers["authorization"] for request in changes}) == 1


def test_a_click_shows_before_the_server_answers(page: Page, url: str) -> None:
    answered = threading.Event()

    def slow(route: Route) -> None:
        badge(page, 1)
        answered.set()
        route.continue_()

    page.goto(url)
    page.route(ITEMS, slow)
    add(page, LAMP)
    assert answered.is_set()


def test_a_lost_answer_is_repeated_with_the_same_key_and_counts_once(
    page: Page, url: str, changes: list[Request], embedded: Embedded, page_problems: Problems
) -> None:
    page_problems.expect("Failed to load resource")
    lost: list[str] = []

    def lose_first(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.request.headers["idempotency-key"])
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    page.goto(url)
    page.route(ITEMS, lose_first)
    add(page, LAMP)
    assert [request.headers["idempotency-key"] for request in changes] == lost * 2
    assert held(embedded, page) == {LAMP: 1}


def test_busy_is_said_and_tried_again(page: Page, url: str, embedded: Embedded, page_problems: Problems) -> None:
    page_problems.expect("503")
    busy = [True, True]

    def refuse(route: Route) -> None:
        if route.request.method == "POST" and busy:
            busy.pop()
            route.fulfill(
                status=503,
                headers={
                    "Retry-After": "1",
                    "Access-Control-Allow-Origin": page.evaluate("origin"),
                    "Access-Control-Expose-Headers": "Retry-After",
                    "Content-Type": "application/problem+json",
                },
                body='{"type":"x","title":"x","status":503,"code":"unavailable","detail":"Busy.","retryAfter":1}',
            )
        else:
            route.continue_()

    page.goto(url)
    page.route(ITEMS, refuse)
    click(page, LAMP)
    said = page.get_by_role("status")
    expect(said.get_by_text("Busy, trying again.")).to_be_visible()
    expect(said.get_by_text("Added to your cart: Test Lamp")).to_be_visible()
    expect(said.get_by_text("Busy")).to_have_count(0)
    badge(page, 1)
    assert busy == []
    assert held(embedded, page) == {LAMP: 1}


def test_what_was_done_offline_is_sent_when_the_network_is_back(
    page: Page, url: str, embedded: Embedded, page_problems: Problems
) -> None:
    page_problems.expect("Failed to load resource|ERR_INTERNET_DISCONNECTED")
    page.goto(url)
    add(page, LAMP)
    page.context.set_offline(True)
    click(page, MUG)
    click(page, LAMP)
    badge(page, 3)
    expect(page.get_by_role("status").get_by_text("Offline. It is kept and sent later.")).to_be_visible()
    with page.expect_response(ITEMS):
        page.context.set_offline(False)
    page.wait_for_load_state("networkidle")
    badge(page, 3)
    assert held(embedded, page) == {LAMP: 2, MUG: 1}


def test_what_waits_survives_a_reload_and_a_server_that_was_away(
    page: Page, url: str, embedded: Embedded, page_problems: Problems
) -> None:
    page_problems.expect("Failed to load resource")
    page.goto(url)
    add(page, LAMP)
    embedded.running.stop()
    with page.expect_event("requestfailed"):
        click(page, MUG)
    badge(page, 2)
    page.close(run_before_unload=False)
    later = page.context.new_page()
    embedded.restart()
    with later.expect_response(lambda answer: bool(ITEMS.search(answer.url)) and answer.status == 200, timeout=30_000):
        later.goto(url)
    badge(later, 2)
    assert held(embedded, later) == {LAMP: 1, MUG: 1}


# --- Two tabs ---------------------------------------------------------------------------------------------------


@pytest.fixture
def tabs(page: Page, url: str) -> tuple[Page, Page]:
    page.goto(url)
    other = page.context.new_page()
    other.goto(url)
    return page, other


def test_two_tabs_show_the_same_cart(tabs: tuple[Page, Page]) -> None:
    one, two = tabs
    add(one, LAMP)
    badge(two, 1)
    open_cart(two)
    expect(two.get_by_role("dialog")).to_contain_text("Test Lamp")
    add_in_background(one, MUG)
    expect(two.get_by_role("dialog")).to_contain_text("Test Mugs")


def add_in_background(page: Page, asin: str) -> None:
    page.evaluate(f"document.querySelector('ecs-add-to-cart[asin={asin}] a').click()")


def test_one_request_is_in_flight_over_all_tabs(tabs: tuple[Page, Page], embedded: Embedded) -> None:
    one, two = tabs
    add(one, LAMP)
    flying: list[str] = []
    most: list[int] = []

    def watch(request: Request) -> None:
        if ITEMS.search(request.url) and request.method != "OPTIONS":
            flying.append(request.url)
            most.append(len(flying))

    def landed(request: Request) -> None:
        if request.url in flying and request.method != "OPTIONS":
            flying.remove(request.url)

    one.context.on("request", watch)
    one.context.on("requestfinished", landed)
    for _ in range(3):
        add_in_background(one, MUG)
        add_in_background(two, LAMP)
        add_in_background(two, CHILD)
    badge(one, 10)
    one.wait_for_load_state("networkidle")
    two.wait_for_load_state("networkidle")
    expect(two.locator("ecs-cart").get_by_role("button", name="Cart, 10 items")).to_be_visible()
    assert max(most) == 1
    assert held(embedded, one) == {LAMP: 4, MUG: 3, CHILD: 3}


def test_a_page_from_the_back_forward_cache_shows_the_truth(tabs: tuple[Page, Page]) -> None:
    one, two = tabs
    add(one, LAMP)
    open_cart(two)
    one.close()
    two.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    badge(two, 1)


# --- What is told ------------------------------------------------------------------------------------------------


def test_a_cap_is_told_once_and_can_be_dismissed(page: Page, url: str, embedded: Embedded) -> None:
    page.goto(url)
    add(page, LIMITED)
    open_cart(page)
    dialog = page.get_by_role("dialog")
    with page.expect_response(ITEMS):
        page.get_by_role("textbox", name="Quantity of Test Limt").fill("9")
        page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Quantity of Test Limt")).to_have_value("3")
    page.get_by_role("button", name="Close").click()
    page.reload()
    open_cart(page)
    expect(dialog).to_contain_text("Test Limt")
    expect(dialog.get_by_text("You asked for")).to_have_count(0)


def test_what_is_sold_out_is_told_in_words_a_shopper_knows(page: Page, url: str) -> None:
    page.goto(url)
    add(page, SOLD_OUT)
    open_cart(page)
    told = page.get_by_role("dialog").get_by_role("status").filter(has_text="not available now")
    expect(told).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Dismiss").first.click()
    expect(told).to_have_count(0)


def test_removing_can_be_undone(page: Page, url: str, embedded: Embedded) -> None:
    page.goto(url)
    add(page, LAMP)
    open_cart(page)
    with page.expect_response(ITEMS):
        page.get_by_role("button", name="Remove: Test Lamp").click()
    with page.expect_response(ITEMS):
        page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("textbox", name="Quantity of Test Lamp")).to_have_value("1")
    page.wait_for_load_state("networkidle")
    assert held(embedded, page) == {LAMP: 1}


def test_emptying_asks_first(page: Page, url: str, embedded: Embedded) -> None:
    page.goto(url)
    add(page, LAMP)
    open_cart(page)
    page.get_by_role("button", name="Empty this cart").click()
    page.get_by_role("button", name="No, keep it").click()
    assert held(embedded, page) == {LAMP: 1}
    page.get_by_role("button", name="Empty this cart").click()
    with page.expect_response(ITEMS):
        page.get_by_role("button", name="Yes, empty it").click()
    assert held(embedded, page) == {}


def test_a_hand_off_in_another_tab_cannot_use_a_dead_cart(tabs: tuple[Page, Page]) -> None:
    one, two = tabs
    add(one, LAMP)
    open_cart(two)
    expect(two.get_by_text("Continue to Demo Store with 1 item")).to_be_visible()
    open_cart(one)
    for tab, text in ((one, "lamp-20"), (two, "no longer this cart")):
        with tab.expect_popup() as popup:
            tab.get_by_text("Continue to Demo Store with 1 item").click()
        expect(popup.value.get_by_text(re.compile(text)).first).to_be_visible()


def test_a_script_in_a_title_is_only_text(page: Page, blog: Blog, make_embedded: Callable[..., Embedded]) -> None:
    import msgspec

    shop = make_embedded()
    hostile = '<img src=x onerror="document.title=1"></script><b>bold</b> \u202eevil'
    product = shop.catalog.lookup("US", [LAMP])[LAMP]
    shop.catalog.put(msgspec.structs.replace(product, title=hostile, url="javascript:document.title=2", image="data:,"))
    page.goto(blog.write(shop.script + shop.cart_element + shop.button(LAMP)))
    add(page, LAMP)
    open_cart(page)
    expect(page.get_by_role("dialog")).to_contain_text("<b>bold</b>")
    assert page.title() == "A blog"
    dangerous = "img[src=x], a[href^=javascript]"
    assert page.locator("ecs-cart").evaluate("(e, s) => e.shadowRoot.querySelectorAll(s).length", dangerous) == 0
    assert page.get_by_text("bold", exact=True).count() == 0
