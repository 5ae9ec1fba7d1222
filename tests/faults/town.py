"""A remote service that takes so many transactions a second, a site with two workers, and its shoppers."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import create_engine, text

from tests.support.shop import LAMP
from tests.support.web import WorkerSite

__all__ = ["SITE", "Town", "gaps"]

SITE = "tests.support.remote_shop:create_site()"
REMOTE = "tests.support.remote_shop:create_remote()"


class Town:
    """A remote service, a site with two workers, and its shoppers."""

    def __init__(
        self, start: Callable[..., WorkerSite], folder: Path, env: dict[str, str], *, site: str = SITE, **more: Any
    ) -> None:
        self.folder = folder
        rate = env.pop("REMOTE_RATE", "1")
        remote_env = {"REMOTE_FOLDER": str(folder), "REMOTE_RATE": rate, "REMOTE_DELAY": env.pop("REMOTE_DELAY", "0")}
        self.remote = start(REMOTE, 1, remote_env)
        self.env = {"SITE_FOLDER": str(folder / "site"), "REMOTE_URL": self.remote.url, "ECSCART_RATE": rate, **env}
        self.site = start(site, **{"workers": 2, "env": self.env, **more})

    def shopper(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.post(f"{self.site.url}/ecscart/v1/shopper", timeout=10).raise_for_status()
        return session

    def add(self, shopper: requests.Session, asin: str = LAMP, key: str | None = None) -> requests.Response:
        body = {"items": [{"asin": asin, "quantity": 1}]}
        headers = {"Idempotency-Key": key} if key else {}
        return shopper.post(f"{self.site.url}/ecscart/v1/carts/US/items", json=body, headers=headers, timeout=15)

    def read(self, shopper: requests.Session) -> requests.Response:
        return shopper.get(f"{self.site.url}/ecscart/v1/carts/US", timeout=15)

    def settled(self, shopper: requests.Session, patience: float = 60.0) -> dict[str, int]:
        """ASIN → pieces once the remote cart agrees."""
        until = time.monotonic() + patience
        while True:
            response = self.read(shopper)
            if response.status_code == 200 and not response.json()["pending"]:
                return {item["asin"]: item["quantity"] for item in response.json()["items"]}
            assert time.monotonic() < until, f"still pending: {response.status_code} {response.text[:300]}"
            time.sleep(0.2)

    def calls(self) -> list[tuple[float, str, int]]:
        log = self.folder / "calls.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [(float(at), operation, int(status)) for at, operation, status, _ in map(str.split, lines)]

    def calls_of(self, access_key: str) -> list[tuple[float, str, int]]:
        """The calls one access key paid for."""
        keys = [line.split()[3] for line in (self.folder / "calls.log").read_text().splitlines()]
        return [call for call, key in zip(self.calls(), keys, strict=True) if key == access_key]

    def remote_carts(self) -> list[dict[str, int]]:
        """What stands in every cart of the remote service."""
        engine = create_engine(f"sqlite:///{self.folder / 'service.db'}")
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT cart_id, asin, quantity FROM ecscart_remote_lines")).all()
        engine.dispose()
        carts: dict[str, dict[str, int]] = {}
        for cart_id, asin, quantity in rows:
            carts.setdefault(cart_id, {})[asin] = quantity
        return list(carts.values())

    def dispatching_pid(self) -> int:
        """The worker that holds the lease (SQL state)."""
        engine = create_engine(f"sqlite:///{self.folder / 'site' / 'ecscart.db'}")
        with engine.connect() as connection:
            lease = text("SELECT value FROM ecscart_fleeting WHERE name LIKE 'lease:%' AND length(value) > 0")
            value = connection.execute(lease).scalar_one()
        engine.dispose()
        return int(bytes(value).decode().split("-")[0])


def gaps(calls: list[tuple[float, str, int]]) -> list[float]:
    return [later[0] - earlier[0] for earlier, later in itertools.pairwise(calls)]
