"""Somebody else's page, on another origin than the shop."""

from __future__ import annotations

from flask import Flask, Response

__all__ = ["NONCE", "Blog"]

NONCE = "bm9uY2U="
_STYLE = (
    "<style>body{margin:0;background:#fff;color:#111}a{color:#0b57d0;display:inline-block;padding:.5rem}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#eee}a{color:#8ab4f8}}</style>"
)


class Blog:
    """Pages a test writes, at `http://localhost:<port>`; the shop is at 127.0.0.1, which is another site."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self.port = 0
        self.app = Flask("blog")
        self.app.add_url_rule("/<path:name>", "page", self._page)
        self.app.add_url_rule("/", "home", lambda: self._page("home"))

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://localhost:{self.port}"

    def write(self, body: str, *, name: str = "home", head: str = "", lang: str = "en") -> str:
        """Put a page up; returns its address."""
        strict = "Content-Security-Policy" in self.headers
        looks = "" if strict else f'<link rel="icon" href="data:,">{_STYLE}'
        self.pages[name] = (
            f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>A blog</title>{looks}'
            f'<meta name="viewport" content="width=device-width">{head}</head>'
            f"<body><main><h1>A blog</h1>{body}</main></body></html>"
        )
        return f"{self.origin}/{'' if name == 'home' else name}"

    def _page(self, name: str) -> Response:
        if name not in self.pages:
            return Response(status=404)
        return Response(self.pages[name], mimetype="text/html", headers=self.headers)
