"""Which pages may embed us, and who a request comes from.

The site itself is known by an HttpOnly cookie. A page of another origin must stand in
`ECSCART_ALLOWED_ORIGINS` (compared for equality) and sends a token signed for just that origin; cookies of such
a request are not looked at, and none are set. `Vary: Origin` is on every answer.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec
from flask import Request, Response, current_app, g, request

from flask_ecscart.sessions import COOKIE, shopper_id
from flask_ecscart.state.counters import MAX_PAGE
from flask_ecscart.web.problems import Refused
from flask_ecscart.web.site import Site

__all__ = ["Who", "add_headers", "check_origin", "identify", "page_before", "refuse_too_many", "set_cookie"]

_PREFLIGHT_SECONDS = 7200
_METHODS = "GET, POST, PATCH, DELETE"
_HEADERS = "Authorization, Content-Type, Idempotency-Key"


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """The shopper behind a request. `known`: came with a valid cookie or token."""

    sid: str
    origin: str | None
    known: bool
    page: str | None = None
    """The page the request was made on, as `signals.Event.page`."""

    @property
    def shopper(self) -> str:
        """The id the session is kept under."""
        return shopper_id(self.sid)


def check_origin(site: Site, *, changing: bool) -> str | None:
    """The embedding origin, None for the site itself. Raises `Refused` for a page that may not embed us."""
    origin = request.headers.get("Origin")
    if origin is None:
        if changing and request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
            raise Refused(
                HTTPStatus.FORBIDDEN,
                "origin_missing",
                "A change from another page must carry its Origin. Use the widget, or send the Origin header.",
            )
        return None
    if _is_own(origin, request):
        return None
    if origin in site.settings.allowed_origins:
        return origin
    raise Refused(
        HTTPStatus.FORBIDDEN,
        "origin_not_allowed",
        f"Pages of {origin[:200]!r} may not use this cart. Its owner can allow them in ECSCART_ALLOWED_ORIGINS.",
    )


def identify(site: Site, *, changing: bool) -> Who:
    """Who the request comes from; a new shopper when nobody is named and the site itself asks."""
    origin = check_origin(site, changing=changing)
    if origin is None:
        sid = site.sessions.sid_from_token(request.cookies.get(COOKIE, ""), origin=None)
        return Who(sid=sid or site.sessions.new_sid(), origin=None, known=sid is not None, page=_page(None))
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        if not changing:
            return Who(sid=site.sessions.new_sid(), origin=origin, known=False)
        raise Refused(
            HTTPStatus.UNAUTHORIZED,
            "token_missing",
            "Ask POST /v1/shopper for a token and send it as Authorization: Bearer.",
        )
    sid = site.sessions.sid_from_token(token.strip(), origin=origin)
    if sid is None:
        raise Refused(
            HTTPStatus.UNAUTHORIZED,
            "token_invalid",
            "This token was not issued for this origin. Ask POST /v1/shopper for a new one.",
        )
    return Who(sid=sid, origin=origin, known=True, page=_page(origin))


def page_before(site: Site) -> str | None:
    """The page from which the shopper came to one of ours: as our own form or link carries it, else by the Referer.

    Whoever forges it could forge the Referer.
    """
    named, allowed = request.values.get("from"), site.settings.allowed_origins
    if named is None:
        return next((page for origin in (None, *allowed) if (page := _page(origin)) is not None), None)
    own = named.startswith("/") and not named.startswith("//")
    return _kept(named) if own or named.startswith(tuple(f"{origin}/" for origin in allowed)) else None


def refuse_too_many(site: Site, who: Who, locale: str) -> None:
    """Raise `Refused` for changes that come faster than a person makes them, where they would cost scarce turns."""
    wait = site.carts.must_wait(who.shopper, locale, request.remote_addr)
    if wait > 0:
        raise Refused(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too_many_changes",
            "These are more changes than one person makes. Send the same change again after the time named.",
            retry_after=wait,
        )


def set_cookie(site: Site, who: Who, response: Response) -> None:
    """Give the site's own pages the cookie of a new shopper; a page of another origin gets none."""
    if who.origin is None and not who.known:
        session = site.sessions.session_class(sid=who.sid)
        site.sessions.save_session(current_app._get_current_object(), session, response)  # type: ignore[attr-defined]


def add_headers(site: Site, response: Response) -> Response:
    """CORS for the origins that may embed us, and headers no answer of ours goes without."""
    response.vary.add("Origin")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if g.get("ecscart_public"):
        return response
    response.headers.setdefault("Cache-Control", "private, no-store")
    # Opened as a page an answer of ours is inert, and no page of another site can take it in by a tag.
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    response.vary.add("Cookie")
    origin = request.headers.get("Origin", "")
    if origin in site.settings.allowed_origins and not _is_own(origin, request):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = _METHODS
            response.headers["Access-Control-Allow-Headers"] = _HEADERS
            response.headers["Access-Control-Max-Age"] = str(_PREFLIGHT_SECONDS)
    return response


def _page(origin: str | None) -> str | None:
    """Where the Referer says the shopper is, when that is this site or the embedding `origin`; without its query."""
    try:
        parts = urlsplit(request.referrer or "")
    except ValueError:
        return None
    if not parts.netloc:
        return None
    of = f"{parts.scheme}://{parts.netloc}"
    if of != origin and not (origin is None and _is_own(of, request)):
        return None
    return _kept(f"{origin or ''}{parts.path or '/'}")


def _kept(page: str) -> str:
    return re.sub(r"[^\x21-\x7e]", "?", page)[:MAX_PAGE]


def _is_own(origin: str, to: Request) -> bool:
    parts = urlsplit(origin)
    # A proxy that ends TLS makes us see http where the page was https; the host is what must be the same.
    return parts.netloc == to.host and parts.scheme in {to.scheme, "https"}
