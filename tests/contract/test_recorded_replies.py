"""Requests whose replies were recorded from the real service, asked again here: the replies must be alike.

Each file's Arguments are sent to a server whose catalog is made from the file's own items and whose cart is
brought to where it was. Element names, their order and all texts are compared, save what is new in every reply.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, fromstring

import pytest

from flask_ecscart.catalog.file import MemoryCatalog
from flask_ecscart.locales import LOCALES
from flask_ecscart.model import CartRef, NewItem, Offer, Product
from flask_ecscart.service.engine import CartService
from flask_ecscart.service.http import DATABASE, create_app
from flask_ecscart.state.sql import Database
from tests.support.needs import recorded_folder
from tests.unit.service.shop import KEY

NEW_IN_EVERY_REPLY = frozenset(
    [
        *("CartId", "HMAC", "URLEncodedHMAC", "PurchaseURL", "MobileCartURL", "CartItemId"),
        *("RequestId", "RequestProcessingTime"),
    ]
)
FOLDERS = ("2011-08-01", "2005-03-23-us")
NO_CART = "021554"
"""The malformed ASIN of a recording; every other ASIN of them is a book."""


def files() -> list[Path]:
    folder = recorded_folder()
    if folder is None:
        return []
    found = [path for name in FOLDERS for path in sorted((folder / name).glob("[Cc]art*.xml"))]
    return [*found, folder / "2013-08-01-jp" / "CartClear.xml"]


def test_there_are_recorded_replies_to_compare_with(recorded: Path) -> None:
    assert len(files()) > 30


@pytest.mark.parametrize("path", files(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_reply_is_like_the_recorded_one(path: Path, database: Database, tmp_database_url: str) -> None:
    then = fromstring(path.read_bytes())
    locale = locale_of(path)
    catalog = catalog_of(then, locale)
    app = create_app(database_url=tmp_database_url, catalog=catalog, keys={}, unsigned=True, hmac_key=KEY)
    sent = arguments(then)
    if "CartId" in sent and not says(then, "CartInfoMismatch"):
        sent |= prepared(CartService(database, catalog, hmac_key=KEY), then, sent, locale)
    headers = {"Host": LOCALES[locale].endpoint, "User-Agent": user_agent(then)}
    answer = app.test_client().get("/onca/xml", query_string=urlencode(sent), headers=headers)
    app.extensions[DATABASE].close()
    now = fromstring(answer.data)
    assert answer.status_code == 200
    assert now.tag == then.tag
    expected = without_later_form(shape(then))
    assert shape(now) == expected
    assert sorted(arguments(now)) == sorted(sent)
    assert user_agent(now) == user_agent(then)


def prepared(service: CartService, then: Element, sent: dict[str, str], locale: str) -> dict[str, str]:
    """The cart as it was before the request: what the reply shows, less what was added, plus what was deleted."""
    added = {value for name, value in sent.items() if name.endswith(".ASIN")}
    if says(then, "ItemAlreadyInCart"):
        added = set()
    before = [(asin, count) for asin, count in shown(then) if asin not in added]
    deleted = {} if says(then, "Error") else {k: v for k, v in sent.items() if k.endswith(".CartItemId")}
    deleted = {name: value for name, value in deleted.items() if value[0] == "U"}
    gone = [("B000DELETE", 1)] if deleted else []
    items = [NewItem(asin=asin, quantity=count) for asin, count in (before or [("B000DELETE", 1)])]
    cart = service.create(
        locale, sent.get("AssociateTag", ""), [*items, *(NewItem(asin=a, quantity=n) for a, n in gone)]
    )
    own = {item.asin: item.cart_item_id for item in cart.items}
    return ids_of(cart.ref) | dict.fromkeys(deleted, own.get("B000DELETE", ""))


def ids_of(ref: CartRef) -> dict[str, str]:
    return {"CartId": ref.cart_id, "HMAC": ref.hmac}


def catalog_of(then: Element, locale: str) -> MemoryCatalog:
    """Products as the reply shows them, and those its request names."""
    asins = {value for name, value in arguments(then).items() if name.endswith(".ASIN")} - {NO_CART}
    catalog = MemoryCatalog([book(locale, asin) for asin in (*asins, "B000DELETE")])
    for item in all_of(then, "CartItem"):
        fields = {name(field): field for field in item}
        title, group = text(fields["Title"]), text(fields["ProductGroup"])
        catalog.put(book(locale, text(fields["ASIN"]), int(text(fields["Price"][0])), title, group))
    return catalog


def book(locale: str, asin: str, price: int = 100, title: str = "A book", group: str = "Book") -> Product:
    offer = Offer(offer_listing_id=None, price=price)
    return Product(locale=locale, asin=asin, title=title, product_group=group, offers=(offer,))


def without_later_form(shape: tuple[object, ...]) -> tuple[object, ...]:
    """Without the InvalidQuantity that stood beside ItemAlreadyInCart in November 2011: the documents make none."""
    return tuple(
        without_later_form(part) if isinstance(part, tuple) else part
        for part in shape
        if not (isinstance(part, tuple) and part[0] == "Error" and "InvalidQuantity" in str(part))
    )


def shape(element: Element) -> tuple[object, ...]:
    """Name, text (where it is not new in every reply) and children."""
    own = name(element)
    if own == "Arguments":
        return (own, len(element))
    shown = "" if own in NEW_IN_EVERY_REPLY or len(element) else (element.text or "")
    return (own, shown, *(shape(child) for child in element))


def locale_of(path: Path) -> str:
    named = [part.upper() for part in path.stem.split("-") if part.upper() in LOCALES]
    return named[0] if named else {"2013-08-01-jp": "JP"}.get(path.parent.name, "US")


def arguments(reply: Element) -> dict[str, str]:
    return {found.attrib["Name"]: found.attrib.get("Value", "") for found in all_of(reply, "Argument")}


def user_agent(reply: Element) -> str:
    return next(found.attrib["Value"] for found in all_of(reply, "Header"))


def shown(reply: Element) -> list[tuple[str, int]]:
    items = [{name(field): field.text or "" for field in item} for item in all_of(reply, "CartItem")]
    return [(item["ASIN"], int(item["Quantity"])) for item in items]


def says(reply: Element, word: str) -> bool:
    return any(word in (code.text or "") or word == "Error" for code in all_of(reply, "Code"))


def all_of(reply: Element, wanted: str) -> Iterator[Element]:
    return (element for element in reply.iter() if name(element) == wanted)


def name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def text(element: Element) -> str:
    return element.text or ""
