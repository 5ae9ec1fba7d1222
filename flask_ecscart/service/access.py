"""Who may ask: access keys and Signature version 2 (PROTOCOL 2.2), or no signature where the operator says so."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

from flask_ecscart.clock import Clock
from flask_ecscart.errors import (
    InvalidClientTokenId,
    InvalidISO8601Time,
    MissingClientTokenId,
    MissingParameters,
    RequestExpired,
    SignatureDoesNotMatch,
)
from flask_ecscart.service.messages import refusal

__all__ = ["Access", "signature"]

_WINDOW = timedelta(minutes=15)
_FRACTION = re.compile(r"\.[0-9]+")
_MAX_KEY_LENGTH = 128


class Access:
    """Checks requests against `keys` (access key id → secret key); several may be valid at once.

    With `unsigned`, a request without a Signature is let in, and so is any id that is not in `keys`, as it
    was before August 2009.
    """

    def __init__(self, keys: Mapping[str, str], *, clock: Clock, unsigned: bool = False) -> None:
        self._keys = dict(keys)
        self._clock = clock
        self._unsigned = unsigned

    def __repr__(self) -> str:
        """Without the keys."""
        return f"Access({len(self._keys)} keys, unsigned={self._unsigned})"

    def check(self, method: str, hosts: Iterable[str], paths: Iterable[str], parameters: Mapping[str, str]) -> str:
        """The access key id of a request that may be served; raises `AccessRefused` and its like otherwise.

        `hosts` and `paths` are every spelling the caller may have signed (with and without the port).
        """
        key = parameters.get("AWSAccessKeyId") or parameters.get("SubscriptionId")
        if not key or len(key) > _MAX_KEY_LENGTH:
            raise MissingClientTokenId("Request must contain AWSAccessKeyId or X.509 certificate.")
        secret = self._keys.get(key)
        if self._unsigned and (secret is None or "Signature" not in parameters):
            return key
        if secret is None:
            raise InvalidClientTokenId("The AWS Access Key Id you provided does not exist in our records.")
        for name in ("Signature", "Timestamp"):
            if not parameters.get(name):
                raise refusal(MissingParameters, "", name=name)
        self._check_signature(method, hosts, paths, parameters, secret)
        self._check_time(parameters["Timestamp"])
        return key

    def _check_signature(
        self, method: str, hosts: Iterable[str], paths: Iterable[str], parameters: Mapping[str, str], secret: str
    ) -> None:
        given = parameters["Signature"].encode()
        places = [(host, path) for host in hosts for path in paths]
        right = [signature(method, host, path, parameters, secret).encode() for host, path in places]
        # A list, not a generator: every place is compared, whichever fits.
        if not any([hmac.compare_digest(one, given) for one in right]):  # noqa: C419
            raise SignatureDoesNotMatch(
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                "Access Key and signing method. Consult the service documentation for details."
            )

    def _check_time(self, timestamp: str) -> None:
        try:
            # Python 3.10 knows neither the Z nor every fraction of a second, and no caller needs fractions.
            moment = datetime.fromisoformat(_FRACTION.sub("", timestamp).replace("Z", "+00:00"))
        except ValueError as problem:
            raise InvalidISO8601Time(
                "Timestamp has an invalid value. It must contain a valid ISO 8601 date and time."
            ) from problem
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        if abs(self._clock() - moment) > _WINDOW:
            raise RequestExpired(f"Request has expired. Timestamp date is {timestamp}.")


def signature(method: str, host: str, path: str, parameters: Mapping[str, str], secret: str) -> str:
    """Base64 HMAC-SHA256 over method, host, path and the sorted parameters without Signature."""
    encoded = sorted((_encoded(name), _encoded(value)) for name, value in parameters.items() if name != "Signature")
    query = "&".join(f"{name}={value}" for name, value in encoded)
    text = "\n".join((method, host.lower(), path, query))
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")
