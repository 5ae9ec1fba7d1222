"""The cart service under the control of somebody who tests a shop against it: only with `serve --sandbox`.

`sandboxed(create_app, host=…)` is `create_app` with a clock that can be moved, a catalog that can be changed, faults
that can be ordered and a journal of requests, all steered at `/sandbox/…` (docs/sandbox.md). Nothing of it exists in
an app that was made without. What it keeps is kept in the memory of one process.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect, text

from flask_ecscart.catalog import OfferCatalog
from flask_ecscart.clock import Clock, utc_now
from flask_ecscart.errors import ConfigError
from flask_ecscart.service.sandbox_catalog import ChangeableCatalog
from flask_ecscart.service.sandbox_clock import MovableClock, Sleep, sleep
from flask_ecscart.service.sandbox_control import PREFIX, Control
from flask_ecscart.service.sandbox_faults import Faults
from flask_ecscart.service.sandbox_journal import Journal
from flask_ecscart.service.sandbox_traffic import Traffic
from flask_ecscart.state.sql import Database

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Sandbox", "sandboxed"]

_OWN_TABLES = re.compile(r"ecscart_remote_(?!secrets$)\w+|ecscart_seen_signatures")
"""What carts and requests leave behind in the database; keys and the server's secret stay."""


class Sandbox:
    """A WSGI application: the cart service, with the control surface beside it. `app` is the service itself."""

    def __init__(self, app: Any, control: Control, traffic: Traffic) -> None:
        self.app = app
        self.extensions = app.extensions
        self._control = control
        self._traffic = traffic

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        answer: WSGIApplication = self._traffic
        if path == PREFIX or path.startswith(f"{PREFIX}/"):
            answer = self._control
        return answer(environ, start_response)


def sandboxed(
    create: Callable[..., Any], *, host: str, anywhere: bool = False, sleep: Sleep = sleep
) -> Callable[..., Sandbox]:
    """`create` (the service's `create_app`) with a sandbox around what it makes.

    Whoever reaches the sandbox may empty the service, so a `host` that is not this machine's own is refused with
    `ConfigError` unless `anywhere` says that everybody who can reach it is trusted.
    """
    if not anywhere and not _is_loopback(host):
        raise ConfigError(
            "--host", host, "A sandbox lets everybody who reaches it empty the service: use 127.0.0.1 with --sandbox."
        )

    def create_sandbox(*, catalog: OfferCatalog, clock: Clock = utc_now, **options: Any) -> Sandbox:
        moved, changed = MovableClock(clock), ChangeableCatalog(catalog)
        faults, journal = Faults(), Journal()
        # Signatures and turns stay on the real clock: callers sign by theirs, which the sandbox does not move.
        app = create(catalog=changed, clock=moved, access_clock=clock, **options)
        database = next(part for part in app.extensions.values() if isinstance(part, Database))
        control = Control(
            moved, changed, faults, journal, forget=lambda: _forget(database), hosts=None if anywhere else _LOOPBACK
        )
        return Sandbox(app, control, Traffic(app, faults, journal, clock=clock, sleep=sleep))

    return create_sandbox


_LOOPBACK = frozenset(["localhost", "127.0.0.1", "::1"])


def _is_loopback(host: str) -> bool:
    if host in _LOOPBACK:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _forget(database: Database) -> None:
    """Delete every cart and what was remembered of requests."""
    with database.transaction() as connection:
        for name in sorted(inspect(connection).get_table_names(), reverse=True):
            if _OWN_TABLES.fullmatch(name):
                connection.execute(text(f'DELETE FROM "{name}"'))  # noqa: S608 - a name of our own tables
