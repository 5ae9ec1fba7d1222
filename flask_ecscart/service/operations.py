"""Runs a `Call` against a cart provider and says what came of it: valid or not, cart or none, which errors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

from flask_ecscart.errors import ECSError, RequestRefused
from flask_ecscart.model import Cart, CartFault
from flask_ecscart.provider import CartProvider
from flask_ecscart.service.changes import check_changes
from flask_ecscart.service.lines import check_new
from flask_ecscart.service.messages import faults_of, together
from flask_ecscart.service.requests import Call

__all__ = ["Outcome", "RelatingProvider", "perform"]


class RelatingProvider(CartProvider, Protocol):
    """A cart provider that also knows what goes with a cart."""

    def beside(self, cart: Cart, groups: Iterable[str]) -> Cart:
        """The cart with what the response groups CartSimilarities, CartTopSellers and CartNewReleases ask for."""
        ...


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in a reply. `valid` is IsValid: False means that nothing was done because the request is wrong."""

    valid: bool
    cart: Cart | None = None
    faults: tuple[CartFault, ...] = ()


def perform(provider: RelatingProvider, call: Call) -> Outcome:
    """Check the call, run it, and turn a refusal into an outcome. Errors that are no `ECSError` pass through."""
    try:
        _check(call)
    except ECSError as error:
        return Outcome(valid=False, faults=faults_of(error))
    if call.only_validate:
        return Outcome(valid=True)
    try:
        cart = _run(provider, call)
    except ECSError as error:
        return Outcome(valid=not isinstance(error, RequestRefused), faults=faults_of(error))
    return Outcome(valid=True, cart=provider.beside(cart, call.related_groups), faults=cart.faults)


def _check(call: Call) -> None:
    problems = call.problems()
    if problems:
        raise together(problems)
    if call.operation in {"CartCreate", "CartAdd"}:
        check_new(call.locale, call.new_items())
    elif call.operation == "CartModify":
        check_changes(call.locale, call.changes())


def _run(provider: CartProvider, call: Call) -> Cart:
    if call.operation == "CartCreate":
        return provider.create(call.locale, call.associate_tag or "", call.new_items())
    if call.operation == "CartAdd":
        return provider.add(call.ref, call.new_items())
    if call.operation == "CartModify":
        return provider.modify(call.ref, call.changes())
    if call.operation == "CartClear":
        return provider.clear(call.ref)
    return provider.get(call.ref)
