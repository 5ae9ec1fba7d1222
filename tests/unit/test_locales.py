"""The table of locales: 22 marketplaces, six of them as recorded."""

from __future__ import annotations

import pytest

from flask_ecscart.locales import LOCALES, RECORDED

MARKETPLACES = {
    "US": ("com", "USD", "20"),
    "CA": ("ca", "CAD", "20"),
    "MX": ("com.mx", "MXN", "20"),
    "BR": ("com.br", "BRL", "20"),
    "UK": ("co.uk", "GBP", "21"),
    "DE": ("de", "EUR", "21"),
    "FR": ("fr", "EUR", "21"),
    "IT": ("it", "EUR", "21"),
    "ES": ("es", "EUR", "21"),
    "NL": ("nl", "EUR", "21"),
    "BE": ("com.be", "EUR", "21"),
    "SE": ("se", "SEK", "21"),
    "PL": ("pl", "PLN", "21"),
    "IE": ("ie", "EUR", "21"),
    "TR": ("com.tr", "TRY", "21"),
    "AE": ("ae", "AED", "21"),
    "SA": ("sa", "SAR", "21"),
    "EG": ("eg", "EGP", "21"),
    "IN": ("in", "INR", "21"),
    "JP": ("co.jp", "JPY", "22"),
    "SG": ("sg", "SGD", "22"),
    "AU": ("com.au", "AUD", "22"),
}


def test_every_associates_marketplace_of_2026_is_a_locale() -> None:
    known = {
        code: (row.retail_host.removeprefix("www.amazon."), row.currency, row.tag_suffix)
        for code, row in LOCALES.items()
    }
    assert known == MARKETPLACES


def test_no_two_locales_share_a_host() -> None:
    hosts = [host for row in LOCALES.values() for host in (row.endpoint, *row.retail_hosts)]
    assert len(hosts) == len(set(hosts))


def test_the_recorded_locales_are_those_of_the_documents_and_come_first() -> None:
    assert RECORDED == ("US", "UK", "DE", "JP", "FR", "CA") == tuple(LOCALES)[:6]
    assert [row.code for row in LOCALES.values() if row.recorded] == list(RECORDED)
    assert all(row.merchant_id is None for row in LOCALES.values() if not row.recorded)


@pytest.mark.parametrize(
    ("locale", "amount", "printed"),
    [
        ("US", 17451, "$174.51"),
        ("UK", 4589, "£45.89"),
        ("DE", 4730, "EUR 47,30"),
        ("FR", 123456, "EUR 1.234,56"),
        ("CA", 6319, "CDN$ 63.19"),
        ("JP", 5546, "￥ 5,546"),
    ],
)
def test_recorded_locales_write_money_as_recorded(locale: str, amount: int, printed: str) -> None:
    assert LOCALES[locale].money(amount).formatted == printed


@pytest.mark.parametrize(
    ("locale", "printed"),
    [("IT", "EUR 1.234,56"), ("BR", "BRL 1.234,56"), ("IE", "EUR 1,234.56"), ("IN", "INR 1,234.56")],
)
def test_other_locales_write_the_currency_in_front(locale: str, printed: str) -> None:
    assert LOCALES[locale].money(123456).formatted == printed


@pytest.mark.parametrize("code", sorted(set(LOCALES) - {"JP"}))
def test_every_currency_but_the_yen_has_two_decimals(code: str) -> None:
    assert LOCALES[code].money(5).formatted[-3:] in {".05", ",05"}


def test_only_the_suffix_nobody_has_seen_is_a_guess() -> None:
    assert [code for code, row in LOCALES.items() if not row.tag_suffix_seen] == ["IE"]


@pytest.mark.parametrize("code", LOCALES)
def test_a_product_link_carries_the_tag(code: str) -> None:
    host = LOCALES[code].retail_host
    assert LOCALES[code].product_url("B000000000", "yoursite-20") == f"https://{host}/dp/B000000000?tag=yoursite-20"
