"""What the settings are once they are read. Nothing of it shows a secret when it is printed."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

__all__ = ["PREFIX", "AccessKeys", "HandoffMode", "LocaleSettings", "ProviderName", "Settings"]

PREFIX = "ECSCART_"
HandoffMode = Literal["form", "links", "purchase_url", "demo", "off"]
ProviderName = Literal["embedded", "ecs"]


class AccessKeys(NamedTuple):
    """An access key and its secret."""

    access_key: str
    secret_key: str

    def __repr__(self) -> str:
        """Without either."""
        return "AccessKeys(…)"


class LocaleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner set for one locale."""

    associate_tag: str | None = None
    """Credited with what the shopper buys; needed unless `handoff` is "off"."""
    handoff: HandoffMode = "form"
    endpoint: str | None = None
    """Full URL of another ECS endpoint, such as your own `flask ecscart serve`."""
    max_items_per_form: int = 10
    access_key: str | None = None
    """The access key that pays for this locale, with `secret_key`; else ECSCART_ACCESS_KEY and ECSCART_SECRET_KEY."""
    secret_key: str | None = None

    def __repr__(self) -> str:
        """Without keys."""
        return f"LocaleSettings(associate_tag={self.associate_tag!r}, handoff={self.handoff!r})"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings after reading and checking. Each is documented under its `ECSCART_` name in README."""

    locales: dict[str, LocaleSettings]
    default_locale: str
    database_url: str
    app_secrets: tuple[str, ...]
    """SECRET_KEY_FALLBACKS, oldest first, then SECRET_KEY: the order itsdangerous wants."""
    provider: ProviderName = "embedded"
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

    def keys_of(self, locale: str) -> AccessKeys:
        """The keys that sign and pay for `locale`; empty ones where the provider needs none."""
        row = self.locales[locale]
        if row.access_key and row.secret_key:
            return AccessKeys(row.access_key, row.secret_key)
        return AccessKeys(self.access_key or "", self.secret_key or "")

    def __repr__(self) -> str:
        """Without keys and URLs that hold passwords."""
        return f"Settings(provider={self.provider!r}, locales={sorted(self.locales)})"
