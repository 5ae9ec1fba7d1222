"""Refuses every connection that would leave this machine, and remembers it: no test needs one.

An audit hook sees what any library does and replaces nothing. Names below `.invalid` never resolve
(RFC 2606), so tests may use them for a host that is not there.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Any

__all__ = ["LeftTheMachine", "attempts", "install"]


class LeftTheMachine(RuntimeError):
    """A test tried to reach another machine. Start a server on 127.0.0.1 instead (fixture `serve`)."""


attempts: list[str] = []
"""Where connections were refused, oldest first."""
_installed: list[bool] = []


def install() -> None:
    """Guard this process from now on; a second call does nothing."""
    if not _installed:
        _installed.append(True)
        sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.sendto"}:
        sock, address = arguments
        if sock.family in {socket.AF_INET, socket.AF_INET6}:
            _check(address[0])
    elif event == "socket.getaddrinfo":
        _check(arguments[0])


def _check(host: str | bytes | None) -> None:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if not name or name == "localhost":
        return
    if name.endswith(".invalid"):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    if not _is_loopback(name):
        attempts.append(name)
        raise LeftTheMachine(f"A test tried to reach {name}; tests stay on this machine.")


def _is_loopback(name: str) -> bool:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
