"""The host site is not touched: its session, its error pages, its CSRF protection, its other routes, its config."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cachelib import FileSystemCache
from flask import Flask, render_template_string, session
from flask_session import Session
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from flask_ecscart.catalog.memory import MemoryCatalog
from flask_ecscart.errors import ConfigError
from flask_ecscart.extension import ECSCart
from flask_ecscart.web.site import current_site
from tests.support.shop import LAMP, Shop, products

ITEMS = {"items": [{"asin": LAMP}]}


def host(folder: Path, prepare: Callable[[Flask], object] = lambda _: None, *, first: bool = True) -> Flask:
    app = Flask("host", instance_path=str(folder))
    app.config.update(
        SECRET_KEY="the-hosts-own-secret",
        ECSCART_LOCALES={"US": {"associate_tag": "lamp-20", "handoff": "demo"}},
        ECSCART_CATALOG=MemoryCatalog(products()),
    )
    if first:
        prepare(app)
    ECSCart(app)
    if not first:
        prepare(app)

    @app.get("/visits")
    def visits() -> dict[str, int]:
        session["visits"] = session.get("visits", 0) + 1
        return {"visits": session["visits"]}

    @app.post("/form")
    def form() -> str:
        return "posted"

    @app.get("/boom")
    def boom() -> str:
        raise RuntimeError("the host's own bug")

    @app.errorhandler(404)
    def lost(_error: object) -> tuple[str, int]:
        return "the host's own page", 404

    @app.errorhandler(RuntimeError)
    def broken(_error: object) -> tuple[str, int]:
        return "the host's own apology", 500

    return app


def with_flask_session(folder: Path) -> Callable[[Flask], object]:
    def prepare(app: Flask) -> None:
        app.config.update(SESSION_TYPE="cachelib", SESSION_CACHELIB=FileSystemCache(str(folder / "sessions")))
        Session(app)

    return prepare


@pytest.fixture(params=["flask's own session", "flask-session before", "flask-session after"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Flask:
    if request.param == "flask's own session":
        return host(tmp_path)
    return host(tmp_path, with_flask_session(tmp_path), first=request.param.endswith("before"))


def test_the_hosts_session_works_and_the_cart_does_not_write_it(site: Flask) -> None:
    client = site.test_client()
    assert client.get("/visits").json == {"visits": 1}
    before = client.get_cookie("session")
    added = client.post("/ecscart/v1/carts/US/items", json=ITEMS)
    assert added.status_code == 200
    cookies = [value for name, value in added.headers if name == "Set-Cookie"]
    assert [cookie.split("=")[0] for cookie in cookies if "ecscart=" in cookie] == ["ecscart"]
    after = client.get_cookie("session")
    assert before is not None
    assert after is not None
    assert after.value == before.value
    assert client.get("/visits").json == {"visits": 2}
    assert (client.get("/ecscart/v1/carts/US").json or {})["count"] == 1


def test_the_carts_cookie_has_its_own_name_and_path_and_scripts_cannot_read_it(site: Flask) -> None:
    added = site.test_client().post("/ecscart/v1/carts/US/items", json=ITEMS)
    cookie = next(value for name, value in added.headers if name == "Set-Cookie" and value.startswith("ecscart="))
    assert {"HttpOnly", "Path=/ecscart", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}


def test_a_shopper_who_only_looks_gets_no_cookie(site: Flask) -> None:
    looked = site.test_client().get("/ecscart/v1/carts")
    assert not [value for name, value in looked.headers if name == "Set-Cookie" and value.startswith("ecscart=")]


def test_the_hosts_error_pages_stay_its_own(site: Flask) -> None:
    client = site.test_client()
    assert client.get("/nowhere").text == "the host's own page"
    assert client.get("/boom").text == "the host's own apology"
    ours = client.get("/ecscart/nowhere")
    assert (ours.status_code, ours.mimetype) == (404, "application/problem+json")


def test_the_hosts_other_pages_get_no_headers_of_ours(site: Flask) -> None:
    headers = site.test_client().get("/visits").headers
    assert "Access-Control-Allow-Origin" not in headers
    assert "Origin" not in headers.get("Vary", "")
    assert "X-Content-Type-Options" not in headers


@pytest.mark.parametrize("first", [True, False], ids=["csrf before", "csrf after"])
def test_csrfprotect_guards_the_host_and_leaves_the_cart_to_its_own_guards(tmp_path: Path, first: bool) -> None:
    client = host(tmp_path, CSRFProtect, first=first).test_client()
    assert client.post("/form").status_code == 400
    assert client.post("/ecscart/v1/carts/US/items", json=ITEMS).status_code == 200
    assert client.post("/form").status_code == 400


def test_two_apps_in_one_process_share_nothing(tmp_path: Path) -> None:
    extension = ECSCart()
    apps = []
    for name in ("one", "two"):
        app = Flask(name, instance_path=str(tmp_path / name))
        app.config.update(
            SECRET_KEY=name * 12, ECSCART_LOCALES={"US": "lamp-20"}, ECSCART_CATALOG=MemoryCatalog(products())
        )
        extension.init_app(app)
        apps.append(app)
    one, two = (app.test_client() for app in apps)
    one.post("/ecscart/v1/carts/US/items", json=ITEMS)
    cookie = one.get_cookie("ecscart", path="/ecscart")
    assert cookie is not None
    two.set_cookie("ecscart", cookie.value, path="/ecscart")
    assert two.get("/ecscart/v1/carts").json == {"carts": {}}
    assert vars(extension).keys() == {"_clock"}


def test_a_second_registration_is_refused(tmp_path: Path) -> None:
    app = host(tmp_path)
    with pytest.raises(RuntimeError, match="already registered"):
        ECSCart(app)


def test_an_app_without_the_extension_says_what_to_do() -> None:
    with Flask("bare").app_context(), pytest.raises(LookupError, match="init_app"):
        current_site()


def test_registering_reaches_no_database(tmp_path: Path) -> None:
    app = Flask("far", instance_path=str(tmp_path))
    app.config.update(
        SECRET_KEY="x" * 32,
        ECSCART_LOCALES={"US": "lamp-20"},
        ECSCART_DATABASE_URL="postgresql+psycopg://nobody@127.0.0.1:1/nothing",
    )
    ECSCart(app)
    app.add_url_rule("/", "home", lambda: "home")
    client = app.test_client()
    assert client.get("/").text == "home"
    answer = client.post("/ecscart/v1/carts/US/items", json=ITEMS)
    assert (answer.status_code, (answer.json or {})["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
    assert client.get("/ecscart/healthz").status_code == 503


def test_templates_print_the_script_a_button_and_the_cart(shop: Shop) -> None:
    from flask import render_template_string

    with shop.app.test_request_context():
        printed = render_template_string(
            "{{ ecscart.script(nonce='n0') }}{{ ecscart.cart() }}"
            "{{ ecscart.button('B000000000', locale='DE', label='<b>') }}"
        )
    assert 'nonce="n0"' in printed
    assert '<a href="/ecscart/add?locale=DE&amp;asin=B000000000&amp;quantity=1" rel="nofollow">&lt;b&gt;</a>' in printed
    assert '<ecs-cart><a href="/ecscart/cart" rel="nofollow">Cart</a></ecs-cart>' in printed


def test_the_widget_is_served_with_cache_and_integrity(shop: Shop) -> None:
    widget = shop.site.widget
    stable = shop.client.get("/ecscart/ecscart.js")
    hashed = shop.client.get(f"/ecscart/ecscart.{widget.digest}.js")
    assert stable.data == hashed.data == widget.body
    assert "immutable" in hashed.headers["Cache-Control"]
    assert stable.headers["Access-Control-Allow-Origin"] == "*"
    assert stable.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    again = shop.client.get("/ecscart/ecscart.js", headers={"If-None-Match": stable.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert shop.client.get("/ecscart/ecscart.0000.js").status_code == 404


def test_a_missing_secret_key_is_named_with_its_fix(tmp_path: Path) -> None:
    app = Flask("bare", instance_path=str(tmp_path))
    app.config["ECSCART_LOCALES"] = {"US": "lamp-20"}
    with pytest.raises(ConfigError, match=r"SECRET_KEY is not set\..*token_hex"):
        ECSCart(app)


def test_a_site_mounted_below_a_path_is_found_there_by_everything_it_prints(tmp_path: Path) -> None:
    app = host(tmp_path)
    app.add_url_rule("/page", "page", lambda: render_template_string("{{ ecscart.script() }}{{ ecscart.cart() }}"))
    client = Client(DispatcherMiddleware(NotFound(), {"/shop": app}))

    page = client.get("/shop/page").text
    assert re.findall(r'(?:src|href)="(/\w+/\w+)', page) == ["/shop/ecscart", "/shop/ecscart"]
    added = client.post("/shop/ecscart/v1/carts/US/items", json=ITEMS)
    assert "Path=/shop/ecscart;" in added.headers["Set-Cookie"]
    ticket = client.get("/shop/ecscart/v1/carts/US").json["handoff"]["action"]  # type: ignore[index]
    assert 'action="/shop/ecscart/cart"' in client.get("/shop/ecscart/cart").text
    assert client.get("/shop/ecscart/openapi.json").json["servers"] == [{"url": "/shop/ecscart"}]  # type: ignore[index]

    left = client.get(ticket)
    assert "lamp-20" in client.get(left.headers["Location"]).text
    assert client.get(ticket).headers["Location"] == "/shop/ecscart/cart"


def test_the_cart_of_a_mounted_site_is_seen_from_below_its_path_alone(tmp_path: Path) -> None:
    client = Client(DispatcherMiddleware(NotFound(), {"/shop": host(tmp_path / "a"), "/other": host(tmp_path / "b")}))
    client.post("/shop/ecscart/v1/carts/US/items", json=ITEMS)
    assert client.get("/shop/ecscart/v1/carts/US").json["count"] == 1  # type: ignore[index]
    assert client.get("/other/ecscart/v1/carts/US").json["count"] == 0  # type: ignore[index]
