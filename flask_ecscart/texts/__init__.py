"""What the server tells the shopper, in English, German, French and Japanese; `ECSCART_TEXTS` replaces any of it.

An owner's text goes by its name ("add", for every language) or by name and language ("add_de"). The words the
pages share with the widget are the widget's own; forms for one and for more are written "one|other".
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping

import msgspec

from flask_ecscart.texts import de, en, fr, ja, widget

__all__ = [
    "DISCLAIMER",
    "DISCLOSURES",
    "LANGUAGES",
    "TEXTS",
    "Words",
    "programme_language",
    "programme_text",
    "text",
    "wrong_texts",
]

LANGUAGES: dict[str, dict[str, str]] = {"en": en.WORDS, "de": de.WORDS, "fr": fr.WORDS, "ja": ja.WORDS}
"""Every text by language and name."""
TEXTS = LANGUAGES["en"]

DISCLOSURES: dict[str, str] = {
    "en": "As an Amazon Associate I earn from qualifying purchases.",
    "de": "Als Amazon-Partner verdiene ich an qualifizierten Verkäufen.",
}
"""The sentence the programme asks for, by language, where its wording is known."""

DISCLAIMER = (
    "Product prices and availability are accurate as of the date/time indicated and are subject to change. "
    "Any price and availability information displayed on {retailer} at the time of purchase will apply to "
    "the purchase of this product."
)
"""The programme's price disclaimer; its wording is known in English alone."""

_PROGRAMME = {"disclosure": DISCLOSURES, "disclaimer": {"en": DISCLAIMER}}
_TOLD = ("quantity_capped", "quantity_capped_total", "saved_for_later", "moved_to_cart", "cart_renewed")
_REASONS = ("refused_ineligible", "refused_inaccessible", "refused_other")


class Words(msgspec.Struct, frozen=True):
    """The texts in one language, an owner's own in place of ours."""

    own: Mapping[str, str]
    language: str

    def __call__(self, name: str, /, **values: object) -> str:
        """The text called `name` with `values` filled in. `n` chooses between one and more."""
        built_in = LANGUAGES.get(self.language, TEXTS)[name]
        chosen = self.own.get(f"{name}_{self.language}", self.own.get(name, built_in))
        if "n" in values:
            forms = chosen.split("|")
            one = values["n"] == 1 or (self.language == "fr" and values["n"] == 0)
            chosen = forms[0 if one else -1]
        return chosen.format(**values)

    def retold(self, message: str, **values: object) -> str:
        """A notice kept in English, in this language; as it is when these are not words of ours.

        Notices are made when a cart is settled, perhaps by another process, where nobody knows who will read them.
        """
        told = Words(self.own, "en")
        if self.language == "en":
            return message
        for name in _TOLD:
            if told(name, **values) == message:
                return self(name, **values)
        for reason in _REASONS:
            if told("refused", reason=told(reason)) == message:
                return self("refused", reason=self(reason))
        return message


def text(overrides: Mapping[str, str], name: str, /, **values: object) -> str:
    """The English text called `name` with `values` filled in; the owner's own where there is one."""
    return Words(overrides, "en")(name, **values)


def programme_text(overrides: Mapping[str, str], name: str, language: str, **values: object) -> str:
    """The programme's "disclosure" or "disclaimer": the owner's own, else its known wording, else the English one."""
    known = _PROGRAMME[name]
    chosen = overrides.get(f"{name}_{language}", overrides.get(name, known.get(language, known["en"])))
    return chosen.format(**values)


def programme_language(overrides: Mapping[str, str], name: str, language: str) -> str | None:
    """The language `programme_text` answers in; None when it is the owner's and only the owner knows."""
    if f"{name}_{language}" in overrides:
        return language
    if name in overrides:
        return None
    return language if language in _PROGRAMME[name] else "en"


def wrong_texts(overrides: Mapping[str, str]) -> str | None:
    """What is wrong with an owner's texts, with what to do; None when each has a known name and known fields."""
    for name, own in overrides.items():
        known = _known(name)
        if known is None:
            return f"There is no text {name!r}. See docs/settings.md for the names."
        try:
            fields = _fields([own])
        except ValueError as problem:
            return f"{name!r}: {problem}. Write a brace that is meant as one twice: {{{{ or }}}}."
        if not fields <= _fields(known):
            allowed = ", ".join(f"{{{field}}}" for field in sorted(_fields(known))) or "none"
            return f"{name!r} may hold these fields: {allowed}."
    return None


def _known(name: str) -> Iterable[str] | None:
    for one in (name, re.sub("_[a-z]{2,3}$", "", name)):
        for known in (TEXTS, widget.WORDS):
            if one in known:
                return (known[one],)
        if one in _PROGRAMME:
            return _PROGRAMME[one].values()
    return None


def _fields(texts: Iterable[str]) -> set[str]:
    return {field for text_ in texts for _, field, _, _ in string.Formatter().parse(text_) if field is not None}
