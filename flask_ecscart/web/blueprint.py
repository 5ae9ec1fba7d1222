"""The extension's blueprint: every route, its errors, its headers. It hooks into nothing but itself."""

from __future__ import annotations

from http import HTTPStatus
from importlib import resources
from typing import Any

import msgspec
from flask import Blueprint, Response, current_app, g, request

from flask_ecscart.web import api, pages
from flask_ecscart.web.assets import widget_response
from flask_ecscart.web.health import healthz
from flask_ecscart.web.openapi import document
from flask_ecscart.web.origins import add_headers
from flask_ecscart.web.problems import Refused, handle_errors
from flask_ecscart.web.site import Site, current_site, prefix_seen

__all__ = [
    "ROUTES",
    "create_blueprint",
    "nothing_here",
    "openapi",
    "pages_css",
    "widget",
    "widget_hashed",
    "wrong_method",
]

_METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


def create_blueprint(site: Site) -> Blueprint:
    """The blueprint of one app, under its `ECSCART_URL_PREFIX`."""
    blueprint = Blueprint("ecscart", "flask_ecscart", url_prefix=site.settings.url_prefix, template_folder="templates")
    taken: dict[str, set[str]] = {}
    for rule, method, view in (*api.ROUTES, *pages.ROUTES, *ROUTES):
        blueprint.add_url_rule(rule, view.__name__, view, methods=[method])
        taken.setdefault(rule, {"OPTIONS"}).update({method, "HEAD"} if method == "GET" else {method})
    for rule, methods in taken.items():
        blueprint.add_url_rule(
            rule, "wrong_method", wrong_method, methods=_METHODS - methods, provide_automatic_options=False
        )
    blueprint.add_url_rule("/<path:path>", "nothing_here", nothing_here, methods=_METHODS)
    blueprint.url_value_preprocessor(_exempt_from_the_hosts_csrf)
    handle_errors(blueprint)

    def finish(response: Response) -> Response:
        rule = request.url_rule.rule.removeprefix(site.settings.url_prefix) if request.url_rule else ""
        if rule in taken and (request.method == "OPTIONS" or response.status_code == HTTPStatus.METHOD_NOT_ALLOWED):
            response.headers["Allow"] = ", ".join(sorted(taken[rule]))  # not the methods of wrong_method
        return add_headers(site, response)

    blueprint.after_request(finish)
    return blueprint


def widget() -> Response:
    """The widget at its stable address."""
    return widget_response(current_site().widget, immutable=False)


def widget_hashed(digest: str) -> Response:
    """The widget at the address that names its content."""
    site = current_site()
    if digest != site.widget.digest:
        raise Refused(
            HTTPStatus.NOT_FOUND, "not_found", "This widget version is gone; use ecscart.js or print the tag again."
        )
    return widget_response(site.widget, immutable=True)


def pages_css() -> Response:
    """The style sheet of the pages without JavaScript."""
    g.ecscart_public = True
    style = (resources.files("flask_ecscart") / "static" / "pages.css").read_bytes()
    response = Response(style, mimetype="text/css")
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def openapi() -> Response:
    """The OpenAPI document."""
    site = current_site()
    body = msgspec.json.encode(document(msgspec.structs.replace(site.settings, url_prefix=prefix_seen(site))))
    return Response(body, mimetype="application/json")


def nothing_here(path: str) -> Response:  # noqa: ARG001
    """A problem instead of the host's own 404 page for addresses under our prefix."""
    raise Refused(HTTPStatus.NOT_FOUND, "not_found", "There is nothing here. See openapi.json for the endpoints.")


def wrong_method(**_values: str) -> Response:
    """A problem instead of the host's own 405 page."""
    raise Refused(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This address does not take that method. See openapi.json for the endpoints.",
    )


def _exempt_from_the_hosts_csrf(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Flask-WTF's CSRFProtect would ask our requests for its own token; ours are kept safe by Origin and JSON.

    Done when a request comes, so that it does not matter which of the two was registered first.
    """
    csrf = current_app.extensions.get("csrf")
    if csrf is not None and hasattr(csrf, "exempt"):
        csrf.exempt(current_app.blueprints["ecscart"])


ROUTES = (
    ("/ecscart.js", "GET", widget),
    ("/ecscart.<digest>.js", "GET", widget_hashed),
    ("/pages.css", "GET", pages_css),
    ("/openapi.json", "GET", openapi),
    ("/healthz", "GET", healthz),
)
"""Rule, method and view of everything beside the API and the pages."""
