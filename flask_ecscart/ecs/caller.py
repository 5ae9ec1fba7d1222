"""One transaction with an endpoint: signed, sent once, and its answer told from what is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TypeVar

from flask_ecscart.clock import Clock, iso
from flask_ecscart.ecs.endpoint import Endpoint
from flask_ecscart.ecs.query import Credentials
from flask_ecscart.ecs.transport import Reply, Transport
from flask_ecscart.errors import MalformedReply, OutcomeUnknown, RequestExpired, RequestThrottled, TransportError

__all__ = ["Caller"]

_T = TypeVar("_T")

# gunicorn takes a request line of 4,094 bytes, and 50 OfferListingIds need twice that.
_LONGEST_GET = 3000
# The window is 15 minutes; a clock this near cannot be why a request has expired.
_SMALLEST_SKEW = timedelta(seconds=60)
_REDIRECTS = range(300, 400)
_TOO_MANY_REQUESTS, _INTERNAL_ERROR, _UNAVAILABLE = 429, 500, 503


class Caller:
    """Asks one endpoint in the name of one account, and remembers how far the service's clock is from ours."""

    def __init__(
        self, endpoint: Endpoint, credentials: Credentials, *, version: str, transport: Transport, clock: Clock
    ) -> None:
        self.endpoint = endpoint
        self.credentials = credentials
        self._version = version
        self._transport = transport
        self._clock = clock
        self._skew = timedelta(0)

    def ask(self, asked: Mapping[str, str], read: Callable[[bytes], _T]) -> _T:
        """What `read` makes of the body that answers the parameters `asked`. Nothing is repeated."""
        reply = self._send(asked)
        try:
            return self._read(reply, read)
        except RequestExpired:
            skew = self._skew_shown_by(reply)
            if skew is None:
                raise
        # Refused for its Timestamp alone, before anything was looked at, so this is no repeated operation.
        self._skew = skew
        return self._read(self._send(asked), read)

    def _send(self, asked: Mapping[str, str]) -> Reply:
        parameters = {**asked, "Version": self._version}
        method = "GET"
        signed = self._signed(parameters, method)
        if len(signed) > _LONGEST_GET:
            method = "POST"
            signed = self._signed(parameters, method)
        # The Host header is sent as it was signed: a port belongs to both or to neither.
        headers = {"Host": self.endpoint.host, "User-Agent": "Flask-ECSCart", "Accept": "text/xml"}
        return self._transport.send(method, f"{self.endpoint.url}?{signed}", headers=headers)

    def _signed(self, parameters: Mapping[str, str], method: str) -> str:
        return self.credentials.signed_query(
            parameters,
            method=method,
            host=self.endpoint.host,
            path=self.endpoint.path,
            timestamp=iso(self._clock() + self._skew),
        )

    def _read(self, reply: Reply, read: Callable[[bytes], _T]) -> _T:
        if reply.status in _REDIRECTS:
            raise MalformedReply(
                f"The endpoint {self.endpoint.host} redirects (HTTP {reply.status}); redirects are not followed."
                " Set endpoint to where the service itself answers."
            )
        try:
            return read(reply.body)
        except RequestThrottled as throttled:
            throttled.retry_after = self._retry_after(reply)
            raise
        except MalformedReply as exc:
            unread = exc
        raise self._without_document(reply) or unread

    def _without_document(self, reply: Reply) -> TransportError | RequestThrottled | None:
        """What an answer that is no ECS document means by its status; None where the status says nothing either."""
        if reply.status in (_UNAVAILABLE, _TOO_MANY_REQUESTS):
            return RequestThrottled(
                f"The endpoint {self.endpoint.host} is overloaded or away (HTTP {reply.status}, no ECS document)."
                " Ask again later, and more slowly.",
                retry_after=self._retry_after(reply),
            )
        if reply.status >= _INTERNAL_ERROR:
            return OutcomeUnknown(
                f"The endpoint {self.endpoint.host} failed (HTTP {reply.status}, no ECS document)."
                " The request may have been applied: read the cart before repeating."
            )
        return None

    def _retry_after(self, reply: Reply) -> float | None:
        """Retry-After in seconds, given as seconds or as a date."""
        value = _header(reply, "retry-after")
        if value is None:
            return None
        if value.isascii() and value.isdigit():
            return float(value[:9])
        moment = _date(value)
        if moment is None:
            return None
        now = _date(_header(reply, "date")) or self._clock()
        return max(0.0, (moment - now).total_seconds())

    def _skew_shown_by(self, reply: Reply) -> timedelta | None:
        """How far the service's clock is ahead of ours; None where its Date shows no reason to sign again."""
        theirs = _date(_header(reply, "date"))
        if theirs is None:
            return None
        skew = theirs - self._clock()
        return skew if abs(skew - self._skew) > _SMALLEST_SKEW else None


def _header(reply: Reply, name: str) -> str | None:
    # A transport of the caller's own may keep the case that was sent.
    return next((value.strip() for given, value in reply.headers.items() if given.lower() == name), None)


def _date(value: str | None) -> datetime | None:
    """An HTTP date, aware; None where it is missing or none."""
    try:
        moment = parsedate_to_datetime(value or "")
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
