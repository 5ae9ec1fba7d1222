"""The posts, newest first. Their texts are templates in `templates/posts/<slug>.html`."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

__all__ = ["POSTS", "STORES", "Post"]

STORES = {
    "US": "Amazon.com",
    "UK": "Amazon.co.uk",
    "DE": "Amazon.de",
    "JP": "Amazon.co.jp",
    "FR": "Amazon.fr",
    "CA": "Amazon.ca",
}
"""What a card calls the shop behind a locale."""


class Post(NamedTuple):
    """One post as the home page shows it."""

    slug: str
    title: str
    summary: str
    date: date
    day: str
    """`date` as the post's language writes it."""
    scene: str
    """Its picture, `static/scenes/<scene>.svg`."""
    alt: str
    topic: str
    lang: str = "en"


POSTS = (
    Post(
        slug="a-corner-to-read-in",
        title="A corner to read in, for very little",
        summary="One chair, one lamp, one flat surface. Everything else in a reading corner is decoration, "
        "and I say that as somebody who owns a great deal of decoration.",
        date=date(2026, 11, 14),
        day="November 14, 2026",
        scene="corner",
        alt="A terracotta armchair under an arc lamp, beside a window and a small table of books",
        topic="Reading corners",
    ),
    Post(
        slug="one-good-cup",
        title="One good cup before the inbox",
        summary="Four minutes of doing a single thing slowly. On pour-over coffee as a way to start work "
        "without starting work.",
        date=date(2026, 11, 7),
        day="November 7, 2026",
        scene="cup",
        alt="A kettle, a dripper, a mug, a hand grinder and a bag of coffee on a wooden counter",
        topic="Coffee",
    ),
    Post(
        slug="schreibtisch-am-abend",
        title="Der Schreibtisch am Abend",
        summary="Tagsüber gehört er der Arbeit. Ab neun gehört er mir: ein Lichtkreis, ein Heft, ein Buch "
        "und die Frage, was davon wirklich auf den Tisch muss.",
        date=date(2026, 10, 24),
        day="24. Oktober 2026",
        scene="abend",
        alt="Nachts am Schreibtisch: eine Messinglampe wirft Licht auf ein aufgeschlagenes Buch",
        topic="Schreibtisch",
        lang="de",
    ),
    Post(
        slug="asa-no-ippai",
        title="朝の一杯、夜の一頁",
        summary="湯を沸かす音で始まり、灯りを落とす音で終わる。一日の両端に置いた、小さな習慣のこと。",
        date=date(2026, 10, 10),
        day="2026年10月10日",
        scene="asa",
        alt="障子の前に並ぶ急須、ドリッパー、ケトル、湯呑みとノート",
        topic="コーヒー",
        lang="ja",
    ),
    Post(
        slug="letters-from-three-desks",
        title="Letters from three desks",
        summary="Rain in Whitby, late sun in Lyon, first snow in Halifax. Three readers of this blog describe "
        "the view from where they sit, and what is on the desk in front of it.",
        date=date(2026, 9, 26),
        day="26 September 2026",
        scene="letters",
        alt="Three windows with rain, evening sun and snow above one long desk",
        topic="Letters",
        lang="en-GB",
    ),
    Post(
        slug="what-the-cart-tells-you",
        title="What the cart tells you",
        summary="Only three left, not out until March, sold by somebody else. A shop should say such things before "
        "you reach the till, so this blog's cart does.",
        date=date(2026, 9, 12),
        day="September 12, 2026",
        scene="cart",
        alt="A canvas bag on a counter between books, a coffee grinder and an e-reader",
        topic="About this site",
    ),
)
