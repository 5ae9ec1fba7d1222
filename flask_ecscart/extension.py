"""`ECSCart`: puts the cart on a Flask app."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from flask import Flask

from flask_ecscart.carts import Carts
from flask_ecscart.catalog import Catalog, OfferCatalog
from flask_ecscart.catalog.anything import AnyCatalog
from flask_ecscart.catalog.file import FileCatalog
from flask_ecscart.clock import Clock, utc_now
from flask_ecscart.ecs.client import ECSClient, ECSProvider
from flask_ecscart.errors import ConfigError
from flask_ecscart.locales import LOCALES
from flask_ecscart.provider import CartProvider
from flask_ecscart.service.engine import CartService
from flask_ecscart.sessions import ShopperSessionInterface
from flask_ecscart.settings import Settings, read_settings
from flask_ecscart.settle import Settler
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
    `ECSCART_FRESH_FOR`, `ECSCART_DATABASE_URL`, `ECSCART_REDIS_URL`, `ECSCART_CATALOG`,
    `ECSCART_ALLOWED_ORIGINS`, `ECSCART_URL_PREFIX` and `ECSCART_TEXTS` from `app.config`, overridden by
    environment variables of the same names, and Flask's `SECRET_KEY`. Raises `ConfigError` for a wrong one.
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
    sessions = ShopperSessionInterface(app, database, settings.app_secrets, path=settings.url_prefix, clock=clock)
    catalog = _catalog(settings.catalog)
    service: CartService | None = None
    provider: CartProvider
    if settings.provider == "embedded":
        provider = service = _service(settings, database, catalog, clock)
    else:
        provider = _clients(settings, clock)
    settler = Settler(provider, texts=settings.texts, clock=clock)
    return Site(
        settings=settings,
        database=database,
        sessions=sessions,
        carts=Carts(settings, sessions, settler, catalog, asin_of_offer=_resolver(catalog), clock=clock),
        catalog=catalog,
        service=service,
        tickets=Tickets(settings.app_secrets),
        widget=load_widget(),
        clock=clock,
    )


def _catalog(value: object) -> Catalog:
    if value is None:
        return AnyCatalog()
    if isinstance(value, (str, Path)):
        return FileCatalog(value)
    if hasattr(value, "lookup"):
        return cast("Catalog", value)
    raise ConfigError("ECSCART_CATALOG", value, "Use the path of a CSV file, or an object with lookup(locale, asins).")


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
        cast("OfferCatalog", catalog),
        clock=clock,
        retail_base=retail_base,
    )


def _clients(settings: Settings, clock: Clock) -> CartProvider:
    return ECSProvider(
        {
            code: ECSClient(
                code,
                settings.access_key or "",
                settings.secret_key or "",
                row.associate_tag or "",
                endpoint=row.endpoint,
                version=settings.api_version,
                clock=clock,
            )
            for code, row in settings.locales.items()
        }
    )


def _resolver(catalog: Catalog) -> Callable[[str, str], str | None]:
    offer: Any = getattr(catalog, "offer", None)

    def asin_of(locale: str, offer_listing_id: str) -> str | None:
        found = offer(locale, offer_listing_id) if offer is not None else None
        return found[0].asin if found is not None else None

    return asin_of
