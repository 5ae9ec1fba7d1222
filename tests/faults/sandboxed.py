"""A remote service that does as it is told, and a site that asks it impatiently by a clock that jumps: for processes.

Everything is logged at DEBUG, so that a secret which any part would ever write is in a log.
"""

from __future__ import annotations

import logging
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask

import flask_ecscart.extension
from flask_ecscart.catalog.memory import MemoryCatalog
from flask_ecscart.clock import utc_now
from flask_ecscart.ecs.client import ECSClient
from flask_ecscart.ecs.transport import RequestsTransport
from flask_ecscart.extension import ECSCart
from flask_ecscart.service.http import create_app
from flask_ecscart.service.sandbox import Sandbox, sandboxed
from tests.support.remote_shop import ACCESS_KEY, OTHER_KEYS, SECRET_KEY
from tests.support.shop import products

__all__ = ["REMOTE", "SITE", "create_remote", "create_site"]

REMOTE = "tests.faults.sandboxed:create_remote()"
SITE = "tests.faults.sandboxed:create_site()"
_GERMAN = dict(zip(("access_key", "secret_key"), next(iter(OTHER_KEYS.items())), strict=True))


def create_remote() -> Sandbox:
    """The service. REMOTE_DATABASE_URL: where it keeps carts; REMOTE_RATE: transactions a second of each key."""
    logging.basicConfig(level=logging.DEBUG)
    create = sandboxed(create_app, host="127.0.0.1")
    return create(
        database_url=os.environ["REMOTE_DATABASE_URL"],
        catalog=MemoryCatalog(products()),
        keys={ACCESS_KEY: SECRET_KEY, **OTHER_KEYS},
        rate=float(os.environ["REMOTE_RATE"]),
    )


def create_site() -> Flask:
    """The site. SITE_FOLDER: where it lives, with a file `seconds_ahead` for the clock it signs by."""
    logging.basicConfig(level=logging.DEBUG)
    logging.getLogger("flask_ecscart").setLevel(logging.DEBUG)
    folder, remote = Path(os.environ["SITE_FOLDER"]), os.environ["REMOTE_URL"]

    def jumping() -> datetime:
        return utc_now() + timedelta(seconds=float((folder / "seconds_ahead").read_text()))

    def impatient(*place: Any, clock: object, **more: Any) -> ECSClient:
        transport = RequestsTransport(connect_timeout=1, read_timeout=0.5, deadline=2)
        return ECSClient(*place, clock=jumping, transport=transport, **more)

    flask_ecscart.extension.ECSClient = impatient  # type: ignore[misc, assignment]
    app = Flask("town", instance_path=str(folder))
    app.config.update(
        SECRET_KEY="a-secret-for-tests-0123456789abcdef",
        ECSCART_PROVIDER="ecs",
        ECSCART_ACCESS_KEY=ACCESS_KEY,
        ECSCART_SECRET_KEY=SECRET_KEY,
        ECSCART_LOCALES={
            "US": {"associate_tag": "lamp-20", "handoff": "purchase_url", "endpoint": f"{remote}/onca/xml"},
            "DE": {
                "associate_tag": "lampe-21",
                "handoff": "purchase_url",
                "endpoint": f"{remote}/DE/onca/xml",
                **_GERMAN,
            },
        },
        ECSCART_CATALOG=MemoryCatalog(products()),
    )
    ECSCart(app)
    app.add_url_rule("/", "home", lambda: "the host's own page")
    return app
