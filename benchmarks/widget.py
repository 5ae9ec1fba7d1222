"""What the widget costs a page, beside carts others offer, in one interleaved run: `python -m benchmarks.widget`.

Times are CPU milliseconds of the page's main thread in headless Chromium, less those of a blank page in the same
round; "ready" is wall time until a button can be clicked, on a CPU slowed down four times. Needs Debian's chromium,
and npm for the others; without npm only ours is measured.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from flask import Flask, send_from_directory
from playwright.sync_api import Browser, CDPSession, Page, Route

from benchmarks.widget_pages import PAGES, SHOPIFY, anchors, shopify_answer
from tests.support.browser import running_browser
from tests.support.shop import Shop
from tests.support.web import running

__all__ = ["main"]

_SETTLE_MS = 300
Figures = dict[str, float]


def main(arguments: list[str]) -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.widget", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args(arguments).rounds
    cache = Path(__file__).resolve().parents[1] / ".cache" / "anchors"
    cache.mkdir(parents=True, exist_ok=True)
    modules = anchors(cache)
    names = [name for name in PAGES if modules or name.startswith(("blank", "ours"))]
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder))
        _add_pages(shop.app, modules)
        with running(shop.app) as site, running_browser() as browser:
            results = [{name: _figures(browser, site.url, name) for name in names} for _ in range(rounds + 1)][1:]
        shop.site.database.close()
    print(_table(names, results))
    return 0


def _add_pages(app: Flask, modules: Path | None) -> None:
    for number, (html, _) in enumerate(PAGES.values()):
        app.add_url_rule(f"/bench/{number}", f"bench{number}", lambda html=html: html)
    if modules is not None:
        app.add_url_rule("/anchors/<path:name>", "anchors", lambda name: send_from_directory(modules, name))


def _figures(browser: Browser, url: str, name: str) -> Figures:
    plain = _visit(browser, url, name, slow_down=1)
    slowed = _visit(browser, url, name, slow_down=4)
    return {**plain, "ready x4": slowed["ready"]}


def _visit(browser: Browser, url: str, name: str, *, slow_down: int) -> Figures:
    context = browser.new_context()
    page = context.new_page()
    page.route(re.compile("^https://"), _stub)
    session = context.new_cdp_session(page)
    events = _start_watching(session, slow_down)
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver(l => l.getEntries().forEach(e => shift += e.value))"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    page.goto(f"{url}/bench/{list(PAGES).index(name)}")
    page.wait_for_function(PAGES[name][1], timeout=20_000)
    figures: Figures = {"ready": page.evaluate("performance.now()")}
    page.wait_for_timeout(_SETTLE_MS)
    metrics = {row["name"]: row["value"] for row in session.send("Performance.getMetrics")["metrics"]}
    session.send("HeapProfiler.collectGarbage")
    figures |= {
        "script": metrics["ScriptDuration"] * 1000,
        "all": metrics["TaskDuration"] * 1000,
        "heap": session.send("Runtime.getHeapUsage")["usedSize"] / 1e6,
        "iframes": float(page.locator("iframe").count()),
        "shift": float(page.evaluate("window.shift")),
        **_weight(page),
    }
    with _Ended(session, page):
        session.send("Tracing.end")
    figures["evaluate"] = sum(event.get("tdur", 0) / 1000 for event in events if _evaluates(event))
    context.close()
    return figures


def _start_watching(session: CDPSession, slow_down: int) -> list[dict[str, Any]]:
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.send("Emulation.setCPUThrottlingRate", {"rate": slow_down})
    events: list[dict[str, Any]] = []
    session.on("Tracing.dataCollected", lambda data: events.extend(data["value"]))
    session.send("Tracing.start", {"categories": "devtools.timeline,v8", "transferMode": "ReportEvents"})
    return events


class _Ended:
    """Waits until the trace is complete when the block ends."""

    def __init__(self, session: Any, page: Page) -> None:
        self._done = False
        self._page = page
        session.on("Tracing.tracingComplete", lambda _: setattr(self, "_done", True))

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        for _attempt in range(200):
            if self._done:
                return
            self._page.wait_for_timeout(10)


def _evaluates(event: dict[str, Any]) -> bool:
    if event.get("name") == "v8.evaluateModule":
        return True
    url = str(event.get("args", {}).get("data", {}).get("url", ""))
    return event.get("name") == "EvaluateScript" and ("/anchors/" in url or "/ecscart/" in url)


def _weight(page: Page) -> Figures:
    entries = page.evaluate(
        "performance.getEntriesByType('resource')"
        ".filter(e => /anchors|ecscart/.test(e.name)).map(e => e.decodedBodySize)"
    )
    return {"requests": float(len(entries)), "kB": sum(entries) / 1000}


def _stub(route: Route) -> None:
    body = shopify_answer() if route.request.url.startswith(SHOPIFY) else "{}"
    route.fulfill(
        status=200 if route.request.url.startswith(SHOPIFY) else 404,
        headers={"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"},
        content_type="application/json",
        body=body,
    )


_COLUMNS = ("requests", "kB", "evaluate", "script", "all", "ready", "ready x4", "heap", "iframes", "shift")
_LESS_BLANK = {"script", "all", "heap"}


def _table(names: list[str], results: list[dict[str, Figures]]) -> str:
    width = max(map(len, names))
    lines = [f"{'median of ' + str(len(results)):{width}}" + "".join(f"{column:>10}" for column in _COLUMNS)]
    for name in names:
        cells: list[str] = []
        for column in _COLUMNS:
            values = [
                row[name][column] - (row[names[0]][column] if column in _LESS_BLANK and name != names[0] else 0)
                for row in results
            ]
            cells.append(f"{median(values):>10.2f}" if column in {"heap", "shift"} else f"{median(values):>10.1f}")
        lines.append(f"{name:{width}}" + "".join(cells))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
