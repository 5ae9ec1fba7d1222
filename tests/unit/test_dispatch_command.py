"""`flask ecscart dispatch` sends, says how it is doing, and ends within a second with its turn handed back."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from flask_ecscart.cli import ecscart
from flask_ecscart.state.sql import Database
from tests.support.process import Program
from tests.support.shop import LAMP, Shop
from tests.support.web import WorkerSite


def test_an_embedded_provider_leaves_nothing_to_dispatch(tmp_path: Path) -> None:
    result = Shop(tmp_path).app.test_cli_runner().invoke(ecscart, ["dispatch"])
    assert result.exit_code == 1
    assert "embedded" in result.output


def test_the_command_settles_says_how_it_is_doing_and_hands_back(
    tmp_path: Path, serve_processes: Callable[..., WorkerSite], monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = serve_processes(
        "tests.support.remote_shop:create_remote()", 1, {"REMOTE_FOLDER": str(tmp_path), "REMOTE_RATE": "5"}
    )
    env = {"SITE_FOLDER": str(tmp_path / "site"), "REMOTE_URL": remote.url, "ECSCART_RATE": "5"}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    from tests.support.remote_shop import create_site

    app = create_site()
    site = app.extensions["ecscart"]
    with site.sessions.exclusive("ann") as kept:  # a worker that wrote what is wanted and was killed
        from flask_ecscart import wishes
        from flask_ecscart.model import NewItem

        wishes.add(kept.wish("US"), [NewItem(asin=LAMP, quantity=2)], [LAMP])
        kept.wish("US").version += 1
        site.remote.front("US").note("ann", "US")
    command = [sys.executable, "-m", "flask", "--app", "tests.support.remote_shop:create_site", "ecscart", "dispatch"]
    program = Program(command, tmp_path / "dispatch.log", env={**os.environ, **env}, cwd=Path.cwd())
    try:
        program.wait_until(lambda: site.sessions.read("ann").carts["US"].ref is not None)
        status = app.test_cli_runner().invoke(ecscart, ["dispatch", "--status"])
        assert "waiting: 0 to leave, 0 to be shown, 0 changed" in status.output
        assert "sent today: 1," in status.output
        began = time.monotonic()
        program.stop(with_signal=signal.SIGTERM)
        assert time.monotonic() - began < 1.5
    finally:
        program.stop()
    database = Database(f"sqlite:///{tmp_path / 'site' / 'ecscart.db'}")
    with database.reading() as connection:
        leases = connection.execute(text("SELECT count(*) FROM ecscart_fleeting WHERE name LIKE 'lease:%'"))
        assert leases.scalar_one() == 0
    database.close()
    site.database.close()
