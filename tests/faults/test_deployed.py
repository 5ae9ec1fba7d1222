"""`python -m example_app.deployed`: two machines, two sites, one cart service. A machine dies, and shoppers shop on."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests

from tests.support.needs import tool
from tests.support.process import Program

LAMP, ARC, BOOK = "B0EXUSLAMP", "B0EXUSFLOR", "B0EXUSBOOK"
PARTS = ["postgresql", "redis", "cart-service", "machine-one", "machine-two", "night-desk"]
pytestmark = [pytest.mark.redis, pytest.mark.postgresql]


class Part(NamedTuple):
    where: str
    pid: int


class Deployed:
    """What the command says it started."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "example_app.deployed", "--port", "0"]
        self.program = Program(command, folder / "deployed.log", cwd=Path.cwd())
        self.program.wait_until(lambda: "Logs: " in self.said, patience=60)
        lines = re.findall(r"^    (\S+) +(\S+) +process (\d+)$", self.said, flags=re.MULTILINE)
        self.parts = {name: Part(where.rstrip("/"), int(pid)) for name, where, pid in lines}
        self.logs = Path(re.findall(r"Logs: (\S+)", self.said)[0])

    @property
    def said(self) -> str:
        return self.program.output.read_text()

    def processes(self) -> list[int]:
        """Every process that was started, workers included."""
        return [pid for part in self.parts.values() for pid in (part.pid, *children(part.pid))]


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:  # it was killed
        return []


def add(shopper: requests.Session, site: str, asin: str) -> None:
    body = {"items": [{"asin": asin, "quantity": 1}]}
    shopper.post(f"{site}/ecscart/v1/carts/US/items", json=body, timeout=15).raise_for_status()


def settled(shopper: requests.Session, site: str) -> dict[str, Any]:
    until = time.monotonic() + 20
    while True:
        answer = shopper.get(f"{site}/ecscart/v1/carts/US", timeout=15)
        if answer.status_code == 200 and not answer.json()["pending"]:
            return dict(answer.json())
        assert time.monotonic() < until, answer.text
        time.sleep(0.1)


def held(cart: dict[str, Any]) -> set[str]:
    return {item["asin"] for item in cart["items"]}


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Deployed]:
    tool(["redis-server"], "redis-server")
    tool(["initdb"], "postgresql")
    one = Deployed(tmp_path)
    try:
        yield one
    finally:
        one.program.stop(with_signal=signal.SIGINT)


def test_one_cart_on_two_machines_two_sites_apart_and_a_dead_machine_costs_nothing(deployed: Deployed) -> None:
    assert list(deployed.parts) == PARTS
    service, first, second, other = (deployed.parts[name].where for name in PARTS[2:])
    well = {"status": "ok", "database": "ok", "redis": "ok", "dispatcher": "ok"}
    for site in (first, second, other):
        assert requests.get(f"{site}/ecscart/healthz", timeout=10).json() == well
    assert requests.get(f"{service}/healthz", timeout=10).text == "ok"

    shopper, neighbour = requests.Session(), requests.Session()
    add(shopper, first, LAMP)
    add(shopper, second, ARC)
    add(neighbour, other, BOOK)
    carts = [settled(shopper, site) for site in (first, second)]
    assert held(carts[0]) == held(carts[1]) == {LAMP, ARC}
    assert carts[0]["subtotal"] == carts[1]["subtotal"]
    assert held(settled(neighbour, other)) == {BOOK}
    assert settled(shopper, other)["items"] == [], "a cookie of one site says nothing on the other"

    one = deployed.parts["machine-one"].pid
    for pid in (one, *children(one)):
        os.kill(pid, signal.SIGKILL)
    add(shopper, second, BOOK)
    cart = settled(shopper, second)
    assert held(cart) == {LAMP, ARC, BOOK}
    add(neighbour, other, LAMP)
    assert held(settled(neighbour, other)) == {BOOK, LAMP}

    leaving = shopper.get(f"{second}{cart['handoff']['action']}", allow_redirects=False, timeout=15)
    assert leaving.headers["Location"].startswith(f"{service}/US/gp/cart/aws-merge.html?")
    page = requests.get(leaving.headers["Location"], timeout=15)
    assert "paperlamp-20" in page.text

    everything = deployed.processes()
    deployed.program.stop(with_signal=signal.SIGINT)
    assert "machine-one has ended; the others go on." in deployed.said
    assert not [pid for pid in everything if Path(f"/proc/{pid}").exists()]
    assert not deployed.logs.exists()
