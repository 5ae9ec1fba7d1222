"""The site that is examined, and the ways to ask it something."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

import msgspec
from flask import Flask
from werkzeug.test import TestResponse

from flask_ecscart.web.site import Site

__all__ = ["NoAnswer", "Patient"]

_REDIRECTS = 5
_SECRET_WORDS = ("secret", "password", "token", "key")


class NoAnswer(Exception):
    """The app did not answer; the text says how."""


class Patient(msgspec.Struct, frozen=True, kw_only=True):
    """A site under examination. `pages` are paths of its own pages; only with `online` anything leaves the process."""

    app: Flask
    site: Site
    pages: tuple[str, ...] = ()
    online: bool = False

    @property
    def origin(self) -> str:
        """The site's own origin as far as its configuration says: https, and a host it answers to."""
        config = cast("Mapping[str, Any]", self.app.config)
        trusted = cast("list[str]", config.get("TRUSTED_HOSTS") or [])
        host = config.get("SERVER_NAME") or next((name.lstrip(".") for name in trusted), "localhost")
        return f"https://{host}"

    @property
    def has_database(self) -> bool:
        """Whether looking would not make it: a SQLite file made by another user could not be written by the site."""
        database = self.site.database
        return not database.is_sqlite or bool(database.url.database and Path(database.url.database).exists())

    def ask(self, path: str, *, follow: bool = True) -> TestResponse:
        """What the app answers to a GET of `path`, asked inside the process. Raises `NoAnswer`."""
        client = self.app.test_client()
        headers = {"User-Agent": "flask-ecscart-doctor", "Accept": "text/html,*/*"}
        url = urljoin(self.origin, path)
        for _ in range(_REDIRECTS):
            parts = urlsplit(url)
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            try:
                response = client.get(target, base_url=self.origin, headers=headers)
            except Exception as problem:
                raise NoAnswer(f"it raised {type(problem).__name__}") from problem
            if not follow or not 300 <= response.status_code < 400 or not response.location:  # noqa: PLR2004
                return response
            url = urljoin(url, response.location)
            if urlsplit(url).netloc != urlsplit(self.origin).netloc:
                raise NoAnswer(f"it sends visitors on to {urlsplit(url).netloc}")
        raise NoAnswer("it sends visitors in a circle")

    def secrets(self) -> list[str]:
        """Every text that must not be printed."""
        settings = self.site.settings
        found = [*settings.app_secrets, settings.secret_key or "", settings.access_key or ""]
        found += [key for code in settings.locales for key in settings.keys_of(code)]
        for url in (settings.database_url, settings.redis_url):
            found.append((urlsplit(url).password if url else None) or "")
        return found + _secrets_in(settings.catalog)


def _secrets_in(value: object) -> list[str]:
    if not isinstance(value, Mapping):
        return []
    found: list[str] = []
    for name, inner in cast("Mapping[object, object]", value).items():
        if isinstance(inner, str) and any(word in str(name).lower() for word in _SECRET_WORDS):
            found.append(inner)
        found += _secrets_in(inner)
    return found
