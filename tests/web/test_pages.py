"""The pages that need no JavaScript: the whole journey by links and forms."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from jinja2 import DictLoader
from werkzeug.test import TestResponse

from flask_ecscart.texts import Words
from flask_ecscart.web.markup import Markings
from tests.support.shop import GERMAN, LAMP, LIMITED, MUG, OFFER_ID, PARENT, SOLD_OUT, Shop


class Tags(HTMLParser):
    """The names of the elements and attributes of a page, as a browser reads them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {tag, *(name for name, _ in attrs)}


def token_in(page: TestResponse) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found is not None
    return found.group(1)


def post(shop: Shop, path: str, **values: str) -> TestResponse:
    form = "/ecscart/cart" if path == "cart" else f"/ecscart/add?asin={LAMP}"
    values.setdefault("token", token_in(shop.client.get(form)))
    return shop.client.post(f"/ecscart/{path}", data=values)


def line_id(shop: Shop, asin: str) -> str:
    cart = shop.cart()
    return str(next(item["cartItemId"] for item in [*cart["items"], *cart["saved"]] if item["asin"] == asin))


def test_a_link_asks_first_and_its_form_adds(shop: Shop) -> None:
    page = shop.client.get(f"/ecscart/add?asin={LAMP}&locale=US&quantity=2")
    assert "Test Lamp" in page.text
    assert shop.held() == {}
    answer = post(shop, "add", asin=LAMP, locale="US", quantity="2")
    assert (answer.status_code, shop.held()) == (303, {LAMP: 2})
    assert answer.headers["Location"].startswith("/ecscart/cart")


def test_everything_the_cart_page_offers_works(shop: Shop) -> None:
    shop.add(LAMP, MUG, quantity=2)
    post(shop, "cart", locale="US", do=f"set:{line_id(shop, LAMP)}", **{f"quantity:{line_id(shop, LAMP)}": "5"})
    assert shop.held() == {LAMP: 5, MUG: 2}
    post(shop, "cart", locale="US", do=f"save:{line_id(shop, LAMP)}")
    assert (shop.held(), shop.saved()) == ({MUG: 2}, {LAMP: 5})
    post(shop, "cart", locale="US", do=f"move:{line_id(shop, LAMP)}")
    post(shop, "cart", locale="US", do=f"remove:{line_id(shop, MUG)}")
    assert shop.held() == {LAMP: 5}
    post(shop, "cart", locale="US", do="clear")
    assert shop.held() == {}


def test_notices_and_the_way_out_stand_on_the_cart_page(shop: Shop) -> None:
    shop.add(LIMITED, quantity=9)
    shop.add(SOLD_OUT)
    page = shop.client.get("/ecscart/cart").text
    assert "not available now" in page
    assert "Continue to Demo Store with 3 items" in page


@pytest.mark.parametrize("token", ["", "forged", "ImEi.aaaa.bbbb"])
def test_a_form_without_its_token_changes_nothing(shop: Shop, token: str) -> None:
    shop.add(LAMP)
    assert post(shop, "cart", locale="US", do="clear", token=token).status_code == 403
    assert post(shop, "add", asin=MUG, token=token).status_code == 403
    assert shop.held() == {LAMP: 1}


def test_a_form_token_of_another_shopper_changes_nothing(shop: Shop) -> None:
    shop.add(LAMP)
    stolen = token_in(shop.new_shopper().get(f"/ecscart/add?asin={LAMP}"))
    assert post(shop, "cart", locale="US", do="clear", token=stolen).status_code == 403
    assert shop.held() == {LAMP: 1}


def test_a_form_posted_from_another_site_changes_nothing(shop: Shop) -> None:
    shop.add(LAMP)
    token = token_in(shop.client.get("/ecscart/cart"))
    answer = shop.client.post(
        "/ecscart/cart",
        data={"token": token, "locale": "US", "do": "clear"},
        headers={"Origin": "https://evil.example"},
    )
    assert (answer.status_code, shop.held()) == (403, {LAMP: 1})


@pytest.mark.parametrize(
    "query",
    [
        "",
        "asin=",
        f"asin={LAMP}&offer_listing_id={OFFER_ID}",
        f"asin={LAMP}&quantity=0",
        f"asin={LAMP}&quantity=1000",
        f"asin={LAMP}&quantity=x",
        f"asin={LAMP}&quantity=٣",
        f"asin={LAMP}&locale=XX",
    ],
)
def test_a_broken_link_is_a_clear_problem(shop: Shop, query: str) -> None:
    answer = shop.client.get(f"/ecscart/add?{query}")
    assert answer.status_code in {400, 404}
    assert answer.mimetype == "application/problem+json"


def test_an_item_that_cannot_be_bought_says_so_on_the_page(shop: Shop) -> None:
    answer = post(shop, "add", asin=PARENT, locale="US")
    assert answer.status_code == 422
    assert "it cannot be bought on its own here" in answer.text


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", "this shop does not know it"),
        ("de", "Dieser Shop kennt ihn nicht"),
        ("fr", "cette boutique ne le connaît pas"),
        ("ja", "このショップでは取り扱いがありません"),
    ],
)
def test_a_dead_asin_is_told_apart_from_one_that_cannot_be_bought(shop: Shop, lang: str, said: str) -> None:
    page = shop.client.get(f"/ecscart/add?asin=B0DEADDEAD&lang={lang}").text
    form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
    refused = shop.client.post("/ecscart/add", data=form)
    assert (refused.status_code, said in refused.text) == (422, True)
    answer = shop.client.post(
        "/ecscart/v1/carts/US/items", json={"items": [{"asin": "B0DEADDEAD"}]}, headers={"Accept-Language": lang}
    )
    assert said in str((answer.json or {})["detail"])


def test_a_sentence_in_another_language_than_its_page_says_so(make_shop: Callable[..., Shop]) -> None:
    for texts, attribute in (
        ({}, ' lang="en"'),
        ({"disclosure_ja": "Amazonのアソシエイトとして…"}, ' lang="ja"'),
        ({"disclosure": "Amazon pays."}, ""),
    ):
        locales = {"JP": {"associate_tag": "lamp-22", "handoff": "links"}}
        shop = make_shop(ECSCART_LOCALES=locales, ECSCART_CATALOG=None, ECSCART_TEXTS=texts)
        shop.add(LAMP, locale="JP")
        assert f'<p class="quiet small"><span{attribute}>' in shop.client.get("/ecscart/cart?lang=fr").text


def test_hostile_parameters_are_shown_as_text(shop: Shop) -> None:
    page = shop.client.get('/ecscart/add?asin="><script>alert(1)</script>')
    assert "<script>" not in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")


HOSTILE = [
    "<script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "\u202egnidaer\u202c \u2066x",
    "{{ 7 * 7 }} {n} %s",
    "a\x00b\x07c",
    "x" * 10_000,
]


@pytest.mark.parametrize("title", HOSTILE, ids=["script", "attribute", "bidi", "template", "control", "10 kB"])
def test_a_hostile_title_is_text_kept_apart_and_short(shop: Shop, title: str) -> None:
    old = shop.catalog.lookup("US", [LIMITED])[LIMITED]
    shop.catalog.put(msgspec.structs.replace(old, title=title))
    shop.add(LIMITED, quantity=9)
    for address in ("/ecscart/cart", f"/ecscart/add?asin={LIMITED}"):
        page = shop.client.get(address).text
        seen = Tags(page)
        assert not seen.found & {"script", "onmouseover"}
        assert not re.search(r"[\x00\x07\u202a-\u202e\u2066-\u2069]|x{201}", page)
        assert "<bdi>" in page
        assert "49" not in re.findall(r"<bdi>(.*?)</bdi>", page)[0]


def test_a_picture_or_page_that_is_no_web_address_is_left_out(shop: Shop) -> None:
    old = shop.catalog.lookup("US", [LAMP])[LAMP]
    shop.catalog.put(msgspec.structs.replace(old, url="javascript:alert(1)", image="javascript:alert(2)"))
    shop.add(LAMP)
    page = shop.client.get("/ecscart/cart").text + shop.client.get(f"/ecscart/add?asin={LAMP}").text
    assert "Test Lamp" in page
    assert "javascript:" not in page


# --- Quantities ----------------------------------------------------------------------------------------------


def test_the_quantity_has_no_ceiling_in_the_form_so_that_the_seller_s_limit_is_told(shop: Shop) -> None:
    page = shop.client.get(f"/ecscart/add?asin={LIMITED}").text
    assert "max=" not in page
    assert "At most 3 can be ordered." in page
    page = post(shop, "add", asin=LIMITED, quantity="9")
    shown = shop.client.get(page.headers["Location"]).text
    assert "<b><bdi>Test Limt</bdi></b>: You asked for 9; this seller allows 3." in shown


@pytest.mark.parametrize("quantity", ["1000", "0", "-1", "1.5", "", "many", "9" * 5000])
def test_a_quantity_nobody_can_have_asks_again_on_the_same_page(shop: Shop, quantity: str) -> None:
    answer = post(shop, "add", asin=LAMP, quantity=quantity)
    assert answer.status_code == 422
    assert "The quantity must be a whole number from 1 to 999." in answer.text
    assert token_in(answer)
    assert shop.held() == {}


def test_a_form_sent_twice_adds_once_and_with_another_quantity_again(shop: Shop) -> None:
    page = shop.client.get(f"/ecscart/add?asin={LAMP}").text
    form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
    for quantity in ("2", "2", "3"):
        shop.client.post("/ecscart/add", data={**form, "quantity": quantity})
    assert shop.held() == {LAMP: 5}


def test_the_enter_key_sets_every_quantity_that_was_typed(shop: Shop) -> None:
    shop.add(LAMP, MUG)
    page = shop.client.get("/ecscart/cart").text
    lines = page[page.index('name="do"') :]
    assert lines.startswith('name="do" value="set" class="first"')
    typed = {f"quantity:{line_id(shop, LAMP)}": "4", f"quantity:{line_id(shop, MUG)}": "0"}
    post(shop, "cart", locale="US", do="set", **typed)
    assert shop.held() == {LAMP: 4}


# --- Languages and texts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("locale=US", None, "en"),
        ("locale=DE", None, "de"),
        ("locale=DE", "en-US,de;q=0.5", "de"),
        ("locale=DE", "en-US", "en"),
        ("locale=US", "de-AT,en;q=0.8", "en"),
        ("locale=US", "ja", "ja"),
        ("locale=US", "es,fr;q=0.5", "fr"),
        ("locale=DE", "es", "en"),
        ("locale=DE&lang=fr", "de", "fr"),
        ("locale=DE&lang=xx", "de", "de"),
        ("lang=ja-JP", None, "ja"),
    ],
)
def test_the_language_is_the_one_asked_for_the_locales_or_the_readers(
    shop: Shop, query: str, accepted: str | None, language: str
) -> None:
    headers = {"Accept-Language": accepted} if accepted else {}
    page = shop.client.get(f"/ecscart/add?asin={LAMP}&{query}", headers=headers)
    assert f'<html lang="{language}">' in page.text
    assert Words({}, language)("add") in page.text
    assert page.headers["Content-Language"] == language
    assert "Accept-Language" in page.headers["Vary"]


def test_the_language_asked_for_stays_through_the_journey(shop: Shop) -> None:
    answer = post(shop, "add", asin=LIMITED, quantity="9", lang="de")
    page = shop.client.get(answer.headers["Location"]).text
    assert "Sie wollten 9; dieser Verkäufer erlaubt 3." in page
    assert '<input type="hidden" name="lang" value="de">' in page


def test_the_api_tells_notices_in_the_readers_language(shop: Shop) -> None:
    shop.add(LIMITED, quantity=9)
    cart = shop.client.get("/ecscart/v1/carts/US", headers={"Accept-Language": "fr-CA,fr;q=0.9"}).json
    assert cart is not None
    assert cart["notices"][0]["message"] == "Vous en vouliez 9\u00a0; ce vendeur en autorise 3."


def test_a_button_and_its_link_are_in_the_language_of_the_owners_page(shop: Shop) -> None:
    markings = Markings(shop.site.settings, shop.site.widget)
    button = markings.button(LAMP, lang="de")
    assert "lang=de" in button
    assert ">In den Warenkorb</a>" in button
    assert (
        markings.cart(lang="ja")
        == '<ecs-cart lang="ja"><a href="/ecscart/cart?lang=ja" rel="nofollow">カート</a></ecs-cart>'
    )


def test_an_owners_texts_stand_on_the_pages(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(ECSCART_TEXTS={"add": "Pop it in", "title_de": "Korb"})
    assert "Pop it in" in shop.client.get(f"/ecscart/add?asin={LAMP}").text
    assert "<h1>Korb</h1>" in shop.client.get("/ecscart/cart?lang=de").text


# --- The owner's base template -------------------------------------------------------------------------------

BASE = "<title>{% block title %}{% endblock %} - Ours</title>{% block head %}{% endblock %}<nav>Ours</nav>"


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        (BASE + "{% block content %}{% endblock %}", True),
        (BASE, False),
        (BASE + "{% block content %}{% endblock %}{{ nothing.here }}", False),
        (None, False),
    ],
    ids=["good", "no content block", "broken", "absent"],
)
def test_pages_stand_in_the_owners_base_template_or_in_ours_when_it_does_not_work(
    make_shop: Callable[..., Shop], caplog: pytest.LogCaptureFixture, template: str | None, shown: bool
) -> None:
    shop = make_shop(ECSCART_BASE_TEMPLATE="ours.html")
    shop.app.jinja_loader = DictLoader({"ours.html": template} if template else {})
    shop.add(LAMP)
    page = shop.client.get("/ecscart/cart")
    assert "Test Lamp" in page.text
    assert ("<nav>Ours</nav>" in page.text) is shown
    assert ("ECSCART_BASE_TEMPLATE" in caplog.text) is not shown
    policy = page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert ("default-src" in policy) is not shown


def test_the_bridge_in_the_documentation_fits_our_blocks_into_others(make_shop: Callable[..., Shop]) -> None:
    settings = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
    bridge = re.search(r"^```html\+jinja\n(.*?)^```", settings, flags=re.MULTILINE | re.DOTALL)
    assert bridge is not None
    names = ("headline", "styles", "body")
    base = "|".join(f"{name}:{{% block {name} %}}{{% endblock %}}" for name in names)
    shop = make_shop(ECSCART_BASE_TEMPLATE="bridge.html")
    shop.app.jinja_loader = DictLoader({"bridge.html": bridge.group(1), "base.html": base})
    shop.add(LAMP)
    page = re.sub(r"\s+", " ", shop.client.get("/ecscart/cart").text)
    assert re.match(r'headline:Your cart\|styles: ?<meta name="robots"', page)
    assert "Test Lamp" in page.partition("|body:")[2]


# --- For people ----------------------------------------------------------------------------------------------

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def test_a_browser_gets_a_page_where_a_program_gets_a_problem(shop: Shop) -> None:
    answer = shop.client.get(f"/ecscart/add?asin={LAMP}&quantity=0&lang=de", headers=BROWSER)
    assert (answer.status_code, answer.mimetype) == (400, "text/html")
    assert "Die Menge muss eine ganze Zahl von 1 bis 999 sein." in answer.text
    forged = shop.client.post("/ecscart/cart", data={"token": "x"}, headers=BROWSER)
    assert forged.status_code == 403
    assert "This form is too old or not yours." in forged.text
    unknown = shop.client.get("/ecscart/add?asin=B000000000&locale=XX", headers=BROWSER)
    assert unknown.status_code == 404
    assert "This site has no cart for" in unknown.text


def test_nothing_on_a_page_leaves_by_itself(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(ECSCART_LOCALES={"US": {"associate_tag": "lamp-20", "max_items_per_form": 1}})
    shop.add(LAMP, MUG)
    page = shop.client.get("/ecscart/cart")
    assert page.text.count('action="https://www.amazon.com/gp/aws/cart/add.html"') == 2
    ways_out = re.findall(r"<(?:form|a) [^>]*https://www\.amazon[^>]*>", page.text)
    assert len(ways_out) == 6
    assert all('rel="sponsored nofollow noopener"' in way and 'target="_blank"' in way for way in ways_out)
    wrong = r"noreferrer|http-equiv|<script|<iframe|<object|prefetch|preconnect|prerender|onload|referrerpolicy"
    assert not re.search(wrong, page.text, flags=re.IGNORECASE)
    assert page.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert "Refresh" not in page.headers


def test_every_link_to_amazon_is_tagged_and_called_a_paid_link(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(ECSCART_LOCALES={"US": "lamp-20"})
    old = shop.catalog.lookup("US", [MUG])[MUG]
    shop.catalog.put(msgspec.structs.replace(old, url="/mugs"))
    shop.add(LAMP, MUG)
    page = shop.client.get("/ecscart/cart").text
    links = re.findall(r'<a href="https://www\.amazon\.com/dp/\w+\?tag=lamp-20"[^>]*>.*?</a>(.*?)</', page)
    assert len(links) == 3
    assert all("(paid link)" in after for after in links)
    assert '<a href="/mugs"><bdi>Test Mugs</bdi></a></p>' in page
    assert page.count("https://www.amazon.com/dp/") == 3


def test_the_shopper_is_told_about_signing_in_and_paying(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(ECSCART_LOCALES={"DE": "lampe-21"})
    shop.add(GERMAN, locale="DE")
    page = shop.client.get("/ecscart/cart?lang=en").text
    assert "Amazon.de opens in a new tab and may ask you to sign in. Nothing is bought until you pay there." in page
    assert "Als Amazon-Partner verdiene ich an qualifizierten Verkäufen." in page


def test_a_shopper_without_javascript_can_say_that_the_items_are_there(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(ECSCART_LOCALES={"US": "lamp-20"})
    shop.add(LAMP)
    shop.add(SOLD_OUT)
    version = str(shop.cart()["version"])
    shop.add(MUG)
    post(shop, "cart", locale="US", do="sent", version=version)
    assert shop.held() == {LAMP: 1, MUG: 1}  # the mug came after the page was drawn: nothing is thrown away
    found = re.search(r'name="version" value="(\d+)"', shop.client.get("/ecscart/cart").text)
    assert found is not None
    post(shop, "cart", locale="US", do="sent", version=found.group(1))
    assert (shop.held(), shop.saved()) == ({}, {SOLD_OUT: 1})


def test_the_question_whether_the_items_arrived_is_asked_and_answered(shop: Shop) -> None:
    shop.add(LAMP, quantity=2)
    shop.client.get(shop.cart()["handoff"]["action"])
    assert "Did your 2 items arrive at Demo Store?" in shop.client.get("/ecscart/cart").text
    post(shop, "cart", locale="US", do="failed")
    assert shop.held() == {LAMP: 2}


def test_a_locale_without_a_way_out_says_so(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(ECSCART_LOCALES={"US": {"handoff": "off"}})
    shop.add(LAMP)
    page = shop.client.get("/ecscart/cart").text
    assert "This cart cannot be sent to Amazon.com from here." in page
    assert "add.html" not in page


def test_links_alone_stand_open(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(ECSCART_LOCALES={"US": {"associate_tag": "lamp-20", "handoff": "links"}})
    shop.add(LAMP)
    page = shop.client.get("/ecscart/cart").text
    assert "<details open><summary>Open each product at Amazon.com</summary>" in page
    assert "add.html" not in page
