"""The cart in its three looks: what their style sheets say arrives in it, and nobody is shut out by one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from example_app.themes import THEMES
from tests.browser.test_widget_accessible import violations
from tests.support.web import Site

pytestmark = [pytest.mark.browser, pytest.mark.node]

NAMES = [theme.name for theme in THEMES]
CAPPED, SOLD_OUT = "B0EXUSMILL", "B0EXUSENDS"
LOOKS: dict[str, dict[tuple[str, str], str]] = {
    "plain": {
        ("toast", "background-color"): "rgb(255, 255, 255)",
        ("drawer", "width"): "432px",
        ("drawer", "right"): "0px",
        ("badge", "background-color"): "rgb(17, 68, 204)",
        ("go", "color"): "rgb(255, 255, 255)",
        ("stepper", "border-radius"): "12px",
    },
    "night": {
        ("toast", "background-color"): "rgb(20, 23, 34)",
        ("drawer", "background-color"): "rgb(20, 23, 34)",  # below its gradient, which forced colours take away
        ("drawer", "color"): "rgb(236, 232, 223)",
        ("small", "color"): "rgb(169, 172, 186)",
        ("stepper", "border-top-color"): "rgb(44, 49, 68)",
        ("saved", "background-color"): "rgb(29, 34, 49)",
        ("badge", "background-color"): "rgb(243, 191, 109)",
        ("go", "color"): "rgb(34, 21, 3)",
        ("saved", "border-radius"): "16px",
        ("drawer", "width"): "416px",
        ("drawer", "right"): "12px",
        ("button", "background-image"): "linear-gradient(rgb(248, 208, 139), rgb(234, 173, 79))",
    },
    "receipt": {
        ("drawer", "background-color"): "rgb(255, 253, 246)",
        ("drawer", "color"): "rgb(26, 23, 18)",
        ("drawer", "width"): "400px",
        ("drawer", "margin-left"): "440px",
        ("small", "color"): "rgb(87, 80, 63)",
        ("saved", "background-color"): "rgb(243, 239, 226)",
        ("go", "background-color"): "rgb(26, 23, 18)",
        ("go", "border-radius"): "0px",
        ("image", "filter"): "grayscale(1) contrast(1.3)",
        ("notice", "background-color"): "rgb(255, 233, 168)",
        ("badge", "background-color"): "rgb(215, 50, 31)",
        ("button", "text-transform"): "uppercase",
    },
}
"""Part and property → what a browser makes of it, at 1280 pixels and in light."""

COMPUTED = """([part, property]) => {
  const hosts = [...document.querySelectorAll(part == "button" ? "ecs-add-to-cart:empty" : "ecs-cart")];
  const found = hosts.flatMap(({ shadowRoot }) => [...shadowRoot.querySelectorAll(`[part~="${part}"]`)]);
  return getComputedStyle(found[0])[property];
}"""

SHOWS_THROUGH = """drawer => {
  const bar = drawer.querySelector('[part~="header"]');
  const seen = new Set();
  for (let top = 0; top <= drawer.scrollHeight; top += 10) {
    drawer.scrollTop = top;
    const { left, width, bottom } = bar.getBoundingClientRect();
    for (let x = left + 5; x < left + width; x += 10) {
      const found = drawer.getRootNode().elementFromPoint(x, bottom - 10);
      if (!bar.contains(found)) seen.add(found.id || found.part.value);
    }
  }
  return [...seen];
}"""
"""What of the list passes over the bar with the title while the drawer is scrolled, instead of under it."""


def fill(page: Page, site: Site, name: str) -> None:
    page.goto(f"{site.url}/themes/{name}")
    for asin in ("B0EXUSLAMP", CAPPED, SOLD_OUT):
        with page.expect_response(re.compile(r"/items$")) as answer:
            page.locator(f'ecs-add-to-cart[asin="{asin}"] a').click()
        assert answer.value.ok


def open_drawer(page: Page) -> None:
    page.locator("header ecs-cart").get_by_role("button").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("You asked for 4; this seller allows 3")
    expect(dialog.get_by_role("heading", name="Saved for later")).to_be_visible()


@pytest.mark.parametrize("name", NAMES)
def test_what_a_look_says_arrives_in_the_cart_under_the_pages_strict_policy(page: Page, site: Site, name: str) -> None:
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    fill(page, site, name)
    open_drawer(page)
    assert {of: page.evaluate(COMPUTED, list(of)) for of in LOOKS[name]} == LOOKS[name]


def test_as_it_comes_the_cart_follows_light_and_dark_and_the_other_looks_do_not(page: Page, site: Site) -> None:
    seen: dict[str, list[str]] = {name: [] for name in NAMES}
    for scheme in ("light", "dark"):
        for name in NAMES:
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
            page.goto(f"{site.url}/themes/{name}")
            seen[name].append(page.evaluate(COMPUTED, ["toast", "backgroundColor"]))
    assert {name: light != dark for name, (light, dark) in seen.items()} == {
        "plain": True,
        "night": False,
        "receipt": False,
    }


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
@pytest.mark.parametrize("name", NAMES)
def test_a_look_shuts_nobody_out(
    chromium: Browser, site: Site, screenshot: Callable[..., Path], name: str, scheme: Any, width: int
) -> None:
    context = chromium.new_context(
        color_scheme=scheme,
        viewport={"width": width, "height": 800},
        reduced_motion="reduce",
        bypass_csp=True,  # for axe, which is not ours
    )
    page = context.new_page()
    fill(page, site, name)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    open_drawer(page)
    assert violations(page) == []
    drawer = page.get_by_role("dialog")
    assert drawer.evaluate("e => e.scrollWidth <= e.clientWidth")
    screenshot(f"look {name} {scheme} {width}", of=page)
    if name != "plain":  # the bar as it comes lies below what is disabled; these sheets lift it
        assert drawer.evaluate(SHOWS_THROUGH) == []
    context.close()


def test_what_was_put_in_under_one_look_is_there_under_the_next(page: Page, site: Site) -> None:
    fill(page, site, "plain")
    for label in ("Night", "Receipt"):
        page.get_by_role("navigation").get_by_role("link", name=label).click()
        expect(page.get_by_role("button", name="Cart, 4 items", exact=True)).to_be_visible()
