"""The provider contract: what the engine promises, the client keeps through HTTP, and the other way round."""

from __future__ import annotations

import msgspec
import pytest

from flask_ecscart import errors
from flask_ecscart.catalog.file import MemoryCatalog
from flask_ecscart.locales import LOCALES, RECORDED
from flask_ecscart.model import Cart, CartRef, ItemChange, NewItem
from flask_ecscart.provider import CartProvider
from flask_ecscart.service.engine import CartService
from tests.support.clock import FakeClock
from tests.unit.service.shop import BOOK, DVD, LAMP, NO_PRICE, TAG, USED_BOOK, asin, ids, product, quantities


def lines(wanted: dict[str, int]) -> list[NewItem]:
    return [NewItem(asin=asin, quantity=quantity) for asin, quantity in wanted.items()]


def a_cart(provider: CartProvider, wanted: dict[str, int], locale: str = "US", tag: str = TAG) -> Cart:
    return provider.create(locale, tag, lines(wanted))


def as_shown(cart: Cart) -> Cart:
    """Without what belongs to one reply or to one way of asking: request id, seller ids of old Versions, URLs."""
    bare = [msgspec.structs.replace(item, merchant_id=None, seller_id=None) for item in (*cart.items, *cart.saved)]
    count = len(cart.items)
    return msgspec.structs.replace(
        cart,
        request_id=None,
        purchase_url=None,
        mobile_cart_url=None,
        items=tuple(bare[:count]),
        saved=tuple(bare[count:]),
    )


def test_the_whole_cart_is_the_same_whichever_way_it_is_read(provider: CartProvider, service: CartService) -> None:
    cart = a_cart(provider, {BOOK: 2, NO_PRICE: 1, "B0GONE0001": 1})
    assert as_shown(provider.get(cart.ref)) == as_shown(service.get(cart.ref)) == as_shown(cart)
    assert cart.purchase_url is not None
    assert cart.purchase_url.startswith("https://www.amazon.com/gp/cart/aws-merge.html?")


@pytest.mark.parametrize("locale", RECORDED)
def test_every_locale_has_carts_in_its_own_money(provider: CartProvider, locale: str) -> None:
    cart = a_cart(provider, {BOOK: 2}, locale)
    assert cart.subtotal is not None
    assert cart.subtotal.currency == LOCALES[locale].currency
    assert cart.subtotal == LOCALES[locale].money(cart.subtotal.amount)
    assert cart.items[0].seller_nickname == LOCALES[locale].seller_nickname
    assert quantities(provider.get(cart.ref).items) == {BOOK: 2}


def test_create_keeps_the_order_of_fifty_lines(provider: CartProvider) -> None:
    wanted = {asin(number): number + 1 for number in range(50)}
    assert [(item.asin, item.quantity) for item in a_cart(provider, wanted).items] == list(wanted.items())


def test_fifty_offer_listing_ids_fit_into_one_call(provider: CartProvider, catalog: MemoryCatalog) -> None:
    listing = "%2FNTPIbOCYgxigjLlkf1iTQhB6UfAcRHvlKju5nT%2BbVV876t1%2Bpt0pciArjHlsl9LS8iUJP9D5bajBzNN3VDdglcEAAS8%3D{}"
    for number in range(50):
        catalog.put(product(asin(number), offer_listing_id=listing.format(number)))
    items = [NewItem(offer_listing_id=listing.format(number), quantity=1) for number in range(50)]
    cart = provider.create("US", TAG, items)
    assert [item.asin for item in cart.items] == [asin(number) for number in range(50)]


def test_a_fifty_first_entry_is_refused_and_nothing_added(provider: CartProvider) -> None:
    cart = a_cart(provider, {asin(number): 1 for number in range(50)})
    with pytest.raises(errors.ExceededMaximumCartItems):
        provider.add(cart.ref, lines({asin(50): 1}))
    assert as_shown(provider.get(cart.ref)) == as_shown(cart)


def test_new_lines_come_first(provider: CartProvider) -> None:
    cart = a_cart(provider, {BOOK: 1})
    assert [item.asin for item in provider.add(cart.ref, lines({DVD: 1, LAMP: 1})).items] == [DVD, LAMP, BOOK]


def test_too_many_pieces_are_capped(provider: CartProvider) -> None:
    cart = a_cart(provider, {LAMP: 999})
    assert quantities(cart.items) == {LAMP: 3}
    changed = provider.modify(cart.ref, [ItemChange(cart_item_id=ids(cart.items)[LAMP], quantity=900)])
    assert quantities(changed.items) == {LAMP: 3}


def test_a_duplicate_is_a_fault_beside_the_unchanged_cart(provider: CartProvider) -> None:
    cart = a_cart(provider, {BOOK: 2})
    alone = provider.add(cart.ref, lines({BOOK: 5}))
    assert ([fault.code for fault in alone.faults], quantities(alone.items)) == (
        ["AWS.ECommerceService.ItemAlreadyInCart"],
        {BOOK: 2},
    )
    mixed = provider.add(cart.ref, lines({BOOK: 5, DVD: 1}))
    assert ([fault.message for fault in mixed.faults], quantities(mixed.items)) == (
        [f"The item you specified, {BOOK}, is already in your cart."],
        {DVD: 1, BOOK: 2},
    )


def test_an_unavailable_item_is_saved(provider: CartProvider) -> None:
    cart = a_cart(provider, {"B0GONE0001": 2, BOOK: 1})
    assert (quantities(cart.items), quantities(cart.saved), cart.faults) == ({BOOK: 1}, {"B0GONE0001": 2}, ())


def test_an_item_is_saved_for_later_and_brought_back(provider: CartProvider) -> None:
    cart = a_cart(provider, {BOOK: 2, DVD: 1})
    item_id = ids(cart.items)[DVD]
    saved = provider.modify(cart.ref, [ItemChange(cart_item_id=item_id, action="SaveForLater")])
    assert (quantities(saved.items), ids(saved.saved)) == ({BOOK: 2}, {DVD: f"S{item_id[1:]}"})
    assert (saved.items_subtotal, saved.saved_subtotal) == (LOCALES["US"].money(12002), LOCALES["US"].money(1099))
    back = provider.modify(cart.ref, [ItemChange(cart_item_id=ids(saved.saved)[DVD], action="MoveToCart")])
    assert as_shown(back) == as_shown(cart)


def test_a_part_is_saved_for_later(provider: CartProvider) -> None:
    cart = a_cart(provider, {DVD: 15})
    moved = provider.modify(
        cart.ref, [ItemChange(cart_item_id=ids(cart.items)[DVD], quantity=8, action="SaveForLater")]
    )
    assert (quantities(moved.items), quantities(moved.saved)) == ({DVD: 7}, {DVD: 8})


def test_modify_sets_totals_and_zero_deletes(provider: CartProvider) -> None:
    cart = a_cart(provider, {BOOK: 2, DVD: 1})
    known = ids(cart.items)
    changed = provider.modify(
        cart.ref,
        [ItemChange(cart_item_id=known[BOOK], quantity=7), ItemChange(cart_item_id=known[DVD], quantity=0)],
    )
    assert quantities(changed.items) == {BOOK: 7}


def test_modify_ignores_an_unknown_cart_item_id(provider: CartProvider) -> None:
    cart = a_cart(provider, {BOOK: 2})
    same = provider.modify(cart.ref, [ItemChange(cart_item_id="C3NOBODYHASIT", quantity=5)])
    assert as_shown(same) == as_shown(cart)


def test_deleting_the_last_entry_and_clearing_look_alike(provider: CartProvider) -> None:
    one, other = a_cart(provider, {BOOK: 2}), a_cart(provider, {BOOK: 2, "B0GONE0001": 1})
    emptied = provider.modify(one.ref, [ItemChange(cart_item_id=ids(one.items)[BOOK], quantity=0)])
    for cart in (emptied, provider.clear(other.ref), provider.clear(other.ref), provider.get(other.ref)):
        assert (cart.items, cart.saved, cart.subtotal, cart.purchase_url) == ((), (), None, None)
    assert quantities(provider.add(other.ref, lines({DVD: 1})).items) == {DVD: 1}


def test_offer_listing_ids_buy_that_offer(provider: CartProvider) -> None:
    from urllib.parse import quote, unquote

    for spelled in (USED_BOOK, unquote(USED_BOOK), quote(USED_BOOK, safe="")):
        cart = provider.create("US", TAG, [NewItem(offer_listing_id=spelled, quantity=1)])
        assert [(item.asin, item.seller_nickname) for item in cart.items] == [(BOOK, "Harbor Books")]


@pytest.mark.parametrize(
    ("asin", "error"),
    [
        ("B0PARENT01", errors.ItemNotEligibleForCart),
        ("B0PARENT02", errors.ItemNotEligibleForCart),
        ("B0KINDLE01", errors.ItemNotEligibleForCart),
        ("B0UNKNOWN1", errors.ItemNotEligibleForCart),
        ("B0OTHERS01", errors.ItemNotAccessible),
    ],
)
def test_what_may_not_stand_in_a_cart_is_raised_alone_and_a_fault_beside_others(
    provider: CartProvider, asin: str, error: type[errors.ItemError]
) -> None:
    with pytest.raises(error):
        a_cart(provider, {asin: 1})
    cart = a_cart(provider, {asin: 1, BOOK: 1})
    assert ([fault.code for fault in cart.faults], quantities(cart.items)) == ([error.code], {BOOK: 1})
    with pytest.raises(error):
        provider.add(cart.ref, lines({asin: 1}))


@pytest.mark.parametrize("quantity", [0, -1, 1000])
def test_a_quantity_out_of_range_is_refused(provider: CartProvider, quantity: int) -> None:
    with pytest.raises(errors.ParameterOutOfRange):
        a_cart(provider, {BOOK: quantity})
    cart = a_cart(provider, {BOOK: 1})
    with pytest.raises(errors.ParameterOutOfRange):
        provider.add(cart.ref, lines({DVD: quantity}))
    if quantity:
        with pytest.raises(errors.ParameterOutOfRange):
            provider.modify(cart.ref, [ItemChange(cart_item_id=ids(cart.items)[BOOK], quantity=quantity)])


def test_nothing_to_do_is_refused(provider: CartProvider) -> None:
    with pytest.raises(errors.MissingParameters):
        a_cart(provider, {})
    cart = a_cart(provider, {BOOK: 1})
    with pytest.raises(errors.MissingParameters):
        provider.add(cart.ref, [])
    with pytest.raises(errors.MissingParameters):
        provider.modify(cart.ref, [])


def test_asin_and_offer_listing_id_exclude_each_other(provider: CartProvider) -> None:
    with pytest.raises(errors.InvalidParameterCombination):
        provider.create("US", TAG, [NewItem(asin=BOOK, offer_listing_id=USED_BOOK, quantity=1)])


@pytest.mark.parametrize(
    "wrong",
    [
        {"hmac": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="},
        {"cart_id": "176-0000000-0000000"},
        {"associate_tag": "other-20"},
        {"locale": "DE"},
    ],
    ids=str,
)
def test_a_wrong_reference_leads_nowhere(provider: CartProvider, wrong: dict[str, str]) -> None:
    cart = a_cart(provider, {BOOK: 1})
    ref = msgspec.structs.replace(cart.ref, **wrong)
    for call in calls_on(provider, ref):
        with pytest.raises(errors.CartInfoMismatch):
            call()
    assert as_shown(provider.get(cart.ref)) == as_shown(cart)


def calls_on(provider: CartProvider, ref: CartRef) -> list[object]:
    return [
        lambda: provider.get(ref),
        lambda: provider.add(ref, lines({DVD: 1})),
        lambda: provider.modify(ref, [ItemChange(cart_item_id="C3NOBODYHASIT", quantity=1)]),
        lambda: provider.clear(ref),
    ]


@pytest.mark.parametrize("how", ["expired", "handed off"])
def test_a_dead_cart_is_told_from_a_wrong_one(
    provider: CartProvider, service: CartService, clock: FakeClock, how: str
) -> None:
    ref = a_cart(provider, {BOOK: 1}).ref
    if how == "expired":
        clock.advance(days=90)
    else:
        service.purchase("US", ref.cart_id, ref.hmac, TAG)
    for call in calls_on(provider, ref):
        with pytest.raises(errors.InvalidCartId):
            call()


def test_an_hmac_of_any_characters_survives_the_way(provider: CartProvider, service: CartService) -> None:
    for character in "+/":
        carts = iter(lambda: a_cart(service, {BOOK: 1}), None)
        ref = next(cart.ref for cart in carts if character in cart.ref.hmac)
        assert ref.hmac.endswith("=")
        assert quantities(provider.get(ref).items) == {BOOK: 1}


@pytest.mark.parametrize("tag", ["shop-20", "müller & söhne+1%2B-21"])
def test_a_tag_of_any_characters_survives_the_way(provider: CartProvider, tag: str) -> None:
    ref = a_cart(provider, {BOOK: 1}, tag=tag).ref
    assert ref.associate_tag == tag
    assert quantities(provider.add(ref, lines({DVD: 1})).items) == {DVD: 1, BOOK: 1}
