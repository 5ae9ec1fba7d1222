"""The example site, and a shop embedded by somebody else's blog, in front of a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page

from example_app.site import create_app
from tests.support.blog import Blog
from tests.support.shop import Shop
from tests.support.web import Site


@pytest.fixture
def page(serve: Callable[..., Site], page: Page) -> Page:
    """The page of a new visitor, closed before the servers it talks to are stopped."""
    return page


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


@pytest.fixture
def blog(serve: Callable[..., Site]) -> Blog:
    """A page on another origin."""
    written = Blog()
    written.port = serve(written.app).port
    return written


class Embedded(Shop):
    """A shop that answers at `url`; `stop()` and `start()` take it away and bring it back on the same port."""

    url = ""
    running: Site
    serve: Callable[..., Site]

    def start(self, port: int = 0) -> None:
        """Answer requests."""
        self.running = self.serve(self.app, port)
        self.url = self.running.url

    def restart(self) -> None:
        """Answer on the same port again."""
        self.start(self.running.port)

    @property
    def script(self) -> str:
        """The script tag a blog author pastes."""
        return f'<script type="module" src="{self.url}/ecscart/ecscart.js"></script>'

    @property
    def cart_element(self) -> str:
        """The mini-cart."""
        return f'<ecs-cart><a href="{self.url}/ecscart/cart">Cart</a></ecs-cart>'

    def button(self, asin: str, locale: str = "US", quantity: int = 1, label: str = "Add to cart") -> str:
        """A button for an ASIN."""
        link = f"{self.url}/ecscart/add?asin={asin}&amp;locale={locale}&amp;quantity={quantity}"
        element = f'<ecs-add-to-cart asin="{asin}" locale="{locale}" quantity="{quantity}">'
        return f'{element}<a href="{link}">{label} {asin}</a></ecs-add-to-cart>'


@pytest.fixture
def make_embedded(tmp_path: Path, serve: Callable[..., Site], blog: Blog) -> Iterator[Callable[..., Embedded]]:
    """`make_embedded(ECSCART_…=…)`: a running shop the blog may embed."""
    made: list[Embedded] = []

    def make(**config: object) -> Embedded:
        config.setdefault("ECSCART_ALLOWED_ORIGINS", [blog.origin])
        shop = Embedded(tmp_path / f"shop{len(made)}", **config)
        shop.serve = serve
        shop.start()
        made.append(shop)
        return shop

    yield make
    for shop in made:
        shop.site.database.close()


@pytest.fixture
def embedded(make_embedded: Callable[..., Embedded]) -> Embedded:
    """The shop the blog embeds."""
    return make_embedded()
