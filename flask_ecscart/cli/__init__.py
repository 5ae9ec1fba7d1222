"""`flask ecscart …`: commands for owners and for those who run the cart service on its own."""

from __future__ import annotations

from flask_ecscart.cli import catalog, dispatch, doctor, keys, report, serve, site, upgrade
from flask_ecscart.cli.group import ecscart

__all__ = ["catalog", "dispatch", "doctor", "ecscart", "keys", "report", "serve", "site", "upgrade"]
