"""The main job in a real browser: one shopper, a cart per locale, and a hand-off each."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Problems
from tests.support.web import Site

pytestmark = pytest.mark.browser

CORNER = "/posts/a-corner-to-read-in"
CUP = "/posts/one-good-cup"
SPECIAL = "/posts/what-the-cart-tells-you"
GERMAN = "/posts/schreibtisch-am-abend"
LAMP = "Brass Reading Lamp with Dimmer and Linen Cord"


def add(page: Page, asin: str) -> None:
    """Click the post's button for an ASIN and wait until the cart has it."""
    with page.expect_response(re.compile(r"/items$")) as answer:
        page.locator(f'ecs-add-to-cart[asin="{asin}"]').first.locator("a, button").first.click()
    assert answer.value.status == 200


def open_cart(page: Page) -> None:
    page.get_by_role("button", name=re.compile(r"^(Cart|Warenkorb)")).first.click()
    expect(page.get_by_role("dialog")).to_be_visible()


def subtotal(money: str) -> re.Pattern[str]:
    return re.compile(r"(Subtotal|Zwischensumme)\s*" + re.escape(money))


def test_the_whole_journey(page: Page, site: Site, screenshot: Callable[..., Path]) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(site.url + CORNER)
    add(page, "B0EXUSLAMP")
    page.goto(site.url + CUP)
    add(page, "B0EXUSKETL")
    expect(page.get_by_role("button", name="Cart, 2 items").first).to_be_visible()

    open_cart(page)
    dialog = page.get_by_role("dialog")
    lamp = dialog.get_by_role("listitem").filter(has_text=LAMP)
    expect(lamp).to_contain_text("$64.00")
    lamp.get_by_role("button", name=f"One more of {LAMP}").click()
    expect(dialog).to_contain_text(subtotal("$186.00"))
    screenshot("mini-cart-open")

    lamp.get_by_role("button", name=re.compile("^Save for later")).click()
    expect(dialog.get_by_role("button", name=f"Move to cart: {LAMP}")).to_be_visible()
    expect(dialog).to_contain_text(subtotal("$58.00"))
    dialog.get_by_role("button", name=f"Move to cart: {LAMP}").click()
    expect(dialog).to_contain_text(subtotal("$186.00"))

    with page.expect_popup() as popup:
        dialog.get_by_role("link", name="Continue to Demo Store with 3 items").or_(
            dialog.get_by_role("button", name="Continue to Demo Store with 3 items")
        ).click()
    retail = popup.value
    expect(retail.get_by_text("paperlamp-20")).to_be_visible()
    expect(retail.get_by_role("row").filter(has_text=LAMP)).to_contain_text("$128.00")
    screenshot("retail-demo", of=retail)
    retail.close()

    page.bring_to_front()
    page.reload()
    open_cart(page)
    expect(page.get_by_text("Did your 3 items arrive")).to_be_visible()
    page.get_by_role("button", name="Yes, start a new cart").click()
    expect(page.get_by_role("dialog")).to_contain_text("Your cart is empty")
    page.keyboard.press("Escape")
    add(page, "B0EXUSDRIP")
    expect(page.get_by_role("button", name="Cart, 1 item").first).to_be_visible()


def test_a_capped_quantity_is_told(page: Page, site: Site, screenshot: Callable[..., Path]) -> None:
    page.goto(site.url + SPECIAL)
    for _ in range(3):
        add(page, "B0EXUSMILL")
    add(page, "B0EXUSMILL")
    open_cart(page)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("this seller allows 3")
    expect(dialog.get_by_role("textbox", name=re.compile("^Quantity of"))).to_have_value("3")
    screenshot("capped")


def test_what_is_sold_out_waits_and_what_cannot_be_bought_is_refused(
    page: Page, site: Site, page_problems: Problems
) -> None:
    page_problems.expect("422")
    page.goto(site.url + SPECIAL)
    add(page, "B0EXUSENDS")
    with page.expect_response(re.compile(r"/items$")) as answer:
        page.locator('ecs-add-to-cart[asin="B0EXUSMUGS"]').locator("a, button").first.click()
    assert answer.value.status == 422
    open_cart(page)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Not available right now")
    expect(dialog).to_contain_text("Saved for later: it is not available now")


def test_two_locales_are_two_carts_with_a_hand_off_each(
    page: Page, site: Site, screenshot: Callable[..., Path]
) -> None:
    page.goto(site.url + CORNER)
    add(page, "B0EXUSLAMP")
    page.goto(site.url + GERMAN)
    add(page, "B0EXDELAMP")
    open_cart(page)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("region")).to_have_count(2)
    screenshot("two-locales")
    for tag, money in (("paperlamp-20", "$64.00"), ("paperlampde-21", "EUR")):
        section = dialog.get_by_role("region").filter(has_text=money)
        with page.expect_popup() as popup:
            section.get_by_text("Demo Store", exact=False).filter(has_text=re.compile("Continue|weiter")).last.click()
        expect(popup.value.get_by_text(tag)).to_be_visible()
        popup.value.close()
        page.bring_to_front()


def test_the_whole_journey_by_keyboard(page: Page, site: Site) -> None:
    page.goto(site.url + CORNER)
    button = page.locator('ecs-add-to-cart[asin="B0EXUSLAMP"]').locator("a, button").first
    button.focus()
    with page.expect_response(re.compile(r"/items$")):
        page.keyboard.press("Enter")
    page.get_by_role("button", name="Cart, 1 item").first.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("button", name=f"One more of {LAMP}")).to_be_visible()
    for _ in range(12):
        name = page.evaluate(
            "() => { let e = document.activeElement;"
            " while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;"
            " return e?.getAttribute('aria-label') ?? e?.textContent ?? '' }"
        )
        if name == f"One more of {LAMP}":
            break
        page.keyboard.press("Tab")
    else:
        pytest.fail("The quantity cannot be reached by Tab")
    page.keyboard.press("Space")
    expect(dialog).to_contain_text(subtotal("$128.00"))
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Cart, 2 items").first).to_be_focused()
