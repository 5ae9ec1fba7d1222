"""Shoppers who follow a seeded schedule, ask again with the same key until they are answered, and remember what was.

`Shopper.expected` is what the answers promised; `check_kept()` compares it with the carts that are handed off.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from sqlalchemy import text

from flask_ecscart.service.purchase_url import read_purchase_query
from tests.faults.points import DIE_AT
from tests.support.shop import CHILD, GERMAN, LAMP, MUG, Shop

__all__ = ["Shopper", "arrived", "check_kept", "drive", "handed_off", "lines_of", "shoppers_of"]

SOLD = {"US": [LAMP, MUG, CHILD, *(f"B0TEST{number:04d}" for number in range(6))], "DE": [GERMAN]}
TAGS = {"US": "lamp-20", "DE": "lampe-21"}
_PATIENCE = 60.0


class Shopper:
    """A browser with a cookie. Its changes are repeated until they are answered; several threads may use it (tabs).

    `machines`: where else the site is; every request goes to any of them.
    """

    def __init__(self, url: str, rng: random.Random, machines: Sequence[str] = ()) -> None:
        self.machines = (url, *machines)
        self.expected: dict[str, Counter[str]] = {"US": Counter(), "DE": Counter()}
        self.added = 0
        """Pieces by which answered changes raised a line."""
        self.refusals: Counter[int] = Counter()
        """Status of every answer that was not a success; 0 for no answer at all."""
        self._rng = rng
        self._lock = threading.Lock()
        self.cookie = ""
        self.cookie = self._answered("POST", "/v1/shopper", json=None).cookies["ecscart"]

    # --- one change ---------------------------------------------------------------------------------------

    def add(self, locale: str, wanted: dict[str, int], die_at: int = 0) -> None:
        """Put pieces in; what is there gets more."""
        items = [{"asin": asin, "quantity": pieces} for asin, pieces in wanted.items()]
        self._change("POST", locale, items, die_at)
        with self._lock:
            self.expected[locale].update(wanted)
            self.added += sum(wanted.values())

    def set(self, locale: str, asin: str, pieces: int, die_at: int = 0) -> None:
        """Set the quantity of a line; 0 removes it."""
        self._change("PATCH", locale, [{"asin": asin, "quantity": pieces}], die_at)
        self.added += max(0, pieces - self.expected[locale][asin])
        self.expected[locale][asin] = pieces

    def clear(self, locale: str, die_at: int = 0) -> None:
        """Empty the cart."""
        self._change("DELETE", locale, [], die_at)
        self.expected[locale].clear()

    def follow_schedule(
        self, steps: int, *, only_adds: bool, die_at: Callable[[random.Random], int], pause: float = 0.0
    ) -> None:
        """Make `steps` changes; `die_at` says at which point the first attempt of each kills its worker (0: none).

        With a `pause` (seconds, about) between them the shopper also looks at the cart now and then.
        """
        with self._lock:
            rng = random.Random(self._rng.random())
        for _ in range(steps):
            locale = "DE" if rng.random() < 0.2 else "US"
            held = [asin for asin, pieces in self.expected[locale].items() if pieces]
            kind = "add" if only_adds or not held else rng.choices(["add", "set", "clear"], [12, 6, 1])[0]
            if kind == "add":
                some = rng.sample(SOLD[locale], rng.randint(1, min(3, len(SOLD[locale]))))
                self.add(locale, {asin: rng.randint(1, 3) for asin in some}, die_at(rng))
            elif kind == "set":
                self.set(locale, rng.choice(held), rng.randint(0, 9), die_at(rng))
            else:
                self.clear(locale, die_at(rng))
            if pause:
                time.sleep(rng.uniform(0, 2 * pause))
                if rng.random() < 0.4:
                    self.cart(locale)

    # --- looking and leaving ------------------------------------------------------------------------------

    def cart(self, locale: str) -> dict[str, Any]:
        """The cart as the API shows it."""
        return dict(self._answered("GET", f"/v1/carts/{locale}", json=None).json())

    def leave(self, ticket: str, die_at: int = 0) -> str:
        """Where the ticket of a hand-off leads."""
        return self._answered("GET", ticket.removeprefix("/ecscart"), json=None, die_at=die_at).headers["Location"]

    def say(self, locale: str, outcome: str) -> None:
        """Answer for a hand-off."""
        self._answered("POST", f"/v1/carts/{locale}/handoff", json={"outcome": outcome})

    # --- asking again -------------------------------------------------------------------------------------

    def _change(self, method: str, locale: str, items: list[dict[str, Any]], die_at: int) -> requests.Response:
        body = {"items": items} if items else None
        return self._answered(method, f"/v1/carts/{locale}/items", json=body, key=uuid.uuid4().hex, die_at=die_at)

    def _answered(
        self, method: str, path: str, *, json: Any, key: str | None = None, die_at: int = 0
    ) -> requests.Response:
        headers = {"Connection": "close", "Cookie": f"ecscart={self.cookie}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        deadline = time.monotonic() + _PATIENCE
        while True:
            extra = {DIE_AT: str(die_at)} if die_at else {}
            die_at = 0
            try:
                answer = requests.request(
                    method,
                    f"{random.choice(self.machines)}/ecscart{path}",
                    json=json,
                    headers=headers | extra,
                    timeout=30,
                    allow_redirects=False,
                )
            except requests.RequestException:
                self.refusals[0] += 1
            else:
                if answer.status_code < 400:
                    return answer
                self._remember_refusal(answer)
            assert time.monotonic() < deadline, f"{method} {path} was not answered in {_PATIENCE:g} s"
            time.sleep(0.02)

    def _remember_refusal(self, answer: requests.Response) -> None:
        self.refusals[answer.status_code] += 1
        assert answer.status_code == 503, f"{answer.status_code} {answer.text}"
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.json()["code"] == "unavailable"


def lines_of(cart: dict[str, Any]) -> dict[str, int]:
    """ASIN → pieces of a cart as the API shows it."""
    return {item["asin"]: item["quantity"] for item in cart["items"]}


def shoppers_of(url: str, seed: int, shoppers: int, machines: Sequence[str] = ()) -> list[Shopper]:
    """Some shoppers of the site at `url`."""
    return [Shopper(url, random.Random(f"{seed}/{number}"), machines) for number in range(shoppers)]


def drive(shoppers: Sequence[Shopper], steps: int, die_at: Callable[[random.Random], int], pause: float = 0.0) -> None:
    """Let all follow their schedules at once; every third has two tabs, which add only (what adds up has no order)."""
    with ThreadPoolExecutor(2 * len(shoppers)) as threads:
        going = []
        for number, shopper in enumerate(shoppers):
            two_tabs = number % 3 == 2
            going += [
                threads.submit(shopper.follow_schedule, steps, only_adds=two_tabs, die_at=die_at, pause=pause)
                for _ in range(2 if two_tabs else 1)
            ]
        for one in going:
            one.result()


def check_kept(shop: Shop, shoppers: Iterable[Shopper]) -> None:
    """Every answered change is in the cart that is handed off, once, under the right tag; there is no other cart."""
    everybody = list(shoppers)
    expected = {
        (number, locale): {asin: pieces for asin, pieces in wanted.items() if pieces}
        for number, shopper in enumerate(everybody)
        for locale, wanted in shopper.expected.items()
    }
    shown = {(number, locale): lines_of(everybody[number].cart(locale)) for number, locale in expected}
    assert shown == expected
    _check_one_cart_each(shop)
    _check_counters(shop, everybody)
    for (number, locale), wanted in expected.items():
        if wanted:
            assert handed_off(shop, everybody[number], locale) == (wanted, TAGS[locale])


def handed_off(shop: Shop, shopper: Shopper, locale: str) -> tuple[dict[str, int], str]:
    """Leave with the cart: what arrives at the retailer, and the Associate tag it is credited to."""
    action = shopper.cart(locale)["handoff"]["action"]
    location = shopper.leave(action)
    assert "/demo/" in location, f"{action} led to {location}"
    return arrived(shop, location, locale)


def arrived(shop: Shop, location: str, locale: str) -> tuple[dict[str, int], str]:
    """What a PurchaseURL brings to the retailer, and the tag. The cart is over afterwards."""
    sent = read_purchase_query(location.partition("?")[2])
    assert shop.site.service is not None
    cart = shop.site.service.purchase(locale, sent["cart-id"], sent["hmac"], sent["associate-id"])
    return {item.asin: item.quantity for item in cart.items if item.asin}, cart.ref.associate_tag


def _check_one_cart_each(shop: Shop) -> None:
    """Every cart that exists is known to exactly one session and locale, and each of these has one."""
    with shop.site.database.reading() as connection:
        kept = [row.id for row in connection.execute(text("SELECT id FROM ecscart_sessions"))]
        carts = sorted(row.cart_id for row in connection.execute(text("SELECT cart_id FROM ecscart_remote_carts")))
    wishes = [wish for id_ in kept for wish in shop.site.sessions.read(id_).carts.values()]
    assert sorted(wish.ref.cart_id for wish in wishes if wish.ref is not None) == carts


def _check_counters(shop: Shop, shoppers: Sequence[Shopper]) -> None:
    """What the owner is told was added is what shoppers were told: no repetition was counted."""
    with shop.site.database.reading() as connection:
        added = connection.execute(text("SELECT sum(n) FROM ecscart_counters WHERE what = 'added'")).scalar_one()
    assert added == sum(shopper.added for shopper in shoppers)
