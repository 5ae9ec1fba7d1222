"""What each locale earns: its Associate tag, its way out, and the sentence the programme asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from flask_ecscart.catalog.layers import LayeredCatalog
from flask_ecscart.doctor.finding import Finding, Level, good
from flask_ecscart.doctor.patient import Patient
from flask_ecscart.errors import ConfigError, StateUnavailable
from flask_ecscart.locales import LOCALES
from flask_ecscart.settings import HandoffMode, LocaleSettings
from flask_ecscart.state.counters import Total
from flask_ecscart.texts import DISCLOSURES

__all__ = ["arrivals", "disclosures", "handoffs", "tags"]

_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*-\d\d")
_PLACEHOLDERS = re.compile(
    r"(yoursite|your-?site|your-?tag|mytag|mysite|example|associate-?tag|xxx+|tag|test)-\d\d", re.I
)
_USUAL_ITEMS = 10
_ARRIVAL_DAYS = 14
_FEWEST_FAILURES = 3


def tags(patient: Patient) -> Iterator[Finding]:
    """Shape, usual suffix and uniqueness of every Associate tag."""
    rows = patient.site.settings.locales
    bad = [finding for code, row in rows.items() for finding in _of_tag(code, row)]
    bad += _shared(rows)
    yield from bad
    if not bad:
        yield good("tags", "Every locale with a hand-off has a tag of the usual shape.")


def _of_tag(code: str, row: LocaleSettings) -> Iterator[Finding]:
    tag, locale = row.associate_tag, LOCALES[code]
    if tag is None:
        return  # the settings take that with the hand-off "off" alone
    if _PLACEHOLDERS.fullmatch(tag) and row.handoff != "demo":
        what = f"The tag of {code}, {tag}, looks like a placeholder from a manual."
        yield _tag_finding("error", what, "What shoppers buy is credited to somebody else, or to nobody.", code)
    elif not _TAG.fullmatch(tag):
        what = f"The tag of {code}, {tag}, does not end in a hyphen and two digits, as tags do."
        yield _tag_finding("warning", what, "Amazon takes any text without a word, and then credits nobody.", code)
    elif tag[-2:] != locale.tag_suffix:
        usual = f"those of {locale.retail_host} usually end in -{locale.tag_suffix}"
        what = f"The tag of {code}, {tag}, ends in -{tag[-2:]}; {usual}."
        why = "A tag earns in the country it was issued for and nowhere else; Amazon does not say so."
        yield _tag_finding("warning", what, why, code)


def _shared(rows: dict[str, LocaleSettings]) -> Iterator[Finding]:
    codes: dict[str, list[str]] = {}
    for code, row in rows.items():
        if row.associate_tag is not None and row.handoff != "off":
            codes.setdefault(row.associate_tag, []).append(code)
    for tag, used in codes.items():
        if len(used) > 1:
            what = f"{' and '.join(used)} use the same tag, {tag}."
            why = "Every country's programme issues its own: the tag earns in one of them at most."
            yield _tag_finding("warning", what, why, used[-1])


def _tag_finding(level: Level, what: str, why: str, code: str) -> Finding:
    mend = (
        f"Copy the tag from Associates Central of {LOCALES[code].retail_host} into ECSCART_LOCALES[{code!r}], "
        'or take the locale out (or set its "handoff" to "off").'
    )
    return Finding(level=level, check="tags", what=what, why=why, mend=mend)


def handoffs(patient: Patient) -> Iterator[Finding]:
    """How each locale's carts leave; those that leave alike are told together."""
    rows = patient.site.settings.locales
    ways: dict[HandoffMode, list[str]] = {}
    for code, row in rows.items():
        ways.setdefault(row.handoff, []).append(code)
    for mode, codes in ways.items():
        yield from _handoff(mode, codes)
    for code, row in rows.items():
        if row.handoff == "form" and row.max_items_per_form > _USUAL_ITEMS:
            yield Finding(
                level="note",
                check="handoff",
                what=f"{code}: up to {row.max_items_per_form} items go into one form.",
                why="How many Amazon takes is not known; what it does not take it drops without a word.",
                mend=f'Try a cart of that size yourself, or leave "max_items_per_form" at {_USUAL_ITEMS}.',
            )


def _handoff(mode: HandoffMode, codes: list[str]) -> Iterator[Finding]:
    where, setting = ", ".join(codes), f'ECSCART_LOCALES[{(codes[0] if len(codes) == 1 else "…")!r}]["handoff"]'
    if mode == "links":
        yield good("handoff", f"{where}: shoppers leave by tagged links, which always work.")
    elif mode == "form":
        yield Finding(
            level="note",
            check="handoff",
            what=f"{where}: shoppers leave by Amazon's Add to Cart form, which was not tested against the live Amazon.",
            why="Should Amazon change it, carts arrive empty; the tagged links beside it still work.",
            mend="Click it through once for each locale, signed in and as a guest, on a computer and a phone. Where it "
            f'fails, set {setting} to "links".',
        )
    elif mode in {"demo", "off"}:
        way = "for the demo's stand-in shop, where nothing is sold" if mode == "demo" else "by no way at all"
        yield Finding(
            level="warning",
            check="handoff",
            what=f"{where}: shoppers leave {way}.",
            why="No purchase comes of it, so nothing is earned.",
            mend=f'Before visitors come, set {setting} to "form" or "links".',
        )


def arrivals(patient: Patient) -> Iterator[Finding]:
    """What shoppers said about whether their items arrived."""
    if not patient.has_database:
        return
    today = patient.site.clock().date()
    try:
        totals = patient.site.counters.totals("locale", since=today - timedelta(days=_ARRIVAL_DAYS), until=today)
    except (StateUnavailable, ConfigError):
        return  # told by the look at the database itself
    found = [finding for total in totals for finding in _of_arrivals(total, patient.site.settings.locales)]
    yield from found or [good("arrivals", "No shopper has reported that a cart did not arrive.")]


def _of_arrivals(total: Total, rows: dict[str, LocaleSettings]) -> Iterator[Finding]:
    arrived, failed = total.counts.get("arrived", 0), total.counts.get("failed", 0)
    if not failed or total.key not in rows:
        return
    many = failed >= _FEWEST_FAILURES and failed * 3 > arrived + failed
    yield Finding(
        level="warning" if many else "note",
        check="arrivals",
        what=f"{total.key}: {failed} of {arrived + failed} shoppers who answered in the last {_ARRIVAL_DAYS} days said "
        "that their items did not arrive.",
        why="What does not arrive is not bought.",
        mend=f'Try the hand-off yourself; while it fails, set ECSCART_LOCALES[{total.key!r}]["handoff"] to "links".',
    )


def disclosures(patient: Patient) -> Iterator[Finding]:
    """The sentence the programme asks for, in the language of each locale."""
    own = patient.site.settings.texts
    languages: dict[str, list[str]] = {}
    for code, row in patient.site.settings.locales.items():
        if row.handoff != "off":
            languages.setdefault(LOCALES[code].language, []).append(code)
    bad = [finding for language, codes in languages.items() for finding in _of_disclosure(language, codes, own)]
    if isinstance(patient.site.catalog, LayeredCatalog):  # which is where prices come from
        bad += _of_disclaimer(list(languages), own)
    yield from bad or [good("disclosure", "The disclosure sentence is there in every language that is needed.")]


def _of_disclosure(language: str, codes: list[str], own: dict[str, str]) -> Iterator[Finding]:
    name = f"disclosure_{language}"
    written = own.get(name, own.get("disclosure"))
    why = "The Associates programme asks for the sentence, clearly visible; without it the account can be closed."
    if written is None and language not in DISCLOSURES:
        yield Finding(
            level="warning",
            check="disclosure",
            what=f"{', '.join(codes)}: there is no disclosure sentence in the language {language!r}; "
            "the English one is shown.",
            why=why,
            mend=f'Copy it from the Operating Agreement of that locale: ECSCART_TEXTS = {{"{name}": "…"}}.',
        )
    elif written is not None and "amazon" not in written.lower() and "アマゾン" not in written:
        yield Finding(
            level="warning",
            check="disclosure",
            what=f"{', '.join(codes)}: your own disclosure sentence does not name Amazon.",
            why=why,
            mend=f'Mend it in ECSCART_TEXTS["{name if name in own else "disclosure"}"].',
        )


def _of_disclaimer(languages: list[str], own: dict[str, str]) -> Iterator[Finding]:
    absent = [language for language in languages if language != "en" and f"disclaimer_{language}" not in own]
    if absent and "disclaimer" not in own:
        yield Finding(
            level="note",
            check="disclosure",
            what=f"The sentence about prices is shown in English where the language is {', '.join(absent)}.",
            why="The Associates programme asks for it beside prices, and shoppers should understand it.",
            mend="Copy it from the programme's policies of that locale: "
            f'ECSCART_TEXTS = {{"disclaimer_{absent[0]}": "…"}}.',
        )
