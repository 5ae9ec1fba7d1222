"""`flask ecscart serve` as programs see it: real processes on one database, and a log that keeps secrets."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from flask_ecscart.cli import ecscart
from flask_ecscart.clock import iso
from flask_ecscart.ecs.client import ECSClient
from flask_ecscart.errors import InvalidClientTokenId
from flask_ecscart.model import NewItem
from flask_ecscart.service.access import signature, soap_signature
from tests.support.process import Program, free_port

ITEM = [NewItem(asin="B0EXUSLAMP", quantity=2)]
KEY, SECRET = "AKIACANARY0000000000", "canary/secret+0123456789"


class Server:
    """A cart service in a process of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "flask", "ecscart", "serve", "--port", str(self.port), *options]
        self.program = Program(command, folder / f"serve-{self.port}.log", cwd=folder)

    @property
    def log(self) -> str:
        return self.program.output.read_text()

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/healthz", timeout=5).ok
        except requests.ConnectionError:
            return False


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """`start("--unsigned")`: a server on a free port, in the test's folder."""
    with ExitStack() as running:

        def begin(*options: str) -> Server:
            server = Server(tmp_path, *options)
            running.callback(server.program.stop)
            server.program.wait_until(server.answers)
            return server

        yield begin


def client_of(server: Server, access_key: str, secret: str) -> ECSClient:
    where = {"endpoint": f"{server.url}/onca/xml", "retail_base": f"{server.url}/US"}
    return ECSClient("US", access_key, secret, "shop-20", **where)


def command(*words: str) -> str:
    result = CliRunner().invoke(ecscart, list(words))
    assert result.exit_code == 0, result.output
    return result.stdout


def signed(server: Server, operation: str = "CartGet", **more: str) -> str:
    """The URL of a signed request."""
    parameters = {"Service": "AWSECommerceService", "Operation": operation, "AWSAccessKeyId": KEY, **more}
    parameters["Timestamp"] = iso(datetime.now(timezone.utc))
    parameters["Signature"] = signature("GET", f"127.0.0.1:{server.port}", "/onca/xml", parameters, SECRET)
    return requests.Request("GET", f"{server.url}/onca/xml", params=parameters).prepare().url or ""


def test_keys_come_and_go_while_two_servers_run(start: Callable[..., Server], tmp_path: Path) -> None:
    database = ("--database", f"sqlite:///{tmp_path / 'shared.db'}")
    access_key, secret = re.findall(r"key: (\S+)", command("keys", "add", *database))
    one, other = start(*database), start(*database)
    clients = [client_of(server, access_key, secret) for server in (one, other)]
    cart = clients[0].create(ITEM)
    assert clients[1].get(cart.ref).items == cart.items

    second, its_secret = re.findall(r"key: (\S+)", command("keys", "add", *database))
    newcomer = client_of(one, second, its_secret)
    one.program.wait_until(lambda: _lets_in(newcomer))
    assert clients[0].get(cart.ref).items == cart.items  # the first is valid beside it

    command("keys", "revoke", access_key, *database)
    one.program.wait_until(lambda: not _lets_in(clients[0]))
    other.program.wait_until(lambda: not _lets_in(clients[1]))
    assert _lets_in(newcomer)
    for server in (one, other):
        assert all(hidden not in server.log for hidden in (secret, its_secret, cart.ref.hmac, "Signature"))


def _lets_in(client: ECSClient) -> bool:
    try:
        client.create(ITEM)
    except InvalidClientTokenId:
        return False
    return True


def test_a_signature_is_taken_once_by_all_servers_together(start: Callable[..., Server], tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"{KEY}:{SECRET}\n")
    keys.chmod(0o600)
    options = ("--database", f"sqlite:///{tmp_path / 'shared.db'}", "--keys-file", str(keys), "--refuse-replays")
    one, other = start(*options), start(*options)
    url = signed(one, CartId="1", HMAC="2")
    assert requests.get(url, timeout=5).status_code == 200
    again = requests.get(url.replace(one.url, other.url), headers={"Host": f"127.0.0.1:{one.port}"}, timeout=5)
    assert (again.status_code, "<Code>RequestExpired</Code>" in again.text) == (400, True)
    assert "Warning" not in one.log


def test_one_turn_a_second_is_given_by_all_servers_together(start: Callable[..., Server], tmp_path: Path) -> None:
    options = ("--database", f"sqlite:///{tmp_path / 'shared.db'}", "--unsigned", "--rate", "0.001")
    answers = []
    for server in (start(*options), start(*options)):
        query = {"Service": "AWSECommerceService", "Operation": "CartGet", "AWSAccessKeyId": KEY}
        answers.append(requests.get(f"{server.url}/onca/xml", params=query, timeout=5))
    assert [answer.status_code for answer in answers] == [200, 503]
    assert answers[1].headers["Retry-After"] == "1000"
    assert "<Code>RequestThrottled</Code>" in answers[1].text


def test_the_log_has_paths_and_no_query(start: Callable[..., Server], tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"{KEY}:{SECRET}\n")
    keys.chmod(0o644)
    server = start("--keys-file", str(keys))
    url = signed(server, CartId="111-canary", HMAC="canaryHMAC")
    assert requests.get(url, timeout=5).status_code == 200
    assert requests.get(f"{server.url}/gp/cart/aws-merge.html?cart-id=1&hmac=canaryHMAC", timeout=5).status_code == 404
    timestamp = iso(datetime.now(timezone.utc))
    security = "http://security.amazonaws.com/doc/2007-01-01/"
    header = "".join(
        f'<{name} xmlns="{security}">{text}</{name}>'
        for name, text in {
            "AWSAccessKeyId": KEY,
            "Timestamp": timestamp,
            "Signature": soap_signature("CartGet", timestamp, SECRET),
        }.items()
    )
    message = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<s:Header>{header}</s:Header><s:Body>"
        '<CartGet xmlns="http://webservices.amazon.com/AWSECommerceService/2013-08-01"/></s:Body></s:Envelope>'
    )
    soap = requests.post(f"{server.url}/onca/soap?canary=1", message, headers={"Content-Type": "text/xml"}, timeout=5)
    assert soap.status_code == 200
    assert f"{server.url}/onca/soap?wsdl" in server.log
    for line in ("GET /onca/xml 200", "GET /gp/cart/aws-merge.html 404", "POST /onca/soap 200"):
        assert line in server.log
    assert f"Warning: other users can read {keys}. Close it: chmod 600 {keys}" in server.log
    assert all(hidden not in server.log for hidden in ("canary", KEY, "Signature="))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "make one with `flask ecscart keys add`, or allow unsigned requests"),
        (["--key", "no-colon"], "Give the access key and its secret joined by a colon: ID:SECRET"),
        (["--keys-file", "keys"], "keys, line 1"),
        (["--unsigned", "--sandbox", "--host", "0.0.0.0"], "A sandbox lets everybody who reaches it empty the service"),
    ],
    ids=["nobody", "key", "file", "sandbox"],
)
def test_a_server_that_makes_no_sense_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "keys").write_text("canary")
    result = CliRunner().invoke(ecscart, ["serve", "--database", f"sqlite:///{tmp_path / 'x.db'}", *options])
    assert result.exit_code != 0
    assert said in " ".join(result.output.split())
    assert "canary" not in result.output
