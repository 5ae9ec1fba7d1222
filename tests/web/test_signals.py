"""Signals and counters over real journeys through the API: what is told, when, to whom, and what never is."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import msgspec
import pytest
from sqlalchemy import text

from flask_ecscart.happenings import Where, Witness, counts_of
from flask_ecscart.shopper import Line, Wish
from flask_ecscart.signals import (
    SIGNALS,
    ArrivalConfirmed,
    ArrivalFailed,
    CartCreated,
    CartExpired,
    Event,
    HandedOff,
    ItemsAdded,
    Pieces,
    QuantityCapped,
    SavedForLater,
    cart_created,
    items_added,
)
from flask_ecscart.state.counters import OTHER, Axis, Count, Counters
from flask_ecscart.state.sql import Database
from tests.support.clock import FakeClock
from tests.support.databases import BOTH_DATABASES
from tests.support.shop import BLOG, LAMP, LIMITED, MUG, OFFER_ID, SOLD_OUT, Shop

FORM = {"US": {"associate_tag": "lamp-20"}}
DAY = date(2026, 3, 14)


class Ear:
    """Hears every signal of one shop."""

    def __init__(self, shop: Shop, stack: ExitStack) -> None:
        self.heard: list[Event] = []
        for signal in SIGNALS.values():
            stack.enter_context(signal.connected_to(self._note, shop.app))

    def _note(self, sender: object, *, event: Event) -> None:
        self.heard.append(event)

    def new(self) -> list[Event]:
        """What was heard since the last call."""
        heard, self.heard = self.heard, []
        return heard

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.new()]


@pytest.fixture
def listen() -> Iterator[Callable[[Shop], Ear]]:
    with ExitStack() as stack:
        yield lambda shop: Ear(shop, stack)


@pytest.fixture
def ear(shop: Shop, listen: Callable[[Shop], Ear]) -> Ear:
    return listen(shop)


def counted(shop: Shop, by: Axis = "locale") -> dict[str, dict[str, int]]:
    totals = shop.site.counters.totals(by, since=date(2026, 1, 1), until=date(2027, 1, 1))
    return {total.key: dict(total.counts) for total in totals}


# --- What is told --------------------------------------------------------------------------------------------


def test_a_first_addition_makes_a_cart_and_tells_the_pieces(shop: Shop, ear: Ear, clock: FakeClock) -> None:
    shop.add(LAMP, MUG, quantity=2)
    created, added = ear.new()
    assert isinstance(created, CartCreated)
    assert isinstance(added, ItemsAdded)
    assert added.items == (Pieces(LAMP, 2), Pieces(MUG, 2))
    assert (added.locale, added.page, added.at) == ("US", None, clock())
    shop.add(LAMP)
    (more,) = ear.new()
    assert isinstance(more, ItemsAdded)
    assert more.items == (Pieces(LAMP, 1),)
    assert counted(shop) == {"US": {"carts": 1, "added": 5}}
    assert counted(shop, "asin") == {LAMP: {"added": 3}, MUG: {"added": 2}}
    assert counted(shop, "day") == {"2026-03-14": {"carts": 1, "added": 5}}


def test_a_capped_quantity_is_told_with_what_was_wanted_and_what_came_of_it(shop: Shop, ear: Ear) -> None:
    shop.add(LIMITED, quantity=9)
    _, added, capped = ear.new()
    assert isinstance(added, ItemsAdded)
    assert added.items == (Pieces(LIMITED, 3),)
    assert isinstance(capped, QuantityCapped)
    assert (capped.asin, capped.requested, capped.actual) == (LIMITED, 9, 3)
    shop.add(LIMITED, quantity=1)
    assert ear.kinds() == ["QuantityCapped"]
    assert counted(shop)["US"] == {"carts": 1, "added": 3, "capped": 2}


def test_saving_for_later_says_who_did_it(shop: Shop, ear: Ear) -> None:
    shop.add(LAMP, SOLD_OUT)
    by_service = ear.new()[-1]
    assert isinstance(by_service, SavedForLater)
    assert (by_service.asin, by_service.quantity, by_service.by_shopper) == (SOLD_OUT, 1, False)
    shop.change(LAMP, area="saved")
    (by_shopper,) = ear.new()
    assert isinstance(by_shopper, SavedForLater)
    assert (by_shopper.asin, by_shopper.by_shopper) == (LAMP, True)


def test_raising_a_quantity_is_adding_and_lowering_it_or_clearing_is_not(shop: Shop, ear: Ear) -> None:
    shop.add(LAMP)
    ear.new()
    shop.change(LAMP, quantity=4)
    (raised,) = ear.new()
    assert isinstance(raised, ItemsAdded)
    assert raised.items == (Pieces(LAMP, 3),)
    shop.change(LAMP, quantity=1)
    shop.client.delete("/ecscart/v1/carts/US/items")
    assert ear.new() == []


def test_an_offer_is_told_by_the_asin_it_sells(shop: Shop, ear: Ear) -> None:
    shop.send("POST", "US", [{"offerListingId": OFFER_ID, "quantity": 1}])
    added = ear.new()[-1]
    assert isinstance(added, ItemsAdded)
    assert added.items == (Pieces(MUG, 1),)


@pytest.mark.parametrize(("answer", "kind"), [("arrived", ArrivalConfirmed), ("failed", ArrivalFailed)])
def test_leaving_by_the_form_and_the_answer_are_told_once_each(
    make_shop: Callable[..., Shop], listen: Callable[[Shop], Ear], answer: str, kind: type[Event]
) -> None:
    shop = make_shop(ECSCART_LOCALES=FORM)
    ear = listen(shop)
    shop.add(LAMP, quantity=2)
    ear.new()
    for _ in range(2):  # the second part of a form, or a second click
        shop.client.post("/ecscart/v1/carts/US/handoff", json={"outcome": "left"})
    (left,) = ear.new()
    assert isinstance(left, HandedOff)
    assert (left.mode, left.items) == ("form", (Pieces(LAMP, 2),))
    for _ in range(2):
        shop.client.post("/ecscart/v1/carts/US/handoff", json={"outcome": answer})
    (answered,) = ear.new()
    assert type(answered) is kind
    assert answered.items == (Pieces(LAMP, 2),)  # type: ignore[attr-defined]
    assert counted(shop)["US"] == {"carts": 1, "added": 2, "left": 1, "sent": 2, answer: 1}


def test_leaving_again_with_more_items_is_another_hand_off(
    make_shop: Callable[..., Shop], listen: Callable[[Shop], Ear], clock: FakeClock
) -> None:
    shop = make_shop(ECSCART_LOCALES=FORM)
    ear = listen(shop)
    for _ in range(2):
        shop.add(LAMP)
        shop.client.post("/ecscart/v1/carts/US/handoff", json={"outcome": "left"})
        clock.advance(minutes=1)
    assert ear.kinds() == ["CartCreated", "ItemsAdded", "HandedOff", "ItemsAdded", "HandedOff"]


def test_leaving_by_ticket_is_told_and_coming_back_with_the_items_is_no_addition(shop: Shop, ear: Ear) -> None:
    shop.add(LAMP, quantity=2)
    assert shop.client.get(shop.cart()["handoff"]["action"]).status_code == 303
    left = ear.new()[-1]
    assert isinstance(left, HandedOff)
    assert (left.mode, left.items) == ("demo", (Pieces(LAMP, 2),))
    shop.client.post("/ecscart/v1/carts/US/handoff", json={"outcome": "failed"})
    assert ear.kinds() == ["CartCreated", "ArrivalFailed"]


def test_leaving_with_nothing_is_no_hand_off(make_shop: Callable[..., Shop], listen: Callable[[Shop], Ear]) -> None:
    shop = make_shop(ECSCART_LOCALES=FORM)
    ear = listen(shop)
    shop.add(SOLD_OUT)
    ear.new()
    for outcome in ("left", "arrived"):
        shop.client.post("/ecscart/v1/carts/US/handoff", json={"outcome": outcome})
    assert ear.new() == []


def test_an_expired_cart_is_told_with_what_was_put_back(shop: Shop, ear: Ear, clock: FakeClock) -> None:
    shop.add(LAMP, quantity=2)
    ear.new()
    clock.advance(days=91)
    assert shop.held() == {LAMP: 2}
    expired, created = ear.new()
    assert isinstance(expired, CartExpired)
    assert expired.items == (Pieces(LAMP, 2),)
    assert isinstance(created, CartCreated)


def test_reading_refusals_and_repeated_keys_tell_nothing(shop: Shop, ear: Ear) -> None:
    shop.add(LAMP, key="once")
    ear.new()
    shop.add(LAMP, key="once")
    shop.cart()
    assert shop.add("B0TESTPARE").status_code == 422
    assert shop.add(LAMP, quantity=0).status_code == 422
    assert ear.new() == []
    assert counted(shop)["US"] == {"carts": 1, "added": 1}


def test_every_event_is_counted_as_something() -> None:
    common: dict[str, Any] = {"locale": "US", "page": "/lamps", "shopper": "x", "at": FakeClock()()}
    more: dict[str, Any] = {
        "items": (Pieces(LAMP, 2),),
        "asin": LAMP,
        "quantity": 2,
        "requested": 2,
        "actual": 1,
        "by_shopper": True,
        "mode": "form",
    }
    for kind in SIGNALS:
        event = kind(**common, **{name: more[name] for name in kind.__struct_fields__ if name in more})
        counts = list(counts_of(event))
        assert counts
        assert all((one.locale, one.page) == ("US", "/lamps") and one.n > 0 for one in counts)
    with pytest.raises(TypeError, match="not counted yet"):
        list(counts_of(Event(**common)))


# --- Where the shopper was, and who ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("referer", "page"),
    [
        ("http://localhost/lamps/brass?secret=1#x", "/lamps/brass"),
        ("https://localhost/lamps", "/lamps"),
        ("http://localhost", "/"),
        ("http://localhost/" + "x" * 500, "/" + "x" * 199),
        ("http://localhost/caf\xe9\x7f", "/caf??"),
        ("https://elsewhere.example/lamps", None),
        (BLOG + "/post", None),
        ("http://[broken", None),
        ("about:blank", None),
        (None, None),
    ],
)
def test_the_page_is_the_path_on_this_site_alone(shop: Shop, ear: Ear, referer: str | None, page: str | None) -> None:
    headers = {"Referer": referer} if referer is not None else {}
    shop.client.post("/ecscart/v1/carts/US/items", json={"items": [{"asin": LAMP}]}, headers=headers)
    heard = ear.new()
    assert len(heard) == 2
    assert {event.page for event in heard} == {page}
    assert counted(shop, "page") == {page or "": {"carts": 1, "added": 1}}


def test_a_page_of_an_allowed_origin_is_named_with_its_origin(shop: Shop, ear: Ear) -> None:
    headers = {"Origin": BLOG}
    token = (shop.client.post("/ecscart/v1/shopper", headers=headers).json or {})["token"]
    headers |= {"Authorization": f"Bearer {token}", "Referer": f"{BLOG}/post?id=7"}
    body = {"items": [{"asin": LAMP}]}
    assert shop.client.post("/ecscart/v1/carts/US/items", json=body, headers=headers).status_code == 200
    assert {event.page for event in ear.new()} == {f"{BLOG}/post"}


def press_add(shop: Shop, page: str) -> None:
    """What a browser without JavaScript sends from a confirm page, whose own address is its Referer."""
    form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
    headers = {"Referer": "http://localhost/ecscart/add"}
    assert shop.client.post("/ecscart/add", data=form, headers=headers).status_code == 303


@pytest.mark.parametrize(
    ("referer", "page"),
    [
        ("http://localhost/lamps?id=7", "/lamps"),
        (f"{BLOG}/post?id=7", f"{BLOG}/post"),
        ("https://elsewhere.example/x", "/ecscart/add"),
        (None, "/ecscart/add"),
    ],
)
def test_the_pages_without_javascript_tell_where_the_link_was(
    shop: Shop, ear: Ear, referer: str | None, page: str
) -> None:
    headers = {"Referer": referer} if referer is not None else {}
    press_add(shop, shop.client.get(f"/ecscart/add?asin={LAMP}&quantity=2", headers=headers).text)
    assert [(type(event), event.page) for event in ear.new()] == [(CartCreated, page), (ItemsAdded, page)]


def test_a_choice_among_kinds_is_counted_for_the_page_with_the_link(shop: Shop, ear: Ear) -> None:
    press_add(shop, shop.client.get(f"/ecscart/add?asin={LAMP}&from=/lamps").text)
    assert {event.page for event in ear.new()} == {"/lamps"}
    press_add(shop, shop.client.get(f"/ecscart/add?asin={MUG}&from=https://elsewhere.example/").text)
    assert {event.page for event in ear.new()} == {"/ecscart/add"}


def test_a_shopper_has_one_name_a_day_another_tomorrow_and_none_in_common_with_others(
    shop: Shop, ear: Ear, clock: FakeClock
) -> None:
    shop.add(LAMP)
    shop.add(MUG)
    today = {event.shopper for event in ear.new()}
    clock.advance(days=1)
    shop.add(LAMP)
    tomorrow = {event.shopper for event in ear.new()}
    shop.new_shopper().post("/ecscart/v1/carts/US/items", json={"items": [{"asin": LAMP}]})
    other = {event.shopper for event in ear.new()}
    assert [len(names) for names in (today, tomorrow, other)] == [1, 1, 1]
    assert len(today | tomorrow | other) == 3


def test_no_event_and_no_counter_holds_a_secret_or_a_cookie(shop: Shop, ear: Ear) -> None:
    shop.add(LAMP, SOLD_OUT)
    shop.client.get(shop.cart()["handoff"]["action"])
    cookie = shop.client.get_cookie("ecscart", path="/ecscart")
    assert cookie is not None
    with shop.site.database.reading() as connection:
        carts = [tuple(row) for row in connection.execute(text("SELECT id, data FROM ecscart_sessions"))]
        kept = str([tuple(row) for row in connection.execute(text("SELECT * FROM ecscart_counters"))])
    told = msgspec.json.encode(ear.new()).decode() + kept
    assert LAMP in told
    for secret in (cookie.value, carts[0][0], "lamp-20", str(shop.app.config["SECRET_KEY"])):
        assert secret not in told


# --- When, and what a receiver may do -------------------------------------------------------------------------


def test_a_receiver_sees_the_change_already_kept(shop: Shop) -> None:
    seen: list[int] = []

    def look(sender: object, *, event: Event) -> None:
        other = Database(str(shop.site.database.url))  # another connection, as another process has it
        with other.reading() as connection:
            seen.append(connection.execute(text("SELECT count(*) FROM ecscart_counters")).scalar_one())
        other.close()

    with items_added.connected_to(look, shop.app):
        shop.add(LAMP)
    assert seen == [2]


def test_a_receiver_may_change_the_same_cart(shop: Shop) -> None:
    asked: list[str] = []

    def look(sender: object, *, event: CartCreated) -> None:
        asked.append(event.shopper)
        shop.new_shopper().post("/ecscart/v1/carts/DE/items", json={"items": [{"asin": "B0TESTLADE"}]})

    with cart_created.connected_to(lambda sender, event: look(sender, event=event) if event.locale == "US" else None):
        assert shop.add(LAMP).status_code == 200
    assert len(asked) == 1
    assert counted(shop)["DE"]["added"] == 1


def test_a_receiver_that_raises_is_logged_and_breaks_neither_the_request_nor_the_others(
    shop: Shop, ear: Ear, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(sender: object, *, event: Event) -> None:
        raise RuntimeError("the metrics server is away")

    with items_added.connected_to(breaks, shop.app), caplog.at_level(logging.ERROR):
        assert shop.add(LAMP).status_code == 200
    assert shop.held() == {LAMP: 1}
    assert "ItemsAdded" in ear.kinds()
    assert "the metrics server is away" in caplog.text


def test_a_coroutine_is_refused_in_the_log(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    async def slow(sender: object, *, event: Event) -> None: ...

    with items_added.connected_to(slow, shop.app):
        assert shop.add(LAMP).status_code == 200
    assert "make it a plain function" in caplog.text


def test_the_sender_is_the_app_so_two_apps_do_not_hear_each_other(make_shop: Callable[..., Shop]) -> None:
    one, two = make_shop(), make_shop()
    heard: list[object] = []

    def note(sender: object, *, event: Event) -> None:
        heard.append(sender)

    with items_added.connected_to(note, one.app):
        two.add(LAMP)
        assert heard == []
        one.add(LAMP)
    assert heard == [one.app]


def test_what_is_rolled_back_is_neither_told_nor_counted(shop: Shop, ear: Ear) -> None:
    sessions = shop.site.sessions
    witness = Witness(
        sessions, shop.site.counters, shop.site.settings.locales, key="k", sender=shop.app, clock=shop.site.clock
    )

    def change(*, fails: bool) -> None:
        with witness.exclusive(Where("somebody", "US")) as kept:
            kept.carts["US"] = Wish(lines=[Line(asin=LAMP, quantity=1)], version=1)
            if fails:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        change(fails=True)
    assert (ear.new(), counted(shop)) == ([], {})
    change(fails=False)
    assert (ear.kinds(), counted(shop)) == (["ItemsAdded"], {"US": {"added": 1}})


# --- Counting ---------------------------------------------------------------------------------------------------


@BOTH_DATABASES
def test_eight_threads_lose_no_count_and_do_not_lock_each_other_out(database: Database) -> None:
    counters = Counters(database)
    rounds = 25
    problems: list[Exception] = []

    def work(number: int) -> None:
        names = [f"B0TEST{n:04d}" for n in range(6)]
        try:
            for _ in range(rounds):
                mixed = names[number % 6 :] + names[: number % 6]  # each thread in an order of its own
                counters.count(DAY, [Count("added", "US", "/", asin, 2) for asin in mixed])
        except Exception as problem:
            problems.append(problem)

    threads = [Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    totals = counters.totals("asin", since=DAY, until=DAY)
    assert [total.counts for total in totals] == [{"added": 2 * 8 * rounds}] * 6


@BOTH_DATABASES
def test_shoppers_in_eight_threads_are_all_counted_with_their_changes(tmp_path: Path, tmp_database_url: str) -> None:
    shop = Shop(tmp_path / "shop", ECSCART_DATABASE_URL=tmp_database_url)
    answers: list[int] = []

    def visit() -> None:
        client = shop.new_shopper()
        for asin in (LAMP, MUG, LAMP):
            body = {"items": [{"asin": asin}]}
            answers.append(client.post("/ecscart/v1/carts/US/items", json=body).status_code)

    threads = [Thread(target=visit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    today = shop.site.clock().date()
    totals = shop.site.counters.totals("asin", since=today, until=today)
    shop.site.database.close()
    assert answers == [200] * 24
    assert {total.key: dict(total.counts) for total in totals} == {LAMP: {"added": 16}, MUG: {"added": 8}}


@BOTH_DATABASES
def test_totals_are_by_day_locale_page_and_asin_between_two_days(database: Database) -> None:
    counters = Counters(database)
    counters.count(DAY, [Count("added", "US", "/", LAMP, 1), Count("added", "US", "/", LAMP, 2)])
    counters.count(DAY, [Count("added", "DE", "/b", MUG, 4), Count("carts", "DE", "/b", "", 1)])
    counters.count(date(2026, 3, 15), [Count("added", "US", "/", LAMP, 8)])
    counters.count(DAY, [])

    def totals(by: Axis, until: date = DAY) -> dict[str, Any]:
        return {key: dict(counts) for key, counts in counters.totals(by, since=DAY, until=until)}

    assert totals("locale") == {"DE": {"added": 4, "carts": 1}, "US": {"added": 3}}
    assert totals("page") == {"/": {"added": 3}, "/b": {"added": 4, "carts": 1}}
    assert totals("asin") == {LAMP: {"added": 3}, MUG: {"added": 4}}
    assert totals("day", date(2026, 3, 16)) == {"2026-03-14": {"added": 7, "carts": 1}, "2026-03-15": {"added": 8}}


def test_invented_pages_fill_no_disk(database: Database) -> None:
    counters = Counters(database, max_keys=3)
    for number in range(50):
        counters.count(DAY, [Count("added", "US", f"/{number}", LAMP, 1)])
    counters.count(DAY, [Count("added", "US", "/1", LAMP, 1), Count("carts", "US", "", "", 1)])
    found = {total.key: total.counts for total in counters.totals("page", since=DAY, until=DAY)}
    assert found == {"/0": {"added": 1}, "/1": {"added": 2}, "/2": {"added": 1}, OTHER: {"added": 47}, "": {"carts": 1}}
    counters.count(date(2026, 3, 15), [Count("added", "US", "/new", LAMP, 1)])
    assert "/new" in {total.key for total in counters.totals("page", since=DAY, until=date(2026, 3, 15))}


def test_a_page_is_kept_no_longer_than_its_column(database: Database) -> None:
    counters = Counters(database)
    counters.count(DAY, [Count("added", "US", "/" + "x" * 999, LAMP, 1)])
    (total,) = counters.totals("page", since=DAY, until=DAY)
    assert len(total.key) == 200


# --- The examples of the documentation ---------------------------------------------------------------------------


class Metric:
    """Stands for a counter of prometheus_client, which no test needs to install."""

    made: ClassVar[dict[str, Metric]] = {}

    def __init__(self, name: str, _help: str, labels: Sequence[str] = ()) -> None:
        self.labelled: dict[tuple[str, ...], float] = {}
        self._names, self._key = labels, ()
        self.made[name] = self

    def labels(self, *values: str) -> Metric:
        assert len(values) == len(self._names)
        self._key = values
        return self

    def inc(self, by: float = 1) -> None:
        self.labelled[self._key] = self.labelled.get(self._key, 0) + by


def test_the_documented_receivers_work(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "signals.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 2
    source = "\n".join(blocks).replace("from prometheus_client import Counter\n", "")
    names = {"app": shop.app, "Counter": Metric}  # receivers are held weakly: they live as long as `names`
    exec(compile(source, "signals.md", "exec"), names)
    with caplog.at_level(logging.INFO):
        shop.add(LAMP, quantity=2)
        shop.client.get(shop.cart()["handoff"]["action"])
    assert Metric.made["ecscart_pieces_added"].labelled == {("US",): 2}
    assert Metric.made["ecscart_handoffs"].labelled == {("US", "demo"): 1}
    assert f"{LAMP} x 2" in caplog.text
