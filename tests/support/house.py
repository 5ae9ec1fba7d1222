"""The rules of the house, read from the source: who may import whom, what is public, how long a room may be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

__all__ = [
    "LAYERS",
    "forbidden_imports",
    "forbidden_text",
    "long_functions",
    "modules",
    "project_files",
    "public_names",
    "room_of",
    "stated_names",
]

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "flask_ecscart"

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"cli"}),
    frozenset({"extension"}),
    frozenset({"doctor", "metrics"}),
    frozenset({"web"}),
    frozenset({"carts"}),
    frozenset({"settle", "dispatch"}),
    frozenset({"matching", "wishes", "happenings"}),
    frozenset({"ecs", "service", "sessions", "handoff"}),
    frozenset({"catalog"}),
    frozenset({"state"}),
    frozenset({"settings", "provider", "model", "locales", "clock", "texts", "shopper", "signals"}),
    frozenset({"errors"}),
)
"""Rooms from top to bottom. An arrow goes down, never up and never to a neighbour."""
NEIGHBOURS = frozenset({"settle", "dispatch"}), LAYERS[-2]
"""Layers whose rooms may import each other: one thought in two files, and the words all others are made of."""
KNOW_FLASK = frozenset({"__init__", "cli", "extension", "doctor", "metrics", "web", "sessions", "service.http"})
"""Only these may import Flask; the others are used without it."""

_SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__", "dist", "build", "test-results", "instance"})
_REGISTRIES = (
    "pypi" + r"\.org",
    "pythonhosted" + r"\.org",
    r"registry\.[a-z0-9-]+" + r"\.(?:org|com)",
    "npmmirror" + r"\.",
)
_FOLDERS = ("work", "root", "tmp")
_FORBIDDEN_TEXT = re.compile(
    "|".join(_REGISTRIES) + r"|(?<![\w.~}-])/(?:" + "|".join(_FOLDERS) + r")/[\w.-]+",
)


def modules() -> dict[str, Path]:
    """Every module of the package: dotted name below it (`state.sql`, `state`, `__init__`) → file."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)] = path
    return found


def room_of(module: str) -> str:
    """The room a module belongs to: its first name."""
    return module.partition(".")[0]


def forbidden_imports(module: str, source: str) -> list[str]:
    """What `module` (dotted name below the package) imports against the arrows, with the line it does so."""
    if module == "__init__":  # public names only: it may take them from anywhere
        return []
    wrong = []
    for line, imported in _imports(module, source):
        if imported.partition(".")[0] in {"flask", "flask_session"}:
            if not any(module == place or room_of(module) == place for place in KNOW_FLASK):
                wrong.append(f"{module}:{line} imports {imported}: only {sorted(KNOW_FLASK)} know Flask")
        elif imported.partition(".")[0] == PACKAGE.name:
            target = imported.partition(".")[2]
            if not _may_import(room_of(module), room_of(target)):
                wrong.append(f"{module}:{line} imports {imported}: arrows point down the list of LAYERS only")
    return wrong


def stated_names(source: str) -> list[str] | None:
    """The names in `__all__`, None when there is none."""
    for node in ast.parse(source).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            return list(ast.literal_eval(node.value))  # type: ignore[attr-defined]
    return None


def public_names(source: str, *, with_imports: bool) -> set[str]:
    """The names a module defines without a leading underscore; with those it imports, for a package's front door."""
    return {name for name in _top_names(ast.parse(source).body, with_imports) if not name.startswith("_")}


def long_functions(source: str, limit: int) -> dict[str, int]:
    """Functions longer than `limit` lines, signature and docstring included: name → lines."""
    lengths = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > limit:
                lengths[node.name] = length
    return lengths


def project_files() -> list[Path]:
    """Every file of the project that is not made by a tool."""
    return [
        path
        for path in sorted(ROOT.rglob("*"))
        if path.is_file() and not _is_made(path.relative_to(ROOT)) and path.suffix not in {".pyc", ".db"}
    ]


def forbidden_text(text: str) -> list[str]:
    """Hosts of package registries and paths of somebody's machine: neither means anything to a reader elsewhere."""
    return _FORBIDDEN_TEXT.findall(text)


def _is_made(path: Path) -> bool:
    folders = path.parts[:-1]
    hidden = any(part.startswith(".") and part != ".ci" for part in folders)
    return hidden or not _SKIPPED_FOLDERS.isdisjoint(folders) or any(part.endswith(".egg-info") for part in folders)


def _imports(module: str, source: str) -> Iterator[tuple[int, str]]:
    """Line and absolute dotted name of every import, wherever in the module it stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                yield node.lineno, f"{PACKAGE.name}.{room_of(module)}"  # refused by the caller's own test
            elif base == PACKAGE.name:
                yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, base


def _may_import(importer: str, imported: str) -> bool:
    if importer == imported:
        return True
    level = {room: number for number, layer in enumerate(LAYERS) for room in layer}
    if importer not in level or imported not in level:
        return False
    if level[importer] == level[imported]:
        return any({importer, imported} <= group for group in NEIGHBOURS)
    return level[importer] < level[imported]


def _top_names(body: list[ast.stmt], with_imports: bool) -> Iterator[str]:
    for node in body:
        match node:
            case ast.FunctionDef() if any(map(_hands_over, node.decorator_list)):
                pass
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Assign():
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name()):
                yield node.target.id
            case ast.Import() | ast.ImportFrom() if with_imports:
                yield from (alias.asname or alias.name for alias in node.names)
            case ast.If():
                yield from _top_names(node.body, with_imports)
            case _:
                pass


def _hands_over(decorator: ast.expr) -> bool:
    """Whether it is like `@blueprint.get("/…")` or `@group.command()`: reached by URL or command, not by name."""
    return isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute)
