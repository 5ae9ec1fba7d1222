"""The widget file, fetched through the app: whether it is what was built, and may be loaded by other sites' pages."""

from __future__ import annotations

from collections.abc import Iterator

from flask_ecscart.doctor.finding import Finding, good
from flask_ecscart.doctor.patient import NoAnswer, Patient

__all__ = ["widget"]

_OK = 200
_HEADERS = {
    "Content-Type": "text/javascript",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "public",
}
"""What each header must hold."""


def widget(patient: Patient) -> Iterator[Finding]:
    """Status, type, content and headers of the widget at both its addresses."""
    prefix, digest = patient.site.settings.url_prefix, patient.site.widget.digest
    bad = [
        finding
        for path in (f"{prefix}/ecscart.js", f"{prefix}/ecscart.{digest}.js")
        for finding in _of_file(patient, path)
    ]
    yield from bad or [good("widget", "The widget is served with the right headers at both its addresses.")]


def _of_file(patient: Patient, path: str) -> Iterator[Finding]:
    usual = (
        "Something in the app changes our answers (an after_request hook, a proxy): leave the blueprint ecscart out."
    )
    try:
        response = patient.ask(path, follow=False)
    except NoAnswer as problem:
        yield _wrong(f"{path} could not be fetched: {problem}.", usual)
        return
    if response.status_code != _OK:
        what = f"{path} answers {response.status_code}."
        yield _wrong(
            what, "Let visitors fetch it without a login; a before_request hook or another route is in the way."
        )
        return
    if response.get_data() != patient.site.widget.body:
        what = f"{path} does not hold the widget as it was built."
        yield _wrong(what, f"{usual} Pages name its hash, and browsers refuse a file that differs.")
    for name, wanted in _HEADERS.items():
        if wanted not in response.headers.get(name, "").lower():
            what = f"{path} is served with {name}: {response.headers.get(name) or '(none)'}; it should say {wanted}."
            yield _slow(what, usual) if name == "Cache-Control" else _wrong(what, usual)
    if response.headers.getlist("Set-Cookie"):
        why = "Caches then do not keep it, or give one visitor's cookie to the next."
        yield Finding(level="warning", check="widget", what=f"{path} sets a cookie.", why=why, mend=usual)


def _wrong(what: str, mend: str) -> Finding:
    why = "Browsers do not run it, or not on pages of other origins: no button works there."
    return Finding(level="error", check="widget", what=what, why=why, mend=mend)


def _slow(what: str, mend: str) -> Finding:
    why = "Every page fetches it anew before its buttons work, and shoppers on a phone wait."
    return Finding(level="warning", check="widget", what=what, why=why, mend=mend)
