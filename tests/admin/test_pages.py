"""The pages: each is one response, and its policy allows nothing else."""

import re
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from mock_server import MockServer
from mock_server.admin import admin_app
from tests.support import PATIENCE

PAGES = ["/", "/docs"]
REFERENCE = re.compile(r"""(?:(?:src|href)=|from )"([\w./]+\.(?:js|css))\"""")
WEB = Path(admin_app.__file__).parent / "web"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_only_files_of_the_mock(path: str, admin: httpx.Client) -> None:
    """Every script and style is one of the mock's own files, by a relative URL, down to the last import."""
    waiting, loaded = [path], dict[str, str]()
    while waiting:
        address = waiting.pop()
        if address not in loaded:
            loaded[address] = admin.get(address).text
            waiting += [urljoin(address, one) for one in REFERENCE.findall(loaded[address])]
    files = {name for name in loaded if name.startswith("/web/")}

    assert {name.rpartition(".")[2] for name in files} == {"js", "css"}
    for text in loaded.values():
        assert not re.findall(r"""(?:src|href)=["'](?![./a-z]+["']|data:)""", text)
        assert not re.search(r"@import|\burl\(", text)
        assert not re.search(r"""["'(]https?://(?!www.w3.org/2000/svg)[a-z0-9]""", text)


@pytest.mark.parametrize("path", PAGES)
def test_the_policy_allows_the_page_and_no_more(path: str, admin: httpx.Client) -> None:
    """Scripts and styles come from the mock alone, none stands in the page, and no page frames it."""
    reply = admin.get(path)
    policy = reply.headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "script-src 'self'; style-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert not re.findall(r"<[^>]+ on[a-z]+=|<style|<script>| style=", reply.text)


def test_texts_never_become_markup(admin: httpx.Client) -> None:
    """No script of the pages uses what parses text as markup or as code."""
    for file in WEB.glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", file.read_text()
        )


def test_the_files_of_a_page_need_no_token(guarded: MockServer) -> None:
    """A browser cannot send the token for them. Only files that exist are open."""
    assert httpx.get(f"{guarded.url}/__admin/web/dashboard.js", timeout=PATIENCE).status_code == 200
    assert httpx.get(f"{guarded.url}/__admin/web/other.js", timeout=PATIENCE).status_code == 401
    assert httpx.get(f"{guarded.url}/__admin/web/..%2Faccess.py", timeout=PATIENCE).status_code == 401


@pytest.mark.parametrize("path", PAGES)
def test_a_browser_without_the_token_gets_the_page_that_asks_for_it(path: str, guarded: MockServer) -> None:
    """The status is 401, and the body is the page, which has no data of the server."""
    reply = httpx.get(f"{guarded.url}/__admin{path}", headers={"Accept": "text/html,*/*"}, timeout=PATIENCE)

    assert (reply.status_code, reply.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert "web/" in reply.text
    assert "demo-key" not in reply.text


def test_the_prefix_leads_to_the_dashboard(admin: httpx.Client, mock: MockServer) -> None:
    """The URL without the slash at the end redirects."""
    reply = httpx.get(f"{mock.url}/__admin", timeout=PATIENCE)

    assert (reply.status_code, reply.headers["location"]) == (308, "/__admin/")


def test_metrics_count_by_few_labels(mock: MockServer, admin: httpx.Client) -> None:
    """Counters and histograms by provider, product, outcome and match. No label has text of a client."""
    with httpx.Client(base_url=mock.url, timeout=PATIENCE) as client:
        for number in range(30):
            client.post(f"/api/ocr/{'plate' if number % 2 else 'nothing'}", headers={"X-API-Key": f"key-{number}"})
    text = admin.get("/metrics").text
    lines = [line for line in text.splitlines() if line.startswith("vehicle_ocr_mock_requests_total{")]

    assert (
        'vehicle_ocr_mock_requests_total{match="none",outcome="unknown_key",product="plate",provider="vehicore"}'
        in text
    )
    assert 'vehicle_ocr_mock_request_seconds_bucket{le="+Inf",product="plate",provider="vehicore"}' in text
    assert len(lines) < 10
    assert "key-2" not in text
