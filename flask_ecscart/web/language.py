"""Which language an answer is in: the one asked for, the locale's where the reader takes it, the reader's best."""

from __future__ import annotations

from flask import request

from flask_ecscart.locales import LOCALES
from flask_ecscart.texts import LANGUAGES

__all__ = ["asked_language", "page_language", "reader_language"]


def asked_language() -> str | None:
    """The language named by `lang` in address or form, where we speak it."""
    asked = _primary(request.values.get("lang", ""))
    return asked if asked in LANGUAGES else None


def reader_language() -> str:
    """The best of the languages the reader's program asks for; English where we speak none of them."""
    return request.accept_languages.best_match(list(LANGUAGES)) or "en"


def page_language(locale: str) -> str:
    """The language of a page about the cart of `locale`.

    Who reads German and shops at Amazon.de gets German, whatever comes first in the browser's list; who does not
    read it is not made to.
    """
    own = LOCALES[locale].language
    reads = {_primary(tag) for tag, quality in request.accept_languages if quality > 0}
    if own in LANGUAGES and (not reads or own in reads):
        return asked_language() or own
    return asked_language() or reader_language()


def _primary(tag: str) -> str:
    return tag.partition("-")[0].lower()
