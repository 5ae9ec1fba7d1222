"""Where a shopper may be sent: PurchaseURL, MobileCartURL and links, compared with the hosts we know.

Recorded forms (PROTOCOL 3): separators as literal ``%26`` or as ``&``, the HMAC escaped in part or in full, and for
Japan two hosts. Nothing is decoded or repaired: a URL is passed on as it came, or not at all.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from flask_ecscart.errors import MalformedReply
from flask_ecscart.locales import LOCALES

__all__ = [
    "RetailBase",
    "checked_link",
    "checked_mobile_url",
    "checked_picture",
    "checked_purchase_url",
    "retail_sites",
]

RetailBase = str | tuple[str, ...] | None
"""Scheme, host and path that come before `/gp/cart/aws-merge.html`: one, several, or the locale's own sites."""
_PURCHASE_PATH = "/gp/cart/aws-merge.html"
_MOBILE_PATH = "/gp/aw/rcart"
_MAX_LENGTH = 2048
# The whole alphabet of RFC 3986 without the fragment's "#": no space, control, backslash, quote or non-ASCII, which
# browsers and urlsplit read differently.
_PLAIN = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")


def checked_purchase_url(url: str, *, locale: str, retail_base: RetailBase = None) -> str:
    """`url` itself when it leads to the locale's retail cart, or, where `retail_base` is given, to one of those alone.

    Raises `MalformedReply` otherwise, without showing the URL, which holds the HMAC.
    """
    if _leads_to(url, _PURCHASE_PATH, _bases(locale, retail_base)):
        return url
    raise _refused("PurchaseURL", locale)


def checked_mobile_url(url: str, *, locale: str, retail_base: RetailBase = None) -> str | None:
    """`url` itself when it leads to the locale's mobile cart; None for the two recorded forms nobody can use."""
    bases = _bases(locale, retail_base)
    if _leads_to(url, _MOBILE_PATH, bases):
        return url
    # A leftover of Japanese error replies: "%26uid=NULLGWDOCOMO" alone (recorded 2011).
    if url.startswith("%26"):
        return None
    # Japan gave it on plain http until 2011; the HMAC would travel in the clear.
    if url.startswith("http://") and _leads_to(f"https{url[4:]}", _MOBILE_PATH, bases):
        return None
    raise _refused("MobileCartURL", locale)


def checked_link(url: str, *, locale: str, retail_base: RetailBase = None) -> str | None:
    """`url` itself when it leads to a page of the locale's retail site or of `retail_base`; None otherwise.

    Recorded links were plain http.
    """
    parts = _parts(url)
    wanted = {(scheme, host) for host in LOCALES[locale].retail_hosts for scheme in ("http", "https")}
    for base in map(urlsplit, _bases(locale, retail_base)):
        wanted.add((base.scheme, base.netloc))
    return url if parts is not None and (parts.scheme, parts.netloc) in wanted else None


def checked_picture(url: str) -> str | None:
    """`url` itself when it is an address on the web (recorded pictures lie on many hosts); None otherwise."""
    parts = _parts(url)
    return url if parts is not None and parts.scheme in ("http", "https") and parts.hostname else None


def retail_sites(locale: str) -> tuple[str, ...]:
    """The retail sites of the locale itself, as bases of a PurchaseURL."""
    return tuple(f"https://{host}" for host in LOCALES[locale].retail_hosts)


def _bases(locale: str, retail_base: RetailBase) -> tuple[str, ...]:
    if retail_base is None:
        return retail_sites(locale)
    given = (retail_base,) if isinstance(retail_base, str) else retail_base
    return tuple(base.rstrip("/") for base in given)


def _leads_to(url: str, path: str, bases: tuple[str, ...]) -> bool:
    given = _parts(url)
    if given is None:
        return False
    wanted = (urlsplit(base + path) for base in bases)
    return any((given.scheme, given.netloc, given.path) == (base.scheme, base.netloc, base.path) for base in wanted)


def _parts(url: str) -> SplitResult | None:
    if len(url) > _MAX_LENGTH or not _PLAIN.fullmatch(url):
        return None
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _refused(name: str, locale: str) -> MalformedReply:
    return MalformedReply(
        f"The {name} of locale {locale} does not lead to its retail cart, so no shopper may follow it."
        " Check the endpoint, and where it has a retail site of its own, set retail_base."
    )
