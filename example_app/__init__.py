"""Paper & Lamp: the example site of Flask-ECSCart, and a stranger's page that embeds its cart."""

from __future__ import annotations

__all__: list[str] = []
