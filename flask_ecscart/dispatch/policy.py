"""When a transaction is worth its turn. Pure functions of how busy the key is and what a cart waits for."""

from __future__ import annotations

from flask_ecscart.dispatch.queue import CHANGED, HANDOFF, Waiting

__all__ = ["SEND_AT_ONCE", "changed_before", "served_by", "serves_handoff"]

SEND_AT_ONCE = 0.1
"""Below this utilisation turns are free: a change is sent at once."""
_SEND_NOT = 0.2
"""Above it a change is sent only when the cart is shown or handed off: the rest of the turns is for those."""
_LONGEST_DEFERRAL = 120.0
_BUSY = 0.5
_VERIFIED_FOR = 30.0


def changed_before(now: float, utilisation: float) -> float | None:
    """Changes older than this moment are sent now even though nobody looks; None: none are.

    The busier the key, the longer they wait, so that more of them merge and most are never sent at all: a shopper
    who looks or leaves has everything sent at once.
    """
    if utilisation >= _SEND_NOT:
        return None
    share = max(0.0, utilisation - SEND_AT_ONCE) / (_SEND_NOT - SEND_AT_ONCE)
    return now - share * _LONGEST_DEFERRAL


def served_by(waiting: Waiting, age: float, *, fresh_for: float, utilisation: float) -> bool:
    """Whether a last reply of this age, which agrees with what is wanted, spares the transaction."""
    if waiting.priority == CHANGED:
        return True
    if waiting.priority == HANDOFF:
        asked_since = age <= waiting.now - waiting.since
        return asked_since or (utilisation >= _BUSY and age <= min(_VERIFIED_FOR, fresh_for))
    return age <= fresh_for


def serves_handoff(waiting: Waiting) -> bool:
    """Whether the cart waits to be handed off."""
    return waiting.priority == HANDOFF
