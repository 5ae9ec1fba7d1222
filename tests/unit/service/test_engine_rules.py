"""The rules of the cart service, row by row."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

import pytest

from flask_ecscart import errors
from flask_ecscart.catalog.file import MemoryCatalog
from flask_ecscart.locales import LOCALES, RECORDED
from flask_ecscart.model import Cart, ItemChange, NewItem
from flask_ecscart.service.engine import CartService
from flask_ecscart.service.messages import faults_of
from tests.unit.service.shop import BOOK, DVD, LAMP, NO_PRICE, PAIR, TAG, USED_BOOK, asin, ids, product, quantities

NewCart = Callable[..., Cart]


def line(asin: str, quantity: int = 1) -> NewItem:
    return NewItem(asin=asin, quantity=quantity)


# --- create --------------------------------------------------------------------------------------------------


def test_a_new_cart_keeps_the_order_of_the_request(new_cart: NewCart) -> None:
    cart = new_cart({DVD: 1, BOOK: 2, LAMP: 3})
    assert [(item.asin, item.quantity) for item in cart.items] == [(DVD, 1), (BOOK, 2), (LAMP, 3)]
    assert cart.faults == ()


@pytest.mark.parametrize("locale", RECORDED)
def test_cart_id_and_hmac_look_as_recorded_in_every_locale(locale: str, new_cart: NewCart) -> None:
    ref = new_cart({BOOK: 1}, locale).ref
    assert re.fullmatch(r"\d{3}-\d{7}-\d{7}", ref.cart_id)
    low, high = LOCALES[locale].cart_id_group
    assert low <= int(ref.cart_id[:3]) <= high
    assert len(base64.b64decode(ref.hmac, validate=True)) == 20
    assert (ref.locale, ref.associate_tag) == (locale, TAG)


def test_an_empty_cart_cannot_be_made(service: CartService) -> None:
    with pytest.raises(errors.MissingParameters, match="Required parameters include Items"):
        service.create("US", TAG, [])


def test_a_locale_nobody_knows_is_refused(service: CartService) -> None:
    with pytest.raises(errors.InvalidParameterValue, match="XX is not a valid value for locale"):
        service.create("XX", TAG, [line(BOOK)])


# --- line ----------------------------------------------------------------------------------------------------


def test_asin_and_offer_listing_id_exclude_each_other(service: CartService) -> None:
    with pytest.raises(errors.InvalidParameterCombination, match="ASIN and OfferListingId cannot appear"):
        service.create("US", TAG, [NewItem(asin=BOOK, offer_listing_id=USED_BOOK, quantity=1)])


def test_a_line_needs_an_item(service: CartService) -> None:
    with pytest.raises(errors.MissingParameterCombination):
        service.create("US", TAG, [NewItem(quantity=1)])


@pytest.mark.parametrize("times", [-1, 0, 1], ids=["raw", "encoded once", "encoded twice"])
def test_an_offer_listing_id_may_come_raw_or_encoded_once_or_twice(service: CartService, times: int) -> None:
    from urllib.parse import quote, unquote

    spelled = {-1: unquote(USED_BOOK), 0: USED_BOOK, 1: quote(USED_BOOK, safe="")}[times]
    cart = service.create("US", TAG, [NewItem(offer_listing_id=spelled, quantity=1)])
    (item,) = cart.items
    assert (item.asin, item.seller_nickname, item.price) == (BOOK, "Harbor Books", LOCALES["US"].money(500))


def test_lines_with_the_same_item_become_one_where_the_first_stood(service: CartService) -> None:
    same = service.create("US", TAG, [line(BOOK, 2), line(DVD), line(BOOK, 3)])
    assert [(item.asin, item.quantity) for item in same.items] == [(BOOK, 5), (DVD, 1)]


def test_two_offers_of_one_product_are_two_entries(service: CartService) -> None:
    cart = service.create("US", TAG, [line(BOOK), NewItem(offer_listing_id=USED_BOOK, quantity=1)])
    assert [(item.asin, item.seller_nickname) for item in cart.items] == [(BOOK, "Amazon.com"), (BOOK, "Harbor Books")]
    assert len({item.cart_item_id for item in cart.items}) == 2


def test_an_asin_alone_buys_its_first_offer(service: CartService) -> None:
    by_asin = service.create("US", TAG, [line(BOOK)])
    by_offer = service.create("US", TAG, [NewItem(offer_listing_id=f"offer%2Bof%2F{BOOK}%3D", quantity=1)])
    assert ids(by_asin.items) == ids(by_offer.items)


# --- quantity ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quantity", [0, -1, 1000, 10**30])
def test_a_new_line_has_1_to_999_pieces(service: CartService, new_cart: NewCart, quantity: int) -> None:
    text = "The value you specified for Quantity is invalid.  Valid values must be between 1 and 999."
    with pytest.raises(errors.ParameterOutOfRange) as caught:
        service.create("US", TAG, [line(DVD), line(BOOK, quantity)])
    assert caught.value.message == text
    cart = new_cart({DVD: 1})
    with pytest.raises(errors.ParameterOutOfRange):
        service.add(cart.ref, [line(BOOK, quantity)])
    assert quantities(service.get(cart.ref).items) == {DVD: 1}


@pytest.mark.parametrize("quantity", [-1, 1000])
def test_a_changed_line_has_0_to_999_pieces(service: CartService, new_cart: NewCart, quantity: int) -> None:
    cart = new_cart({DVD: 1})
    with pytest.raises(errors.ParameterOutOfRange, match=r"invalid\.  Valid values must be between 0 and 999\."):
        service.modify(cart.ref, [ItemChange(cart_item_id=ids(cart.items)[DVD], quantity=quantity)])


@pytest.mark.parametrize("quantity", [True, "2", 1.5])
def test_a_quantity_that_is_no_whole_number_is_refused(service: CartService, quantity: object) -> None:
    with pytest.raises(errors.InvalidQuantity):
        service.create("US", TAG, [NewItem(asin=BOOK, quantity=quantity)])  # type: ignore[arg-type]


@pytest.mark.parametrize("quantity", [1, 999])
def test_the_ends_of_the_range_belong_to_it(new_cart: NewCart, quantity: int) -> None:
    assert quantities(new_cart({BOOK: quantity}).items) == {BOOK: quantity}


# --- capping -------------------------------------------------------------------------------------------------


def test_above_the_limit_the_quantity_is_reset_to_it_without_an_error(service: CartService, new_cart: NewCart) -> None:
    cart = new_cart({LAMP: 4, PAIR: 999})
    assert (quantities(cart.items), cart.faults) == ({LAMP: 3, PAIR: 2}, ())
    later = service.add(new_cart({DVD: 1}).ref, [line(LAMP, 5)])
    assert (quantities(later.items), later.faults) == ({LAMP: 3, DVD: 1}, ())
    changed = service.modify(cart.ref, [ItemChange(cart_item_id=ids(cart.items)[PAIR], quantity=50)])
    assert (quantities(changed.items), changed.faults) == ({LAMP: 3, PAIR: 2}, ())


def test_merged_lines_are_capped_together(service: CartService) -> None:
    assert quantities(service.create("US", TAG, [line(LAMP, 2), line(LAMP, 2)]).items) == {LAMP: 3}
    assert quantities(service.create("US", TAG, [line(BOOK, 999), line(BOOK, 999)]).items) == {BOOK: 999}


def test_a_limit_that_became_smaller_holds_when_the_cart_is_read(
    service: CartService, catalog: MemoryCatalog, new_cart: NewCart
) -> None:
    cart = new_cart({LAMP: 3})
    catalog.put(product(LAMP, 8999, limit=1))
    assert quantities(service.get(cart.ref).items) == {LAMP: 1}


# --- size ----------------------------------------------------------------------------------------------------


def test_a_cart_holds_fifty_entries_and_no_fifty_first(service: CartService, new_cart: NewCart) -> None:
    full = new_cart({asin(number): 1 for number in range(50)})
    assert len(full.items) == 50
    with pytest.raises(errors.ExceededMaximumCartItems) as caught:
        service.add(full.ref, [line(asin(50))])
    assert caught.value.message == "You may not add more than 50 items to the cart."
    assert service.get(full.ref) == full
    with pytest.raises(errors.ExceededMaximumCartItems):
        new_cart({asin(number): 1 for number in range(51)})


def test_nothing_is_added_when_not_everything_fits(service: CartService, new_cart: NewCart) -> None:
    cart = new_cart({asin(number): 1 for number in range(49)})
    with pytest.raises(errors.ExceededMaximumCartItems):
        service.add(cart.ref, [line(asin(50)), line(asin(51))])
    assert service.get(cart.ref) == cart


def test_saved_entries_count_too(service: CartService, new_cart: NewCart) -> None:
    cart = new_cart({asin(number): 1 for number in range(50)})
    first = cart.items[0].cart_item_id
    service.modify(cart.ref, [ItemChange(cart_item_id=first, action="SaveForLater")])
    with pytest.raises(errors.ExceededMaximumCartItems):
        service.add(cart.ref, [line(asin(50))])


def test_a_move_of_a_part_that_would_make_a_fifty_first_entry_is_a_fault(
    service: CartService, new_cart: NewCart
) -> None:
    cart = new_cart({asin(number): 2 for number in range(50)})
    moved = service.modify(
        cart.ref, [ItemChange(cart_item_id=cart.items[0].cart_item_id, quantity=1, action="SaveForLater")]
    )
    assert [fault.code for fault in moved.faults] == [errors.ExceededMaximumCartItems.code]
    assert (moved.items, moved.saved) == (cart.items, ())


# --- duplicate -----------------------------------------------------------------------------------------------


def test_what_is_in_the_cart_keeps_its_quantity_and_the_rest_is_added(service: CartService, new_cart: NewCart) -> None:
    cart = new_cart({BOOK: 2})
    again = service.add(cart.ref, [line(BOOK, 5), line(DVD)])
    assert quantities(again.items) == {DVD: 1, BOOK: 2}
    assert [(fault.code, fault.message) for fault in again.faults] == [
        ("AWS.ECommerceService.ItemAlreadyInCart", f"The item you specified, {BOOK}, is already in your cart.")
    ]


def test_a_duplicate_alone_comes_with_the_full_unchanged_cart(service: CartService, new_cart: NewCart) -> None:
    cart = new_cart({BOOK: 2, DVD: 1})
    again = service.add(cart.ref, [line(BOOK)])
    assert len(again.faults) == 1
    assert (again.items, again.subtotal) == (cart.items, cart.subtotal)


def test_a_saved_item_is_in_the_cart_too(service: CartService, new_cart: NewCart) -> None:
    cart = new_cart({BOOK: 2})
    service.modify(cart.ref, [ItemChange(cart_item_id=ids(cart.items)[BOOK], action="SaveForLater")])
    again = service.add(cart.ref, [line(BOOK)])
    assert [fault.code for fault in again.faults] == [errors.ItemAlreadyInCart.code]
    assert (again.items, quantities(again.saved)) == ((), {BOOK: 2})


def test_lines_of_a_later_call_come_first_in_their_order(service: CartService, new_cart: NewCart) -> None:
    cart = new_cart({BOOK: 1, DVD: 1})
    service.add(cart.ref, [line(LAMP), line(PAIR)])
    last = service.add(cart.ref, [line(asin(1))])
    assert [item.asin for item in last.items] == [asin(1), LAMP, PAIR, BOOK, DVD]
    assert service.get(cart.ref).items == last.items


# --- not eligible --------------------------------------------------------------------------------------------

REFUSED = [
    ("B0PARENT01", errors.ItemNotEligibleForCart, "B0PARENT01"),
    ("B0PARENT02", errors.ItemNotEligibleForCart, "B0PARENT02"),
    ("B0KINDLE01", errors.ItemNotEligibleForCart, "B0KINDLE01"),
    ("B0UNKNOWN1", errors.ItemNotEligibleForCart, "B0UNKNOWN1"),
    ("021554", errors.ItemNotEligibleForCart, ""),
    ("\x00'; DROP", errors.ItemNotEligibleForCart, ""),
    ("B0OTHERS01", errors.ItemNotAccessible, None),
]


@pytest.mark.parametrize(("asin", "error", "named"), REFUSED)
def test_what_may_not_stand_in_a_cart_is_refused_by_name(
    service: CartService, new_cart: NewCart, asin: str, error: type[errors.ItemError], named: str | None
) -> None:
    with pytest.raises(error) as caught:
        service.create("US", TAG, [line(asin)])
    if named is not None:
        assert caught.value.message == (
            f"The item you specified, {named}, is not eligible to be added to the cart. "
            "Check the item's availability to make sure it is available."
        )
    cart = new_cart({BOOK: 1})
    with pytest.raises(error):
        service.add(cart.ref, [line(asin)])
    mixed = service.add(cart.ref, [line(DVD), line(asin)])
    assert [fault.code for fault in mixed.faults] == [error.code]
    assert quantities(mixed.items) == {DVD: 1, BOOK: 1}


def test_an_offer_listing_id_nobody_made_is_refused_without_a_name(service: CartService) -> None:
    with pytest.raises(errors.ItemNotEligibleForCart, match="The item you specified, , is not eligible"):
        service.create("US", TAG, [NewItem(offer_listing_id="nobody%2Bs", quantity=1)])


def test_a_refusal_of_several_lines_carries_all_of_them_in_order(service: CartService) -> None:
    with pytest.raises(errors.ItemNotAccessible) as caught:
        service.create("US", TAG, [line("B0OTHERS01"), line("B0KINDLE01")])
    assert [fault.code for fault in faults_of(caught.value)] == [
        errors.ItemNotAccessible.code,
        errors.ItemNotEligibleForCart.code,
    ]


def test_an_error_that_came_alone_is_its_own_fault() -> None:
    (fault,) = faults_of(errors.InternalError("gone"))
    assert (fault.code, fault.message) == ("AWS.InternalError", "gone")


# --- price and sellers ---------------------------------------------------------------------------------------


def test_subtotals_add_up_over_both_areas(service: CartService, new_cart: NewCart) -> None:
    cart = new_cart({BOOK: 2, DVD: 1})
    moved = service.modify(cart.ref, [ItemChange(cart_item_id=ids(cart.items)[DVD], action="SaveForLater")])
    money = LOCALES["US"].money
    assert (moved.subtotal, moved.items_subtotal, moved.saved_subtotal) == (money(13101), money(12002), money(1099))
    assert moved.items[0].item_total == money(12002)


def test_an_item_without_a_known_price_counts_for_nothing(new_cart: NewCart) -> None:
    cart = new_cart({NO_PRICE: 3, DVD: 1})
    assert (cart.items[0].price, cart.items[0].item_total) == (None, None)
    assert cart.subtotal == LOCALES["US"].money(1099)
    assert new_cart({NO_PRICE: 1}).subtotal is None


def test_prices_and_titles_are_those_of_the_moment_of_reading(
    service: CartService, catalog: MemoryCatalog, new_cart: NewCart
) -> None:
    cart = new_cart({DVD: 2})
    catalog.put(product(DVD, 1))
    now = service.get(cart.ref)
    assert (now.subtotal, now.items[0].title) == (LOCALES["US"].money(2), f"Title of {DVD}")


@pytest.mark.parametrize(
    ("locale", "offer", "expected"),
    [
        ("US", {}, ("Amazon.com", "ATVPDKIKX0DER", "A2R2RITDJNW1Q6")),
        ("US", {"seller": "Target", "merchant_id": "A1PARTNER"}, ("Target", "A1PARTNER", None)),
        ("US", {"seller": "Jo", "seller_id": "A2JO"}, ("Jo", None, "A2JO")),
        ("DE", {}, ("Amazon.de", "A3JWKAKR8XB7XF", None)),
        ("DE", {"seller": "Jo", "merchant_id": "A2JO"}, ("Jo", None, "A2JO")),
        ("DE", {"seller": "Jo", "seller_id": "A2JO"}, ("Jo", None, "A2JO")),
    ],
)
def test_amazon_is_a_merchant_and_others_are_sellers_by_locale(
    service: CartService,
    catalog: MemoryCatalog,
    locale: str,
    offer: dict[str, str],
    expected: tuple[str, str | None, str | None],
) -> None:
    catalog.put(product("B0SELLER01", locale=locale, **offer))
    (item,) = service.create(locale, TAG, [line("B0SELLER01")]).items
    assert (item.seller_nickname, item.merchant_id, item.seller_id) == expected


def test_cart_item_ids_are_the_same_in_every_cart_of_a_locale(new_cart: NewCart) -> None:
    one, other = new_cart({BOOK: 1, DVD: 1}), new_cart({DVD: 5, BOOK: 2})
    assert ids(one.items) == ids(other.items)
    assert all(re.fullmatch(r"C[A-Z0-9]{12,13}", item.cart_item_id) for item in one.items)
    assert ids(new_cart({BOOK: 1}, "DE").items) != ids(new_cart({BOOK: 1}).items)
