"""The whole examination, in the order an owner reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flask_ecscart.doctor import configuration, goods, locales, outside, pages, state, widget
from flask_ecscart.doctor.finding import Finding, redacted
from flask_ecscart.doctor.patient import Patient
from flask_ecscart.errors import CatalogError, ConfigError, ECSCartError

__all__ = ["CHECKS", "Check", "examine", "not_started"]

Check = Callable[[Patient], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    configuration.settings,
    configuration.secret_key,
    configuration.cookies,
    locales.tags,
    locales.handoffs,
    locales.disclosures,
    state.sqlite_file,
    state.database,
    state.redis,
    locales.arrivals,
    goods.catalog_file,
    goods.catalog_locales,
    goods.catalog_status,
    goods.credentials,
    widget.widget,
    pages.pages,
    outside.origins,
    outside.origins_online,
    outside.access_keys,
    outside.endpoints,
    configuration.expat,
)


def examine(patient: Patient) -> list[Finding]:
    """Every finding; a check that fails itself becomes one. No finding holds a secret."""
    found: list[Finding] = []
    for check in CHECKS:
        try:
            found += check(patient)
        except Exception as problem:  # noqa: BLE001, RUF100 - one broken check must not hide what the others found
            found.append(_undone(check, problem))
    return redacted(found, patient.secrets())


def not_started(problem: ECSCartError | LookupError) -> Finding:
    """The one finding of a site that does not start."""
    fix = problem.fix if isinstance(problem, ConfigError) else ""
    if isinstance(problem, CatalogError):
        fix = f"Mend it in the spreadsheet; this shows every other slip: flask ecscart catalog check {problem.path}"
    return Finding(
        level="error",
        check="settings",
        what=str(problem).removesuffix(fix).strip(),
        why="The site does not start, so there is no cart at all.",
        mend=fix or "Mend that, then ask the doctor again.",
    )


def _undone(check: Check, problem: Exception) -> Finding:
    name = getattr(check, "__name__", "check")
    return Finding(
        level="warning",
        check="doctor",
        what=f"The check {name!r} could not be done ({type(problem).__name__}).",
        why="What it looks at may be in order or not.",
        mend="Mend the other findings first and ask again; if it stays, report it to the makers of the package.",
    )
