"""Titles and pictures for the blog's own product cards, from the same file the cart reads."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import flask_ecscart.catalog

__all__ = ["CATALOG", "Card", "read_products"]

CATALOG = Path(flask_ecscart.catalog.__file__).with_name("sample.csv")
"""The sample catalog that comes with Flask-ECSCart."""


class Card(NamedTuple):
    """What a card shows. No price: those may come from Amazon's own API alone."""

    title: str
    image: str


def read_products() -> dict[tuple[str, str], Card]:
    """The cards by locale and ASIN."""
    with CATALOG.open(encoding="utf-8", newline="") as file:
        return {(row["locale"], row["asin"]): Card(row["title"], row["image"]) for row in csv.DictReader(file)}
