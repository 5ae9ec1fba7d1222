"""What templates and `flask ecscart embed` print: everything the elements understand, and nothing that cannot work."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import render_template_string

from flask_ecscart.cli import ecscart
from tests.support.house import ROOT
from tests.support.shop import LAMP, OFFER_ID, Shop

BASE = "https://shop.example.org"
MANIFEST = json.loads((ROOT / "widget" / "custom-elements.json").read_text())
BY_HAND = {
    ("ecs-cart", "src"): "the link inside says which site it is",
    ("ecs-cart", "headless"): "for pages whose own script opens the drawer",
    ("ecs-add-to-cart", "src"): "the link inside says which site it is",
    ("ecs-add-to-cart", "state"): "set by the element",
}
"""Attributes no template prints, each with its reason."""


class Tags(HTMLParser):
    """The tags of a snippet in order, each with its attributes, and its texts."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def first(self, tag: str) -> dict[str, str | None]:
        return next(attributes for name, attributes in self.tags if name == tag)


@pytest.fixture
def printed(shop: Shop) -> Callable[[str], Tags]:
    """What a template of the shop prints."""

    def render(source: str, **values: object) -> Tags:
        with shop.app.test_request_context():
            return Tags(render_template_string(source, **values))

    return render


def test_templates_print_every_attribute_of_the_elements_or_there_is_a_reason(printed: Callable[..., Tags]) -> None:
    tags = printed(
        "{{ ecscart.cart(lang='de') }}{{ ecscart.button('B000000000', quantity=2, lang='de') }}"
        "{{ ecscart.button(offer_listing_id='x%2By') }}"
    ).tags
    found = {
        (tag, name) for tag, attributes in tags for name in attributes if tag.startswith("ecs-") and name != "lang"
    }
    known = {
        (element["tagName"], attribute["name"])
        for module in MANIFEST["modules"]
        for element in module["declarations"]
        for attribute in element["attributes"]
    }
    assert found == known - BY_HAND.keys()


def test_a_language_of_its_own_is_said_to_the_reader_the_widget_and_the_page_behind_the_link(
    printed: Callable[..., Tags],
) -> None:
    page = printed("{{ ecscart.button('B000000000', lang='de') }}{{ ecscart.cart(lang='fr') }}")
    assert page.first("ecs-add-to-cart")["lang"] == "de"
    assert page.first("ecs-cart")["lang"] == "fr"
    assert page.texts == ["In den Warenkorb", "Panier"]
    assert [re.findall(r"lang=(\w+)", str(link["href"])) for tag, link in page.tags if tag == "a"] == [["de"], ["fr"]]


def test_the_link_takes_the_owners_classes(printed: Callable[..., Tags]) -> None:
    page = printed("{{ ecscart.button('B000000000', class_='btn btn-primary') }}{{ ecscart.cart() }}")
    assert [link.get("class") for tag, link in page.tags if tag == "a"] == ["btn btn-primary", None]


def test_texts_reach_the_widget_whatever_is_in_them(printed: Callable[..., Tags]) -> None:
    texts = {"title": "\"Basket\" & <b>'more'</b>", "go": "かごへ {to}"}
    script = printed("{{ ecscart.script(texts=texts) }}{{ ecscart.script() }}", texts=texts)
    assert json.loads(str(script.first("script")["data-texts"])) == texts
    assert "data-texts" not in script.tags[1][1]


def test_what_an_owner_wrote_once_holds_on_the_pages_and_in_the_widget(tmp_path: Path) -> None:
    shop = Shop(tmp_path, ECSCART_TEXTS={"title": "Basket", "title_de": "Körbchen", "add": "Pop it in"})
    snippet = Tags(embed(shop, "--base", BASE).stdout)
    assert json.loads(str(snippet.first("script")["data-texts"])) == dict(shop.site.settings.texts)
    assert "Pop it in" in snippet.texts
    with shop.app.test_request_context():
        page = Tags(render_template_string("{{ ecscart.script(texts={'title': 'Bag'}) }}"))
    assert json.loads(str(page.first("script")["data-texts"])) == {**shop.site.settings.texts, "title": "Bag"}


def test_an_address_that_outlives_an_upgrade_has_no_hash_to_fail(printed: Callable[..., Tags]) -> None:
    page = printed("{{ ecscart.script() }}{{ ecscart.script(stable=True) }}")
    (_, hashed), (_, stable) = page.tags
    assert (stable["src"], "integrity" in stable) == ("/ecscart/ecscart.js", False)
    assert hashed["src"] != stable["src"]
    assert str(hashed["integrity"]).startswith("sha384-")
    assert hashed["crossorigin"] == "anonymous"  # without it a browser refuses the hash of another origin's file


def test_an_offer_is_added_by_its_listing_with_and_without_javascript(printed: Callable[..., Tags]) -> None:
    page = printed("{{ ecscart.button(offer_listing_id=id) }}", id=OFFER_ID)
    assert page.first("ecs-add-to-cart")["offer-listing-id"] == OFFER_ID
    assert "asin" not in str(page.first("a")["href"])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"asin": None}, "one of the two"),
        ({"asin": ""}, "one of the two"),
        ({"asin": LAMP, "offer_listing_id": "x"}, "one of the two"),
        ({"asin": LAMP, "locale": "FR"}, "There are: US, DE"),
        ({"asin": LAMP, "quantity": 0}, "from 1 to 999"),
        ({"asin": LAMP, "quantity": 1000}, "from 1 to 999"),
    ],
)
def test_a_button_that_cannot_work_says_so_where_it_is_written(
    shop: Shop, printed: Callable[..., Tags], wrong: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValueError, match=rf"ecscart\.button.*{says}"):
        printed("{{ ecscart.button(**wrong) }}", wrong=wrong)


# --- flask ecscart embed -------------------------------------------------------------------------------------


def embed(shop: Shop, *options: str) -> Result:
    return shop.app.test_cli_runner().invoke(ecscart, ["embed", *options])


def test_embed_prints_a_snippet_whose_every_address_is_the_shops(shop: Shop) -> None:
    told = embed(shop, "--base", BASE + "/", "--asin", LAMP, "--locale", "DE", "--quantity", "3", "--label", "Buy <it>")
    assert told.exit_code == 0
    page = Tags(told.stdout)
    assert page.first("ecs-add-to-cart") == {"asin": LAMP, "locale": "DE", "quantity": "3"}
    assert "Buy <it>" in page.texts
    addresses = [str(value) for _, tag in page.tags for name, value in tag.items() if name in {"href", "src"}]
    assert len(addresses) == 3
    for address in addresses:
        assert address.startswith(BASE + "/ecscart/")
        assert shop.client.get(address.removeprefix(BASE)).status_code == 200


def test_embed_prints_an_offer_and_a_stable_tag_when_asked(shop: Shop) -> None:
    page = Tags(embed(shop, "--base", BASE, "--offer-listing-id", OFFER_ID, "--stable", "--lang", "ja").stdout)
    assert page.first("script")["src"] == f"{BASE}/ecscart/ecscart.js"
    assert page.first("ecs-add-to-cart")["offer-listing-id"] == OFFER_ID
    assert "asin" not in page.first("ecs-add-to-cart")
    assert page.first("ecs-cart")["lang"] == "ja"


def test_embed_says_beside_the_snippet_what_else_is_needed(tmp_path: Path) -> None:
    locales = {"US": "lamp-20", "DE": {"associate_tag": "lampe-21", "handoff": "links"}}
    shop = Shop(tmp_path, ECSCART_LOCALES=locales, ECSCART_ALLOWED_ORIGINS=[])
    told = embed(shop, "--base", BASE)
    assert "ECSCART_ALLOWED_ORIGINS" in told.stderr
    assert "until you upgrade" in told.stderr
    assert f"connect-src {BASE}; img-src {BASE}; form-action https://www.amazon.com" in told.stderr
    assert "amazon.de" not in told.stderr  # links need no form-action
    assert "ECSCART_ALLOWED_ORIGINS" not in told.stdout


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--base", "shop.example.org"], "https://shop.example.org"),
        (["--base", f"{BASE}/blog"], "without a path"),
        (["--base", BASE, "--locale", "FR"], "There are: US, DE"),
        (["--base", BASE, "--quantity", "1000"], "from 1 to 999"),
    ],
)
def test_embed_refuses_what_would_not_work(shop: Shop, options: list[str], says: str) -> None:
    told = embed(shop, *options)
    assert told.exit_code != 0
    assert says in told.stderr
    assert "<script" not in told.stdout
