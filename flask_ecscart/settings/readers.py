"""One reader for each setting: the checked value, or `ConfigError` naming key, value and fix."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast, get_args
from urllib.parse import urlsplit

import msgspec

from flask_ecscart.errors import ConfigError
from flask_ecscart.locales import LOCALES
from flask_ecscart.settings.shapes import PREFIX, HandoffMode, LocaleSettings, ProviderName
from flask_ecscart.texts import wrong_texts

__all__ = ["HIDDEN", "READERS", "named"]

HIDDEN = "…"
"""What an error shows instead of a value that may be, or may hold, a secret."""


def _locales(name: str, value: object) -> dict[str, LocaleSettings]:
    if not isinstance(value, Mapping):
        raise ConfigError(PREFIX + name, HIDDEN, 'Use a mapping: {"US": {"associate_tag": "yoursite-20"}}.')
    result: dict[str, LocaleSettings] = {}
    for code, row in cast("Mapping[str, object]", value).items():
        if code not in LOCALES:
            raise ConfigError(f"{PREFIX}{name}[{code!r}]", code, f"Use one of the known locales: {named(LOCALES)}.")
        result[code] = _locale_row(f"{PREFIX}{name}[{code!r}]", row)
    return result


def _locale_row(where: str, row: object) -> LocaleSettings:
    if isinstance(row, str):
        row = {"associate_tag": row}
    if not isinstance(row, Mapping):
        raise ConfigError(where, HIDDEN, 'Use a mapping such as {"associate_tag": "yoursite-20"} or the tag alone.')
    fields = {str(key).lower(): value for key, value in cast("Mapping[object, object]", row).items()}
    for field in fields:
        if field not in LocaleSettings.__struct_fields__:
            raise ConfigError(f"{where}[{field!r}]", HIDDEN, f"Use {named(LocaleSettings.__struct_fields__)}.")
    try:
        settings = msgspec.convert(fields, LocaleSettings)
    except msgspec.ValidationError as problem:
        raise ConfigError(where, HIDDEN, f"{problem}. Hand-offs: {named(get_args(HandoffMode))}.") from problem
    if bool(settings.access_key) != bool(settings.secret_key):
        lacking = "secret_key" if settings.access_key else "access_key"
        raise ConfigError(f"{where}['{lacking}']", None, "An access key and its secret belong together: set both.")
    if settings.associate_tag is not None:
        _check_tag(f"{where}['associate_tag']", settings.associate_tag)
    if settings.endpoint is not None:
        _check_endpoint(f"{where}['endpoint']", settings.endpoint)
    if not 1 <= settings.max_items_per_form <= 50:  # noqa: PLR2004
        raise ConfigError(f"{where}['max_items_per_form']", settings.max_items_per_form, "Use 1 to 50.")
    return settings


def _check_tag(where: str, tag: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,62}", tag):
        raise ConfigError(where, tag, "Use the tag as Associates Central shows it: letters, digits, hyphens.")


def _check_endpoint(where: str, endpoint: str) -> None:
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ConfigError(where, endpoint, "Use a full URL such as https://carts.example.org/onca/xml.")


def _origins(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, (list, tuple, set)):
        raise ConfigError(PREFIX + name, value, 'Use a list of origins: ["https://blog.example.org"].')
    return tuple(_origin(name, origin) for origin in cast("list[object]", value))


def _origin(name: str, origin: object) -> str:
    parts = urlsplit(origin) if isinstance(origin, str) else None
    if (
        not isinstance(origin, str)
        or parts is None
        or parts.scheme not in {"http", "https"}
        or origin != f"{parts.scheme}://{parts.netloc}".lower()
    ):
        raise ConfigError(
            PREFIX + name, origin, "An origin is scheme, host and port without a path: https://blog.example.org."
        )
    return origin


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(PREFIX + name, "…" if "KEY" in name else value, "Use a text.")
    return value


def _prefix(name: str, value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"(/[A-Za-z0-9_\-.]+)+", value):
        raise ConfigError(PREFIX + name, value, 'Use a path that starts with a slash and has no end slash: "/ecscart".')
    return value


def _number(*, least: float, whole: bool = False) -> Callable[[str, object], float]:
    def read(name: str, value: object) -> float:
        wrong = isinstance(value, bool) or not isinstance(value, int if whole else (int, float))
        if wrong or not cast("float", value) >= least:
            kind = "a whole number" if whole else "a number"
            raise ConfigError(PREFIX + name, value, f"Use {kind} of at least {least:g}.")
        return cast("float", value)

    return read


def _choice(*choices: str) -> Callable[[str, object], str]:
    def read(name: str, value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ConfigError(PREFIX + name, value, f"Use one of {named(choices)}.")
        return value

    return read


def _version(name: str, value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        raise ConfigError(PREFIX + name, value, 'Use a dated ECS version such as "2013-08-01".')
    return value


def _texts(name: str, value: object) -> dict[str, str]:
    try:
        texts = msgspec.convert(value, dict[str, str])
    except msgspec.ValidationError as problem:
        raise ConfigError(
            PREFIX + name, value, 'Use a mapping of text names to texts: {"add": "Pop it in"}.'
        ) from problem
    if wrong := wrong_texts(texts):
        raise ConfigError(PREFIX + name, None, wrong)
    return texts


READERS: dict[str, Callable[[str, Any], Any]] = {
    "LOCALES": _locales,
    "DEFAULT_LOCALE": _text,
    "PROVIDER": _choice(*get_args(ProviderName)),
    "ACCESS_KEY": _text,
    "SECRET_KEY": _text,
    "API_VERSION": _version,
    "RATE": _number(least=0.01),
    "DAILY_LIMIT": _number(least=1, whole=True),
    "MAX_WAIT": _number(least=0),
    "FRESH_FOR": _number(least=0),
    "DATABASE_URL": _text,
    "REDIS_URL": _text,
    **dict.fromkeys(("CATALOG", "SESSION_INTERFACE"), lambda _name, value: value),
    "ALLOWED_ORIGINS": _origins,
    "URL_PREFIX": _prefix,
    "TEXTS": _texts,
    "BASE_TEMPLATE": _text,
}


def named(names: Any) -> str:
    """Names as an error lists them."""
    return ", ".join(names)
