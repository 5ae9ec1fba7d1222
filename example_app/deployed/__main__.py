"""Start it all in order, say where it is, and end it all in the other order."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import socket
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from example_app.deployed.programs import Program, gunicorn, listen, postgresql, redis

__all__ = ["main"]

_RATE = "20"
"""Transactions a second of each access key: the service is our own."""
_SUFFIXES = {"US": "20", "UK": "21", "DE": "21", "JP": "22", "FR": "21", "CA": "20"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM, then return the process's exit status."""
    options = _options(arguments)
    stop = threading.Event()

    def close(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, close)
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="ecscart-", ignore_cleanup_errors=True)))
        shop = _Deployment(folder, options.port, options.workers, ending)
        print(shop.welcome, flush=True)
        _watch(shop.programs, stop)
        print("\nClosing the shop.", flush=True)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m example_app.deployed",
        description="Two machines, two sites, one cart service, on this computer.",
    )
    parser.add_argument("--port", type=int, default=8100, help="first port (default: %(default)s; 0: any free ones)")
    parser.add_argument("--workers", type=int, default=2, help="processes of each server (default: %(default)s)")
    return parser.parse_args(arguments)


class _Site(NamedTuple):
    """What all machines of a site have in common. `tag` is what its Associate tags begin with."""

    name: str
    tag: str
    secret_key: str
    access_key: str
    access_secret: str


def _new_site(name: str, tag: str) -> _Site:
    access_key = f"AK{secrets.token_hex(8).upper()}"
    return _Site(name, tag, secrets.token_urlsafe(32), access_key, secrets.token_urlsafe(30))


class _Deployment:
    """Everything that runs. What `ending` holds is ended in the other order, also when a later part does not start."""

    def __init__(self, folder: Path, port: int, workers: int, ending: ExitStack) -> None:
        self.programs: list[Program] = []
        self._folder = folder
        self._ending = ending
        self._workers = workers
        self._lines: list[str] = []
        lamp, desk = _new_site("paper-lamp", "paperlamp"), _new_site("night-desk", "nightdesk")
        databases = self._databases(["carts", lamp.name, desk.name])
        shared = self._redis()
        carts = self._service(listen(port), databases["carts"], [lamp, desk])
        for name, site in (("machine-one", lamp), ("machine-two", lamp), ("night-desk", desk)):
            env = {**_site_env(site, databases[site.name], carts), **shared}
            self._serve(name, "create_site", listen(port and port + 1), env, health="/ecscart/healthz")

    @property
    def welcome(self) -> str:
        """What runs where."""
        what = "\n".join(self._lines)
        return f"\n  Deployed on this computer. Ctrl-C ends it.\n\n{what}\n\n  Logs: {self._folder}\n"

    def _databases(self, names: Sequence[str]) -> dict[str, str]:
        found = postgresql(self._folder, names)
        if found is None:
            self._lines.append("    database       SQLite: PostgreSQL is not installed (apt-get install postgresql)")
            return {name: f"sqlite:///{self._folder / name}.db" for name in names}
        self._started(found[0], "127.0.0.1")
        return found[1]

    def _redis(self) -> dict[str, str]:
        found = redis(self._folder)
        if found is None:
            self._lines.append("    shared state   the database: Redis is not installed (apt-get install redis-server)")
            return {}
        self._started(found[0], found[1])
        return {"ECSCART_REDIS_URL": found[1]}

    def _service(self, listener: socket.socket, database: str, sites: Sequence[_Site]) -> str:
        file = self._folder / "keys"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as lines:
            lines.writelines(f"{site.access_key}:{site.access_secret}\n" for site in sites)
        address = _address(listener)
        env = {"CARTS_DATABASE_URL": database, "CARTS_KEYS_FILE": str(file), "CARTS_RATE": _RATE}
        self._serve("cart-service", "create_service", listener, {**env, "CARTS_ADDRESS": address}, health="/healthz")
        return address

    def _serve(self, name: str, factory: str, listener: socket.socket, env: Mapping[str, str], *, health: str) -> None:
        with listener:
            address = _address(listener)
            factory = f"example_app.deployed.wsgi:{factory}()"
            program = gunicorn(name, factory, listener, self._folder, workers=self._workers, env=env)
        self._started(program, f"{address}/")
        program.wait_until(lambda: _is_well(f"{address}{health}"))

    def _started(self, program: Program, where: str) -> None:
        self._ending.callback(program.stop)
        self.programs.append(program)
        self._lines.append(f"    {program.name:14} {where:28} process {program.pid}")


def _site_env(site: _Site, database: str, carts: str) -> dict[str, str]:
    """The environment of every machine of a site: on real ones a file that systemd reads (docs/deployment.md)."""
    locales = {
        code: {
            "associate_tag": f"{site.tag}{'' if code == 'US' else code.lower()}-{suffix}",
            "handoff": "purchase_url",
            "endpoint": f"{carts}/{code}/onca/xml",
        }
        for code, suffix in _SUFFIXES.items()
    }
    return {
        "SECRET_KEY": site.secret_key,
        "ECSCART_PROVIDER": "ecs",
        "ECSCART_ACCESS_KEY": site.access_key,
        "ECSCART_SECRET_KEY": site.access_secret,
        "ECSCART_LOCALES": json.dumps(locales),
        "ECSCART_DATABASE_URL": database,
        "ECSCART_RATE": _RATE,
    }


def _address(listener: socket.socket) -> str:
    return "http://{}:{}".format(*listener.getsockname()[:2])


def _is_well(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)  # noqa: PLR2004
    except OSError:
        return False


def _watch(programs: Sequence[Program], stop: threading.Event) -> None:
    """Return when told to stop; what ends by itself meanwhile is said, and the others go on."""
    ended: set[str] = set()
    while not stop.wait(0.5):
        for program in programs:
            if not program.runs and program.name not in ended:
                ended.add(program.name)
                print(f"  {program.name} has ended; the others go on.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
