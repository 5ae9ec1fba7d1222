"""SECRET_KEY, cookies, and the XML parser this Python came with."""

from __future__ import annotations

import math
import pyexpat
import re
import string
from collections.abc import Iterator

from flask_ecscart.doctor.finding import Finding, good
from flask_ecscart.doctor.patient import Patient

__all__ = ["cookies", "expat", "key_bits", "secret_key", "settings"]

_KNOWN_KEYS = frozenset(
    {"dev", "development", "secret", "secret-key", "secret_key", "changeme", "change-me", "change me", "password"}
    | {"supersecret", "super secret key", "super-secret", "mysecretkey", "you-will-never-guess", "please-change-me"}
)
_BITS_WEAK, _BITS_GOOD = 64, 128
_DISTINCT = 8
_SAFE_EXPAT = (2, 8, 0)
_NEW_KEY = "Set SECRET_KEY to what this prints, and keep it: python -c 'import secrets; print(secrets.token_hex(32))'."


def settings(patient: Patient) -> Iterator[Finding]:
    """That the settings could be read, and what they come to."""
    found = patient.site.settings
    locales = ", ".join(f"{code} ({row.handoff})" for code, row in found.locales.items())
    yield good("settings", f"The settings can be used: provider {found.provider}, locales {locales}.")
    if patient.app.debug:
        yield Finding(
            level="warning",
            check="settings",
            what="The app runs in debug mode.",
            why="Its error pages let a visitor run code and read every cart.",
            mend="Start the site without --debug and without FLASK_DEBUG where visitors come.",
        )


def secret_key(patient: Patient) -> Iterator[Finding]:
    """Whether SECRET_KEY and its fallbacks can be guessed."""
    *fallbacks, current = patient.site.settings.app_secrets
    found = [_key_finding("SECRET_KEY", current)]
    found += [_key_finding(f"SECRET_KEY_FALLBACKS[{n}]", key) for n, key in enumerate(reversed(fallbacks))]
    bad = [finding for finding in found if finding is not None]
    yield from bad
    if not bad:
        yield good("secret-key", "SECRET_KEY is long and varied enough.")


def _key_finding(name: str, key: str) -> Finding | None:
    bits = key_bits(key)
    if bits >= _BITS_GOOD:
        return None
    return Finding(
        level="error" if bits < _BITS_WEAK else "warning",
        check="secret-key",
        what=f"{name} can be guessed: it is {'a well-known word' if bits == 0 else 'too short or too uniform'}.",
        why="Who guesses it signs shopper cookies and hand-off tickets, and reads and changes other people's carts.",
        mend=_NEW_KEY if name == "SECRET_KEY" else "Take it off SECRET_KEY_FALLBACKS: old cookies then start anew.",
    )


def key_bits(key: str) -> float:
    """How many bits `key` has at most, by its length and the kinds of characters in it; 0 for a well-known one."""
    if key.strip().lower() in _KNOWN_KEYS:
        return 0.0
    if len(set(key)) < _DISTINCT:
        return len(set(key)) * 1.0
    if set(key) <= set(string.hexdigits):
        return len(key) * 4.0
    classes = (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation)
    alphabet = sum(len(each) for each in classes if set(key) & set(each)) or 64
    return len(key) * min(math.log2(alphabet), 6.0)


def cookies(patient: Patient) -> Iterator[Finding]:
    """Whether the shopper's cookie is kept off plain http."""
    if patient.site.sessions.get_cookie_secure(patient.app):
        yield good("cookies", "The shopper's cookie travels over https only.")
        return
    yield Finding(
        level="note",
        check="cookies",
        what="The shopper's cookie may travel over plain http (SESSION_COOKIE_SECURE is off).",
        why="Who listens on the shopper's network can take over the cart.",
        mend="Serve the site over https and set app.config['SESSION_COOKIE_SECURE'] = True; leave it off on http.",
    )


def expat(patient: Patient, *, version: str = pyexpat.EXPAT_VERSION) -> Iterator[Finding]:
    """Whether the XML parser is older than its known slow spots (CVE-2025-66382, CVE-2026-7210, CVE-2026-41080)."""
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    if numbers >= _SAFE_EXPAT:
        yield good("expat", f"Python's XML parser is {version}.")
        return
    remote = patient.site.settings.provider == "ecs"
    yield Finding(
        level="warning" if remote else "note",
        check="expat",
        what=f"Python's XML parser is {version}; known attacks on it were closed in 2.8.0.",
        why="A hostile ECS endpoint could keep a worker busy for a minute with one reply of 1 MB, and carts wait."
        if remote
        else "This site reads no XML of others; it matters when the provider is ecs, and for flask ecscart serve.",
        mend="Install the operating system's updates, or a newer build of Python, which brings its own expat.",
    )
