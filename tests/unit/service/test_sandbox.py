"""The sandbox does as it is told, says clearly when it cannot, keeps no secret, and is not there unless asked for."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from werkzeug.test import Client

from flask_ecscart import errors
from flask_ecscart.catalog.anything import AnyCatalog
from flask_ecscart.catalog.file import FileCatalog, MemoryCatalog
from flask_ecscart.ecs.client import ECSClient
from flask_ecscart.ecs.transport import RequestsTransport
from flask_ecscart.errors import ConfigError
from flask_ecscart.model import Cart, NewItem
from flask_ecscart.service.http import DATABASE, create_app
from flask_ecscart.service.sandbox import Sandbox, sandboxed
from flask_ecscart.service.sandbox_catalog import ChangeableCatalog
from tests.support.clock import FakeClock
from tests.support.web import Site
from tests.unit.service.shop import BOOK, DVD, KEY, LAMP, TAG, USED_BOOK, quantities

ROOT = Path(__file__).resolve().parents[3]
ACCESS_KEY, SECRET = "AKIASANDBOX00CANARY0", "secret/canary+"
LOCAL = {"Host": "127.0.0.1:8001"}


@pytest.fixture
def waited() -> list[float]:
    """The seconds that delays would have taken."""
    return []


@pytest.fixture
def sandbox(tmp_database_url: str, catalog: MemoryCatalog, clock: FakeClock, waited: list[float]) -> Iterator[Sandbox]:
    create = sandboxed(create_app, host="127.0.0.1", sleep=waited.append)
    made = create(
        database_url=tmp_database_url, catalog=catalog, keys={ACCESS_KEY: SECRET}, clock=clock, hmac_key=KEY, rate=None
    )
    yield made
    made.extensions[DATABASE].close()


@pytest.fixture
def tell(sandbox: Sandbox) -> Callable[..., Any]:
    """`tell("POST", "/clock", {"days": 1})`: the JSON that is answered; a problem fails the test."""

    def ask(method: str, path: str, order: object = None) -> Any:
        response = Client(sandbox).open(f"/sandbox{path}", method=method, json=order, headers=LOCAL)
        assert response.status_code == 200, response.text
        return response.json

    return ask


@pytest.fixture
def shop_client(sandbox: Sandbox, serve: Callable[..., Site], clock: FakeClock) -> ECSClient:
    """A client of the sandboxed service over real HTTP; its clock is the real one of the test."""
    site = serve(sandbox)
    transport = RequestsTransport(read_timeout=5.0)
    return ECSClient("US", ACCESS_KEY, SECRET, TAG, endpoint=f"{site.url}/onca/xml", transport=transport, clock=clock)


def a_cart(client: ECSClient, **lines: int) -> Cart:
    wanted = lines or {BOOK: 1}
    return client.create([NewItem(asin=asin, quantity=count) for asin, count in wanted.items()])


# --- Whether it is there -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/sandbox", "/sandbox/reset", "/sandbox/clock", "/sandbox/faults", "/sandbox/x"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_without_being_asked_for_there_is_no_sandbox(
    tmp_database_url: str, catalog: MemoryCatalog, path: str, method: str
) -> None:
    app = create_app(database_url=tmp_database_url, catalog=catalog, keys={}, unsigned=True)
    assert app.test_client().open(path, method=method).status_code == 404
    app.extensions[DATABASE].close()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "shop.example", "", "127.0.0.1.evil.example"])
def test_a_sandbox_that_others_could_reach_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1"):
        sandboxed(create_app, host=host)
    assert callable(sandboxed(create_app, host=host, anywhere=True))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.0.0.53"])
def test_this_machine_itself_is_no_other(host: str) -> None:
    assert callable(sandboxed(create_app, host=host))


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "shop.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "127.0.0.1:8001", "Origin": "http://127.0.0.1:8001"},
        {"Host": "127.0.0.1:8001", "Origin": "null"},
        {"Host": "127.0.0.1:8001", "Sec-Fetch-Site": "cross-site"},
        {"Host": "[::1"},
    ],
    ids=str,
)
def test_a_web_page_cannot_give_orders(sandbox: Sandbox, headers: dict[str, str]) -> None:
    for method, path in (("POST", "/sandbox/reset"), ("GET", "/sandbox/requests")):
        response = Client(sandbox).open(path, method=method, headers=headers)
        assert response.status_code in {400, 403}
        assert response.json is None or response.json["status"] == response.status_code


# --- The documented lines ------------------------------------------------------------------------------------


def documented() -> list[tuple[str, str]]:
    """Every command of the page with the answer that stands below it."""
    page = (ROOT / "docs" / "sandbox.md").read_text()
    return re.findall(r"```sh\n(.*?)```\n+```json\n(.*?)```", page, re.DOTALL)


def agrees(shown: Any, given: Any) -> bool:
    """Whether an answer holds what the page shows; `…` stands for anything, and fields may be left out."""
    if isinstance(shown, dict):
        return isinstance(given, dict) and all(name in given and agrees(shown[name], given[name]) for name in shown)
    if isinstance(shown, list):
        return isinstance(given, list) and len(shown) == len(given) and all(map(agrees, shown, given))
    if shown == "…":
        return given not in (None, "")
    return bool(shown == given) and type(shown) is type(given)


def test_every_documented_line_does_what_the_page_says(
    serve: Callable[..., Site], tmp_path: Path, tmp_database_url: str
) -> None:
    create = sandboxed(create_app, host="127.0.0.1")
    catalog = FileCatalog(str(ROOT / "flask_ecscart" / "catalog" / "sample.csv"))
    app = create(database_url=tmp_database_url, catalog=catalog, keys={}, unsigned=True)
    site = serve(app)
    lines = documented()
    assert len(lines) >= 14
    for command, shown in lines:
        assert command.startswith("curl ")
        here = command.replace("http://127.0.0.1:8001", site.url)
        ran = subprocess.run(
            ["bash", "-ec", here], capture_output=True, text=True, cwd=tmp_path, timeout=20, check=True
        )
        assert agrees(json.loads(shown), json.loads(ran.stdout)), (command, ran.stdout)
    app.extensions[DATABASE].close()


def test_the_page_shows_every_path_and_every_kind_of_fault(tell: Callable[..., Any]) -> None:
    page = (ROOT / "docs" / "sandbox.md").read_text()
    for path in tell("GET", "")["paths"]:
        assert path.partition("/<")[0] in page
    from typing import get_args

    from flask_ecscart.service.sandbox_faults import FaultKind

    assert [f"| `{kind}` |" for kind in get_args(FaultKind) if f"| `{kind}` |" not in page] == []


# --- Reset and time ------------------------------------------------------------------------------------------


def test_reset_leaves_nothing_but_the_keys(tell: Callable[..., Any], shop_client: ECSClient) -> None:
    cart = a_cart(shop_client)
    tell("POST", "/clock", {"days": 1})
    tell("POST", f"/products/US/{BOOK}", {"price": 1})
    tell("POST", "/faults", {"kind": "error", "times": None})
    after = tell("POST", "/reset")
    assert (after["clock"]["secondsAhead"], after["changedProducts"], after["faults"], after["requests"]) == (
        0,
        [],
        [],
        0,
    )
    with pytest.raises(errors.InvalidCartId):
        shop_client.get(cart.ref)
    assert a_cart(shop_client).items[0].price == cart.items[0].price


def test_a_cart_dies_when_the_clock_says_so_and_callers_need_not_move_theirs(
    tell: Callable[..., Any], shop_client: ECSClient
) -> None:
    cart = a_cart(shop_client)
    tell("POST", "/clock", {"days": 89, "hours": 23})
    assert quantities(shop_client.get(cart.ref).items) == {BOOK: 1}
    tell("POST", "/clock", {"hours": 1})
    with pytest.raises(errors.InvalidCartId):
        shop_client.get(cart.ref)


def test_the_clock_runs_on_from_where_it_was_put_or_stands_still(tell: Callable[..., Any], clock: FakeClock) -> None:
    set_to = tell("POST", "/clock", {"now": "2030-01-01T12:00:00+02:00"})
    assert set_to["now"] == "2030-01-01T10:00:00Z"
    clock.advance(seconds=30)
    assert tell("GET", "/clock")["now"] == "2030-01-01T10:00:30Z"
    tell("POST", "/clock", {"stopped": True})
    clock.advance(seconds=30)
    assert tell("GET", "/clock") == {
        "now": "2030-01-01T10:00:30Z",
        "secondsAhead": set_to["secondsAhead"] - 30,
        "stopped": True,
    }
    assert tell("POST", "/clock", {"minutes": 1})["now"] == "2030-01-01T10:01:30Z"
    tell("POST", "/clock", {"stopped": False})
    clock.advance(seconds=5)
    assert tell("GET", "/clock")["now"] == "2030-01-01T10:01:35Z"


# --- Products ------------------------------------------------------------------------------------------------


def test_a_product_that_sells_out_moves_to_the_saved_area_and_comes_back(
    tell: Callable[..., Any], shop_client: ECSClient
) -> None:
    cart = a_cart(shop_client, **{BOOK: 2, DVD: 1})
    tell("POST", f"/products/US/{BOOK}", {"availability": "out_of_stock"})
    gone = shop_client.get(cart.ref)
    assert (quantities(gone.items), quantities(gone.saved)) == ({DVD: 1}, {BOOK: 2})
    tell("DELETE", f"/products/US/{BOOK}")
    assert quantities(shop_client.get(cart.ref).items) == {BOOK: 2, DVD: 1}


def test_price_and_limit_of_one_offer_change_and_the_catalog_itself_does_not(
    tell: Callable[..., Any], shop_client: ECSClient, catalog: MemoryCatalog
) -> None:
    before = catalog.lookup("US", [BOOK])[BOOK]
    shown = tell("POST", f"/products/US/{BOOK}", {"offerListingId": USED_BOOK, "price": 777, "limit": 5})
    assert [offer["price"] for offer in shown["offers"]] == [6001, 777]
    cart = shop_client.create([NewItem(offer_listing_id=USED_BOOK, quantity=9), NewItem(asin=BOOK, quantity=9)])
    assert [(item.quantity, item.price and item.price.amount) for item in cart.items] == [(5, 777), (9, 6001)]
    tell("POST", f"/products/US/{BOOK}", {"offerListingId": USED_BOOK, "price": None, "limit": None})
    assert shop_client.get(cart.ref).items[0].price is None
    assert catalog.lookup("US", [BOOK])[BOOK] == before


def test_a_changed_catalog_can_still_be_walked_through(catalog: MemoryCatalog) -> None:
    changed = ChangeableCatalog(catalog)
    before = changed.version
    assert list(changed) == list(catalog)
    changed.change("US", BOOK, None, {"price": 1})
    assert changed.version != before
    assert [product.offers[0].price for product in changed if (product.locale, product.asin) == ("US", BOOK)] == [1]
    assert list(ChangeableCatalog(AnyCatalog())) == []


# --- Faults --------------------------------------------------------------------------------------------------

STRUCK: list[tuple[dict[str, Any], type[Exception], bool]] = [
    ({"kind": "error"}, errors.InternalError, False),
    ({"kind": "error", "applied": True}, errors.InternalError, True),
    ({"kind": "error", "plain": True}, errors.OutcomeUnknown, False),
    ({"kind": "unavailable", "retryAfter": 7}, errors.RequestThrottled, False),
    ({"kind": "unavailable", "plain": True, "retryAfter": 7}, errors.RequestThrottled, False),
    ({"kind": "cut_before"}, errors.OutcomeUnknown, False),
    ({"kind": "cut_after"}, errors.OutcomeUnknown, True),
    ({"kind": "truncated"}, errors.OutcomeUnknown, True),
    ({"kind": "garbage"}, errors.MalformedReply, True),
    ({"kind": "wrong_cart"}, errors.MalformedReply, True),
]


@pytest.mark.parametrize(("order", "error", "applied"), STRUCK, ids=lambda value: str(value)[:60])
def test_a_fault_strikes_once_and_the_cart_shows_whether_the_request_was_carried_out(
    tell: Callable[..., Any], shop_client: ECSClient, order: dict[str, Any], error: type[Exception], applied: bool
) -> None:
    cart = a_cart(shop_client)
    tell("POST", "/faults", {**order, "operation": "CartAdd"})
    assert quantities(shop_client.get(cart.ref).items) == {BOOK: 1}, "It was ordered for another operation."
    with pytest.raises(error) as caught:
        shop_client.add(cart.ref, [NewItem(asin=DVD, quantity=1)])
    if isinstance(caught.value, errors.RequestThrottled):
        assert caught.value.retry_after == 7
    assert quantities(shop_client.get(cart.ref).items) == ({DVD: 1, BOOK: 1} if applied else {BOOK: 1})
    assert tell("GET", "/faults")["faults"] == []
    entries = tell("GET", "/requests?last=2")["requests"]
    assert [entry["fault"] for entry in entries] == [order["kind"], None]
    assert (entries[0]["status"] is None) == order["kind"].startswith("cut_")


def test_a_delay_is_waited_for_and_the_answer_is_right(
    tell: Callable[..., Any], shop_client: ECSClient, waited: list[float]
) -> None:
    tell("POST", "/faults", {"kind": "delay", "seconds": 2.5, "times": 2, "locale": "US"})
    for _ in range(3):
        assert quantities(a_cart(shop_client).items) == {BOOK: 1}
    assert waited == [2.5, 2.5]


def test_faults_are_used_up_in_their_order_and_pass_by_what_they_do_not_mean(
    tell: Callable[..., Any], shop_client: ECSClient
) -> None:
    tell("POST", "/faults", {"kind": "error", "locale": "DE"})
    tell("POST", "/faults", {"kind": "garbage"})
    tell("POST", "/faults", {"kind": "error", "times": None})
    with pytest.raises(errors.MalformedReply):
        a_cart(shop_client)
    for _ in range(3):
        with pytest.raises(errors.InternalError):
            a_cart(shop_client)
    assert [fault["times"] for fault in tell("DELETE", "/faults")["faults"]] == []
    assert quantities(a_cart(shop_client).items) == {BOOK: 1}


def test_a_soap_request_is_struck_by_its_operation_too(sandbox: Sandbox, tell: Callable[..., Any]) -> None:
    tell("POST", "/faults", {"kind": "unavailable", "operation": "CartGet", "plain": True})
    for action, struck in (("CartAdd", False), ("CartGet", True)):
        headers = {"SOAPAction": f'"http://soap.amazon.com/{action}"'}
        response = Client(sandbox).post("/onca/soap", data=b"<x/>", content_type="text/xml", headers=headers)
        assert (response.status_code == 503) is struck


def test_where_no_connection_can_be_cut_the_answer_says_so(sandbox: Sandbox, tell: Callable[..., Any]) -> None:
    tell("POST", "/faults", {"kind": "cut_before"})
    response = Client(sandbox).get("/onca/xml")
    assert (response.status_code, "flask ecscart serve" in response.text) == (500, True)


def test_faults_leave_other_pages_alone(sandbox: Sandbox, tell: Callable[..., Any]) -> None:
    tell("POST", "/faults", {"kind": "error", "times": None})
    assert Client(sandbox).get("/healthz").status_code == 200


# --- Journal -------------------------------------------------------------------------------------------------


def test_the_journal_says_what_was_asked_and_holds_no_secret(
    sandbox: Sandbox, tell: Callable[..., Any], shop_client: ECSClient
) -> None:
    cart = a_cart(shop_client, **{BOOK: 1, LAMP: 9})
    shop_client.add(cart.ref, [NewItem(asin=BOOK, quantity=1)])
    assert cart.purchase_url is not None
    url = urlsplit(cart.purchase_url)
    Client(sandbox).get(f"{url.path}?{url.query}")
    Client(sandbox).post("/onca/xml", data={"Operation": "CartGet", "hmac": cart.ref.hmac, "Password": SECRET})
    created, added, visited, posted = tell("GET", "/requests")["requests"]
    assert created["parameters"].items() >= {("Item.1.ASIN", BOOK), ("Item.2.Quantity", "9"), ("AssociateTag", TAG)}
    assert (created["operation"], created["status"], created["codes"]) == ("CartCreate", 200, [])
    assert added["codes"] == ["AWS.ECommerceService.ItemAlreadyInCart"]
    assert added["parameters"]["CartId"] == f"…{cart.ref.cart_id[-4:]}"
    assert (visited["path"], visited["operation"], visited["parameters"]) == ("/gp/cart/aws-merge.html", None, {})
    assert posted["operation"] == "CartGet"
    written = json.dumps(tell("GET", "/requests"), ensure_ascii=False)
    for secret in (cart.ref.hmac, cart.ref.hmac[:12], SECRET, ACCESS_KEY, cart.ref.cart_id):
        assert secret not in written
    assert tell("DELETE", "/requests") == {"requests": []}


def test_the_journal_is_bounded(sandbox: Sandbox, tell: Callable[..., Any]) -> None:
    client = Client(sandbox)
    long = urlencode({"Keywords": "k" * 5000, **{f"x{number}": "y" for number in range(500)}})
    for _ in range(1100):
        client.get("/nowhere")
    client.get(f"/onca/xml?{long}")
    requests = tell("GET", "/requests?last=9999")["requests"]
    assert (len(requests), requests[0]["number"], requests[-1]["number"]) == (1000, 102, 1101)
    assert len(requests[-1]["parameters"]) <= 120
    assert len(requests[-1]["parameters"]["Keywords"]) <= 120


# --- Orders that cannot be carried out -----------------------------------------------------------------------

MISTAKES: list[tuple[str, str, Any, int, str]] = [
    ("GET", "/nothing", None, 404, "/sandbox"),
    ("GET", "/reset", None, 405, "POST"),
    ("POST", "/clock", None, 415, "application/json"),
    ("POST", "/clock", {"day": 1}, 400, "unknown field `day`"),
    ("POST", "/clock", {"days": "1"}, 400, "Expected `float`"),
    ("POST", "/clock", {"now": "2026-03-14T09:26:53"}, 400, "Z"),
    ("POST", "/clock", {"now": "yesterday"}, 400, "datetime"),
    ("POST", "/clock", {"days": 1e9}, 400, "400000"),
    ("POST", "/clock", {"days": 400_000}, 400, "2999"),
    ("POST", "/clock", [], 400, "Expected `object`"),
    ("GET", f"/products/XX/{BOOK}", None, 404, "US"),
    ("GET", "/products/US/B0NOBODY00", None, 404, "ASIN"),
    ("POST", f"/products/US/{BOOK}", {}, 400, "availability"),
    ("POST", f"/products/US/{BOOK}", {"offerListingId": "x", "price": 1}, 404, "offerListingId"),
    ("POST", f"/products/US/{BOOK}", {"availability": "maybe"}, 400, "maybe"),
    ("POST", f"/products/US/{BOOK}", {"price": -1}, 400, "price"),
    ("POST", f"/products/US/{BOOK}", {"price": 1.5}, 400, "int"),
    ("POST", f"/products/US/{BOOK}", {"limit": 0}, 400, "limit"),
    ("POST", "/products/US/B0PARENT01", {"price": 1}, 404, "offer"),
    ("POST", "/faults", {}, 400, "kind"),
    ("POST", "/faults", {"kind": "fire"}, 400, "fire"),
    ("POST", "/faults", {"kind": "delay"}, 400, "seconds"),
    ("POST", "/faults", {"kind": "delay", "seconds": 61}, 400, "60"),
    ("POST", "/faults", {"kind": "error", "times": 0}, 400, "times"),
    ("POST", "/faults", {"kind": "error", "operation": "CartBurn"}, 400, "CartBurn"),
    ("POST", "/faults", {"kind": "error", "locale": "XX"}, 404, "US"),
    ("GET", "/requests?last=all", None, 400, "?last=20"),
]


@pytest.mark.parametrize(("method", "path", "order", "status", "said"), MISTAKES, ids=str)
def test_a_mistaken_order_is_answered_with_what_to_do(
    sandbox: Sandbox, method: str, path: str, order: Any, status: int, said: str
) -> None:
    response = Client(sandbox).open(f"/sandbox{path}", method=method, json=order, headers=LOCAL)
    assert (response.status_code, response.mimetype) == (status, "application/problem+json")
    assert response.json is not None
    assert said in response.json["detail"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"null", b"[" * 10_000], ids=range(5))
def test_a_body_that_is_no_json_object_is_a_mistake(sandbox: Sandbox, body: bytes) -> None:
    response = Client(sandbox).post("/sandbox/faults", data=body, content_type="application/json", headers=LOCAL)
    assert response.status_code == 400


def test_a_body_that_is_too_long_is_not_read(sandbox: Sandbox) -> None:
    long = b'{"kind": "' + b"x" * 20_000 + b'"}'
    response = Client(sandbox).post("/sandbox/faults", data=long, content_type="application/json", headers=LOCAL)
    assert response.status_code == 413


def test_a_hundred_orders_are_enough(tell: Callable[..., Any], sandbox: Sandbox) -> None:
    for _ in range(100):
        tell("POST", "/faults", {"kind": "error"})
    response = Client(sandbox).post("/sandbox/faults", json={"kind": "error"}, headers=LOCAL)
    assert response.status_code == 409


def test_half_an_answer_says_how_long_the_whole_would_have_been(
    sandbox: Sandbox, serve: Callable[..., Site], tell: Callable[..., Any]
) -> None:
    tell("POST", "/faults", {"kind": "truncated"})
    site = serve(sandbox)
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=5)
    connection.request("GET", "/onca/xml?Service=AWSECommerceService&Operation=CartGet")
    reply = connection.getresponse()
    with pytest.raises(http.client.IncompleteRead) as caught:
        reply.read()
    assert 0 < len(caught.value.partial) < int(reply.headers["Content-Length"])
    connection.close()
