"""One table for the mock and for the real providers. If they differ, the mock is wrong.

Against a provider it runs only where a key stands in VEHICORE_LIVE_KEY or CARSXE_LIVE_KEY. Every request of the
table is one that the provider refuses, so none costs anything.
"""

import os
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from mock_server.server import MockServer
from tests.support import PATIENCE

LIVE = {
    "vehicore": ("https://vehicore-api.dev-stage.fyi", "VEHICORE_LIVE_KEY"),
    "carsxe": ("https://api.carsxe.com", "CARSXE_LIVE_KEY"),
}
PLATE, VIN = "/platerecognition", "/v1/vinocr"
UNAUTHORIZED = {"code": "UNAUTHORIZED"}
INVALID = {"code": "VALIDATION_ERROR"}
TEXT = {"image": ("note.txt", b"no picture", "text/plain")}
NOT_FOUND = "User with this API key was not found or the API key is disabled"
NO_IMAGE = "Invalid image data format. Must be a valid URL or base64 encoded string."


def failure(message: str) -> dict[str, object]:
    """CarsXE's envelope."""
    return {"success": False, "message": message}


TABLE = [
    # provider, path, key (KEY is replaced with a valid key), the rest of the request, status, what the body holds
    ("vehicore", "/api/ocr/plate", None, {"files": TEXT}, 401, UNAUTHORIZED),
    ("vehicore", "/api/ocr/vin", "nobody", {"files": TEXT}, 401, UNAUTHORIZED),
    ("vehicore", "/api/ocr/plate", "KEY", {"files": TEXT}, 400, INVALID),
    ("vehicore", "/api/ocr/vin", "KEY", {"files": {"other": ("a.txt", b"x")}}, 400, INVALID),
    ("carsxe", PLATE, None, {"json": {"image_url": "x"}}, 401, failure("Missing API key")),
    ("carsxe", VIN, None, {"json": {"image_url": "x"}}, 400, failure("Missing API key")),
    ("carsxe", PLATE, "nobody", {"json": {"image_url": "x"}}, 401, failure(NOT_FOUND)),
    ("carsxe", VIN, "nobody", {"json": {"image_url": "x"}}, 404, failure(NOT_FOUND)),
    ("carsxe", PLATE, "KEY", {"json": {}}, 400, failure("Missing upload URL")),
    ("carsxe", VIN, "KEY", {"json": {}}, 400, failure("Missing image data")),
    ("carsxe", VIN, "KEY", {"json": {"image_url": "no url"}}, 400, failure(NO_IMAGE)),
]


@pytest.fixture(params=["mock", "live"])
def target(request: pytest.FixtureRequest, mock: MockServer) -> Mapping[str, tuple[str, str]]:
    """The URL of each provider, and a valid key."""
    if request.param == "mock":
        return dict.fromkeys(LIVE, (mock.url, "demo-key"))
    return {provider: (url, os.environ.get(variable, "")) for provider, (url, variable) in LIVE.items()}


@pytest.mark.parametrize(("provider", "path", "key", "rest", "status", "holds"), TABLE)
def test_the_mock_is_what_the_provider_is(
    target: Mapping[str, tuple[str, str]],
    provider: str,
    path: str,
    key: str | None,
    rest: dict[str, Any],
    status: int,
    holds: dict[str, object],
) -> None:
    """The same request gets the same status and the same message."""
    url, good = target[provider]
    if not good:
        pytest.skip(f"{LIVE[provider][1]} is not set")
    key = good if key == "KEY" else key
    sent: dict[str, Any] = {}
    if key:
        sent = {"headers": {"X-API-Key": key}} if provider == "vehicore" else {"params": {"key": key}}
    reply = httpx.post(url + path, timeout=PATIENCE, **sent, **rest)

    assert reply.status_code == status
    assert reply.json() == {**reply.json(), **holds}
