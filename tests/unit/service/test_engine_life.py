"""Who may reach a cart, how long it lives, and how it ends."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flask_ecscart import errors
from flask_ecscart.catalog.file import MemoryCatalog
from flask_ecscart.locales import LOCALES
from flask_ecscart.model import Cart, CartRef, ItemChange, NewItem
from flask_ecscart.service.engine import CartService
from flask_ecscart.service.ids import Seal
from flask_ecscart.service.purchase_url import purchase_url, read_purchase_query
from flask_ecscart.service.store import Store
from flask_ecscart.state.sql import Database
from tests.support.clock import FakeClock
from tests.support.databases import BOTH_DATABASES
from tests.unit.service.shop import BOOK, DVD, KEY, LAMP, TAG, asin, ids, quantities

NewCart = Callable[..., Cart]

MISMATCH = (
    "Your request contains an invalid AssociateTag, CartId and HMAC combination. Please verify the AssociateTag, "
    "CartId, HMAC and retry. Remember that all Cart operations must pass in the CartId and HMAC that were returned "
    "to you during the CartCreate operation."
)


def every_operation(service: CartService, ref: CartRef) -> list[Callable[[], object]]:
    return [
        lambda: service.get(ref),
        lambda: service.add(ref, [NewItem(asin=DVD, quantity=1)]),
        lambda: service.modify(ref, [ItemChange(cart_item_id="C" + "0" * 13, quantity=1)]),
        lambda: service.clear(ref),
        lambda: service.purchase(ref.locale, ref.cart_id, ref.hmac, ref.associate_tag),
    ]


def a_ref_with_plus(service: CartService) -> CartRef:
    """A cart whose HMAC holds a plus sign: every third one does."""
    return next(
        cart.ref
        for cart in iter(lambda: service.create("US", TAG, [NewItem(asin=BOOK, quantity=1)]), None)
        if "+" in cart.ref.hmac
    )


# --- Wrong ids -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"hmac": "bar"},
        {"hmac": ""},
        {"hmac": "\ud800"},
        {"hmac": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="},
        {"cart_id": "foo"},
        {"cart_id": ""},
        {"cart_id": "176-0000000-0000000"},
        {"cart_id": "176-0000000-0000000\n"},
        {"cart_id": "\x00"},
        {"associate_tag": "other-20"},
        {"associate_tag": ""},
        {"locale": "DE"},
        {"cart_id": "foo", "hmac": "bar"},
    ],
    ids=str,
)
def test_whatever_is_wrong_with_a_reference_the_answer_is_the_same(
    service: CartService, new_cart: NewCart, wrong: dict[str, str]
) -> None:
    ref = msgspec.structs.replace(new_cart({BOOK: 1}).ref, **wrong)
    for operation in every_operation(service, ref):
        with pytest.raises(errors.CartInfoMismatch) as caught:
            operation()
        if ref.locale == "US":
            assert caught.value.message == MISMATCH
        assert ref.hmac == "" or ref.hmac not in str(caught.value)


def test_a_reference_of_another_shop_is_wrong_here(
    service: CartService, database: Database, catalog: MemoryCatalog
) -> None:
    other = CartService(database, catalog, hmac_key=b"the key of someone else, 32 byte")
    foreign = other.create("US", TAG, [NewItem(asin=BOOK, quantity=1)])
    with pytest.raises(errors.CartInfoMismatch):
        service.get(foreign.ref)
    assert other.get(foreign.ref) == foreign


def test_a_plus_sign_that_became_a_space_is_named(service: CartService) -> None:
    ref = a_ref_with_plus(service)
    mangled = msgspec.structs.replace(ref, hmac=ref.hmac.replace("+", " "))
    with pytest.raises(errors.InvalidHMAC, match="HMAC must be URL-encoded"):
        service.get(mangled)
    with pytest.raises(errors.CartInfoMismatch):
        service.get(msgspec.structs.replace(mangled, associate_tag="other-20"))


def test_a_wrong_reference_never_reaches_the_database(
    service: CartService, database: Database, new_cart: NewCart
) -> None:
    ref = msgspec.structs.replace(new_cart({BOOK: 1}).ref, hmac="bar")
    held = threading.Event()
    release = threading.Event()

    def hold_the_write_lock() -> None:
        with database.transaction():
            held.set()
            release.wait(20)

    holder = threading.Thread(target=hold_the_write_lock)
    holder.start()
    try:
        assert held.wait(10)
        with pytest.raises(errors.CartInfoMismatch):  # a look into the database would wait for the holder
            service.clear(ref)
    finally:
        release.set()
        holder.join()


def test_a_short_hmac_key_is_refused() -> None:
    with pytest.raises(ValueError, match=r"secrets\.token_bytes"):
        Seal(b"short")


def test_reprs_hold_no_secret(service: CartService, new_cart: NewCart) -> None:
    cart = new_cart({BOOK: 1})
    assert cart.ref.hmac not in repr(cart)
    assert repr(Seal(KEY)) == "Seal(…)"


# --- Life ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("emptied", "days"), [(False, 90), (True, 7)])
def test_a_cart_lives_90_days_with_items_and_7_empty(
    service: CartService, clock: FakeClock, new_cart: NewCart, emptied: bool, days: int
) -> None:
    ref = new_cart({BOOK: 1}).ref
    if emptied:
        service.clear(ref)
    clock.advance(days=days, seconds=-1)
    service.get(ref)
    clock.advance(seconds=1)
    for operation in every_operation(service, ref):
        with pytest.raises(errors.InvalidCartId, match="invalid value for CartId"):
            operation()


def test_every_change_gives_a_new_life_and_reading_does_not(
    service: CartService, clock: FakeClock, new_cart: NewCart
) -> None:
    cart = new_cart({BOOK: 1})
    item_id = ids(cart.items)[BOOK]
    for change in (
        lambda: service.modify(cart.ref, [ItemChange(cart_item_id=item_id, quantity=2)]),
        lambda: service.add(cart.ref, [NewItem(asin=DVD, quantity=1)]),
        lambda: service.modify(cart.ref, [ItemChange(cart_item_id=item_id, action="SaveForLater")]),
    ):
        clock.advance(days=89)
        change()
    clock.advance(days=89)
    service.get(cart.ref)
    clock.advance(days=1)
    with pytest.raises(errors.InvalidCartId):
        service.get(cart.ref)


def test_an_emptied_cart_that_is_filled_again_lives_90_days(
    service: CartService, clock: FakeClock, new_cart: NewCart
) -> None:
    ref = new_cart({BOOK: 1}).ref
    service.clear(ref)
    clock.advance(days=6)
    service.add(ref, [NewItem(asin=DVD, quantity=1)])
    clock.advance(days=89)
    assert quantities(service.get(ref).items) == {DVD: 1}


def test_purge_deletes_the_dead_only_and_changes_no_answer(
    service: CartService, clock: FakeClock, new_cart: NewCart
) -> None:
    expired, emptied = new_cart({BOOK: 1}).ref, new_cart({BOOK: 1}).ref
    clock.advance(days=60)
    service.clear(emptied)
    sold, alive = new_cart({BOOK: 1}).ref, new_cart({BOOK: 1})
    service.purchase("US", sold.cart_id, sold.hmac, TAG)
    clock.advance(days=31)
    dead = (expired, emptied, sold)
    for ref in dead:
        with pytest.raises(errors.InvalidCartId):
            service.get(ref)
    assert service.purge() == 3
    assert service.purge() == 0
    for ref in dead:
        with pytest.raises(errors.InvalidCartId):
            service.get(ref)
    assert service.get(alive.ref) == alive


# --- Purchase ------------------------------------------------------------------------------------------------


def test_a_purchase_gives_both_areas_and_ends_the_cart(service: CartService, new_cart: NewCart) -> None:
    cart = new_cart({BOOK: 2, "B0GONE0001": 1})
    merged = service.purchase("US", cart.ref.cart_id, cart.ref.hmac, TAG)
    assert merged == cart
    for operation in every_operation(service, cart.ref):
        with pytest.raises(errors.InvalidCartId):
            operation()


@pytest.mark.parametrize("form", ["A", "B", "C", "D"])
@pytest.mark.parametrize("tag", [TAG, "müller & söhne%41+-21"])
def test_every_form_of_purchase_url_can_be_read_back(service: CartService, form: str, tag: str) -> None:
    for _ in range(5):
        ref = service.create("US", tag, [NewItem(asin=BOOK, quantity=1)]).ref
        url = purchase_url(form, "https://www.amazon.com", ref, access_key="AKIA&1")  # type: ignore[arg-type]
        read = read_purchase_query(url.partition("?")[2])
        assert read == {
            "cart-id": ref.cart_id,
            "associate-id": tag,
            "hmac": ref.hmac,
            "SubscriptionId": "AKIA&1",
            "MergeCart": "False",
        }


def test_the_four_forms_are_written_as_recorded() -> None:
    ref = CartRef(locale="US", cart_id="178-5227311-4914036", hmac="nL+z/vd=", associate_tag="shop-20")
    written = {form: purchase_url(form, "https://x", ref, access_key="K") for form in ("A", "B", "C", "D")}  # type: ignore[arg-type]
    start = "https://x/gp/cart/aws-merge.html?cart-id=178-5227311-4914036"
    assert written == {
        "A": f"{start}%26associate-id=shop-20%26hmac=nL%2Bz/vd=%26SubscriptionId=K%26MergeCart=False",
        "B": f"{start}&associate-id=shop-20&hmac=nL%2Bz/vd=&SubscriptionId=K&MergeCart=False",
        "C": f"{start}%26associate-id=shop-20%26hmac=nL%2Bz%2Fvd%3D%26SubscriptionId=K%26MergeCart=False",
        "D": f"{start}&associate-id=shop-20&hmac=nL%2Bz%2Fvd%3D&SubscriptionId=K&MergeCart=False",
    }


def test_the_purchase_url_leads_to_the_retail_base(
    database: Database, catalog: MemoryCatalog, new_cart: NewCart
) -> None:
    assert (new_cart({BOOK: 1}, "DE").purchase_url or "").startswith("https://www.amazon.de/gp/cart/aws-merge.html?")
    own = CartService(database, catalog, hmac_key=KEY, retail_base=lambda code: f"https://shop.example/{code}")
    url = own.create("UK", TAG, [NewItem(asin=BOOK, quantity=1)]).purchase_url
    assert (url or "").startswith("https://shop.example/UK/gp/cart/aws-merge.html?")


# --- Transactions --------------------------------------------------------------------------------------------


@BOTH_DATABASES
def test_a_call_inside_a_transaction_of_the_callers_is_kept_or_lost_with_it(
    database: Database, service: CartService, new_cart: NewCart
) -> None:
    cart = new_cart({BOOK: 1})
    with contextlib.suppress(RuntimeError), database.transaction():
        service.add(cart.ref, [NewItem(asin=DVD, quantity=1)])
        raise RuntimeError
    assert service.get(cart.ref) == cart
    with database.transaction():
        service.add(cart.ref, [NewItem(asin=DVD, quantity=1)])
        with pytest.raises(errors.ItemNotEligibleForCart):  # a refusal inside leaves the rest alone
            service.add(cart.ref, [NewItem(asin="B0KINDLE01", quantity=1)])
    assert quantities(service.get(cart.ref).items) == {DVD: 1, BOOK: 1}


@BOTH_DATABASES
def test_writers_of_one_cart_lose_nothing(database: Database, service: CartService, new_cart: NewCart) -> None:
    cart = new_cart({BOOK: 1})
    problems: list[Exception] = []

    def add(number: int) -> None:
        try:
            service.add(cart.ref, [NewItem(asin=asin(number), quantity=1), NewItem(asin=LAMP, quantity=1)])
            service.modify(cart.ref, [ItemChange(cart_item_id=ids(cart.items)[BOOK], quantity=number + 1)])
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    now = service.get(cart.ref)
    assert {item.asin for item in now.items} == {BOOK, LAMP, *(asin(number) for number in range(8))}
    assert len(now.items) == 10


@BOTH_DATABASES
def test_the_last_place_in_a_cart_is_given_once(database: Database, service: CartService, new_cart: NewCart) -> None:
    cart = new_cart({asin(number): 1 for number in range(49)})
    outcomes: list[str] = []

    def add(number: int) -> None:
        try:
            service.add(cart.ref, [NewItem(asin=asin(number), quantity=1)])
            outcomes.append("added")
        except errors.ExceededMaximumCartItems:
            outcomes.append("full")

    threads = [threading.Thread(target=add, args=(number,)) for number in (50, 51, 52)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["added", "full", "full"]
    assert len(service.get(cart.ref).items) == 50


@BOTH_DATABASES
def test_a_cart_is_handed_off_once(database: Database, service: CartService, new_cart: NewCart) -> None:
    ref = new_cart({BOOK: 1}).ref
    outcomes: list[str] = []

    def buy() -> None:
        try:
            service.purchase("US", ref.cart_id, ref.hmac, TAG)
            outcomes.append("merged")
        except errors.InvalidCartId:
            outcomes.append("ended")

    threads = [threading.Thread(target=buy) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["ended", "ended", "merged"]


# --- Invariants ----------------------------------------------------------------------------------------------

_ASINS = [BOOK, DVD, LAMP, "B0GONE0001", "B0NOPRICE1", "B0KINDLE01", "021554", *(asin(number) for number in range(55))]
_NEW = st.lists(
    st.builds(NewItem, asin=st.sampled_from(_ASINS), quantity=st.integers(-1, 1001) | st.integers(1, 9)),
    min_size=1,
    max_size=30,
)
_CALLS = st.lists(
    st.tuples(st.sampled_from(["add", "modify", "clear"]), _NEW, st.randoms(use_true_random=False)), max_size=8
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=_NEW, calls=_CALLS)
def test_no_sequence_of_calls_breaks_what_a_cart_is(
    service: CartService, catalog: MemoryCatalog, first: list[NewItem], calls: list[tuple[str, list[NewItem], object]]
) -> None:
    try:
        cart = service.create("US", TAG, first)
    except errors.ECSError:
        return
    hold(cart, catalog)
    for name, items, random in calls:
        try:
            cart = call(service, cart, name, items, random)
        except (errors.RequestRefused, errors.ItemError):
            assert service.get(cart.ref) == msgspec.structs.replace(cart, faults=())
        hold(cart, catalog)


def call(service: CartService, cart: Cart, name: str, items: list[NewItem], random: object) -> Cart:
    if name == "add":
        return service.add(cart.ref, items)
    if name == "clear":
        return service.clear(cart.ref)
    known = [item.cart_item_id for item in (*cart.items, *cart.saved)] or ["C" + "0" * 13]
    changes = [
        ItemChange(
            cart_item_id=random.choice(known),  # type: ignore[attr-defined]
            quantity=item.quantity,
            action=random.choice([None, "SaveForLater", "MoveToCart"]),  # type: ignore[attr-defined]
        )
        for item in items
        if 0 <= item.quantity <= 999
    ]
    return service.modify(cart.ref, changes)


def hold(cart: Cart, catalog: MemoryCatalog) -> None:
    entries = (*cart.items, *cart.saved)
    assert len(entries) <= 50
    assert len({item.cart_item_id for item in entries}) == len(entries)
    for item in entries:
        offer = catalog.lookup("US", [item.asin])[item.asin].offers[0]
        assert 1 <= item.quantity <= (offer.limit or 999)
        assert (item.price is None) == (item.item_total is None)
        if item.price and item.item_total:
            assert item.item_total.amount == item.price.amount * item.quantity
        assert offer.available or item in cart.saved
    for total, area in ((cart.subtotal, entries), (cart.items_subtotal, cart.items), (cart.saved_subtotal, cart.saved)):
        priced = [item.item_total.amount for item in area if item.item_total]
        assert total == (LOCALES["US"].money(sum(priced)) if priced else None)
    assert (cart.purchase_url is None) == (not entries)


@BOTH_DATABASES
def test_every_worker_finds_the_same_hmac_key_and_it_stays(database: Database, tmp_database_url: str) -> None:
    others = [Database(tmp_database_url) for _ in range(4)]
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda one=one: found.append(Store(one).hmac_key())) for one in (database, *others)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in others:
        other.close()
    assert len(found) == 5
    assert len(set(found)) == 1
    assert len(found[0]) == 32
    assert Store(database).hmac_key() == found[0]
