"""A coverage-guided fuzz run over what both sides read: replies in the client, queries and forms in the service.

Not a test and no benchmark of `make bench`: it needs atheris, which is no dependency, and minutes. To run it::

    pip install --target .cache/atheris atheris
    PYTHONPATH=.cache/atheris nice python -m benchmarks.fuzz_protocol replies .cache/corpus -max_total_time=300
    PYTHONPATH=.cache/atheris nice python -m benchmarks.fuzz_protocol requests .cache/corpus -max_total_time=300

Whatever else than one of our errors is raised ends the run and leaves a `crash-…` file. Cases worth keeping go to
`tests/samples/fuzzed/`, where `tests/contract/test_hostile.py` reads them.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from flask_ecscart.ecs.parsing import parse_cart, parse_items
from flask_ecscart.errors import ECSCartError, ECSError
from flask_ecscart.service.item_requests import read_item_call
from flask_ecscart.service.parameters import read_pairs, unrepeated
from flask_ecscart.service.purchase_url import read_purchase_query
from flask_ecscart.service.requests import read_call

__all__ = ["main", "read_reply", "read_request"]

_SAMPLES = Path(__file__).resolve().parents[1] / "tests" / "samples"
_REQUESTS = (
    b"Service=AWSECommerceService&Operation=CartCreate&Item.1.ASIN=B0&Item.1.Quantity=1&AssociateTag=t-20",
    b"Service=AWSECommerceService&Operation=CartModify&CartId=1&HMAC=a%2Bb&Item.x.CartItemId=C1&Item.x.Action=MoveToCart",
    b"Service=AWSECommerceService&Operation=ItemSearch&SearchIndex=All&Keywords=%E3%82%AB&Version=2005-03-23&Validate=True",
    b"Service=AWSECommerceService&Operation=ItemLookup&ItemId=B0,B1&ResponseGroup=Offers,Images&IdType=ASIN",
)
_SECRET = "5ecret"


def read_reply(body: bytes) -> None:
    """Read `body` as carts and as products; every error of ours is an answer, and a short one."""
    said = ""
    for operation in ("CartCreate", "CartModify", "CartGet"):
        try:
            parse_cart(body, locale="JP", associate_tag="t", operation=operation, hidden=(_SECRET,))
        except ECSCartError as problem:
            said += str(problem)
    for operation in ("ItemLookup", "ItemSearch"):
        try:
            parse_items(body, locale="US", operation=operation, hidden=(_SECRET,))
        except ECSCartError as problem:
            said += str(problem)
    assert len(said) < 20_000
    assert _SECRET not in said


def read_request(query: bytes) -> None:
    """Read `query` as far as the service reads one before it looks into database and catalog."""
    read_purchase_query(query.decode("ascii", "replace"))
    try:
        parameters = unrepeated(read_pairs(query))
        if parameters.get("Operation", "").startswith("Item"):
            item_call = read_item_call(parameters, locale="JP", access_key="k")
            item_call.problems()
            list(item_call.echo())
        else:
            call = read_call(parameters, locale="JP", access_key="k")
            if not call.problems():
                call.new_items() if call.operation in {"CartCreate", "CartAdd"} else call.changes()
    except ECSError:
        return


def main(arguments: list[str]) -> None:
    """Fuzz one of the two readers until told to stop."""
    atheris: Any = importlib.import_module("atheris")
    kind, corpus, *options = arguments
    folder = Path(corpus) / kind
    folder.mkdir(parents=True, exist_ok=True)
    seeds = [path.read_bytes() for path in _SAMPLES.glob("*.xml")] if kind == "replies" else list(_REQUESTS)
    for number, seed in enumerate(seeds):
        (folder / f"seed-{number}").write_bytes(seed)
    target = {"replies": read_reply, "requests": read_request}[kind]
    for name, module in list(sys.modules.items()):
        if name.startswith(("flask_ecscart.ecs", "flask_ecscart.service")):
            _instrument(atheris, module)
    atheris.Setup([sys.argv[0], str(folder), "-max_len=8192", "-rss_limit_mb=1024", *options], target)
    atheris.Fuzz()


def _instrument(atheris: Any, module: Any) -> None:
    """Count the branches of the module's own functions and methods."""
    own = [value for value in vars(module).values() if getattr(value, "__module__", "") == module.__name__]
    for value in [*own, *(each for kind in own if isinstance(kind, type) for each in vars(kind).values())]:
        if hasattr(value, "__code__"):
            atheris.instrument_func(value)


if __name__ == "__main__":
    main(sys.argv[1:])
