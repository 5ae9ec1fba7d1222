"""The pages without JavaScript for everybody: no axe violation, no sideways scrolling on the smallest phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ViewportSize

from tests.support.needs import axe_core
from tests.support.shop import LAMP, LIMITED, MUG, SOLD_OUT, Shop
from tests.support.web import Site

pytestmark = [pytest.mark.browser, pytest.mark.node]

SMALLEST: ViewportSize = {"width": 320, "height": 640}
AXE = (
    "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    ".then(found => found.violations.map(one => `${one.id}: ${one.nodes[0].html}`))"
)
PAGES = {
    "cart": "/ecscart/cart",
    "confirm": f"/ecscart/add?asin={LIMITED}",
    "waits": f"/ecscart/add?asin={SOLD_OUT}",
    "problem": f"/ecscart/add?asin={LAMP}&quantity=0",
}


@pytest.fixture
def site(tmp_path: Path, serve: Callable[..., Site]) -> Iterator[Site]:
    shop = Shop(tmp_path, ECSCART_LOCALES={"US": {"associate_tag": "lamp-20", "max_items_per_form": 2}})
    yield serve(shop.app)
    shop.site.database.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "de", "fr", "ja"])
def test_every_page_is_for_everybody(chromium: Browser, site: Site, language: str, scheme: str) -> None:
    context = chromium.new_context(
        viewport=SMALLEST,
        locale=language,
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=True,  # for axe, which is not ours
    )
    try:
        page = context.new_page()
        for asin, quantity in ((LAMP, 1), (MUG, 1), (LIMITED, 9), (SOLD_OUT, 1)):
            page.goto(f"{site.url}/ecscart/add?asin={asin}")
            page.locator("input[name=quantity]").fill(str(quantity))
            page.locator("button.primary").click()
        for name, path in PAGES.items():
            page.goto(site.url + path)
            assert page.locator("html").get_attribute("lang") == language
            assert page.evaluate("document.documentElement.scrollWidth") == SMALLEST["width"], name
            page.evaluate(axe_core())
            assert page.evaluate(AXE) == [], name
    finally:
        context.close()
