"""Settings: read once, from app.config and the environment, and refused with key, value and fix."""

from __future__ import annotations

from typing import Any

import pytest

from flask_ecscart.errors import ConfigError
from flask_ecscart.settings import Settings, read_settings

GOOD: dict[str, Any] = {"SECRET_KEY": "s" * 32, "ECSCART_LOCALES": {"US": {"associate_tag": "lamp-20"}}}


def read(environ: dict[str, str] | None = None, **config: Any) -> Settings:
    return read_settings({**GOOD, **config}, environ or {}, default_database="sqlite:///default.db")


def test_one_locale_with_a_tag_is_enough() -> None:
    settings = read()
    assert settings.locales["US"].associate_tag == "lamp-20"
    assert (settings.default_locale, settings.provider, settings.locales["US"].handoff) == ("US", "embedded", "form")
    assert (settings.database_url, settings.url_prefix) == ("sqlite:///default.db", "/ecscart")


def test_a_tag_alone_stands_for_a_locale() -> None:
    assert read(ECSCART_LOCALES={"DE": "lampe-21"}).locales["DE"].associate_tag == "lampe-21"


def test_environment_variables_override_the_config() -> None:
    settings = read({"ECSCART_FRESH_FOR": "5", "ECSCART_URL_PREFIX": "/cart", "OTHER": "x"}, ECSCART_FRESH_FOR=60)
    assert (settings.fresh_for, settings.url_prefix) == (5, "/cart")


def test_an_environment_variable_reaches_into_a_mapping() -> None:
    settings = read({"ECSCART_LOCALES__DE__ASSOCIATE_TAG": "lampe-21", "ECSCART_LOCALES__US__HANDOFF": "links"})
    assert settings.locales["DE"].associate_tag == "lampe-21"
    assert (settings.locales["US"].handoff, settings.locales["US"].associate_tag) == ("links", "lamp-20")


def test_the_environment_alone_configures_a_site() -> None:
    config = {"SECRET_KEY": "s"}
    environ = {"ECSCART_LOCALES": '{"JP": "rampu-22"}', "ECSCART_ALLOWED_ORIGINS": '["https://blog.example.org"]'}
    settings = read_settings(config, environ, default_database="sqlite://")
    assert (settings.default_locale, settings.allowed_origins) == ("JP", ("https://blog.example.org",))


ECS = {"ECSCART_PROVIDER": "ecs", "ECSCART_ACCESS_KEY": "AKID", "ECSCART_SECRET_KEY": "shh"}
OWN_KEYS = {"associate_tag": "x-21", "access_key": "AKDE", "secret_key": "psst"}
DEMO = {"US": {"associate_tag": "x-20", "handoff": "demo"}}
PURCHASE = {"US": {"associate_tag": "x-20", "handoff": "purchase_url"}}
WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("misspelt", {"ECSCART_LOCALE": {}}, "ECSCART_LOCALE", "ECSCART_LOCALES"),
    ("unheard of", {"ECSCART_XYZZY": 1}, "ECSCART_XYZZY", "Known are"),
    ("no locales", {"ECSCART_LOCALES": None}, "ECSCART_LOCALES", "Name at least one"),
    ("locales is a list", {"ECSCART_LOCALES": ["US"]}, "ECSCART_LOCALES", "mapping"),
    ("unknown locale", {"ECSCART_LOCALES": {"XX": "x-20"}}, "ECSCART_LOCALES['XX']", "US, UK, DE, JP, FR, CA"),
    ("no tag", {"ECSCART_LOCALES": {"UK": {}}}, "['associate_tag']", "yoursite-21"),
    ("bad tag", {"ECSCART_LOCALES": {"US": "a b"}}, "['associate_tag']", "letters, digits"),
    ("bad mode", {"ECSCART_LOCALES": {"US": {"associate_tag": "x-20", "handoff": "fax"}}}, "['US']", "form, links"),
    ("bad field", {"ECSCART_LOCALES": {"US": {"tag": "x-20"}}}, "['tag']", "associate_tag"),
    ("0 items", {"ECSCART_LOCALES": {"US": {"associate_tag": "x-20", "max_items_per_form": 0}}}, "form", "1 to 50"),
    (
        "endpoint without scheme",
        {"ECSCART_LOCALES": {"US": {"associate_tag": "x-20", "endpoint": "carts.example/onca/xml"}}},
        "['endpoint']",
        "full URL",
    ),
    ("default elsewhere", {"ECSCART_DEFAULT_LOCALE": "DE"}, "ECSCART_DEFAULT_LOCALE", "one of ECSCART_LOCALES"),
    ("bad provider", {"ECSCART_PROVIDER": "fax"}, "ECSCART_PROVIDER", "embedded, ecs"),
    ("no key", {**ECS, "ECSCART_ACCESS_KEY": None}, "ECSCART_ACCESS_KEY", "set both keys"),
    (
        "a locale without its secret",
        {**ECS, "ECSCART_LOCALES": {"US": {"associate_tag": "x-20", "access_key": "AKUS"}}},
        "ECSCART_LOCALES['US']['secret_key']",
        "set both",
    ),
    (
        "a locale without any key",
        {**ECS, "ECSCART_ACCESS_KEY": None, "ECSCART_LOCALES": {"DE": OWN_KEYS, "US": "x-20"}},
        "ECSCART_ACCESS_KEY",
        "US has none",
    ),
    (
        "demo of a remote",
        {**ECS, "ECSCART_LOCALES": DEMO},
        "demo",
        "purchase_url",
    ),
    (
        "remote of embedded",
        {"ECSCART_LOCALES": PURCHASE},
        "purchase",
        "ecs",
    ),
    ("rate is a text", {"ECSCART_RATE": "fast"}, "ECSCART_RATE", "a number"),
    ("rate is true", {"ECSCART_RATE": True}, "ECSCART_RATE", "a number"),
    ("rate is nan", {"ECSCART_RATE": float("nan")}, "ECSCART_RATE", "a number"),
    ("half a day's calls", {"ECSCART_DAILY_LIMIT": 0.5}, "ECSCART_DAILY_LIMIT", "whole number"),
    (
        "origin with path",
        {"ECSCART_ALLOWED_ORIGINS": ["https://a.example/"]},
        "ECSCART_ALLOWED_ORIGINS",
        "without a path",
    ),
    ("star origin", {"ECSCART_ALLOWED_ORIGINS": ["*"]}, "ECSCART_ALLOWED_ORIGINS", "An origin is"),
    ("null origin", {"ECSCART_ALLOWED_ORIGINS": ["null"]}, "ECSCART_ALLOWED_ORIGINS", "An origin is"),
    ("prefix without slash", {"ECSCART_URL_PREFIX": "cart"}, "ECSCART_URL_PREFIX", "starts with a slash"),
    ("version", {"ECSCART_API_VERSION": "4.0"}, "ECSCART_API_VERSION", "2013-08-01"),
    ("texts", {"ECSCART_TEXTS": {"add": 1}}, "ECSCART_TEXTS", "mapping"),
    ("no secret", {"SECRET_KEY": None}, "SECRET_KEY", "token_hex"),
]


@pytest.mark.parametrize(("config", "key", "fix"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_wrong_setting_is_refused_with_its_name_and_what_to_do(config: dict[str, Any], key: str, fix: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(**config)
    assert key in str(refused.value)
    assert fix in str(refused.value)


def test_a_locale_may_have_keys_of_its_own_and_the_others_use_the_common_ones() -> None:
    settings = read(**{**ECS, "ECSCART_LOCALES": {"US": "x-20", "UK": "y-21", "DE": OWN_KEYS}})
    assert settings.keys_of("US") == settings.keys_of("UK") == ("AKID", "shh")
    assert settings.keys_of("DE") == ("AKDE", "psst")
    alone = read(ECSCART_PROVIDER="ecs", ECSCART_LOCALES={"DE": OWN_KEYS})
    assert alone.keys_of("DE") == ("AKDE", "psst")


def test_keys_in_the_environment_are_texts_whatever_they_look_like() -> None:
    environ = {
        "ECSCART_LOCALES__DE__ACCESS_KEY": "0123456789",
        "ECSCART_LOCALES__DE__SECRET_KEY": "1e5",
        "ECSCART_ACCESS_KEY": "42",
        "ECSCART_SECRET_KEY": "null",
    }
    settings = read(environ, ECSCART_PROVIDER="ecs", ECSCART_LOCALES={"US": "x-20", "DE": "lampe-21"})
    assert (settings.keys_of("DE"), settings.keys_of("US")) == (("0123456789", "1e5"), ("42", "null"))
    assert settings.locales["DE"].associate_tag == "lampe-21"


LEAKS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "a wrong field": ({}, {"ECSCART_LOCALES": {"DE": {**OWN_KEYS, "secretkey": "psst"}}}),
    "a wrong type": ({}, {"ECSCART_LOCALES": {"DE": {**OWN_KEYS, "max_items_per_form": "many"}}}),
    "a secret that is a number": ({}, {"ECSCART_LOCALES": {"DE": {**OWN_KEYS, "access_key": 5}}}),
    "a list of locales": ({}, {"ECSCART_LOCALES": [OWN_KEYS]}),
    "no mapping": ({}, {"ECSCART_LOCALES": {"DE": [OWN_KEYS]}}),
    "broken JSON": ({"ECSCART_LOCALES": '{"DE": {"secret_key": "psst"}'}, {}),
    "a misspelt setting": ({"ECSCART_SECRT_KEY": "psst"}, {}),
    "a misspelt URL": ({"ECSCART_DATABASE_URI": "postgresql://user:psst@db/shop"}, {}),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_refused_setting_does_not_show_the_secrets_in_it(leak: str) -> None:
    environ, config = LEAKS[leak]
    with pytest.raises(ConfigError) as refused:
        read(environ, **config)
    assert "psst" not in f"{refused.value!r} {refused.value} {refused.value.value!r} {refused.value.__cause__!r}"


def test_no_secret_stands_in_an_error_or_a_repr() -> None:
    with pytest.raises(ConfigError) as refused:
        read(**ECS, ECSCART_RATE="x")
    assert "shh" not in str(refused.value)
    with pytest.raises(ConfigError) as refused:
        read(**{**ECS, "ECSCART_SECRET_KEY": 12345})
    assert "12345" not in str(refused.value)
    settings = read(**{**ECS, "ECSCART_LOCALES": {"DE": OWN_KEYS}})
    shown = repr([settings, settings.locales, settings.keys_of("DE")])
    assert not [secret for secret in ("shh", "psst", "AKID", "AKDE") if secret in shown]
