"""A shopper is sent to the retail cart of the locale and nowhere else."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_ecscart.ecs.purchase_url import checked_mobile_url, checked_purchase_url
from flask_ecscart.errors import MalformedReply
from flask_ecscart.locales import LOCALES

PATH = "/gp/cart/aws-merge.html"
GOOD = (
    f"https://www.amazon.com{PATH}?cart-id=1%26associate-id=t-20%26hmac=a%2Bb/c=%26SubscriptionId=K%26MergeCart=False"
)
FORMS = {
    "A, separators escaped": GOOD,
    "B, separators plain, HMAC in part": GOOD.replace("%26", "&"),
    "C, HMAC escaped in full": GOOD.replace("b/c=", "b%2Fc%3D"),
    "D, both": GOOD.replace("b/c=", "b%2Fc%3D").replace("%26", "&"),
    "documented, another name for the key": GOOD.replace("SubscriptionId", "AWSAccessKeyId"),
}
HOSTILE = [
    GOOD.replace("https:", "http:"),
    GOOD.replace("https://", "//"),
    GOOD.replace("https://", "https:"),
    GOOD.replace("https://", "https:///"),
    GOOD.replace("https://", "https:\\\\"),
    GOOD.replace("www.amazon.com", "www.amazon.com.evil.example"),
    GOOD.replace("www.amazon.com", "evilwww.amazon.com"),
    GOOD.replace("www.amazon.com", "www.amazon.com@evil.example"),
    GOOD.replace("www.amazon.com", "www.amazon.com:443"),
    GOOD.replace("www.amazon.com", "www.amazon.com:8443"),
    GOOD.replace("www.amazon.com", "user@www.amazon.com"),
    GOOD.replace("www.amazon.com", "www.amazon.com."),
    GOOD.replace("www.amazon.com", "WWW.AMAZON.COM"),
    GOOD.replace("www.amazon.com", "www.amazon.de"),
    GOOD.replace("www.amazon.com", "amazon.com"),
    GOOD.replace("www.amazon.com", "evil.example\\@www.amazon.com"),
    GOOD.replace("www.amazon.com", "evil.example#@www.amazon.com"),
    GOOD.replace("www.amazon.com", "evil.example?@www.amazon.com"),
    GOOD.replace("www.amazon.com", "[www.amazon.com]"),
    GOOD.replace("www.amazon.com", "[::1"),
    GOOD.replace("www.amazon.com", "www.amazon.com%2eevil.example"),
    GOOD.replace("amazon", "аmazon"),
    GOOD.replace(PATH, "/gp/cart/../redirect.html"),
    GOOD.replace(PATH, f"//evil.example{PATH}"),
    GOOD.replace(PATH, f"{PATH}/../x"),
    GOOD.replace(PATH, f"{PATH};x"),
    GOOD.replace(PATH, "/gp/aw/rcart"),
    GOOD.replace(PATH, "/GP/cart/aws-merge.html"),
    GOOD.replace("cart-id=1", "cart-id=1 2"),
    GOOD.replace("cart-id=1", "cart-id=1\t2"),
    GOOD.replace("cart-id=1", "cart-id=1\r\nSet-Cookie:x"),
    GOOD.replace("cart-id=1", "cart-id=\x00"),
    GOOD.replace("cart-id=1", "cart-id=é"),
    GOOD.replace("cart-id=1", 'cart-id="><script>'),
    GOOD + "#fragment",
    f" {GOOD}",
    f"{GOOD}\n",
    GOOD + "x" * 2048,
    f"javascript:alert(1)//https://www.amazon.com{PATH}",
    f"data:text/html,https://www.amazon.com{PATH}",
    PATH,
    "",
]


@pytest.mark.parametrize("form", FORMS)
def test_every_recorded_form_is_passed_on_unchanged(form: str) -> None:
    assert checked_purchase_url(FORMS[form], locale="US") == FORMS[form]


@pytest.mark.parametrize(
    ("locale", "host"), [(row.code, host) for row in LOCALES.values() for host in row.retail_hosts]
)
def test_each_locale_has_its_own_hosts(locale: str, host: str) -> None:
    url = GOOD.replace("www.amazon.com", host)
    assert checked_purchase_url(url, locale=locale) == url
    other = "UK" if locale == "US" else "US"
    with pytest.raises(MalformedReply):
        checked_purchase_url(url, locale=other)


@pytest.mark.parametrize("url", HOSTILE, ids=range(len(HOSTILE)))
def test_anything_else_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(MalformedReply) as caught:
        checked_purchase_url(url, locale="US")
    assert "cart-id" not in str(caught.value)
    assert caught.value.__context__ is None


@given(st.text(st.sampled_from("/\\@:#?&%.;[] \t\r\n\x00éhttpswww.amazon.comevil") | st.characters(), max_size=30))
def test_whatever_passes_leads_exactly_to_the_retail_cart(text: str) -> None:
    for url in (text, f"https://{text}{PATH}?a=1", f"https://www.amazon.com{text}", GOOD + text):
        try:
            passed = checked_purchase_url(url, locale="US")
        except MalformedReply:
            continue
        assert passed == url
        assert passed.startswith(f"https://www.amazon.com{PATH}")
        assert passed[len(f"https://www.amazon.com{PATH}") :][:1] in ("", "?")
        parts = urlsplit(passed)
        assert (parts.hostname, parts.port, parts.username, parts.fragment) == ("www.amazon.com", None, None, "")


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://127.0.0.1:8001", f"http://127.0.0.1:8001{PATH}?cart-id=1"),
        ("http://127.0.0.1:8001/", f"http://127.0.0.1:8001{PATH}?cart-id=1"),
        ("https://shop.example/carts", f"https://shop.example/carts{PATH}?cart-id=1"),
    ],
)
def test_a_retail_base_of_the_owners_replaces_the_locales_hosts(base: str, url: str) -> None:
    assert checked_purchase_url(url, locale="US", retail_base=base) == url
    for other in (GOOD, url.replace("://", "://x."), url.replace("http", "ftp"), url.replace(PATH, "/x")):
        with pytest.raises(MalformedReply):
            checked_purchase_url(other, locale="US", retail_base=base)


MOBILE = GOOD.replace("www.amazon.com", "www.amazon.jp").replace(PATH, "/gp/aw/rcart")


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        pytest.param(MOBILE, True, id="recorded 2016"),
        pytest.param(MOBILE + "%26uid=NULLGWDOCOMO", True, id="with the operator's uid"),
        pytest.param(MOBILE.replace("https", "http"), False, id="plain http, recorded 2011"),
        pytest.param("%26uid=NULLGWDOCOMO", False, id="leftover of an error"),
    ],
)
def test_a_mobile_url_is_kept_when_it_is_safe_and_dropped_in_its_recorded_odd_forms(url: str, kept: bool) -> None:
    assert checked_mobile_url(url, locale="JP") == (url if kept else None)


@pytest.mark.parametrize(
    "url",
    [
        MOBILE.replace("www.amazon.jp", "evil.example"),
        MOBILE.replace("https://www.amazon.jp", "http://evil.example"),
        MOBILE.replace("/gp/aw/rcart", PATH),
    ],
)
def test_a_mobile_url_that_leads_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(MalformedReply):
        checked_mobile_url(url, locale="JP")
