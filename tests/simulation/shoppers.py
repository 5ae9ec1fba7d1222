"""Shoppers with tabs, as the widget behaves: a change has a key and is sent again until it is answered or given up."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from flask_ecscart.carts import Carts, CartView, cart_mark
from flask_ecscart.errors import ECSError, RequestThrottled, StateUnavailable
from flask_ecscart.model import CartRef, NewItem
from flask_ecscart.wishes import LineChange
from tests.simulation.goods import LIMITS, A, B
from tests.simulation.ledger import Asked, Ledger, Lines
from tests.simulation.scheduler import Process, Scheduler
from tests.simulation.troubles import Troubles
from tests.simulation.world import TAGS, Lost, Worker, World, shown_to

__all__ = ["CALM", "LEAVING", "RESTLESS", "Client", "Leaver", "Mood", "Street", "Tab"]

_KINDS = ["add", "set", "remove", "area", "clear", "look", "leave"]
_ATTEMPTS = 8
_INTERFERENCE = 45.0
"""Seconds: a reply that verified a hand-off is younger, so what others did longer ago has been seen."""


@dataclass(frozen=True)
class Mood:
    """What shoppers do, how much of it, and how long they think. `wavers`: how many of them change one thing only.

    `halts`: how many requests are held up for long at one of their steps.
    """

    weights: tuple[int, ...]
    changes: tuple[int, ...]
    pauses: tuple[float, ...]
    wavers: float
    halts: float = 0.02
    halts_leaving: float = 0.05
    shoppers: tuple[int, ...] = (1, 1, 2, 3)
    tabs: tuple[int, ...] = (1, 2, 2)


CALM = Mood((40, 22, 6, 6, 3, 14, 12), (2, 3, 4, 6, 8), (0.05, 0.5, 1.0, 3.0), 0.3)
RESTLESS = Mood((4, 46, 1, 1, 1, 25, 22), (7, 12), (0.2, 0.7), 1.0, tabs=(1, 1, 1, 2))
"""All change between one and two of the same and leave, in the time for which a reply is good."""
LEAVING = Mood((30, 0, 0, 0, 0, 0, 70), (7, 10), (1.0,), 0.0, 0.0, 1.0, shoppers=(1,), tabs=(2,))
"""One tab leaves while another still puts things in."""


@dataclass
class Street:
    """Where shoppers meet a site."""

    world: World
    scheduler: Scheduler
    rng: random.Random
    troubles: Troubles
    ledger: Ledger
    browsers: Process
    mood: Mood
    open_tabs: int = 0
    wrong: list[str] = field(default_factory=list)

    def check_view(self, worker: Worker, view: CartView, shopper: str) -> None:
        """No CartId and no HMAC of any cart is in what a shopper sees."""
        if self.rng.random() < 0.05:
            shown = shown_to(worker, view, shopper)
            if any(ref.cart_id in shown or ref.hmac in shown for ref in self.world.service.refs):
                self.wrong.append(f"{shopper} sees a secret")

    def closed(self) -> None:
        """A tab has nothing more to do; a while after the last, all is healed."""
        self.open_tabs -= 1
        if not self.open_tabs:
            if self.mood is LEAVING:
                self.scheduler.call_at(self.scheduler.now + self.rng.uniform(0, 2), self.troubles.expire_last)
            rest = self.rng.uniform(2, 4 if self.mood is LEAVING else 20)
            self.scheduler.call_at(self.scheduler.now + rest, self.troubles.heal)


class Client:
    """A browser: asks again until it is answered."""

    patience: Sequence[float] = (4, 15, 15)

    def __init__(self, street: Street, shopper: str, name: str) -> None:
        self.street = street
        self.scheduler = street.scheduler
        self.rng = street.rng
        self.shopper = shopper
        self.name = name
        self.asks = 0

    def ask(self, what: str, run: Callable[[Carts], object]) -> object:
        """One attempt. Returns `Lost`, an error or the answer."""
        serving = [worker for worker in self.street.world.serving() if worker.serves_now]
        if not serving:
            self.scheduler.sleep(1.0, "nobody listens")
            return Lost()
        worker = self.rng.choice(serving)
        dies_in = self.rng.randint(1, 20) if self.rng.random() < self.street.troubles.kill_points else 0
        halts = self.street.mood.halts_leaving if what == "leave" else self.street.mood.halts
        halts_in = self.rng.randint(1, 20) if self.rng.random() < halts and not self.street.troubles.healed else 0
        name, patience = f"{self.name} {what}", self.rng.choice(self.patience)
        answer = worker.ask(name, run, patience=patience, dies_in=dies_in, halts_in=halts_in)
        if isinstance(answer, CartView):
            self.street.check_view(worker, answer, self.shopper)
        if not isinstance(answer, Lost) and self.rng.random() < self.street.troubles.lost_answers:
            return Lost()
        return answer

    def look(self, locale: str, *, times: int) -> CartView | None:
        """The cart, asked for again while it is pending."""
        for _ in range(times):
            answer = self.ask("look", lambda carts: carts.read(self.shopper, locale))
            if isinstance(answer, CartView) and not answer.pending:
                return answer
            after = answer.retry_after if isinstance(answer, (CartView, RequestThrottled, StateUnavailable)) else None
            self.scheduler.sleep(after or 1.0, "look again")
        return None

    def leave(self, locale: str, view: CartView) -> object:
        """The PurchaseURL, None, `Lost` or an error."""
        assert view.wish.ref is not None
        mark = cart_mark(view.wish.ref)
        return self.ask("leave", lambda carts: carts.leave(self.shopper, locale, mark))


class Tab(Client):
    """One tab: some changes, looks and hand-offs, one after the other."""

    def __init__(self, street: Street, shopper: str, name: str, locales: Sequence[str]) -> None:
        super().__init__(street, shopper, name)
        self.locales = locales
        self.pause = self.rng.choice(street.mood.pauses)
        self.wavers = self.rng.random() < street.mood.wavers
        """Cannot decide between one and two of the same."""
        self.gone = False
        """Left with the cart, and has put nothing in since."""
        self.attempts = self.rng.choice([1, _ATTEMPTS, _ATTEMPTS, _ATTEMPTS])

    def run(self) -> None:
        rng = self.rng
        weights = RESTLESS.weights if self.wavers else self.street.mood.weights
        if self.street.mood is LEAVING and self.name.endswith("b"):
            weights = (1, 0, 0, 0, 0, 0, 0)
        for number in range(rng.choice(self.street.mood.changes)):
            self.scheduler.sleep(rng.expovariate(1 / self.pause), "think")
            kind = rng.choices(_KINDS, weights)[0] if number and not (self.wavers and self.gone) else "add"
            getattr(self, f"_{kind}")(rng.choice(self.locales))
        self.street.closed()

    # --- changes ----------------------------------------------------------------------------------------

    def _add(self, locale: str) -> None:
        alone = self.wavers or self.street.mood is LEAVING
        asins = [A] if alone else self.rng.sample(list(LIMITS), self.rng.choice([1, 1, 1, 2]))
        self.gone = False
        items = [(asin, self.rng.choice([1, 1, 2])) for asin in asins]
        wanted = [NewItem(asin=asin, quantity=pieces) for asin, pieces in items]
        self._change("add", locale, lambda carts, key: carts.add(self.shopper, locale, wanted, key), items=items)

    def _set(self, locale: str, pieces: int | None = None) -> None:
        asin = A if self.wavers else self.rng.choice([A, A, B])
        pieces = self.rng.randint(1, 2 if self.wavers else 3) if pieces is None else pieces
        change = [LineChange(asin=asin, quantity=pieces)]
        self._change(
            "set", locale, lambda carts, key: carts.change(self.shopper, locale, change, key), asin=asin, pieces=pieces
        )

    def _remove(self, locale: str) -> None:
        self._set(locale, 0)

    def _area(self, locale: str) -> None:
        asin, area = self.rng.choice([A, B]), self.rng.choice(["active", "saved"])
        change = [LineChange(asin=asin, area=area)]  # type: ignore[arg-type]
        self._change(
            "area", locale, lambda carts, key: carts.change(self.shopper, locale, change, key), asin=asin, area=area
        )

    def _clear(self, locale: str) -> None:
        self._change("clear", locale, lambda carts, key: carts.clear(self.shopper, locale, key))

    def _change(self, kind: str, locale: str, run: Callable[[Carts, str], object], **values: object) -> None:
        self.asks += 1
        key = f"{self.name}{self.asks}"
        ledger = self.street.ledger
        note = ledger.note(self.shopper, locale, kind, self.scheduler.steps, **values)
        for _ in range(self.attempts):
            answer = self.ask(kind, lambda carts: run(carts, key))
            if isinstance(answer, CartView):
                self._answered(note)
                return
            if isinstance(answer, (Lost, StateUnavailable, RequestThrottled)):
                self.scheduler.sleep(self.rng.uniform(0.1, 3), "ask again")
                continue
            if isinstance(answer, ECSError):
                ledger.drop(self.shopper, locale, note)
                return
            raise AssertionError(f"{kind} was answered {answer!r}") from (
                answer if isinstance(answer, BaseException) else None
            )

    def _answered(self, note: Asked) -> None:
        note.answered, note.answered_at = True, self.scheduler.steps
        self.scheduler.say(f"{self.name} has an answer: {note.kind} {note.values}")

    # --- looking and leaving ----------------------------------------------------------------------------

    def _look(self, locale: str) -> None:
        self.look(locale, times=self.rng.choice([1, 1, 3]))

    def _leave(self, locale: str) -> None:
        for _ in range(4):
            view = self.look(locale, times=6)
            if view is None or view.cart is None or not view.cart.items or self.street.world.ways.embedded:
                return
            if self._left(locale, view):
                return
            self.scheduler.sleep(self.rng.uniform(0.1, 1), "leave again")

    def _left(self, locale: str, view: CartView) -> bool:
        """Whether the shopper is gone; else there may be something to see first, or no answer came."""
        note = self.street.ledger.note(self.shopper, locale, "leave", self.scheduler.steps)
        answer = self.leave(locale, view)
        if isinstance(answer, str):
            self._visit(locale, answer, note)
            return True
        if answer is None:
            self.street.ledger.drop(self.shopper, locale, note)
        elif not isinstance(answer, (Lost, StateUnavailable, RequestThrottled)):
            raise AssertionError(f"leaving was answered {answer!r}")
        return False

    def _visit(self, locale: str, url: str, note: Asked) -> None:
        self._answered(note)
        self.gone = True
        service = self.street.world.service
        ref = service.refs[int(url.rpartition("=")[2])]
        visits = self.rng.random() < 0.9
        if visits:
            arrived = service.visit(url)
            self.scheduler.say(f"{self.name} arrives with {arrived}")
            touched = service.touched_by_others.get(ref.cart_id, 0.0)
            if touched < self.scheduler.now - _INTERFERENCE and not self.street.world.clock_was_set:
                note.left_with = arrived
            if ref.associate_tag != TAGS[locale]:
                self.street.wrong.append(f"{self.name} left with the tag {ref.associate_tag}")
        outcome = "arrived" if visits else "failed"
        answer_note = self.street.ledger.note(self.shopper, locale, outcome, self.scheduler.steps)
        answer = self.ask(outcome, lambda carts: carts.answer(self.shopper, locale, outcome))
        if isinstance(answer, CartView):
            self._answered(answer_note)


class Leaver(Client):
    """Leaves with a healed cart; `found` is what arrives, None when it could not leave."""

    patience = (300,)

    def __init__(self, street: Street, shopper: str, locale: str) -> None:
        super().__init__(street, shopper, f"leaver-{shopper}-{locale}")
        self.locale = locale
        self.left = False
        self.found: Lines | None = None
        self.was_touched = False
        """A stray may have moved a line to the saved area, from where it is handed off as well."""

    def run(self) -> None:
        self.found = self._leave()
        self.left = True

    def _leave(self) -> Lines | None:
        for attempt in range(20):
            view = self.look(self.locale, times=400)
            if view is None:
                return None
            since = self._touched_for(view.cart.ref) if view.cart is not None else _INTERFERENCE
            unsure = view.cart is not None and bool(view.cart.saved or self.street.world.clock_was_set)
            waits = self.rng.random() < 0.3 or self.street.mood is LEAVING
            if attempt == 0 and (unsure or (since < _INTERFERENCE and not waits)):
                self.ask("forget", self._forget)
                continue
            if attempt == 0 and since < _INTERFERENCE:
                self.scheduler.sleep(_INTERFERENCE - since + 0.1, "wait until a verified reply is too old")
                continue
            if self.street.world.ways.embedded or view.cart is None or not view.cart.items:
                return self._as_shown(view)
            url = self.leave(self.locale, view)
            if isinstance(url, str):
                return self._at_the_retailer(view, url)
            self.scheduler.sleep(1.0, "leave again")
        return None

    def _forget(self, _carts: Carts) -> None:
        """Fleeting state may be lost at any moment; what others did to the cart is then seen at once.

        Where the clock was set back, an old reply looks like a new one once more.
        """
        self.street.world.serving()[0].account.known.forget_reply(self.shopper, self.locale)

    def _touched_for(self, ref: CartRef) -> float:
        """Seconds since somebody else changed the cart."""
        touched = self.street.world.service.touched_by_others.get(ref.cart_id, 0.0)
        self.was_touched = touched > 0
        return self.scheduler.now - touched

    def _as_shown(self, view: CartView) -> Lines:
        """Nothing to leave with: the cart as it is shown (all saved, or empty)."""
        saved = {item.asin: item.quantity for item in view.cart.saved} if view.cart is not None else {}
        items = {item.asin: item.quantity for item in view.cart.items} if view.cart is not None else {}
        both = {asin: (pieces, "active") for asin, pieces in items.items()}
        both |= {asin: (pieces, "saved") for asin, pieces in saved.items()}
        return tuple((asin, *both[asin]) for asin in sorted(both))

    def _at_the_retailer(self, view: CartView, url: str) -> Lines:
        service = self.street.world.service
        tag = service.refs[int(url.rpartition("=")[2])].associate_tag
        if tag != TAGS[self.locale]:
            self.street.wrong.append(f"{self.shopper} would leave with the tag {tag}")
        areas = {asin: area for asin, _, area in self._as_shown(view)}
        arrived = service.visit(url)
        return tuple((asin, arrived[asin], areas.get(asin, "active")) for asin in sorted(arrived))
