"""The dashboard with a full journal, a server that goes away, and a token."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, expect

from mock_server import MockServer
from tests.support import FIXTURES, PATIENCE, drawn, free_port, vehicore

from .conftest import page_of

TOKEN = "a-token-for-tests"


def fill_journal(server: MockServer, client: httpx.Client, count: int) -> None:
    """Put `count` exchanges like a real one into the journal."""
    vehicore(client)

    async def add() -> None:
        (entry,) = await server.app.journal.exchanges()
        for number in range(count - 1):
            time = entry.time + timedelta(milliseconds=number)
            await server.app.journal.add(replace(entry, id=f"{number:016x}", time=time, text=f"TEXT{number}"))

    # Playwright's event loop runs in this thread.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, add()).result()


def test_ten_thousand_requests_are_shown_page_by_page(page: Page, server: MockServer, client: httpx.Client) -> None:
    """The page asks for a hundred rows, whatever the journal holds; a filter finds the one in ten thousand."""
    fill_journal(server, client, 10_000)
    # Both are awaited from the start: a later refresh would be answered 304, without a body.
    with page.expect_response(lambda reply: "after=" in reply.url) as refreshed:
        with page.expect_response(lambda reply: "/requests?" in reply.url) as first:
            page.get_by_role("tab", name="Requests", exact=True).click()
        expect(page.locator("#requests tbody tr")).to_have_count(100)
        expect(page.locator("#requests")).to_contain_text("10000 requests, the latest 100 shown")
    page.get_by_label("text that was read").fill("text7654")
    expect(page.locator("#requests tbody tr")).to_have_count(1)

    assert len(first.value.json()["requests"]) == 100
    assert refreshed.value.json()["requests"] == []


def test_thousands_of_scenarios_are_shown_page_by_page(browser: Browser, tmp_path: Path) -> None:
    """A page has sixty scenarios; the search goes through all of them."""
    (tmp_path / "scenarios").mkdir()
    documents = [f"scenario: rule-{number}\nwhen: {{filename: 'f{number}.jpg'}}\n" for number in range(2000)]
    (tmp_path / "scenarios" / "many.yaml").write_text("---\n".join(documents))
    with MockServer(tmp_path) as server, page_of(browser) as page:
        page.goto(f"{server.url}/__admin/#scenarios")
        expect(page.locator("#scenarios .card")).to_have_count(60)
        page.get_by_role("button", name="Next").click()
        expect(page.locator("#scenarios")).to_contain_text("page 2 of 34")
        page.get_by_label("Find a scenario").fill("rule-1999")
        expect(page.locator("#scenarios .card")).to_have_count(1)


def test_the_page_goes_on_when_the_server_is_back(browser: Browser) -> None:
    """While the server is away the page says so; after a restart it shows the new journal without a reload."""
    port = free_port()
    with page_of(browser, expected=("Failed to load resource",)) as page:
        with MockServer(FIXTURES, port=port) as server, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
            vehicore(client)
            page.goto(f"{server.url}/__admin/#requests")
            expect(page.locator("#requests tbody tr")).to_have_count(1)
        expect(page.locator("#lost")).to_be_visible()
        with MockServer(FIXTURES, port=port) as server, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
            for _ in range(2):
                vehicore(client, image=drawn("R 1"))
            expect(page.locator("#lost")).to_be_hidden()
            expect(page.locator("#requests tbody tr")).to_have_count(2)


def test_the_token_is_asked_for_once(browser: Browser) -> None:
    """A wrong token is asked for again; the right one opens everything, pictures too, until the tab is closed."""
    with (
        MockServer(FIXTURES, admin_token=TOKEN) as server,
        httpx.Client(base_url=server.url, timeout=PATIENCE) as client,
        page_of(browser, expected=("401",)) as page,
    ):
        vehicore(client)
        page.goto(f"{server.url}/__admin/#requests")
        for token in ("wrong", TOKEN):
            page.get_by_label("Admin token", exact=True).last.fill(token)
            page.get_by_role("button", name="Open").click()
        expect(page.locator("#requests tbody tr")).to_have_count(1)
        expect(page.locator("#requests tbody img")).not_to_have_js_property("naturalWidth", 0)
        page.reload()
        expect(page.locator("#requests tbody tr")).to_have_count(1)
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.get_by_role("tab", name="Report").click()
        expect(page.locator("pre.report")).to_contain_text("VehiCore")


def test_nothing_is_loaded_from_elsewhere(browser: Browser, server: MockServer) -> None:
    """Every request of the page goes to the mock: the dashboard works offline."""
    with page_of(browser) as page:
        addresses: list[str] = []
        page.on("request", lambda request: addresses.append(request.url))
        for name in ("try", "controls", "requests", "misses", "accounts", "scenarios"):
            page.goto(f"{server.url}/__admin/#{name}")
            expect(page.locator(f"#{name}")).not_to_be_empty()

    assert {address for address in addresses if not address.startswith((server.url, "blob:", "data:"))} == set()
