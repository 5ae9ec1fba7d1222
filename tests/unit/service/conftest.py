"""The cart service of the tests: a small shop, a clock that stands still, a database of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flask_ecscart.catalog.file import MemoryCatalog
from flask_ecscart.model import Cart, NewItem
from flask_ecscart.service.engine import CartService
from flask_ecscart.state.sql import Database
from tests.support.clock import FakeClock
from tests.unit.service.shop import KEY, TAG, shop


@pytest.fixture
def catalog() -> MemoryCatalog:
    return shop()


@pytest.fixture
def service(database: Database, catalog: MemoryCatalog, clock: FakeClock) -> CartService:
    return CartService(database, catalog, hmac_key=KEY, clock=clock)


@pytest.fixture
def new_cart(service: CartService) -> Callable[..., Cart]:
    """`new_cart(BOOK=2)`-like: a cart of ASIN → quantity."""

    def create(lines: dict[str, int], locale: str = "US") -> Cart:
        return service.create(locale, TAG, [NewItem(asin=asin, quantity=n) for asin, n in lines.items()])

    return create
