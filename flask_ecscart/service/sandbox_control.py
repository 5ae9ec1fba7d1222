"""The control surface at `/sandbox/…`: JSON in, JSON out, and errors that say what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from flask_ecscart.clock import iso
from flask_ecscart.errors import ECSCartError
from flask_ecscart.locales import LOCALES
from flask_ecscart.model import Availability, Product
from flask_ecscart.service.sandbox_catalog import ChangeableCatalog
from flask_ecscart.service.sandbox_clock import MovableClock
from flask_ecscart.service.sandbox_faults import Fault, Faults
from flask_ecscart.service.sandbox_journal import Journal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["PREFIX", "Control"]

PREFIX = "/sandbox"
_MAX_BODY = 16 * 1024
_YEARS = range(2000, 3000)
_T = TypeVar("_T")
_Step = Annotated[float, msgspec.Meta(ge=-400_000, le=400_000)]


class _ClockChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Set to `now`, then moved by the rest, then stopped or started."""

    now: datetime | None = None
    days: _Step = 0
    hours: _Step = 0
    minutes: _Step = 0
    seconds: _Step = 0
    stopped: bool | None = None


class _ProductChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """New values for one offer of a product: the one of `offer_listing_id`, or the first."""

    offer_listing_id: str | None = None
    availability: Availability | msgspec.UnsetType = msgspec.UNSET
    price: Annotated[int, msgspec.Meta(ge=0, le=10**12)] | msgspec.UnsetType | None = msgspec.UNSET
    limit: Annotated[int, msgspec.Meta(ge=1, le=999)] | msgspec.UnsetType | None = msgspec.UNSET


class _Problem(Exception):
    """Something the caller must do otherwise."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title


class Control:
    """A WSGI application over the parts of one sandbox; `forget` empties the service's database.

    `hosts` are the names it may be called by (None: any): a page in the tester's browser must not reach it by a name
    of its own that leads here.
    """

    def __init__(
        self,
        clock: MovableClock,
        catalog: ChangeableCatalog,
        faults: Faults,
        journal: Journal,
        *,
        forget: Callable[[], None],
        hosts: frozenset[str] | None,
    ) -> None:
        self._clock = clock
        self._catalog = catalog
        self._faults = faults
        self._journal = journal
        self._forget = forget
        self._hosts = hosts
        self._map = Map(
            [
                Rule(PREFIX, endpoint=self._overview, methods=["GET"]),
                Rule(f"{PREFIX}/reset", endpoint=self._reset, methods=["POST"]),
                Rule(f"{PREFIX}/clock", endpoint=self._tell_time, methods=["GET"]),
                Rule(f"{PREFIX}/clock", endpoint=self._change_time, methods=["POST"]),
                Rule(f"{PREFIX}/products/<locale>/<asin>", endpoint=self._show_product, methods=["GET"]),
                Rule(f"{PREFIX}/products/<locale>/<asin>", endpoint=self._change_product, methods=["POST"]),
                Rule(f"{PREFIX}/products/<locale>/<asin>", endpoint=self._restore_product, methods=["DELETE"]),
                Rule(f"{PREFIX}/faults", endpoint=self._show_faults, methods=["GET"]),
                Rule(f"{PREFIX}/faults", endpoint=self._order_fault, methods=["POST"]),
                Rule(f"{PREFIX}/faults", endpoint=self._remove_faults, methods=["DELETE"]),
                Rule(f"{PREFIX}/requests", endpoint=self._show_requests, methods=["GET"]),
                Rule(f"{PREFIX}/requests", endpoint=self._forget_requests, methods=["DELETE"]),
            ],
            strict_slashes=False,
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        request.max_content_length = _MAX_BODY
        try:
            self._check_caller(request)
            action, values = self._map.bind_to_environ(environ).match()
            answer = _json(action(request, **values))
        except _Problem as problem:
            answer = _problem(problem.status, problem.title, str(problem))
        except MethodNotAllowed as problem:
            allowed = ", ".join(sorted(problem.valid_methods or ()))
            answer = _problem(405, "Not that way", f"Use {allowed}.")
        except NotFound:
            answer = _problem(404, "Nothing is here", f"GET {PREFIX} names what there is.")
        except HTTPException as problem:
            answer = _problem(problem.code or 400, "Not understood", problem.description or "Send JSON.")
        except ECSCartError as problem:
            answer = _problem(503, "Not now", str(problem))
        return answer(environ, start_response)

    def _check_caller(self, request: Request) -> None:
        if self._hosts is not None and _name_of(request.host) not in self._hosts:
            raise _Problem(403, "Not under this name", "Call the sandbox as 127.0.0.1 or localhost.")
        if "Origin" in request.headers or request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
            raise _Problem(403, "Not from a web page", "Call the sandbox from a test or a shell, as with curl.")

    # --- What it is asked -----------------------------------------------------------------------------------------

    def _overview(self, _: Request) -> dict[str, object]:
        return {
            "clock": self._time(),
            "changedProducts": [_product(product) for product in self._catalog.changed()],
            "faults": self._faults.standing(),
            "requests": len(self._journal.last()),
            "paths": sorted({rule.rule for rule in self._map.iter_rules()}),
        }

    def _reset(self, request: Request) -> dict[str, object]:
        self._forget()
        for part in (self._clock, self._catalog, self._faults, self._journal):
            part.reset()
        return self._overview(request)

    def _tell_time(self, _: Request) -> dict[str, object]:
        return self._time()

    def _change_time(self, request: Request) -> dict[str, object]:
        change = _read(request, _ClockChange)
        start = change.now or self._clock()
        if start.tzinfo is None:
            raise _Problem(400, "Which time zone?", "End the time with Z, as in 2026-03-14T09:26:53Z.")
        step = timedelta(days=change.days, hours=change.hours, minutes=change.minutes, seconds=change.seconds)
        moment = start.astimezone(timezone.utc) + step
        if moment.year not in _YEARS:
            raise _Problem(400, "Too far away", f"Stay between the years {_YEARS[0]} and {_YEARS[-1]}.")
        self._clock.set(moment)
        if change.stopped is not None:
            (self._clock.stop if change.stopped else self._clock.run)()
        return self._time()

    def _show_product(self, _: Request, locale: str, asin: str) -> dict[str, object]:
        product = self._catalog.lookup(_locale(locale), [asin]).get(asin)
        if product is None:
            raise _unknown(locale, asin)
        return _product(product)

    def _change_product(self, request: Request, locale: str, asin: str) -> dict[str, object]:
        change = _read(request, _ProductChange)
        wanted = {name: getattr(change, name) for name in ("availability", "price", "limit")}
        fields = {name: value for name, value in wanted.items() if value is not msgspec.UNSET}
        if not fields:
            raise _Problem(400, "Nothing to change", "Give availability, price (minor units or null) or limit.")
        product = self._catalog.change(_locale(locale), asin, change.offer_listing_id, fields)
        if product is None:
            raise _unknown(locale, asin)
        return _product(product)

    def _restore_product(self, request: Request, locale: str, asin: str) -> dict[str, object]:
        self._catalog.restore(_locale(locale), asin)
        return self._show_product(request, locale, asin)

    def _show_faults(self, _: Request) -> dict[str, object]:
        return {"faults": self._faults.standing()}

    def _order_fault(self, request: Request) -> dict[str, object]:
        fault = _read(request, Fault)
        if fault.locale is not None:
            _locale(fault.locale)
        if fault.kind == "delay" and not fault.seconds:
            raise _Problem(400, "How long?", "Give seconds with a delay, at most 60.")
        if not self._faults.add(fault):
            raise _Problem(409, "Too many", f"Too many faults are ordered. DELETE {PREFIX}/faults first.")
        return self._show_faults(request)

    def _remove_faults(self, request: Request) -> dict[str, object]:
        self._faults.reset()
        return self._show_faults(request)

    def _show_requests(self, request: Request) -> dict[str, object]:
        last = request.args.get("last", "100")
        if not re.fullmatch(r"[0-9]{1,4}", last):
            raise _Problem(400, "How many?", "Give last as a whole number, as in ?last=20.")
        return {"requests": self._journal.last(int(last))}

    def _forget_requests(self, _: Request) -> dict[str, object]:
        self._journal.reset()
        return {"requests": []}

    def _time(self) -> dict[str, object]:
        ahead = round(self._clock.ahead.total_seconds())
        return {"now": iso(self._clock()), "secondsAhead": ahead, "stopped": self._clock.stopped}


def _name_of(host: str) -> str | None:
    """The Host header without its port."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _read(request: Request, kind: type[_T]) -> _T:
    if request.mimetype != "application/json":
        raise _Problem(415, "JSON, please", "Send a JSON object with Content-Type: application/json.")
    try:
        return msgspec.json.decode(request.get_data(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise _Problem(400, "Not understood", f"{problem}. See docs/sandbox.md.") from problem


def _locale(code: str) -> str:
    if code not in LOCALES:
        raise _Problem(404, "No such locale", f"Use one of {', '.join(LOCALES)}.")
    return code


def _unknown(locale: str, asin: str) -> _Problem:
    said = f"The catalog of {locale} has no such offer of {asin[:20]!r}. Check ASIN and offerListingId."
    return _Problem(404, "No such product", said)


def _product(product: Product) -> dict[str, Any]:
    offers = [
        {
            "offerListingId": offer.offer_listing_id,
            "seller": offer.seller,
            "availability": offer.availability,
            "price": offer.price,
            "limit": offer.limit,
        }
        for offer in product.offers
    ]
    return {"locale": product.locale, "asin": product.asin, "title": product.title, "offers": offers}


def _json(answer: object) -> Response:
    return _response(200, "application/json", answer)


def _problem(status: int, title: str, detail: str) -> Response:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return _response(status, "application/problem+json", body)


def _response(status: int, content_type: str, body: object) -> Response:
    response = Response(msgspec.json.encode(body) + b"\n", status=status, content_type=content_type)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
