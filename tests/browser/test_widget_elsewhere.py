"""The widget on a page of another origin: one script tag, no cookie, a token of its own."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.browser.conftest import Embedded
from tests.support.blog import NONCE, Blog
from tests.support.browser import Problems
from tests.support.shop import GERMAN, LAMP, MUG

pytestmark = pytest.mark.browser


def api_requests(page: Page) -> list[Request]:
    """Collects what `page` asks the API."""
    seen: list[Request] = []
    page.on("request", lambda request: seen.append(request) if "/ecscart/v1/" in request.url else None)
    return seen


def click_and_wait(page: Page, name: str) -> None:
    with page.expect_response(re.compile(r"/items$")) as answer:
        page.get_by_text(name).click()
    assert answer.value.status == 200


def test_one_script_tag_sells_from_another_origin_without_a_cookie(page: Page, blog: Blog, embedded: Embedded) -> None:
    asked = api_requests(page)
    page.goto(blog.write(embedded.script + embedded.cart_element + embedded.button(LAMP) + embedded.button(MUG)))
    expect(page.locator("ecs-cart").get_by_role("button")).to_be_visible()
    assert asked == []  # a page view costs no request
    click_and_wait(page, f"Add to cart {LAMP}")
    click_and_wait(page, f"Add to cart {MUG}")
    expect(page.get_by_role("button", name="Cart, 2 items")).to_be_visible()
    posts = [(request.method, request.url.rpartition("/")[2]) for request in asked if request.method == "POST"]
    assert posts == [("POST", "shopper"), ("POST", "items"), ("POST", "items")]
    sent = [request.headers for request in asked if request.url.endswith("/items") and request.method == "POST"]
    assert all(headers["authorization"].startswith("Bearer ") for headers in sent)
    assert all("cookie" not in headers for headers in sent)
    assert page.context.cookies() == []
    page.reload()
    page.get_by_role("button", name="Cart, 2 items").click()
    expect(page.get_by_role("dialog")).to_contain_text("$78.00")


def test_the_hand_off_leaves_from_the_blog_with_the_tag_and_no_secret_in_the_page(
    page: Page, blog: Blog, embedded: Embedded
) -> None:
    page.goto(blog.write(embedded.script + embedded.cart_element + embedded.button(LAMP)))
    click_and_wait(page, f"Add to cart {LAMP}")
    page.get_by_role("button", name="Cart, 1 item").click()
    with page.expect_popup() as popup:
        page.get_by_text("Continue to Demo Store with 1 item").click()
    expect(popup.value.get_by_text("lamp-20")).to_be_visible()
    kept = page.evaluate("JSON.stringify({...localStorage}) + document.documentElement.outerHTML")
    assert "hmac" not in kept.lower()
    assert "Test Lamp" not in page.evaluate("JSON.stringify({...localStorage})")
    assert "$" not in page.evaluate("JSON.stringify({...localStorage})")


def test_without_a_cart_on_the_page_the_button_alone_works(page: Page, blog: Blog, embedded: Embedded) -> None:
    page.goto(blog.write(embedded.script + embedded.button(LAMP)))
    click_and_wait(page, f"Add to cart {LAMP}")
    page.get_by_role("button", name="View cart").click()
    expect(page.get_by_role("dialog")).to_contain_text("Test Lamp")


def test_a_page_that_is_not_allowed_is_told_which_setting_and_keeps_its_links(
    page: Page, blog: Blog, make_embedded: Callable[..., Embedded], page_problems: Problems
) -> None:
    page_problems.expect("ECSCART_ALLOWED_ORIGINS")
    page_problems.expect("CORS|Failed to load resource|ERR_FAILED")
    shop = make_embedded(ECSCART_ALLOWED_ORIGINS=[])
    page.goto(blog.write(shop.script + shop.cart_element + shop.button(LAMP)))
    with page.expect_event("console", lambda message: "ECSCART_ALLOWED_ORIGINS" in message.text):
        page.get_by_text(f"Add to cart {LAMP}").click()
    with page.context.expect_page() as opened:
        page.get_by_text(f"Add to cart {LAMP}").click(modifiers=["Control"])
    expect(opened.value.get_by_role("button", name="Add to cart")).to_be_visible()
    page.get_by_text(f"Add to cart {LAMP}").click()
    page.wait_for_url(re.compile(r"/ecscart/add\?"))


def test_buttons_that_come_before_or_after_the_script_work_alike(page: Page, blog: Blog, embedded: Embedded) -> None:
    page.goto(blog.write(embedded.button(LAMP) + embedded.script + embedded.cart_element + embedded.button(MUG)))
    click_and_wait(page, f"Add to cart {LAMP}")
    click_and_wait(page, f"Add to cart {MUG}")
    page.evaluate(
        """asin => {  // as a single-page app does: element first, content and attributes later
            const element = document.createElement("ecs-add-to-cart");
            document.querySelector("main").append(element);
            element.setAttribute("asin", asin);
            element.setAttribute("locale", "DE");
            const button = document.createElement("button");
            button.textContent = "Late button";
            element.append(button);
        }""",
        GERMAN,
    )
    click_and_wait(page, "Late button")
    page.get_by_role("button", name="Cart, 3 items").click()
    expect(page.get_by_role("dialog").get_by_role("region")).to_have_count(2)


def test_two_shops_on_one_page_do_not_disturb_each_other(
    page: Page, blog: Blog, make_embedded: Callable[..., Embedded]
) -> None:
    one, two = make_embedded(), make_embedded()
    page.goto(blog.write(one.script + two.script + one.button(LAMP, label="One") + two.button(MUG, label="Two")))
    with page.expect_response(lambda answer: answer.url.endswith("/items")) as first:
        page.get_by_text("One").click()
    with page.expect_response(lambda answer: answer.url.endswith("/items")) as second:
        page.get_by_text("Two").click()
    assert first.value.url.startswith(one.url)
    assert second.value.url.startswith(two.url)
    assert (first.value.status, second.value.status) == (200, 200)


STRICT = (
    "default-src 'none'; script-src {shop} 'nonce-" + NONCE + "'; connect-src {shop}; img-src {shop} data:; "
    "base-uri 'none'; form-action {form}; require-trusted-types-for 'script'; trusted-types 'none'"
)


def strict(blog: Blog, shop: Embedded, form: str) -> str:
    blog.headers["Content-Security-Policy"] = STRICT.format(shop=shop.url, form=form)
    tag = shop.script.replace("<script ", f'<script nonce="{NONCE}" ')
    return blog.write(tag + shop.cart_element + shop.button(LAMP))


def test_it_works_under_a_strict_policy_with_trusted_types(page: Page, blog: Blog, embedded: Embedded) -> None:
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation', e => console.error('CSP ' + e.violatedDirective))"
    )
    page.goto(strict(blog, embedded, embedded.url))
    click_and_wait(page, f"Add to cart {LAMP}")
    page.get_by_role("button", name="Cart, 1 item").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Test Lamp")
    assert dialog.evaluate("e => getComputedStyle(e).position") == "fixed"
    with page.expect_popup() as popup:
        page.get_by_text("Continue to Demo Store with 1 item").click()
    expect(popup.value.get_by_text("lamp-20")).to_be_visible()


def test_a_form_policy_that_forbids_the_hand_off_is_said_and_links_are_offered(
    page: Page, blog: Blog, make_embedded: Callable[..., Embedded], page_problems: Problems
) -> None:
    page_problems.expect("form-action")
    shop = make_embedded(ECSCART_LOCALES={"US": "lamp-20"})
    page.goto(strict(blog, shop, "'none'"))
    click_and_wait(page, f"Add to cart {LAMP}")
    page.get_by_role("button", name="Cart, 1 item").click()
    page.get_by_text("Continue to Amazon.com with 1 item").click()
    link = (
        page.get_by_role("dialog")
        .get_by_role("link", name=re.compile("Test Lamp"))
        .and_(page.locator(f'a[href="https://www.amazon.com/dp/{LAMP}?tag=lamp-20"]'))
    )
    expect(link).to_be_visible()


def test_the_amazon_form_is_a_real_get_in_a_new_tab_with_referrer_and_nothing_before_the_click(
    page: Page, blog: Blog, make_embedded: Callable[..., Embedded]
) -> None:
    shop = make_embedded(ECSCART_LOCALES={"US": "lamp-20"})
    to_amazon: list[Request] = []
    page.context.route(
        re.compile("amazon"),
        lambda route, request: (
            to_amazon.append(request),
            route.fulfill(body="<title>Amazon</title>", content_type="text/html"),
        )[1],
    )
    page.goto(blog.write(shop.script + shop.cart_element + shop.button(LAMP, quantity=2)))
    click_and_wait(page, f"Add to cart {LAMP}")
    page.get_by_role("button", name="Cart, 2 items").click()
    button = page.get_by_text("Continue to Amazon.com with 2 items")
    expect(button).to_be_visible()
    assert to_amazon == []
    with page.expect_popup() as popup, page.expect_response(re.compile("/handoff$")):
        button.click()
    popup.value.wait_for_load_state()
    [request] = [request for request in to_amazon if "favicon" not in request.url]
    assert request.method == "GET"
    assert request.url == (
        f"https://www.amazon.com/gp/aws/cart/add.html?AssociateTag=lamp-20&ASIN.1={LAMP}&Quantity.1=2"
    )
    assert request.all_headers().get("referer", "").startswith(blog.origin)
    assert popup.value.evaluate("window.opener === null")
    page.bring_to_front()
    expect(page.get_by_role("dialog")).to_contain_text("Did your 2 items arrive at Amazon.com?")


def test_without_javascript_the_links_do_the_whole_journey(chromium: Browser, blog: Blog, embedded: Embedded) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(blog.write(embedded.script + embedded.cart_element + embedded.button(LAMP)))
    page.get_by_role("link", name=f"Add to cart {LAMP}").click()
    page.get_by_role("spinbutton").fill("2")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_role("main")).to_contain_text("Test Lamp")
    with page.expect_popup() as popup:
        page.get_by_role("button", name=re.compile("with 2 items")).click()
    expect(popup.value.get_by_text("lamp-20")).to_be_visible()
    context.close()


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("de", ["Ihr Warenkorb", "Für später merken", "Zwischensumme"]),
        ("fr", ["Votre panier", "Sous-total"]),
        ("ja", ["カート", "小計"]),
        ("de-AT", ["Ihr Warenkorb"]),
        ("nl", ["Your cart"]),
    ],
)
def test_the_pages_language_decides_the_words(
    page: Page, blog: Blog, embedded: Embedded, lang: str, words: list[str]
) -> None:
    page.goto(blog.write(embedded.script + embedded.cart_element + embedded.button(LAMP), lang=lang))
    click_and_wait(page, f"Add to cart {LAMP}")
    page.locator("ecs-cart").locator("a, button").first.click()
    for word in words:
        expect(page.get_by_role("dialog")).to_contain_text(word)
