"""`flask ecscart doctor`: every finding provoked and mended, the JSON a script reads, the status it ends with."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask, Response, abort, redirect
from flask.cli import ScriptInfo

from flask_ecscart.catalog.memory import MemoryCatalog
from flask_ecscart.catalog.sources import SourceStatus
from flask_ecscart.cli import ecscart
from flask_ecscart.clock import utc_now
from flask_ecscart.doctor import configuration, state
from flask_ecscart.doctor.configuration import key_bits
from flask_ecscart.doctor.examine import examine
from flask_ecscart.doctor.finding import LEVELS, Finding, exit_status, redacted
from flask_ecscart.doctor.patient import Patient
from flask_ecscart.doctor.policies import allows, policies, referrer_policy
from flask_ecscart.extension import ECSCart
from flask_ecscart.model import Product
from flask_ecscart.service.http import create_app
from flask_ecscart.state.counters import Count
from tests.support.clock import START, FakeClock
from tests.support.shop import LAMP, Shop, products
from tests.support.web import Site

GOOD_KEY = "3f1c9a5e7b2d4860a1c3e5f7092b4d6f3f1c9a5e7b2d4860a1c3e5f7092b4d6f"
LOCALES: dict[str, dict[str, Any]] = {
    "US": {"associate_tag": "lamp-20", "handoff": "links"},
    "DE": {"associate_tag": "lampe-21", "handoff": "links"},
}
GOOD: dict[str, Any] = {
    "SECRET_KEY": GOOD_KEY,
    "ECSCART_LOCALES": LOCALES,
    "SESSION_COOKIE_SECURE": True,
    "ECSCART_ALLOWED_ORIGINS": [],
}


@pytest.fixture
def make(tmp_path: Path, clock: FakeClock) -> Iterator[Callable[..., Shop]]:
    """`make(ECSCART_…=…)`: a shop nothing is wrong with but what the test says."""
    made: list[Shop] = []

    def build(**config: Any) -> Shop:
        shop = Shop(tmp_path / f"shop{len(made)}", clock=clock, **{**GOOD, **config})
        made.append(shop)
        return shop

    yield build
    for shop in made:
        shop.site.database.close()


def us(tag: str | None, handoff: str) -> dict[str, Any]:
    return {"ECSCART_LOCALES": LOCALES | {"US": {"associate_tag": tag, "handoff": handoff}}}


def front_page(
    shop: Shop, body: str = "<p>Lamps</p>", headers: Mapping[str, str] | None = None, path: str = "/"
) -> None:
    def page() -> Response:
        return Response(body, headers=dict(headers or {}), mimetype="text/html")

    shop.app.add_url_rule(path, f"page{path}", page)


def look(shop: Shop, *pages: str, online: bool = False) -> list[Finding]:
    """What the doctor finds that is not all right, but for what the machine the tests run on cannot help."""
    found = examine(Patient(app=shop.app, site=shop.site, pages=pages, online=online))
    return [finding for finding in found if finding.level != "ok" and finding.check != "expat"]


def said(findings: list[Finding], check: str) -> list[tuple[str, str]]:
    return [(finding.level, finding.what) for finding in findings if finding.check == check]


def one(findings: list[Finding], check: str) -> Finding:
    (found,) = [finding for finding in findings if finding.check == check]
    return found


def run(app: Flask, *options: str) -> Result:
    return app.test_cli_runner().invoke(ecscart, ["doctor", *options])


def test_a_sound_site_has_nothing_wrong(make: Callable[..., Shop]) -> None:
    shop = make()
    front_page(shop)
    assert look(shop) == []


# --- Configuration -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "check", "level", "words"),
    [
        ({"SECRET_KEY": "dev"}, "secret-key", "error", "well-known"),
        ({"SECRET_KEY": "Change-Me"}, "secret-key", "error", "well-known"),
        ({"SECRET_KEY": "a" * 64}, "secret-key", "error", "uniform"),
        ({"SECRET_KEY": "k7Zq"}, "secret-key", "error", "short"),
        ({"SECRET_KEY": "k7Zq-w0Lm9Xt5Rb"}, "secret-key", "warning", "short"),
        ({"SECRET_KEY_FALLBACKS": ["old"]}, "secret-key", "error", "SECRET_KEY_FALLBACKS[0]"),
        ({"SESSION_COOKIE_SECURE": False}, "cookies", "note", "plain http"),
        ({"DEBUG": True}, "settings", "warning", "debug"),
        (us("yoursite-20", "links"), "tags", "error", "place"),
        (us("lamp", "links"), "tags", "warning", "two digits"),
        (us("lamp-22", "links"), "tags", "warning", "usually end in -20"),
        (us("lamp-20", "form"), "handoff", "note", "not tested"),
        (us("lamp-20", "demo"), "handoff", "warning", "stand-in"),
        (us(None, "off"), "handoff", "warning", "by no way"),
        ({"ECSCART_TEXTS": {"disclosure_de": "Wir verdienen."}}, "disclosure", "warning", "does not name Amazon"),
        ({"ECSCART_LOCALES": {"US": LOCALES["US"]}}, "catalog-locales", "warning", "no DE, for which"),
        ({"ECSCART_CATALOG": MemoryCatalog(products()[:3])}, "catalog-locales", "warning", "no product for DE"),
        ({"ECSCART_CATALOG": None}, "catalog", "note", "no catalog"),
        ({"ECSCART_ALLOWED_ORIGINS": ["http://blog.example.org"]}, "origins", "warning", "not encrypted"),
        ({"ECSCART_ALLOWED_ORIGINS": ["https://blog.example.org."]}, "origins", "error", "ends in a dot"),
        ({"ECSCART_ALLOWED_ORIGINS": ["https://blog.example.org:443"]}, "origins", "error", "own port"),
        ({"ECSCART_ALLOWED_ORIGINS": ["https://müller.example"]}, "origins", "error", "as browsers send it"),
        ({"ECSCART_ALLOWED_ORIGINS": ["https://a.example", "https://a.example"]}, "origins", "note", "2 times"),
        ({"ECSCART_DATABASE_URL": "sqlite://"}, "database", "error", "in memory"),
    ],
)
def test_a_setting_that_costs_something_is_found_and_a_good_one_is_not(
    make: Callable[..., Shop], config: dict[str, Any], check: str, level: str, words: str
) -> None:
    finding = one(look(make(**config)), check)
    assert (finding.level, words in finding.what) == (level, True), finding.what
    assert finding.why
    assert finding.mend
    mended = make()
    front_page(mended)
    assert said(look(mended), check) == []


def test_a_tag_used_for_two_countries_is_found(make: Callable[..., Shop]) -> None:
    tag = {"associate_tag": "lampe-21", "handoff": "links"}
    goods = [*products(), Product(locale="UK", asin=LAMP, title="Lamp")]
    shop = make(ECSCART_LOCALES={"UK": tag, "DE": tag, "US": LOCALES["US"]}, ECSCART_CATALOG=MemoryCatalog(goods))
    assert said(look(shop), "tags") == [("warning", "UK and DE use the same tag, lampe-21.")]


def test_a_large_form_is_noted(make: Callable[..., Shop]) -> None:
    locales = LOCALES | {"US": {"associate_tag": "lamp-20", "max_items_per_form": 50}}
    assert "up to 50 items" in str(said(look(make(ECSCART_LOCALES=locales)), "handoff"))


@pytest.mark.parametrize("texts", [{"disclosure_ja": "Amazonのアソシエイトとして…"}, {"disclosure": "Amazon pays."}])
def test_a_disclosure_nobody_knows_the_wording_of_is_the_owners_to_set(
    make: Callable[..., Shop], texts: dict[str, str]
) -> None:
    locales = {"JP": {"associate_tag": "rampu-22", "handoff": "links"}}
    goods = MemoryCatalog([Product(locale="JP", asin=LAMP, title="ランプ")])
    finding = one(look(make(ECSCART_LOCALES=locales, ECSCART_CATALOG=goods)), "disclosure")
    assert (finding.level, "disclosure_ja" in finding.mend) == ("warning", True)
    assert said(look(make(ECSCART_LOCALES=locales, ECSCART_CATALOG=goods, ECSCART_TEXTS=texts)), "disclosure") == []


@pytest.mark.parametrize(
    ("key", "enough"),
    [
        ("0123456789abcdef" * 2, True),
        ("0123456789abcde", False),
        ("kJ8s-Ff0_Qq1Lx7Zc3Vb9N", True),
        ("kJ8s-Ff0_Qq1", False),
        ("correct horse battery staple", True),
        ("abababababababababababababababab", False),
        ("", False),
    ],
)
def test_a_key_is_as_good_as_its_length_and_variety(key: str, enough: bool) -> None:
    assert (key_bits(key) >= 128) is enough


def test_an_old_xml_parser_matters_where_a_remote_service_is_asked(make: Callable[..., Shop]) -> None:
    shop = make()
    patient = Patient(app=shop.app, site=shop.site)
    assert [found.level for found in configuration.expat(patient, version="expat_2.5.0")] == ["note"]
    assert [found.level for found in configuration.expat(patient, version="expat_2.10.1")] == ["ok"]
    remote = make(**ecs("http://127.0.0.1:9/onca/xml"))
    patient = Patient(app=remote.app, site=remote.site)
    assert [found.level for found in configuration.expat(patient, version="expat_2.7.4")] == ["warning"]


# --- Catalog -------------------------------------------------------------------------------------------------


def test_the_catalog_file_is_checked_and_its_age_told(
    make: Callable[..., Shop], tmp_path: Path, clock: FakeClock
) -> None:
    file = tmp_path / "goods.csv"
    file.write_text("locale,asin,title\nUS,B000000000,Lamp\nDE,B000000000,Lampe\n")
    os.utime(file, (clock().timestamp(),) * 2)
    shop = make(ECSCART_CATALOG=str(file))
    assert said(look(shop), "catalog") == []
    clock.advance(days=200)
    assert said(look(shop), "catalog") == [("note", "The catalog file was last changed 200 days ago.")]
    file.write_text("locale,asin,title\nUS,nonsense,Lamp\nDE,B000000000,Lampe\n")
    finding = one(look(shop), "catalog")
    assert (finding.level, 'line 2, column "asin"' in finding.what) == ("warning", True)


class Reporting(MemoryCatalog):
    """A catalog that says how it is."""

    def __init__(self, **said: Any) -> None:
        super().__init__(products())
        self.said = SourceStatus(**{"source": "creators", "locale": "US", "state": "ok", **said})

    def status(self) -> list[SourceStatus]:
        return [SourceStatus(source="file", locale=None, state="broken"), self.said]


@pytest.mark.parametrize(
    ("status", "level", "words"),
    [
        ({"state": "refused", "detail": "AssociateNotEligible", "advice": "Sell."}, "warning", "AssociateNotEligible"),
        (
            {"state": "unauthorized", "since": START, "last_ok": START},
            "error",
            "since 2026-03-14 09:26 UTC",
        ),
        ({"state": "throttled"}, "note", "creators US: throttled."),
        ({"state": "never heard of"}, "warning", "never heard of"),
        ({"unknown": (LAMP,)}, "warning", f"does not know {LAMP}"),
        ({"state": "unused"}, None, None),
        ({}, None, None),
    ],
)
def test_what_a_catalog_says_of_its_source_is_told(
    make: Callable[..., Shop], status: dict[str, Any], level: str | None, words: str | None
) -> None:
    found = said(look(make(ECSCART_CATALOG=Reporting(**status))), "catalog-status")
    assert [each for each, _ in found] == ([level] if level else [])
    assert all(str(words) in what for _, what in found)


CREDENTIAL = {"credential_id": "id-of-a-credential", "credential_secret": "hush-hush-hush", "version": "3.1"}


def test_credentials_of_one_region_leave_the_locales_of_others_to_the_file(make: Callable[..., Shop]) -> None:
    found = said(look(make(ECSCART_CATALOG={"creators": CREDENTIAL})), "credentials")
    assert ("warning", "DE: of region EU; the API credentials are of NA.") in found
    both = {"NA": CREDENTIAL, "EU": {**CREDENTIAL, "version": "2.2"}}
    found = said(look(make(ECSCART_CATALOG={"creators": both})), "credentials")
    assert [what for _, what in found if "of region" in what] == []
    more = LOCALES | {code: {"associate_tag": f"{code.lower()}lamp-21", "handoff": "links"} for code in ("FR", "IT")}
    shop = make(ECSCART_CATALOG={"creators": CREDENTIAL}, ECSCART_LOCALES=more)
    shop.cart()
    found = look(shop)
    assert said(found, "credentials") == [("warning", "DE, FR, IT: of region EU; the API credentials are of NA.")]
    assert said(found, "catalog-status") == [], "it says no more than that"


def test_a_sentence_about_prices_in_another_language_is_the_owners_to_set(make: Callable[..., Shop]) -> None:
    both = {"NA": CREDENTIAL, "EU": {**CREDENTIAL, "version": "2.2"}}
    finding = one(look(make(ECSCART_CATALOG={"creators": both})), "disclosure")
    assert (finding.level, "English where the language is de" in finding.what) == ("note", True)
    for name in ("disclaimer", "disclaimer_de"):
        assert said(look(make(ECSCART_CATALOG={"creators": both}, ECSCART_TEXTS={name: "Preise…"})), "disclosure") == []


def test_locales_whose_carts_leave_alike_are_told_in_one_finding(make: Callable[..., Shop]) -> None:
    rows = {code: {"associate_tag": f"{code.lower()}lamp-20"} for code in ("US", "CA", "MX")}
    finding = one(look(make(ECSCART_LOCALES=rows | {"DE": LOCALES["DE"]})), "handoff")
    assert (finding.level, finding.what.partition(":")[0]) == ("note", "US, CA, MX")


def test_a_content_policy_that_stops_several_hand_offs_is_one_finding(make: Callable[..., Shop]) -> None:
    rows = {"US": {"associate_tag": "lamp-20"}, "DE": {"associate_tag": "lampe-21"}}
    shop = make(ECSCART_LOCALES=rows)
    front_page(shop, headers={"Content-Security-Policy": "form-action 'self'"})
    finding = one(look(shop), "content-security-policy")
    assert "https://www.amazon.com https://www.amazon.de" in finding.mend


def test_a_site_whose_database_is_not_there_yet_is_not_asked_for_what_amazon_said(make: Callable[..., Shop]) -> None:
    shop = make(ECSCART_CATALOG={"creators": [CREDENTIAL, {**CREDENTIAL, "version": "2.2"}]})
    assert said(look(shop), "catalog-status") == []
    assert not Path(shop.site.database.url.database or "").exists()
    shop.cart()
    assert said(look(shop), "catalog-status") == []


def test_pictures_of_amazon_must_be_let_onto_the_page(make: Callable[..., Shop]) -> None:
    shop = make(ECSCART_CATALOG={"creators": [CREDENTIAL, {**CREDENTIAL, "version": "2.2"}]})
    front_page(shop, headers={"Content-Security-Policy": "img-src 'self'"})
    front_page(shop, headers={"Content-Security-Policy": "img-src 'self' https://m.media-amazon.com"}, path="/good")
    found = said(look(shop, "/good"), "content-security-policy")
    assert [what.split(":")[0] for _, what in found] == ["/"]


# --- What keeps the carts --------------------------------------------------------------------------------------

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
tmpfs /run tmpfs rw 0 0
server:/carts /srv/shared\\040carts nfs4 rw 0 0
/dev/sdb1 /srv/shared\\040carts/local xfs rw 0 0
short line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/site/ecscart.db", "ext4"),
        ("/run/ecscart.db", "tmpfs"),
        ("/running/ecscart.db", "ext4"),
        ("/srv/shared carts/ecscart.db", "nfs4"),
        ("/srv/shared carts/local/ecscart.db", "xfs"),
    ],
)
def test_the_file_system_is_that_of_the_deepest_mount(path: str, kind: str) -> None:
    assert state.file_system(Path(path), MOUNTS) == kind
    assert state.file_system(Path(path), "") is None


@pytest.mark.parametrize(("kind", "words"), [("nfs4", "network drive"), ("tmpfs", "in memory"), ("ext4", None)])
def test_a_database_on_a_network_drive_or_in_memory_is_found(
    make: Callable[..., Shop], kind: str, words: str | None
) -> None:
    shop = make()
    found = list(state.sqlite_file(Patient(app=shop.app, site=shop.site), mounts=f"x / {kind} rw 0 0\n"))
    errors = [finding.what for finding in found if finding.level == "error"]
    assert [words in what for what in errors if words] == ([True] if words else [])
    assert bool(errors) is bool(words)


def test_looking_makes_no_database(make: Callable[..., Shop]) -> None:
    shop = make()
    front_page(shop)
    assert look(shop) == []
    assert not Path(shop.site.database.url.database or "").exists()
    shop.add(LAMP)
    assert look(shop) == []


def test_a_relative_path_is_found(make: Callable[..., Shop], tmp_path: Path) -> None:
    relative = os.path.relpath(tmp_path / "cart.db")
    assert said(look(make(ECSCART_DATABASE_URL=f"sqlite:///{relative}")), "database")[0][0] == "warning"


def test_a_folder_that_takes_no_file_is_found(make: Callable[..., Shop]) -> None:
    shop = make(ECSCART_DATABASE_URL="sqlite:////proc/version/ecscart.db")
    assert "cannot be written" in str(said(look(shop), "database"))


def test_tables_of_a_newer_version_are_found(make: Callable[..., Shop]) -> None:
    shop = make()
    shop.add(LAMP)
    with shop.site.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE ecscart_schema SET version = 99 WHERE part = 'sessions'")
    other = make(ECSCART_DATABASE_URL=str(shop.site.database.url))
    assert "99" in one(look(other), "database").what


@pytest.mark.parametrize(
    ("mode", "sqlite", "words"),
    [
        ("wal", True, None),
        ("delete", True, "WAL"),
        ("on", False, None),
        ("local", False, None),
        ("off", False, "before"),
    ],
)
def test_a_database_that_keeps_less_safely_is_found(mode: str, sqlite: bool, words: str | None) -> None:
    found = [finding.what for finding in state.safety(mode, sqlite=sqlite)]
    assert len(found) == (words is not None)
    assert all(str(words) in what for what in found)


def test_a_database_that_is_away_is_found_and_its_password_is_not_shown(make: Callable[..., Shop]) -> None:
    url = "postgresql+psycopg://cart:pa55-w0rd@127.0.0.1:9/cart"
    finding = one(look(make(ECSCART_DATABASE_URL=url)), "database")
    assert (finding.level, "does not answer" in finding.what) == ("error", True)
    assert "pa55" not in str(finding)


@pytest.mark.postgresql
def test_postgresql_is_asked_for_its_clock_and_for_how_safely_it_writes(
    make: Callable[..., Shop], postgresql_url: str
) -> None:
    shop = make(ECSCART_DATABASE_URL=postgresql_url)  # whose clock stands still in March
    shop.add(LAMP)
    finding = one(look(shop), "clock")
    assert (finding.level, "the database server" in finding.what) == ("warning", True)
    lax = make(ECSCART_DATABASE_URL=postgresql_url + "?options=-csynchronous_commit%3Doff")
    assert "synchronous_commit" in str(said(look(lax), "database"))
    assert said(look(shop), "database") == []


@pytest.mark.parametrize(
    ("apart", "level"), [(0.5, "ok"), (-20, "note"), (20, "note"), (90, "warning"), (-2000, "warning")]
)
def test_a_clock_that_is_off_is_worse_the_further(apart: float, level: str) -> None:
    finding = state.clock_finding("the endpoint", START, START + timedelta(seconds=apart))
    assert finding.level == level
    assert level == "ok" or ("ahead of" if apart > 0 else "behind") in finding.what


def test_a_redis_that_is_away_is_found(make: Callable[..., Shop]) -> None:
    found = said(look(make(ECSCART_REDIS_URL="redis://:hush-hush@127.0.0.1:9/0")), "redis")
    assert found == [("error", "Redis does not answer (ConnectionError).")]


@pytest.mark.redis
def test_a_redis_that_answers_is_in_order(make: Callable[..., Shop], redis_url: str) -> None:
    assert said(look(make(ECSCART_REDIS_URL=redis_url)), "redis") == []


def test_shoppers_who_say_that_nothing_arrived_are_heard(make: Callable[..., Shop], clock: FakeClock) -> None:
    shop = make()
    count = shop.site.counters.count
    count(clock().date(), [Count("failed", "US", "", "", 1), Count("arrived", "US", "", "", 9)])
    assert one(look(shop), "arrivals").level == "note"
    count(clock().date(), [Count("failed", "US", "", "", 6)])
    finding = one(look(shop), "arrivals")
    assert (finding.level, "7 of 16" in finding.what, "links" in finding.mend) == ("warning", True, True)
    clock.advance(days=30)
    assert said(look(shop), "arrivals") == []


# --- The site's own pages --------------------------------------------------------------------------------------

FORM = LOCALES | {"US": {"associate_tag": "lamp-20"}}
AMAZON = "https://www.amazon.com"
LINK = '<a href="https://www.amazon.com/dp/B000000000?tag=lamp-20" {}>Lamp</a>'


def tag(shop: Shop) -> str:
    return str(shop.app.jinja_env.from_string("{{ e.script(nonce='n0nce') }}").render(e=markings(shop)))


def markings(shop: Shop) -> Any:
    from flask_ecscart.web.markup import Markings

    return Markings(shop.site.settings, shop.site.widget)


@pytest.mark.parametrize(
    ("policy", "forbidden"),
    [
        ("default-src 'self'", []),
        ("default-src 'none'", ["script-src-elem", "connect-src"]),
        ("form-action 'self'", ["form-action"]),
        ("form-action 'self' https://www.amazon.com", []),
        ("form-action 'self' https://*.amazon.com", []),
        ("form-action 'self' https:", []),
        ("form-action *", []),
        ("form-action https://www.amazon.de", ["form-action"]),
        ("form-action https://www.amazon.com/other/", ["form-action"]),
        ("script-src https://cdn.example", ["script-src-elem"]),
        ("script-src 'nonce-n0nce' 'strict-dynamic'", []),
        ("script-src 'nonce-other'", ["script-src-elem"]),
        ("script-src 'self' 'strict-dynamic' 'nonce-other'", ["script-src-elem"]),
        ("script-src 'self'; script-src-elem 'none'", ["script-src-elem"]),
        ("default-src 'self'; connect-src https://api.example", ["connect-src"]),
        ("default-src *; , form-action 'none'", ["form-action"]),
        ("default-src *; sandbox allow-scripts allow-forms", ["sandbox"]),
        ("default-src *; sandbox allow-scripts allow-forms allow-same-origin allow-popups", []),
    ],
)
@pytest.mark.parametrize("place", ["header", "tag"])
def test_a_content_policy_that_stops_the_cart_is_found(
    make: Callable[..., Shop], policy: str, forbidden: list[str], place: str
) -> None:
    shop = make(ECSCART_LOCALES=FORM)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    headers = {"Content-Security-Policy": policy} if place == "header" else {}
    front_page(shop, (meta if place == "tag" else "") + tag(shop), headers)
    found = said(look(shop), "content-security-policy")
    assert [level for level, _ in found] == ["error"] * len(forbidden)
    assert all(word in what for word, (_, what) in zip(forbidden, found, strict=True))


def test_the_host_that_changes_our_own_pages_policy_is_found(make: Callable[..., Shop]) -> None:
    shop = make(ECSCART_LOCALES=FORM)
    front_page(shop)

    @shop.app.after_request
    def harden(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = "form-action 'self'"
        return response

    found = said(look(shop), "content-security-policy")
    assert [what.split(":")[0] for _, what in found] == ["/", "/ecscart/cart"]


@pytest.mark.parametrize(
    ("headers", "body", "level"),
    [
        ({"Referrer-Policy": "no-referrer"}, "", "error"),
        ({"Referrer-Policy": "no-referrer, strict-origin"}, "", None),
        ({"Referrer-Policy": "same-origin"}, "", "error"),
        ({"Referrer-Policy": "strict-origin"}, '<meta name="referrer" content="no-referrer">', "error"),
        ({"Referrer-Policy": "nonsense"}, "", None),
        ({}, LINK.format('rel="noopener noreferrer"'), "warning"),
        ({}, LINK.format('referrerpolicy="no-referrer"'), "warning"),
        ({}, LINK.format('rel="sponsored nofollow noopener"'), None),
        ({}, '<a href="https://notamazon.example/" rel="noreferrer">x</a>', None),
        ({}, '<a href="//[bad" rel="noreferrer">x</a>', None),
    ],
)
def test_hiding_from_amazon_where_shoppers_come_from_is_found(
    make: Callable[..., Shop], headers: dict[str, str], body: str, level: str | None
) -> None:
    shop = make()
    front_page(shop, body, headers)
    assert [found[0] for found in said(look(shop), "referrer-policy")] == ([level] if level else [])


def test_a_pasted_tag_of_an_older_widget_is_found(make: Callable[..., Shop]) -> None:
    shop = make()
    good = tag(shop)
    front_page(shop, good + "<ecs-cart></ecs-cart>")
    front_page(shop, good.replace(shop.site.widget.digest, "0" * 16), path="/old")
    front_page(shop, good.replace("sha384-", "sha384-AAAA"), path="/other")
    front_page(shop, good.replace('type="module" ', ""), path="/plain")
    front_page(shop, "<ecs-cart></ecs-cart>", path="/none")
    found = said(look(shop, "/old", "/other", "/plain", "/none"), "widget-tag")
    assert [(level, what.split()[0]) for level, what in found] == [
        ("error", "/old"),
        ("error", "/other"),
        ("error", "/plain"),
        ("warning", "/none"),
    ]


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (lambda: abort(404), "404"),
        (lambda: Response("{}", mimetype="application/json"), "application/json"),
        (lambda: redirect("https://login.example/"), "login.example"),
        (lambda: redirect("/round"), "in a circle"),
        (lambda: redirect("/landing"), None),
    ],
)
def test_a_page_that_cannot_be_read_is_said(
    make: Callable[..., Shop], view: Callable[[], Any], words: str | None
) -> None:
    shop = make()
    front_page(shop)
    front_page(shop, path="/landing")
    shop.app.add_url_rule("/round", "round", view)
    found = said(look(shop, "/round"), "pages")
    assert [(level, words in what) for level, what in found if words] == ([("note", True)] if words else [])
    assert bool(found) is bool(words)


def test_a_page_that_fails_is_said_and_stops_nothing(make: Callable[..., Shop]) -> None:
    shop = make(TESTING=True)  # the error comes through to who asks
    front_page(shop)

    def broken() -> str:
        raise RuntimeError(GOOD_KEY)

    shop.app.add_url_rule("/broken", "broken", broken)
    finding = one(look(shop, "/broken"), "pages")
    assert (finding.level, "RuntimeError" in finding.what) == ("note", True)


def test_the_policy_reader_knows_the_rules() -> None:
    own = "https://shop.example"
    (policy,) = policies(["script-src HTTPS://Shop.Example:443 https://cdn.example:8443/js/; script-src 'none'"])
    assert allows(policy, "script-src-elem", f"{own}/x.js", own=own)
    assert allows(policy, "script-src-elem", "https://cdn.example:8443/js/x.js", own=own)
    assert not allows(policy, "script-src-elem", "https://cdn.example/js/x.js", own=own)
    assert not allows(policy, "script-src-elem", "https://cdn.example:8443/x.js", own=own)
    assert allows(policy, "form-action", "https://anywhere.example/", own=own)
    assert allows({"form-action": ["http://a.example"]}, "form-action", "https://a.example/", own=own)
    assert not allows({"form-action": ["*.a.example"]}, "form-action", "https://a.example/", own=own)
    assert not allows({"form-action": ["'none'"]}, "form-action", "https://a.example/", own=own)
    digest = {"script-src": ["'sha384-x'"]}
    assert allows(digest, "script-src-elem", f"{own}/x.js", own=own, integrity="sha384-x")
    assert not allows(digest, "script-src-elem", f"{own}/x.js", own=own, integrity="sha384-y")
    assert (policies(["", ";"]), referrer_policy("", [])) == ([], "")


# --- The widget file -------------------------------------------------------------------------------------------


def _set(name: str, value: str | None) -> Callable[[Response], None]:
    return lambda response: response.headers.remove(name) if value is None else response.headers.set(name, value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_set("Cross-Origin-Resource-Policy", "same-origin"), "error: Cross-Origin-Resource-Policy: same-origin"),
        (_set("Access-Control-Allow-Origin", None), "error: Access-Control-Allow-Origin: (none)"),
        (_set("Content-Type", "text/plain"), "error: Content-Type: text/plain"),
        (_set("Cache-Control", "no-store"), "warning: Cache-Control: no-store"),
        (_set("Set-Cookie", "session=1"), "warning: sets a cookie"),
        (lambda response: response.set_data(b"/* minified */"), "error: as it was built"),
        (lambda response: setattr(response, "status_code", 403), "error: answers 403"),
    ],
)
def test_a_host_that_spoils_the_widget_file_is_found(
    make: Callable[..., Shop], change: Callable[[Response], None], words: str
) -> None:
    shop = make()
    front_page(shop)

    @shop.app.after_request
    def meddle(response: Response) -> Response:
        if response.mimetype == "text/javascript":
            change(response)
        return response

    found = said(look(shop), "widget")
    assert len(found) == 2
    level, _, what = words.partition(": ")
    assert all((level, True) == (each, what in told) for each, told in found)


# --- Other machines, asked with --online only -------------------------------------------------------------------


def ecs(endpoint: str | None, **more: Any) -> dict[str, Any]:
    return {
        "ECSCART_PROVIDER": "ecs",
        "ECSCART_ACCESS_KEY": "access-key",
        "ECSCART_SECRET_KEY": "secret-key-of-the-endpoint",
        "ECSCART_LOCALES": {"US": {"associate_tag": "lamp-20", "handoff": "links", "endpoint": endpoint}},
        **more,
    }


@pytest.fixture
def endpoint(tmp_path: Path, serve: Callable[..., Site]) -> str:
    """A cart service with one key, at the real time."""
    app = create_app(
        database_url=f"sqlite:///{tmp_path / 'service.db'}",
        catalog=MemoryCatalog(products()),
        keys={"access-key": "secret-key-of-the-endpoint"},
    )
    return serve(app).url + "/onca/xml"


def test_amazons_own_dead_endpoint_is_found(make: Callable[..., Shop]) -> None:
    assert "Amazon's" in one(look(make(**ecs(None))), "endpoint").what


def test_nobody_outside_is_asked_without_being_told_to(make: Callable[..., Shop], serve: Callable[..., Site]) -> None:
    asked: list[str] = []
    app = Flask("outside")
    app.before_request(lambda: asked.append("asked"))
    url = serve(app).url
    shop = make(**ecs(f"{url}/onca/xml"), ECSCART_ALLOWED_ORIGINS=[url])
    look(shop)
    assert asked == []
    look(shop, online=True)
    assert asked


def test_the_endpoint_that_knows_our_keys_is_in_order(endpoint: str, tmp_path: Path) -> None:
    shop = Shop(tmp_path / "now", **{**GOOD, **ecs(endpoint)})  # by the machine's own clock
    found = look(shop, online=True)
    shop.site.database.close()
    assert (said(found, "endpoint"), said(found, "clock")) == ([], [])


def test_an_endpoint_that_refuses_our_keys_or_has_another_time_is_found(
    endpoint: str, make: Callable[..., Shop], tmp_path: Path
) -> None:
    wrong = Shop(tmp_path / "wrong", **{**GOOD, **ecs(endpoint, ECSCART_SECRET_KEY="another-secret-key")})
    finding = one(look(wrong, online=True), "endpoint")
    wrong.site.database.close()
    assert (finding.level, "SignatureDoesNotMatch" in finding.what) == ("error", True)
    assert "another-secret-key" not in str(finding)
    late = look(make(**ecs(endpoint)), online=True)  # the clock stands still in March
    assert "the US endpoint" in one(late, "clock").what


def test_an_endpoint_that_is_away_is_found(make: Callable[..., Shop]) -> None:
    finding = one(look(make(**ecs("http://127.0.0.1:9/onca/xml")), online=True), "endpoint")
    assert (finding.level, "NotSent" in finding.what) == ("error", True)


def test_our_clock_is_compared_with_that_of_an_origin(
    make: Callable[..., Shop], serve: Callable[..., Site], clock: FakeClock
) -> None:
    there = Flask("there")
    there.add_url_rule("/", "home", lambda: "here")
    shop = make(ECSCART_ALLOWED_ORIGINS=[serve(there).url])  # whose clock stands still in March
    finding = one(look(shop, online=True), "clock")
    assert (finding.level, "behind the server of http://127.0.0.1" in finding.what) == ("warning", True)
    clock.advance(seconds=(utc_now() - clock()).total_seconds())
    assert said(look(shop, online=True), "clock") == []


def test_an_origin_is_visited_and_where_it_leads_is_told(make: Callable[..., Shop], serve: Callable[..., Site]) -> None:
    here, moved = Flask("here"), Flask("moved")
    here.add_url_rule("/", "home", lambda: "here")
    moved.add_url_rule("/", "home", lambda: redirect("https://www.blog.example.org/"))
    origins = [serve(here).url, serve(moved).url, "http://127.0.0.1:9", "https://nowhere.invalid"]
    found = [what for _, what in said(look(make(ECSCART_ALLOWED_ORIGINS=origins), online=True), "origins")]
    found = [what for what in found if "not encrypted" not in what]
    assert [what.split()[0] for what in found] == origins[1:]
    assert "sends its visitors to https://www.blog.example.org" in found[0]
    assert "cannot be reached" in found[1]


# --- What comes out ----------------------------------------------------------------------------------------------


def test_the_text_fits_a_terminal_has_no_colour_codes_and_says_why_and_how(make: Callable[..., Shop]) -> None:
    shop = make(SECRET_KEY="dev", ECSCART_LOCALES=FORM, ECSCART_ALLOWED_ORIGINS=["http://" + "x" * 60 + ".example"])
    printed = run(shop.app, "--page", "nowhere")
    assert max(map(len, printed.output.splitlines())) <= 80
    assert "\x1b" not in printed.output
    for word in ("ERROR    [secret-key]", "Why:", "Mend:", "NOTE     [pages] /nowhere", "OK       [widget]"):
        assert word in printed.output


def test_a_terminal_gets_colours(make: Callable[..., Shop]) -> None:
    shop = make(SECRET_KEY="dev")
    assert "\x1b[31m" in shop.app.test_cli_runner().invoke(ecscart, ["doctor"], color=True).output


@pytest.mark.parametrize(
    ("config", "options", "status"),
    [
        ({}, [], 0),
        ({}, ["--strict"], 0),
        (us("lamp-20", "demo"), [], 0),
        (us("lamp-20", "demo"), ["--strict"], 1),
        ({**us("lamp-20", "demo"), "SECRET_KEY": "dev"}, ["--strict"], 2),
        ({"SECRET_KEY": "dev"}, ["--json"], 2),
        ({"SESSION_COOKIE_SECURE": False}, ["--strict"], 0),
    ],
)
def test_the_exit_status_tells_errors_and_when_strict_warnings(
    make: Callable[..., Shop], config: dict[str, Any], options: list[str], status: int
) -> None:
    shop = make(**config)
    front_page(shop)
    assert run(shop.app, *options).exit_code == status


def test_the_json_has_its_shape(make: Callable[..., Shop]) -> None:
    document = json.loads(run(make(SECRET_KEY="dev").app, "--json").output)
    assert list(document) == ["version", "status", "summary", "findings"]
    assert (document["version"], document["status"], list(document["summary"])) == (1, 2, list(LEVELS))
    assert sum(document["summary"].values()) == len(document["findings"])
    for finding in document["findings"]:
        assert list(finding) == ["level", "check", "what", "why", "mend"]
        assert finding["level"] in LEVELS
        assert bool(finding["mend"]) is bool(finding["why"]) is (finding["level"] != "ok")


def test_a_site_that_does_not_start_gets_one_finding(tmp_path: Path) -> None:
    def broken() -> Flask:
        app = Flask("broken", instance_path=str(tmp_path))
        app.config.update(SECRET_KEY=GOOD_KEY, ECSCART_LOCALES={"US": {}})
        ECSCart(app)
        return app

    def without_catalog() -> Flask:
        app = Flask("without", instance_path=str(tmp_path))
        app.config.update(SECRET_KEY=GOOD_KEY, ECSCART_LOCALES=LOCALES, ECSCART_CATALOG=str(sheet))
        ECSCart(app)
        return app

    def without_driver() -> Flask:
        app = Flask("driverless", instance_path=str(tmp_path))
        app.config.update(SECRET_KEY=GOOD_KEY, ECSCART_LOCALES=LOCALES)
        app.config["ECSCART_DATABASE_URL"] = "postgresql+pg8000://cart:pa55-w0rd@127.0.0.1/cart"
        ECSCart(app)
        return app

    sheet = tmp_path / "goods.csv"
    sheet.write_text("locale,asin,title\n" + "US,nonsense,Lamp\n" * 10_000)
    runner = Flask("runner").test_cli_runner()
    for factory, words in (
        (broken, "associate_tag"),
        (lambda: Flask("bare"), "not registered"),
        (without_driver, "postgresql+pg8000"),
        (without_catalog, 'line 2, column "asin"'),
    ):
        printed = runner.invoke(ecscart, ["doctor", "--json"], obj=ScriptInfo(create_app=factory))
        (finding,) = json.loads(printed.output)["findings"]
        assert (printed.exit_code, finding["level"], words in finding["what"]) == (2, "error", True)
        assert finding["mend"]
        assert "pa55" not in printed.output
        assert words != "postgresql+pg8000" or 'pip install "flask-ecscart[postgresql]"' in finding["mend"]
    assert f"flask ecscart catalog check {sheet}" in finding["mend"]


def test_no_secret_is_printed_whoever_says_it(make: Callable[..., Shop]) -> None:
    careless = {"state": "refused", "detail": f"{GOOD_KEY} secret-key-of-the-endpoint access-key"}
    shop = make(
        **ecs("http://127.0.0.1:9/onca/xml"),
        ECSCART_CATALOG=Reporting(**careless),
        ECSCART_REDIS_URL="redis://:r3dis-pass@127.0.0.1:9/0",
    )
    output = run(shop.app, "--online", "--json").output
    assert "refused (… … …)" in output
    for secret in (GOOD_KEY, "secret-key-of-the-endpoint", "access-key", "r3dis-pass"):
        assert secret not in output
    shop = make(ECSCART_CATALOG={"creators": CREDENTIAL})
    assert "hush-hush-hush" in Patient(app=shop.app, site=shop.site).secrets()


def test_redaction_leaves_words_alone_and_takes_the_longest_first() -> None:
    finding = Finding(level="note", check="x", what="the key abcdef and abcd", why="a", mend="b")
    (clean,) = redacted([finding], ["abcd", "abcdef", "key", ""])
    assert clean.what == "the key … and …"


def test_a_check_that_fails_itself_is_one_finding_among_the_others(make: Callable[..., Shop]) -> None:
    class Broken(MemoryCatalog):
        def status(self) -> list[SourceStatus]:
            raise KeyError("secret")

    found = look(make(ECSCART_CATALOG=Broken(products())))
    assert said(found, "doctor") == [("warning", "The check 'catalog_status' could not be done (KeyError).")]


def test_the_doctor_changes_neither_the_app_nor_its_config(make: Callable[..., Shop]) -> None:
    shop = make()
    before = dict(shop.app.config)
    look(shop)
    assert dict(shop.app.config) == before


def test_the_status_of_nothing_found_is_zero() -> None:
    assert exit_status([], strict=True) == 0


def test_the_documentation_names_every_check_and_no_other() -> None:
    root = Path(__file__).resolve().parents[2]
    rooms = "".join(room.read_text() for room in (root / "flask_ecscart" / "doctor").glob("*.py"))
    names = set(re.findall(r'(?:check=|good\()"([a-z-]+)"', rooms))
    table = (root / "docs" / "doctor.md").read_text().partition("| check | finds |")[2]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)) == names
