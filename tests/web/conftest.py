"""A shop over a fresh database, with a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.shop import Shop


@pytest.fixture
def make_shop(tmp_path: Path, clock: FakeClock) -> Iterator[Callable[..., Shop]]:
    """`make_shop(ECSCART_…=…)`: further shops, each with a database of its own."""
    made: list[Shop] = []

    def make(**config: Any) -> Shop:
        shop = Shop(tmp_path / f"shop{len(made)}", clock=clock, **config)
        made.append(shop)
        return shop

    yield make
    for shop in made:
        shop.site.database.close()


@pytest.fixture
def shop(make_shop: Callable[..., Shop]) -> Shop:
    """The shop and one shopper."""
    return make_shop()
