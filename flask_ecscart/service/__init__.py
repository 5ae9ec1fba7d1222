"""The cart service, Amazon's side of the protocol: `engine` has the rules, `http` serves them at /onca/xml."""

from __future__ import annotations

__all__: list[str] = []
