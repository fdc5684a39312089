"""Every view and dialog, in both themes and both widths: axe finds nothing serious, nothing exceeds the window."""

from typing import Literal

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from mock_server import MockServer
from tests.support import drawn, vehicore

from .conftest import NARROW, WIDE, keep_screenshot, page_of

VIEWS = ("try", "controls", "requests", "misses", "accounts", "scenarios", "report")


def serious(page: Page) -> list[str]:
    """The findings of axe that are serious or critical, with the elements."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:120]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.fixture
def filled(server: MockServer, client: httpx.Client) -> MockServer:
    """The server after a few requests, with an override in force."""
    vehicore(client)
    vehicore(client, filename="mock-service_error.jpg")
    vehicore(client, image=drawn("UN 1"), filename="unknown.png")
    client.put("/__admin/overrides", json={"outcome": "service_error", "key": "no-credits", "times": 3})
    return server


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_serious_is_found(
    browser: Browser, filled: MockServer, theme: Literal["light", "dark"], width: int
) -> None:
    """All views, a request's details, the form of a scenario and that of an account."""
    findings: dict[str, list[str]] = {}
    with page_of(browser, viewport={"width": width, "height": 900}, color_scheme=theme) as page:

        def check(name: str) -> None:
            keep_screenshot(page, f"{name}-{theme}-{width}")
            wide = page.evaluate("document.documentElement.scrollWidth") > width
            findings[name] = serious(page) + (["wider than the window"] if wide else [])

        for name in VIEWS:
            page.goto(f"{filled.url}/__admin/#{name}")
            expect(page.locator(f"#{name}")).not_to_be_empty()
            expect(page.locator("#in-force")).to_be_visible()
            if name == "try":
                page.get_by_label("or from the gallery").select_option("car.jpg")
                expect(page.locator(".why dl")).to_be_visible()
            check(name)
        page.goto(f"{filled.url}/__admin/#requests")
        page.get_by_role("button", name="vehicore plate").first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        check("request")
        page.get_by_role("button", name="Make it a scenario").click()
        page.get_by_label("Text", exact=True).fill("UN1")
        page.get_by_text("Whole document").click()
        check("scenario-form")
        page.keyboard.press("Escape")
        page.goto(f"{filled.url}/__admin/#accounts")
        page.get_by_role("button", name="Edit").first.click()
        check("account-form")
        page.goto(f"{filled.url}/__admin/docs")
        expect(page.locator("details.call").first).to_be_visible()
        check("docs")

    assert {name: found for name, found in findings.items() if found} == {}
