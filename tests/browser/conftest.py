"""A real browser (Debian's Chromium) at the dashboard of a real server. An error on a page fails its test.

Screenshots of the views are written into the directory of the environment variable SCREENSHOTS, if there is one.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect, sync_playwright

from mock_server import MockServer
from tests.support import FIXTURES, PATIENCE, tool

WIDE, NARROW = 1280, 390

expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Playwright, which drives the browser. Its event loop runs in this thread, so it ends with each file of tests."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """One browser for the tests of a file."""
    path = tool("chromium")
    started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
    yield started
    started.close()


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tests' fixtures, which the dashboard may change."""
    return Path(shutil.copytree(FIXTURES, tmp_path_factory.mktemp("dashboard") / "fixtures"))


@pytest.fixture(scope="module")
def served(directory: Path) -> Iterator[MockServer]:
    """A server that keeps uploads and lets the dashboard write files."""
    with MockServer(directory, keep_uploads=16, edit=True, watch=True, tls=True, tls_port=0) as server:
        yield server


@pytest.fixture
def server(served: MockServer) -> MockServer:
    """The same server, back at its files."""
    served.reset()
    return served


@pytest.fixture
def client(server: MockServer) -> Iterator[httpx.Client]:
    """A client of the server."""
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as opened:
        yield opened


@contextmanager
def page_of(browser: Browser, *, expected: tuple[str, ...] = (), **options: Any) -> Iterator[Page]:
    """A page in a context of its own. Errors fail the test, but for console errors with one of the `expected` texts."""
    errors: list[str] = []
    options.setdefault("viewport", {"width": WIDE, "height": 900})

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(text in message.text for text in expected):
            errors.append(message.text)

    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", heard)
    try:
        yield page
        assert errors == []
    finally:
        context.close()


@pytest.fixture
def page(browser: Browser, server: MockServer) -> Iterator[Page]:
    """The dashboard in a wide window."""
    with page_of(browser) as opened:
        opened.goto(f"{server.url}/__admin/")
        opened.get_by_role("tab", name="Try", exact=True).wait_for()
        yield opened


def keep_screenshot(page: Page, name: str) -> None:
    """Write a screenshot, if somewhere is named for it."""
    if directory := os.environ.get("SCREENSHOTS"):
        Path(directory).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(directory) / f"{name}.png"))
