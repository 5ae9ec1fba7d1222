"""What an owner's templates print: the script tag, a button, the cart. Each works as a link without JavaScript."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlencode

from flask import has_request_context, request
from markupsafe import Markup

from flask_ecscart.model import MAX_QUANTITY
from flask_ecscart.settings import Settings
from flask_ecscart.texts import Words
from flask_ecscart.web.assets import Widget

__all__ = ["Markings"]


class Markings:
    """`ecscart` in templates: `{{ ecscart.script() }}`, `{{ ecscart.button("B000…") }}`, `{{ ecscart.cart() }}`.

    `lang` is a language (en, de, fr, ja) other than the page's: that of the element, of its label and of the pages
    its link leads to. `class_` are classes of the link. `base` is this site's origin, for pages on another one.
    """

    def __init__(self, settings: Settings, widget: Widget, *, base: str = "") -> None:
        self._settings = settings
        self._widget = widget
        self._base = base

    def script(
        self,
        *,
        nonce: str | None = None,
        texts: Mapping[str, str] | None = None,
        stable: bool = False,
    ) -> Markup:
        """The one script tag, with the owner's texts: `ECSCART_TEXTS`, and before them `texts`.

        `nonce` is that of the page's Content-Security-Policy.
        `stable` names the file by the address that outlives an upgrade, and so without the hash of its content.
        """
        address = f"{self._prefix}/ecscart.js" if stable else f"{self._prefix}/ecscart.{self._widget.digest}.js"
        held = {} if stable else {"integrity": self._widget.integrity, "crossorigin": "anonymous"}
        own = {**self._settings.texts, **(texts or {})}
        data = {"data-locale": self._settings.default_locale}
        if own:
            data["data-texts"] = json.dumps(own, ensure_ascii=False)
        return Markup("<script{}></script>").format(
            _attributes({"type": "module", "src": address, **held, **data, "nonce": nonce})
        )

    def button(
        self,
        asin: str | None = None,
        *,
        locale: str | None = None,
        quantity: int = 1,
        offer_listing_id: str | None = None,
        label: str | None = None,
        lang: str | None = None,
        class_: str | None = None,
    ) -> Markup:
        """An add-to-cart button for an ASIN or an OfferListingId; without JavaScript a link to a confirm page."""
        if bool(asin) == bool(offer_listing_id):
            raise ValueError("ecscart.button() takes an ASIN or offer_listing_id=…, one of the two.")
        if not 1 <= quantity <= MAX_QUANTITY:
            raise ValueError(f"ecscart.button(): quantity={quantity} is not from 1 to {MAX_QUANTITY}.")
        code = locale or self._settings.default_locale
        if code not in self._settings.locales:
            known = ", ".join(self._settings.locales)
            raise ValueError(f"ecscart.button(): no locale {code!r} in ECSCART_LOCALES. There are: {known}.")
        item = {"asin": asin} if asin else {"offer_listing_id": offer_listing_id}
        query = {"locale": code, **item, "quantity": quantity, **_lang(lang)}
        names = {name.replace("_", "-"): value for name, value in item.items()}
        attributes = _attributes({**names, "locale": code, "quantity": str(quantity), "lang": lang})
        link = self._link("add", query, label or self._word("add", lang), class_)
        return Markup("<ecs-add-to-cart{}>{}</ecs-add-to-cart>").format(attributes, link)

    def cart(self, *, label: str | None = None, lang: str | None = None, class_: str | None = None) -> Markup:
        """The mini-cart; without JavaScript a link to the cart page."""
        link = self._link("cart", _lang(lang), label or self._word("cart", lang), class_)
        return Markup("<ecs-cart{}>{}</ecs-cart>").format(_attributes(_lang(lang)), link)

    @property
    def _prefix(self) -> str:
        mounted = request.script_root if not self._base and has_request_context() else ""
        return self._base + mounted + self._settings.url_prefix

    def _link(self, page: str, query: Mapping[str, object], text: str, class_: str | None) -> Markup:
        address = f"{self._prefix}/{page}" + (f"?{urlencode(query)}" if query else "")
        attributes = _attributes({"class": class_, "href": address, "rel": "nofollow"})
        return Markup("<a{}>{}</a>").format(attributes, text)

    def _word(self, name: str, lang: str | None) -> str:
        return Words(self._settings.texts, lang or "en")(name)


def _attributes(named: Mapping[str, str | None]) -> Markup:
    """Each with a space before it; none for what is None."""
    return Markup("").join(Markup(' {}="{}"').format(name, value) for name, value in named.items() if value is not None)


def _lang(lang: str | None) -> dict[str, str]:
    return {"lang": lang} if lang else {}
