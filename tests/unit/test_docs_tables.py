"""The tables of docs/faults-and-security.md: every row says what keeps it, and what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.house import ROOT

PAGE = (ROOT / "docs" / "faults-and-security.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ")]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", PAGE)))
_HEADS = {"fault", "risk"}
_WITHOUT_A_TEST = ("does not apply: ",)


def is_there(name: str, root: Path = ROOT) -> bool:
    file, _, function = name.partition("::")
    path = root / file
    return path.is_file() and (not function or f"\ndef {function}(" in path.read_text())


@pytest.mark.parametrize("name", NAMED)
def test_every_test_named_is_there(name: str) -> None:
    assert is_there(name)


def test_a_test_that_is_not_there_is_noticed() -> None:
    assert not is_there("tests/unit/test_docs_tables.py::test_nothing_of_this_name")
    assert not is_there("tests/unit/test_nothing_of_this_name.py")
    assert is_there("tests/unit/test_docs_tables.py::test_every_test_named_is_there")


def test_every_row_names_a_test_or_says_why_it_does_not_apply() -> None:
    assert len(ROWS) > 60
    empty = []
    for row in ROWS:
        risk, kept_by = (cell.strip() for cell in row.strip("|").split("|"))
        if risk not in _HEADS and "`tests/" not in kept_by and not kept_by.startswith(_WITHOUT_A_TEST):
            empty.append(risk)
    assert empty == []
