"""`flask ecscart dispatch`: a process of its own that sends to a remote provider, and how it is doing."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import NoReturn

import click
from flask.cli import with_appcontext

from flask_ecscart.cli.group import ecscart
from flask_ecscart.dispatch import Remote, Runner
from flask_ecscart.errors import ECSCartError
from flask_ecscart.web.site import current_site

__all__: list[str] = []


@ecscart.command("dispatch")
@click.option("--status", is_flag=True, help="Print how many carts wait and what was sent, and end.")
@with_appcontext
def dispatch(*, status: bool) -> None:
    """Send to the remote cart service from a process of its own. Stops within a second of SIGTERM.

    Not needed: without it one of the web workers sends. With it, the workers only take over when it is gone.
    """
    remote = current_site().remote
    if remote is None:
        raise click.ClickException('There is nothing to dispatch: ECSCART_PROVIDER is "embedded".')
    try:
        if status:
            _print_status(remote)
        else:
            _run(remote)
    except ECSCartError as problem:
        raise click.ClickException(str(problem)) from problem


def _run(remote: Remote) -> None:
    runner = Runner(lambda holder, pause: remote.dispatchers(f"process-{holder}", pause, patient=True))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    try:
        runner.start()
        click.echo(f"Dispatching as process {os.getpid()}; stop it with SIGTERM.")
        runner.wait()
    finally:
        runner.stop()


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)  # not Event.set(): the main thread may hold the event's own lock at this moment


def _print_status(remote: Remote) -> None:
    for one in remote.status():
        leaving, looking, changed = one.waiting
        click.echo(f"{', '.join(one.locales)}")
        click.echo(f"  waiting: {leaving} to leave, {looking} to be shown, {changed} changed")
        click.echo(f"  sent today: {one.sent_today}, refused as too fast: {one.throttled} in all")
        click.echo(f"  orphaned carts: {one.orphans} in all (they expire by themselves)")
        if one.utilisation is None:
            click.echo("  nobody dispatches now; the next change or look begins it")
        else:
            click.echo(f"  dispatching, {one.utilisation:.0%} of the turns used")
        if one.unreachable:
            click.echo(f"  not answering: {', '.join(one.unreachable)}")
