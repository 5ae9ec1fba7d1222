"""What a machine may lack: said once here, a skip on a developer's machine, a failure with CI=true."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import pytest

__all__ = ["axe_core", "in_ci", "missing", "recorded_folder", "tool"]

_ROOT = Path(__file__).resolve().parents[2]
_DEBIAN_FOLDERS = {"initdb": "/usr/lib/postgresql", "postgres": "/usr/lib/postgresql"}


def in_ci() -> bool:
    """Whether a skip counts as a failure."""
    return os.environ.get("CI") == "true"


def tool(names: Iterable[str], package: str) -> str:
    """The path of the first program of `names` that is here; else the test ends, naming the Debian `package`."""
    for name in names:
        if found := shutil.which(name):
            return found
        if folder := _DEBIAN_FOLDERS.get(name):
            newest_last = sorted(Path(folder).glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
            if newest_last:
                return str(newest_last[-1])
    return missing(f"{package} is not installed. Get it with: apt-get install {package}")


def missing(reason: str) -> NoReturn:
    """End this test: skipped, or failed with CI=true."""
    if in_ci():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def recorded_folder() -> Path | None:
    """Where recorded replies of the real service lie, if this machine has them."""
    named = os.environ.get("ECSCART_RECORDED")
    folder = Path(named) if named else _ROOT.parent / "shared" / "recorded"
    return folder if folder.is_dir() else None


def axe_core() -> str:
    """The source of axe-core, which finds faults of accessibility in a page."""
    path = _ROOT / "widget" / "node_modules" / "axe-core" / "axe.min.js"
    return (
        path.read_text()
        if path.is_file()
        else missing("axe-core is not installed. Get it with: cd widget && npm install")
    )
