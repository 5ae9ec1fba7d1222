"""Writing down what a settling reached: compare and set, so that whoever comes late does no harm."""

from __future__ import annotations

from flask_ecscart.dispatch.account import Exclusive
from flask_ecscart.dispatch.queue import CHANGED, Queue, Waiting
from flask_ecscart.shopper import Wish

__all__ = ["give_up_outcome", "keep_outcome"]


def give_up_outcome(exclusive: Exclusive, queue: Queue, waiting: Waiting) -> Waiting:
    """Nobody will ever say what became of the operation that was on its way: no earlier reply stands for the cart."""
    with exclusive(waiting.shopper, waiting.locale) as kept:
        kept.wish(waiting.locale).outcome += 1
        return queue.outcome_lost(waiting)


def keep_outcome(  # noqa: PLR0913 - what was known before, what is known now, and of which row
    exclusive: Exclusive,
    queue: Queue,
    waiting: Waiting,
    before: Wish,
    after: Wish,
    *,
    settled: bool,
    changed: bool,
    lost: bool = False,
) -> int | None:
    """Keep what became of `before`; the `Wish.outcome` under which a reply may be kept, None when none may.

    `changed`: the remote cart may no longer be what an earlier reply showed. When another cart won meanwhile, ours is
    an orphan that expires by itself, and is counted. When another dispatcher wrote what it changed meanwhile, nobody
    knows in which order the service heard of both, so the cart is read again. When the shopper changed something
    meanwhile, only the reference is kept and the cart waits for another turn.
    """
    with exclusive(waiting.shopper, waiting.locale) as kept:
        wish = kept.wish(waiting.locale)
        overtaken = wish.ref != before.ref or wish.outcome != before.outcome
        wish.outcome += changed
        if overtaken:
            if after.ref is not None and after.ref not in (before.ref, wish.ref):
                queue.add("orphans")
            queue.put(waiting.shopper, waiting.locale, CHANGED)
            queue.again(waiting)
            return None
        after.outcome = wish.outcome
        if settled and wish.version == before.version:
            kept.carts[waiting.locale] = after
            queue.done(waiting)
            return wish.outcome
        if settled:
            queue.again(waiting)
        _keep_part(wish, before, after, finished=settled, lost=lost)
        return wish.outcome


def _keep_part(wish: Wish, before: Wish, after: Wish, *, finished: bool, lost: bool) -> None:
    """Of a settling that was overtaken by a change, or did not end: the reference, and what was refused."""
    if after.ref is not None:
        wish.ref = after.ref
    elif before.ref is not None:
        return  # it seemed dead, but no new one could be made: the next turn begins with another look
    if wish.version == before.version and not finished and not lost:
        # Refused by name, one by one: not to be asked for again.
        wish.lines, wish.notices, wish.last_notice = after.lines, after.notices, after.last_notice
