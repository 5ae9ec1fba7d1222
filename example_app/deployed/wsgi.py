"""What gunicorn serves. Whatever differs from machine to machine comes from the environment, as on real ones."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask

import example_app.site
from example_app.products import CATALOG
from flask_ecscart.catalog.file import FileCatalog
from flask_ecscart.service.http import create_app
from flask_ecscart.service.keys import read_keys_file

__all__ = ["create_service", "create_site"]


def create_site() -> Flask:
    """A site: SECRET_KEY is the same on all its machines; ECSCART_… say where its carts are (docs/settings.md)."""
    return example_app.site.create_app({"SECRET_KEY": os.environ["SECRET_KEY"]})


def create_service() -> Flask:
    """The cart service of all sites: CARTS_DATABASE_URL, CARTS_KEYS_FILE, CARTS_RATE, CARTS_ADDRESS."""
    return create_app(
        database_url=os.environ["CARTS_DATABASE_URL"],
        catalog=FileCatalog(Path(CATALOG)),
        keys=read_keys_file(os.environ["CARTS_KEYS_FILE"]),
        rate=float(os.environ["CARTS_RATE"]),
        retail_base=os.environ["CARTS_ADDRESS"],
    )
