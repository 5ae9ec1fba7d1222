"""A stranger's hand-written page on another origin: one script tag, and buttons that are links without it."""

from __future__ import annotations

from flask import Flask, render_template

__all__ = ["create_app"]


def create_app(shop_origin: str) -> Flask:
    """The page, with its buttons leading to the site at `shop_origin` (scheme, host and port)."""
    app = Flask(__name__)

    @app.get("/")
    def page() -> str:
        return render_template("elsewhere.html", shop=shop_origin.rstrip("/"))

    return app
