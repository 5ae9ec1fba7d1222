"""What a request costs beside an empty Flask view: gunicorn gthread, one worker on a core of its own, a closed loop."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from flask import Flask

from benchmarks.harness import Aim, Case, Suite
from benchmarks.load import Load, pinned, request
from tests.support.shop import LAMP, LIMITED, MUG, Shop
from tests.support.web import WorkerSite, running_workers

__all__ = ["create_empty", "create_host", "create_shop", "host_page", "serving"]

_CONNECTIONS = 4
_REQUESTS, _SLICES = 100, 5
_ITEMS = "/ecscart/v1/carts/US/items"


def create_empty() -> Flask:
    """The baseline: one view that answers a small JSON object."""
    app = Flask("empty")
    app.add_url_rule("/page", "page", _page)
    return app


def create_host() -> Flask:
    """The same view on a site that has sessions, as every site that installs a cart must."""
    app = create_empty()
    app.config["SECRET_KEY"] = "a-secret-for-tests-0123456789abcdef"
    return app


def create_shop() -> Flask:
    """The same view on a site with a cart. SHOP_FOLDER names where its database lives."""
    app = Shop(Path(os.environ["SHOP_FOLDER"])).app
    app.add_url_rule("/page", "page", _page)
    return app


def _page() -> dict[str, str]:
    return {"hello": "world"}


@contextmanager
def serving(folder: Path) -> Iterator[Suite]:
    """Reading, changing and the widget file."""
    remote_env = {"REMOTE_FOLDER": str(folder)}
    with (
        running_workers("benchmarks.serving:create_empty()", 1, {}) as empty,
        running_workers("benchmarks.serving:create_shop()", 1, {"SHOP_FOLDER": str(folder / "shop")}) as shop,
        running_workers("tests.support.remote_shop:create_remote()", 1, remote_env) as remote,
        _remote_site(folder, remote.url) as site,
        pinned(*empty.worker_pids(), *shop.worker_pids(), *site.worker_pids()),
    ):
        shoppers = [_cookie(shop.url) for _ in range(_CONNECTIONS)]
        asked = [_cookie(site.url) for _ in range(_CONNECTIONS)]
        tag = requests.get(f"{shop.url}/ecscart/ecscart.js", timeout=10).headers["ETag"]
        get, page = "/ecscart/v1/carts/US", [[request("GET", "/page")]] * _CONNECTIONS
        widget = [[request("GET", "/ecscart/ecscart.js", If_None_Match=tag)]] * _CONNECTIONS
        yield Suite(
            "Requests beside an empty Flask view (gunicorn gthread, one worker, closed loop of 4)",
            "/s",
            [
                _case("empty Flask view", Load(empty.port, page)),
                _case("widget file, 304", Load(shop.port, widget, status=304), 0.90),
                _case("cart read, embedded provider", Load(shop.port, [[_get(get, one)] for one in shoppers]), 0.60),
                _case("cart read, remote provider", Load(site.port, [[_get(get, one)] for one in asked]), 0.60),
                _case("change, embedded, durable", Load(shop.port, [_changes(one) for one in shoppers]), 0.20),
            ],
            slices=_SLICES,
        )


@contextmanager
def host_page(folder: Path) -> Iterator[Suite]:
    """A page of the host's that does not use the cart: on a site without one, and with one."""
    with (
        running_workers("benchmarks.serving:create_host()", 1, {}) as without,
        running_workers("benchmarks.serving:create_shop()", 1, {"SHOP_FOLDER": str(folder / "shop")}) as shop,
        pinned(*without.worker_pids(), *shop.worker_pids()),
    ):
        page = [[request("GET", "/page")]] * _CONNECTIONS
        cases = [
            _case("site without a cart", Load(without.port, page)),
            _case("the same site with one", Load(shop.port, page), 0.99),
        ]
        yield Suite("A page of the host site that does not use the cart", "/s", cases, slices=4 * _SLICES)


@contextmanager
def _remote_site(folder: Path, url: str) -> Iterator[WorkerSite]:
    """A site whose carts are known from the last reply, which stays fresh as long as this takes."""
    env = {"SITE_FOLDER": str(folder / "site"), "REMOTE_URL": url, "ECSCART_RATE": "50", "ECSCART_FRESH_FOR": "3000"}
    with running_workers("tests.support.remote_shop:create_site()", 1, env) as site:
        yield site


def _case(name: str, load: Load, least: float | None = None) -> Case:
    return Case(name, _REQUESTS, lambda: load.run(_REQUESTS), Aim(least=least) if least else None)


def _cookie(url: str) -> str:
    """A shopper with three settled lines."""
    session = requests.Session()
    session.trust_env = False
    items = [{"asin": asin, "quantity": 1} for asin in (LAMP, MUG, LIMITED)]
    answer = session.post(f"{url}/ecscart/v1/carts/US/items", json={"items": items}, timeout=30)
    while answer.status_code != requests.codes.ok or answer.json()["pending"]:
        answer = session.get(f"{url}/ecscart/v1/carts/US", timeout=30)
    found = re.search(r"ecscart=([^;]+)", "; ".join(f"{c.name}={c.value}" for c in session.cookies))
    assert found is not None
    return found.group(1)


def _get(path: str, cookie: str) -> bytes:
    return request("GET", path, Cookie=f"ecscart={cookie}")


def _changes(cookie: str) -> list[bytes]:
    bodies = [json.dumps({"items": [{"asin": LAMP, "quantity": n}]}).encode() for n in (2, 3)]
    return [
        request(
            "PATCH", "/ecscart/v1/carts/US/items", body=body, Cookie=f"ecscart={cookie}", Sec_Fetch_Site="same-origin"
        )
        for body in bodies
    ]
