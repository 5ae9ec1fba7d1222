"""The house keeps its own rules: arrows, public names, sizes, docstrings, and nothing of somebody's machine."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support.house import (
    LAYERS,
    PACKAGE,
    ROOT,
    forbidden_imports,
    forbidden_text,
    long_functions,
    modules,
    project_files,
    public_names,
    room_of,
    stated_names,
)

MODULES = modules()
MAX_FILE = 300
MAX_FUNCTION = 40
LONGER_FILES = {
    "flask_ecscart/errors.py": "one small class for each code of the wire: a list, nothing to split",
}
"""Files that may be longer, each with its reason."""
LONGER_FUNCTIONS: dict[str, str] = {}
"""Functions that may be longer, as `path::name`, each with its reason."""

every_module = pytest.mark.parametrize("module", sorted(MODULES))
OURS = [
    path
    for folder in ("flask_ecscart", "example_app", "benchmarks", ".ci", "tests/support")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
every_file = pytest.mark.parametrize("path", OURS, ids=[path.relative_to(ROOT).as_posix() for path in OURS])


# --- Arrows --------------------------------------------------------------------------------------------------


@every_module
def test_imports_point_down_the_layers_only(module: str) -> None:
    assert forbidden_imports(module, MODULES[module].read_text()) == []


def test_every_room_has_its_place_in_the_layers() -> None:
    placed = frozenset[str]().union(*LAYERS) | {"__init__"}
    assert {room_of(module) for module in MODULES} - placed == set()


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("errors", "from flask_ecscart.model import Cart"),
        ("state.sql", "import flask_ecscart.carts"),
        ("ecs.client", "from flask_ecscart.service.engine import Engine"),
        ("service.engine", "from flask_ecscart import ecs"),
        ("sessions", "from flask_ecscart.handoff import form"),
        ("catalog.lookup", "def late():\n    from flask_ecscart.ecs.client import ECSClient"),
        ("model", "from flask_ecscart.unplaced import thing"),
        ("model", "from flask_ecscart import ECSCart"),
        ("service.engine", "from flask import current_app"),
        ("ecs.client", "import flask.globals"),
    ],
)
def test_an_arrow_that_points_up_or_sideways_is_found(module: str, source: str) -> None:
    assert len(forbidden_imports(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("cli", "from flask_ecscart.extension import ECSCart"),
        ("settle", "from flask_ecscart.ecs.client import ECSClient"),
        ("locales", "from flask_ecscart.model import Money"),
        ("service.http", "from flask import Flask"),
        ("ecs.client", "from flask_ecscart.ecs.query import sign"),
        ("__init__", "from flask_ecscart.extension import ECSCart"),
    ],
)
def test_an_arrow_that_points_down_is_let_through(module: str, source: str) -> None:
    assert forbidden_imports(module, source) == []


@every_module
def test_imports_within_the_package_are_written_in_full(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text())
    assert [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level] == []


# --- Names and docstrings ------------------------------------------------------------------------------------


@every_module
def test_all_names_exactly_what_is_public(module: str) -> None:
    source = MODULES[module].read_text()
    own = public_names(source, with_imports=False)
    stated = set(stated_names(source) or [])
    assert own - stated == set(), "Name it in __all__, or begin it with an underscore."
    assert stated - public_names(source, with_imports=True) - {"__version__"} == set(), (
        "__all__ names what is not there."
    )
    assert sorted(stated_names(source) or []) == sorted(stated)


@every_file
def test_every_module_has_a_docstring(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


# --- Sizes ---------------------------------------------------------------------------------------------------


@every_file
def test_a_file_fits_its_room(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    excused = path.relative_to(ROOT).as_posix() in LONGER_FILES
    assert lines <= MAX_FILE or excused, f"{lines} lines: split it."
    assert not (excused and lines <= MAX_FILE), "It fits now: take it off LONGER_FILES."


@every_file
def test_a_function_fits_on_a_screen(path: Path) -> None:
    where = path.relative_to(ROOT).as_posix()
    long = {f"{where}::{name}": lines for name, lines in long_functions(path.read_text(), MAX_FUNCTION).items()}
    assert {name: lines for name, lines in long.items() if name not in LONGER_FUNCTIONS} == {}
    excused = {name for name in LONGER_FUNCTIONS if name.startswith(f"{where}::")}
    assert excused <= long.keys(), "It fits now: take it off LONGER_FUNCTIONS."


def test_a_long_function_is_found() -> None:
    source = "def long():\n" + "    x = 1\n" * MAX_FUNCTION
    assert long_functions(source, MAX_FUNCTION) == {"long": MAX_FUNCTION + 1}


# --- Nothing of somebody's machine ---------------------------------------------------------------------------


def test_no_file_names_a_package_registry_or_a_path_of_some_machine() -> None:
    found = {}
    for path in project_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        if wrong := forbidden_text(text):
            found[path.relative_to(ROOT).as_posix()] = wrong
    assert found == {}


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("see https://" + "pypi" + ".org/simple", True),
        ('"resolved": "https://registry.' + "npmjs" + '.org/x"', True),
        ("open('/" + "tmp/x.db')", True),
        ("/" + "work/main", True),
        ("sqlite:////" + "root/cart.db", True),
        ("sqlite:////path/to/file.db", False),
        ("https://shop.example/work/us", False),
        ("{prefix}/tmp/x", False),
    ],
)
def test_a_registry_host_or_machine_path_is_told_from_an_address(text: str, is_found: bool) -> None:
    assert bool(forbidden_text(text)) is is_found


def test_no_lock_file_is_committed() -> None:
    locks = {"package-lock.json", "yarn.lock", "pnpm-lock.yaml", "uv.lock", "poetry.lock", "Pipfile.lock"}
    assert [path for path in project_files() if path.name in locks] == []


# --- Promises ------------------------------------------------------------------------------------------------


def _tests_named_in_invariants() -> list[str]:
    page = (ROOT / "docs" / "invariants.md").read_text()
    return re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?|widget/test/[\w./-]+)`", page)


def test_every_promise_names_a_test_that_is_there() -> None:
    named = _tests_named_in_invariants()
    assert named
    absent = []
    for name in named:
        file, _, function = name.partition("::")
        path = ROOT / file
        if not path.is_file() or (function and f"def {function}(" not in path.read_text()):
            absent.append(name)
    assert absent == []


def test_the_package_is_where_the_rules_look() -> None:
    assert PACKAGE.is_dir()
    assert {"errors", "state.sql", "__init__"} <= MODULES.keys()
