"""The way to the cart service and back, and the service: requests arrive, are done, are answered, or none of these.

The service keeps the rules of `tests.support.cart_rules`, which the real one is held against elsewhere. A request that
was sent arrives whether or not its sender still lives.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

import msgspec

from flask_ecscart.errors import (
    AccountLimitExceeded,
    ECSCartError,
    InternalError,
    MalformedReply,
    NotSent,
    OutcomeUnknown,
    RequestThrottled,
    error_from_code,
)
from flask_ecscart.model import Cart, CartFault, CartItem, CartRef, ItemChange, NewItem, Offer, Product
from tests.simulation.scheduler import Process, Scheduler, Task
from tests.support.cart_rules import Refused, Rules, Seen

__all__ = ["FAULTS", "UNANSWERED", "WEIGHTS", "Network", "Request", "Service", "Way", "shape"]

_TIMEOUT = 10.0
FAULTS = ("throttled", "not sent", "lost", "cut", "answer lost", "malformed", "internal", "late", "slow", "account")
"""What may happen to a request. `lost` and `cut`: before it was done; `answer lost` and `malformed`: after it."""
WEIGHTS: tuple[float, ...] = (24, 8, 14, 8, 22, 10, 8, 4, 6, 0.3)
UNANSWERED = tuple(2.0 * (fault in {"answer lost", "malformed", "throttled"}) for fault in FAULTS)
"""Everything is done, or nothing, and nothing comes late."""


class Service:
    """Remote carts of all locales. Product `limits`: most pieces; 0: not for sale by remote cart."""

    def __init__(self, locales: Sequence[str], limits: Mapping[str, int]) -> None:
        products = [_product(locale, asin, limit) for locale in locales for asin, limit in limits.items()]
        self.rules = Rules(products, datetime.fromtimestamp(0, timezone.utc))
        self.refs: list[CartRef] = []
        self.handed_off: dict[str, dict[str, int]] = {}
        self.touched_by_others: dict[str, float] = {}
        """CartId → when something other than the site's own dispatcher last changed how it looks."""

    def create(self, locale: str, tag: str, items: Sequence[NewItem]) -> Cart:
        ref = CartRef(
            locale=locale,
            cart_id=f"{len(self.refs):03}-0000000-0000000",
            hmac=f"secret-hmac-{len(self.refs)}=",
            associate_tag=tag,
        )
        seen = self._done(lambda: self.rules.create(locale, items))
        self.refs.append(ref)
        return _cart(ref, seen)

    def add(self, ref: CartRef, items: Sequence[NewItem]) -> Cart:
        return _cart(ref, self._done(lambda: self.rules.add(self._number(ref), items, genuine=self._genuine(ref))))

    def modify(self, ref: CartRef, changes: Sequence[ItemChange]) -> Cart:
        named = [
            ((change.cart_item_id[1:], 0), "items" if change.cart_item_id[0] == "C" else "saved", change)
            for change in changes
        ]
        return _cart(ref, self._done(lambda: self.rules.modify(self._number(ref), named, genuine=self._genuine(ref))))

    def clear(self, ref: CartRef) -> Cart:
        self._done(lambda: self.rules.clear(self._number(ref), genuine=self._genuine(ref)))
        return Cart(ref=ref)

    def get(self, ref: CartRef) -> Cart:
        return _cart(ref, self._done(lambda: self.rules.get(self._number(ref), genuine=self._genuine(ref))))

    def visit(self, purchase_url: str) -> dict[str, int]:
        """What arrives at the retailer: ASIN → pieces; nothing from a dead cart."""
        ref = self.refs[int(purchase_url.rpartition("=")[2])]
        try:
            seen = self.rules.purchase(self._number(ref))
        except Refused:
            return {}
        self.handed_off[ref.cart_id] = {line.asin: line.quantity for line in (*seen.items, *seen.saved)}
        return self.handed_off[ref.cart_id]

    def expire(self, number: int, now: float) -> None:
        """The cart dies before its time."""
        cart = self.rules._carts[number]
        cart.dies_at = self.rules.now - timedelta(seconds=1)
        self.touched_by_others[self.refs[number].cart_id] = now

    def set_available(self, asin: str, now: float, *, available: bool) -> None:
        """In stock, or not, everywhere."""
        for key, product in self.rules.products.items():
            if key[1] == asin:
                offer = msgspec.structs.replace(
                    product.offers[0], availability="in_stock" if available else "out_of_stock"
                )
                self.rules.products[key] = msgspec.structs.replace(product, offers=(offer,))
        for ref in self.refs:
            self.touched_by_others[ref.cart_id] = now

    def alive(self) -> dict[str, CartRef]:
        """Carts that hold something and have not ended."""
        found = {}
        for ref, cart in zip(self.refs, self.rules._carts, strict=True):
            if cart.lines and not cart.ended and cart.dies_at is not None and cart.dies_at > self.rules.now:
                found[ref.cart_id] = ref
        return found

    def _number(self, ref: CartRef) -> int:
        return int(ref.cart_id[:3])

    def _genuine(self, ref: CartRef) -> bool:
        return self._number(ref) < len(self.refs) and self.refs[self._number(ref)] == ref

    def _done(self, run: Callable[[], Seen]) -> Seen:
        try:
            return run()
        except Refused as refused:
            code, asin = refused.problems[0]
            raise error_from_code(code, f"The item {asin} was refused.") from None


@dataclass
class Request:
    """One transaction on its way."""

    sender: Task
    process: Process
    operation: str
    run: Callable[[], Cart]
    sent_at: float
    stray: bool = False
    """It arrives although the sender is dead, was paused, or no longer has the turn: the rate need not be kept."""
    answer: Cart | ECSCartError | None = None
    finished: bool = False
    """Its sender knows what came of it, or that nobody will say."""


@dataclass
class Network:
    """All requests of all processes. `faults`: part of the requests that meet one; `enforces`: 503 above the rate."""

    scheduler: Scheduler
    service: Service
    rng: random.Random
    faults: float = 0.0
    weights: tuple[float, ...] = WEIGHTS
    enforces: bool = False
    interval: float = 1.0
    is_leader: Callable[[Process], bool] = lambda _process: True
    calls: int = 0
    too_early: list[str] = field(default_factory=list)
    """Requests that came sooner than an interval after the one before, strays aside."""
    strays: int = 0
    excused_until: float = 0.0
    """Until when the rate may be missed, because the store forgot who sent last."""
    _last_at: float = float("-inf")
    _last: Request | None = None

    def way_of(self, process: Process) -> Way:
        """The provider as one process has it."""
        return Way(self, process)

    def send(self, process: Process, operation: str, run: Callable[[], Cart], cart_id: str | None) -> Cart:
        scheduler = self.scheduler
        scheduler.step(f"send {operation}")
        fault = self.rng.choices(FAULTS, self.weights)[0] if self.rng.random() < self.faults else ""
        if fault == "not sent":
            raise NotSent("no connection")
        request = Request(scheduler.current, process, operation, run, scheduler.now)
        there = self.rng.uniform(0.005, 0.15)
        if fault == "slow":
            there = self.rng.uniform(0.5, 4)
        elif fault == "late":
            there = self.rng.uniform(11, 40)
        if fault == "lost":
            scheduler.say(f"{operation} of {process.name} is lost")
        elif fault == "cut":
            scheduler.say(f"{operation} of {process.name} is cut off")
        else:
            scheduler.call_at(scheduler.now + there, lambda: self._arrive(request, fault, cart_id))
        scheduler.wait(("answer", id(request)), there if fault == "cut" else _TIMEOUT, f"await {operation}")
        request.finished = True
        if request.answer is None or fault == "answer lost":
            raise OutcomeUnknown("no answer")
        if isinstance(request.answer, ECSCartError):
            raise request.answer
        return request.answer

    def _arrive(self, request: Request, fault: str, cart_id: str | None) -> None:
        scheduler, process = self.scheduler, request.process
        self.service.rules.now = datetime.fromtimestamp(scheduler.now, timezone.utc)
        self.calls += 1
        # Who waits no longer, was held up with its turn in hand, or lost its lease, cannot know that another sends now.
        paused = process.paused_until > request.sent_at - 5 or request.sent_at > process.turn_taken_at + self.interval
        request.stray = fault == "late" or not process.alive or paused or not self.is_leader(process)
        if not request.stray:
            self._watch_rate(request)
        else:
            self.strays += 1
            if cart_id is not None:
                self.service.touched_by_others[cart_id] = scheduler.now
        request.answer = self._answer(request, fault)
        shown = type(request.answer).__name__ if isinstance(request.answer, Exception) else shape(request.answer)
        scheduler.say(
            f"{request.operation} of {process.name} arrives{' as a stray' if request.stray else ''}"
            f"{': ' + fault if fault else ''} -> {shown}"
        )
        after = _TIMEOUT if fault == "answer lost" and self.rng.random() < 0.5 else self.rng.uniform(0.005, 0.15)
        scheduler.notify(("answer", id(request)), after=after)

    def _answer(self, request: Request, fault: str) -> Cart | ECSCartError:
        if fault == "throttled":
            return RequestThrottled("Too fast.", retry_after=self.rng.choice([None, 2.0, 5.0]))
        if fault == "internal" and self.rng.random() < 0.5:
            return InternalError("We failed.")
        if fault == "account":
            return AccountLimitExceeded("Spent.")
        try:
            answer: Cart | ECSCartError = request.run()
        except ECSCartError as refused:
            answer = refused
        if fault == "internal":
            return InternalError("We failed after it was done.")
        return answer if fault != "malformed" else MalformedReply("no cart")

    def _watch_rate(self, request: Request) -> None:
        now, last = self.scheduler.now, self._last
        gap = now - self._last_at
        # Its sender lost the lease while it waited for the answer: both of its threads were held up for seconds.
        overtaken = last is not None and not last.finished and last.process is not request.process
        self.strays += overtaken
        if gap < self.interval - 1e-3 and now > self.excused_until and not overtaken:
            self.too_early.append(f"{request.operation} of {request.process.name} came {gap:.3f} s after another")
        self._last_at, self._last = now, request


class Way:
    """A `CartProvider` over the network."""

    def __init__(self, network: Network, process: Process) -> None:
        self._network = network
        self._process = process

    def create(self, locale: str, associate_tag: str, items: Sequence[NewItem]) -> Cart:
        wanted = tuple(items)
        return self._send("create", None, lambda: self._network.service.create(locale, associate_tag, wanted))

    def add(self, ref: CartRef, items: Sequence[NewItem]) -> Cart:
        wanted = tuple(items)
        return self._send("add", ref, lambda: self._network.service.add(ref, wanted))

    def modify(self, ref: CartRef, changes: Sequence[ItemChange]) -> Cart:
        wanted = tuple(changes)
        return self._send("modify", ref, lambda: self._network.service.modify(ref, wanted))

    def clear(self, ref: CartRef) -> Cart:
        return self._send("clear", ref, lambda: self._network.service.clear(ref))

    def get(self, ref: CartRef) -> Cart:
        return self._send("get", ref, lambda: self._network.service.get(ref))

    def _send(self, operation: str, ref: CartRef | None, run: Callable[[], Cart]) -> Cart:
        return self._network.send(self._process, operation, run, ref.cart_id if ref is not None else None)


def shape(cart: Cart) -> str:
    """A cart in a few characters, for the trace."""
    items = ",".join(f"{item.asin[-1]}{item.quantity}" for item in cart.items)
    saved = ",".join(f"{item.asin[-1]}{item.quantity}" for item in cart.saved)
    return f"cart {cart.ref.cart_id[:3]} [{items}{'|' + saved if saved else ''}]"


def _product(locale: str, asin: str, limit: int) -> Product:
    kind = "digital" if limit == 0 else "product"
    offer = Offer(offer_listing_id=None, limit=limit or None)
    return Product(locale=locale, asin=asin, title=asin, kind=kind, offers=(offer,))


def _cart(ref: CartRef, seen: Seen) -> Cart:
    return Cart(
        ref=ref,
        items=tuple(
            CartItem(cart_item_id="C" + line.asin, asin=line.asin, quantity=line.quantity) for line in seen.items
        ),
        saved=tuple(
            CartItem(cart_item_id="S" + line.asin, asin=line.asin, quantity=line.quantity) for line in seen.saved
        ),
        purchase_url=f"https://www.amazon.com/gp/cart/aws-merge.html?cart={int(ref.cart_id[:3])}",
        faults=tuple(CartFault(code, f"The item {asin} was refused.") for code, asin in seen.faults),
    )
