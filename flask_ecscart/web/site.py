"""What one app's cart is made of, and the typed way to reach it from a view."""

from __future__ import annotations

from typing import cast

import msgspec
from flask import current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer

from flask_ecscart.carts import Carts
from flask_ecscart.catalog import Catalog
from flask_ecscart.clock import Clock
from flask_ecscart.dispatch import Remote
from flask_ecscart.service.engine import CartService
from flask_ecscart.sessions import ShopperSessionInterface
from flask_ecscart.settings import Settings
from flask_ecscart.state.counters import Counters
from flask_ecscart.state.fleeting import Fleeting
from flask_ecscart.state.sql import Database
from flask_ecscart.web.assets import Widget

__all__ = ["Site", "Ticket", "Tickets", "current_site", "prefix_seen"]

_TICKET_SECONDS = 600


class Ticket(msgspec.Struct, frozen=True, array_like=True):
    """Leave to hand one cart off: whose, which (as `carts.cart_mark`), and only while it is that cart."""

    shopper: str
    locale: str
    cart: str


class Tickets:
    """Signed, ten-minute tickets to the PurchaseURL, and signed form tokens. Neither is the shopper's credential."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._tickets = URLSafeTimedSerializer(list(keys), salt="ecscart.ticket")
        self._forms = URLSafeTimedSerializer(list(keys), salt="ecscart.form")

    def issue(self, ticket: Ticket) -> str:
        """The ticket as URL-safe text."""
        return str(self._tickets.dumps(msgspec.to_builtins(ticket)))

    def redeem(self, text: str) -> Ticket | None:
        """The ticket, or None when it is forged or older than ten minutes."""
        try:
            return msgspec.convert(self._tickets.loads(text, max_age=_TICKET_SECONDS), Ticket)
        except (BadData, msgspec.ValidationError):
            return None

    def form_token(self, sid: str) -> str:
        """A token for the forms of one session's pages."""
        return str(self._forms.dumps(sid))

    def form_token_valid(self, text: str, sid: str) -> bool:
        """Whether `text` was made for the forms of this session within the last day."""
        try:
            return bool(self._forms.loads(text, max_age=86_400) == sid)
        except BadData:
            return False


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of one registered extension. They belong to one app; nothing is kept on `ECSCart`."""

    settings: Settings
    database: Database
    sessions: ShopperSessionInterface
    carts: Carts
    catalog: Catalog
    counters: Counters
    service: CartService | None
    """The embedded cart service; None when the provider is remote."""
    remote: Remote | None
    """Queue and dispatchers of a remote provider; None when it is embedded."""
    fleeting: Fleeting | None = None
    """What workers share and may lose: in Redis where ECSCART_REDIS_URL is set, else in the database."""
    tickets: Tickets
    widget: Widget
    clock: Clock


def current_site() -> Site:
    """The site of the app that handles the request. Raises `LookupError` when ECSCart is not registered."""
    try:
        return cast("Site", current_app.extensions["ecscart"])
    except KeyError:
        raise LookupError("ECSCart is not registered with this app: call ECSCart(app) or init_app(app).") from None


def prefix_seen(site: Site) -> str:
    """Where a browser finds the blueprint: `ECSCART_URL_PREFIX` below the path the whole app is mounted at."""
    return request.script_root + site.settings.url_prefix
