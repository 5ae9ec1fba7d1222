"""`flask ecscart catalog`: every slip of a file at once, files brought together, and files a spreadsheet may open."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask.cli import ScriptInfo
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flask_ecscart.catalog.columns import COLUMNS, guarded, unguarded
from flask_ecscart.catalog.file import FileCatalog, check
from flask_ecscart.catalog.sheet import export_sheet, merge_sheets
from flask_ecscart.cli import ecscart
from flask_ecscart.errors import CatalogError
from flask_ecscart.model import Offer, Product
from tests.support.shop import Shop

HEAD = "locale,asin,title"
LAMP, MUG = "B000LAMP01", "B000MUGS01"
Run = Callable[..., Result]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.csv"
    path.write_text(f"{HEAD},price,limit,seller,# notes\nUS,{LAMP},Lamp,5.00,3,,keep\nUS,{LAMP},Lamp,4.00,,Jo,\n")
    return path


@pytest.fixture
def run() -> Run:
    return lambda *words: CliRunner().invoke(ecscart, ["catalog", *map(str, words)])


# --- check -----------------------------------------------------------------------------------------------------


def test_check_says_that_a_good_file_is_good(run: Run, own: Path) -> None:
    told = run("check", own)
    assert (told.exit_code, told.output) == (0, f"{own}: 1 product, no problem.\n")


def test_check_prints_every_problem_with_line_and_column_and_exits_1(run: Run, own: Path) -> None:
    own.write_text(f"{HEAD},price\nXX,b,,1\nUS,{LAMP},Lamp,x\n")
    told = run("check", own)
    assert told.exit_code == 1
    assert [line.split(": ")[0] for line in told.output.splitlines()] == [
        f'{own}, line 2, column "locale"',
        f'{own}, line 2, column "asin"',
        f'{own}, line 2, column "title"',
        f'{own}, line 3, column "price"',
        "Error",
    ]
    assert "4 problems in 2 lines" in told.output


def test_ten_thousand_broken_lines_are_told_in_a_page_and_all_when_asked_for(run: Run, own: Path) -> None:
    own.write_text(f"{HEAD},price\n" + f"US,{LAMP},Lamp,free\n" * 10_000 + f"US,{MUG},a,mug,too\n")
    told = run("check", own)
    assert told.exit_code == 1
    assert told.output.count('column "price"') == 50
    assert len(told.output.splitlines()) < 60
    assert "… and 9951 more" in told.output
    assert "    price: 10000\n    (the line): 1\n" in told.output
    assert "10001 problems in 10001 lines" in told.output
    assert run("check", "--all", own).output.count('column "price"') == 10_000


def test_a_line_with_too_many_cells_hides_no_other_problem(run: Run, own: Path) -> None:
    own.write_text(f"{HEAD}\nUS,{LAMP},Lamp, of brass\nUS,b,Mug\nUS,{MUG},Mug, of clay\n")
    told = run("check", own).output.splitlines()
    assert [line.partition(": ")[0] for line in told[:-1]] == [
        f"{own}, line 2",
        f'{own}, line 3, column "asin"',
        f"{own}, line 4",
    ]


def test_check_without_a_file_looks_at_the_sites(tmp_path: Path, own: Path) -> None:
    for setting in (str(own), {"file": str(own)}):
        shop = Shop(tmp_path, ECSCART_CATALOG=setting)
        assert shop.app.test_cli_runner().invoke(ecscart, ["catalog", "check"]).output.startswith(str(own))
    told = Shop(tmp_path, ECSCART_CATALOG=None).app.test_cli_runner().invoke(ecscart, ["catalog", "check"])
    assert (told.exit_code, "Name a file" in told.output) == (2, True)


def test_check_looks_at_the_file_that_keeps_the_site_from_starting(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_text(f"{HEAD}\nUS,b,Mug\nXX,{MUG},Mug\n")
    told = CliRunner().invoke(
        ecscart,
        ["catalog", "check"],
        obj=ScriptInfo(create_app=lambda: Shop(tmp_path, ECSCART_CATALOG=str(broken)).app),
    )
    assert told.exit_code == 1
    assert "2 problems in 2 lines" in told.output


# --- import ----------------------------------------------------------------------------------------------------


def test_import_changes_known_lines_adds_others_and_keeps_the_rest(run: Run, own: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.csv"
    new.write_text(f"{HEAD};limit;image\nUS;{LAMP};Brass lamp;;/l.jpg\nUS;{MUG};Mug;2;\n".replace(",", ";"))
    told = run("import", new, "--into", own)
    assert told.output == f"{own}: 1 line added, 1 changed, 0 as before.\n"
    with own.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [(line["asin"], line["title"], line["price"], line["limit"], line["seller"]) for line in lines] == [
        (LAMP, "Brass lamp", "5.00", "3", ""),
        (LAMP, "Lamp", "4.00", "", "Jo"),
        (MUG, "Mug", "", "2", ""),
    ]
    assert (lines[0]["# notes"], lines[0]["image"]) == ("keep", "/l.jpg")


def test_importing_twice_changes_nothing_more(own: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.csv"
    new.write_text(f"{HEAD}\nUS,{MUG},Mug\n")
    merge_sheets(own, new)
    before = own.read_bytes()
    assert merge_sheets(own, new) == (0, 0, 1)
    assert own.read_bytes() == before


def test_a_sheet_of_an_older_excel_is_imported_when_its_encoding_is_named(run: Run, own: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.csv"
    new.write_bytes(f"locale;asin;title\r\nDE;{LAMP};Größe – 5 €\r\n".encode("windows-1252"))
    refused = run("import", new, "--into", own)
    assert (refused.exit_code, "line 2: Not UTF-8" in refused.output) == (1, True)
    assert "--encoding windows-1252" in refused.output
    assert run("import", new, "--into", own, "--encoding", "windows-1252").exit_code == 0
    assert FileCatalog(own).lookup("DE", [LAMP])[LAMP].title == "Größe – 5 €"
    assert run("import", new, "--into", own, "--encoding", "rot13").exit_code == 2


@pytest.mark.parametrize(
    "line", [f"US,{MUG},", "XX,B000MUGS01,Mug", f"US,{MUG},Mug\nUS,{MUG},Mug again"], ids=["title", "locale", "twice"]
)
def test_a_file_with_a_problem_is_not_imported_at_all(run: Run, own: Path, tmp_path: Path, line: str) -> None:
    new, before = tmp_path / "new.csv", own.read_bytes()
    new.write_text(f"{HEAD}\nUS,B000GOOD01,Good\n{line}\n")
    told = run("import", new, "--into", own)
    assert (told.exit_code, "Nothing was changed." in told.output) == (1, True)
    assert own.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.csv", "own.csv"]


def test_a_running_site_sees_an_import_without_a_restart(tmp_path: Path, own: Path) -> None:
    new = tmp_path / "new.csv"
    new.write_text(f"{HEAD}\nUS,{MUG},Mug\n")
    shop = Shop(tmp_path, ECSCART_CATALOG=str(own))
    assert shop.client.get(f"/ecscart/v1/products/US?asin={MUG}").json == {"products": {}}
    merge_sheets(own, new)
    found = shop.client.get(f"/ecscart/v1/products/US?asin={MUG}").json
    assert found is not None
    assert found["products"][MUG]["title"] == "Mug"


# --- export ----------------------------------------------------------------------------------------------------

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", '=HYPERLINK("https://evil.example")', "-- sale --"]


@pytest.mark.parametrize("title", FORMULAS)
def test_no_cell_of_an_export_begins_a_formula_and_it_reads_as_it_was(tmp_path: Path, title: str) -> None:
    product = Product(
        locale="JP",
        asin="0201896842",
        title=title,
        product_group=title,
        url="https://shop.example/x",
        offers=(Offer(offer_listing_id="=a%2B", price=5546, limit=2, seller=title), Offer(offer_listing_id=None)),
    )
    path = tmp_path / "out.csv"
    assert export_sheet(path, [product]) == 2
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell[:1] in {"=", "+", "-", "@", "＝"}]
    assert "'0201896842" in cells, "a spreadsheet would take the leading zero away"
    assert list(FileCatalog(path)) == [product]


@given(st.text(max_size=20))
def test_guarding_a_cell_can_be_undone(cell: str) -> None:
    assert not guarded(cell).startswith(("=", "+", "-", "@", "\t", "\r"))
    if not cell.startswith("'"):
        assert unguarded(guarded(cell)) == cell


def test_an_export_can_be_opened_changed_and_imported_again(tmp_path: Path, own: Path) -> None:
    shop = Shop(tmp_path, ECSCART_CATALOG=str(own))
    out = tmp_path / "out.csv"
    told = shop.app.test_cli_runner().invoke(ecscart, ["catalog", "export", str(out)])
    assert told.output == f"{out}: 2 lines.\n"
    assert out.read_bytes().startswith("\ufeff".encode()), "Excel takes a file without it for Latin-1"
    assert out.read_text(encoding="utf-8-sig").splitlines()[0] == ",".join(COLUMNS)
    assert merge_sheets(own, out).added == 0


def test_a_catalog_that_cannot_be_listed_says_so(tmp_path: Path) -> None:
    told = Shop(tmp_path, ECSCART_CATALOG=None).app.test_cli_runner().invoke(ecscart, ["catalog", "export", "x.csv"])
    assert (told.exit_code, "cannot be listed" in told.output) == (1, True)


def test_a_place_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="cannot be written"):
        export_sheet(tmp_path / "no" / "out.csv", [])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp", "Cn")), min_size=1, max_size=30))
def test_whatever_a_title_is_it_survives_a_spreadsheet(tmp_path: Path, title: str) -> None:
    if title.startswith("'"):
        return
    path = tmp_path / "out.csv"
    export_sheet(path, [Product(locale="US", asin=LAMP, title=title, offers=(Offer(offer_listing_id=None),))])
    assert check(path) == []
    assert next(iter(FileCatalog(path))).title == title


# --- status ----------------------------------------------------------------------------------------------------


def test_status_tells_a_broken_file_from_a_good_one(tmp_path: Path, own: Path) -> None:
    shop = Shop(tmp_path, ECSCART_CATALOG=str(own))
    runner = shop.app.test_cli_runner()
    good = runner.invoke(ecscart, ["catalog", "status"])
    assert (good.exit_code, good.output) == (0, "file: ok (1 products from own.csv)\n")
    own.write_text("locale,asin\n")
    bad = runner.invoke(ecscart, ["catalog", "status"])
    assert bad.exit_code == 1
    assert "broken" in bad.output
    assert "flask ecscart catalog check own.csv" in bad.output
    own.write_text(f"{HEAD}\nUS,{LAMP},Lamp\n")
    assert runner.invoke(ecscart, ["catalog", "status"]).exit_code == 0


def test_status_of_no_catalog_says_so(tmp_path: Path) -> None:
    told = Shop(tmp_path, ECSCART_CATALOG=None).app.test_cli_runner().invoke(ecscart, ["catalog", "status"])
    assert (told.exit_code, "at its word" in told.output) == (0, True)
