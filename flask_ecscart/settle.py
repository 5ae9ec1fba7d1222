"""Makes a remote cart agree with what the shopper wants: the only code that calls a provider's changing operations.

`settle` looks at a wish and the remote cart and sends the least that makes them agree: one CartCreate, or at
most one CartAdd and one CartModify with absolute quantities, or one CartClear. Then it compares the cart that
came back with the wish: what the service capped or refused changes what is wanted to what is true, and becomes
a notice. A line that waits in the saved area because it is not available is told once and stays wanted.

The function works on a `Wish` it was given and knows neither locks nor queues; who calls it decides when
(inside the request for the embedded provider, in its turn for a remote one).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask_ecscart.clock import Clock, utc_now
from flask_ecscart.errors import DeadCart, ECSCartError, ECSError, InternalError, ItemError, RequestRefused
from flask_ecscart.matching import Refusal, Round, entries_of, match, new_item
from flask_ecscart.model import MAX_ENTRIES, Cart, NoticeCode
from flask_ecscart.provider import CartProvider
from flask_ecscart.shopper import Line, Wish
from flask_ecscart.texts import text

__all__ = ["Settler"]


class Settler:
    """Settles wishes against one provider."""

    def __init__(self, provider: CartProvider, *, texts: Mapping[str, str], clock: Clock = utc_now) -> None:
        self._provider = provider
        self._texts = texts
        self._clock = clock

    def settle(
        self, wish: Wish, locale: str, associate_tag: str, *, known: Cart | None = None
    ) -> tuple[Cart | None, list[Refusal]]:
        """Bring the remote cart to agree with `wish`, which is changed to what is true.

        Returns the cart as it stands (None: there is none and none is wanted) and the lines that were refused
        and are no longer wanted. Raises `TransportError`, `RequestThrottled` or `AccessRefused`; the wish then
        holds what was reached (its reference, and which lines were refused), and settling again continues from there.

        `known` is the cart as an earlier reply showed it: it saves the reading. It may be old, since what is sent is
        compared with the reply to it; where nothing had to be sent, `known` itself is returned.
        """
        is_known = known is not None and known.ref == wish.ref
        cart = known if is_known else self._current(wish)
        refusals: list[Refusal] = []
        if wish.lines:
            cart, refusals = self._filled(wish, cart, locale, associate_tag)
            if is_known and cart is not None and cart is not known and Round(wish, cart).missing():
                # `known` was too old: it showed lines that are gone. The last reply shows what is there.
                cart, more = self._filled(wish, cart, locale, associate_tag)
                refusals = [*refusals, *more]
        elif cart is not None and (cart.items or cart.saved):
            cart = self._provider.clear(cart.ref)
        if cart is not None:
            self._compare(wish, cart)
        wish.settled = wish.version
        return cart, refusals

    def look(self, wish: Wish) -> Cart | None:
        """The remote cart as it is now, or None when there is none or it is dead. Changes nothing."""
        if wish.ref is None:
            return None
        try:
            return self._provider.get(wish.ref)
        except DeadCart:
            return None

    def agrees(self, wish: Wish, cart: Cart | None) -> bool:
        """Whether `cart` shows just what `wish` says, so that there is nothing to send and nothing to tell."""
        if wish.settled != wish.version:
            return False
        if cart is None:
            return not wish.lines
        pairs = match(wish.lines, entries_of(cart))
        if any(item is None for _, item in pairs) or len(pairs) != len(cart.items) + len(cart.saved):
            return False
        saved = {item.cart_item_id for item in cart.saved}
        return all(
            item is not None
            and item.quantity == line.quantity
            and (item.cart_item_id in saved) == (line.area == "saved" or line.told_unavailable)
            for line, item in pairs
        )

    # --- sending ----------------------------------------------------------------------------------------

    def _current(self, wish: Wish) -> Cart | None:
        if wish.ref is None:
            return None
        try:
            return self._provider.get(wish.ref)
        except InternalError:
            # May mean that the ids are wrong (seed 004): asked once more before the cart is given up.
            try:
                return self._provider.get(wish.ref)
            except InternalError:
                pass
        except DeadCart:
            pass
        self._forget(wish)
        if wish.lines:
            self._tell(wish, "cart_renewed")
        return None

    def _filled(self, wish: Wish, cart: Cart | None, locale: str, tag: str) -> tuple[Cart | None, list[Refusal]]:
        round_ = Round(wish, cart)
        try:
            cart = self._fill(round_, locale, tag)
        except ECSCartError:
            round_.drop_refused_alone()  # what is known by now need not be asked for again
            raise
        finally:
            for refusal in round_.refusals:
                self._tell(wish, "refused", refusal.line, message=self._refused_text(refusal.error))
        return cart, round_.refusals

    def _fill(self, round_: Round, locale: str, tag: str) -> Cart | None:
        wish = round_.wish
        if round_.cart is not None and len(round_.entries()) + len(round_.missing()) > MAX_ENTRIES:
            round_.cart = self._provider.modify(round_.cart.ref, round_.removals())  # first, to make room
        missing = round_.missing()
        if missing:
            self._put_in(round_, missing, locale, tag)
            round_.drop_refused(missing)
        if round_.cart is None:
            return None
        wish.ref = round_.cart.ref
        # One CartModify for all that differs; a line that needs a quantity and a move gets the move in a second
        # one, because a request may hold only one of the two per line (recorded JP 2016).
        for _ in range(2):
            changes = round_.changes()
            if changes:
                round_.cart = self._provider.modify(round_.cart.ref, changes)
                round_.modified(changes)
        return round_.cart

    def _put_in(self, round_: Round, lines: Sequence[Line], locale: str, tag: str) -> None:
        """CartCreate or CartAdd of `lines`; where the service refuses the whole call, by halves down to the culprit."""
        items = [new_item(line) for line in lines]
        try:
            if round_.cart is None:
                round_.cart = self._provider.create(locale, tag, items)
                round_.wish.ref = round_.cart.ref
            else:
                round_.cart = self._provider.add(round_.cart.ref, items)
        except (ItemError, RequestRefused) as error:
            if len(lines) == 1:
                round_.refuse(lines[0], error)
                return
            middle = len(lines) // 2
            self._put_in(round_, lines[:middle], locale, tag)
            self._put_in(round_, lines[middle:], locale, tag)
            return
        round_.sent(lines)

    # --- comparing --------------------------------------------------------------------------------------

    def _compare(self, wish: Wish, cart: Cart) -> None:
        saved = {item.cart_item_id for item in cart.saved}
        for line, item in match(wish.lines, entries_of(cart)):
            if item is None:
                continue
            line.cart_item_id = item.cart_item_id
            if item.quantity != line.quantity:
                if item.quantity < line.quantity:
                    self._tell(wish, "quantity_capped", line, requested=line.quantity, actual=item.quantity)
                line.quantity = item.quantity
            line.moved_by_shopper = False
            if line.area == "active":
                self._compare_area(wish, line, in_saved=item.cart_item_id in saved)

    def _compare_area(self, wish: Wish, line: Line, *, in_saved: bool) -> None:
        if in_saved and not line.told_unavailable:
            self._tell(wish, "saved_for_later", line)
        elif not in_saved and line.told_unavailable:
            self._tell(wish, "moved_to_cart", line)
        line.told_unavailable = in_saved

    # --- telling ----------------------------------------------------------------------------------------

    def _tell(
        self,
        wish: Wish,
        code: NoticeCode,
        line: Line | None = None,
        *,
        requested: int | None = None,
        actual: int | None = None,
        message: str | None = None,
    ) -> None:
        wish.tell(
            code,
            message or text(self._texts, code, requested=requested, actual=actual),
            self._clock(),
            asin=line.asin if line is not None else None,
            requested=requested,
            actual=actual,
        )

    def _refused_text(self, error: ECSError) -> str:
        reason = _REASONS.get(error.code, "refused_other")
        return text(self._texts, "refused", reason=text(self._texts, reason))

    @staticmethod
    def _forget(wish: Wish) -> None:
        wish.ref = None
        for line in wish.lines:
            line.cart_item_id = None
            line.told_unavailable = False


_REASONS = {
    "AWS.ECommerceService.ItemNotEligibleForCart": "refused_ineligible",
    "AWS.ECommerceService.ItemNotAccessible": "refused_inaccessible",
}
