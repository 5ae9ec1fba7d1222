"""Every setting, read once: `ECSCART_…` from `app.config`, overridden by environment variables of the same name.

Environment values are read as JSON where they are JSON (`ECSCART_RATE=0.5`), as text otherwise; a double
underscore reaches into a mapping: `ECSCART_LOCALES__DE__ASSOCIATE_TAG=yoursite-21`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, cast, get_args
from urllib.parse import urlsplit

import msgspec

from flask_ecscart.errors import ConfigError
from flask_ecscart.locales import LOCALES
from flask_ecscart.texts import wrong_texts

__all__ = ["PREFIX", "HandoffMode", "LocaleSettings", "Settings", "read_settings"]

PREFIX = "ECSCART_"
HandoffMode = Literal["form", "links", "purchase_url", "demo", "off"]
_ProviderName = Literal["embedded", "ecs"]


class LocaleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner set for one locale."""

    associate_tag: str | None = None
    """Credited with what the shopper buys; needed unless `handoff` is "off"."""
    handoff: HandoffMode = "form"
    endpoint: str | None = None
    """Full URL of another ECS endpoint, such as your own `flask ecscart serve`."""
    max_items_per_form: int = 10


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings after reading and checking. Each is documented under its `ECSCART_` name in README."""

    locales: dict[str, LocaleSettings]
    default_locale: str
    database_url: str
    app_secrets: tuple[str, ...]
    """SECRET_KEY_FALLBACKS, oldest first, then SECRET_KEY: the order itsdangerous wants."""
    provider: _ProviderName = "embedded"
    access_key: str | None = None
    secret_key: str | None = None
    api_version: str = "2013-08-01"
    rate: float = 1.0
    daily_limit: int | None = None
    max_wait: float = 0.3
    fresh_for: float = 60.0
    redis_url: str | None = None
    catalog: object = None
    """Path of a catalog file, or an object that is a Catalog."""
    allowed_origins: tuple[str, ...] = ()
    url_prefix: str = "/ecscart"
    texts: dict[str, str] = {}
    base_template: str | None = None
    session_interface: object = None

    def __repr__(self) -> str:
        """Without keys and URLs that hold passwords."""
        return f"Settings(provider={self.provider!r}, locales={sorted(self.locales)})"


def read_settings(config: Mapping[str, Any], environ: Mapping[str, str], *, default_database: str) -> Settings:
    """The checked settings. Raises `ConfigError` naming key, value and fix for the first thing that is wrong."""
    raw = {key[len(PREFIX) :]: value for key, value in config.items() if key.startswith(PREFIX)}
    for key, text in environ.items():
        if key.startswith(PREFIX):
            _put(raw, key[len(PREFIX) :].split("__"), _from_text(text))
    for name, value in raw.items():
        if name not in _READERS:
            raise ConfigError(PREFIX + name, value, _suggestion(name))
    if not raw.get("LOCALES"):
        raise ConfigError(
            "ECSCART_LOCALES", None, 'Name at least one: ECSCART_LOCALES = {"US": {"associate_tag": "yoursite-20"}}.'
        )
    values = {name.lower(): reader(name, raw[name]) for name, reader in _READERS.items() if raw.get(name) is not None}
    values.setdefault("database_url", default_database)
    values.setdefault("default_locale", next(iter(values["locales"])))
    settings = Settings(app_secrets=_secrets(config), **values)
    _check_together(settings)
    return settings


def _check_together(settings: Settings) -> None:
    if settings.default_locale not in settings.locales:
        raise ConfigError(
            "ECSCART_DEFAULT_LOCALE", settings.default_locale, f"Use one of ECSCART_LOCALES: {_list(settings.locales)}."
        )
    if settings.provider == "ecs":
        for name in ("access_key", "secret_key"):
            if not getattr(settings, name):
                raise ConfigError(
                    PREFIX + name.upper(), None, "The ecs provider signs its requests: set both keys of the endpoint."
                )
    for code, locale in settings.locales.items():
        _check_locale(settings, code, locale)


def _check_locale(settings: Settings, code: str, locale: LocaleSettings) -> None:
    where = f"ECSCART_LOCALES[{code!r}]"
    if locale.associate_tag is None and locale.handoff != "off":
        known = LOCALES[code]
        raise ConfigError(
            f"{where}['associate_tag']",
            None,
            f"Set your Associate tag for {known.retail_host}, such as yoursite-{known.tag_suffix}: without it nothing "
            'is credited to you and Amazon drops the items. To offer no hand-off here, set "handoff": "off".',
        )
    if locale.handoff == "purchase_url" and settings.provider != "ecs":
        raise ConfigError(
            f"{where}['handoff']", "purchase_url", 'It needs ECSCART_PROVIDER = "ecs"; use "form" for Amazon today.'
        )
    if locale.handoff == "demo" and settings.provider != "embedded":
        raise ConfigError(f"{where}['handoff']", "demo", 'It needs ECSCART_PROVIDER = "embedded"; use "purchase_url".')


def _locales(name: str, value: object) -> dict[str, LocaleSettings]:
    if not isinstance(value, Mapping):
        raise ConfigError(PREFIX + name, value, 'Use a mapping: {"US": {"associate_tag": "yoursite-20"}}.')
    result: dict[str, LocaleSettings] = {}
    for code, row in cast("Mapping[str, object]", value).items():
        if code not in LOCALES:
            raise ConfigError(f"{PREFIX}{name}[{code!r}]", code, f"Use one of the known locales: {_list(LOCALES)}.")
        result[code] = _locale_row(f"{PREFIX}{name}[{code!r}]", row)
    return result


def _locale_row(where: str, row: object) -> LocaleSettings:
    if isinstance(row, str):
        row = {"associate_tag": row}
    if not isinstance(row, Mapping):
        raise ConfigError(where, row, 'Use a mapping such as {"associate_tag": "yoursite-20"} or the tag alone.')
    fields = {str(key).lower(): value for key, value in cast("Mapping[object, object]", row).items()}
    for field, value in fields.items():
        if field not in LocaleSettings.__struct_fields__:
            raise ConfigError(f"{where}[{field!r}]", value, f"Use {_list(LocaleSettings.__struct_fields__)}.")
    try:
        settings = msgspec.convert(fields, LocaleSettings)
    except msgspec.ValidationError as problem:
        raise ConfigError(where, dict(fields), f"{problem}. Hand-offs: {_list(get_args(HandoffMode))}.") from problem
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
            raise ConfigError(PREFIX + name, value, f"Use one of {_list(choices)}.")
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


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "LOCALES": _locales,
    "DEFAULT_LOCALE": _text,
    "PROVIDER": _choice(*get_args(_ProviderName)),
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


def _secrets(config: Mapping[str, Any]) -> tuple[str, ...]:
    secret = config.get("SECRET_KEY")
    if not secret:
        raise ConfigError(
            "SECRET_KEY",
            None,
            "Set app.config['SECRET_KEY'] to a long random text and keep it: "
            "python -c 'import secrets; print(secrets.token_hex(32))' makes one.",
        )
    keys = [*(config.get("SECRET_KEY_FALLBACKS") or ())[::-1], secret]
    return tuple(key.decode("latin-1") if isinstance(key, bytes) else str(key) for key in keys)


def _from_text(text: str) -> object:
    try:
        return msgspec.json.decode(text.encode())
    except msgspec.DecodeError:
        return text


def _put(raw: dict[str, Any], path: list[str], value: object) -> None:
    *heads, last = path
    target = raw
    for head in heads:
        found = target.get(head)
        target[head] = dict(cast("Mapping[str, Any]", found)) if isinstance(found, Mapping) else {}
        target = target[head]
    target[last] = value


def _suggestion(name: str) -> str:
    close = difflib.get_close_matches(name, _READERS, n=1)
    return (
        f"There is no such setting. Did you mean {PREFIX}{close[0]}?"
        if close
        else (f"There is no such setting. Known are: {_list(PREFIX + known for known in _READERS)}.")
    )


def _list(names: Any) -> str:
    return ", ".join(names)
