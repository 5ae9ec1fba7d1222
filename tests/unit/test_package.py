"""What a site owner installs holds everything a shop needs, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.house import PACKAGE, ROOT, project_files


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from these sources with what is installed; nothing is fetched."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    quiet = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    built = subprocess.run([*pip, "--wheel-dir", folder, ROOT], capture_output=True, text=True, check=False, env=quiet)
    assert built.returncode == 0, built.stderr
    (file,) = folder.glob("flask_ecscart-*.whl")
    return file


@pytest.fixture(scope="module")
def contents(wheel: Path) -> list[str]:
    """Names of the files in the wheel."""
    with ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.mark.parametrize("needed", ["py.typed", "static/ecscart.js", "templates/ecscart/", "sample.csv"])
def test_the_wheel_holds_what_runs_without_the_sources(contents: list[str], needed: str) -> None:
    assert [name for name in contents if name.startswith("flask_ecscart/") and needed in name]


def test_the_wheel_holds_every_file_of_the_package(contents: list[str]) -> None:
    ours = {path.relative_to(ROOT).as_posix() for path in project_files() if path.is_relative_to(PACKAGE)}
    assert ours - set(contents) == set()


def test_the_wheel_holds_nothing_but_the_package_and_its_metadata(contents: list[str]) -> None:
    assert {name.partition("/")[0].partition("-")[0] for name in contents} == {"flask_ecscart"}
    folders = {name.partition("/")[0] for name in contents}
    assert len(folders) == 2


def test_the_wheel_carries_the_license(wheel: Path, contents: list[str]) -> None:
    (license_file,) = [name for name in contents if name.endswith("licenses/LICENSE")]
    with ZipFile(wheel) as archive:
        assert archive.read(license_file).startswith(b"MIT License")


def test_the_wheel_runs_on_every_python_we_support(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
