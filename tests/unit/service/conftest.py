"""The cart service of the tests: a small shop, a clock that stands still, a database of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_ecscart.catalog.file import MemoryCatalog
from flask_ecscart.model import Cart, NewItem
from flask_ecscart.service.engine import CartService
from flask_ecscart.service.http import DATABASE, create_app
from flask_ecscart.state.sql import Database
from tests.support.clock import FakeClock
from tests.unit.service.shop import KEY, TAG, shop

NewApp = Callable[..., Flask]


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


@pytest.fixture
def new_app(tmp_database_url: str, catalog: MemoryCatalog, clock: FakeClock) -> Iterator[NewApp]:
    """`new_app(rate=1.0)`: a server, unsigned unless said otherwise, over the test's catalog and database."""
    apps: list[Flask] = []

    def create(**options: object) -> Flask:
        given = {"database_url": tmp_database_url, "catalog": catalog, "clock": clock, "keys": {}, "unsigned": True}
        apps.append(create_app(**{**given, **options}))  # type: ignore[arg-type]
        return apps[-1]

    yield create
    for app in apps:
        app.extensions[DATABASE].close()


@pytest.fixture
def web(new_app: NewApp) -> FlaskClient:
    return new_app().test_client()
