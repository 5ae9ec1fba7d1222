"""The OpenAPI 3.1 document, made from the structs the endpoints read and write."""

from __future__ import annotations

from typing import Any

import msgspec

from flask_ecscart.model import MAX_QUANTITY
from flask_ecscart.settings import Settings
from flask_ecscart.web import schemas

__all__ = ["document"]

_REF = "#/components/schemas/"
_BODIES = (schemas.AddItems, schemas.ChangeItems, schemas.HandoffIn)
_ANSWERS = (schemas.CartOut, schemas.CartsOut, schemas.ProductsOut, schemas.ShopperOut, schemas.Problem)
_CHANGE_PROBLEMS = ("400", "401", "403", "404", "409", "413", "415", "422", "429", "502", "503")
_READ_PROBLEMS = ("401", "403", "404", "422", "502", "503")


def _one_of(*names: str) -> dict[str, Any]:
    """Exactly one of these texts; null is as good as absent."""
    absent = {name: {"type": "null"} for name in names}
    return {
        "oneOf": [{"required": [name], "properties": {**absent, name: {"type": "string"}}} for name in names],
    }


def _pieces(least: int) -> dict[str, Any]:
    return {"properties": {"quantity": {"minimum": least, "maximum": MAX_QUANTITY}}}


_RULES: dict[str, dict[str, Any]] = {
    "AddItem": {"allOf": [_one_of("asin", "offerListingId"), _pieces(1)]},
    "ChangeItem": {
        "allOf": [
            _one_of("cartItemId", "asin", "offerListingId"),
            {
                "anyOf": [
                    {"required": [name], "properties": {name: {"not": {"type": "null"}}}}
                    for name in ("quantity", "area")
                ]
            },
            _pieces(0),
        ]
    },
}
"""What the structs cannot say and the endpoints check."""


def document(settings: Settings) -> dict[str, Any]:
    """The API of a site with these settings."""
    _, components = msgspec.json.schema_components((*_BODIES, *_ANSWERS), ref_template=_REF + "{name}")
    for name, rules in _RULES.items():
        components[name] |= rules
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Flask-ECSCart",
            "version": "1",
            "description": "A shopping cart per locale for pages that sell through Amazon Associates.",
        },
        "servers": [{"url": settings.url_prefix}],
        "security": [{"cookie": []}, {"token": []}, {}],
        "paths": _paths(settings),
        "components": {
            "schemas": components,
            "securitySchemes": {
                "cookie": {"type": "apiKey", "in": "cookie", "name": "ecscart"},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _paths(settings: Settings) -> dict[str, Any]:
    locale = {
        "name": "locale",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "enum": list(settings.locales)},
    }
    return {
        "/v1/carts": {"get": _reads("Every cart of the shopper", schemas.CartsOut)},
        "/v1/carts/{locale}": {"parameters": [locale], "get": _reads("One cart", schemas.CartOut)},
        "/v1/carts/{locale}/items": {
            "parameters": [locale],
            "post": _changes("Add items", schemas.AddItems),
            "patch": _changes("Set quantities and areas; quantity 0 removes", schemas.ChangeItems),
            "delete": _changes("Empty the cart", None),
        },
        "/v1/carts/{locale}/handoff": {
            "parameters": [locale],
            "post": _changes(
                "The shopper left, or says whether the items arrived; asked twice it is done once",
                schemas.HandoffIn,
                keyed=False,
            ),
        },
        "/v1/products/{locale}": {
            "parameters": [locale],
            "get": {**_reads("Products of the catalog", schemas.ProductsOut), "parameters": [_asin_parameter()]},
        },
        "/v1/shopper": {
            "post": {
                "summary": "A token for a page of another origin",
                "responses": {"200": _answer("The token", schemas.ShopperOut), **_problems(("403", "503"))},
            }
        },
    }


def _asin_parameter() -> dict[str, Any]:
    return {
        "name": "asin",
        "in": "query",
        "required": True,
        "description": "ASINs separated by commas, at most 50. Those the catalog does not know are left out.",
        "schema": {"type": "string", "pattern": "^,*[^,]+(,+[^,]+){0,49},*$"},
    }


def _reads(summary: str, shape: type[msgspec.Struct]) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": _answer(summary, shape), **_problems(_READ_PROBLEMS)}}


def _changes(summary: str, body: type[msgspec.Struct] | None, *, keyed: bool = True) -> dict[str, Any]:
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "Send the same key with a repeated change; it is then done once.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
    }
    operation: dict[str, Any] = {
        "summary": summary,
        "parameters": [key] if keyed else [],
        "responses": {"200": _answer("The cart as it is now", schemas.CartOut), **_problems(_CHANGE_PROBLEMS)},
    }
    if body is not None:
        schema = {"$ref": _REF + body.__name__}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _answer(description: str, shape: type[msgspec.Struct]) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": _REF + shape.__name__}}},
    }


def _problems(statuses: tuple[str, ...]) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": _REF + "Problem"}}}
    return {status: {"description": "What is wrong and what to do", "content": content} for status in statuses}
