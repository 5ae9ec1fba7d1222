"""The five cart operations of one locale, what is for sale there, and the provider that picks the client by locale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import get_args

from flask_ecscart.clock import Clock, utc_now
from flask_ecscart.ecs import query
from flask_ecscart.ecs.caller import Caller
from flask_ecscart.ecs.checks import (
    check_asins,
    check_changes,
    check_groups,
    check_new_items,
    check_ref,
    check_search,
)
from flask_ecscart.ecs.endpoint import Endpoint, checked_retail_base
from flask_ecscart.ecs.parsing import parse_cart, parse_items
from flask_ecscart.ecs.purchase_url import RetailBase, retail_sites
from flask_ecscart.ecs.transport import RequestsTransport, Transport
from flask_ecscart.errors import ConfigError
from flask_ecscart.locales import LOCALES
from flask_ecscart.model import Cart, CartRef, ItemChange, ItemGroup, NewItem, ProductPage, ResponseGroup

__all__ = ["ECSClient", "ECSProvider"]

_CART_GROUPS: tuple[str, ...] = get_args(ResponseGroup)
_ITEM_GROUPS: tuple[str, ...] = get_args(ItemGroup)
_TO_BUY: tuple[ItemGroup, ...] = ("ItemAttributes", "OfferFull", "Images")


class ECSClient:
    """Carts of one locale at one ECS endpoint. One call is one transaction; none is repeated.

    What the service did in part comes back as a cart with `faults`; what it did not do is raised (see `errors`).
    `response_groups` ask for more than the cart: similar products, top sellers, new releases.

    `endpoint` is a full URL (default: the locale's own, over https). `retail_base` is the scheme and host, with a path
    where it has one, that PurchaseURLs of that endpoint must lead to (default: the locale's retail site, or the
    stand-in retail page beside a given endpoint).
    May be shared by threads, and made before a fork.
    """

    def __init__(  # noqa: PLR0913 (what an account and an endpoint are)
        self,
        locale: str,
        access_key: str,
        secret_key: str,
        associate_tag: str,
        *,
        endpoint: str | None = None,
        version: str = "2013-08-01",
        transport: Transport | None = None,
        clock: Clock = utc_now,
        retail_base: str | None = None,
    ) -> None:
        if locale not in LOCALES:
            raise ConfigError("locale", locale, f"Use one of {', '.join(LOCALES)}.")
        self.locale = locale
        self.associate_tag = associate_tag
        self._caller = Caller(
            Endpoint(endpoint or f"https://{LOCALES[locale].endpoint}/onca/xml"),
            query.Credentials(access_key, secret_key),
            version=version,
            transport=transport or RequestsTransport(),
            clock=clock,
        )
        self._retail_base: RetailBase = checked_retail_base(retail_base)
        if retail_base is None and endpoint is not None:
            # A service of the owner's own may lead to Amazon, or to the stand-in retail page beside itself.
            self._retail_base = (*retail_sites(locale), f"{self._caller.endpoint.origin}/{locale}")

    def __repr__(self) -> str:
        """Without the keys."""
        return f"ECSClient({self.locale!r}, endpoint={self._caller.endpoint.url!r})"

    def create(
        self,
        items: Sequence[NewItem],
        *,
        associate_tag: str | None = None,
        response_groups: Sequence[ResponseGroup] = (),
    ) -> Cart:
        """A new cart holding `items` (1–50 lines), credited to `associate_tag` (default: the client's)."""
        check_new_items(items)
        check_groups(response_groups, _CART_GROUPS)
        tag = self.associate_tag if associate_tag is None else associate_tag
        asked = query.cart_create(items, associate_tag=tag, response_groups=response_groups)
        return self._cart(asked, tag)

    def add(self, ref: CartRef, items: Sequence[NewItem], *, response_groups: Sequence[ResponseGroup] = ()) -> Cart:
        """The cart with more lines in it; one that was already there is a fault and keeps its quantity."""
        self._check(ref, response_groups)
        check_new_items(items)
        return self._cart(query.cart_add(ref, items, response_groups=response_groups), ref.associate_tag, ref)

    def modify(
        self, ref: CartRef, changes: Sequence[ItemChange], *, response_groups: Sequence[ResponseGroup] = ()
    ) -> Cart:
        """The cart with new total quantities (0 deletes) or areas, by CartItemId."""
        self._check(ref, response_groups)
        check_changes(changes)
        return self._cart(query.cart_modify(ref, changes, response_groups=response_groups), ref.associate_tag, ref)

    def clear(self, ref: CartRef, *, response_groups: Sequence[ResponseGroup] = ()) -> Cart:
        """The cart with both areas emptied; only its `ref` is filled."""
        self._check(ref, response_groups)
        return self._cart(query.cart_clear(ref, response_groups=response_groups), ref.associate_tag, ref)

    def get(self, ref: CartRef, *, response_groups: Sequence[ResponseGroup] = ()) -> Cart:
        """The cart as it is now."""
        self._check(ref, response_groups)
        return self._cart(query.cart_get(ref, response_groups=response_groups), ref.associate_tag, ref)

    def lookup(self, *asins: str, response_groups: Sequence[ItemGroup] = _TO_BUY) -> ProductPage:
        """The products known under `asins` (1–10), with their offers; an ASIN nobody knows is a fault."""
        check_asins(asins)
        check_groups(response_groups, _ITEM_GROUPS)
        return self._items(query.item_lookup(asins, associate_tag=self.associate_tag, response_groups=response_groups))

    def search(
        self,
        keywords: str,
        *,
        search_index: str = "All",
        page: int = 1,
        response_groups: Sequence[ItemGroup] = _TO_BUY,
    ) -> ProductPage:
        """One page (of ten, from 1) of the products of `search_index` that `keywords` find; finding none is a fault."""
        check_search(keywords, page)
        check_groups(response_groups, _ITEM_GROUPS)
        asked = query.item_search(
            keywords,
            search_index=search_index,
            page=page,
            associate_tag=self.associate_tag,
            response_groups=response_groups,
        )
        return self._items(asked)

    def _check(self, ref: CartRef, response_groups: Sequence[ResponseGroup]) -> None:
        check_ref(ref, self.locale)
        check_groups(response_groups, _CART_GROUPS)

    def _cart(self, asked: Mapping[str, str], tag: str, ref: CartRef | None = None) -> Cart:
        hidden = self._caller.credentials.hidden_in() + ((ref.hmac, query.percent_encode(ref.hmac)) if ref else ())
        read = partial(
            parse_cart,
            locale=self.locale,
            associate_tag=tag,
            operation=asked["Operation"],
            expected_cart_id=ref.cart_id if ref else None,
            retail_base=self._retail_base,
            hidden=hidden,
        )
        return self._caller.ask(asked, read)

    def _items(self, asked: Mapping[str, str]) -> ProductPage:
        read = partial(
            parse_items,
            locale=self.locale,
            operation=asked["Operation"],
            retail_base=self._retail_base,
            hidden=self._caller.credentials.hidden_in(),
        )
        return self._caller.ask(asked, read)


class ECSProvider:
    """A `CartProvider` over one client for each locale."""

    def __init__(self, clients: Mapping[str, ECSClient]) -> None:
        self._clients = dict(clients)

    def create(self, locale: str, associate_tag: str, items: Sequence[NewItem]) -> Cart:
        """A new cart of `locale`; see `ECSClient.create`."""
        return self._client(locale).create(items, associate_tag=associate_tag)

    def add(self, ref: CartRef, items: Sequence[NewItem]) -> Cart:
        """The cart with more lines; see `ECSClient.add`."""
        return self._client(ref.locale).add(ref, items)

    def modify(self, ref: CartRef, changes: Sequence[ItemChange]) -> Cart:
        """The changed cart; see `ECSClient.modify`."""
        return self._client(ref.locale).modify(ref, changes)

    def clear(self, ref: CartRef) -> Cart:
        """The emptied cart; see `ECSClient.clear`."""
        return self._client(ref.locale).clear(ref)

    def get(self, ref: CartRef) -> Cart:
        """The cart as it is now; see `ECSClient.get`."""
        return self._client(ref.locale).get(ref)

    def _client(self, locale: str) -> ECSClient:
        client = self._clients.get(locale)
        if client is None:
            raise ConfigError("ECSCART_LOCALES", sorted(self._clients), f"Add locale {locale} with its Associate tag.")
        return client
