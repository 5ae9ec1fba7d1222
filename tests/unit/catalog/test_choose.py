"""From ECSCART_CATALOG to a catalog: what may be written there, and what is said when it is wrong, without secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flask_ecscart.catalog.anything import AnyCatalog
from flask_ecscart.catalog.choose import Means, choose_catalog
from flask_ecscart.catalog.creators_settings import REGIONS, read_credentials, region_of
from flask_ecscart.catalog.file import FileCatalog
from flask_ecscart.catalog.layers import LayeredCatalog
from flask_ecscart.catalog.lookup import LookupSource
from flask_ecscart.catalog.memory import MemoryCatalog
from flask_ecscart.clock import utc_now
from flask_ecscart.errors import ConfigError
from flask_ecscart.state.fleeting_sql import SQLFleeting
from flask_ecscart.state.sql import Database
from tests.support.shop import Shop

SECRET = "never-to-be-printed"
GOOD: dict[str, Any] = {"credential_id": "id-1", "credential_secret": SECRET, "version": "2.1"}


@pytest.fixture
def means(database: Database) -> Means:
    return Means(database, SQLFleeting(database), {"US": "lamp-20", "DE": "lampe-21", "JP": None}, utc_now)


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "catalog.csv"
    path.write_text("locale,asin,title\nUS,B000LAMP01,Lamp\n")
    return path


def test_nothing_a_path_a_mapping_and_an_object_are_catalogs(means: Means, csv: Path) -> None:
    own = MemoryCatalog()
    assert isinstance(choose_catalog(None, means), AnyCatalog)
    assert isinstance(choose_catalog(str(csv), means), FileCatalog)
    assert isinstance(choose_catalog({"file": csv}, means), FileCatalog)
    assert choose_catalog(own, means) is own


def test_amazons_api_lies_over_the_file_or_over_nothing(means: Means, csv: Path) -> None:
    over_file = choose_catalog({"file": str(csv), "creators": GOOD}, means)
    over_nothing = choose_catalog({"creators": GOOD}, means)
    assert isinstance(over_file, LayeredCatalog)
    assert isinstance(over_file.base, FileCatalog)
    assert isinstance(over_nothing, LayeredCatalog)
    assert isinstance(over_nothing.base, AnyCatalog)


def test_a_remote_service_is_asked_unless_told_otherwise(means: Means, csv: Path) -> None:
    lookup = LookupSource({}, accounts={})
    assert isinstance(choose_catalog(str(csv), means, lookup), LayeredCatalog)
    assert isinstance(choose_catalog({"file": csv, "lookup": False}, means, lookup), FileCatalog)
    creators = choose_catalog({"creators": GOOD}, means, lookup)
    assert isinstance(creators, LayeredCatalog)
    assert {one.source for one in creators.status()} == {"creators"}


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        (5, "path of a CSV file"),
        ({"files": "x"}, "Known are: file, creators, lookup"),
        ({"file": 5}, "path of a CSV file"),
        ({"creators": "id:secret"}, "Use a mapping"),
        ({"creators": {}}, "Copy it from Associates Central"),
        ({"creators": GOOD | {"credential_id": " "}}, "credential_id"),
        ({"creators": {"credential_id": "x", "version": "2.1"}}, "credential_secret"),
        ({"creators": GOOD | {"version": "4.1"}}, "Use 2.1"),
        ({"creators": GOOD | {"version": 21}}, "Use 2.1"),
        ({"creators": GOOD | {"secret": SECRET}}, "no such field"),
        ({"creators": GOOD | {"rate": 0}}, "calls a second"),
        ({"creators": GOOD | {"rate": "1"}}, "calls a second"),
        ({"creators": GOOD | {"host": "creatorsapi.amazon"}}, "whole address"),
        ({"creators": GOOD | {"auth_endpoint": f"https://u:{SECRET}@x.example"}}, "whole address"),
        ({"creators": GOOD | {"version": "2.3"}}, "another region than your locales: US (NA), DE (EU)"),
        ({"creators": {"EU": GOOD}}, "version 2.2 or 3.2"),
        ({"creators": [GOOD, GOOD | {"version": "3.1"}]}, "already"),
        ({"creators": {"NA": GOOD, "EU": "x"}}, "Use a mapping"),
    ],
)
def test_what_is_wrong_is_named_with_the_way_out_and_no_secret(means: Means, value: object, advice: str) -> None:
    with pytest.raises(ConfigError) as caught:
        choose_catalog(value, means)
    assert advice in str(caught.value)
    assert "ECSCART_CATALOG" in str(caught.value)
    assert SECRET not in repr(caught.value) + str(caught.value)


def test_credentials_may_be_given_by_region_or_as_a_list_with_any_capitals() -> None:
    europe = {"Credential_Id": "id-2", "CREDENTIAL_SECRET": SECRET, "version": "v3.2"}
    for value in ({"NA": GOOD, "eu": europe}, [GOOD, europe]):
        found = read_credentials(value, ["US", "DE"])
        assert {region: credential.version for region, credential in found.items()} == {"NA": "2.1", "EU": "3.2"}
        assert found["NA"].account != found["EU"].account
        assert SECRET not in repr(found)
        assert "id-1" not in repr(found) + found["NA"].account


def test_every_locale_is_in_one_region() -> None:
    assert sum(len(locales) for locales in REGIONS.values()) == 22
    assert [region_of(code) for code in ("US", "IE", "EG", "JP", "ZA")] == ["NA", "EU", "EU", "FE", None]


def test_credentials_can_come_from_the_environment(tmp_path: Path, csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECSCART_CATALOG__CREATORS__CREDENTIAL_SECRET", SECRET)
    creators = {"credential_id": "id-1", "version": "2.1"}
    shop = Shop(tmp_path, ECSCART_CATALOG={"file": str(csv), "creators": creators})
    assert isinstance(shop.site.catalog, LayeredCatalog)
    assert SECRET not in repr(shop.site.settings) + repr(shop.site.catalog)


def test_credentials_in_the_environment_lie_over_a_file_named_by_its_path_alone(
    tmp_path: Path, csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("CREDENTIAL_ID", "0123456789"), ("CREDENTIAL_SECRET", SECRET), ("VERSION", "2.1")):
        monkeypatch.setenv(f"ECSCART_CATALOG__CREATORS__{name}", value)
    for path in (csv, str(csv)):
        catalog = Shop(tmp_path, ECSCART_CATALOG=path).site.catalog
        assert isinstance(catalog, LayeredCatalog)
        assert isinstance(catalog.base, FileCatalog)
