"""What a REST request may say beside its items, and how the reply takes it up.

Where a rule comes from stands beside its test: documented, recorded, or decided here.
"""

from __future__ import annotations

import re
from html import unescape

import msgspec
import pytest
from flask.testing import FlaskClient

from flask_ecscart.catalog.file import MemoryCatalog
from flask_ecscart.locales import RECORDED
from flask_ecscart.model import Offer, Product
from tests.unit.service.asking import ONE, Reply, ask, encoded
from tests.unit.service.shop import BOOK, DVD, TAG, USED_BOOK, product

CHANGES = ["CartAdd", "CartModify", "CartGet"]


def cart(web: FlaskClient, **more: str | None) -> Reply:
    return Reply(ask(web, parameters={**ONE, **more}))


def arguments_of(operation: str, made: Reply) -> dict[str, str]:
    """What an operation on the cart `made` needs."""
    items = {
        "CartAdd": {"Item.1.ASIN": DVD, "Item.1.Quantity": "1"},
        "CartModify": {"Item.1.CartItemId": made.text("CartItemId") or "", "Item.1.Quantity": "2"},
    }
    return {**made.ids(), **items.get(operation, {})}


# --- Validate ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelled", ["True", "true"])
def test_validate_says_whether_a_request_is_right_and_does_nothing(web: FlaskClient, spelled: str) -> None:
    """Documented."""
    made = cart(web)
    for operation in ("CartAdd", "CartModify", "CartClear"):
        checked = Reply(ask(web, operation, parameters={**arguments_of(operation, made), "Validate": spelled}))
        assert (checked.text("IsValid"), checked.codes, checked.texts("CartItems")) == ("True", [], [])
    now = Reply(ask(web, "CartGet", parameters=made.ids()))
    assert now.texts("Quantity", "CartItems") == ["1"]


def test_validate_finds_what_is_wrong(web: FlaskClient) -> None:
    """Documented."""
    checked = cart(web, **{"Validate": "True", "Item.1.Quantity": "1000"})
    assert (checked.text("IsValid"), checked.codes) == ("False", ["AWS.ParameterOutOfRange"])


def test_validate_with_any_other_value_is_no_validation(web: FlaskClient) -> None:
    """Decided: only True is documented."""
    assert len(cart(web, Validate="False").all("CartItem")) == 1


# --- XMLEscaping ---------------------------------------------------------------------------------------------


def test_double_escaping_escapes_every_text_once_more(web: FlaskClient, catalog: MemoryCatalog) -> None:
    """Documented; which texts was not said: all of them, so that one more unescaping is right everywhere."""
    catalog.put(msgspec.structs.replace(product(BOOK), title="War & <Peace>"))
    once, twice = cart(web, Extra="a<b"), cart(web, XMLEscaping="Double", Extra="a<b")
    assert once.text("Title") == "War & <Peace>"
    assert twice.text("Title") == "War &amp; &lt;Peace&gt;"
    assert unescape(twice.text("PurchaseURL") or "").count("&associate-id=") == 1
    values = [one.attrib.get("Value") for one in twice.all("Argument") if one.attrib["Name"] == "Extra"]
    assert values == ["a&lt;b"]


@pytest.mark.parametrize("value", ["Single", "Triple", ""])
def test_every_other_escaping_is_the_usual_one(web: FlaskClient, value: str) -> None:
    """Single is documented as the default; decided for what nobody documented."""
    assert "&amp;" not in (cart(web, XMLEscaping=value).text("PurchaseURL") or "")


# --- MergeCart -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", CHANGES)
@pytest.mark.parametrize(("sent", "shown"), [("True", "True"), ("False", "False"), (None, "False")])
def test_merge_cart_is_echoed_and_copied_into_the_purchase_url(
    web: FlaskClient, operation: str, sent: str | None, shown: str
) -> None:
    """Documented, and reported by users of `MergeCart=True`; of a call's own value, none is kept (decided)."""
    made = cart(web, MergeCart="True")
    parameters = {**arguments_of(operation, made), **({"MergeCart": sent} if sent else {})}
    reply = Reply(ask(web, operation, parameters=parameters))
    assert (reply.text("PurchaseURL") or "").endswith(f"MergeCart={shown}")
    assert reply.text("MergeCart") == sent


def test_merge_cart_is_echoed_by_an_operation_without_purchase_url(web: FlaskClient) -> None:
    cleared = Reply(ask(web, "CartClear", parameters={**cart(web).ids(), "MergeCart": "True"}))
    assert (cleared.text("MergeCart"), cleared.all("PurchaseURL")) == ("True", [])


def test_the_echo_keeps_the_order_of_the_schema(web: FlaskClient) -> None:
    made = cart(web)
    sent = {"Item.1.ASIN": DVD, "Item.1.Quantity": "1", "MergeCart": "True", "ResponseGroup": "Cart,Request"}
    reply = Reply(ask(web, "CartAdd", parameters={**made.ids(), **sent}))
    assert [name for name, _ in reply.flat("CartAddRequest")] == [
        *("CartId", "HMAC", "MergeCart", "ASIN", "Quantity", "ResponseGroup", "ResponseGroup"),
    ]


# --- Items ---------------------------------------------------------------------------------------------------


def test_list_item_ids_and_tags_of_items_are_taken_and_echoed(web: FlaskClient) -> None:
    """Documented for wish lists; they change nothing here (decided: there are no lists)."""
    reply = cart(web, **{"Item.1.ListItemId": "I1", "Item.1.AssociateTag": "other-20"})
    assert reply.flat("Item") == [
        *(("ASIN", BOOK), ("Quantity", "1"), ("AssociateTag", "other-20"), ("ListItemId", "I1")),
    ]
    assert (reply.text("IsValid"), len(reply.all("CartItem"))) == ("True", 1)


def test_an_echo_holds_what_belongs_to_its_operation_only(web: FlaskClient) -> None:
    """Decided: the schema allows no Action in CartCreate and no ASIN in CartModify."""
    assert cart(web, **{"Item.1.Action": "SaveForLater"}).flat("Item") == [("ASIN", BOOK), ("Quantity", "1")]
    made = cart(web)
    sent = {**arguments_of("CartModify", made), "Item.1.ASIN": BOOK}
    reply = Reply(ask(web, "CartModify", parameters=sent))
    assert [name for name, _ in reply.flat("Item")] == ["CartItemId", "Quantity"]


@pytest.mark.parametrize("index", ["0", "1", "50", "007", "foo", "a.b", "ü", " ", "-1"])
def test_any_index_names_an_item(web: FlaskClient, index: str) -> None:
    """Documented: the engine will accept anything as the index."""
    reply = Reply(ask(web, parameters={f"Item.{index}.ASIN": BOOK, f"Item.{index}.Quantity": "2"}))
    assert reply.texts("Quantity", "CartItems") == ["2"]


def test_lines_of_the_same_item_in_one_call_become_one(web: FlaskClient) -> None:
    """Decided: nobody recorded it."""
    reply = cart(web, **{"Item.2.ASIN": BOOK, "Item.2.Quantity": "3"})
    assert reply.texts("Quantity", "CartItems") == ["4"]


@pytest.mark.parametrize("spelled", [USED_BOOK, USED_BOOK.replace("%", "%25"), "u5ed+Book/0ffer=="])
def test_offer_listing_ids_may_be_encoded_once_twice_or_not_at_all(web: FlaskClient, spelled: str) -> None:
    """Recorded twice, and the published signature vector has them plain."""
    reply = Reply(ask(web, parameters={"Item.1.OfferListingId": spelled, "Item.1.Quantity": "1"}))
    assert (reply.text("SellerNickname"), reply.codes) == ("Harbor Books", [])


def test_unknown_parameters_are_ignored(web: FlaskClient) -> None:
    """Reported: clients send Domain, SignatureMethod, SignatureVersion, ContentType and more."""
    names = ("Domain", "SignatureMethod", "ContentType", "Style", "MarketplaceDomain", "MerchantId", "Item.1", "Item")
    reply = cart(web, **dict.fromkeys(names, "x"), **{"Item.1.MetaData.1.Key": "k"})
    assert (reply.text("IsValid"), len(reply.all("CartItem"))) == ("True", 1)


def test_a_subscription_id_serves_as_a_key(web: FlaskClient) -> None:
    """Recorded in 2008; the PurchaseURL names it so whatever the caller used."""
    reply = cart(web, AWSAccessKeyId=None, SubscriptionId="0OLD")
    assert "SubscriptionId=0OLD" in (reply.text("PurchaseURL") or "")


def test_a_form_post_is_the_same_request(web: FlaskClient) -> None:
    posted = web.post(
        "/onca/xml", data=encoded("CartCreate", ONE), content_type="application/x-www-form-urlencoded;charset=utf-8"
    )
    assert (Reply(posted).text("IsValid"), len(Reply(posted).all("CartItem"))) == ("True", 1)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD"])
def test_other_methods_carry_nothing_out(web: FlaskClient, method: str) -> None:
    """Decided: only GET and POST are documented, and asking about a request must not carry it out."""
    response = web.open("/onca/xml", method=method, query_string=encoded("CartCreate", ONE))
    assert (response.status_code, b"CartItem" in response.data) == (405, False)


# --- Associate tag -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "needed"), [("2010-12-01", False), ("2011-08-01", True), ("2013-08-01", True)])
@pytest.mark.parametrize("operation", ["CartCreate", "CartGet", "ItemLookup", "ItemSearch"])
def test_from_2011_on_every_operation_needs_a_tag(web: FlaskClient, operation: str, version: str, needed: bool) -> None:
    """Recorded 2016 for carts, documented for all."""
    parameters: dict[str, str | None] = {**ONE, "CartId": "1", "HMAC": "1", "ItemId": BOOK, "SearchIndex": "All"}
    reply = Reply(ask(web, operation, parameters={**parameters, "Version": version, "AssociateTag": None}))
    missing = [said for said in reply.texts("Message") if "Required parameters include AssociateTag." in (said or "")]
    assert bool(missing) is needed


@pytest.mark.parametrize("locale", RECORDED)
def test_a_cart_without_a_tag_is_called_ws(web: FlaskClient, locale: str) -> None:
    """Recorded in February 2011."""
    wanted = {**ONE, "Version": "2010-12-01", "AssociateTag": None}
    reply = Reply(ask(web, path=f"/{locale}/onca/xml", parameters=wanted))
    assert "%26associate-id=ws%26" in (reply.text("PurchaseURL") or "")


def test_a_tag_of_any_spelling_is_taken(web: FlaskClient) -> None:
    """Documented: tags are not validated."""
    made = cart(web, AssociateTag="nobody & <co>")
    again = Reply(ask(web, "CartGet", parameters={**made.ids(), "AssociateTag": "nobody & <co>"}))
    assert len(again.all("CartItem")) == 1


# --- Versions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "version", "start", "tail"),
    [
        ("JP", "2010-11-01", None, None),
        ("JP", "2010-12-01", "http://www.amazon.co.jp/gp/aw/rcart?cart-id=", "%26uid=NULLGWDOCOMO"),
        ("JP", "2011-08-01", "http://www.amazon.co.jp/gp/aw/rcart?cart-id=", "%26uid=NULLGWDOCOMO"),
        ("JP", "2013-08-01", "https://www.amazon.jp/gp/aw/rcart?cart-id=", "%26uid=NULLGWDOCOMO"),
        ("US", "2013-08-01", None, None),
    ],
)
def test_japan_has_an_address_for_phones(
    web: FlaskClient, locale: str, version: str, start: str | None, tail: str | None
) -> None:
    """Recorded: from Version 2010-12-01 on, in November 2011 with its tail, in 2016 over https."""
    url = Reply(ask(web, path=f"/{locale}/onca/xml", parameters={**ONE, "Version": version})).text("MobileCartURL")
    assert (url is not None) is (start is not None)
    assert (url or "").startswith(start or "")
    assert (url or "").endswith(tail or "")


SELLERS = {
    "amazon": Offer(offer_listing_id=None, price=100),
    "partner": Offer(offer_listing_id="partner", price=100, seller="Partner Inc", merchant_id="APARTNER"),
    "seller": Offer(offer_listing_id="seller", price=100, seller="Harbor Books", seller_id="AHARBOR"),
}
WHO = [
    ("US", "amazon", "ATVPDKIKX0DER", "A2R2RITDJNW1Q6"),
    ("US", "partner", "APARTNER", None),
    ("US", "seller", None, "AHARBOR"),
    ("DE", "amazon", "A3JWKAKR8XB7XF", None),
    ("DE", "partner", None, "APARTNER"),
    ("DE", "seller", None, "AHARBOR"),
]


@pytest.mark.parametrize("version", ["2010-12-01", "2011-08-01"])
@pytest.mark.parametrize(("locale", "who", "merchant", "seller"), WHO)
def test_merchants_and_sellers_are_named_until_2010(
    web: FlaskClient,
    catalog: MemoryCatalog,
    version: str,
    locale: str,
    who: str,
    merchant: str | None,
    seller: str | None,
) -> None:
    """Seed 002 says who has which; recorded: with Versions up to 2010-12-01 only, a third party with an ExchangeId."""
    catalog.put(Product(locale=locale, asin="B0SELLERS1", title="Sold", offers=(SELLERS[who],)))
    wanted = {"Item.1.ASIN": "B0SELLERS1", "Item.1.Quantity": "1", "Version": version}
    reply = Reply(ask(web, path=f"/{locale}/onca/xml", parameters=wanted))
    old = version == "2010-12-01"
    assert (reply.text("MerchantId"), reply.text("SellerId")) == ((merchant, seller) if old else (None, None))
    exchange = reply.text("ExchangeId")
    assert (exchange is not None) is (old and who != "amazon")
    assert exchange is None or re.fullmatch(r"Y\d{2}M\d{7}M\d{7}", exchange)
    order = [name for name, _ in reply.flat("CartItem")]
    assert order[:2] + order[-2:] == ["CartItemId", "ASIN", "CurrencyCode", "FormattedPrice"]


def test_a_repeated_parameter_is_refused(web: FlaskClient) -> None:
    """The code is documented, its place decided: two values leave open which was signed and which is meant."""
    response = web.get("/onca/xml", query_string=encoded("CartCreate", ONE) + f"&AssociateTag={TAG}")
    reply = Reply(response)
    assert (response.status_code, reply.name) == (400, "CartCreateErrorResponse")
    assert reply.text("Message") == "The parameter, AssociateTag, appeared more than once in your request."
