"""One table of locales: where the service answers, where the shopper ends, and how money is written.

US, UK, DE, JP, FR and CA are recorded. Endpoints and retail hosts: seeds 002 and 004 and the recorded PurchaseURLs.
Price formats as in 2011 and 2016 replies: ``$174.51``, ``£45.89``, ``EUR 47,30``, ``CDN$ 63.19``, ``￥ 5,546``.
The other sixteen are Amazon's Associates marketplaces of 2026. Nothing of theirs was recorded, so their prices follow
a convention of ours: the currency's code as in the recorded ``EUR 47,30``, the marks as their language sets them.
Tag suffixes are what real tags carry; Amazon does not validate them (seed 004), so neither do we.
"""

from __future__ import annotations

import msgspec

from flask_ecscart.model import Money

__all__ = ["LOCALES", "RECORDED", "Locale"]


class Locale(msgspec.Struct, frozen=True, kw_only=True):
    """Where one Amazon site and its ECS endpoint are, and how it writes money."""

    code: str
    endpoint: str
    """Host of the ECS endpoint, path `/onca/xml`. Not `recorded`: Amazon's product API answered there until 2026."""
    retail_host: str
    """Host of the retail site, where PurchaseURL and the Add to Cart form lead."""
    other_retail_hosts: tuple[str, ...] = ()
    """Further hosts a recorded PurchaseURL of this locale was on."""
    currency: str
    prefix: str
    """What stands before the amount in FormattedPrice."""
    thousands: str = ","
    point: str = "."
    decimals: int = 2
    """Digits after the point; 0 for yen, whose Amount has no minor unit."""
    tag_suffix: str
    tag_suffix_seen: bool = True
    """Whether tags with that suffix were seen on sites; where not, it is a guess and no reason to warn."""
    language: str
    seller_nickname: str
    recorded: bool = False
    """Whether endpoint, price format, seller and CartId are as recorded; elsewhere they are a convention of ours."""
    merchant_id: str | None = None
    seller_id: str | None = None
    """Amazon's own MerchantId and (US only, recorded) SellerId in carts up to Version 2010-12-01."""
    cart_id_group: tuple[int, int]
    """Range of the first group of a CartId."""

    @property
    def retail_hosts(self) -> tuple[str, ...]:
        """Every host a PurchaseURL of this locale may be on."""
        return (self.retail_host, *self.other_retail_hosts)

    def money(self, amount: int) -> Money:
        """`amount` minor units as Money, printed the way this locale's replies print it."""
        sign = "-" if amount < 0 else ""
        whole, cents = divmod(abs(amount), 10**self.decimals)
        digits = f"{whole:,}".replace(",", self.thousands)
        if self.decimals:
            digits += f"{self.point}{cents:0{self.decimals}d}"
        return Money(amount, self.currency, f"{self.prefix}{sign}{digits}")

    def product_url(self, asin: str, associate_tag: str | None = None) -> str:
        """The product's page on the retail site, tagged where a tag is known."""
        tag = f"?tag={associate_tag}" if associate_tag else ""
        return f"https://{self.retail_host}/dp/{asin}{tag}"


_RECORDED = (
    Locale(
        code="US",
        endpoint="webservices.amazon.com",
        retail_host="www.amazon.com",
        currency="USD",
        prefix="$",
        tag_suffix="20",
        recorded=True,
        language="en",
        seller_nickname="Amazon.com",
        merchant_id="ATVPDKIKX0DER",
        seller_id="A2R2RITDJNW1Q6",
        cart_id_group=(175, 192),
    ),
    Locale(
        code="UK",
        endpoint="webservices.amazon.co.uk",
        retail_host="www.amazon.co.uk",
        currency="GBP",
        prefix="£",
        tag_suffix="21",
        recorded=True,
        language="en",
        seller_nickname="Amazon.co.uk",
        merchant_id="A3P5ROKL5A1OLE",
        cart_id_group=(275, 280),
    ),
    Locale(
        code="DE",
        endpoint="webservices.amazon.de",
        retail_host="www.amazon.de",
        currency="EUR",
        prefix="EUR ",
        thousands=".",
        point=",",
        tag_suffix="21",
        recorded=True,
        language="de",
        seller_nickname="Amazon.de",
        merchant_id="A3JWKAKR8XB7XF",
        cart_id_group=(275, 280),
    ),
    Locale(
        code="JP",
        endpoint="webservices.amazon.co.jp",
        retail_host="www.amazon.co.jp",
        other_retail_hosts=("www.amazon.jp",),
        currency="JPY",
        prefix="￥ ",
        decimals=0,
        tag_suffix="22",
        recorded=True,
        language="ja",
        seller_nickname="Amazon.co.jp",
        merchant_id="AN1VRQENFRJN5",
        cart_id_group=(375, 378),
    ),
    Locale(
        code="FR",
        endpoint="webservices.amazon.fr",
        retail_host="www.amazon.fr",
        currency="EUR",
        prefix="EUR ",
        thousands=".",
        point=",",
        tag_suffix="21",
        recorded=True,
        language="fr",
        seller_nickname="Amazon.fr",
        merchant_id="A1X6FK5RDHNB96",
        cart_id_group=(275, 280),
    ),
    Locale(
        code="CA",
        endpoint="webservices.amazon.ca",
        retail_host="www.amazon.ca",
        currency="CAD",
        prefix="CDN$ ",
        tag_suffix="20",
        recorded=True,
        language="en",
        seller_nickname="Amazon.ca",
        merchant_id="A3DWYIK6Y9EEQB",
        cart_id_group=(175, 192),
    ),
)


def _of_today(code: str, domain: str, language: str, currency: str, suffix: str, *, seen: bool = True) -> Locale:
    """A marketplace nothing was recorded of; `currency` as it is written, with a comma where its decimals have one."""
    comma = currency.endswith(",")
    return Locale(
        code=code,
        endpoint=f"webservices.amazon.{domain}",
        retail_host=f"www.amazon.{domain}",
        currency=currency.rstrip(","),
        prefix=f"{currency.rstrip(',')} ",
        thousands="." if comma else ",",
        point="," if comma else ".",
        tag_suffix=suffix,
        tag_suffix_seen=seen,
        language=language,
        seller_nickname=f"Amazon.{domain}",
        cart_id_group={"20": (175, 192), "21": (275, 280), "22": (375, 378)}[suffix],
    )


_TODAY = (
    _of_today("IT", "it", "it", "EUR,", "21"),
    _of_today("ES", "es", "es", "EUR,", "21"),
    _of_today("NL", "nl", "nl", "EUR,", "21"),
    _of_today("BE", "com.be", "fr", "EUR,", "21"),
    _of_today("SE", "se", "sv", "SEK,", "21"),
    _of_today("PL", "pl", "pl", "PLN,", "21"),
    _of_today("IE", "ie", "en", "EUR", "21", seen=False),
    _of_today("TR", "com.tr", "tr", "TRY,", "21"),
    _of_today("AE", "ae", "en", "AED", "21"),
    _of_today("SA", "sa", "en", "SAR", "21"),
    _of_today("EG", "eg", "ar", "EGP", "21"),  # sources disagree on the language: Arabic or English
    _of_today("IN", "in", "en", "INR", "21"),
    _of_today("MX", "com.mx", "es", "MXN", "20"),
    _of_today("BR", "com.br", "pt", "BRL,", "20"),
    _of_today("SG", "sg", "en", "SGD", "22"),
    _of_today("AU", "com.au", "en", "AUD", "22"),
)

LOCALES: dict[str, Locale] = {row.code: row for row in (*_RECORDED, *_TODAY)}
"""The locales by their code: the recorded ones in the order of the documents, then the others."""
RECORDED = tuple(row.code for row in _RECORDED)
"""The locales whose service was recorded: those of the ECS documents."""
