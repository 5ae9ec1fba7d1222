"""The words: every language says everything, as the widget says it, and an owner's own are checked."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from flask_ecscart.texts import DISCLAIMER, DISCLOSURES, LANGUAGES, TEXTS, Words, programme_text, text, wrong_texts
from flask_ecscart.texts.widget import WORDS as WIDGET_WORDS

WIDGET = Path(__file__).parents[2] / "widget" / "src" / "words.js"
every_language = pytest.mark.parametrize("language", LANGUAGES)


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def widget_blocks() -> dict[str, list[str]]:
    """The widget's texts: name, English, German, French, Japanese."""
    source = WIDGET.read_text()
    words = source[source.index("`\n") + 2 : source.rindex("\n`")]
    return {block.split("\n")[0]: block.split("\n") for block in words.strip().split("\n\n")}


def widget_words(language: str) -> dict[str, str]:
    """What the widget says in `language`."""
    index = 1 + ["en", "de", "fr", "ja"].index(language)
    table = {name: block[index] for name, block in widget_blocks().items()}

    def whole(text: str) -> str:  # the name of another text in braces stands for that text
        return re.sub(r"\{(\w+)\}", lambda m: whole(table[m[1]]) if m[1] in table else m[0], text)

    return {name: whole(text) for name, text in table.items()}


@every_language
def test_every_language_says_everything_with_the_same_fields(language: str) -> None:
    assert LANGUAGES[language].keys() == TEXTS.keys()
    for name, words in LANGUAGES[language].items():
        for form in words.split("|"):
            assert fields(form) <= fields(TEXTS[name]), name
        assert fields(words) == fields(TEXTS[name]) or name == "asked", name


@every_language
def test_the_pages_and_the_widget_use_the_same_words(language: str) -> None:
    theirs = widget_words(language)
    for name in ("add", "empty", "later", "remove", "subtotal", "title"):  # the widget says some others in fewer words
        assert theirs[name] == LANGUAGES[language][name]


def test_an_owner_may_replace_every_text_of_the_widget_and_name_the_values_it_gives() -> None:
    theirs = {name: block[1] for name, block in widget_blocks().items() if name != "lang"}
    assert {name: theirs[name] for name in theirs.keys() - TEXTS.keys()} == WIDGET_WORDS
    for name, words in theirs.items():
        own = TEXTS.get(name, words)
        assert wrong_texts({name: own, f"{name}_nl": own}) is None, name
        assert fields(own) - {"n"} <= fields(words), name  # {items} brings {n}


@pytest.mark.parametrize(
    ("language", "n", "said"),
    [
        ("en", 1, "Continue to A with 1 item"),
        ("en", 0, "Continue to A with 0 items"),
        ("fr", 0, "Continuer vers A avec 0 article"),
        ("de", 2, "Mit 2 Artikeln weiter zu A"),
        ("ja", 1, "A に進む（1点）"),
        ("xx", 2, "Continue to A with 2 items"),
    ],
)
def test_one_and_more_are_told_apart(language: str, n: int, said: str) -> None:
    assert Words({}, language)("go", n=n, to="A") == said


def test_an_owners_text_goes_by_name_and_by_name_and_language() -> None:
    own = {"add": "Pop it in", "add_de": "Rein damit"}
    assert [Words(own, language)("add") for language in ("en", "de", "fr")] == ["Pop it in", "Rein damit", "Pop it in"]
    assert text(own, "add") == "Pop it in"


def test_a_notice_kept_in_english_is_told_in_the_readers_language() -> None:
    german = Words({}, "de")
    capped = text({}, "quantity_capped", requested=9, actual=3)
    assert german.retold(capped, requested=9, actual=3) == "Sie wollten 9; dieser Verkäufer erlaubt 3."
    refused = text({}, "refused", reason=text({}, "refused_inaccessible"))
    assert german.retold(refused, requested=None, actual=None).endswith("Sein Verkäufer nimmt nicht teil.")
    assert german.retold("Written by somebody else.", requested=1, actual=1) == "Written by somebody else."
    assert Words({}, "en").retold(capped, requested=9, actual=3) == capped


def test_the_programmes_sentences_are_known_owned_or_english() -> None:
    assert programme_text({}, "disclosure", "de") == DISCLOSURES["de"]
    assert programme_text({}, "disclosure", "it") == DISCLOSURES["en"]
    assert programme_text({"disclosure_it": "Mio."}, "disclosure", "it") == "Mio."
    assert programme_text({"disclosure": "Mine."}, "disclosure", "de") == "Mine."
    assert programme_text({}, "disclaimer", "de", retailer="Amazon.de") == DISCLAIMER.format(retailer="Amazon.de")
    assert programme_text({"disclaimer_de": "Ohne {retailer}."}, "disclaimer", "de", retailer="X") == "Ohne X."


@pytest.mark.parametrize(
    ("own", "wrong"),
    [
        ({"ad": "x"}, "no text 'ad'"),
        ({"add_": "x"}, "no text 'add_'"),
        ({"sub_de": "x"}, "no text 'sub_de'"),
        ({"go": "Go to {where}"}, "may hold these fields: {n}, {to}."),
        ({"add": "100 % {sure"}, "brace"),
        ({"add": "{0}"}, "fields: none"),
        ({"part": "{to.__class__}"}, "may hold these fields"),
    ],
)
def test_an_owners_text_that_could_not_be_printed_is_refused(own: dict[str, str], wrong: str) -> None:
    assert wrong in (wrong_texts(own) or "")


def test_good_texts_of_an_owner_are_taken() -> None:
    own = {"add": "Pop it in", "go_de": "Los: {n}|Los: {n}", "disclosure_it": "Mio.", "disclaimer": "{retailer}: {{x}}"}
    assert wrong_texts(own) is None
