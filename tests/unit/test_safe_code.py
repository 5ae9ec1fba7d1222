"""Read from the source: secrets are compared in constant time, and nothing runs what it reads."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.support.house import modules

SOURCES = {name: path.read_text() for name, path in modules().items()}
_SECRET = re.compile(r"(?i)(hmac|signature|token|secret|seal|password|\bsid\b|digest$)")
PLAIN = {
    "web.site:sid": "a signed form token was verified before; what it holds is compared with a verified cookie",
    "web.blueprint:digest": "the hash of the widget file stands in every page",
    "service.store:_HMAC": "the name of the row that holds the key",
    "carts:digest": "tells one change of a shopper from another, and both are the shopper's own",
}
"""Comparisons with == of what only sounds like a secret, each with its reason."""
RUNS_WHAT_IT_READS = {"pickle", "cPickle", "dill", "marshal", "shelve", "yaml", "jsonpickle", "subprocess", "ctypes"}


def compared(source: str) -> Iterator[str]:
    """Names that end an operand of == and != and sound like a secret."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(isinstance(how, (ast.Eq, ast.NotEq)) for how in node.ops):
            for operand in [node.left, *node.comparators]:
                name = getattr(operand, "attr", None) or getattr(operand, "id", None)
                if name is not None and _SECRET.search(name):
                    yield name


def runs(source: str) -> Iterator[str]:
    """What could run data: imports of such modules, calls of eval, exec and compile."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in RUNS_WHAT_IT_READS)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in RUNS_WHAT_IT_READS:
            yield str(node.module)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"eval", "exec", "compile"}
        ):
            yield node.func.id


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_no_secret_is_compared_with_an_ordinary_comparison(module: str) -> None:
    assert [name for name in compared(SOURCES[module]) if f"{module}:{name}" not in PLAIN] == []


def test_every_excuse_is_still_needed() -> None:
    found = {f"{module}:{name}" for module, source in SOURCES.items() for name in compared(source)}
    assert PLAIN.keys() - found == set()


@pytest.mark.parametrize("module", ["service.ids", "service.access"])
def test_what_gives_access_is_compared_in_constant_time(module: str) -> None:
    assert "hmac.compare_digest(" in SOURCES[module]


@pytest.mark.parametrize("source", ["ref.hmac == given", "token != kept.token"])
def test_an_ordinary_comparison_of_a_secret_is_found(source: str) -> None:
    assert list(compared(source))


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_nothing_runs_what_it_reads(module: str) -> None:
    assert list(runs(SOURCES[module])) == []


@pytest.mark.parametrize("source", ["import pickle", "from yaml import load", "eval(text)"])
def test_what_could_run_data_is_found(source: str) -> None:
    assert list(runs(source))
