"""How the dashboard's journal takes ten thousand requests: the first rows and a refresh, against a hundred requests.

Run as `.venv/bin/python -m benchmarks.dashboard`. Needs Chromium.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from statistics import median

import httpx
from playwright.sync_api import Page, sync_playwright

from mock_server import MockServer

SIZES = (100, 10_000)
RUNS = 5


async def _fill(server: MockServer, count: int) -> None:
    entry = (await server.app.journal.exchanges())[0]
    await server.app.journal.clear()
    for number in range(count):
        await server.app.journal.add(replace(entry, id=f"{number:016x}"))


def _first_rows(page: Page, url: str) -> float:
    page.goto("about:blank")
    started = time.perf_counter()
    page.goto(f"{url}/__admin/#requests")
    page.locator("#requests tbody tr").nth(99).wait_for()
    return time.perf_counter() - started


def main() -> None:
    """Print the medians and their ratio."""
    with MockServer() as server, sync_playwright() as playwright, ThreadPoolExecutor(1) as thread:
        page = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"]).new_page()
        httpx.post(f"{server.url}/api/ocr/plate", headers={"X-API-Key": "demo-key"})
        seconds = []
        for size in SIZES:
            thread.submit(asyncio.run, _fill(server, size)).result()
            _first_rows(page, server.url)
            seconds.append(median(_first_rows(page, server.url) for _ in range(RUNS)))
            print(f"{size:6} requests: first rows after {seconds[-1]:.2f} s")
        print(f"ratio {seconds[1] / seconds[0]:.2f}")


if __name__ == "__main__":
    main()
