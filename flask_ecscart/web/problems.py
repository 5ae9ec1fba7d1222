"""Errors as application/problem+json (RFC 9457): what is wrong, where, and what to do."""

from __future__ import annotations

import math
import re
from http import HTTPStatus

import msgspec
from flask import Blueprint, Response
from werkzeug.exceptions import HTTPException

from flask_ecscart.carts import KeyReused
from flask_ecscart.errors import (
    AccessRefused,
    ECSError,
    ExceededMaximumCartItems,
    RequestThrottled,
    StateUnavailable,
    TransportError,
)
from flask_ecscart.model import MAX_ENTRIES
from flask_ecscart.web.schemas import ChoiceOut, Problem

__all__ = ["Refused", "as_refused", "handle_errors", "problem_response", "refused_shape"]

_RETRY_SECONDS = 5


class Refused(Exception):
    """A request that is answered with a problem; `status`, `code`, `detail` as in `schemas.Problem`."""

    def __init__(
        self, status: HTTPStatus, code: str, detail: str, *, field: str | None = None, retry_after: float | None = None
    ) -> None:
        self.problem = Problem(
            type=f"urn:ecscart:{code}",
            title=status.phrase,
            status=int(status),
            detail=detail,
            code=code,
            field=field,
            retry_after=math.ceil(retry_after) if retry_after is not None else None,
        )
        super().__init__(detail)

    def retold(self, detail: str, choices: list[ChoiceOut]) -> Refused:
        """The same refusal in other words, with what can be chosen instead."""
        self.problem = msgspec.structs.replace(self.problem, detail=detail, choices=choices)
        return self


def problem_response(refused: Refused) -> Response:
    """The response for a refusal."""
    response = Response(
        msgspec.json.encode(refused.problem), status=refused.problem.status, mimetype="application/problem+json"
    )
    if refused.problem.retry_after is not None:
        response.headers["Retry-After"] = str(refused.problem.retry_after)
    return response


def handle_errors(blueprint: Blueprint) -> None:
    """Answer the blueprint's own errors as problems; the host's error handlers are not asked and not changed."""
    blueprint.register_error_handler(Refused, problem_response)
    for kind in (ECSError, TransportError, StateUnavailable):
        blueprint.register_error_handler(kind, lambda error: problem_response(as_refused(error)))
    blueprint.register_error_handler(HTTPException, _of_http)


def refused_shape(error: msgspec.ValidationError) -> Refused:
    """The refusal of a body that is JSON but has not the right shape, with the field at fault."""
    text = str(error)
    where = re.search(r" - at `\$\.?(.*)`$", text)
    field = where.group(1) if where else None
    problem = text[: where.start()] if where else text
    if field == "items" and "length <=" in problem:
        code, detail = ExceededMaximumCartItems.code, f"A cart holds at most {MAX_ENTRIES} entries; send fewer items."
    elif field is not None and field.endswith("quantity"):
        code = "AWS.ECommerceService.InvalidQuantity"
        detail = "The quantity must be a whole number, such as 1."
    elif field is not None and field.endswith("asin"):
        code, detail = "AWS.InvalidParameterValue", "This is no ASIN: one has ten capital letters and digits."
    else:
        code, detail = "AWS.InvalidParameterValue", f"{problem}. See openapi.json for the shape of this request."
    return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, code, detail, field=field)


def as_refused(error: ECSError | TransportError | StateUnavailable) -> Refused:
    """The refusal that tells a caller of ours about an error of the service or of what it stands on."""
    if isinstance(error, TransportError):
        return _away("The cart service")
    if isinstance(error, StateUnavailable):
        return _away("The cart database", error.retry_after)
    if isinstance(error, KeyReused):
        return Refused(HTTPStatus.CONFLICT, error.code, error.message)
    if isinstance(error, RequestThrottled):
        return _away("The cart service is busy and", error.retry_after)
    if isinstance(error, AccessRefused):
        return Refused(HTTPStatus.BAD_GATEWAY, error.code, "The cart service refused this site; its owner must look.")
    return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, error.code, error.message)


def _away(who: str, retry_after: float | None = None) -> Refused:
    return Refused(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "unavailable",
        f"{who} does not answer now. Nothing is lost: send the same change again with the same Idempotency-Key.",
        retry_after=retry_after or _RETRY_SECONDS,
    )


def _of_http(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    details = {
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is over 64 kB. Send fewer items at once.",
        HTTPStatus.NOT_FOUND: "There is nothing here. See openapi.json for the endpoints.",
        HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take that method. See openapi.json for the endpoints.",
    }
    refused = Refused(status, status.name.lower(), details.get(status, error.description or status.phrase))
    response = problem_response(refused)
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after"}:
            response.headers[name] = value
    return response
