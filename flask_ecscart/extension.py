"""`ECSCart`: puts the cart on a Flask app."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from flask import Flask

from flask_ecscart.carts import Carts
from flask_ecscart.catalog import Catalog, OfferCatalog
from flask_ecscart.catalog.choose import Means, choose_catalog
from flask_ecscart.catalog.layers import LayeredCatalog
from flask_ecscart.catalog.lookup import LookupSource
from flask_ecscart.clock import Clock, utc_now
from flask_ecscart.dispatch import Parts, Remote
from flask_ecscart.dispatch.queue import account_of
from flask_ecscart.ecs.client import ECSClient, ECSProvider
from flask_ecscart.errors import ConfigError
from flask_ecscart.happenings import Where, Witness
from flask_ecscart.locales import LOCALES
from flask_ecscart.provider import CartProvider
from flask_ecscart.service.engine import CartService
from flask_ecscart.sessions import HostStoredSessions, ShopperSessionInterface
from flask_ecscart.settings import Settings, read_settings
from flask_ecscart.settle import Settler
from flask_ecscart.state.counters import Counters
from flask_ecscart.state.fleeting import Fleeting, ThreadBell
from flask_ecscart.state.fleeting_sql import SQLFleeting
from flask_ecscart.state.sql import Database
from flask_ecscart.web.assets import load_widget
from flask_ecscart.web.blueprint import create_blueprint
from flask_ecscart.web.markup import Markings
from flask_ecscart.web.pages import DEMO_PATH
from flask_ecscart.web.site import Site, Tickets

__all__ = ["ECSCart"]


class ECSCart:
    """The extension: `ECSCart(app)`, or `ECSCart()` and `init_app(app)`. One object serves any number of apps.

    Reads `ECSCART_LOCALES`, `ECSCART_DEFAULT_LOCALE`, `ECSCART_PROVIDER`, `ECSCART_ACCESS_KEY`,
    `ECSCART_SECRET_KEY`, `ECSCART_API_VERSION`, `ECSCART_RATE`, `ECSCART_DAILY_LIMIT`, `ECSCART_MAX_WAIT`,
    `ECSCART_FRESH_FOR`, `ECSCART_DATABASE_URL`, `ECSCART_REDIS_URL`, `ECSCART_SESSION_INTERFACE`,
    `ECSCART_CATALOG`, `ECSCART_ALLOWED_ORIGINS`, `ECSCART_URL_PREFIX`, `ECSCART_TEXTS` and
    `ECSCART_BASE_TEMPLATE` from `app.config`, overridden by environment variables of the same names, and Flask's
    `SECRET_KEY`. Raises `ConfigError` for a wrong one.
    """

    def __init__(self, app: Flask | None = None, *, clock: Clock = utc_now) -> None:
        self._clock = clock
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Register with `app`: the blueprint, the template object `ecscart`, and `app.extensions["ecscart"]`.

        Nothing is opened yet: the database is first reached by the first request that needs it.
        """
        if "ecscart" in app.extensions:
            raise RuntimeError("ECSCart is already registered with this app: call init_app once.")
        settings = read_settings(
            app.config, os.environ, default_database=f"sqlite:///{Path(app.instance_path) / 'ecscart.db'}"
        )
        site = _build(app, settings, self._clock)
        app.register_blueprint(create_blueprint(site))
        app.extensions["ecscart"] = site
        markings = Markings(settings, site.widget)
        app.context_processor(lambda: {"ecscart": markings})


def _build(app: Flask, settings: Settings, clock: Clock) -> Site:
    database = Database(settings.database_url)
    sessions = _sessions(app, settings, database, clock)
    bell = ThreadBell()
    fleeting = _fleeting(settings, database, clock, bell)
    clients = _clients(settings, clock) if settings.provider == "ecs" else {}
    catalog = choose_catalog(
        settings.catalog, _means(settings, database, fleeting, clock), _lookup(settings, clients, clock)
    )
    service: CartService | None = None
    provider: CartProvider
    if settings.provider == "embedded":
        provider = service = _service(settings, database, catalog, clock)
    else:
        provider = ECSProvider(clients)
    settler = Settler(provider, texts=settings.texts, clock=clock)
    counters = Counters(database)
    witness = Witness(sessions, counters, settings.locales, key=settings.app_secrets[-1], sender=app, clock=clock)
    remote = None
    if service is None:
        remote = _remote(settings, provider, witness, sessions, _Shared(database, fleeting, bell, clock))
    return Site(
        settings=settings,
        database=database,
        sessions=sessions,
        carts=Carts(
            settings, sessions, settler, catalog, witness, asin_of_offer=_resolver(catalog), remote=remote, clock=clock
        ),
        catalog=catalog,
        counters=counters,
        service=service,
        remote=remote,
        fleeting=fleeting,
        tickets=Tickets(settings.app_secrets),
        widget=load_widget(),
        clock=clock,
    )


def _means(settings: Settings, database: Database, fleeting: Fleeting, clock: Clock) -> Means:
    tags = {code: row.associate_tag for code, row in settings.locales.items()}
    return Means(database, fleeting, tags, clock, settings.max_wait)


def _lookup(settings: Settings, clients: Mapping[str, ECSClient], clock: Clock) -> LookupSource | None:
    """The remote service as a source of products, paid from the budgets of the carts."""
    if not clients:
        return None
    accounts = {code: account_of(settings.keys_of(code).access_key) for code in clients}
    return LookupSource(clients, accounts=accounts, rate=settings.rate, clock=clock)


def _service(settings: Settings, database: Database, catalog: Catalog, clock: Clock) -> CartService:
    if not hasattr(catalog, "offer"):
        raise ConfigError(
            "ECSCART_CATALOG", catalog, "The embedded cart service also asks a catalog for offer(locale, id): add it."
        )

    def retail_base(code: str) -> str:
        demo = code in settings.locales and settings.locales[code].handoff == "demo"
        return settings.url_prefix + DEMO_PATH if demo else f"https://{LOCALES[code].retail_host}"

    return CartService(
        database,
        catalog.at_once if isinstance(catalog, LayeredCatalog) else cast("OfferCatalog", catalog),
        clock=clock,
        retail_base=retail_base,
    )


def _clients(settings: Settings, clock: Clock) -> dict[str, ECSClient]:
    return {
        code: ECSClient(
            code,
            *settings.keys_of(code),
            row.associate_tag or "",
            endpoint=row.endpoint,
            version=settings.api_version,
            clock=clock,
        )
        for code, row in settings.locales.items()
    }


class _Shared(NamedTuple):
    """What the parts of one site share."""

    database: Database
    fleeting: Fleeting
    bell: ThreadBell
    clock: Clock


def _remote(
    settings: Settings, provider: CartProvider, witness: Witness, sessions: ShopperSessionInterface, shared: _Shared
) -> Remote:
    parts = Parts(
        provider=provider,
        database=shared.database,
        fleeting=shared.fleeting,
        sessions=sessions,
        exclusive=lambda shopper, locale: witness.exclusive(Where(shopper, locale)),
        settler=lambda over: Settler(over, texts=settings.texts, clock=shared.clock),
        clock=shared.clock,
        bell=shared.bell,
    )
    return Remote(settings, parts)


def _sessions(app: Flask, settings: Settings, database: Database, clock: Clock) -> ShopperSessionInterface:
    keys, path, host = settings.app_secrets, settings.url_prefix, settings.session_interface
    if host is None:
        return ShopperSessionInterface(app, database, keys, path=path, clock=clock)
    return HostStoredSessions(app, database, keys, host, path=path, clock=clock)


def _fleeting(settings: Settings, database: Database, clock: Clock, bell: ThreadBell) -> Fleeting:
    if settings.redis_url is None:
        return SQLFleeting(database, clock=None if clock is utc_now else clock, bell=bell)
    from flask_ecscart.state.redis import RedisFleeting  # noqa: PLC0415 - redis-py is an extra

    return RedisFleeting(settings.redis_url)


def _resolver(catalog: Catalog) -> Callable[[str, str], str | None]:
    offer: Any = getattr(catalog, "offer", None)

    def asin_of(locale: str, offer_listing_id: str) -> str | None:
        found = offer(locale, offer_listing_id) if offer is not None else None
        return found[0].asin if found is not None else None

    return asin_of
