"""The example site in front of a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from example_app.site import create_app
from tests.support.web import Site


@pytest.fixture
def example(tmp_path: Path) -> Iterator[Flask]:
    """The example app with a database of its own."""
    app = create_app(instance=tmp_path)
    yield app
    app.extensions["ecscart"].database.close()


@pytest.fixture
def site(example: Flask, serve: Callable[..., Site]) -> Site:
    """The example site on a loopback port."""
    return serve(example)
