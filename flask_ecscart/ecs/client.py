"""The five cart operations of one locale, and the provider that picks the client by locale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from flask_ecscart.clock import Clock, iso, utc_now
from flask_ecscart.ecs import query
from flask_ecscart.ecs.checks import check_changes, check_new_items, check_ref
from flask_ecscart.ecs.endpoint import Endpoint, checked_retail_base
from flask_ecscart.ecs.parsing import parse_cart
from flask_ecscart.ecs.transport import Reply, RequestsTransport, Transport
from flask_ecscart.errors import (
    ConfigError,
    MalformedReply,
    OutcomeUnknown,
    RequestExpired,
    RequestThrottled,
    TransportError,
)
from flask_ecscart.locales import LOCALES
from flask_ecscart.model import Cart, CartRef, ItemChange, NewItem, ResponseGroup

__all__ = ["ECSClient", "ECSProvider"]

# gunicorn takes a request line of 4,094 bytes, and 50 OfferListingIds need twice that.
_LONGEST_GET = 3000
# The window is 15 minutes; a clock this near cannot be why a request has expired.
_SMALLEST_SKEW = timedelta(seconds=60)
_REDIRECTS = range(300, 400)
_TOO_MANY_REQUESTS, _INTERNAL_ERROR, _UNAVAILABLE = 429, 500, 503


class ECSClient:
    """Carts of one locale at one ECS endpoint. One call is one transaction; none is repeated.

    `endpoint` is a full URL (default: the locale's own, over https). `retail_base` is the scheme and host, with a path
    where it has one, that PurchaseURLs of that endpoint must lead to (default: the locale's retail site).
    May be shared by threads, and made before a fork.
    """

    def __init__(  # noqa: PLR0913 (what an account and an endpoint are)
        self,
        locale: str,
        access_key: str,
        secret_key: str,
        associate_tag: str,
        *,
        endpoint: str | None = None,
        version: str = "2013-08-01",
        transport: Transport | None = None,
        clock: Clock = utc_now,
        retail_base: str | None = None,
    ) -> None:
        if locale not in LOCALES:
            raise ConfigError("locale", locale, f"Use one of {', '.join(LOCALES)}.")
        self.locale = locale
        self.associate_tag = associate_tag
        self._endpoint = Endpoint(endpoint or f"https://{LOCALES[locale].endpoint}/onca/xml")
        self._credentials = query.Credentials(access_key, secret_key)
        self._version = version
        self._transport: Transport = transport or RequestsTransport()
        self._clock = clock
        self._retail_base = checked_retail_base(retail_base)
        self._skew = timedelta(0)

    def __repr__(self) -> str:
        """Without the keys."""
        return f"ECSClient({self.locale!r}, endpoint={self._endpoint.url!r})"

    def create(
        self,
        items: Sequence[NewItem],
        *,
        associate_tag: str | None = None,
        response_groups: Sequence[ResponseGroup] = (),
    ) -> Cart:
        """A new cart holding `items` (1–50 lines), credited to `associate_tag` (default: the client's)."""
        check_new_items(items)
        tag = self.associate_tag if associate_tag is None else associate_tag
        asked = query.cart_create(items, associate_tag=tag, response_groups=response_groups)
        return self._call("CartCreate", asked, tag)

    def add(self, ref: CartRef, items: Sequence[NewItem]) -> Cart:
        """The cart with more lines in it; one that was already there is a fault and keeps its quantity."""
        check_ref(ref, self.locale)
        check_new_items(items)
        return self._call("CartAdd", query.cart_add(ref, items), ref.associate_tag, ref)

    def modify(self, ref: CartRef, changes: Sequence[ItemChange]) -> Cart:
        """The cart with new total quantities (0 deletes) or areas, by CartItemId."""
        check_ref(ref, self.locale)
        check_changes(changes)
        return self._call("CartModify", query.cart_modify(ref, changes), ref.associate_tag, ref)

    def clear(self, ref: CartRef) -> Cart:
        """The cart with both areas emptied; only its `ref` is filled."""
        check_ref(ref, self.locale)
        return self._call("CartClear", query.cart_clear(ref), ref.associate_tag, ref)

    def get(self, ref: CartRef) -> Cart:
        """The cart as it is now."""
        check_ref(ref, self.locale)
        return self._call("CartGet", query.cart_get(ref), ref.associate_tag, ref)

    def _call(self, operation: str, asked: Mapping[str, str], tag: str, ref: CartRef | None = None) -> Cart:
        reply = self._send(asked)
        try:
            return self._read(reply, operation, tag, ref)
        except RequestExpired:
            skew = self._skew_shown_by(reply)
            if skew is None:
                raise
        # Refused for its Timestamp alone, before anything was looked at, so this is no repeated operation.
        self._skew = skew
        return self._read(self._send(asked), operation, tag, ref)

    def _send(self, asked: Mapping[str, str]) -> Reply:
        parameters = {**asked, "Version": self._version}
        method = "GET"
        signed = self._signed(parameters, method)
        if len(signed) > _LONGEST_GET:
            method = "POST"
            signed = self._signed(parameters, method)
        # The Host header is sent as it was signed: a port belongs to both or to neither.
        headers = {"Host": self._endpoint.host, "User-Agent": "Flask-ECSCart", "Accept": "text/xml"}
        return self._transport.send(method, f"{self._endpoint.url}?{signed}", headers=headers)

    def _signed(self, parameters: Mapping[str, str], method: str) -> str:
        return self._credentials.signed_query(
            parameters,
            method=method,
            host=self._endpoint.host,
            path=self._endpoint.path,
            timestamp=iso(self._clock() + self._skew),
        )

    def _read(self, reply: Reply, operation: str, tag: str, ref: CartRef | None) -> Cart:
        if reply.status in _REDIRECTS:
            raise MalformedReply(
                f"The endpoint of locale {self.locale} redirects (HTTP {reply.status}); redirects are not followed."
                " Set endpoint to where the service itself answers."
            )
        hidden = self._credentials.hidden_in() + ((ref.hmac, query.percent_encode(ref.hmac)) if ref else ())
        try:
            return parse_cart(
                reply.body,
                locale=self.locale,
                associate_tag=tag,
                operation=operation,
                expected_cart_id=ref.cart_id if ref else None,
                retail_base=self._retail_base,
                hidden=hidden,
            )
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
                f"The endpoint of locale {self.locale} is overloaded or away (HTTP {reply.status}, no ECS document)."
                " Ask again later, and more slowly.",
                retry_after=self._retry_after(reply),
            )
        if reply.status >= _INTERNAL_ERROR:
            return OutcomeUnknown(
                f"The endpoint of locale {self.locale} failed (HTTP {reply.status}, no ECS document)."
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


class ECSProvider:
    """A `CartProvider` over one client for each locale."""

    def __init__(self, clients: Mapping[str, ECSClient]) -> None:
        self._clients = dict(clients)

    def create(self, locale: str, associate_tag: str, items: Sequence[NewItem]) -> Cart:
        """A new cart of `locale`; see `ECSClient.create`."""
        return self._client(locale).create(items, associate_tag=associate_tag)

    def add(self, ref: CartRef, items: Sequence[NewItem]) -> Cart:
        """The cart with more lines; see `ECSClient.add`."""
        return self._client(ref.locale).add(ref, items)

    def modify(self, ref: CartRef, changes: Sequence[ItemChange]) -> Cart:
        """The changed cart; see `ECSClient.modify`."""
        return self._client(ref.locale).modify(ref, changes)

    def clear(self, ref: CartRef) -> Cart:
        """The emptied cart; see `ECSClient.clear`."""
        return self._client(ref.locale).clear(ref)

    def get(self, ref: CartRef) -> Cart:
        """The cart as it is now; see `ECSClient.get`."""
        return self._client(ref.locale).get(ref)

    def _client(self, locale: str) -> ECSClient:
        client = self._clients.get(locale)
        if client is None:
            raise ConfigError("ECSCART_LOCALES", sorted(self._clients), f"Add locale {locale} with its Associate tag.")
        return client


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
