"""Paper & Lamp, a small blog with a cart in it. The part about Flask-ECSCart is `_install_cart`."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from flask import Flask, Response, abort, render_template, request

from example_app.posts import POSTS, STORES
from example_app.products import CATALOG, Card, read_products
from example_app.themes import install as install_themes
from flask_ecscart import ECSCart

__all__ = ["create_app"]

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
ecscart = ECSCart()


def create_app(config: Mapping[str, object] | None = None, *, instance: Path | None = None) -> Flask:
    """The site, ready to serve. `config` wins over the defaults below; `instance` holds its secret key and carts."""
    app = Flask(__name__, instance_path=None if instance is None else str(instance.resolve()))
    _install_cart(app, config or {})

    @app.get("/")
    def home() -> str:
        return render_template("home.html", posts=POSTS)

    @app.get("/posts/<slug>")
    def post(slug: str) -> str:
        number = next((number for number, candidate in enumerate(POSTS) if candidate.slug == slug), None)
        if number is None:
            abort(404)
        following = POSTS[(number + 1) % len(POSTS)]
        return render_template(f"posts/{slug}.html", post=POSTS[number], following=following)

    @app.get("/about")
    def about() -> str:
        return render_template("about.html", posts=POSTS)

    install_themes(app)

    @app.errorhandler(404)
    def not_found(_error: Exception) -> tuple[str, int]:
        return render_template("missing.html"), 404

    products = read_products()

    @app.template_global()
    def product(locale: str, asin: str) -> Card:
        return products[locale, asin]

    @app.template_global()
    def store(locale: str) -> str:
        return STORES[locale]

    app.after_request(_be_strict)
    return app


def _install_cart(app: Flask, config: Mapping[str, object]) -> None:
    """Flask-ECSCart in ten lines: a secret, a tag per locale, a catalog, a place for the carts."""
    app.config.from_mapping(
        ECSCART_LOCALES={
            "US": {"associate_tag": "paperlamp-20", "handoff": "demo"},
            "UK": {"associate_tag": "paperlampuk-21", "handoff": "demo"},
            "DE": {"associate_tag": "paperlampde-21", "handoff": "demo"},
            "JP": {"associate_tag": "paperlampjp-22", "handoff": "demo"},
            "FR": {"associate_tag": "paperlampfr-21", "handoff": "demo"},
            "CA": {"associate_tag": "paperlampca-20", "handoff": "demo"},
        },
        ECSCART_DEFAULT_LOCALE="US",
        ECSCART_CATALOG=str(CATALOG),
        ECSCART_ALLOWED_ORIGINS=["http://127.0.0.1:8010", "http://localhost:8010"],
    )
    app.config.from_mapping(config)
    if not app.config["SECRET_KEY"]:
        app.config["SECRET_KEY"] = _kept_secret(Path(app.instance_path))
    if "ECSCART_DATABASE_URL" not in app.config:
        app.config["ECSCART_DATABASE_URL"] = f"sqlite:///{_made(Path(app.instance_path)) / 'ecscart.db'}"
    ecscart.init_app(app)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _kept_secret(instance: Path) -> str:
    """The secret key of this copy of the site: made once, readable by its owner alone."""
    path = _made(instance) / "secret_key"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
    except FileExistsError:
        pass  # a run before this one made it
    return path.read_text()


def _be_strict(response: Response) -> Response:
    """The blog's own pages under a strict Content-Security-Policy: the cart must work in it."""
    if request.blueprint is None:
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
    return response
