"""What shoppers of the schedules may want."""

from __future__ import annotations

__all__ = ["LIMITS", "RARE", "REFUSED", "A", "B", "C"]

A, B, C, RARE, REFUSED = "B0TESTAAAA", "B0TESTBBBB", "B0TESTCCCC", "B0TESTRRRR", "B0TESTXXXX"
LIMITS = {A: 999, B: 999, C: 999, RARE: 3, REFUSED: 0}
"""ASIN → most pieces a cart may hold; 0: it cannot be put into one."""
