"""A site whose provider is a cart service on loopback, and that service: both for worker processes."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from flask import Flask, request

from flask_ecscart.catalog.memory import MemoryCatalog
from flask_ecscart.extension import ECSCart
from flask_ecscart.service.http import create_app as create_service
from tests.support.shop import products

__all__ = ["ACCESS_KEY", "OTHER_KEYS", "SECRET_KEY", "create_remote", "create_site"]

ACCESS_KEY, SECRET_KEY = "AKREMOTETEST", "a-secret-of-the-remote-service"
OTHER_KEYS = {"AKGERMANCARTS": "a-secret-for-german-carts", "AKSECONDSITE": "a-secret-of-the-second-site"}


def create_remote() -> Flask:
    """The service. REMOTE_FOLDER: its database and `calls.log`, one line (moment, operation, status, key) a request."""
    folder = Path(os.environ["REMOTE_FOLDER"])
    rate = float(os.environ.get("REMOTE_RATE", "0"))
    app = create_service(
        database_url=f"sqlite:///{folder / 'service.db'}",
        catalog=MemoryCatalog(products()),
        keys={ACCESS_KEY: SECRET_KEY, **OTHER_KEYS},
        rate=rate or None,
    )
    delay = float(os.environ.get("REMOTE_DELAY", "0"))

    @app.after_request
    def written_down(response: Any) -> Any:
        operation = request.args.get("Operation")
        if operation is not None:
            with (folder / "calls.log").open("a") as log:
                log.write(f"{time.time()} {operation} {response.status_code} {request.args['AWSAccessKeyId']}\n")
            time.sleep(delay)
        return response

    return app


def create_site() -> Flask:
    """The site. SITE_FOLDER: its database; REMOTE_URL: the service; ECSCART_… as everywhere."""
    app = Flask("remote_shop", instance_path=os.environ["SITE_FOLDER"])
    app.config.update(
        SECRET_KEY="a-secret-for-tests-0123456789abcdef",
        ECSCART_PROVIDER="ecs",
        ECSCART_ACCESS_KEY=ACCESS_KEY,
        ECSCART_SECRET_KEY=SECRET_KEY,
        ECSCART_LOCALES={
            "US": {
                "associate_tag": "lamp-20",
                "handoff": "form",
                "endpoint": f"{os.environ['REMOTE_URL']}/onca/xml",
            }
        },
        ECSCART_CATALOG=MemoryCatalog(products()),
    )
    ECSCart(app)

    @app.after_request
    def signed(response: Any) -> Any:
        response.headers["X-Pid"] = str(os.getpid())
        return response

    @app.get("/page")
    def page() -> dict[str, int]:
        return {"pid": os.getpid()}

    return app
