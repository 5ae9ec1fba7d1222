"""The command group every command of the package belongs to."""

from __future__ import annotations

from flask.cli import AppGroup

__all__ = ["ecscart"]

ecscart = AppGroup("ecscart", help="The shopping cart: examine a site, look after its catalog, report, serve carts.")
