"""HTTP in and out; the only part that knows Flask's requests and responses."""

from __future__ import annotations

__all__: list[str] = []
