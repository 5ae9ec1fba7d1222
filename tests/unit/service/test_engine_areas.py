"""The two areas of a cart: what is shown where, and what CartModify and CartClear do about it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flask_ecscart import errors
from flask_ecscart.catalog.file import MemoryCatalog
from flask_ecscart.model import Cart, ItemChange, NewItem
from flask_ecscart.service.engine import CartService
from flask_ecscart.state.sql import Database
from tests.support.clock import FakeClock
from tests.unit.service.shop import BOOK, DVD, KEY, LAMP, TAG, ids, product, quantities

NewCart = Callable[..., Cart]


def move(item_id: str, action: str, quantity: int | None = None) -> ItemChange:
    return ItemChange(cart_item_id=item_id, quantity=quantity, action=action)  # type: ignore[arg-type]


@pytest.mark.parametrize("asin", ["B0GONE0001", "B0GONE0002", "B0GONE0003"])
def test_an_unavailable_item_becomes_a_saved_item_without_an_error(new_cart: NewCart, asin: str) -> None:
    cart = new_cart({asin: 2, BOOK: 1})
    assert (quantities(cart.items), quantities(cart.saved), cart.faults) == ({BOOK: 1}, {asin: 2}, ())


def test_a_cart_of_saved_items_only_has_a_purchase_url_and_a_subtotal(new_cart: NewCart) -> None:
    cart = new_cart({"B0GONE0001": 2})
    assert cart.items == ()
    assert cart.items_subtotal is None
    assert cart.purchase_url
    assert cart.subtotal == cart.saved_subtotal
    assert cart.subtotal is not None


def test_an_item_moves_by_itself_when_it_goes_and_when_it_comes_back(
    service: CartService, catalog: MemoryCatalog, new_cart: NewCart
) -> None:
    cart = new_cart({DVD: 2, BOOK: 1})
    catalog.put(product(DVD, 1099, availability="out_of_stock"))
    away = service.get(cart.ref)
    assert (quantities(away.items), quantities(away.saved)) == ({BOOK: 1}, {DVD: 2})
    catalog.put(product(DVD, 1099))
    assert service.get(cart.ref) == cart


def test_what_the_shopper_saved_stays_saved(service: CartService, catalog: MemoryCatalog, new_cart: NewCart) -> None:
    cart = new_cart({DVD: 2, BOOK: 1})
    service.modify(cart.ref, [move(ids(cart.items)[DVD], "SaveForLater")])
    catalog.put(product(DVD, 1099, availability="out_of_stock"))
    service.get(cart.ref)
    catalog.put(product(DVD, 1099))
    assert quantities(service.get(cart.ref).saved) == {DVD: 2}


def test_a_product_that_left_the_catalog_is_shown_as_saved_with_its_asin(
    database: Database, clock: FakeClock, new_cart: NewCart
) -> None:
    cart = new_cart({DVD: 2})
    emptied = CartService(database, MemoryCatalog(), hmac_key=KEY, clock=clock)
    (item,) = emptied.get(cart.ref).saved
    assert (item.asin, item.quantity, item.title, item.price, item.seller_nickname) == (DVD, 2, None, None, None)


def test_saving_swaps_the_first_letter_and_moving_back_restores_it(service: CartService, new_cart: NewCart) -> None:
    cart = new_cart({DVD: 2, BOOK: 1})
    item_id = ids(cart.items)[DVD]
    saved = service.modify(cart.ref, [move(item_id, "SaveForLater")])
    assert (ids(saved.saved), quantities(saved.saved)) == ({DVD: f"S{item_id[1:]}"}, {DVD: 2})
    assert service.modify(cart.ref, [move(f"S{item_id[1:]}", "MoveToCart")]) == cart


def test_a_quantity_is_the_new_total_and_zero_deletes(service: CartService, new_cart: NewCart) -> None:
    cart = new_cart({DVD: 2, BOOK: 1})
    now = service.modify(
        cart.ref,
        [
            ItemChange(cart_item_id=ids(cart.items)[DVD], quantity=7),
            ItemChange(cart_item_id=ids(cart.items)[BOOK], quantity=0),
        ],
    )
    assert quantities(now.items) == {DVD: 7}
    assert service.get(cart.ref) == now


@pytest.mark.parametrize("unknown", ["1", "CNOBODY000000X", DVD, "", "C\x00", "S" + "0" * 13])
def test_an_unknown_cart_item_id_is_ignored(service: CartService, new_cart: NewCart, unknown: str) -> None:
    cart = new_cart({DVD: 2})
    if unknown:
        assert service.modify(cart.ref, [ItemChange(cart_item_id=unknown, quantity=0)]) == cart
    else:
        with pytest.raises(errors.MissingParameters, match="CartItemId"):
            service.modify(cart.ref, [ItemChange(cart_item_id=unknown, quantity=0)])


def test_an_id_read_before_a_move_still_finds_its_entry(service: CartService, new_cart: NewCart) -> None:
    cart = new_cart({DVD: 2, BOOK: 1})
    item_id = ids(cart.items)[DVD]
    service.modify(cart.ref, [move(item_id, "SaveForLater")])
    assert quantities(service.modify(cart.ref, [ItemChange(cart_item_id=item_id, quantity=5)]).saved) == {DVD: 5}


@pytest.mark.parametrize(
    ("quantity", "items", "saved"), [(8, {DVD: 7}, {DVD: 8}), (15, {}, {DVD: 15}), (99, {}, {DVD: 15}), (0, {}, {})]
)
def test_quantity_and_action_together_move_that_many(
    service: CartService, new_cart: NewCart, quantity: int, items: dict[str, int], saved: dict[str, int]
) -> None:
    cart = new_cart({DVD: 15})
    moved = service.modify(cart.ref, [move(ids(cart.items)[DVD], "SaveForLater", quantity)])
    assert (quantities(moved.items), quantities(moved.saved)) == (items, saved)


def test_parts_in_both_areas_are_addressed_by_their_letter_and_meet_again(
    service: CartService, new_cart: NewCart
) -> None:
    cart = new_cart({DVD: 15})
    active_id = ids(cart.items)[DVD]
    saved_id = f"S{active_id[1:]}"
    service.modify(cart.ref, [move(active_id, "SaveForLater", 8)])
    both = service.modify(
        cart.ref, [ItemChange(cart_item_id=active_id, quantity=1), ItemChange(cart_item_id=saved_id, quantity=2)]
    )
    assert (quantities(both.items), quantities(both.saved)) == ({DVD: 1}, {DVD: 2})
    assert quantities(service.modify(cart.ref, [move(saved_id, "MoveToCart")]).items) == {DVD: 3}


def test_parts_of_an_item_that_went_away_are_shown_and_changed_as_one(
    service: CartService, catalog: MemoryCatalog, new_cart: NewCart
) -> None:
    cart = new_cart({DVD: 15, BOOK: 1})
    saved_id = f"S{ids(cart.items)[DVD][1:]}"
    service.modify(cart.ref, [move(saved_id, "SaveForLater", 8)])
    catalog.put(product(DVD, 1099, availability="out_of_stock"))
    assert quantities(service.get(cart.ref).saved) == {DVD: 15}
    assert quantities(service.modify(cart.ref, [ItemChange(cart_item_id=saved_id, quantity=4)]).saved) == {DVD: 4}
    catalog.put(product(DVD, 1099))
    assert quantities(service.get(cart.ref).items) == {DVD: 4, BOOK: 1}


def test_an_unavailable_item_asked_back_stays_saved_until_it_is_there(
    service: CartService, catalog: MemoryCatalog, new_cart: NewCart
) -> None:
    cart = new_cart({"B0GONE0001": 1})
    (item,) = cart.saved
    assert service.modify(cart.ref, [move(item.cart_item_id, "MoveToCart")]) == cart
    service.modify(cart.ref, [move(item.cart_item_id, "SaveForLater")])
    catalog.put(product("B0GONE0001"))
    assert quantities(service.get(cart.ref).saved) == {"B0GONE0001": 1}


def test_moved_quantities_stay_under_the_limit(service: CartService, new_cart: NewCart) -> None:
    cart = new_cart({LAMP: 3})
    active_id = ids(cart.items)[LAMP]
    service.modify(cart.ref, [move(active_id, "SaveForLater", 2)])
    service.modify(cart.ref, [ItemChange(cart_item_id=active_id, quantity=3)])
    assert quantities(service.modify(cart.ref, [move(f"S{active_id[1:]}", "MoveToCart")]).items) == {LAMP: 3}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (ItemChange(cart_item_id="C" + "0" * 13), errors.MinimumParameterRequirement),
        (move("C" + "0" * 13, "Burn"), errors.InvalidEnumeratedParameter),
    ],
)
def test_a_change_says_what_is_to_change(
    service: CartService, new_cart: NewCart, change: ItemChange, error: type[errors.ECSError]
) -> None:
    with pytest.raises(error):
        service.modify(new_cart({DVD: 1}).ref, [change])


def test_a_modify_without_changes_is_refused(service: CartService, new_cart: NewCart) -> None:
    with pytest.raises(errors.MissingParameters, match="Items"):
        service.modify(new_cart({DVD: 1}).ref, [])


def test_clear_empties_both_areas_and_the_reference_stays_valid(service: CartService, new_cart: NewCart) -> None:
    cart = new_cart({DVD: 1, "B0GONE0001": 1})
    cleared = service.clear(cart.ref)
    assert cleared == Cart(ref=cart.ref)
    assert service.clear(cart.ref) == cleared
    assert service.get(cart.ref) == cleared
    assert quantities(service.add(cart.ref, [NewItem(asin=BOOK, quantity=1)]).items) == {BOOK: 1}


def test_deleting_the_last_entry_empties_the_cart(service: CartService, new_cart: NewCart) -> None:
    cart = new_cart({DVD: 1})
    gone = service.modify(cart.ref, [ItemChange(cart_item_id=ids(cart.items)[DVD], quantity=0)])
    assert gone == Cart(ref=cart.ref)


def test_a_tag_may_be_empty_as_before_2011(service: CartService) -> None:
    cart = service.create("US", "", [NewItem(asin=DVD, quantity=1)])
    assert "associate-id=ws" in (cart.purchase_url or "")
    assert TAG not in (cart.purchase_url or "")
