"""What the shopper is told: choices, notes, limits, who may buy; in the page's language and the owner's words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from flask_ecscart.catalog.memory import MemoryCatalog
from flask_ecscart.cli import ecscart
from flask_ecscart.model import Offer, Product
from tests.browser.conftest import Embedded
from tests.support.blog import NONCE, Blog
from tests.support.browser import Problems
from tests.support.clock import FakeClock
from tests.support.shop import LAMP, LIMITED, MUG, OFFER_ID

pytestmark = pytest.mark.browser
ITEMS = re.compile(r"/items$")
FORM = {"US": {"associate_tag": "lamp-20", "handoff": "form"}}
PARENT, GREEN, RED = "B0TESTKIND", "B0TESTGREE", "B0TESTREDD"


def sold(
    asin: str, title: str, *, price: int | None = 4400, offer: dict[str, Any] | None = None, **more: Any
) -> Product:
    """A product with a price of Amazon's own, as old as this test."""
    made = {"price": price, "source": "creators", "as_of": datetime.now(timezone.utc)} | (offer or {})
    return Product(locale="US", asin=asin, title=title, offers=(Offer(offer_listing_id=None, **made),), **more)  # type: ignore[arg-type]


def kinds() -> list[Product]:
    """A cushion that comes in green and red, for a parent that cannot be bought."""
    green = sold(GREEN, "Cushion, green", price=2900, parent_asin=PARENT, choice="Green, 40 cm")
    red = sold(RED, "Cushion, red", price=3100, parent_asin=PARENT, choice="Red, 60 cm")
    parent = Product(locale="US", asin=PARENT, title="Cushion", kind="variation_parent", variations=(green, red))
    return [parent, green, red]


@pytest.fixture
def make(make_embedded: Callable[..., Embedded]) -> Callable[..., Embedded]:
    """`make(*products)`: a shop that hands off by the form and sells just these."""

    def make(*products: Product, **config: Any) -> Embedded:
        return make_embedded(**{"ECSCART_LOCALES": FORM, "ECSCART_CATALOG": MemoryCatalog(products)} | config)

    return make


def show(page: Page, blog: Blog, shop: Embedded, *asins: str, quantity: int = 1, **more: Any) -> None:
    """A page of the blog with the cart and a button for each ASIN."""
    buttons = "".join(shop.button(asin, quantity=quantity) for asin in asins)
    page.goto(blog.write(shop.script + shop.cart_element + buttons, **more))


def add(page: Page, *asins: str, status: int = 200) -> None:
    for asin in asins:
        with page.expect_response(ITEMS) as answer:
            page.get_by_text(f"Add to cart {asin}").click()
        assert answer.value.status == status


def opened(page: Page) -> Locator:
    page.locator("ecs-cart").get_by_role("button").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    return page.get_by_role("dialog")


def told(page: Page) -> Locator:
    """What is told beside the page while the drawer is closed."""
    return page.get_by_role("status").filter(has=page.get_by_role("button"))


# --- Choices -----------------------------------------------------------------------------------------------------


def test_a_refused_parent_leads_to_its_choices_and_the_chosen_one_goes_in(
    page: Page, blog: Blog, make: Callable[..., Embedded], page_problems: Problems
) -> None:
    page_problems.expect("422")
    show(page, blog, make(*kinds()), PARENT, quantity=2)
    for _ in range(2):  # asked twice, told once
        add(page, PARENT, status=422)
    expect(told(page)).to_contain_text("choose a variation")
    choices = told(page).get_by_role("group").get_by_role("button")
    expect(choices).to_have_text(["Green, 40 cm · $29.00", "Red, 60 cm · $31.00"])
    choices.last.focus()
    with page.expect_response(ITEMS):
        page.keyboard.press("Enter")
    expect(told(page)).to_contain_text("Added to your cart: Red, 60 cm")
    expect(choices).to_have_count(0)
    dialog = opened(page)
    expect(dialog.get_by_role("textbox", name="Quantity of Cushion, red")).to_have_value("2")


def test_choices_can_be_made_in_the_drawer_too(
    page: Page, blog: Blog, make: Callable[..., Embedded], page_problems: Problems
) -> None:
    page_problems.expect("422")
    show(page, blog, make(*kinds()), PARENT)
    add(page, PARENT, status=422)
    dialog = opened(page)
    with page.expect_response(ITEMS):
        dialog.get_by_role("button", name="Green, 40 cm").click()
    expect(dialog.get_by_role("link", name="Cushion, green")).to_be_visible()
    expect(dialog.get_by_role("group")).to_have_count(0)


def test_refusals_notes_and_choices_speak_the_pages_language_not_the_browsers(
    page: Page, blog: Blog, make: Callable[..., Embedded], page_problems: Problems
) -> None:
    page_problems.expect("422")
    prime = sold(LAMP, "Messinglampe", offer={"deal": "prime_exclusive"})
    show(page, blog, make(*kinds(), prime), PARENT, LAMP, lang="de")
    add(page, PARENT, status=422)
    expect(told(page)).to_contain_text("wählen Sie eine Ausführung")
    add(page, LAMP)
    dialog = opened(page)
    expect(dialog).to_contain_text("für Prime-Mitglieder")
    expect(dialog).to_contain_text("(bezahlter Link)")
    expect(dialog).to_contain_text("öffnet sich in einem neuen Tab")


# --- Beside prices, links and the hand-off ------------------------------------------------------------------------


def test_prices_links_and_the_way_out_carry_the_notes_the_pages_have(
    page: Page, blog: Blog, make: Callable[..., Embedded]
) -> None:
    shop = make(
        sold(LAMP, "Lamp", offer={"deal": "prime_exclusive"}),
        sold(MUG, "Mug", price=None, offer={"price_hidden": True}),
    )
    show(page, blog, shop, LAMP, MUG)
    add(page, LAMP, MUG)
    dialog = opened(page)
    lamp, mug = (dialog.get_by_role("listitem").filter(has_text=name) for name in ("Lamp", "Mug"))
    expect(lamp).to_contain_text(re.compile(r"\$44\.00.*for Prime members · Prices as of \d\d:\d\d · \(paid link\)"))
    expect(mug).to_contain_text("See the price at Amazon.com · (paid link)")
    expect(mug).not_to_contain_text("$")
    expect(dialog).to_contain_text("may ask you to sign in. Nothing is bought until you pay there.")
    expect(dialog).to_contain_text("As an Amazon Associate I earn from qualifying purchases.")
    expect(dialog).to_contain_text("accurate as of the date/time indicated")


def test_a_price_is_gone_when_its_own_time_is_an_hour_old(
    page: Page, blog: Blog, make: Callable[..., Embedded]
) -> None:
    show(page, blog, make(sold(LAMP, "Lamp")), LAMP)
    add(page, LAMP)
    dialog = opened(page)
    expect(dialog).to_contain_text("$44.00")
    page.evaluate("() => { const now = Date.now; Date.now = () => now() + 3_600_000 }")
    page.evaluate("dispatchEvent(new StorageEvent('storage', {key: null}))")
    page.get_by_role("button", name="One more of Lamp").click()
    expect(dialog).not_to_contain_text("$")


def test_a_price_that_changes_under_the_shoppers_eyes_is_told(
    page: Page, blog: Blog, make: Callable[..., Embedded]
) -> None:
    shop = make(sold(LAMP, "Lamp"), ECSCART_CATALOG=(catalog := MemoryCatalog([sold(LAMP, "Lamp")])))
    show(page, blog, shop, LAMP)
    add(page, LAMP)
    dialog = opened(page)
    expect(dialog).to_contain_text("$44.00")
    catalog.put(sold(LAMP, "Lamp", price=4900))
    with page.expect_response(ITEMS):
        page.get_by_role("button", name="One more of Lamp").click()
    expect(dialog.get_by_role("status")).to_contain_text("Lamp: The price changed.")
    expect(dialog).to_contain_text("$49.00")


def test_parts_are_numbered_explained_and_ticked_off(page: Page, blog: Blog, make: Callable[..., Embedded]) -> None:
    locales = {"US": {"associate_tag": "lamp-20", "handoff": "form", "max_items_per_form": 1}}
    shop = make(sold(LAMP, "Lamp"), sold(MUG, "Mug"), ECSCART_LOCALES=locales)
    page.context.route(re.compile("amazon"), lambda route: route.fulfill(body="<title>Amazon</title>"))
    show(page, blog, shop, LAMP, MUG)
    add(page, LAMP, MUG)
    dialog = opened(page)
    expect(dialog).to_contain_text("Amazon.com takes this many items in 2 parts. Send each one.")
    with page.expect_popup():
        dialog.get_by_role("button", name="Continue to Amazon.com with 1 item (1/2)").click()
    page.bring_to_front()
    expect(dialog.get_by_role("button", name="(1/2) ✓")).to_be_visible()
    expect(dialog.get_by_role("button", name="(2/2)")).to_be_visible()


def test_a_cart_that_cannot_leave_says_so(page: Page, blog: Blog, make: Callable[..., Embedded]) -> None:
    off = {"US": {"associate_tag": "lamp-20", "handoff": "off"}}
    show(page, blog, make(sold(LAMP, "Lamp"), ECSCART_LOCALES=off), LAMP)
    add(page, LAMP)
    expect(opened(page)).to_contain_text("This cart cannot be sent to Amazon.com from here.")


# --- Limits ------------------------------------------------------------------------------------------------------


def test_a_known_limit_is_told_before_it_is_reached_and_999_when_it_is(
    page: Page, blog: Blog, embedded: Embedded
) -> None:
    show(page, blog, embedded, LIMITED, LAMP)
    add(page, LIMITED, LAMP)
    dialog = opened(page)
    limited, lamp = (dialog.get_by_role("listitem").filter(has_text=name) for name in ("Test Limt", "Test Lamp"))
    expect(limited).to_contain_text("At most 3.")
    expect(lamp).not_to_contain_text("At most")
    quantity = page.get_by_role("textbox", name="Quantity of Test Lamp")
    quantity.fill("1000")
    expect(quantity).to_have_value("100")  # no fourth digit fits
    quantity.fill("999")
    with page.expect_response(ITEMS):
        page.keyboard.press("Enter")
    expect(lamp).to_contain_text("At most 999.")
    expect(page.get_by_role("button", name="One more of Test Lamp")).to_have_attribute("aria-disabled", "true")


@pytest.mark.parametrize("typed", ["-1", "1.5", "x", "", "1e2"])
def test_what_is_no_number_of_pieces_is_taken_back(page: Page, blog: Blog, embedded: Embedded, typed: str) -> None:
    show(page, blog, embedded, LAMP)
    add(page, LAMP)
    opened(page)
    quantity = page.get_by_role("textbox", name="Quantity of Test Lamp")
    quantity.fill(typed)
    page.keyboard.press("Enter")
    expect(quantity).to_have_value("1")
    expect(page.get_by_role("button", name="Cart, 1 item", include_hidden=True)).to_have_count(1)


def test_a_full_cart_says_so_before_the_51st_item_and_keeps_what_it_has(
    page: Page, blog: Blog, embedded: Embedded, page_problems: Problems
) -> None:
    page_problems.expect("422")
    show(page, blog, embedded, LAMP)
    page.evaluate(
        """async () => {
            for (let n = 0; n < 50; n++) {
                const button = document.createElement("ecs-add-to-cart");
                button.setAttribute("asin", "B0TEST" + String(n).padStart(4, "0"));
                document.querySelector("main").append(button);
                button.add();
            }
        }"""
    )
    expect(page.get_by_role("button", name="Cart, 50 items")).to_be_visible()
    dialog = opened(page)
    expect(dialog).to_contain_text("This cart is full: 50 different items.")
    page.keyboard.press("Escape")
    page.wait_for_function("!Object.keys(localStorage).some(key => key.includes('did:'))")  # all fifty are there
    add(page, LAMP, status=422)
    expect(told(page)).to_contain_text("A cart holds at most 50 different items, and yours is full. Remove one first.")
    expect(page.get_by_role("button", name="Cart, 50 items")).to_be_visible()


# --- Lines, batches, expiry ---------------------------------------------------------------------------------------


def test_two_sellers_lines_of_one_item_are_changed_apart(page: Page, blog: Blog, embedded: Embedded) -> None:
    offer = f'<ecs-add-to-cart offer-listing-id="{OFFER_ID}"><button>From Mug House</button></ecs-add-to-cart>'
    page.goto(blog.write(embedded.script + embedded.cart_element + embedded.button(MUG) + offer))
    add(page, MUG)
    with page.expect_response(ITEMS):
        page.get_by_text("From Mug House").click()
    dialog = opened(page)
    theirs = dialog.get_by_role("listitem").filter(has_text="Mug House")
    with page.expect_response(ITEMS):
        theirs.get_by_role("button", name="One more").click()
    expect(theirs.get_by_role("textbox")).to_have_value("2")
    with page.expect_response(ITEMS):
        theirs.get_by_role("button", name="Save for later").click()
    expect(page.get_by_role("button", name="Cart, 1 item", include_hidden=True)).to_have_count(1)
    page.wait_for_load_state("networkidle")
    expect(dialog.get_by_role("textbox", name="Quantity of Test Mugs")).to_have_value("1")
    expect(dialog.get_by_role("button", name="Move to cart: Test Mugs")).to_be_visible()


def test_what_came_beside_a_bad_entry_goes_in(
    page: Page, blog: Blog, embedded: Embedded, page_problems: Problems
) -> None:
    page_problems.expect("422")
    show(page, blog, embedded, LAMP, "lamp", MUG)
    with page.expect_response(lambda answer: bool(ITEMS.search(answer.url)) and answer.status == 422):
        page.evaluate("document.querySelectorAll('ecs-add-to-cart a').forEach(link => link.click())")
    expect(page.get_by_role("button", name="Cart, 2 items")).to_be_visible()
    expect(told(page)).to_contain_text("one has ten capital letters and digits.")
    dialog = opened(page)
    expect(dialog).to_contain_text("Test Lamp")
    expect(dialog).to_contain_text("Test Mugs")


def test_an_expired_cart_comes_back_and_says_so(
    page: Page, blog: Blog, make_embedded: Callable[..., Embedded], clock: FakeClock
) -> None:
    shop = make_embedded(clock=clock)
    show(page, blog, shop, LAMP, MUG)
    add(page, LAMP)
    with shop.site.database.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM ecscart_remote_carts")
    dialog = opened(page)
    expect(dialog).to_contain_text("Your cart had expired; we put the items back.")
    expect(dialog.get_by_role("textbox", name="Quantity of Test Lamp")).to_have_value("1")


# --- The owner's words --------------------------------------------------------------------------------------------

OWN = {
    "title": "Basket",
    "items": "{n} thing|{n} things",
    "add": "Pop it in",
    "add_de": "Rein damit",
    "title_nl": "Mandje",
}


def test_an_owner_changes_any_text_on_a_blog_under_a_strict_policy_with_one_request(
    page: Page, blog: Blog, embedded: Embedded
) -> None:
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation', e => console.error('CSP ' + e.violatedDirective))"
    )
    blog.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src {embedded.url} 'nonce-{NONCE}'; connect-src {embedded.url}; "
        "img-src data:; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    tag = embedded.script.replace("<script ", f"<script nonce=\"{NONCE}\" data-texts='{json.dumps(OWN)}' ")
    empty = "<ecs-add-to-cart asin='{}'{}></ecs-add-to-cart>".format
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if embedded.url in request.url else None)
    page.goto(blog.write(tag + "<ecs-cart></ecs-cart>" + empty(LAMP, "") + empty(MUG, " lang=de")))
    expect(page.get_by_role("button", name="Basket, 0 things")).to_be_visible()
    expect(page.get_by_role("button", name="Rein damit")).to_be_visible()
    assert asked == [f"{embedded.url}/ecscart/ecscart.js"]
    with page.expect_response(ITEMS):
        page.get_by_role("button", name="Pop it in").click()
    page.get_by_role("button", name="Basket, 1 thing").click()
    expect(page.get_by_role("dialog", name="Basket")).to_contain_text("1 thing")


def test_a_language_we_have_no_words_for_takes_the_owners_and_english_for_the_rest(
    page: Page, blog: Blog, embedded: Embedded
) -> None:
    tag = embedded.script.replace("<script ", f"<script data-texts='{json.dumps(OWN)}' ")
    page.goto(blog.write(tag + "<ecs-cart></ecs-cart>", lang="nl"))
    expect(page.get_by_role("button", name="Mandje, 0 things")).to_be_visible()


def test_texts_that_are_no_json_do_not_stop_the_cart(page: Page, blog: Blog, embedded: Embedded) -> None:
    tag = embedded.script.replace("<script ", "<script data-texts='{title: Basket}' ")
    page.goto(blog.write(tag + "<ecs-cart></ecs-cart>" + embedded.button(LAMP)))
    add(page, LAMP)
    expect(page.get_by_role("button", name="Your cart, 1 item")).to_be_visible()


def test_the_settings_texts_reach_the_widget_by_the_snippet(
    page: Page, blog: Blog, make_embedded: Callable[..., Embedded]
) -> None:
    shop = make_embedded(ECSCART_TEXTS={"title": 'Our "basket" & more', "undo": "Oops"})
    printed = shop.app.test_cli_runner().invoke(ecscart, ["embed", "--base", shop.url, "--asin", LAMP])
    assert printed.exit_code == 0, printed.output
    page.goto(blog.write(printed.stdout + "<ecs-cart></ecs-cart>"))
    with page.expect_response(ITEMS):
        page.locator("ecs-add-to-cart a").click()
    page.locator("ecs-cart").first.get_by_role("button").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name='Our "basket" & more')).to_be_visible()
    dialog.get_by_role("button", name="Remove: Test Lamp").click()
    expect(dialog.get_by_role("button", name="Oops")).to_be_visible()


def test_one_element_speaks_another_language_than_its_page(page: Page, blog: Blog, embedded: Embedded) -> None:
    show(page, blog, embedded, LAMP)
    page.evaluate("document.querySelector('ecs-cart').lang = 'fr'")
    add(page, LAMP)
    dialog = opened(page)
    expect(dialog).to_contain_text("Votre panier")
    assert dialog.get_attribute("lang") == "fr"
