"""Every setting, read once: `ECSCART_…` from `app.config`, overridden by environment variables of the same name.

Environment values are read as JSON where they are JSON (`ECSCART_RATE=0.5`), as text otherwise; a double
underscore reaches into a mapping: `ECSCART_LOCALES__DE__ASSOCIATE_TAG=yoursite-21`.
"""

from __future__ import annotations

from flask_ecscart.settings.reading import read_settings
from flask_ecscart.settings.shapes import PREFIX, AccessKeys, HandoffMode, LocaleSettings, Settings

__all__ = ["PREFIX", "AccessKeys", "HandoffMode", "LocaleSettings", "Settings", "read_settings"]
