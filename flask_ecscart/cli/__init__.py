"""`flask ecscart …`: commands for owners and for those who run the cart service on its own."""

from __future__ import annotations

from flask_ecscart.cli import serve, site
from flask_ecscart.cli.group import ecscart

__all__ = ["ecscart", "serve", "site"]
