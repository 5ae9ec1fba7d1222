"""An SVG chart of counters that can be read without colours, and by a screen reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from flask_ecscart.state.counters import Total

__all__ = ["draw"]

_SERIES = (("added", "pieces added", "#1f5fa8", "0"), ("sent", "pieces handed off", "#b34700", "1"))
"""Counter, its name, its colour (4.5:1 or better on white) and the index of its pattern."""
_MOST_ROWS = 20
_MOST_LETTERS = 40
_LETTER = 9
_WIDTH, _LEFT, _TOP, _PLOT, _ROW = 860, 60, 84, 260, 34
_STEPS = (1, 2, 4, 6, 8)


def draw(title: str, totals: Sequence[Total], *, upright: bool) -> str:
    """The chart as SVG text: columns over time when `upright`, else a bar for each of the first 20 keys.

    The numbers stand in it as text, so that nothing is said by colour or length alone.
    """
    shown = list(totals) if upright else list(totals)[:_MOST_ROWS]
    body, height = _columns(shown) if upright else _bars(shown)
    sums = {name: sum(total.counts.get(name, 0) for total in totals) for name, *_ in _SERIES}
    said = f"{sums['added']} pieces added, {sums['sent']} pieces handed off in all."
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        'role="img" aria-labelledby="title desc" font-family="system-ui, sans-serif" font-size="13" fill="#1a1a1a">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="desc">{escape(said + " " + _spoken(shown))}</desc>',
        "<defs>",
        *_patterns(),
        "</defs>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="20" y="30" font-size="18" font-weight="600">{escape(title)}</text>',
        f'<text x="20" y="52">{escape(said)}</text>',
        *_legend(),
        *body,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _patterns() -> Iterator[str]:
    for _, _, colour, index in _SERIES:
        stripes = '<path d="M0 8 8 0" stroke="#ffffff" stroke-width="2"/>' if index == "1" else ""
        yield (
            f'<pattern id="p{index}" width="8" height="8" patternUnits="userSpaceOnUse">'
            f'<rect width="8" height="8" fill="{colour}"/>{stripes}</pattern>'
        )


def _legend() -> Iterator[str]:
    for number, (_, name, _, index) in enumerate(_SERIES):
        x = 20 + 150 * number
        yield f'<rect x="{x}" y="62" width="14" height="14" fill="url(#p{index})"/>'
        yield f'<text x="{x + 20}" y="74">{name}</text>'


def _spoken(totals: Sequence[Total]) -> str:
    parts = [
        f"{_named(total)}: {total.counts.get('added', 0)} added, {total.counts.get('sent', 0)} handed off"
        for total in totals
        if total.counts
    ]
    return "; ".join(parts) + "." if parts else "Nothing was counted."


def _columns(totals: Sequence[Total]) -> tuple[list[str], int]:
    top = _ceiling(totals)
    base = _TOP + 30 + _PLOT
    step = (_WIDTH - _LEFT - 30) / max(len(totals), 1)
    bar = max(min(step * 0.38, 28), 1.0)
    lines: list[str] = []
    numbered = bar >= _LETTER * len(str(_most(totals)))
    for fraction in (0, 0.5, 1) if top > 1 else (0, 1):
        y = base - _PLOT * fraction
        lines.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - 20}" stroke="#767676" stroke-width="0.5"/>')
        lines.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{top * fraction:g}</text>')
    every = max(1, round(90 / step))
    for number, total in enumerate(totals):
        middle = _LEFT + step * (number + 0.5)
        lines += _pair(total, middle, bar, base, top, numbered=numbered)
        if number % every == 0:
            lines.append(f'<text x="{middle:.1f}" y="{base + 20}" text-anchor="middle">{escape(_named(total))}</text>')
    return lines, base + 40


def _pair(total: Total, middle: float, bar: float, base: float, top: int, *, numbered: bool) -> Iterator[str]:
    """Two columns; `numbered` when there is room for every number over its column."""
    for number, (name, said, _, index) in enumerate(_SERIES):
        count = total.counts.get(name, 0)
        high = _PLOT * count / top
        x = middle + (number - 1) * bar
        yield (
            f'<rect x="{x:.1f}" y="{base - high:.1f}" width="{bar:.1f}" height="{high:.1f}" fill="url(#p{index})">'
            f"<title>{escape(_named(total))}: {count} {said}</title></rect>"
        )
        if count and numbered:
            at = f'x="{x + bar / 2:.1f}" y="{base - high - 4:.1f}"'
            yield f'<text {at} text-anchor="middle" font-size="11">{count}</text>'


def _bars(totals: Sequence[Total]) -> tuple[list[str], int]:
    top = _ceiling(totals)
    left = 330
    room = _WIDTH - left - 70
    lines: list[str] = []
    for row, total in enumerate(totals):
        y = _TOP + 12 + row * _ROW
        name = _named(total)
        short = name if len(name) <= _MOST_LETTERS else "…" + name[1 - _MOST_LETTERS :]
        lines.append(f'<text x="{left - 10}" y="{y + 16}" text-anchor="end">{escape(short)}</text>')
        for number, (counter, said, _, index) in enumerate(_SERIES):
            count = total.counts.get(counter, 0)
            long = room * count / top
            lines.append(
                f'<rect x="{left}" y="{y + number * 12}" width="{long:.1f}" height="11" fill="url(#p{index})">'
                f"<title>{escape(name)}: {count} {said}</title></rect>"
            )
            lines.append(f'<text x="{left + long + 5:.1f}" y="{y + number * 12 + 10}" font-size="11">{count}</text>')
    return lines, _TOP + 30 + max(len(totals), 1) * _ROW


def _named(total: Total) -> str:
    """The key without control characters, which XML does not allow."""
    return "".join(char if char.isprintable() else "?" for char in total.key) or "(not known)"


def _most(totals: Sequence[Total]) -> int:
    return max((total.counts.get(name, 0) for total in totals for name, *_ in _SERIES), default=0)


def _ceiling(totals: Sequence[Total]) -> int:
    """The next round number above every count that is drawn."""
    most = _most(totals)
    power = 1
    while True:
        for step in _STEPS:
            if step * power >= most:
                return step * power
        power *= 10
