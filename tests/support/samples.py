"""A site of a few lines, for the tests of the test servers themselves."""

from __future__ import annotations

import os

from flask import Flask

__all__ = ["create_app"]


def create_app() -> Flask:
    """Says which process answers, and shows a page that breaks on its console."""
    app = Flask("sample")

    @app.get("/pid")
    def pid() -> str:
        return str(os.getpid())

    @app.get("/word")
    def word() -> str:
        return os.environ.get("SAMPLE_WORD", "")

    @app.get("/page")
    def page() -> str:
        return "<!doctype html><title>カート</title><link rel=icon href='data:,'><h1>カート</h1>"

    @app.get("/broken")
    def broken() -> str:
        return "<!doctype html><link rel=icon href='data:,'><script>undefinedName()</script>"

    return app
