"""Titles that others wrote, made fit for a page: no marks that turn its text around, and no ten thousand letters."""

from __future__ import annotations

import re

from flask_ecscart.catalog.columns import MAX_TITLE

__all__ = ["readable"]

_TURNING = "\u202a-\u202e\u2066-\u2069"
"""Embeddings, overrides and isolates: letters of a right-to-left script need none of them."""
_UNFIT = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff{_TURNING}]+")


def readable(title: str, longest: int = MAX_TITLE) -> str:
    """`title` without control characters, and not longer than a page can bear."""
    clean = _UNFIT.sub(" ", title[: 10 * longest]).strip()
    return clean if len(clean) <= longest else clean[: longest - 1].rstrip() + "…"
