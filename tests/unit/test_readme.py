"""What the README says works when it is pasted."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from flask_ecscart.catalog.file import FileCatalog
from flask_ecscart.service.http import DATABASE, create_app
from flask_ecscart.settings import LocaleSettings
from tests.support.web import Site

README = (Path(__file__).parents[2] / "README.md").read_text()


def block(language: str, containing: str) -> str:
    """The fenced block of `language` that holds `containing`."""
    blocks = re.findall(rf"^```{re.escape(language)}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
    return next(text for text in blocks if containing in text)


def test_the_ten_lines_put_a_working_cart_on_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECSCART_DATABASE_URL", f"sqlite:///{tmp_path / 'cart.db'}")
    names: dict[str, Any] = {"__name__": "pasted"}
    exec(compile(block("python", "ECSCart(app)"), "README.md", "exec"), names)
    app: Flask = names["app"]
    client = app.test_client()
    added = client.post("/ecscart/v1/carts/DE/items", json={"items": [{"asin": "B000000000"}]})
    assert (added.json or {})["handoff"]["fields"]["AssociateTag"] == "yoursite-21"
    with app.test_request_context():
        printed = app.jinja_env.from_string(block("html+jinja", "script()")).render(
            **app.template_context_processors[None][-1]()
        )
    assert printed.count("<ecs-") == 2
    app.extensions["ecscart"].database.close()


def test_the_client_example_works_against_the_service(
    serve: Callable[..., Site], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    sample = FileCatalog(str(resources.files("flask_ecscart") / "catalog" / "sample.csv"))
    service = create_app(
        database_url=f"sqlite:///{tmp_path / 'service.db'}",
        catalog=sample,
        keys={"access-key": "secret-key"},
        retail_base=(base := f"http://127.0.0.1:{port}"),  # as `flask ecscart serve` does
    )
    site = serve(service, port)
    assert site.url == base
    example = block("python", "ECSClient").replace("http://127.0.0.1:8001", site.url)
    exec(compile(example, "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("$186.00 [('Gooseneck Kettle")
    service.extensions[DATABASE].close()


def test_the_catalog_example_is_a_catalog(tmp_path: Path) -> None:
    path = tmp_path / "catalog.csv"
    path.write_text(block("csv", "locale,asin"))
    assert len(FileCatalog(path)) == 2


def test_every_handoff_and_locale_setting_is_explained() -> None:
    for name in LocaleSettings.__struct_fields__:
        assert f"`{name}`" in README
    for mode in ("form", "links", "purchase_url", "demo", "off"):
        assert f'`"{mode}"`' in README


def test_the_picture_is_there() -> None:
    for path in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (Path(__file__).parents[2] / path).is_file()
