"""What an owner's templates print: the script tag, a button, the cart. Each works as a link without JavaScript."""

from __future__ import annotations

from urllib.parse import urlencode

from markupsafe import Markup

from flask_ecscart.settings import Settings
from flask_ecscart.texts import Words
from flask_ecscart.web.assets import Widget

__all__ = ["Markings"]


class Markings:
    """`ecscart` in templates: `{{ ecscart.script() }}`, `{{ ecscart.button("B000…") }}`, `{{ ecscart.cart() }}`."""

    def __init__(self, settings: Settings, widget: Widget) -> None:
        self._settings = settings
        self._widget = widget

    def script(self, *, nonce: str | None = None, base: str = "") -> Markup:
        """The one script tag; `base` is this site's origin when the page is on another one."""
        source = f"{base}{self._settings.url_prefix}/ecscart.{self._widget.digest}.js"
        nonce_attribute = Markup(' nonce="{}"').format(nonce) if nonce else Markup("")
        return Markup(
            '<script type="module" src="{}" integrity="{}" crossorigin="anonymous" data-locale="{}"{}></script>'
        ).format(source, self._widget.integrity, self._settings.default_locale, nonce_attribute)

    def button(
        self,
        asin: str | None = None,
        *,
        locale: str | None = None,
        quantity: int = 1,
        offer_listing_id: str | None = None,
        label: str | None = None,
        lang: str | None = None,
        base: str = "",
    ) -> Markup:
        """An add-to-cart button for an ASIN or an OfferListingId; without JavaScript a link to a confirm page.

        `lang` is the page's language (en, de, fr, ja): that of the label and of the pages the link leads to.
        """
        if (asin is None) == (offer_listing_id is None):
            raise ValueError("ecscart.button() takes an ASIN or offer_listing_id=…, one of the two.")
        code = locale or self._settings.default_locale
        if code not in self._settings.locales:
            raise ValueError(f"ecscart.button(): no locale {code!r} in ECSCART_LOCALES.")
        name, value = ("asin", asin) if asin is not None else ("offer-listing-id", offer_listing_id)
        query = {"locale": code, name.replace("-", "_"): value, "quantity": quantity, **_lang(lang)}
        link = f"{base}{self._settings.url_prefix}/add?{urlencode(query)}"
        return Markup(
            '<ecs-add-to-cart {}="{}" locale="{}" quantity="{}"><a href="{}" rel="nofollow">{}</a></ecs-add-to-cart>'
        ).format(Markup(name), value, code, quantity, link, label or self._word("add", lang))  # noqa: S704 - one of two fixed names

    def cart(self, *, label: str | None = None, lang: str | None = None, base: str = "") -> Markup:
        """The mini-cart; without JavaScript a link to the cart page."""
        query = f"?{urlencode(_lang(lang))}" if lang else ""
        link = f"{base}{self._settings.url_prefix}/cart{query}"
        text = label or self._word("cart", lang)
        return Markup('<ecs-cart><a href="{}" rel="nofollow">{}</a></ecs-cart>').format(link, text)

    def _word(self, name: str, lang: str | None) -> str:
        return Words(self._settings.texts, lang or "en")(name)


def _lang(lang: str | None) -> dict[str, str]:
    return {"lang": lang} if lang else {}
