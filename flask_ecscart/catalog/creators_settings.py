"""The Creators API part of `ECSCART_CATALOG`: credentials by region, read once and never printed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import cast
from urllib.parse import urlsplit

import msgspec

from flask_ecscart.errors import ConfigError

__all__ = ["REGIONS", "Credential", "read_credentials", "region_of"]

REGIONS: dict[str, frozenset[str]] = {
    "NA": frozenset(["US", "CA", "MX", "BR"]),
    "EU": frozenset(["UK", "DE", "FR", "IT", "ES", "NL", "BE", "SE", "PL", "IE", "TR", "AE", "SA", "EG", "IN"]),
    "FE": frozenset(["JP", "SG", "AU"]),
}
"""Region → the locales its credentials answer for; the order is that of the versions x.1, x.2, x.3."""
_SETTING = "ECSCART_CATALOG"
_WHERE = f"{_SETTING}['creators']"
_VERSION = re.compile(r"[23]\.([1-3])")
_NEEDED = ("credential_id", "credential_secret", "version")
_FIELDS = (*_NEEDED, "host", "auth_endpoint", "rate")
_MAX_RATE = 10.0


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """One credential of Associates Central. `version` says its region and how a token is got."""

    credential_id: str
    credential_secret: str
    version: str
    host: str | None = None
    auth_endpoint: str | None = None
    rate: float = 1.0
    """Calls a second; what Amazon allows to begin with."""

    def __repr__(self) -> str:
        """Without what it is."""
        return f"Credential(version={self.version!r}, region={self.region!r})"

    @property
    def region(self) -> str:
        """NA, EU or FE."""
        return tuple(REGIONS)[int(self.version[-1]) - 1]

    @property
    def account(self) -> str:
        """Names its budget without telling what it is."""
        return f"creators-{hashlib.sha256(self.credential_id.encode()).hexdigest()[:10]}"


def region_of(locale: str) -> str | None:
    """The region whose credentials answer for `locale`; None for one the API does not know."""
    return next((region for region, locales in REGIONS.items() if locale in locales), None)


def read_credentials(value: object, locales: Iterable[str]) -> dict[str, Credential]:
    """Region → credential, from one credential, a list of them, or a mapping by region.

    Raises `ConfigError` for what is wrong, without the credential in its text, and when no offered locale is served.
    """
    found: dict[str, Credential] = {}
    for where, named, row in _rows(value):
        credential = _credential(where, row)
        if named is not None and credential.region != named:
            right = tuple(REGIONS).index(named) + 1
            raise ConfigError(
                f"{where}['version']",
                credential.version,
                f"It is of region {credential.region}. The credential of {named} has version 2.{right} or 3.{right}.",
            )
        if credential.region in found:
            raise ConfigError(where, credential.version, f"There is a credential of {credential.region} already.")
        found[credential.region] = credential
    offered = list(locales)
    if not any(region_of(code) in found for code in offered):
        wanted = ", ".join(f"{code} ({region_of(code) or 'not in the API'})" for code in offered)
        raise ConfigError(_WHERE, ", ".join(found), f"The credential is of another region than your locales: {wanted}.")
    return found


def _rows(value: object) -> Iterable[tuple[str, str | None, Mapping[str, object]]]:
    if isinstance(value, (list, tuple)):
        for number, row in enumerate(cast("list[object]", value)):
            yield f"{_WHERE}[{number}]", None, _mapping(f"{_WHERE}[{number}]", row)
        return
    rows = _mapping(_WHERE, value)
    if not rows or not rows.keys() <= {region.lower() for region in REGIONS}:
        yield _WHERE, None, rows
        return
    for name, row in rows.items():
        where = f"{_WHERE}[{name.upper()!r}]"
        yield where, name.upper(), _mapping(where, row)


def _mapping(where: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ConfigError(where, "…", f"Use a mapping with {', '.join(_NEEDED)}, as Associates Central shows them.")
    return {str(key).lower(): each for key, each in cast("Mapping[object, object]", value).items()}


def _credential(where: str, row: Mapping[str, object]) -> Credential:
    for name in row:
        if name not in _FIELDS:
            raise ConfigError(f"{where}[{name!r}]", "…", f"There is no such field. Known are: {', '.join(_FIELDS)}.")
    for name in _NEEDED:
        text = str(row.get(name) or "") if name == "version" else row.get(name)
        if not isinstance(text, str) or not text.strip():
            raise ConfigError(f"{where}[{name!r}]", None, "Copy it from Associates Central, Tools, Creators API.")
    version = str(row["version"]).strip().lower().removeprefix("v")
    if not _VERSION.fullmatch(version):
        raise ConfigError(
            f"{where}['version']", version[:10], "Use 2.1, 2.2, 2.3, 3.1, 3.2 or 3.3, as shown beside it."
        )
    rate = row.get("rate", 1.0)
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate <= _MAX_RATE:
        raise ConfigError(f"{where}['rate']", rate, "Use the calls a second Amazon allows you: 1 to begin with.")
    return Credential(
        credential_id=str(row["credential_id"]).strip(),
        credential_secret=str(row["credential_secret"]).strip(),
        version=version,
        host=_address(f"{where}['host']", row.get("host")),
        auth_endpoint=_address(f"{where}['auth_endpoint']", row.get("auth_endpoint")),
        rate=float(rate),
    )


def _address(where: str, value: object) -> str | None:
    if value is None:
        return None
    parts = urlsplit(value) if isinstance(value, str) else None
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise ConfigError(where, "…", "Use a whole address such as https://api.example.org, or leave it out.")
    return cast("str", value).rstrip("/")
