"""One cart in three looks: as it comes, after dark, and as a till receipt. Each is a page, and a style sheet on it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from flask import Flask, abort, render_template

__all__ = ["THEMES", "Theme", "install"]

_SHEETS = Path(__file__).parent / "static" / "themes"
_COMMENT = re.compile(r"^/\*.*?\*/\n", flags=re.DOTALL)


class Theme(NamedTuple):
    """One look, as its page presents it."""

    name: str
    """In its address, and that of its style sheet `static/themes/<name>.css`; `plain` has none."""
    label: str
    title: str
    lead: str

    @property
    def sheet(self) -> str:
        """What an owner writes to get it, without the comment at its head."""
        path = _SHEETS / f"{self.name}.css"
        return _COMMENT.sub("", path.read_text("utf-8")).strip() if path.is_file() else ""


THEMES = (
    Theme(
        "plain",
        "As it comes",
        "No style sheet at all.",
        "The cart takes its font from the page, and light or dark from its color-scheme. Open it, then change to "
        "one of the other two looks: what you put in is still there.",
    ),
    Theme(
        "night",
        "Night",
        "Somewhere a lamp is on.",
        "A dark look for a page that is always dark: the nine custom properties, and a few parts that let the "
        "drawer float.",
    ),
    Theme(
        "receipt",
        "Receipt",
        "Keep the slip.",
        "The same cart again, printed on till paper. Nothing but documented properties and parts: no script, no "
        "template, no fork.",
    ),
)


def install(app: Flask) -> None:
    """The pages, at `/themes` and `/themes/<name>`."""
    by_name = {theme.name: theme for theme in THEMES}

    @app.get("/themes", defaults={"name": "plain"})
    @app.get("/themes/<name>")
    def themes(name: str) -> str:
        if name not in by_name:
            abort(404)
        return render_template("themes.html", theme=by_name[name], themes=THEMES)
