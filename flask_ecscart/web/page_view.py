"""How a page without JavaScript is drawn: words, the owner's base template, headers, and refusals people can read."""

from __future__ import annotations

import functools
import logging
import secrets
from collections.abc import Callable
from datetime import datetime, timezone
from http import HTTPStatus
from typing import ParamSpec
from urllib.parse import urlencode, urlsplit

import msgspec
from flask import Response, redirect, render_template, request
from jinja2 import TemplateError
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from flask_ecscart.errors import ECSError, StateUnavailable, TransportError
from flask_ecscart.locales import Locale
from flask_ecscart.texts import Words, programme_language
from flask_ecscart.web.language import asked_language, page_language
from flask_ecscart.web.origins import Who, set_cookie
from flask_ecscart.web.problems import Refused, as_refused, problem_response
from flask_ecscart.web.site import Site, current_site, prefix_seen
from flask_ecscart.web.titles import readable

__all__ = ["PageData", "for_people", "render_page", "to_cart_page"]

_Given = ParamSpec("_Given")
_log = logging.getLogger("flask_ecscart")

_OWN_BASE = "ecscart/page.html"
_MARK = 'class="ecscart"'
"""Stands in every page of ours; a base template that has no `content` block loses it."""
_LONGEST_TITLE = 200

# form-action is checked again at each redirect, and where Amazon sends a shopper to sign in is Amazon's business.
_NEVER = "base-uri 'none'; frame-ancestors 'none'; object-src 'none'; form-action 'self' https:"
_CSP = f"default-src 'none'; style-src 'self'; img-src 'self' https: data:; {_NEVER}"

_REFUSALS = {"form_expired": "form_old", "unavailable": "away"}
"""Code of a refusal → the text people get; others are told in English."""


class PageData(msgspec.Struct, frozen=True, kw_only=True):
    """`ecs` in the templates: all they need beside what the page is about, under one name the owner's cannot miss."""

    base: str
    prefix: str
    language: str
    asked: str | None
    """The language a link asked for; links and forms of the page carry it on."""
    token: str
    key: str
    """New for every page: the same button pressed twice is one change."""
    t: Words

    def short(self, title: str) -> str:
        """`title` as long as a page on a phone can bear."""
        return readable(title, _LONGEST_TITLE)

    def moment(self, iso: str) -> str:
        """A time of the API as people write it, and not broken over lines."""
        at = datetime.fromisoformat(iso.replace("Z", "+00:00")).astimezone(timezone.utc)
        parts = {"year": f"{at:%Y}", "month": f"{at:%m}", "day": f"{at:%d}", "time": f"{at:%H:%M}"}
        return self.t("moment", **parts).replace(" ", "\u00a0").replace("-", "\u2011")

    def language_of(self, name: str, locale: Locale) -> Markup:
        """The `lang` attribute of the "disclosure" or "disclaimer" of a locale: it may not be the page's."""
        language = programme_language(self.t.own, name, locale.language)
        return Markup(' lang="{}"').format(language) if language not in {None, self.language} else Markup("")

    def link(self, url: str) -> str | None:
        """`url` where it is an address a page may link to."""
        try:
            return url if urlsplit(url).scheme in {"", "http", "https"} else None
        except ValueError:
            return None


def render_page(
    site: Site, template: str, *, locale: str, who: Who | None = None, status: int = HTTPStatus.OK, **values: object
) -> Response:
    """The page in the reader's language, in the owner's base template where there is one that shows it."""
    language = page_language(locale)
    data = PageData(
        base=site.settings.base_template or _OWN_BASE,
        prefix=prefix_seen(site),
        language=language,
        asked=asked_language(),
        token=site.tickets.form_token(who.sid) if who is not None else "",
        key=secrets.token_urlsafe(12),
        t=Words(site.settings.texts, language),
    )
    body = _in_owners_base(template, data, values) if data.base != _OWN_BASE else None
    policy = f"{_NEVER}" if body is not None else _CSP  # what a base template loads is its owner's business
    if body is None:
        data = msgspec.structs.replace(data, base=_OWN_BASE)
        body = render_template(f"ecscart/{template}", ecs=data, **values)
    response = Response(body, status=status)
    if who is not None:
        set_cookie(site, who, response)
    response.headers["Content-Security-Policy"] = policy
    response.headers["Content-Language"] = language
    response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"  # Amazon asks for the Referer
    response.vary.add("Accept-Language")
    return response


def _in_owners_base(template: str, data: PageData, values: dict[str, object]) -> str | None:
    try:
        body = render_template(f"ecscart/{template}", ecs=data, **values)
    except TemplateError as problem:
        _log.error("ECSCART_BASE_TEMPLATE %r cannot be drawn, so our own is used: %s", data.base, problem)
        return None
    if _MARK not in body:
        _log.error(
            "ECSCART_BASE_TEMPLATE %r shows nothing of the cart pages, so our own is used. Give it the blocks "
            "title, head and content.",
            data.base,
        )
        return None
    return body


def to_cart_page(site: Site, who: Who, locale: str) -> BaseResponse:
    """Back to the cart page, at the cart of `locale`."""
    query = {"locale": locale, **({"lang": lang} if (lang := asked_language()) else {})}
    response = redirect(f"{prefix_seen(site)}/cart?{urlencode(query)}#{locale}", HTTPStatus.SEE_OTHER)
    set_cookie(site, who, response)  # type: ignore[arg-type]
    return response


def for_people(view: Callable[_Given, BaseResponse]) -> Callable[_Given, BaseResponse]:
    """`view`, its refusals as a page where a browser asks, as a problem document for everything else."""

    @functools.wraps(view)
    def answer(*args: _Given.args, **kwargs: _Given.kwargs) -> BaseResponse:
        try:
            return view(*args, **kwargs)
        except Refused as problem:
            refused = problem
        except (ECSError, TransportError, StateUnavailable) as problem:
            refused = as_refused(problem)
        offered = ["application/problem+json", "text/html"]
        if request.accept_mimetypes.best_match(offered) != "text/html":
            return problem_response(refused)
        return _problem_page(refused)

    return answer


def _problem_page(refused: Refused) -> Response:
    site = current_site()
    problem = refused.problem
    name = "pieces_wrong" if problem.field == "quantity" else _REFUSALS.get(problem.code)
    locale = request.values.get("locale", "")
    response = render_page(
        site,
        "problem.html",
        locale=locale if locale in site.settings.locales else site.settings.default_locale,
        status=problem.status,
        said=name,
        problem=problem,
    )
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response
