"""Settling against a service with every recorded and documented manner: the least is sent, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pytest

from flask_ecscart.errors import (
    CartInfoMismatch,
    InternalError,
    InvalidCartId,
    ItemNotEligibleForCart,
    OutcomeUnknown,
    ParameterOutOfRange,
)
from flask_ecscart.model import Cart, CartFault, CartItem, CartRef, ItemChange, NewItem
from flask_ecscart.settle import Settler
from flask_ecscart.shopper import Line, Wish
from tests.support.clock import FakeClock


class Service:
    """A remote cart service in a few lines, with every manner a real one was recorded to have.

    `calls` lists what was asked of it. `limits`, `sold_out`, `refuses` say what it thinks of ASINs; `fail` holds
    errors to raise, one a call, None for a call that works.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.carts: dict[str, dict[str, tuple[int, bool]]] = {}
        self.limits: dict[str, int] = {}
        self.sold_out: set[str] = set()
        self.refuses: set[str] = set()
        self.whole_call_refused = False
        self.fail: list[Exception | None] = []

    def create(self, locale: str, associate_tag: str, items: Sequence[NewItem]) -> Cart:
        self._called("create", *[(item.asin, item.quantity) for item in items])
        cart_id = f"000-0000000-000000{len(self.carts)}"
        taken, faults = self._take({}, items)
        if not taken:
            raise ItemNotEligibleForCart("The item you specified is not eligible.")
        self.carts[cart_id] = taken
        return self._show(CartRef(locale=locale, cart_id=cart_id, hmac="h", associate_tag=associate_tag), faults)

    def add(self, ref: CartRef, items: Sequence[NewItem]) -> Cart:
        self._called("add", *[(item.asin, item.quantity) for item in items])
        taken, faults = self._take(self._cart(ref), items)
        if not taken and all(fault.code == ItemNotEligibleForCart.code for fault in faults):
            raise ItemNotEligibleForCart("The item you specified is not eligible.")
        self.carts[ref.cart_id] = {**taken, **self._cart(ref)}
        return self._show(ref, faults)

    def modify(self, ref: CartRef, changes: Sequence[ItemChange]) -> Cart:
        self._called("modify", *[(c.cart_item_id[1:], c.quantity, c.action) for c in changes])
        cart = self._cart(ref)
        for change in changes:
            asin = change.cart_item_id[1:]
            if asin not in cart:
                continue
            quantity, saved = cart[asin]
            if change.quantity is not None:
                quantity = min(change.quantity, self.limits.get(asin, 999))
            if change.action is not None:
                saved = change.action == "SaveForLater"
            cart[asin] = (quantity, saved)
            if quantity == 0:
                del cart[asin]
        return self._show(ref, [])

    def clear(self, ref: CartRef) -> Cart:
        self._called("clear")
        self._cart(ref).clear()
        return Cart(ref=ref)

    def get(self, ref: CartRef) -> Cart:
        self._called("get")
        return self._show(ref, [])

    def _called(self, *call: object) -> None:
        self.calls.append(call)
        problem = self.fail.pop(0) if self.fail else None
        if problem is not None:
            raise problem

    def _cart(self, ref: CartRef) -> dict[str, tuple[int, bool]]:
        if ref.cart_id not in self.carts:
            raise InvalidCartId("gone")
        return self.carts[ref.cart_id]

    def _take(
        self, cart: dict[str, tuple[int, bool]], items: Sequence[NewItem]
    ) -> tuple[dict[str, tuple[int, bool]], list[CartFault]]:
        faults: list[CartFault] = []
        taken: dict[str, tuple[int, bool]] = {}
        if self.whole_call_refused and any(item.asin in self.refuses for item in items):
            raise ItemNotEligibleForCart("The item you specified, , is not eligible to be added to the cart.")
        for item in items:
            asin = item.asin or f"OF{item.offer_listing_id}"
            if asin in self.refuses:
                faults.append(CartFault(ItemNotEligibleForCart.code, f"The item you specified, {asin}, is not …"))
            elif asin in cart:
                faults.append(CartFault("AWS.ECommerceService.ItemAlreadyInCart", f"{asin}, is already in your cart."))
            else:
                taken[asin] = (min(item.quantity, self.limits.get(asin, 999)), False)
        return taken, faults

    def _show(self, ref: CartRef, faults: Sequence[CartFault]) -> Cart:
        areas: dict[bool, list[CartItem]] = {False: [], True: []}
        for asin, (quantity, saved) in self._cart(ref).items():
            in_saved = saved or asin in self.sold_out
            id_ = ("S" if in_saved else "C") + asin
            areas[in_saved].append(CartItem(cart_item_id=id_, asin=asin, quantity=quantity))
        return Cart(ref=ref, items=tuple(areas[False]), saved=tuple(areas[True]), faults=tuple(faults))

    @property
    def held(self) -> dict[str, int]:
        """What the last cart holds, both areas."""
        return {asin: quantity for asin, (quantity, _) in list(self.carts.values())[-1].items()}


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def settle(service: Service, clock: FakeClock) -> Callable[[Wish], list[str]]:
    """Settles a wish after noting that it changed; returns the codes of the new notices."""
    settler = Settler(service, texts={}, clock=clock)

    def run(wish: Wish) -> list[str]:
        wish.version += 1
        before = wish.last_notice
        settler.settle(wish, "US", "lamp-20")
        return [notice.code for notice in wish.notices if notice.id > before]

    return run


def wish(**quantities: int) -> Wish:
    return Wish(lines=[Line(asin=asin, quantity=quantity) for asin, quantity in quantities.items()])


def lines(wish: Wish) -> dict[str | None, int]:
    return {line.asin: line.quantity for line in wish.lines}


def changing(service: Service) -> list[str]:
    return [str(call[0]) for call in service.calls if call[0] != "get"]


def test_a_first_settling_is_one_cartcreate_with_every_line(
    service: Service, settle: Callable[[Wish], list[str]]
) -> None:
    settle(wish(A=1, B=2, C=3))
    assert service.calls == [("create", ("A", 1), ("B", 2), ("C", 3))]


def test_many_changes_become_one_cartadd_and_one_cartmodify(
    service: Service, settle: Callable[[Wish], list[str]]
) -> None:
    wanted = wish(A=1, B=2, C=3, D=1)
    settle(wanted)
    service.calls.clear()
    wanted.lines = [Line(asin="E", quantity=1), *wanted.lines[1:]]  # A removed, E added
    wanted.lines[1].quantity = 7
    wanted.lines[2].area = "saved"
    settle(wanted)
    assert changing(service) == ["add", "modify"]
    assert service.held == {"E": 1, "B": 7, "C": 3, "D": 1}


def test_nothing_to_say_sends_nothing(service: Service, settle: Callable[[Wish], list[str]]) -> None:
    wanted = wish(A=1)
    settle(wanted)
    service.calls.clear()
    assert settle(wanted) == []
    assert changing(service) == []


def test_an_empty_wish_clears_and_an_empty_cart_is_left_alone(
    service: Service, settle: Callable[[Wish], list[str]]
) -> None:
    wanted = wish(A=1)
    settle(wanted)
    wanted.lines = []
    settle(wanted)
    settle(wanted)
    assert changing(service) == ["create", "clear"]
    assert settle(Wish()) == []


def test_a_capped_line_is_told_and_not_asked_for_twice(service: Service, settle: Callable[[Wish], list[str]]) -> None:
    service.limits["A"] = 3
    wanted = wish(A=5, B=1)
    assert settle(wanted) == ["quantity_capped"]
    assert (lines(wanted), changing(service)) == ({"A": 3, "B": 1}, ["create"])


def test_an_item_already_there_gets_the_wanted_quantity_once(
    service: Service, settle: Callable[[Wish], list[str]]
) -> None:
    """A CartAdd whose answer was lost: the next one hears ItemAlreadyInCart, and nothing is counted twice."""
    wanted = wish(A=1)
    settle(wanted)
    service.add(wanted.ref or pytest.fail("no cart"), [NewItem(asin="B", quantity=2)])
    wanted.lines.append(Line(asin="B", quantity=5))
    service.fail = []
    settle(wanted)
    assert service.held == {"A": 1, "B": 5}


@pytest.mark.parametrize(
    "death",
    [
        [InvalidCartId("gone")],
        [CartInfoMismatch("wrong")],
        [InternalError("sorry"), InternalError("sorry")],
    ],
    ids=["InvalidCartId", "CartInfoMismatch", "InternalError, confirmed"],
)
def test_a_dead_cart_is_made_again_and_told(
    service: Service, settle: Callable[[Wish], list[str]], death: list[Exception | None]
) -> None:
    wanted = wish(A=2, B=1)
    settle(wanted)
    first = wanted.ref
    service.fail = death
    assert settle(wanted) == ["cart_renewed"]
    assert wanted.ref != first
    assert service.held == {"A": 2, "B": 1}


def test_one_internal_error_does_not_cost_the_cart(service: Service, settle: Callable[[Wish], list[str]]) -> None:
    wanted = wish(A=2)
    settle(wanted)
    first = wanted.ref
    service.fail = [InternalError("sorry")]
    assert settle(wanted) == []
    assert wanted.ref == first


def test_a_refused_line_is_told_and_no_longer_wanted(service: Service, settle: Callable[[Wish], list[str]]) -> None:
    service.refuses = {"X"}
    wanted = wish(A=1, X=1, B=1)
    assert settle(wanted) == ["refused"]
    assert lines(wanted) == {"A": 1, "B": 1}


@pytest.mark.parametrize("bad", [{"X"}, {"X", "B"}, {"A", "X"}, {"A", "B", "X", "C"}])
def test_a_service_that_refuses_the_whole_call_for_one_line_still_gets_the_good_ones(
    service: Service, settle: Callable[[Wish], list[str]], bad: set[str]
) -> None:
    service.refuses = bad
    service.whole_call_refused = True
    wanted = wish(A=1, B=2, X=1, C=4)
    assert settle(wanted) == ["refused"] * len(bad)
    good = {asin: quantity for asin, quantity in {"A": 1, "B": 2, "X": 1, "C": 4}.items() if asin not in bad}
    assert lines(wanted) == good
    assert (service.held if service.carts else {}) == good


def test_a_request_refused_as_wrong_is_told_line_by_line(service: Service, settle: Callable[[Wish], list[str]]) -> None:
    service.fail = [ParameterOutOfRange("both"), ParameterOutOfRange("A alone"), None]
    wanted = wish(A=1, B=2)
    assert settle(wanted) == ["refused"]
    assert lines(wanted) == {"B": 2}


def test_a_lost_answer_loses_no_wish_and_settling_again_completes_it(
    service: Service, settle: Callable[[Wish], list[str]]
) -> None:
    wanted = wish(A=1)
    settle(wanted)
    wanted.lines.append(Line(asin="B", quantity=2))
    service.fail = [None, OutcomeUnknown("lost")]
    with pytest.raises(OutcomeUnknown):
        settle(wanted)
    assert lines(wanted) == {"A": 1, "B": 2}
    settle(wanted)
    assert service.held == {"A": 1, "B": 2}


def test_unavailable_and_back_is_told_once_each_way(service: Service, settle: Callable[[Wish], list[str]]) -> None:
    service.sold_out = {"A"}
    wanted = wish(A=2)
    assert settle(wanted) == ["saved_for_later"]
    assert settle(wanted) == []
    service.sold_out = set()
    assert settle(wanted) == ["moved_to_cart"]
    assert settle(wanted) == []
    assert changing(service) == ["create"]


def test_settling_does_not_fight_over_an_item_the_service_keeps_saved(
    service: Service, settle: Callable[[Wish], list[str]]
) -> None:
    wanted = wish(A=2)
    settle(wanted)
    wanted.lines[0].area = "saved"
    settle(wanted)
    service.sold_out = {"A"}
    wanted.lines[0].area, wanted.lines[0].moved_by_shopper = "active", True
    assert settle(wanted) == ["saved_for_later"]
    service.calls.clear()
    settle(wanted)
    assert changing(service) == []


def test_an_item_removed_from_saved_and_put_in_again_at_once_is_moved_to_the_cart(
    service: Service, settle: Callable[[Wish], list[str]]
) -> None:
    wanted = wish(A=2)
    settle(wanted)
    wanted.lines[0].area = "saved"
    settle(wanted)
    wanted.lines = [Line(asin="A", quantity=1)]  # removed and added before anything was sent
    wanted.version += 1
    assert settle(wanted) == []
    assert not service.carts["000-0000000-0000000"]["A"][1]
    assert service.held == {"A": 1}


def test_a_saved_line_is_saved_again_in_a_cart_made_anew(service: Service, settle: Callable[[Wish], list[str]]) -> None:
    wanted = wish(A=2, B=1)
    wanted.lines[0].area = "saved"
    settle(wanted)
    service.carts.clear()
    settle(wanted)
    assert {asin: saved for asin, (_, saved) in service.carts["000-0000000-0000000"].items()} == {"A": True, "B": False}


def test_offers_without_a_known_asin_are_matched_in_the_order_they_were_sent(
    service: Service, settle: Callable[[Wish], list[str]]
) -> None:
    wanted = Wish(lines=[Line(offer_listing_id="x", quantity=1), Line(offer_listing_id="y", quantity=2)])
    settle(wanted)
    assert [(line.cart_item_id, line.quantity) for line in wanted.lines] == [("COFx", 1), ("COFy", 2)]
    wanted.lines[1].quantity = 9
    settle(wanted)
    assert service.held == {"OFx": 1, "OFy": 9}


def test_a_full_cart_makes_room_before_it_adds(service: Service, settle: Callable[[Wish], list[str]]) -> None:
    wanted = wish(**{f"A{n}": 1 for n in range(50)})
    settle(wanted)
    service.calls.clear()
    wanted.lines = [*wanted.lines[1:], Line(asin="NEW", quantity=1)]
    settle(wanted)
    assert changing(service) == ["modify", "add"]
    assert len(service.held) == 50


def test_a_wish_survives_its_way_through_json(settle: Callable[[Wish], list[str]]) -> None:
    wanted = wish(A=1)
    settle(wanted)
    assert msgspec.json.decode(msgspec.json.encode(wanted), type=Wish) == wanted
