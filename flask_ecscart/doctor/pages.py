"""The site's own pages, asked through the app: whether the cart works there, and Amazon sees whence shoppers come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from werkzeug.test import TestResponse

from flask_ecscart.catalog.layers import LayeredCatalog
from flask_ecscart.doctor.finding import Finding, good
from flask_ecscart.doctor.patient import NoAnswer, Patient
from flask_ecscart.doctor.policies import PageReader, Policy, allows, policies, referrer_policy
from flask_ecscart.locales import LOCALES

__all__ = ["pages"]

_OK = 200
_ADD_TO_CART = "/gp/aws/cart/add.html"
_PICTURES = "https://m.media-amazon.com/images/I/1.jpg"


def pages(patient: Patient) -> Iterator[Finding]:
    """What the policies and links of `/`, of our cart page and of every page asked for mean for the cart."""
    own = f"{patient.site.settings.url_prefix}/cart"
    for path in dict.fromkeys(("/", own, *patient.pages)):
        try:
            response = patient.ask(path)
        except NoAnswer as problem:
            yield _not_read(path, str(problem))
            continue
        if response.status_code != _OK or response.mimetype != "text/html":
            yield _not_read(path, f"it answers {response.status_code} with {response.mimetype}")
            continue
        reader = PageReader()
        reader.feed(response.get_data(as_text=True))
        bad = [*_referrer(path, response, reader), *_scripts(patient, path, reader)]
        bad += _content_policy(patient, path, response, reader)
        yield from bad or [good("pages", f"{path} lets the cart work and Amazon see where shoppers come from.")]


def _not_read(path: str, how: str) -> Finding:
    return Finding(
        level="note",
        check="pages",
        what=f"{path} was not examined: {how}.",
        why="A policy of your pages can break the cart or cost the commission, and this one could not be read.",
        mend="Name pages with buttons on them: flask ecscart doctor --page /lamps --page /mugs.",
    )


def _referrer(path: str, response: TestResponse, reader: PageReader) -> Iterator[Finding]:
    why = "Amazon may not credit visitors whose origin it cannot see, and the programme forbids hiding it."
    policy = referrer_policy(response.headers.get("Referrer-Policy", ""), reader.referrer)
    if policy in {"no-referrer", "same-origin"}:
        yield Finding(
            level="error",
            check="referrer-policy",
            what=f"{path} has the referrer policy {policy}: Amazon is not told that shoppers come from you.",
            why=why,
            mend="Use strict-origin-when-cross-origin (the browsers' own default) on pages with links to Amazon.",
        )
    if reader.silent_links:
        yield Finding(
            level="warning",
            check="referrer-policy",
            what=f"{path} links to Amazon with noreferrer (so often: {len(reader.silent_links)}).",
            why=why,
            mend='Write rel="sponsored nofollow noopener" instead.',
        )


def _scripts(patient: Patient, path: str, reader: PageReader) -> Iterator[Finding]:
    widget, prefix = patient.site.widget, patient.site.settings.url_prefix
    ours = [tag for tag in reader.scripts if f"{prefix}/ecscart." in tag["src"]]
    mend = "Print the tag in the template, {{ ecscart.script() }}, or paste anew what flask ecscart embed prints."
    for tag in ours:
        stale = not tag["src"].split("?")[0].endswith((f"/ecscart.{widget.digest}.js", "/ecscart.js"))
        wrong = tag.get("integrity", widget.integrity) != widget.integrity
        if stale or wrong:
            yield Finding(
                level="error",
                check="widget-tag",
                what=f"{path} asks for another version of the widget than is installed.",
                why="The browser refuses it or gets a 404: no button works, shoppers get the plain pages instead.",
                mend=mend,
            )
        if tag.get("type") != "module":
            yield Finding(
                level="error",
                check="widget-tag",
                what=f'{path} loads the widget without type="module".',
                why="The browser runs it as an old script and it fails: no button works.",
                mend=mend,
            )
    if reader.elements and not ours:
        yield Finding(
            level="warning",
            check="widget-tag",
            what=f"{path} has {', '.join(sorted(reader.elements))} but does not load the widget.",
            why="Shoppers get plain links instead of buttons and the mini-cart.",
            mend=mend,
        )


def _content_policy(patient: Patient, path: str, response: TestResponse, reader: PageReader) -> Iterator[Finding]:
    held = policies([*response.headers.getlist("Content-Security-Policy"), *reader.csp])
    if path == f"{patient.site.settings.url_prefix}/cart":
        wanted = _forms(patient)  # it has no script
    else:
        wanted = [*_forms(patient), *_widget(patient, reader)]
    forbidden: dict[tuple[str, str], list[str]] = {}
    for directive, url, cost in wanted:
        tag = next((one for one in reader.scripts if one["src"].split("?")[0].endswith(url)), dict[str, str]())
        if not all(_allowed(policy, directive, url, patient, tag) for policy in held):
            forbidden.setdefault((directive, cost), []).append(url)
    for (directive, cost), urls in forbidden.items():
        yield Finding(
            level="error",
            check="content-security-policy",
            what=f"{path}: the Content-Security-Policy forbids {' and '.join(urls)} in {directive}.",
            why=cost,
            mend=f"Add {' '.join(map(_source, urls))} to {directive} in the policy of the pages that carry the cart.",
        )
    if any("sandbox" in policy for policy in held):
        yield from _sandboxed(path, held)


def _sandboxed(path: str, held: Sequence[Policy]) -> Iterator[Finding]:
    needed = {"allow-scripts", "allow-same-origin", "allow-forms", "allow-popups"}
    absent = set[str]().union(*(needed - set(policy["sandbox"]) for policy in held if "sandbox" in policy))
    if absent:
        yield Finding(
            level="error",
            check="content-security-policy",
            what=f"{path}: the Content-Security-Policy's sandbox lacks {', '.join(sorted(absent))}.",
            why="The cart cannot be used, or cannot be taken to Amazon in a new tab.",
            mend="Add them to the sandbox directive, or drop it.",
        )


def _forms(patient: Patient) -> list[tuple[str, str, str]]:
    wanted: list[tuple[str, str, str]] = []
    for code, row in patient.site.settings.locales.items():
        if row.handoff in {"form", "purchase_url"}:
            cost = "The button that takes a cart to Amazon does nothing when clicked."
            wanted.append(("form-action", f"https://{LOCALES[code].retail_host}{_ADD_TO_CART}", cost))
    return wanted


def _widget(patient: Patient, reader: PageReader) -> Iterator[tuple[str, str, str]]:
    site = patient.site
    prefix = site.settings.url_prefix
    named = f"{prefix}/ecscart.{site.widget.digest}.js"
    stable = f"{prefix}/ecscart.js"
    used = stable if any(tag["src"].endswith(stable) for tag in reader.scripts) else named
    yield "script-src-elem", used, "The widget is not loaded: no button, no mini-cart."
    yield "connect-src", f"{prefix}/v1/carts", "The widget cannot reach the cart: nothing can be added."
    if isinstance(site.catalog, LayeredCatalog):
        yield "img-src", _PICTURES, "Product pictures stay empty."


def _allowed(policy: Policy, directive: str, url: str, patient: Patient, tag: dict[str, str]) -> bool:
    own = patient.origin
    full = own + url if url.startswith("/") else url
    nonce, integrity = tag.get("nonce", ""), tag.get("integrity", "")
    return allows(policy, directive, full, own=own, nonce=nonce, integrity=integrity)


def _source(url: str) -> str:
    return "'self'" if url.startswith("/") else url.split("/gp/", maxsplit=1)[0].split("/images/", maxsplit=1)[0]
