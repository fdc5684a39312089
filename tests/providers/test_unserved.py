"""Paths that nothing serves: the client gets a hint, and the request can be found afterwards."""

import httpx
import pytest

from mock_server import MockServer
from tests.support import FIXTURES, PATIENCE


@pytest.mark.parametrize(
    ("method", "path", "meant"),
    [
        ("POST", "/api/ocr/plate/", "/api/ocr/plate"),
        ("POST", "//api/ocr/plate", "/api/ocr/plate"),
        ("POST", "/api/v1/ocr/plate", "/api/ocr/plate"),
        ("POST", "/ocr/vin", "/api/ocr/vin"),
        ("POST", "/v2/vinocr", "/v1/vinocr"),
        ("POST", "/v1/platerecognition", "/platerecognition"),
        ("GET", "/health", "/healthz"),
        ("GET", "/__admin2", "/__admin/"),
    ],
)
def test_a_path_nearby_is_named(method: str, path: str, meant: str) -> None:
    """The 404 names the path that was probably meant; the journal has the request with the same hint."""
    with MockServer(FIXTURES) as own:
        reply = httpx.request(method, own.url + path, content=b"body", timeout=PATIENCE)
        (entry,) = own.requests()

    hint = f'did you mean "{meant}"?'
    assert (reply.status_code, reply.headers["content-type"]) == (404, "application/problem+json")
    assert reply.json()["detail"] == f"Nothing is served at {path}; {hint}"
    assert (entry.provider, entry.product, entry.path, entry.status) == ("-", None, path, 404)
    assert entry.detail == hint


@pytest.mark.parametrize("path", ["/favicon.ico", "/.well-known/appspecific/com.chrome.devtools.json"])
def test_what_browsers_ask_for_is_no_mistake(path: str) -> None:
    """It is a 404, and in neither the journal nor the report."""
    with MockServer(FIXTURES) as own:
        reply = httpx.get(own.url + path, timeout=PATIENCE)

        assert (reply.status_code, own.count(), own.report()["summary"]["unserved"]) == (404, 0, 0)


def test_a_path_like_no_other(http: httpx.Client) -> None:
    """Without a path nearby, the 404 lists the paths that exist."""
    detail = http.get("/wp-login.php").json()["detail"]

    assert "/api/ocr/plate, /api/ocr/vin, /platerecognition, /v1/vinocr" in detail


def test_the_filter_for_unserved_paths() -> None:
    """The admin API filters and counts them, and metrics have them under the provider `-`."""
    with MockServer(FIXTURES) as own, httpx.Client(base_url=own.url, timeout=PATIENCE) as client:
        client.get("/nowhere", headers={"User-Agent": "a-client"})
        client.get("/healthz")
        found = client.get("/__admin/requests", params={"provider": "-"}).json()
        metrics = client.get("/__admin/metrics").text

        assert [(entry["path"], entry["client"]) for entry in found["requests"]] == [("/nowhere", "a-client")]
        assert client.post("/__admin/requests/count", json={"provider": "-"}).json() == {"count": 1}
        assert client.post("/__admin/requests/count", json={"provider": "vehicore"}).json() == {"count": 0}
        assert client.get("/__admin/requests/unmatched").json()["total"] == 0
        assert 'provider="-"' in metrics


def test_a_long_path_is_cut() -> None:
    """A path from a stranger takes little memory and little of the reply."""
    with MockServer(FIXTURES) as own:
        reply = httpx.get(own.url + "/" + "a" * 10_000, timeout=PATIENCE)
        (entry,) = own.requests()

    assert len(reply.content) < 1000
    assert len(entry.path) <= 512


@pytest.mark.parametrize("path", ["/images/none.jpg", "/__admin/nowhere", "/healthz"])
def test_the_mocks_own_paths_are_not_in_the_journal(path: str) -> None:
    """A missing image, an unknown admin call and the health check are not requests of an application."""
    with MockServer(FIXTURES) as own:
        httpx.get(own.url + path, timeout=PATIENCE)

        assert own.requests() == []
