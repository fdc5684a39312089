"""The report's page, which is a file of its own: in both themes and both widths it is readable."""

from pathlib import Path
from typing import Literal

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from mock_server import MockServer
from tests.support import carsxe, drawn, vehicore

from .conftest import NARROW, WIDE, keep_screenshot, page_of

_TALLEST_ROW = 400
"""Pixels. In a squeezed column, the names of five long tests take thousands."""


@pytest.fixture
def report(server: MockServer, client: httpx.Client, tmp_path: Path) -> Path:
    """The page of a run with long names, advice, unknown pictures and unknown paths."""
    server.clear_report()
    keys = [server.create_account(name=f"tests/test_gate.py::test_{'long_' * 12}{number}").key for number in range(8)]
    for key in (*keys, keys[0]):
        vehicore(client, key=key)
    for number in range(3):
        vehicore(
            client, key=keys[1], image=drawn(f"UN {number}"), filename=f"{'a long name of a file ' * 5}{number}.png"
        )
    carsxe(client, key=keys[2], headers={"Prefer": "code=503"})
    client.post("/" + "very/long/" * 30)
    path = tmp_path / "report.html"
    path.write_bytes(client.get("/__admin/report", params={"format": "html", "final": "true"}).content)
    return path


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_is_readable(browser: Browser, report: Path, theme: Literal["light", "dark"], width: int) -> None:
    """No window is too narrow for it, no column is squeezed, and axe finds nothing serious."""
    with page_of(browser, viewport={"width": width, "height": 900}, color_scheme=theme) as page:
        page.goto(report.as_uri())
        keep_screenshot(page, f"report-page-{theme}-{width}")
        rows = page.locator("tbody tr").evaluate_all("rows => rows.map((row) => row.getBoundingClientRect().height)")
        found = Axe().run(page).response["violations"]
        page_width = page.evaluate("document.documentElement.scrollWidth")

    assert page_width <= width
    assert max(rows) < _TALLEST_ROW
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
