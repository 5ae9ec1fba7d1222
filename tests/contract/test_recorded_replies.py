"""Requests whose replies were recorded from the real service, asked again here: the replies must be alike.

Each file's Arguments are sent to a server whose catalog is made from the file's own items and whose cart is
brought to where it was. Element names, their order and all texts are compared, save what is new in every reply.
Which other products go with a cart was Amazon's to know: of them only their number is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode
from xml.etree.ElementTree import Element, fromstring

import pytest

from flask_ecscart.catalog.file import MemoryCatalog
from flask_ecscart.locales import LOCALES, RECORDED
from flask_ecscart.model import CartRef, NewItem, Offer, Product
from flask_ecscart.service.engine import CartService
from flask_ecscart.service.http import DATABASE, create_app
from flask_ecscart.state.sql import Database
from tests.support.needs import recorded_folder
from tests.unit.service.shop import KEY

NEW_IN_EVERY_REPLY = frozenset(
    [
        *("CartId", "HMAC", "URLEncodedHMAC", "CartItemId", "RequestId", "RequestProcessingTime"),
        *("MerchantId", "DetailPageURL"),
    ]
)
NOT_KNOWN_HERE = frozenset(["ItemLinks", "Author", "Creator", "Manufacturer"])
"""What a catalog of ours knows nothing of."""
RELATED = ("SimilarProducts", "NewReleases", "SimilarViewedProducts")
FOLDERS = ("2011-08-01", "2005-03-23-us", "2010-12-01", "2013-08-01-jp")
DECIDED_OTHERWISE = {
    "CartModifyResponseErrorItem": "refused Quantity and Action together in 2016; the documents allow both",
    "CartGetErrorResponse": "an error document about a signature's time, see the tests of access",
}
DELETED = "B000DELETE"
"""What was in the cart and is not in the reply: nobody knows what it was."""
NO_CART = "021554"
"""The malformed ASIN of a recording; every other ASIN of them is a book."""


def files() -> list[Path]:
    folder = recorded_folder()
    if folder is None:
        return []
    found = [path for name in FOLDERS for path in sorted((folder / name).glob("[Cc]art*.xml"))]
    return [path for path in found if path.stem not in DECIDED_OTHERWISE]


def test_there_are_recorded_replies_to_compare_with(recorded: Path) -> None:
    assert len(files()) > 36
    assert {path.parent.name for path in files()} == set(FOLDERS)


NO_FILES = pytest.param(Path(), marks=pytest.mark.skip("recorded replies are not here"))


@pytest.mark.parametrize("path", files() or [NO_FILES], ids=lambda path: f"{path.parent.name}/{path.stem}")
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
    assert comparable(now) == comparable(then)
    assert sorted(arguments(now)) == sorted(sent)
    assert user_agent(now) == user_agent(then)


@pytest.mark.parametrize("wanted", ["ItemLookup-us-valid-asin", "ItemLookup-us-invalid-response-group"])
def test_the_reply_about_an_item_is_like_the_recorded_one(wanted: str, recorded: Path, tmp_database_url: str) -> None:
    then = fromstring((recorded / "2011-08-01" / f"{wanted}.xml").read_bytes())
    title = next((text(found) for found in all_of(then, "Title")), "")
    catalog = MemoryCatalog([book("US", arguments(then)["ItemId"], title=title)])
    app = create_app(database_url=tmp_database_url, catalog=catalog, keys={}, unsigned=True, hmac_key=KEY)
    headers = {"User-Agent": user_agent(then)}
    answer = app.test_client().get("/onca/xml", query_string=urlencode(arguments(then)), headers=headers)
    app.extensions[DATABASE].close()
    now = fromstring(answer.data)
    assert len(next(all_of(now, "RequestId")).text or "") == len(next(all_of(then, "RequestId")).text or "")
    if "invalid" not in wanted:
        assert comparable(now) == comparable(then)
        return
    # An ISBN cannot be looked up here (decided), so that there is one more error.
    codes = [text(code) for code in all_of(now, "Code")]
    assert codes[:2] == [text(code) for code in all_of(then, "Code")]
    echo, recorded_echo = (next(all_of(reply, "ItemLookupRequest")) for reply in (now, then))
    assert shape(echo, {}) == shape(recorded_echo, {})


def prepared(service: CartService, then: Element, sent: dict[str, str], locale: str) -> dict[str, str]:
    """The cart as it was before the request: what the reply shows, less what was added, plus what was deleted.

    Moves are as if they had not been made. The ids are those of this cart.
    """
    added = {value for name, value in sent.items() if name.endswith(".ASIN")} | set(listings(then))
    if says(then, "ItemAlreadyInCart"):
        added = set()
    before = [(asin, count) for asin, count in shown(then) if asin not in added]
    changed = {} if says(then, "Error") else {k: v for k, v in sent.items() if k.endswith(".CartItemId")}
    known = {text(item[0])[1:]: text(item[1]) for item in items_of(then)}
    changed = {name: known.get(value[1:], DELETED) for name, value in changed.items() if value[0] in "UC"}
    if DELETED in changed.values() or not before:
        before.append((DELETED, 1))
    cart = service.create(
        locale, sent.get("AssociateTag", ""), [NewItem(asin=asin, quantity=count) for asin, count in before]
    )
    own = {item.asin: item.cart_item_id for item in cart.items}
    return ids_of(cart.ref) | {name: own[asin] for name, asin in changed.items()}


def ids_of(ref: CartRef) -> dict[str, str]:
    return {"CartId": ref.cart_id, "HMAC": ref.hmac}


def catalog_of(then: Element, locale: str) -> MemoryCatalog:
    """Products as the reply shows them, those its request names, and those it names beside the cart."""
    asins = {value for name, value in arguments(then).items() if name.endswith(".ASIN")} - {NO_CART}
    catalog = MemoryCatalog([book(locale, asin) for asin in (*asins, DELETED)])
    for area in RELATED:
        for found in (one for place in all_of(then, area) for one in place):
            catalog.put(book(locale, text(found[0]), title=text(found[1])))
    for item in items_of(then):
        fields = {name(field): field for field in item}
        asin, title, group = (text(fields[one]) for one in ("ASIN", "Title", "ProductGroup"))
        listing = listings(then).get(asin)
        catalog.put(book(locale, asin, int(text(fields["Price"][0])), title, group, listing))
    return catalog


def book(
    locale: str, asin: str, price: int = 100, title: str = "A book", group: str = "Book", listing: str | None = None
) -> Product:
    offer, day = Offer(offer_listing_id=listing, price=price), "2016-11-11"
    return Product(locale=locale, asin=asin, title=title, product_group=group, offers=(offer,), released=day)


def listings(then: Element) -> dict[str, str]:
    """ASIN → OfferListingId of what was put in by that: lines and the items they made stand in the same order."""
    lines = sorted(name for name in arguments(then) if name.endswith((".ASIN", ".OfferListingId")))
    items = [asin for asin, _ in shown(then)]
    pairs = zip(lines, items, strict=False)
    return {asin: arguments(then)[line] for line, asin in pairs if line.endswith(".OfferListingId")}


def comparable(reply: Element) -> tuple[object, ...]:
    """The reply without what is new in every one, and without the forms of later days that are not followed here."""
    ids = {own: text(found) for own in ("CartId", "HMAC") for found in all_of(reply, own)}
    return without_later_form(shape(reply, ids))


def without_later_form(shape: tuple[object, ...]) -> tuple[object, ...]:
    """Without the InvalidQuantity that stood beside ItemAlreadyInCart in November 2011: the documents make none.

    Then, too, the MerchantId said Deprecated and the SellerId was gone, which both were there in February.
    """
    kept = (part for part in shape if not (isinstance(part, tuple) and is_later(part)))
    return tuple(without_later_form(part) if isinstance(part, tuple) else part for part in kept)


def is_later(part: tuple[object, ...]) -> bool:
    return part[0] == "SellerId" or (part[0] == "Error" and "InvalidQuantity" in str(part))


def shape(element: Element, ids: dict[str, str]) -> tuple[object, ...]:
    """Name, text (where it is not new in every reply) and children."""
    own = name(element)
    if own == "Arguments" or own in RELATED:
        return (own, len(element))
    shown = "" if own in NEW_IN_EVERY_REPLY or len(element) else (element.text or "")
    if own in {"PurchaseURL", "MobileCartURL"}:
        shown = without_ids(shown, ids)
    return (own, shown, *(shape(child, ids) for child in element if name(child) not in NOT_KNOWN_HERE))


def without_ids(url: str, ids: dict[str, str]) -> str:
    """The URL with words for CartId and HMAC that say how they were encoded."""
    half, full = ids["HMAC"].replace("+", "%2B"), quote(ids["HMAC"], safe="")
    return url.replace(ids["CartId"], "(id)").replace(full, "(encoded)").replace(half, "(half encoded)")


def locale_of(path: Path) -> str:
    named = [part.upper() for part in path.stem.split("-") if part.upper() in RECORDED]
    return named[0] if named else {"2013-08-01-jp": "JP"}.get(path.parent.name, "US")


def arguments(reply: Element) -> dict[str, str]:
    return {found.attrib["Name"]: found.attrib.get("Value", "") for found in all_of(reply, "Argument")}


def user_agent(reply: Element) -> str:
    return next(found.attrib["Value"] for found in all_of(reply, "Header"))


def shown(reply: Element) -> list[tuple[str, int]]:
    items = [{name(field): field.text or "" for field in item} for item in items_of(reply)]
    return [(item["ASIN"], int(item["Quantity"])) for item in items]


def items_of(reply: Element) -> list[Element]:
    """The entries of both areas."""
    return [*all_of(reply, "CartItem"), *all_of(reply, "SavedForLaterItem")]


def says(reply: Element, word: str) -> bool:
    return any(word in (code.text or "") or word == "Error" for code in all_of(reply, "Code"))


def all_of(reply: Element, wanted: str) -> Iterator[Element]:
    return (element for element in reply.iter() if name(element) == wanted)


def name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def text(element: Element) -> str:
    return element.text or ""
