"""Who may ask: access keys and signatures (PROTOCOL 2.2 and 2.3), or no signature where the operator says so."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import msgspec

from flask_ecscart.clock import Clock
from flask_ecscart.errors import (
    InvalidClientTokenId,
    InvalidISO8601Time,
    MissingClientTokenId,
    MissingParameters,
    RequestExpired,
    RequestThrottled,
    SignatureDoesNotMatch,
)
from flask_ecscart.service.keys import Keys, SeenSignatures
from flask_ecscart.service.messages import refusal
from flask_ecscart.service.store import Store
from flask_ecscart.state.sql import Database

__all__ = ["Access", "SoapAccess", "Terms", "admit", "signature", "soap_signature", "turns"]

_WINDOW = timedelta(minutes=15)
_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII
)
_MAX_KEY_LENGTH = 128


class Access:
    """Checks requests against `keys` (access key id → secret key); several may be valid at once.

    With `unsigned`, a request without a Signature is let in, and so is any id that is not in `keys`, as it
    was before August 2009. `take_turn` gives the seconds a key must wait, none when it may ask now (None: nobody
    waits). `first_use` says whether a signature, valid until the moment named, was never used before (None: it may
    be used again).
    """

    def __init__(
        self,
        keys: Keys,
        *,
        clock: Clock,
        unsigned: bool = False,
        take_turn: Callable[[str], float] | None = None,
        first_use: Callable[[str, datetime], bool] | None = None,
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._unsigned = unsigned
        self._take_turn = take_turn
        self._first_use = first_use

    def __repr__(self) -> str:
        """Without the keys."""
        return f"{type(self).__name__}(unsigned={self._unsigned})"

    def check(self, method: str, hosts: Iterable[str], paths: Iterable[str], parameters: Mapping[str, str]) -> str:
        """The access key id of a request that may be served; raises `AccessRefused` and its like otherwise.

        `hosts` and `paths` are every spelling the caller may have signed (with and without the port).
        """
        key = parameters.get("AWSAccessKeyId") or parameters.get("SubscriptionId")
        if not key or len(key) > _MAX_KEY_LENGTH:
            raise MissingClientTokenId("Request must contain AWSAccessKeyId or X.509 certificate.")
        secret = self._keys.get(key)
        if self._unsigned and (secret is None or "Signature" not in parameters):
            self._pace(key)
            return key
        if secret is None:
            raise InvalidClientTokenId("The AWS Access Key Id you provided does not exist in our records.")
        for name in ("Signature", "Timestamp"):
            if not parameters.get(name):
                raise refusal(MissingParameters, "", name=name)
        places = [(method, host, path) for host in hosts for path in paths]
        _compare(parameters["Signature"], self._signatures(places, parameters, secret))
        moment = self._moment(parameters["Timestamp"])
        self._pace(key)
        # Last, so that a throttled request has not spent its signature: it may be sent again as it is.
        if self._first_use is not None and not self._first_use(parameters["Signature"], moment + _WINDOW):
            raise RequestExpired("This signature was used before. Sign the request again with the present time.")
        return key

    def _signatures(
        self, places: Iterable[tuple[str, str, str]], parameters: Mapping[str, str], secret: str
    ) -> list[str]:
        """Every signature that would be right."""
        return [signature(*place, parameters, secret) for place in places]

    def _pace(self, key: str) -> None:
        wait = 0.0 if self._take_turn is None else self._take_turn(key)
        if wait:
            raise RequestThrottled(
                f"AWS Access Key ID: {key}. You are submitting requests too quickly. "
                "Please retry your requests at a slower rate.",
                retry_after=wait,
            )

    def _moment(self, timestamp: str) -> datetime:
        """When the request was signed, within the window."""
        moment = _read_timestamp(timestamp)
        if abs(self._clock() - moment) > _WINDOW:
            raise RequestExpired(f"Request has expired. Timestamp date is {timestamp}.")
        return moment


class SoapAccess(Access):
    """The same for SOAP, whose signatures cover the operation and the time only: keep it behind HTTPS."""

    def _signatures(
        self,
        places: Iterable[tuple[str, str, str]],  # noqa: ARG002 - a SOAP signature holds for any place
        parameters: Mapping[str, str],
        secret: str,
    ) -> list[str]:
        return [soap_signature(parameters.get("Operation", ""), parameters["Timestamp"], secret)]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """On which terms callers are let in: see `create_app`."""

    unsigned: bool
    refuse_replays: bool
    rate: float | None


def admit(kind: type[Access], database: Database, keys: Keys, terms: Terms, *, clock: Clock) -> Access:
    """The access of that kind, with what it must remember of callers kept in `database`."""
    return kind(
        keys,
        clock=clock,
        unsigned=terms.unsigned,
        take_turn=turns(Store(database), terms.rate, clock=clock) if terms.rate else None,
        first_use=SeenSignatures(database, clock=clock).first_use if terms.refuse_replays else None,
    )


def signature(method: str, host: str, path: str, parameters: Mapping[str, str], secret: str) -> str:
    """Base64 HMAC-SHA256 over method, host, path and the sorted parameters without Signature."""
    encoded = sorted((_encoded(name), _encoded(value)) for name, value in parameters.items() if name != "Signature")
    query = "&".join(f"{name}={value}" for name, value in encoded)
    return _hmac("\n".join((method, host.lower(), path, query)), secret)


def soap_signature(operation: str, timestamp: str, secret: str) -> str:
    """Base64 HMAC-SHA256 over the operation's name and the timestamp as sent (PROTOCOL 2.3)."""
    return _hmac(operation + timestamp, secret)


def turns(store: Store, rate: float, *, clock: Clock) -> Callable[[str], float]:
    """Gives turns, `rate` a second to each access key, counted over all processes of the database.

    What it returns are the seconds to wait: none when the turn was taken, else the longest it can be.
    """
    interval = round(1000 / rate)

    def take_turn(access_key: str) -> float:
        with store.database.transaction() as connection:
            taken = store.take_turn(connection, access_key, round(clock().timestamp() * 1000), interval)
        return 0.0 if taken else interval / 1000

    return take_turn


def _hmac(text: str, secret: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


def _compare(given: str, right: list[str]) -> None:
    # A list, not a generator: every one is compared, whichever fits.
    if not any([hmac.compare_digest(one.encode(), given.encode()) for one in right]):  # noqa: C419
        raise SignatureDoesNotMatch(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key and signing method. Consult the service documentation for details."
        )


def _read_timestamp(text: str) -> datetime:
    """An ISO 8601 moment, UTC unless it says otherwise; fractions of a second are dropped."""
    found = _TIMESTAMP.fullmatch(text)
    try:
        # Python 3.10 reads no Z and not every fraction, later versions read forms that were never sent.
        moment = datetime.fromisoformat(found.group(1)) if found else None
        offset = datetime.strptime((found and found.group(2)) or "Z", "%z").tzinfo
    except ValueError:
        moment = offset = None
    if moment is None:
        raise InvalidISO8601Time("Timestamp has an invalid value. It must contain a valid ISO 8601 date and time.")
    return moment.replace(tzinfo=offset or timezone.utc)


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")
