"""Both ways to a cart: the engine itself, and the client over HTTP to a real server of the same engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from flask_ecscart.catalog.file import MemoryCatalog
from flask_ecscart.ecs.client import ECSClient, ECSProvider
from flask_ecscart.locales import LOCALES
from flask_ecscart.provider import CartProvider
from flask_ecscart.service.engine import CartService
from flask_ecscart.service.http import DATABASE, create_app
from flask_ecscart.state.sql import Database
from tests.support.clock import FakeClock
from tests.support.web import Site
from tests.unit.service.shop import KEY, TAG, shop

ACCESS_KEY = "AKIAEXAMPLE000000000"
SECRET_KEY = "a/secret+key="


@pytest.fixture
def catalog() -> MemoryCatalog:
    return shop()


@pytest.fixture
def service(database: Database, catalog: MemoryCatalog, clock: FakeClock) -> CartService:
    """The engine over the database that the server uses too, with the server's key."""
    return CartService(database, catalog, hmac_key=KEY, clock=clock)


@pytest.fixture
def site(serve: Callable[..., Site], tmp_database_url: str, catalog: MemoryCatalog, clock: FakeClock) -> Iterator[Site]:
    """A cart service of its own on a loopback port."""
    keys = {ACCESS_KEY: SECRET_KEY}
    app = create_app(database_url=tmp_database_url, catalog=catalog, keys=keys, clock=clock, hmac_key=KEY)
    yield serve(app)
    app.extensions[DATABASE].close()


@pytest.fixture(params=["engine", "client"])
def provider(request: pytest.FixtureRequest, service: CartService, clock: FakeClock) -> CartProvider:
    """The same promises must hold however a cart is reached."""
    if request.param == "engine":
        return service
    site: Site = request.getfixturevalue("site")
    return ECSProvider(
        {
            code: ECSClient(code, ACCESS_KEY, SECRET_KEY, TAG, endpoint=f"{site.url}/{code}/onca/xml", clock=clock)
            for code in LOCALES
        }
    )
