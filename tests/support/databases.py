"""The two databases every part that keeps something must work with."""

from __future__ import annotations

import pytest

__all__ = ["BOTH_DATABASES"]

BOTH_DATABASES = pytest.mark.parametrize(
    "tmp_database_url",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)],
    indirect=True,
)
"""Runs a test once on SQLite and once on PostgreSQL; it asks for `database` or `tmp_database_url`."""
