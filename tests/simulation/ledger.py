"""What shoppers asked for and what they were answered, and the carts that may come of it.

An answered change counts once, at some moment between its asking and its answer; one that was never answered counts
once or not at all, whenever. A cart is right when some order of these moments explains it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Asked", "Ledger", "Lines", "Verdict", "explain"]

Lines = tuple[tuple[str, int, str], ...]
"""(ASIN, pieces, area), in the order of the ASINs."""
_NEVER = 1 << 60
_MOST = 999


@dataclass
class Asked:
    """One change of one shopper's cart of one locale. Moments are steps of the scheduler."""

    kind: str
    """add, set, area, clear, leave, arrived or failed."""
    values: Mapping[str, Any]
    asked_at: int
    answered_at: int = _NEVER
    answered: bool = False
    left_with: Mapping[str, int] | None = None
    """Of a hand-off, what arrived at the retailer; None when nobody looked, or when others changed the cart."""


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a cart: too little, or too much, of something."""

    lost: bool
    over: bool
    text: str


@dataclass
class Ledger:
    """All changes by shopper and locale. `limits`: ASIN → most pieces a cart may hold, 0: none."""

    limits: Mapping[str, int]
    asked: dict[tuple[str, str], list[Asked]] = field(default_factory=dict)

    def note(self, shopper: str, locale: str, kind: str, now: int, **values: Any) -> Asked:
        """Remember that something is asked for now."""
        one = Asked(kind, values, now)
        self.asked.setdefault((shopper, locale), []).append(one)
        return one

    def drop(self, shopper: str, locale: str, one: Asked) -> None:
        """Forget what was answered with a refusal: it changed nothing."""
        self.asked[shopper, locale].remove(one)

    def answered(self) -> int:
        """How many changes were answered."""
        return sum(one.answered for every in self.asked.values() for one in every)

    def judge(self, shopper: str, locale: str, found: Lines, *, areas: bool = True) -> Verdict | None:
        """None when `found` is a cart the changes may have come to, its `areas` aside if these do not matter."""
        every = self.asked.get((shopper, locale), [])
        possible = explain(every, self.limits)
        if not areas:
            found, possible = _without_areas(found), {_without_areas(lines) for lines in possible}
        if found in possible:
            return None
        have = {asin: pieces for asin, pieces, _ in found}
        sums = [{asin: pieces for asin, pieces, _ in lines} for lines in possible]
        asins = {asin for one in (*sums, have) for asin in one}
        lost = not sums or any(have.get(asin, 0) < min(one.get(asin, 0) for one in sums) for asin in asins)
        over = any(have.get(asin, 0) > max(one.get(asin, 0) for one in sums) for asin in asins) if sums else False
        expected = " or ".join(sorted(map(_shown, possible))) or "nothing that explains the hand-offs"
        text = f"{shopper} {locale}: {_shown(found)} instead of {expected}"
        return Verdict(lost or not over, over, text)


_State = tuple[Lines, Lines | None]
"""What is in the cart, and what left with an unanswered hand-off."""
_Held = dict[str, tuple[int, str]]


def explain(every: Sequence[Asked], limits: Mapping[str, int]) -> set[Lines]:
    """All carts that some order of the changes comes to."""
    ordered = sorted(every, key=lambda one: one.asked_at)
    answered = sum(1 << index for index, one in enumerate(ordered) if one.answered)
    seen: set[tuple[int, _State]] = set()
    ends: set[Lines] = set()
    stack: list[tuple[int, _State]] = [((1 << len(ordered)) - 1, ((), None))]  # a bit for each that is left
    while stack:
        here = stack.pop()
        if here in seen:
            continue
        seen.add(here)
        left, state = here
        if not left & answered:
            ends.add(state[0])  # what was never answered need not have happened
        first_answer = min((one.answered_at for index, one in enumerate(ordered) if left >> index & 1), default=_NEVER)
        for index, one in enumerate(ordered):
            if one.asked_at > first_answer:
                break
            if left >> index & 1:
                rest = left & ~(1 << index)
                stack.extend((rest, after) for after in _after(one, state, limits))
                if not one.answered:
                    stack.append((rest, state))
    return ends


def _after(one: Asked, state: _State, limits: Mapping[str, int]) -> Iterator[_State]:
    """What a change makes of a cart; nothing when it cannot have been then."""
    lines, left = state
    if one.kind == "leave":
        if one.left_with is None or {asin: pieces for asin, pieces, _ in lines} == dict(one.left_with):
            yield (), lines
    elif one.kind == "arrived":
        yield lines, None
    elif one.kind == "failed":
        held = _held(lines)
        for asin, pieces, area in left or ():
            had = held.get(asin)
            held[asin] = (pieces + had[0], had[1]) if had else (pieces, area)
        yield _lines(held, limits), None
    else:
        held = _held(lines)
        _CHANGES[one.kind](held, one.values)
        yield _lines(held, limits), left


def _add(held: _Held, values: Mapping[str, Any]) -> None:
    for asin, pieces in values["items"]:
        held[asin] = (held.get(asin, (0, ""))[0] + pieces, "active")


def _set(held: _Held, values: Mapping[str, Any]) -> None:
    if values["asin"] in held:
        held[values["asin"]] = (values["pieces"], held[values["asin"]][1])


def _area(held: _Held, values: Mapping[str, Any]) -> None:
    if values["asin"] in held:
        held[values["asin"]] = (held[values["asin"]][0], values["area"])


def _clear(held: _Held, _values: Mapping[str, Any]) -> None:
    held.clear()


_CHANGES: dict[str, Callable[[_Held, Mapping[str, Any]], None]] = {
    "add": _add,
    "set": _set,
    "area": _area,
    "clear": _clear,
}


def _held(lines: Lines) -> _Held:
    return {asin: (pieces, area) for asin, pieces, area in lines}


def _lines(lines: _Held, limits: Mapping[str, int]) -> Lines:
    kept = {asin: (min(pieces, limits[asin], _MOST), area) for asin, (pieces, area) in lines.items()}
    return tuple((asin, *kept[asin]) for asin in sorted(kept) if kept[asin][0])


def _without_areas(lines: Lines) -> Lines:
    return tuple((asin, pieces, "active") for asin, pieces, _ in lines)


def _shown(lines: Lines) -> str:
    return "[" + " ".join(f"{asin[-1]}{pieces}{'s' if area == 'saved' else ''}" for asin, pieces, area in lines) + "]"
