"""The pages under docs/ say what the code does: settings, texts, rules with their tests, links that lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from flask_ecscart import ECSCart
from flask_ecscart.locales import LOCALES
from flask_ecscart.settings import LocaleSettings, Settings
from flask_ecscart.texts import TEXTS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SETTINGS = (DOCS / "settings.md").read_text()
NAMES = {f"ECSCART_{name.upper()}" for name in Settings.__struct_fields__ if name != "app_secrets"}
OURS = ["going-live", "settings", "deployment", "programme-rules", "troubleshooting", "widget"]


def rows(page: str) -> dict[str, list[str]]:
    """First cell, without its marks, → the other cells, of every table row of a page."""
    found = re.findall(r"^\| (`[^|]*`) \|(.*)\|$", page, flags=re.MULTILINE)
    return {first.strip("`"): [cell.strip() for cell in rest.split(" | ")] for first, rest in found}


def test_every_setting_stands_in_the_one_table_and_no_other() -> None:
    assert {name for name in rows(SETTINGS) if name.startswith("ECSCART_")} == NAMES


def test_every_setting_is_named_where_the_extension_is_documented() -> None:
    assert set(re.findall(r"ECSCART_[A-Z_]+", ECSCart.__doc__ or "")) == NAMES


@pytest.mark.parametrize("shape", [Settings, LocaleSettings])
def test_the_defaults_in_the_table_are_those_of_the_code(shape: type[msgspec.Struct]) -> None:
    table = rows(SETTINGS)
    for field in msgspec.structs.fields(shape):
        name = f"ECSCART_{field.name.upper()}" if shape is Settings else field.name
        if field.default not in (msgspec.NODEFAULT, None, ()):
            assert table[name][0].strip("`") == str(field.default), name


def test_the_readme_names_no_setting_that_is_not_there() -> None:
    named = set(re.findall(r"`(ECSCART_[A-Z]+(?:_[A-Z]+)*)`", (ROOT / "README.md").read_text()))
    assert named <= NAMES
    assert len(named) >= 10


def test_every_locale_setting_and_every_locale_is_explained() -> None:
    assert rows(SETTINGS).keys() >= set(LocaleSettings.__struct_fields__)
    paragraph = SETTINGS[SETTINGS.index("The locales: ") :].partition("\n\n")[0]
    assert set(re.findall(r"\b[A-Z]{2}\b", paragraph)) == set(LOCALES)


def test_every_text_an_owner_may_replace_stands_in_its_table() -> None:
    table = rows(SETTINGS)
    assert {name: table[name][0] for name in TEXTS} == {
        name: words.replace("|", " *or* ") for name, words in TEXTS.items()
    }


def test_every_rule_names_a_test_that_is_there() -> None:
    page = (DOCS / "programme-rules.md").read_text()
    table = [line for line in page.splitlines() if line.startswith("| ")][1:]
    assert len(table) >= 10
    for line in table:
        named = re.findall(r"`(tests/[\w/]+\.py::\w+|widget/test/[\w.-]+)`", line)
        assert named, line
        for test in named:
            file, _, function = test.partition("::")
            assert (ROOT / file).is_file(), test
            assert not function or f"def {function}(" in (ROOT / file).read_text(), test


@pytest.mark.parametrize("name", OURS)
def test_links_between_the_pages_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", (DOCS / f"{name}.md").read_text()):
        if target.startswith("https://"):
            continue
        file, _, heading = target.partition("#")
        path = DOCS / (file or f"{name}.md")
        assert path.is_file(), target
        headings = re.findall(r"^#+ (.*)$", path.read_text(), flags=re.MULTILINE)
        assert not heading or heading in {re.sub(r"[^\w-]", "", one.lower().replace(" ", "-")) for one in headings}
