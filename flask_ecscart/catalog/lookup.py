"""A remote ECS service as a `Source`: ItemLookup, ten ASINs a call, from the budget of the access key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from flask_ecscart.catalog.columns import ASIN, cut
from flask_ecscart.catalog.sources import ChoicePage, Fetched, SourceProblem, State
from flask_ecscart.clock import Clock, utc_now
from flask_ecscart.errors import AccessRefused, ECSError, MalformedReply, RequestThrottled, TransportError
from flask_ecscart.model import ItemGroup, OfferSource, Product, ProductPage

__all__ = ["ItemLookup", "LookupSource"]

_GROUPS: tuple[ItemGroup, ...] = ("ItemAttributes", "OfferFull", "Images", "Variations")


class ItemLookup(Protocol):
    """The client of one locale, as far as it is needed here."""

    def lookup(self, *asins: str, response_groups: Sequence[ItemGroup] = ...) -> ProductPage:
        """The products known under `asins` (1–10), with their offers; an ASIN nobody knows is a fault."""
        ...


class LookupSource:
    """Products of the locales in `clients`.

    `accounts`: locale → the budget that its carts are paid from too, one for each access key.
    """

    name: OfferSource = "ecs"
    batch = 10

    def __init__(
        self,
        clients: Mapping[str, ItemLookup],
        *,
        accounts: Mapping[str, str],
        rate: float = 1.0,
        clock: Clock = utc_now,
    ) -> None:
        self._clients = dict(clients)
        self._accounts = dict(accounts)
        self._interval = 1 / rate
        self._clock = clock

    def account(self, locale: str) -> str | None:
        """The access key's budget, for locales there is a client for."""
        return self._accounts[locale] if locale in self._clients else None

    def spacing(self, locale: str) -> float:  # noqa: ARG002 - one rate for all access keys
        """Seconds between two transactions."""
        return self._interval

    def fetch(self, locale: str, asins: Sequence[str]) -> Fetched:
        """One ItemLookup for at most ten ASINs; parents come with what can be bought of them."""
        try:
            page = self._clients[locale].lookup(*asins, response_groups=_GROUPS)
        except (ECSError, TransportError) as problem:
            raise _told(problem) from None
        wanted = set(asins)
        return Fetched(products=[self._stamped(one) for one in page.products if one.asin in wanted])

    def choices(self, locale: str, asin: str, page: int) -> ChoicePage:  # noqa: ARG002
        """Nothing more: ItemLookup brought them."""
        return ChoicePage(products=[])

    def _stamped(self, product: Product) -> Product:
        now = self._clock()
        offers = tuple(msgspec.structs.replace(offer, source="ecs", as_of=now) for offer in product.offers)
        return msgspec.structs.replace(
            product,
            title=cut(product.title),
            parent_asin=product.parent_asin if ASIN.fullmatch(product.parent_asin or "") else None,
            offers=offers,
            variations=tuple(self._stamped(one) for one in product.variations),
        )


def _told(problem: ECSError | TransportError) -> SourceProblem:
    kinds: tuple[tuple[type[Exception], State], ...] = (
        (RequestThrottled, "throttled"),
        (AccessRefused, "unauthorized"),
        (MalformedReply, "unreadable"),
        (TransportError, "unreachable"),
    )
    states: list[State] = [state for kind, state in kinds if isinstance(problem, kind)]
    state: State = states[0] if states else "rejected"
    retry_after = problem.retry_after if isinstance(problem, RequestThrottled) else None
    return SourceProblem(state, type(problem).__name__, retry_after=retry_after)
