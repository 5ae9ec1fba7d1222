"""Engine, client over HTTP, and the rules written down a second time: the same cart and the same errors, always.

ECSCART_DIFFERENTIAL=2000 runs so many random journeys instead of the few of the suite.
"""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from flask_ecscart import errors
from flask_ecscart.catalog.file import MemoryCatalog
from flask_ecscart.ecs import query
from flask_ecscart.ecs.caller import Caller
from flask_ecscart.ecs.checks import check_changes, check_new_items
from flask_ecscart.ecs.endpoint import Endpoint
from flask_ecscart.ecs.parsing import parse_cart
from flask_ecscart.ecs.transport import RequestsTransport
from flask_ecscart.locales import LOCALES
from flask_ecscart.model import Cart, CartRef, ItemChange, NewItem
from flask_ecscart.service.engine import CartService
from flask_ecscart.service.messages import faults_of
from flask_ecscart.service.purchase_url import purchase_url
from flask_ecscart.state.sql import Database
from tests.contract.conftest import ACCESS_KEY, SECRET_KEY
from tests.support.cart_rules import Refused, Rules, Seen, SeenLine
from tests.support.clock import START, FakeClock
from tests.support.web import Site
from tests.unit.service.shop import BOOK, DVD, KEY, LAMP, NO_PRICE, PAIR, TAG, USED_BOOK, asin, shop

THOROUGH = "ECSCART_DIFFERENTIAL" in os.environ
"""Shrinking a failure takes minutes: the suite shows the journey as it was found."""
JOURNEYS = int(os.environ.get("ECSCART_DIFFERENTIAL", "120"))
STEPS = 40
DAY = 86_400
GOODS = [BOOK, DVD, LAMP, NO_PRICE, PAIR, "B0GONE0001", asin(0), asin(1)]
"""What is bought, and what changes its stock, price and limit on the way."""
ODD = ["B0PARENT01", "B0PARENT02", "B0KINDLE01", "B0OTHERS01", "B0UNKNOWN1", "12", "b000lamp01"]
LISTINGS = [USED_BOOK, f"offer%2Bof%2F{DVD}%3D", "n0%2Bsuch%3D"]


class OverHttp:
    """The five operations through signing, HTTP and parsing, without the client's own checks: all is really sent."""

    def __init__(self, site: Site, clock: FakeClock) -> None:
        self.site = site
        credentials, transport = query.Credentials(ACCESS_KEY, SECRET_KEY), RequestsTransport()
        self._callers = {
            locale: Caller(
                Endpoint(f"{site.url}/{locale}/onca/xml"),
                credentials,
                version="2013-08-01",
                transport=transport,
                clock=clock,
            )
            for locale in LOCALES
        }

    def create(self, locale: str, tag: str, items: Sequence[NewItem]) -> Cart:
        return self._ask(locale, tag, query.cart_create(items, associate_tag=tag))

    def add(self, ref: CartRef, items: Sequence[NewItem]) -> Cart:
        return self._ask(ref.locale, ref.associate_tag, query.cart_add(ref, items))

    def modify(self, ref: CartRef, changes: Sequence[ItemChange]) -> Cart:
        return self._ask(ref.locale, ref.associate_tag, query.cart_modify(ref, changes))

    def clear(self, ref: CartRef) -> Cart:
        return self._ask(ref.locale, ref.associate_tag, query.cart_clear(ref))

    def get(self, ref: CartRef) -> Cart:
        return self._ask(ref.locale, ref.associate_tag, query.cart_get(ref))

    def purchase(self, locale: str, cart_id: str, hmac: str, tag: str) -> None:
        """Visit the PurchaseURL; raises what the page's status says."""
        ref = CartRef(locale=locale, cart_id=cart_id, hmac=hmac, associate_tag=tag)
        url = purchase_url("D", f"{self.site.url}/{locale}", ref, access_key=ACCESS_KEY)
        try:
            urllib.request.urlopen(url, timeout=10).close()
        except urllib.error.HTTPError as refused:
            refused.close()
            raise {404: errors.CartInfoMismatch, 410: errors.InvalidCartId}[refused.code]("") from None

    def _ask(self, locale: str, tag: str, asked: dict[str, str]) -> Cart:
        read = partial(parse_cart, locale=locale, associate_tag=tag, operation=asked["Operation"])
        return self._callers[locale].ask(asked, read)


class World(msgspec.Struct):
    """What a journey happens in; databases and server serve all journeys."""

    catalog: MemoryCatalog
    clock: FakeClock
    engine: CartService
    http: OverHttp


Problems = list[tuple[str, str]]
Outcome = tuple[Cart | None, Problems]

quantities = st.one_of(st.integers(1, 4), st.sampled_from([-1, 0, 1, 15, 999, 1000]))
good_lines = st.builds(
    lambda asin, count: NewItem(asin=asin, quantity=count), st.sampled_from(GOODS), st.integers(1, 6)
)
any_lines = st.one_of(
    good_lines,
    good_lines,
    st.builds(lambda asin, count: NewItem(asin=asin, quantity=count), st.sampled_from(GOODS + ODD), quantities),
    st.builds(
        lambda listing, count: NewItem(offer_listing_id=listing, quantity=count), st.sampled_from(LISTINGS), quantities
    ),
    st.builds(
        lambda asin, listing: NewItem(asin=asin, offer_listing_id=listing, quantity=1),
        st.sampled_from(["", None, BOOK]),
        st.sampled_from(["", None, USED_BOOK]),
    ),
)
line_lists = st.one_of(st.lists(good_lines, min_size=1, max_size=4), st.lists(any_lines, max_size=5))
wrong_refs = st.sampled_from(["hmac", "cart_id", "associate_tag", "locale"])


class Journey(RuleBasedStateMachine):
    """Random operations on a few carts, each done three times over and compared."""

    world: World

    @initialize()
    def begin(self) -> None:
        self.prepare()

    def prepare(self) -> None:
        self.world.clock.now = START
        for product in shop():
            self.world.catalog.put(product)
        self.rules = Rules(list(shop()), START)
        self.carts: list[tuple[CartRef, CartRef]] = []
        """Of each cart, its reference at the engine and at the server."""
        self.ids: dict[str, tuple[tuple[str, int], str]] = {}
        """Every CartItemId that was seen → offer and area."""
        self.latest: dict[str, list[str]] = {}
        """Of each cart, by its CartId at the engine, the CartItemIds it was last seen with."""

    # --- Operations -------------------------------------------------------------------------------------------

    @rule(locale=st.sampled_from(["US", "US", "US", "DE"]), items=line_lists)
    def create(self, locale: str, items: list[NewItem]) -> None:
        self.make(locale, items)

    def make(self, locale: str, items: list[NewItem]) -> None:
        done = self.both(
            lambda: self.world.engine.create(locale, TAG, items), lambda: self.world.http.create(locale, TAG, items)
        )
        self.compare(done, lambda: self.rules.create(locale, items))
        carts = [cart for cart, _ in done]
        if carts[0] is not None and carts[1] is not None:
            self.carts.append((carts[0].ref, carts[1].ref))
        self.check_the_client(check_new_items, items, done)

    @precondition(lambda self: self.carts)
    @rule(data=st.data(), items=line_lists)
    def add(self, data: st.DataObject, items: list[NewItem]) -> None:
        number = self.draw_cart(data)
        here, there = self.carts[number]
        done = self.both(lambda: self.world.engine.add(here, items), lambda: self.world.http.add(there, items))
        self.compare(done, lambda: self.rules.add(number, items))
        self.check_the_client(check_new_items, items, done)

    @precondition(lambda self: self.carts)
    @rule(data=st.data(), first=st.integers(0, 54), room=st.sampled_from([0, 0, 1, -1]))
    def fill(self, data: st.DataObject, first: int, room: int) -> None:
        number = self.draw_cart(data)
        here, there = self.carts[number]
        count = max(1, 50 - self.rules.entries(number) - room)
        items = [NewItem(asin=asin((first + place) % 55), quantity=3) for place in range(count)]
        done = self.both(lambda: self.world.engine.add(here, items), lambda: self.world.http.add(there, items))
        self.compare(done, lambda: self.rules.add(number, items))

    @precondition(lambda self: self.carts)
    @rule(data=st.data())
    def modify(self, data: st.DataObject) -> None:
        number = self.draw_cart(data)
        self.change(number, data.draw(st.lists(self.changes(number), max_size=4)))

    @precondition(lambda self: self.carts)
    @rule(data=st.data(), quantity=st.sampled_from([None, 1, 2]), back=st.booleans())
    def move(self, data: st.DataObject, quantity: int | None, back: bool) -> None:
        number = self.draw_cart(data)
        if ids := self.latest.get(self.carts[number][0].cart_id):
            action: Any = "MoveToCart" if back else "SaveForLater"
            item_id = data.draw(st.sampled_from(ids))
            self.change(number, [ItemChange(cart_item_id=item_id, quantity=quantity, action=action)])

    @precondition(lambda self: self.carts)
    @rule(data=st.data(), sold_out=st.booleans(), quantity=st.sampled_from([None, 1, 3]), back=st.booleans())
    def split(self, data: st.DataObject, sold_out: bool, quantity: int | None, back: bool) -> None:
        """A part of an entry is saved, and then one of the two is meant by its CartItemId."""
        number = self.draw_cart(data)
        ids = self.latest.get(self.carts[number][0].cart_id, [])
        both = [item_id for item_id in ids if item_id[0] == "C"]
        if not both:
            return
        action: Any = None if quantity == 3 else "MoveToCart" if back else "SaveForLater"
        self.split_one(number, data.draw(st.sampled_from(both)), quantity, action, sold_out=sold_out, back=back)

    def split_one(
        self, number: int, item_id: str, quantity: int | None, action: Any, *, sold_out: bool, back: bool
    ) -> None:
        self.change(number, [ItemChange(cart_item_id=item_id, quantity=5)])
        self.change(number, [ItemChange(cart_item_id=item_id, quantity=2, action="SaveForLater")])
        asin, place = self.ids[item_id][0]
        if sold_out and asin in GOODS:
            self.restock(asin, 999, None, "out_of_stock", last=place == 1)
            self.compare_cart(number)
        meant = ("S" if back else "C") + item_id[1:]
        self.change(number, [ItemChange(cart_item_id=meant, quantity=quantity, action=action)])
        if sold_out and asin in GOODS:
            self.restock(asin, 999, None, "in_stock", last=place == 1)
            self.compare_cart(number)

    @precondition(lambda self: self.carts)
    @rule(data=st.data())
    def empty_by_zeros(self, data: st.DataObject) -> None:
        number = self.draw_cart(data)
        if ids := self.latest.get(self.carts[number][0].cart_id):
            self.change(number, [ItemChange(cart_item_id=item_id, quantity=0) for item_id in ids])

    def change(self, number: int, changes: list[ItemChange]) -> None:
        here, there = self.carts[number]
        done = self.both(
            lambda: self.world.engine.modify(here, changes), lambda: self.world.http.modify(there, changes)
        )
        meant = [(*self.meaning(change.cart_item_id), change) for change in changes]
        self.compare(done, lambda: self.rules.modify(number, meant))
        self.check_the_client(check_changes, changes, done)

    @precondition(lambda self: self.carts)
    @rule(data=st.data())
    def clear(self, data: st.DataObject) -> None:
        self.do_clear(self.draw_cart(data))

    def do_clear(self, number: int) -> None:
        here, there = self.carts[number]
        done = self.both(lambda: self.world.engine.clear(here), lambda: self.world.http.clear(there))
        self.compare(done, lambda: self.rules.clear(number))

    @precondition(lambda self: self.carts)
    @rule(data=st.data())
    def get(self, data: st.DataObject) -> None:
        self.compare_cart(self.draw_cart(data))

    @precondition(lambda self: self.carts)
    @rule(data=st.data())
    def purchase(self, data: st.DataObject) -> None:
        number = self.draw_cart(data)
        here, there = self.carts[number]
        engine = self.problems(lambda: self.world.engine.purchase("US", here.cart_id, here.hmac, TAG))
        http = self.problems(lambda: self.world.http.purchase("US", there.cart_id, there.hmac, TAG))
        genuine = here.locale == "US"
        model = self.problems(lambda: self.rules.purchase(number) if genuine else self.rules.get(number, genuine=False))
        assert [code for code, _ in engine] == [code for code, _ in http] == [code for code, _ in model]
        self.compare_cart(number)

    @precondition(lambda self: self.carts)
    @rule(data=st.data(), wrong=wrong_refs, items=line_lists)
    def ask_wrongly(self, data: st.DataObject, wrong: str, items: list[NewItem]) -> None:
        number = self.draw_cart(data)
        here, there = (wronged(ref, wrong) for ref in self.carts[number])
        engine, http = self.world.engine, self.world.http
        calls: dict[str, tuple[Callable[[], Cart], Callable[[], Cart], Callable[[], Seen]]] = {
            "get": (lambda: engine.get(here), lambda: http.get(there), lambda: self.rules.get(number, genuine=False)),
            "clear": (
                lambda: engine.clear(here),
                lambda: http.clear(there),
                lambda: self.rules.clear(number, genuine=False),
            ),
            "add": (
                lambda: engine.add(here, items),
                lambda: http.add(there, items),
                lambda: self.rules.add(number, items, genuine=False),
            ),
        }
        one, other, expected = calls[data.draw(st.sampled_from(sorted(calls)))]
        self.compare(self.both(one, other), expected)
        self.compare_cart(number)

    # --- What happens beside them -----------------------------------------------------------------------------

    @rule(
        asin=st.sampled_from(GOODS),
        price=st.sampled_from([None, 1, 999, 8999]),
        limit=st.sampled_from([None, None, 1, 2, 5]),
        availability=st.sampled_from(["in_stock", "in_stock", "out_of_stock", "preorder", "discontinued"]),
        last=st.booleans(),
    )
    def the_catalog_changes(
        self, asin: str, price: int | None, limit: int | None, availability: Any, last: bool
    ) -> None:
        self.restock(asin, price, limit, availability, last=last)

    def restock(self, asin: str, price: int | None, limit: int | None, availability: Any, *, last: bool) -> None:
        product = self.rules.products["US", asin]
        offers = list(product.offers)
        place = -1 if last else 0
        offers[place] = msgspec.structs.replace(offers[place], price=price, limit=limit, availability=availability)
        changed = msgspec.structs.replace(product, offers=tuple(offers))
        self.rules.products["US", asin] = changed
        self.world.catalog.put(changed)

    @rule(seconds=st.sampled_from([1, 3600, 6 * DAY, 7 * DAY - 1, 7 * DAY, 45 * DAY, 45 * DAY - 1, 90 * DAY]))
    def time_passes(self, seconds: int) -> None:
        self.pass_time(seconds)

    @rule(days=st.sampled_from([45, 44]), what=st.sampled_from(["add", "set", "unknown", "clear", "get"]))
    def nothing_is_changed_for_long(self, days: int, what: str) -> None:
        """What changes nothing gives no new life."""
        number = len(self.carts)
        item = NewItem(asin=BOOK, quantity=1)
        self.make("DE", [item])
        if what == "clear":
            self.do_clear(number)
            days = (7 * days) // 90
        self.pass_time(days * DAY)
        here, there = self.carts[number]
        if what == "add":
            done = self.both(lambda: self.world.engine.add(here, [item]), lambda: self.world.http.add(there, [item]))
            self.compare(done, lambda: self.rules.add(number, [item]))
        elif what == "clear":
            self.do_clear(number)
        else:
            ids = self.latest[here.cart_id] if what == "set" else ["C3NOBODYHASIT0"]
            self.change(number, [ItemChange(cart_item_id=item_id, quantity=1) for item_id in ids])
        self.pass_time(days * DAY)
        self.compare_cart(number)

    def pass_time(self, seconds: int) -> None:
        self.rules.now = self.world.clock.advance(seconds=seconds)

    @rule()
    def the_dead_are_purged(self) -> None:
        self.world.engine.purge()

    # --- Comparing --------------------------------------------------------------------------------------------

    def draw_cart(self, data: st.DataObject) -> int:
        return data.draw(st.integers(0, len(self.carts) - 1))

    def changes(self, number: int) -> st.SearchStrategy[ItemChange]:
        here = self.latest.get(self.carts[number][0].cart_id)
        ever = st.sampled_from(sorted(self.ids)) if self.ids else st.nothing()
        known = st.sampled_from(here) if here else ever
        return st.builds(
            lambda item_id, quantity, action: ItemChange(cart_item_id=item_id, quantity=quantity, action=action),
            st.one_of(known, known, known, ever, st.sampled_from(["C3NOBODYHASIT0", BOOK, ""])),
            st.one_of(st.none(), st.integers(0, 4), quantities),
            st.sampled_from([None, None, "MoveToCart", "SaveForLater"]),
        )

    def both(self, one: Callable[[], Cart], other: Callable[[], Cart]) -> list[Outcome]:
        return [outcome(one), outcome(other)]

    def meaning(self, item_id: str) -> tuple[tuple[str, int], str]:
        """Offer and area of a CartItemId; an S in front means the saved area, seen so or not."""
        for seen in (item_id, f"C{item_id[1:]}"):
            if seen in self.ids:
                return self.ids[seen][0], "saved" if item_id[0] == "S" else "items"
        return ("", 0), "items"

    def compare(self, done: list[Outcome], expected: Callable[[], Seen]) -> None:
        (cart, problems), (over_http, problems_over_http) = done
        assert problems == problems_over_http
        assert alike(cart) == alike(over_http)
        seen, refused = seen_or_refused(expected)
        assert named(problems) == refused
        assert (None if cart is None else seen_by(cart)) == seen
        if cart is not None:
            self.remember(cart)

    def compare_cart(self, number: int) -> None:
        here, there = self.carts[number]
        done = self.both(lambda: self.world.engine.get(here), lambda: self.world.http.get(there))
        self.compare(done, lambda: self.rules.get(number))

    def remember(self, cart: Cart) -> None:
        self.latest[cart.ref.cart_id] = [item.cart_item_id for item in (*cart.items, *cart.saved)]
        for area, items in (("items", cart.items), ("saved", cart.saved)):
            for item in items:
                place = 1 if item.seller_nickname == "Harbor Books" else 0
                self.ids[item.cart_item_id] = ((item.asin, place), area)

    def check_the_client(self, check: Callable[[Any], None], lines: Sequence[Any], done: list[Outcome]) -> None:
        """What the client refuses before it sends, the service refuses too, with the same code."""
        refused = self.problems(lambda: check(lines))
        assert not refused or refused[0][0] == done[1][1][0][0]

    def problems(self, call: Callable[[], object]) -> Problems:
        try:
            call()
        except Refused as refused:
            return list(refused.problems)
        except errors.ECSError as error:
            return [(error.code, "")]
        return []


def seen_or_refused(expected: Callable[[], Seen]) -> tuple[Seen | None, Problems]:
    try:
        return expected(), []
    except Refused as refused:
        return None, list(refused.problems)


def outcome(call: Callable[[], Cart]) -> Outcome:
    try:
        return call(), []
    except errors.ECSError as error:
        raised = [(error.code, error.message), *((other.code, other.message) for other in error.others)]
        carried = [(fault.code, fault.message) for fault in faults_of(error)]
        return None, carried if len(carried) > len(raised) else raised


def wronged(ref: CartRef, what: str) -> CartRef:
    wrong = {
        "hmac": ("A" if ref.hmac[0] != "A" else "B") + ref.hmac[1:],
        "cart_id": ref.cart_id[:-1] + ("1" if ref.cart_id[-1] != "1" else "2"),
        "associate_tag": "other-20",
        "locale": "UK",
    }
    return msgspec.structs.replace(ref, **{what: wrong[what]})


def alike(cart: Cart | None) -> Cart | None:
    """The cart without what belongs to one of two services (references, URLs) or to one way of asking."""
    if cart is None:
        return None

    def bare(items: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(msgspec.structs.replace(item, merchant_id=None, seller_id=None) for item in items)

    nobody = CartRef(locale=cart.ref.locale, cart_id="", hmac="", associate_tag=cart.ref.associate_tag)
    return msgspec.structs.replace(
        cart,
        ref=nobody,
        items=bare(cart.items),
        saved=bare(cart.saved),
        purchase_url="yes" if cart.purchase_url else None,
        mobile_cart_url=None,
        request_id=None,
    )


def seen_by(cart: Cart) -> Seen:
    def lines(items: tuple[Any, ...]) -> tuple[SeenLine, ...]:
        amazon = LOCALES[cart.ref.locale].seller_nickname
        return tuple(
            SeenLine(
                item.asin,
                None if item.seller_nickname == amazon else item.seller_nickname,
                item.quantity,
                item.price and item.price.amount,
                item.item_total and item.item_total.amount,
            )
            for item in items
        )

    sums = (cart.subtotal, cart.items_subtotal, cart.saved_subtotal)
    faults = named([(fault.code, fault.message) for fault in cart.faults])
    return Seen(lines(cart.items), lines(cart.saved), *(money and money.amount for money in sums), tuple(faults))


def named(problems: Problems) -> Problems:
    """Codes with the ASIN their message names."""
    known = [*GOODS, *ODD, *(asin(number) for number in range(55))]
    found = [(code, next((each for each in known if f" {each}," in message), "")) for code, message in problems]
    return list(dict.fromkeys(found))


@pytest.fixture
def world(database: Database, tmp_path: Any, catalog: MemoryCatalog, clock: FakeClock, serve: Any) -> Any:
    from flask_ecscart.service.http import DATABASE, create_app

    apart = f"sqlite:///{tmp_path / 'server.db'}"
    app = create_app(database_url=apart, catalog=catalog, keys={ACCESS_KEY: SECRET_KEY}, clock=clock, hmac_key=KEY)
    engine = CartService(database, catalog, hmac_key=KEY, clock=clock)
    yield World(catalog, clock, engine, OverHttp(serve(app), clock))
    app.extensions[DATABASE].close()


@pytest.mark.parametrize("sold_out", [False, True])
@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize(
    ("quantity", "action"), [(3, None), (0, None), (1, "MoveToCart"), (None, "MoveToCart"), (None, "SaveForLater")]
)
def test_an_entry_in_both_areas_is_one_of_the_corners_all_three_agree_on(
    world: World, quantity: int | None, action: Any, back: bool, sold_out: bool
) -> None:
    class InThisWorld(Journey):
        pass

    InThisWorld.world = world
    journey = InThisWorld()
    journey.prepare()
    journey.make("US", [NewItem(asin=DVD, quantity=9), NewItem(asin=BOOK, quantity=1)])
    item_id = next(item_id for item_id, (key, _) in journey.ids.items() if key == (DVD, 0))
    journey.split_one(0, item_id, quantity, action, sold_out=sold_out, back=back)


def test_whatever_is_done_all_three_agree(world: World) -> None:
    class InThisWorld(Journey):
        pass

    InThisWorld.world = world
    run_state_machine_as_test(
        InThisWorld,
        settings=settings(
            max_examples=JOURNEYS,
            stateful_step_count=STEPS,
            derandomize=not THOROUGH,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            phases=[Phase.explicit, Phase.reuse, Phase.generate, *([Phase.shrink] if THOROUGH else [])],
        ),
    )
