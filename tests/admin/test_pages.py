"""The pages: each is one response, and its policy allows nothing else."""

import re
from base64 import b64encode
from hashlib import sha256

import httpx
import pytest

from mock_server import MockServer

PAGES = ["/", "/docs"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_nothing_else(path: str, admin: httpx.Client) -> None:
    """No script, style, font or picture of a page has another URL."""
    page = admin.get(path).text

    assert not re.findall(r"""(?:src|href)=["'](?![./a-z]+["']|data:)""", page)
    assert "@import" not in page
    assert "https://" not in page


@pytest.mark.parametrize("path", PAGES)
def test_the_policy_allows_the_page_and_no_more(path: str, admin: httpx.Client) -> None:
    """The policy names the digests of the script and the style."""
    reply = admin.get(path)
    policy = reply.headers["content-security-policy"]
    for tag in ("script", "style"):
        inside = re.findall(rf"<{tag}>(.*?)</{tag}>", reply.text, re.DOTALL)
        digests = [b64encode(sha256(text.encode()).digest()).decode() for text in inside]

        assert f"{tag}-src 'sha256-{digests[0]}'" in policy
        assert len(digests) == 1

    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.findall(r"<[^>]+ on[a-z]+=", reply.text)


@pytest.mark.parametrize("path", PAGES)
def test_a_browser_without_the_token_gets_the_page_that_asks_for_it(path: str, guarded: MockServer) -> None:
    """The status is 401, and the body is the page, which has no data of the server."""
    reply = httpx.get(f"{guarded.url}/__admin{path}", headers={"Accept": "text/html,*/*"})

    assert (reply.status_code, reply.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert "Admin token" in reply.text
    assert "demo-key" not in reply.text


def test_the_prefix_leads_to_the_dashboard(admin: httpx.Client, mock: MockServer) -> None:
    """The URL without the slash at the end redirects."""
    reply = httpx.get(f"{mock.url}/__admin")

    assert (reply.status_code, reply.headers["location"]) == (308, "/__admin/")


def test_metrics_count_by_few_labels(mock: MockServer, admin: httpx.Client) -> None:
    """Counters and histograms by provider, product, outcome and match. No label has text of a client."""
    with httpx.Client(base_url=mock.url) as client:
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
