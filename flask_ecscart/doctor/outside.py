"""Other machines: the origins that may embed the cart, and the remote ECS endpoint. Asked with `--online` only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import requests

from flask_ecscart.doctor.finding import Finding, Level, good
from flask_ecscart.doctor.patient import Patient
from flask_ecscart.doctor.state import clock_finding
from flask_ecscart.ecs.client import ECSClient
from flask_ecscart.errors import (
    AccessRefused,
    DeadCart,
    ECSCartError,
    RequestExpired,
    RequestThrottled,
    TransportError,
)
from flask_ecscart.model import CartRef

__all__ = ["access_keys", "endpoints", "origins", "origins_online"]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_SECONDS = 5.0
_NONSENSE_ID, _NONSENSE_HMAC = "000-0000000-0000000", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="


def origins(patient: Patient) -> Iterator[Finding]:
    """Whether ECSCART_ALLOWED_ORIGINS can match what browsers send; asks nobody."""
    allowed = patient.site.settings.allowed_origins
    bad = [finding for origin in dict.fromkeys(allowed) for finding in _of_origin(origin)]
    for origin, count in Counter(_plain(origin) for origin in allowed).items():
        if count > 1:
            why = "It does no harm, but the next one who changes the list may change one of them only."
            bad.append(
                _wrong("note", f"{origin} stands in ECSCART_ALLOWED_ORIGINS {count} times.", why, "Remove the rest.")
            )
    yield from bad
    if allowed and not bad:
        yield good("origins", f"May embed the cart: {', '.join(allowed)}.")


def _of_origin(origin: str) -> Iterator[Finding]:
    parts = urlsplit(origin)
    host = parts.hostname or ""
    never = "Browsers send it otherwise, so its pages are refused and no button works there."
    if host.endswith("."):
        yield _wrong("error", f"{origin} ends in a dot.", never, f"Write {origin.replace(host, host.rstrip('.'))}.")
    if not host.isascii():
        name = host.encode("idna").decode("ascii", "replace")
        yield _wrong("error", f"{origin} is not written as browsers send it.", never, f"Write {parts.scheme}://{name}.")
    if parts.port is not None and parts.port == _DEFAULT_PORTS.get(parts.scheme):
        yield _wrong("error", f"{origin} names its scheme's own port.", never, f"Write {parts.scheme}://{host}.")
    if parts.scheme == "http" and host not in {"localhost", "127.0.0.1", "[::1]", "::1"}:
        yield _wrong(
            "warning",
            f"{origin} is not encrypted.",
            "Whoever sits between shopper and blog can read the shopper's token and change the cart, and the tag.",
            f"Serve the blog over https and write {origin.replace('http://', 'https://')}.",
        )


def origins_online(patient: Patient) -> Iterator[Finding]:
    """Whether each allowed origin is there, and is where its visitors end."""
    if not patient.online:
        return
    for origin in dict.fromkeys(patient.site.settings.allowed_origins):
        yield from _reach(origin, patient.site.clock())


def _reach(origin: str, now: datetime) -> Iterator[Finding]:
    try:
        status, location, date = _fetch(origin + "/")
    except (requests.RequestException, OSError) as problem:
        what = f"{origin} cannot be reached from here ({type(problem).__name__})."
        why = "Should it be misspelt, the blog's pages are refused and no button works there."
        yield _wrong("warning", what, why, "Open it in a browser and compare the address letter by letter.")
        return
    target = urlsplit(urljoin(origin + "/", location)) if location else None
    if target is not None and f"{target.scheme}://{target.netloc}" != origin:
        other = f"{target.scheme}://{target.netloc}"
        what = f"{origin} sends its visitors to {other}, which is another origin."
        known = "Its pages are refused there, and no button works."
        yield _wrong("warning", what, known, f"Put {other} into ECSCART_ALLOWED_ORIGINS.")
    else:
        yield good("origins", f"{origin} answers ({status}).")
    yield from _clock_by(date, f"the server of {origin}", now)


def access_keys(patient: Patient) -> Iterator[Finding]:
    """How many access keys pay for the remote carts, and whether one stands with two secrets."""
    settings = patient.site.settings
    if settings.provider != "ecs":
        return
    secrets: dict[str, dict[str, list[str]]] = {}
    for code in settings.locales:
        keys = settings.keys_of(code)
        secrets.setdefault(keys.access_key, {}).setdefault(keys.secret_key, []).append(code)
    for codes in secrets.values():
        if len(codes) > 1:
            named = " and ".join(same[0] for same in codes.values())
            yield _endpoint(
                "warning",
                f"{named} have the same access key with different secrets.",
                "An endpoint knows one secret for a key, so it refuses the carts of one of them.",
                f"Compare the keys of {named} in ECSCART_LOCALES with the endpoint's own.",
            )
    payers = [", ".join(code for same in codes.values() for code in same) for codes in secrets.values()]
    yield good("endpoint", f"Access keys, each with turns of its own: {len(payers)} (for {'; for '.join(payers)}).")


def endpoints(patient: Patient) -> Iterator[Finding]:
    """The remote ECS endpoints: named at all, and with `--online`, in step with our clock and content with our keys."""
    settings = patient.site.settings
    if settings.provider != "ecs":
        return
    for code, row in settings.locales.items():
        if row.endpoint is None:
            yield _endpoint(
                "error",
                f"{code} has no endpoint of its own, so it asks Amazon's.",
                "Amazon switched its remote carts off in 2020: no cart can be made.",
                f'Set ECSCART_LOCALES[{code!r}]["endpoint"] to your own service, or ECSCART_PROVIDER to "embedded".',
            )
        elif patient.online:
            yield from _clock_of(code, row.endpoint, patient.site.clock())
            yield _knock(patient, code)


def _clock_of(code: str, endpoint: str, now: datetime) -> Iterator[Finding]:
    try:
        _, _, date = _fetch(endpoint)
    except (requests.RequestException, OSError):
        return  # whether it can be reached is told by the signed request
    yield from _clock_by(date, f"the {code} endpoint", now)


def _clock_by(date: str, whose: str, now: datetime) -> Iterator[Finding]:
    """What the Date header of another machine says of our clock; nothing where it says nothing."""
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return
    if theirs.tzinfo is not None:
        yield clock_finding(whose, theirs, now)


def _knock(patient: Patient, code: str) -> Finding:
    """A signed CartGet of a cart that cannot be: the service says so only to those whose keys are right."""
    settings, row = patient.site.settings, patient.site.settings.locales[code]
    tag = row.associate_tag or "nobody-20"
    nobody = CartRef(locale=code, cart_id=_NONSENSE_ID, hmac=_NONSENSE_HMAC, associate_tag=tag)
    try:
        client = ECSClient(
            code,
            *settings.keys_of(code),
            tag,
            endpoint=row.endpoint,
            version=settings.api_version,
            clock=patient.site.clock,
        )
        client.get(nobody)
    except DeadCart:
        return good("endpoint", f"The {code} endpoint answers and accepts our signature.")
    except RequestThrottled:
        why = "Shoppers wait while others use up the transactions of this key."
        return _endpoint("note", f"The {code} endpoint is busy (RequestThrottled).", why, "Ask again later.")
    except ECSCartError as problem:
        own = "" if row.access_key is None else f"access_key and secret_key in ECSCART_LOCALES[{code!r}]"
        return _refused(code, problem, own or "ECSCART_ACCESS_KEY and ECSCART_SECRET_KEY")
    return _endpoint(
        "warning",
        f"The {code} endpoint returned a cart for a CartId nobody has.",
        "It is no ECS service that can be relied on: carts may be mixed up.",
        "Check the endpoint's address.",
    )


def _refused(code: str, problem: ECSCartError, keys: str) -> Finding:
    name = getattr(problem, "code", "") or type(problem).__name__
    mends: list[tuple[type[ECSCartError], str]] = [
        (RequestExpired, "Set this machine's clock: the Timestamp lies outside 15 minutes."),
        (
            AccessRefused,
            f"Check {keys} against the endpoint's own (flask ecscart keys).",
        ),
        (TransportError, "Check the endpoint's address, that it runs, and that this machine may reach it."),
    ]
    mend = next((text for kind, text in mends if isinstance(problem, kind)), "Read what the endpoint's own log says.")
    why = "Carts cannot be made: shoppers see their items as pending and cannot leave."
    return _endpoint("error", f"The {code} endpoint does not serve us ({name}).", why, mend)


def _fetch(url: str) -> tuple[int, str, str]:
    """Status, Location and Date of a GET; no redirect is followed, no body read, no proxy or netrc asked."""
    with requests.Session() as session:
        session.trust_env = False
        with session.get(url, timeout=_SECONDS, allow_redirects=False, stream=True) as response:
            return response.status_code, response.headers.get("Location", ""), response.headers.get("Date", "")


def _plain(origin: str) -> str:
    parts = urlsplit(origin)
    host = (parts.hostname or "").rstrip(".")
    port = parts.port if parts.port != _DEFAULT_PORTS.get(parts.scheme) else None
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def _wrong(level: Level, what: str, why: str, mend: str) -> Finding:
    return Finding(level=level, check="origins", what=what, why=why, mend=mend)


def _endpoint(level: Level, what: str, why: str, mend: str) -> Finding:
    return Finding(level=level, check="endpoint", what=what, why=why, mend=mend)
