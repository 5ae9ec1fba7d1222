"""Every error of the documents and recordings: its code, its exact text, its place, its HTTP status, and its source.

`documented`: in the guides or seed 004. `recorded`: seen in a real reply. `decided`: nobody said, we chose.
Access keys, signatures and throttling have tests of their own.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_ecscart.catalog.file import MemoryCatalog
from tests.support.clock import FakeClock
from tests.unit.service.asking import ONE, Reply, ask
from tests.unit.service.error_cases import CASES, DOCUMENTS, MISSING, Case, E, Mark, Prepared, line
from tests.unit.service.shop import BOOK, DVD, LAMP, TAG


@pytest.fixture
def known(web: FlaskClient, clock: FakeClock) -> Callable[[str], dict[str, str]]:
    """`known("JP")`: what the words in parentheses stand for: a cart with one book, and one that has expired."""

    def made(locale: str) -> dict[str, str]:
        path = f"/{locale}/onca/xml"
        expired = Reply(ask(web, path=path)).ids()
        clock.advance(days=91)
        replies = (Reply(ask(web, path=path)) for _ in range(100))
        cart = next(reply for reply in replies if "+" in (reply.text("HMAC") or ""))
        ids = cart.ids()
        return {
            "(id)": ids["CartId"],
            "(hmac)": ids["HMAC"],
            "(spaced)": ids["HMAC"].replace("+", " "),
            "(item)": cart.text("CartItemId") or "",
            "(expired)": expired["CartId"],
            "(expired hmac)": expired["HMAC"],
        }

    return made


NAMES = [f"{n}-{case.mark}-{case.locale}-{case.operation}-{case.code}" for n, case in enumerate(CASES)]


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_an_error_in_the_body(web: FlaskClient, known: Callable[[str], dict[str, str]], case: Case) -> None:
    words = known(case.locale)
    parameters = {name: words.get(value or "", value) for name, value in case.parameters.items()}
    response = ask(web, case.operation, path=f"/{case.locale}/onca/xml", parameters=parameters)
    reply = Reply(response)
    assert (response.status_code, reply.name) == (200, f"{case.operation}Response")
    assert reply.codes == [case.code]
    assert reply.text("Message") == case.message
    assert reply.text("IsValid") == case.valid
    place = reply.all("Items" if case.operation.startswith("Item") else "Cart")[0]
    assert [one.tag.rpartition("}")[2] for one in reply.all("Request")[0]][-1] == "Errors"
    fields = ["CartId", "HMAC", "URLEncodedHMAC", "PurchaseURL", "SubTotal", "CartItems"]
    shown = [child.tag.rpartition("}")[2] for child in place]
    assert shown[0] == "Request"
    assert [name for name in shown if name in fields] == (fields if case.cart else [])


def test_the_table_says_where_every_row_comes_from() -> None:
    assert {case.mark for case in CASES} == {"documented", "recorded", "decided"}


@pytest.mark.parametrize(("parameters", "status", "root", "code", "message", "mark"), DOCUMENTS)
def test_an_error_as_a_document_of_its_own(
    web: FlaskClient, parameters: Prepared, status: int, root: str, code: str, message: str, mark: Mark
) -> None:
    """The place of the first seven was documented as the response's root; the status of these was decided."""
    response = ask(web, parameters={**ONE, **parameters})
    reply = Reply(response)
    assert (response.status_code, reply.name) == (status, f"{root}ErrorResponse")
    assert (reply.codes, reply.text("Message")) == ([code], message)
    assert [child.tag.rpartition("}")[2] for child in reply.root] == ["Error", "RequestID"]


# --- More than one error, and less than all done -------------------------------------------------------------


def test_good_and_bad_lines_in_one_call(web: FlaskClient) -> None:
    """Decided: the good ones are done, an error for each bad one stands beside the cart."""
    wanted = {**line(BOOK), **line("B0KINDLE01", number=2), **line(LAMP, "2", 3), **line("021554", number=4)}
    made = Reply(ask(web, parameters=wanted))
    assert (made.text("IsValid"), made.texts("ASIN", "CartItems")) == ("True", [BOOK, LAMP])
    assert made.codes == [f"{E}ItemNotEligibleForCart"] * 2
    more = {**made.ids(), **line(BOOK), **line(DVD, number=2), **line("B0PARENT01", number=3)}
    added = Reply(ask(web, "CartAdd", parameters=more))
    assert added.codes == [f"{E}ItemAlreadyInCart", f"{E}ItemNotEligibleForCart"]
    assert added.texts("ASIN", "CartItems") == [DVD, BOOK, LAMP]


def test_one_wrong_line_keeps_all_from_being_done_when_the_request_itself_is_wrong(web: FlaskClient) -> None:
    """Recorded: IsValid False means nothing was done."""
    made = Reply(ask(web))
    wrong = Reply(ask(web, "CartAdd", parameters={**made.ids(), **line(DVD), **line(LAMP, "0", 2)}))
    assert (wrong.text("IsValid"), wrong.all("CartItems")) == ("False", [])
    assert Reply(ask(web, "CartGet", parameters=made.ids())).texts("ASIN", "CartItems") == [BOOK]


def test_every_missing_parameter_is_named_in_an_error_of_its_own(web: FlaskClient) -> None:
    """Recorded."""
    reply = Reply(ask(web, "CartAdd", parameters={}))
    assert reply.texts("Message") == [MISSING.format(name) for name in ("CartId", "HMAC", "Items")]


@pytest.mark.parametrize("operation", ["CartCreate", "CartGet", "ItemLookup", "ItemSearch"])
def test_a_group_nobody_knows_makes_two_errors(web: FlaskClient, operation: str) -> None:
    """Recorded for ItemLookup."""
    wanted: Prepared = {**ONE, "CartId": "1", "HMAC": "1", "ItemId": BOOK, "Keywords": "x", "ResponseGroup": "???"}
    if operation == "ItemSearch":
        wanted["SearchIndex"] = "All"
    reply = Reply(ask(web, operation, parameters=wanted))
    assert reply.codes == ["AWS.InvalidEnumeratedParameter", "AWS.InvalidResponseGroup"]
    first, second = (said or "" for said in reply.texts("Message"))
    assert first.startswith("The value you specified for ResponseGroup is invalid. Valid values include [")
    assert second.startswith(
        f"Your ResponseGroup parameter is invalid. Valid response groups for {operation} requests include ['Request',"
    )


def test_capping_makes_no_error(web: FlaskClient) -> None:
    """Documented in seeds 002 and 003; the later form with InvalidQuantity (2011, 2017) is the client's to read."""
    made = Reply(ask(web, parameters=line(LAMP, "9")))
    assert (made.codes, made.texts("Quantity", "CartItems")) == ([], ["3"])


def test_an_unknown_cart_item_is_ignored(web: FlaskClient) -> None:
    """Recorded 93 times: even an ASIN in its place."""
    made = Reply(ask(web))
    for unknown in (BOOK, "1", "C0000000000000"):
        change = {"Item.1.CartItemId": unknown, "Item.1.Quantity": "0"}
        reply = Reply(ask(web, "CartModify", parameters={**made.ids(), **change}))
        assert (reply.codes, reply.texts("ASIN", "CartItems")) == ([], [BOOK])


def test_quantity_and_action_together_move_that_many(web: FlaskClient) -> None:
    """Documented from 4.0 to 2013; Japan refused it in 2016 (recorded), which is not followed (decided)."""
    made = Reply(ask(web, parameters=line(BOOK, "5")))
    item = {"Item.1.CartItemId": made.text("CartItemId"), "Item.1.Quantity": "2", "Item.1.Action": "SaveForLater"}
    reply = Reply(ask(web, "CartModify", parameters={**made.ids(), **item}))
    assert (reply.texts("Quantity", "CartItems"), reply.texts("Quantity", "SavedForLaterItems")) == (["3"], ["2"])


def test_a_database_that_is_away_is_an_internal_error_that_passes(
    new_app: Callable[..., Flask], catalog: MemoryCatalog
) -> None:
    """Decided: 503 says that it will pass; the code and text of the document were recorded with 500."""
    web = new_app(
        database_url="postgresql+psycopg://nobody@127.0.0.1:1/none", hmac_key=b"a key of sixteen bytes"
    ).test_client()
    response = ask(web)
    assert (response.status_code, Reply(response).codes) == (503, ["InternalError"])
    assert Reply(response).text("Message") == "We encountered an internal error. Please try again."
    assert int(response.headers["Retry-After"]) >= 1
    assert TAG not in response.text
