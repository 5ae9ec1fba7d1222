"""Writing down what a settling reached: compare and set, so that whoever comes late does no harm."""

from __future__ import annotations

from flask_ecscart.dispatch.account import Exclusive
from flask_ecscart.dispatch.queue import Queue, Waiting
from flask_ecscart.shopper import Wish

__all__ = ["keep_outcome"]


def keep_outcome(
    exclusive: Exclusive,
    queue: Queue,
    waiting: Waiting,
    before: Wish,
    after: Wish,
    *,
    settled: bool,
    create_lost: bool = False,
) -> bool:
    """Keep what became of `before`; whether the cart of `after` is the shopper's cart now.

    When another cart won meanwhile, ours is an orphan that expires by itself, and is counted. When the shopper
    changed something meanwhile, only the reference is kept and the cart waits for another turn.
    """
    with exclusive(waiting.shopper, waiting.locale) as kept:
        wish = kept.wish(waiting.locale)
        if wish.ref != before.ref:
            if after.ref is not None and after.ref not in (before.ref, wish.ref):
                queue.add("orphans")
            queue.again(waiting)
            return after.ref is not None and after.ref == wish.ref
        if settled and wish.version == before.version:
            kept.carts[waiting.locale] = after
            queue.done(waiting)
            return True
        if after.ref is not None:
            wish.ref = after.ref
        if settled:
            queue.again(waiting)
        elif after.ref is None and before.ref is not None:
            pass  # it seemed dead, but no new one could be made: the next turn begins with another look
        elif wish.version == before.version and not create_lost:
            # Refused by name, one by one: not to be asked for again.
            wish.lines, wish.notices, wish.last_notice = after.lines, after.notices, after.last_notice
        return True
