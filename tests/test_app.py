"""The application under other servers: plain uvicorn, another Starlette application, a test client."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from mock_server.app import App, create_app
from mock_server.errors import FaultUnavailableError
from tests.support import FIXTURES, PATIENCE, drawn, picture

UPLOAD = {"image": ("photo.jpg", picture("car"))}
KEY = {"X-API-Key": "demo-key"}


def _app(**flags: Any) -> App:
    return create_app({"fixtures": FIXTURES, **flags})


@contextmanager
def _plain_uvicorn(app: Any, **options: Any) -> Iterator[str]:
    """Serve `app` with uvicorn as it is; gives the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, log_config=None, **options)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        until = time.monotonic() + PATIENCE
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(PATIENCE)


def test_the_factory_is_served_by_plain_uvicorn(monkeypatch: pytest.MonkeyPatch) -> None:
    """`uvicorn mock_server.app:create_app --factory` serves; the settings come from the environment."""
    monkeypatch.setenv("VEHICLE_OCR_MOCK_FIXTURES", str(FIXTURES))
    monkeypatch.setenv("VEHICLE_OCR_MOCK_WATCH", "0")
    with (
        _plain_uvicorn("mock_server.app:create_app", factory=True) as url,
        httpx.Client(base_url=url, timeout=PATIENCE) as client,
    ):
        reply = client.post("/api/ocr/plate", headers=KEY, files=UPLOAD)

        assert "9DJC652" in reply.text
        assert reply.headers["x-mock-match"] == "sha256"
        assert client.get("/__admin/requests").json()["total"] == 1


def test_a_fault_that_needs_the_connection_is_a_500_under_plain_uvicorn(caplog: pytest.LogCaptureFixture) -> None:
    """A server without access to the connection cannot break it; the log names the fault."""
    app = _app()
    with _plain_uvicorn(app) as url, httpx.Client(base_url=url, timeout=PATIENCE) as client:
        _add_fault(client, "/__admin")
        reply = client.post("/api/ocr/plate", headers=KEY, files=UPLOAD)

    assert reply.status_code == 500
    assert any("EMPTY_RESPONSE" in str(record.exc_info) for record in caplog.records if record.exc_info)


@pytest.fixture(params=["lifespan", "no lifespan"])
def mounted(request: pytest.FixtureRequest) -> Iterator[TestClient]:
    """A client of an application that has the mock at `/mock`."""
    outer = Starlette(routes=[Mount("/mock", _app())])
    client = TestClient(outer, base_url="http://localhost", client=("127.0.0.1", 50000))
    if request.param == "lifespan":
        with client:
            yield client
    else:
        yield client


def test_a_mounted_application_serves_both_providers(mounted: TestClient) -> None:
    """Paths count from where it is mounted. Accounts exist although Starlette does not start mounted applications."""
    vehicore = mounted.post("/mock/api/ocr/plate", headers=KEY, files=UPLOAD)
    body = {"image_url": "http://localhost/mock/images/vin.jpg"}
    carsxe = mounted.post("/mock/v1/vinocr?key=demo-key", json=body)

    assert (vehicore.status_code, carsxe.status_code) == (200, 200)
    assert carsxe.json()["vin"]
    assert [entry["path"] for entry in mounted.get("/mock/__admin/requests").json()["requests"]] == [
        "/api/ocr/plate",
        "/v1/vinocr",
    ]


def test_a_mounted_application_answers_nothing_outside_its_mount(mounted: TestClient) -> None:
    """The outer application keeps its own paths."""
    assert mounted.post("/api/ocr/plate", headers=KEY, files=UPLOAD).status_code == 404
    assert mounted.get("/__admin/health").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/mock/healthz", 200),
        ("GET", "/mock/images/car.jpg", 200),
        ("GET", "/mock/images/none.jpg", 404),
        ("GET", "/mock/__admin/health", 200),
        ("GET", "/mock/__admin/docs", 200),
        ("GET", "/mock/api/ocr/plate", 405),
        ("POST", "/mock/api/ocr/boat", 400),
        ("GET", "/mock/nowhere", 404),
    ],
)
def test_a_mounted_application_has_all_its_paths(mounted: TestClient, method: str, path: str, status: int) -> None:
    """Images, health, admin and the providers' own errors are below the mount."""
    assert mounted.request(method, path).status_code == status


def test_a_mounted_application_links_below_its_mount(mounted: TestClient) -> None:
    """The redirect to the dashboard, the places of created things and the links of pages keep the prefix."""
    redirect = mounted.get("/mock/__admin", follow_redirects=False)
    created = mounted.post("/mock/__admin/accounts", json={"key": "a key/with a slash"})
    page = mounted.get("/mock/__admin/").text

    assert (redirect.status_code, redirect.headers["location"]) == (308, "/mock/__admin/")
    assert mounted.get(created.headers["location"]).json()["key"] == "a key/with a slash"
    assert '"/__admin' not in page
    assert "`/__admin" not in page


@pytest.mark.parametrize(
    "host", ["api.carsxe.com", "API.CARSXE.COM.", "api.vehicore.pro", "vehicore-api.dev-stage.fyi"]
)
def test_a_mounted_application_knows_the_providers_hosts(mounted: TestClient, host: str) -> None:
    """Under a provider's host name there is that provider only."""
    assert mounted.get("/mock/healthz", headers={"Host": host}).status_code == 404


def test_the_test_client_of_starlette(tmp_path: Path) -> None:
    """The whole mock works without a socket, an unknown image included."""
    with TestClient(_app(), base_url="http://localhost", client=("127.0.0.1", 50000)) as client:
        known = client.post("/api/ocr/plate", headers=KEY, files=UPLOAD)
        unknown = client.post("/api/ocr/plate", headers=KEY, files={"image": ("x.png", drawn())})

        assert known.headers["x-mock-match"] == "sha256"
        assert unknown.headers["x-mock-match"] == "synthesized"
        assert client.get("/__admin/requests").json()["total"] == 2


def test_a_fault_that_needs_the_connection_raises_in_the_test_client() -> None:
    """The error names the fault and says what is missing; nothing is faked."""
    with TestClient(_app(), base_url="http://localhost", client=("127.0.0.1", 50000)) as client:
        _add_fault(client, "/__admin")
        with pytest.raises(FaultUnavailableError, match="EMPTY_RESPONSE"):
            client.post("/api/ocr/plate", headers=KEY, files=UPLOAD)


def _add_fault(client: httpx.Client | TestClient, admin: str) -> None:
    scenario = {
        "scenario": "broken",
        "when": {"key": "demo-key"},
        "then": [{"outcome": "read", "fault": "EMPTY_RESPONSE"}],
        "reading": {"plate": "ABC123"},
        "priority": 1,
    }
    client.post(f"{admin}/scenarios", json=scenario).raise_for_status()


@pytest.mark.parametrize("prefix", ["", "/mock"])
def test_the_root_leads_to_the_dashboard(prefix: str) -> None:
    """A browser that opens the address of the server gets to the dashboard, also below a mount."""
    client = TestClient(Starlette(routes=[Mount(prefix, _app())]), base_url="http://localhost")
    reply = client.get(f"{prefix}/", follow_redirects=False)

    assert (reply.status_code, reply.headers["location"]) == (307, f"{prefix}/__admin/")
    assert client.get(f"{prefix}/", headers={"Host": "api.carsxe.com"}).status_code == 404
    assert client.post(f"{prefix}/", json={}).status_code == 404
