"""The owner's CSV file: what it may look like, what it means, and what is said about its slips."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import flask_ecscart
from flask_ecscart.catalog.columns import COLUMNS
from flask_ecscart.catalog.file import FileCatalog, MemoryCatalog, check
from flask_ecscart.errors import CatalogError
from flask_ecscart.locales import RECORDED
from flask_ecscart.model import Offer, Product

LAMP = "B000LAMP01"
HEAD = "locale,asin,title"
GOOD = f"US,{LAMP},Lamp"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.csv"


def load(path: Path, *lines: str, encoding: str = "utf-8") -> FileCatalog:
    path.write_bytes("\n".join(lines).encode(encoding))
    return FileCatalog(path)


def one(catalog: FileCatalog, asin: str = LAMP, locale: str = "US") -> Product:
    return catalog.lookup(locale, [asin])[asin]


# --- What it may look like -----------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_every_spreadsheets_csv_is_read(path: Path, encoding: str, ending: str, separator: str) -> None:
    rows = [["title", "locale", "price", "asin"], ['"Lämp, ""big""; red"', "US", "12.24", LAMP], ["", "", "", ""]]
    path.write_bytes(ending.join(separator.join(row) for row in rows).encode(encoding))
    product = one(FileCatalog(path))
    assert (product.title, product.offers[0].price) == ('Lämp, "big"; red', 1224)


def test_the_line_that_tells_excel_the_separator_is_no_header(path: Path) -> None:
    assert one(load(path, "sep=;", HEAD.replace(",", ";"), GOOD.replace(",", ";"))).title == "Lamp"
    with pytest.raises(CatalogError) as caught:
        load(path, "sep=;", HEAD.replace(",", ";"), "US;b;Lamp")
    assert caught.value.line == 3


def test_header_names_may_have_capitals_and_spaces_and_columns_of_ones_own(path: Path) -> None:
    catalog = load(path, " Locale ,ASIN,Title,Product Group,# my notes,", f"{GOOD},Home,buy more,")
    assert one(catalog).product_group == "Home"


def test_all_columns_are_read(path: Path) -> None:
    catalog = load(
        path,
        ",".join(COLUMNS),
        f"DE,{LAMP},Lampe,Home,product,B000PARENT,12.5,preorder,3,a%2Bb%3D,Jo,,A2JO,"
        "https://shop.example/l,/static/l.jpg,2006-11-21",
    )
    assert one(catalog, locale="DE") == Product(
        locale="DE",
        asin=LAMP,
        title="Lampe",
        product_group="Home",
        parent_asin="B000PARENT",
        url="https://shop.example/l",
        image="/static/l.jpg",
        released="2006-11-21",
        offers=(
            Offer(
                offer_listing_id="a%2Bb%3D", price=1250, availability="preorder", limit=3, seller="Jo", seller_id="A2JO"
            ),
        ),
    )


@pytest.mark.parametrize(
    ("locale", "cell", "price"),
    [
        ("US", "12.24", 1224),
        ("US", "12.2", 1220),
        ("US", "12", 1200),
        ("US", "0", 0),
        ("US", "", None),
        ("JP", "5546", 5546),
    ],
)
def test_prices_are_major_units_with_a_point(path: Path, locale: str, cell: str, price: int | None) -> None:
    catalog = load(path, f"{HEAD},price", f"{locale},{LAMP},Lamp,{cell}")
    assert one(catalog, locale=locale).offers[0].price == price


def test_further_lines_are_further_offers_and_the_first_names_the_product(path: Path) -> None:
    catalog = load(
        path,
        f"{HEAD},price,seller,offer_listing_id",
        f"{GOOD},10.00,,",
        "US,B000OTHER1,Other,1.00,,",
        f"US,{LAMP},Used lamp,4.00,Jo,used%2B1",
    )
    product = one(catalog)
    assert (product.title, [offer.price for offer in product.offers]) == ("Lamp", [1000, 400])
    for spelled in ("used+1", "used%2B1", "used%252B1"):
        assert catalog.offer("US", spelled) == (product, product.offers[1])
    assert catalog.offer("DE", "used+1") is None
    assert len(catalog) == 2


@pytest.mark.parametrize("kind", ["variation_parent", "collection_parent"])
def test_parents_have_no_offers(path: Path, kind: str) -> None:
    assert one(load(path, f"{HEAD},kind,price", f"{GOOD},{kind},5.00")).offers == ()


def test_unknown_asins_are_absent(path: Path) -> None:
    assert load(path, HEAD, GOOD).lookup("US", ["B000NOBODY"]) == {}
    assert load(path, HEAD, GOOD).lookup("DE", [LAMP]) == {}


def test_the_sample_catalog_is_good() -> None:
    sample = Path(flask_ecscart.__file__).parent / "catalog" / "sample.csv"
    assert check(sample) == []
    assert {product.locale for product in FileCatalog(sample)} == set(RECORDED)


# --- Slips ---------------------------------------------------------------------------------------------------

SLIPS = [
    ("locale", "XX", "Write one of US, UK"),
    ("asin", "201896842", "leading zeros"),
    ("asin", "b000lamp01", "ten capital letters"),
    ("title", "", "product's title"),
    ("title", "a\x01b", "control characters"),
    ("product_group", "a\x7fb", "control characters"),
    ("kind", "thing", "variation_parent"),
    ("parent_asin", "B1", "Write the ASIN"),
    ("price", '"12,24"', "such as 12.24"),
    ("price", "-1", "such as 12.24"),
    ("price", "12.245", "such as 12.24"),
    ("price", "1e3", "such as 12.24"),
    ("price", "١٢", "such as 12.24"),
    ("availability", "soon", "in_stock, out_of_stock"),
    ("limit", "0", "from 1 to 999"),
    ("limit", "1000", "from 1 to 999"),
    ("limit", "²", "from 1 to 999"),
    ("offer_listing_id", "a b", "as Amazon gave it"),
    ("url", "javascript:alert(1)", "https://"),
    ("url", "//other.example/x", "https://"),
    ("image", 'https://x/"onerror', "https://"),
    ("released", "21.11.2006", "YYYY-MM-DD"),
    ("released", "2006-02-30", "YYYY-MM-DD"),
]


@pytest.mark.parametrize(("column", "cell", "advice"), SLIPS)
def test_a_slip_is_named_by_line_and_column_with_what_to_write(path: Path, column: str, cell: str, advice: str) -> None:
    cells = {"locale": "US", "asin": LAMP, "title": "Lamp", column: cell}
    good = {"locale": "US", "asin": "B000GOOD01", "title": "Good", column: ""} | (
        {}
        if column not in {"locale", "asin", "title"}
        else {column: {"locale": "US", "asin": "B000GOOD01"}.get(column, "Good")}
    )
    with pytest.raises(CatalogError) as caught:
        load(path, ",".join(cells), ",".join(good.values()), ",".join(cells.values()))
    problem = caught.value
    assert (problem.path, problem.line, problem.column) == (str(path), 3, column)
    assert advice in problem.problem


def test_yen_have_no_decimals(path: Path) -> None:
    with pytest.raises(CatalogError, match="such as 5546"):
        load(path, f"{HEAD},price", f"JP,{LAMP},Lamp,55.46")


def test_check_reports_every_problem_in_order(path: Path) -> None:
    path.write_text(f"{HEAD},price,limit\nXX,b,,1,1\n{GOOD},x,0\n{GOOD},1,1\n")
    found = [(problem.line, problem.column) for problem in check(path)]
    assert found == [(2, "locale"), (2, "asin"), (2, "title"), (3, "limit"), (3, "price")]


@pytest.mark.parametrize(
    ("lines", "line", "column", "advice"),
    [
        (["locale,title", "US,Lamp"], 1, "asin", "missing"),
        ([f"{HEAD},prise", f"{GOOD},1"], 1, "prise", "There are locale, asin"),
        ([f"{HEAD},title", f"{GOOD},x"], 1, "title", "twice"),
        ([HEAD, f"{GOOD},one,two"], 2, None, "in quotes"),
        ([HEAD, 'US,B000LAMP01,"La', 'mp"', GOOD, "US,B1,x"], 2, "title", "line breaks"),
        ([HEAD, GOOD, GOOD], 3, "asin", "line 2"),
        ([f"{HEAD},offer_listing_id", f"{GOOD},a%2Bb", "US,B000OTHER1,Other,a+b"], 3, "offer_listing_id", "line 2"),
        ([""], 1, "locale", "missing"),
    ],
)
def test_a_file_that_means_nothing_is_refused(
    path: Path, lines: list[str], line: int, column: str | None, advice: str
) -> None:
    with pytest.raises(CatalogError) as caught:
        load(path, *lines)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert advice in str(caught.value)
    assert str(check(path)[0]) == str(caught.value)


def test_a_file_that_is_not_utf_8_is_told_how_to_be(path: Path) -> None:
    with pytest.raises(CatalogError, match="CSV UTF-8") as caught:
        load(path, HEAD, GOOD, "US,B000OTHER1,Lämp", encoding="latin-1")
    assert caught.value.line == 3


def test_a_file_that_is_not_there_is_named(path: Path) -> None:
    with pytest.raises(CatalogError, match="cannot be opened"):
        FileCatalog(path)
    assert len(check(path)) == 1


def test_lines_are_counted_as_the_editor_does(path: Path) -> None:
    with pytest.raises(CatalogError) as caught:
        load(path, f"{HEAD},# note", f'{GOOD},"two', 'lines\u2028"', "", "US,B1,x,")
    assert caught.value.line == 5


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"{HEAD}\n{text}".encode("utf-8", "replace"))
)
def test_whatever_is_in_the_file_it_is_read_or_refused(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    problems = check(path)
    if problems:
        with pytest.raises(CatalogError):
            FileCatalog(path)
    else:
        FileCatalog(path)


# --- Changes while it is used --------------------------------------------------------------------------------


def test_a_changed_file_is_read_again(path: Path) -> None:
    catalog = load(path, f"{HEAD},price", f"{GOOD},1.00")
    path.write_text(f"{HEAD},price\n{GOOD},22.00\n")
    assert one(catalog).offers[0].price == 2200


def test_a_file_that_became_broken_leaves_the_last_good_one(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    catalog = load(path, f"{HEAD},price", f"{GOOD},1.00")
    path.write_text(f"{HEAD},price\n{GOOD},broken\n")
    with caplog.at_level(logging.ERROR):
        assert one(catalog).offers[0].price == 100
        assert one(catalog).offers[0].price == 100
    assert caplog.text.count("last good one stays") == 1
    os.unlink(path)
    assert one(catalog).offers[0].price == 100


def test_a_slip_does_not_keep_a_site_from_starting_again(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_text(f"{HEAD},price\n{GOOD},1.00\nUS,b,Mug,1\nUS,B000MUGS01,Mug,1\nUS,B000MUGS01,Mug again,2\n")
    with caplog.at_level(logging.ERROR):
        catalog = FileCatalog(path, forgiving=True)
    assert [(product.asin, len(product.offers)) for product in catalog] == [(LAMP, 1), ("B000MUGS01", 1)]
    assert "left out (so many: 2): " in caplog.text
    assert 'line 3, column "asin"' in caplog.text
    (status,) = catalog.status()
    assert status.state == "broken"
    path.write_text(f"{HEAD},price\n{GOOD},3.00\n")
    assert one(catalog).offers[0].price == 300
    assert catalog.status()[0].state == "ok"


@pytest.mark.parametrize("text", [f"{HEAD}\nUS,b,Mug\n", "locale,title\nUS,Mug\n", ""])
def test_a_file_without_a_good_line_is_refused_all_the_same(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(CatalogError):
        FileCatalog(path, forgiving=True)


# --- MemoryCatalog -------------------------------------------------------------------------------------------


def test_a_replaced_product_takes_its_old_offers_with_it() -> None:
    def product(listing: str) -> Product:
        return Product(locale="US", asin=LAMP, title="Lamp", offers=(Offer(offer_listing_id=listing),))

    catalog = MemoryCatalog([product("old")])
    catalog.put(product("new"))
    assert catalog.offer("US", "old") is None
    assert catalog.offer("US", "new") is not None
    assert list(catalog) == [product("new")]
