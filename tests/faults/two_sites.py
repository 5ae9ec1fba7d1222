"""Two sites in one process, three access keys: the first site has one for the US and one for DE, the second its own."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask

from flask_ecscart.extension import ECSCart
from tests.support.remote_shop import ACCESS_KEY, OTHER_KEYS, SECRET_KEY

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["FACTORY", "create_app"]

FACTORY = "tests.faults.two_sites:create_app()"
_GERMAN, _SECOND = OTHER_KEYS.items()


def create_app() -> Flask:
    """The first site, and the second under the name localhost. Neither has a catalog: the service is asked."""
    remote = os.environ["REMOTE_URL"]
    us = {"associate_tag": "lamp-20", "handoff": "form", "endpoint": f"{remote}/onca/xml"}
    de = {"associate_tag": "lampe-21", "handoff": "form", "endpoint": f"{remote}/DE/onca/xml"}
    de |= {"access_key": _GERMAN[0], "secret_key": _GERMAN[1]}
    ecscart = ECSCart()
    first = _site("first", (ACCESS_KEY, SECRET_KEY), {"US": us, "DE": de}, ecscart)
    second = _site("second", _SECOND, {"US": us}, ecscart)
    of_first = first.wsgi_app

    def by_name(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = second.wsgi_app if environ["HTTP_HOST"].startswith("localhost:") else of_first
        return answer(environ, start_response)

    first.wsgi_app = by_name  # type: ignore[method-assign]
    return first


def _site(name: str, keys: tuple[str, str], locales: dict[str, dict[str, str]], ecscart: ECSCart) -> Flask:
    app = Flask(name, instance_path=str(Path(os.environ["SITE_FOLDER"]) / name))
    app.config.update(
        SECRET_KEY=f"a-secret-of-the-{name}-site-0123456789",
        ECSCART_PROVIDER="ecs",
        ECSCART_ACCESS_KEY=keys[0],
        ECSCART_SECRET_KEY=keys[1],
        ECSCART_LOCALES=locales,
    )
    ecscart.init_app(app)
    return app
