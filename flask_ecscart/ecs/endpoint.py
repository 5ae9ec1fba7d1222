"""Where requests go: a full URL, checked once, and its parts as they are signed."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from flask_ecscart.errors import ConfigError

__all__ = ["Endpoint", "checked_retail_base"]

_PLAIN = re.compile(r"[A-Za-z0-9\-._~:/\[\]%]+")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Endpoint:
    """An ECS endpoint. `host` is what the Host header says and the signature covers: lower case, no default port."""

    def __init__(self, url: str) -> None:
        parts, host = _checked("endpoint", url)
        self.host = host
        self.path = parts.path if parts.path not in ("", "/") else "/onca/xml"
        self.origin = f"{parts.scheme}://{self.host}"
        self.url = self.origin + self.path


def checked_retail_base(url: str | None) -> str | None:
    """`url` itself when it can be the start of a PurchaseURL; None stays None."""
    if url is not None:
        _checked("retail_base", url)
    return url


def _checked(key: str, url: str) -> tuple[SplitResult, str]:
    fix = "Give a full URL such as https://host/onca/xml, without user, query or fragment."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts = None
        port = None
    if parts is None or parts.scheme not in _DEFAULT_PORTS or not parts.hostname or not _PLAIN.fullmatch(url):
        # The value is not shown: a URL with a password in it is one of those that end here.
        raise ConfigError(key, "…", fix)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        host += f":{port}"
    return parts, host
