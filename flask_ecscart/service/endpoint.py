"""/onca/xml without a web framework: bytes of a request in, status and bytes of a reply out."""

from __future__ import annotations

import logging
import secrets
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from flask_ecscart.clock import Clock
from flask_ecscart.errors import ECSError, InternalError, RequestThrottled, StateUnavailable
from flask_ecscart.model import CartFault
from flask_ecscart.provider import CartProvider
from flask_ecscart.service.access import Access
from flask_ecscart.service.operations import perform
from flask_ecscart.service.parameters import read_pairs, unrepeated
from flask_ecscart.service.render import Envelope, render_error, render_reply
from flask_ecscart.service.requests import OPERATIONS, operation_of, read_call, version_of

__all__ = ["PATH", "Endpoint", "Received", "Reply"]

PATH = "/onca/xml"
_LOG = logging.getLogger(__name__)
_STATUS = {
    "RequestThrottled": 503,
    "InvalidClientTokenId": 403,
    "MissingClientTokenId": 403,
    "SignatureDoesNotMatch": 403,
    "InternalError": 500,
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


class Endpoint:
    """Answers requests out of `provider`: access, then the turn, then the operation.

    `take_turn` says whether an access key may ask now (None: always), `retail_base` where PurchaseURLs lead
    (None: Amazon's own sites).
    """

    def __init__(
        self,
        provider: CartProvider,
        access: Access,
        *,
        clock: Clock,
        take_turn: Callable[[str], bool] | None = None,
        retail_base: Callable[[str], str] | None = None,
    ) -> None:
        self._provider = provider
        self._access = access
        self._clock = clock
        self._take_turn = take_turn
        self._retail_base = retail_base

    def answer(self, received: Received) -> Reply:
        """The reply; whatever goes wrong becomes an error document."""
        begun = self._clock()
        parameters: Mapping[str, str] = {}
        try:
            parameters = unrepeated([*read_pairs(received.query), *read_pairs(received.form)])
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
        if self._take_turn is not None and not self._take_turn(key):
            raise RequestThrottled(
                f"AWS Access Key ID: {key}. You are submitting requests too quickly. "
                "Please retry your requests at a slower rate.",
                retry_after=1,
            )
        call = read_call(parameters, locale=received.locale, access_key=key)
        outcome = perform(self._provider, call)
        envelope = Envelope(
            request_id=_request_id(call.version),
            arguments=parameters,
            user_agent=received.user_agent,
            seconds=(self._clock() - begun).total_seconds(),
            retail_base=self._retail_base,
        )
        return Reply(status=200, body=render_reply(call, outcome, envelope))


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


def _request_id(version: str) -> str:
    """Twenty capital letters and digits until 2013, a UUID later (recorded)."""
    if version >= _UUID_SINCE:
        return str(uuid.uuid4())
    return "".join(secrets.choice(_ALPHABET) for _ in range(20))
