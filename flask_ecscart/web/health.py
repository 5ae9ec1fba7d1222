"""`/healthz`: whether this site's carts work, in few words and few reads, for load balancers and monitors."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

import msgspec
from flask import Response

from flask_ecscart.dispatch import Remote
from flask_ecscart.errors import StateUnavailable
from flask_ecscart.state.fleeting import Fleeting
from flask_ecscart.web.site import Site, current_site

__all__ = ["Health", "healthz"]

_RETRY_SECONDS = 5
_Dispatcher = Literal["ok", "absent", "resting", "unreachable", "unknown"]


class Health(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is up. `degraded`: nothing is lost and shoppers are served, but somebody should look.

    `redis` and `dispatcher` are left out where the site has none. `dispatcher`: `absent` (carts wait and nobody
    sends), `resting` (the day's transactions are spent), `unreachable` (an endpoint does not answer), `unknown`
    (Redis is away, and it alone could say).
    """

    status: Literal["ok", "degraded", "unavailable"]
    database: Literal["ok", "away"]
    redis: Literal["ok", "away"] | None = None
    dispatcher: _Dispatcher | None = None


def healthz() -> Response:
    """200 while carts can be kept, else 503: no other worker could do better with a Redis or endpoint that is away."""
    health = _health(current_site())
    response = Response(msgspec.json.encode(health), mimetype="application/json")
    if health.status == "unavailable":
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        response.headers["Retry-After"] = str(_RETRY_SECONDS)
    # The widget asks it from any page, to tell a server that is away from one that does not allow the page.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _health(site: Site) -> Health:
    try:
        with site.database.reading() as connection:
            connection.exec_driver_sql("SELECT 1")
            redis = None if site.settings.redis_url is None else _redis(site.fleeting)
            dispatcher = None if site.remote is None else _dispatcher(site.remote)
    except StateUnavailable:
        return Health(status="unavailable", database="away")
    well = redis != "away" and dispatcher in {None, "ok"}
    return Health(status="ok" if well else "degraded", database="ok", redis=redis, dispatcher=dispatcher)


def _redis(shared: Fleeting | None) -> Literal["ok", "away"]:
    assert shared is not None, "a site with a Redis shares it"  # noqa: S101
    try:
        shared.get("health")
    except StateUnavailable:
        return "away"
    return "ok"


def _dispatcher(remote: Remote) -> _Dispatcher:
    try:
        return remote.condition()
    except StateUnavailable:
        return "unknown"
