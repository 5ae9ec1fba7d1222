"""The one that sends: takes carts in turn, settles each with as few transactions as it needs, writes what came of it.

`step()` does one thing and says how long there will be nothing to do. Clock, pauses, store and network are injected,
so that the same code runs in a thread, in a process of its own, and under a scheduler that decides every step.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from flask_ecscart.dispatch.account import Account
from flask_ecscart.dispatch.breaker import Breakers
from flask_ecscart.dispatch.known import Reply, State
from flask_ecscart.dispatch.outcome import give_up_outcome, keep_outcome
from flask_ecscart.dispatch.paced import MAY_BE_DONE, DayOver, PacedProvider, VisitOver
from flask_ecscart.dispatch.policy import changed_before, served_by, serves_handoff
from flask_ecscart.dispatch.queue import Gone, Waiting
from flask_ecscart.dispatch.turns import Stopped, Turns
from flask_ecscart.errors import (
    DeadCart,
    ECSCartError,
    NotSent,
    RequestThrottled,
    StateUnavailable,
)
from flask_ecscart.model import Cart
from flask_ecscart.provider import CartProvider
from flask_ecscart.settle import Settler
from flask_ecscart.shopper import Wish

__all__ = ["Dispatcher"]

_log = logging.getLogger("flask_ecscart")
_CANDIDATE = 1.0
"""Seconds between two looks at a lease that another has."""
_IDLE = 5.0
"""Seconds without work after which the lease is given back, so that an idle site writes nothing."""
_POLL = 0.05
"""Seconds between two looks at the queue where other processes cannot wake us."""
_SAY_EVERY = 5.0
_DAY = 86_400


class Dispatcher:
    """Settles the carts of one access key, as long as it has the lease.

    `settler` makes a settler over the paced provider. `patient` keeps the lease of an idle site (a process of its own).
    """

    def __init__(
        self,
        account: Account,
        turns: Turns,
        provider: CartProvider,
        *,
        settler: Callable[[CartProvider], Settler],
        patient: bool = False,
    ) -> None:
        self._queue = account.queue
        self._known = account.known
        self._sessions = account.sessions
        self._exclusive = account.exclusive
        self._tags = account.tags
        self._pace = account.pace
        self._fresh_for = account.fresh_for
        self._now = account.now
        self._bell = account.bell
        self._turns = turns
        self._breakers = Breakers(account.tags, now=account.now)
        self._paced = PacedProvider(
            provider, turns, self._queue, self._breakers, day=self._today, daily=self._pace.daily
        )
        self._settler = settler(self._paced)
        self._patient = patient
        self._led = False
        self._busy_at = self._now()
        self._said_at = self._busy_at
        self._resting_until = 0.0

    # --- one step ---------------------------------------------------------------------------------------

    def step(self) -> float:
        """Serve one cart where one is due; the seconds after which (or after a wake-up) to come again.

        Raises `StateUnavailable` when the store is away: nothing is sent then.
        """
        if not self._lead():
            return _CANDIDATE
        wait = self._turns.prepare_in()
        if wait > 0:
            self._keep_saying()
            return wait
        waiting = self._next()
        if waiting is None:
            return self._idle()
        self._busy_at = self._now()
        self._serve(waiting)
        self._say_state()
        return self._turns.prepare_in()

    def renew(self) -> None:
        """Keep the lease while a transaction is on its way; called every second beside `step`."""
        if self._turns.leads:
            self._turns.lead()

    def await_work(self, seconds: float) -> None:
        """Return when a cart may be waiting. Only who leads is woken by other processes."""
        if self._led:
            self._known.await_work(seconds)
        else:
            self._bell.wait(seconds)

    def hand_back(self) -> None:
        """Let another dispatcher lead at once."""
        self._led = False
        self._turns.hand_back()

    def _lead(self) -> bool:
        if not self._turns.leads and not self._patient and self._queue.is_empty():
            self._led = False
            return False
        leads = self._turns.lead()
        if leads and not self._led:
            self._busy_at = self._now()
            state = self._known.state()
            if state is not None:
                now = self._queue.now()
                self._breakers.restore({locale: until - now for locale, until in state.closed_until.items()})
            self._say_state()
        self._led = leads
        return leads

    def _next(self) -> Waiting | None:
        now = self._queue.now()
        if now < self._resting_until:
            return None
        limit = changed_before(now, self._utilisation())
        return self._queue.next(changed_before=limit, locales=self._breakers.usable())

    def _idle(self) -> float:
        self._keep_saying()
        idle_for = self._now() - self._busy_at
        if idle_for > _IDLE and not self._patient and self._queue.is_empty():
            self.hand_back()
        return _CANDIDATE if self._known.wakes or idle_for > _IDLE else _POLL

    # --- one cart ---------------------------------------------------------------------------------------

    def _serve(self, waiting: Waiting) -> None:
        if waiting.sent not in {None, "get", "lost"}:
            waiting = give_up_outcome(self._exclusive, self._queue, waiting)
        self._paced.visit(waiting)
        wish = self._sessions.read(waiting.shopper).carts.get(waiting.locale, Wish())
        before = msgspec.json.decode(msgspec.json.encode(wish), type=Wish)
        problem: Exception | None = None
        reply: Reply | None = None
        try:
            reply = self._settled(waiting, wish)
        except StateUnavailable:
            raise  # nothing can be written down now; the row still says what was on its way
        except Exception as raised:
            problem = raised
        self._write_down(before, wish, reply, problem)
        self._known.call_waiting(waiting.shopper, waiting.locale)

    def _settled(self, waiting: Waiting, wish: Wish) -> Reply | None:
        """Settle `wish`, which is changed; the reply that shows the cart, None when there is none."""
        last = self._known.reply(waiting.shopper, waiting.locale)
        if last is not None and not last.is_of(wish):
            last = None
        if wish.settled == wish.version and self._suffices(waiting, wish, last):
            return self._verified(waiting, last)
        untouched = wish.settled == wish.version
        cart = self._settle(wish, waiting.locale, None if last is None or untouched else last.cart)
        if cart is not None and self._paced.calls == 0 and last is not None and not self._suffices(waiting, wish, last):
            # Nothing had to be sent, by a reply too old to be shown or left with.
            cart = self._settle(wish, waiting.locale, None)
        if cart is None:
            return None
        asked_at = self._paced.asked_at if self._paced.calls or last is None else last.asked_at
        return self._verified(waiting, Reply(cart=cart, asked_at=asked_at))

    def _settle(self, wish: Wish, locale: str, known: Cart | None) -> Cart | None:
        tag = self._tags[locale]
        try:
            return self._settler.settle(wish, locale, tag, known=known)[0]
        except DeadCart:  # read again, so that it is sure before the cart is given up
            return self._settler.settle(wish, locale, tag)[0]

    def _suffices(self, waiting: Waiting, wish: Wish, last: Reply | None) -> bool:
        if last is None:
            return wish.ref is None and not wish.lines
        if not self._settler.agrees(msgspec.structs.replace(wish, settled=wish.version), last.cart):
            return False
        age = waiting.now - last.asked_at
        if age < 0:  # the clock was set back
            return False
        return served_by(waiting, age, fresh_for=self._fresh_for, utilisation=self._utilisation())

    def _verified(self, waiting: Waiting, reply: Reply | None) -> Reply | None:
        if reply is None or not serves_handoff(waiting):
            return reply
        return msgspec.structs.replace(reply, verified_at=max(waiting.now, reply.asked_at))

    # --- afterwards -------------------------------------------------------------------------------------

    def _write_down(self, before: Wish, wish: Wish, reply: Reply | None, problem: Exception | None) -> None:
        waiting, last = self._paced.waiting, self._paced.last
        if problem is not None and last is not None and wish.ref == last.ref:
            reply = Reply(cart=last, asked_at=self._paced.asked_at)
        lost = isinstance(problem, MAY_BE_DONE)
        settled, changed = problem is None, self._paced.changed
        outcome = keep_outcome(
            self._exclusive, self._queue, waiting, before, wish, settled=settled, changed=changed, lost=lost
        )
        if problem is not None:
            self._put_back(waiting, problem, lost=lost)
        if outcome is not None and reply is not None and not lost:
            self._known.keep_reply(waiting.shopper, waiting.locale, msgspec.structs.replace(reply, outcome=outcome))

    def _put_back(self, waiting: Waiting, problem: Exception, *, lost: bool) -> None:
        if isinstance(problem, (Stopped, Gone, RequestThrottled)):
            self._queue.keep_place(waiting)
            return
        if isinstance(problem, VisitOver):
            self._queue.again(waiting)
            return
        if isinstance(problem, DayOver):
            self._queue.keep_place(waiting)
            self._resting_until = (self._queue.now() // _DAY + 1) * _DAY
            return
        expected = isinstance(problem, ECSCartError)
        kind = type(problem).__name__
        _log.warning(
            "The %s cart service: %s; the cart waits.", waiting.locale, kind, exc_info=None if expected else problem
        )
        backoff = min(2.0**waiting.attempts, 60.0) if not isinstance(problem, NotSent) else 1.0
        self._queue.later(waiting, backoff, unknown=lost)

    def _utilisation(self) -> float:
        recent = self._turns.utilisation()
        if self._pace.daily is None:
            return recent
        elapsed = max(self._queue.now() % _DAY, 600.0) / _DAY
        return max(recent, self._queue.count(f"sent:{self._today()}") / (self._pace.daily * elapsed))

    def _today(self) -> str:
        """The day of the next turn, which may be prepared just before midnight."""
        return str(int((self._queue.now() + self._turns.due_in()) // _DAY))

    def _keep_saying(self) -> None:
        """What was said is kept for a while only, and a long rest must not look like a free key."""
        if self._now() - self._said_at > _SAY_EVERY:
            self._say_state()

    def _say_state(self) -> None:
        self._said_at = self._now()
        now = self._queue.now()
        self._known.keep_state(
            State(
                at=now,
                next_at=now + self._turns.due_in(),
                spacing=self._pace.interval,
                utilisation=self._utilisation(),
                closed_until={locale: now + wait for locale, wait in self._breakers.closed_in().items()},
                resting_until=self._resting_until,
            )
        )
