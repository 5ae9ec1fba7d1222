"""/onca/xml without a web framework: bytes of a request in, status and bytes of a reply out."""

from __future__ import annotations

import logging
import secrets
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

import msgspec

from flask_ecscart.clock import Clock
from flask_ecscart.errors import ECSError, InternalError, StateUnavailable
from flask_ecscart.model import CartFault
from flask_ecscart.service.access import Access
from flask_ecscart.service.common import ITEM_OPERATIONS, OPERATIONS, operation_of, version_of
from flask_ecscart.service.elements import Envelope
from flask_ecscart.service.item_render import render_items
from flask_ecscart.service.item_requests import read_item_call
from flask_ecscart.service.items import Items
from flask_ecscart.service.operations import RelatingProvider, perform
from flask_ecscart.service.parameters import read_pairs, unrepeated
from flask_ecscart.service.render import render_error, render_reply
from flask_ecscart.service.requests import read_call

__all__ = ["PATH", "Endpoint", "Received", "Reply", "Served"]

PATH = "/onca/xml"
_LOG = logging.getLogger(__name__)
_STATUS = {
    "RequestThrottled": 503,
    "InvalidClientTokenId": 403,
    "MissingClientTokenId": 403,
    "SignatureDoesNotMatch": 403,
    "InternalError": 500,
    "Deprecated": 410,
}
"""HTTP status of the error documents; 400 for all others (PROTOCOL 4.3)."""
_UUID_SINCE = "2013-08-01"
_DEFAULT_VERSION = "2011-08-01"
"""Namespace of an error document where the request names no usable Version."""
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came: `host` with its port, `path` in full, `form` the body of a form POST."""

    method: str
    host: str
    path: str
    locale: str
    query: bytes
    form: bytes = b""
    user_agent: str | None = None


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An XML document with its HTTP status; `retry_after` in seconds where waiting helps."""

    status: int
    body: bytes
    retry_after: float | None = None


class Served(RelatingProvider, Protocol):
    """What requests are answered out of: carts, and the catalog behind them."""

    @property
    def items(self) -> Items:
        """The catalog as ItemLookup and ItemSearch show it."""
        ...


class Endpoint:
    """Answers requests out of `service`: access first, then the operation.

    `retail_base` says where PurchaseURLs lead (None: Amazon's own sites).
    """

    def __init__(
        self,
        service: Served,
        access: Access,
        *,
        clock: Clock,
        retail_base: Callable[[str], str] | None = None,
    ) -> None:
        self._service = service
        self._access = access
        self._clock = clock
        self._retail_base = retail_base

    def answer(self, received: Received) -> Reply:
        """The reply; whatever goes wrong becomes an error document."""
        begun = self._clock()
        parameters: Mapping[str, str] = {}
        try:
            pairs = [*read_pairs(received.query), *read_pairs(received.form)]
            parameters = dict(pairs)  # an error document names operation and Version, whatever else is repeated
            parameters = unrepeated(pairs)
            return self._answer(received, parameters, begun)
        except ECSError as error:
            return _refused(error, parameters, _STATUS.get(error.code, 400))
        except StateUnavailable as error:
            _LOG.warning("No answer from the database: %s", error)
            return _refused(_internal(), parameters, 503, retry_after=error.retry_after)
        except Exception:
            _LOG.exception("A cart request failed")
            return _refused(_internal(), parameters, 500)

    def _answer(self, received: Received, parameters: Mapping[str, str], begun: datetime) -> Reply:
        operation_of(parameters)
        hosts = dict.fromkeys((received.host, received.host.rsplit(":", 1)[0]))
        paths = dict.fromkeys((received.path, PATH))
        key = self._access.check(received.method, hosts, paths, parameters)
        version = version_of(parameters)
        envelope = Envelope(
            request_id=_request_id(parameters["Operation"], version),
            arguments=parameters,
            user_agent=received.user_agent,
            seconds=0,
            retail_base=self._retail_base,
        )
        return Reply(status=200, body=self._carry_out(parameters, received.locale, key, envelope, begun))

    def _carry_out(
        self, parameters: Mapping[str, str], locale: str, key: str, envelope: Envelope, begun: datetime
    ) -> bytes:
        def finished() -> Envelope:
            return msgspec.structs.replace(envelope, seconds=(self._clock() - begun).total_seconds())

        if parameters["Operation"] in ITEM_OPERATIONS:
            items = self._service.items
            item_call = read_item_call(parameters, locale=locale, access_key=key, own_groups=items.group_keys(locale))
            return render_items(item_call, items.answer(item_call), finished())
        call = read_call(parameters, locale=locale, access_key=key)
        return render_reply(call, perform(self._service, call), finished())


def _internal() -> InternalError:
    return InternalError("We encountered an internal error. Please try again.", code="InternalError")


def _refused(error: ECSError, parameters: Mapping[str, str], status: int, retry_after: float | None = None) -> Reply:
    operation = parameters.get("Operation")
    try:
        version = version_of(parameters) if parameters.get("Version") else _DEFAULT_VERSION
    except ECSError:
        version = _DEFAULT_VERSION
    fault = CartFault(error.code, error.message)
    body = render_error(operation if operation in OPERATIONS else None, version, fault, str(uuid.uuid4()))
    return Reply(status=status, body=body, retry_after=getattr(error, "retry_after", None) or retry_after)


def _request_id(operation: str, version: str) -> str:
    """Twenty capital letters and digits in carts until 2013, a UUID later and for items (recorded)."""
    if version >= _UUID_SINCE or operation in ITEM_OPERATIONS:
        return str(uuid.uuid4())
    return "".join(secrets.choice(_ALPHABET) for _ in range(20))
