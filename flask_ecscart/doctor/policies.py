"""Reading what a page's headers and tags forbid the browser: Content-Security-Policy, referrer policy, the links."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html.parser import HTMLParser
from urllib.parse import SplitResult, urlsplit

__all__ = ["PageReader", "Policy", "allows", "policies", "referrer_policy"]

Policy = Mapping[str, Sequence[str]]
"""Directive → its sources, as one Content-Security-Policy states them."""

_REFERRER_POLICIES = frozenset(
    {"no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin", "unsafe-url"}
    | {"origin-when-cross-origin", "strict-origin-when-cross-origin"}
)
_FALLBACKS: Mapping[str, tuple[str, ...]] = {
    "script-src-elem": ("script-src-elem", "script-src", "default-src"),
    "connect-src": ("connect-src", "default-src"),
    "img-src": ("img-src", "default-src"),
    "form-action": ("form-action",),  # has no fall-back (CSP 3, 6.4.1)
}
_PORTS = {"http": 80, "https": 443}


def policies(headers: Iterable[str]) -> list[Policy]:
    """The policies in the values of Content-Security-Policy headers and tags. All of them hold together."""
    found: list[Policy] = []
    for value in ",".join(headers).split(","):
        policy: dict[str, Sequence[str]] = {}
        for directive in value.split(";"):
            name, *sources = directive.split() or [""]
            if name:
                policy.setdefault(name.lower(), sources)  # a repeated directive is ignored
        if policy:
            found.append(policy)
    return found


def allows(policy: Policy, directive: str, url: str, *, own: str, nonce: str = "", integrity: str = "") -> bool:
    """Whether `policy` lets a page of origin `own` use `url`; `nonce` and `integrity` are the script tag's."""
    sources = next((policy[name] for name in _FALLBACKS[directive] if name in policy), None)
    if sources is None:
        return True
    if directive.startswith("script"):
        if nonce and f"'nonce-{nonce}'" in sources:
            return True
        if integrity and all(f"'{digest}'" in sources for digest in integrity.split()):
            return True
        if "'strict-dynamic'" in (source.lower() for source in sources):
            return False
    return any(_matches(source, urlsplit(url), own) for source in sources)


def referrer_policy(header: str, tags: Sequence[str]) -> str:
    """The policy that holds: the last known one of the header, then of each tag; empty for the browser's own."""
    known = [one.strip().lower() for value in (header, *tags) for one in value.split(",")]
    return next((one for one in reversed(known) if one in _REFERRER_POLICIES), "")


def _matches(source: str, url: SplitResult, own: str) -> bool:
    """CSP 3, 6.7.2: whether a source expression matches; an http one also matches https."""
    low, own_parts = source.lower(), urlsplit(own)
    if low == "'self'":
        return (url.netloc, url.scheme) == (own_parts.netloc, own_parts.scheme)
    if low == "*":
        return url.scheme in _PORTS
    if low.endswith(":") and "/" not in low:
        return _scheme_matches(low[:-1], url.scheme)
    scheme, separator, rest = low.rpartition("://")
    host, slash, path = rest.partition("/")
    name, _, port = host.partition(":")
    return (
        _scheme_matches(scheme if separator else own_parts.scheme, url.scheme)
        and _port_matches(port, url)
        and _host_matches(name, url.hostname or "")
        and _path_matches(slash + path, url.path)
    )


def _scheme_matches(wanted: str, scheme: str) -> bool:
    return wanted == scheme or (wanted, scheme) == ("http", "https")


def _port_matches(wanted: str, url: SplitResult) -> bool:
    usual = str(_PORTS.get(url.scheme, 0))
    return wanted == "*" or (wanted or usual) == str(url.port or usual)


def _path_matches(wanted: str, path: str) -> bool:
    return wanted in {"", "/"} or (path.startswith(wanted) if wanted.endswith("/") else path == wanted)


def _host_matches(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return pattern == host


class PageReader(HTMLParser):
    """What matters to the cart on an HTML page; `feed()` it the page."""

    def __init__(self) -> None:
        super().__init__()
        self.referrer: list[str] = []
        self.csp: list[str] = []
        self.scripts: list[dict[str, str]] = []
        self.elements: set[str] = set()
        self.silent_links: list[str] = []
        """Links to Amazon that tell it not where the shopper comes from."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one tag; called by `feed`."""
        found = {name: value or "" for name, value in attrs}
        if tag.startswith("ecs-"):
            self.elements.add(tag)
        elif tag == "meta":
            self._meta(found)
        elif tag == "script" and "src" in found:
            self.scripts.append(found)
        elif tag in {"a", "area", "form"}:
            url = found.get("action" if tag == "form" else "href", "")
            policy = found.get("referrerpolicy", "").lower()
            hushed = "noreferrer" in found.get("rel", "").lower().split() or policy in {"no-referrer", "same-origin"}
            if _is_amazon(url) and hushed:
                self.silent_links.append(url)

    def _meta(self, found: dict[str, str]) -> None:
        if found.get("name", "").lower() == "referrer":
            self.referrer.append(found.get("content", ""))
        elif found.get("http-equiv", "").lower() == "content-security-policy":
            self.csp.append(found.get("content", ""))


def _is_amazon(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return bool(re.fullmatch(r"([a-z0-9-]+\.)*amazon\.[a-z.]{2,6}", host)) or host in {"amzn.to", "a.co"}
