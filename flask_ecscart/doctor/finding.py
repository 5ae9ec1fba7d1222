"""One finding of the doctor, and what a list of them comes to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

__all__ = ["LEVELS", "Finding", "Level", "exit_status", "good", "redacted", "tally"]

Level = Literal["ok", "note", "warning", "error"]
LEVELS: tuple[Level, ...] = ("ok", "note", "warning", "error")
"""From nothing to do to something that loses money or carts now."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `why` says what it costs, `mend` what to do; both are empty when all is well."""

    level: Level
    check: str
    """Name of the check, such as "tags": stable, for scripts."""
    what: str
    why: str = ""
    mend: str = ""


def good(check: str, what: str) -> Finding:
    """A finding that all is well."""
    return Finding(level="ok", check=check, what=what)


def tally(findings: Iterable[Finding]) -> dict[Level, int]:
    """How many findings there are of each level."""
    counts: dict[Level, int] = dict.fromkeys(LEVELS, 0)
    for finding in findings:
        counts[finding.level] += 1
    return counts


def exit_status(findings: Iterable[Finding], *, strict: bool) -> int:
    """2 when there is an error, 1 when there is a warning and `strict`, else 0."""
    counts = tally(findings)
    if counts["error"]:
        return 2
    return 1 if strict and counts["warning"] else 0


def redacted(findings: Iterable[Finding], secrets: Sequence[str]) -> list[Finding]:
    """The findings without any of `secrets`, whoever's words brought one in."""
    # Longest first, so that no part of a secret stays. A very short one is no secret, but would black out words.
    hidden = sorted((secret for secret in secrets if len(secret) >= 4), key=len, reverse=True)  # noqa: PLR2004

    def clean(text: str) -> str:
        for secret in hidden:
            text = text.replace(secret, "…")
        return text

    return [
        msgspec.structs.replace(one, what=clean(one.what), why=clean(one.why), mend=clean(one.mend)) for one in findings
    ]
