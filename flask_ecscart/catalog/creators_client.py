"""One locale's client of the Creators API: the only module that needs the extra `creators` to be imported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec
from amazon_creatorsapi import AmazonCreatorsApi
from amazon_creatorsapi.core.constants import DEFAULT_HOST
from amazon_creatorsapi.errors import (
    AmazonCreatorsApiError,
    AuthenticationError,
    InvalidArgumentError,
    ItemsNotFoundError,
)
from creatorsapi_python_sdk.exceptions import ApiException
from creatorsapi_python_sdk.models.get_items_resource import GetItemsResource
from creatorsapi_python_sdk.models.get_variations_resource import GetVariationsResource
from creatorsapi_python_sdk.models.item import Item
from requests import RequestException

from flask_ecscart.catalog.creators_settings import Credential
from flask_ecscart.catalog.sources import SourceProblem, State

__all__ = ["RESOURCES", "CreatorsClient", "Variations"]

RESOURCES = (
    "itemInfo.title",
    "itemInfo.classifications",
    "images.primary.medium",
    "images.primary.large",
    "parentASIN",
    "offersV2.listings.price",
    "offersV2.listings.availability",
    "offersV2.listings.isBuyBoxWinner",
    "offersV2.listings.dealDetails",
)
"""No more than is shown. Not `type`: the SDK refuses a whole answer for a kind of deal it does not know."""
_TIMEOUT = (3.0, 10.0)
_SERVER_ERROR = 500
_STATES: dict[int, State] = {400: "rejected", 401: "unauthorized", 403: "refused", 429: "throttled"}
_Answer = TypeVar("_Answer")


class Variations(NamedTuple):
    """A page of what can be bought of a parent, and how many pages there are."""

    items: Sequence[Item]
    pages: int


class _ErrorBody(msgspec.Struct):
    reason: str = ""


class CreatorsClient:
    """`AmazonCreatorsApi` as we use it: narrow, never repeating by itself, and with errors that tell no secret."""

    def __init__(self, credential: Credential, tag: str, marketplace: str) -> None:
        self._api = AmazonCreatorsApi(
            credential.credential_id,
            credential.credential_secret,
            credential.version,
            tag,
            marketplace=marketplace,  # `country=` does not know every locale
            # The budget is kept for all workers elsewhere; this spaces the one repetition after a stale token.
            throttling=1 / credential.rate,
            timeout=_TIMEOUT,
            retries=0,
            host=credential.host or DEFAULT_HOST,
            auth_endpoint=credential.auth_endpoint,
        )

    def items(self, asins: Sequence[str]) -> Sequence[Item]:
        """What getItems knows of at most ten `asins`. Raises `SourceProblem`."""
        wanted = [GetItemsResource(name) for name in RESOURCES]
        nothing: Sequence[Item] = ()
        return _asked(lambda: self._api.get_items(list(asins), resources=wanted), nothing)

    def variations(self, asin: str, page: int) -> Variations:
        """A page of getVariations; no items: it is no parent. Raises `SourceProblem`."""
        wanted = [GetVariationsResource(name) for name in RESOURCES]
        found = _asked(lambda: self._api.get_variations(asin, variation_page=page, resources=wanted), None)
        if found is None:
            return Variations((), 0)
        summary = found.variation_summary
        return Variations(found.items or (), int(summary.page_count) if summary and summary.page_count else 1)


def _asked(call: Callable[[], _Answer], nothing: _Answer) -> _Answer:
    """The answer, `nothing` when Amazon knows none of it, or `SourceProblem`, which passes no text of a reply on."""
    try:
        return call()
    except ItemsNotFoundError:
        return nothing
    except AmazonCreatorsApiError as problem:
        raise _of_wrapper(problem) from None
    except ApiException as problem:
        raise _of_reply(problem) from None
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as problem:
        raise SourceProblem("unreadable", type(problem).__name__) from None


def _of_wrapper(problem: AmazonCreatorsApiError) -> SourceProblem:
    cause = problem.__cause__
    if isinstance(cause, ApiException):
        return _of_reply(cause)
    if isinstance(problem, AuthenticationError):  # the token endpoint: refused, or away
        away = isinstance(cause, RequestException)
        return SourceProblem("unreachable" if away else "unauthorized", "token")
    if isinstance(problem, InvalidArgumentError):
        return SourceProblem("rejected", "request")
    return SourceProblem("unreachable", type(cause or problem).__name__)


def _of_reply(problem: ApiException) -> SourceProblem:
    reply: Any = problem  # the SDK leaves these untyped
    status = reply.status if isinstance(reply.status, int) else 0
    detail = f"HTTP {status}" if status else "content type"
    try:
        reason = msgspec.json.decode((reply.body or "").encode(), type=_ErrorBody).reason
    except (msgspec.DecodeError, UnicodeError, AttributeError):
        reason = ""
    if reason.isascii() and reason.isalpha():
        detail = reason[:60]
    state: State = _STATES.get(status, "unreachable" if status >= _SERVER_ERROR else "unreadable")
    headers: dict[str, str] = dict(reply.headers or {})
    said = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return SourceProblem(state, detail, retry_after=float(said) if said.isascii() and said.isdigit() else None)
