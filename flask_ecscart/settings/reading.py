"""From `app.config` and the environment to checked `Settings`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import msgspec

from flask_ecscart.errors import ConfigError
from flask_ecscart.locales import LOCALES
from flask_ecscart.settings.readers import HIDDEN, READERS, named
from flask_ecscart.settings.shapes import PREFIX, LocaleSettings, Settings

__all__ = ["read_settings"]

_TEXTS = ("_KEY", "_ID", "_SECRET")
"""Endings of names whose value is text even where it looks like a number."""
_SHORT_FORMS = {"LOCALES": "associate_tag", "CATALOG": "file"}
"""What a text stands for where a mapping could stand: a locale's tag, the path of the catalog."""


def read_settings(config: Mapping[str, Any], environ: Mapping[str, str], *, default_database: str) -> Settings:
    """The checked settings. Raises `ConfigError` naming key, value and fix for the first thing that is wrong."""
    raw = {key[len(PREFIX) :]: value for key, value in config.items() if key.startswith(PREFIX)}
    for key, text in environ.items():
        if key.startswith(PREFIX):
            path = key[len(PREFIX) :].split("__")
            _put(raw, path, text if path[-1].endswith(_TEXTS) else _from_text(text))
    for name in raw:
        if name not in READERS:
            raise ConfigError(PREFIX + name, HIDDEN, _suggestion(name))  # a misspelt SECRET_KEY, or a URL
    if not raw.get("LOCALES"):
        raise ConfigError(
            "ECSCART_LOCALES", None, 'Name at least one: ECSCART_LOCALES = {"US": {"associate_tag": "yoursite-20"}}.'
        )
    values = {name.lower(): reader(name, raw[name]) for name, reader in READERS.items() if raw.get(name) is not None}
    values.setdefault("database_url", default_database)
    values.setdefault("default_locale", next(iter(values["locales"])))
    settings = Settings(app_secrets=_secrets(config), **values)
    _check_together(settings)
    return settings


def _check_together(settings: Settings) -> None:
    if settings.default_locale not in settings.locales:
        raise ConfigError(
            "ECSCART_DEFAULT_LOCALE", settings.default_locale, f"Use one of ECSCART_LOCALES: {named(settings.locales)}."
        )
    for code, locale in settings.locales.items():
        _check_keys(settings, code)
        _check_locale(settings, code, locale)


def _check_keys(settings: Settings, code: str) -> None:
    keys = settings.keys_of(code)
    missing = "ACCESS_KEY" if not keys.access_key else "SECRET_KEY" if not keys.secret_key else None
    if settings.provider == "ecs" and missing is not None:
        raise ConfigError(
            PREFIX + missing,
            None,
            "The ecs provider signs its requests: set both keys of the endpoint, "
            f"or those of every locale in ECSCART_LOCALES ({code} has none).",
        )


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
        if isinstance(found, (str, Path)) and path[0] in _SHORT_FORMS:
            found = {_SHORT_FORMS[path[0]]: found}
        target[head] = dict(cast("Mapping[str, Any]", found)) if isinstance(found, Mapping) else {}
        target = target[head]
    target[last] = value


def _suggestion(name: str) -> str:
    close = difflib.get_close_matches(name, READERS, n=1)
    return (
        f"There is no such setting. Did you mean {PREFIX}{close[0]}?"
        if close
        else (f"There is no such setting. Known are: {named(PREFIX + known for known in READERS)}.")
    )
