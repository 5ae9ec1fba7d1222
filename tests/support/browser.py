"""Debian's chromium, driven by Playwright, with an empty profile and nowhere to go but this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, sync_playwright

from tests.support.needs import tool

__all__ = ["ARGUMENTS", "SCREENSHOTS", "Problems", "page_keeping_browser", "running_browser"]

SCREENSHOTS = Path(__file__).resolve().parents[2] / "test-results"

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Other sites for cross-site tests: every name below .test is this machine, every other name nothing.
    "--host-resolver-rules=MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A browser while the block runs."""
    program = tool(["chromium", "chromium-browser"], "chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def page_keeping_browser(like: Browser) -> Iterator[Browser]:
    """A browser of the kind of `like` that keeps the pages one leaves, as people's do and Playwright's does not."""
    browser = like.browser_type.launch(
        executable_path=tool(["chromium", "chromium-browser"], "chromium"),
        args=list(ARGUMENTS),
        ignore_default_args=["--disable-back-forward-cache"],
    )
    try:
        yield browser
    finally:
        browser.close()


class Problems:
    """Errors a page reported on its console or threw. A test names those it causes on purpose with `expect`."""

    def __init__(self) -> None:
        self._seen: list[str] = []
        self._expected: list[str] = []

    def watch(self, page: Page) -> None:
        """Listen to `page`."""
        page.on("console", self._note_message)
        page.on("pageerror", self._note_error)

    def expect(self, pattern: str) -> None:
        """Errors that match `pattern` are meant; the test fails when none comes."""
        self._expected.append(pattern)

    def check(self) -> None:
        """Fail the test over an error nobody expected, and over an expected one that did not come."""
        unexpected = [text for text in self._seen if not any(re.search(pattern, text) for pattern in self._expected)]
        if unexpected:
            pytest.fail("The page reported errors:\n" + "\n".join(unexpected), pytrace=False)
        absent = [pattern for pattern in self._expected if not any(re.search(pattern, text) for text in self._seen)]
        if absent:
            pytest.fail(f"The page did not report the expected errors {absent}", pytrace=False)

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._seen.append(f"{message.text} ({message.location.get('url', '')})")

    def _note_error(self, error: Error) -> None:
        self._seen.append(f"{error.name}: {error.message}")
