"""docs/going-live.md, followed to the letter in a fresh folder, as far as it goes without a network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.support.process import Program, free_port

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "going-live.md").read_text()
OWN_NAME = "paperlamp"
"""What the reader puts in the place of "yoursite"; the doctor knows that one from manuals."""
NEEDS_A_NETWORK = ("python3 -m venv", "pip install", "gunicorn")


def commands() -> list[str]:
    """Every command of the page, in its order."""
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def save_files(folder: Path) -> list[str]:
    """Write what the page says to save; the names."""
    named = re.findall(r"Save as `([^`]+)`:\n\n```\w+\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    for name, text in named:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text.replace("yoursite", OWN_NAME))
    return [name for name, _ in named]


def environment() -> dict[str, str]:
    """A reader's: the package is installed, nothing is set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ECSCART_", "FLASK_"))}
    programs = Path(sys.executable).parent
    return {**kept, "PATH": f"{programs}{os.pathsep}{kept['PATH']}", "PYTHONPATH": str(ROOT)}


def run(command: str, folder: Path) -> str:
    done = subprocess.run(
        command, shell=True, cwd=folder, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The folder after the commands that end by themselves."""
    assert save_files(tmp_path) == ["app.py", "templates/home.html", "catalog.csv"]
    outputs = {
        command: run(command, tmp_path)
        for command in commands()
        if not command.startswith(NEEDS_A_NETWORK) and command != "flask run"
    }
    assert (
        "https://shop.example.org/ecscart/" in outputs["flask ecscart embed --stable --base https://shop.example.org"]
    )
    assert "ERROR" not in outputs["flask ecscart doctor"]
    return tmp_path


def test_the_page_leads_to_a_site_whose_cart_leaves_with_the_owners_tag(site: Path) -> None:
    port = free_port()
    assert "flask run" in commands()
    program = Program(["flask", "run", "--port", str(port)], site / "flask.log", env=environment(), cwd=site)
    try:
        program.wait_until(lambda: "Running on" in program.output.read_text())
        here = f"http://127.0.0.1:{port}"
        page = requests.get(here, timeout=10).text
        assert page.count("<ecs-add-to-cart") == 2
        assert requests.get(f"{here}/ecscart/healthz", timeout=10).json() == {"status": "ok", "database": "ok"}
        shopper = requests.Session()
        body = {"items": [{"asin": "B000000000", "quantity": 1}]}
        cart = shopper.post(f"{here}/ecscart/v1/carts/US/items", json=body, timeout=10).json()
        part = cart["handoff"]["parts"][0]
        asked = requests.Request("GET", part["action"], params=part["fields"]).prepare().url
        promised = re.search(r"`(https://www\.amazon\.com/gp/aws/cart/add\.html[^`]+)`", PAGE)
        assert promised is not None
        assert asked == promised.group(1).replace("yoursite", OWN_NAME)
        assert cart["items"][0]["title"] == "Brass Reading Lamp"
    finally:
        program.stop()


def test_every_command_is_known_to_be_run_here_or_to_need_a_network() -> None:
    for command in commands():
        known = ("flask ecscart ", "flask run", "python -c ", *NEEDS_A_NETWORK)
        assert command.startswith(known), command
