"""The alternatives of CarsXE's replies that are documented, seen in a client, or contradict another page."""

import base64
from pathlib import Path

import httpx
import pytest

from mock_server.core.model import OutcomeName
from mock_server.server import MockServer
from tests.conftest import MakeClient
from tests.support import carsxe, drawn, new_key

pins = pytest.mark.pins

PREFIXES = {
    "plate": "API limit exceeded for plate_image_recognition (",
    "vin": "API limit exceeded for vin_optical_character_recognition (",
}
USED_UP = "). Subscription tier: standard. Current usage: 1000, Limit: 1000."
UPGRADE = " Please upgrade your tier to continue using the API."
OVERAGE = " Enable overage billing in your dashboard billing preferences to continue with overage charges"
NOT_FOUND = "User with this API key was not found or the API key is disabled"
INACTIVE = (
    "User with this API key is not active. To activate update your billing on https://api.carsxe.com/dashboard/billing"
)


def _ask(http: httpx.Client, product: str, scenario: str) -> httpx.Response:
    return carsxe(http, product, key="metered-key", headers={"X-Scenario": scenario})


ERRORS = [
    pytest.param("vin", "missing-key-unauthorized", 401, "Missing API key", marks=pins("carsxe-vin-unauthorized")),
    pytest.param("vin", "unknown-key-unauthorized", 401, NOT_FOUND, marks=pins("carsxe-vin-unauthorized")),
    pytest.param(
        "vin", "no-text-not-found", 404, "No text detected in the image", marks=pins("carsxe-vin-no-text-404")
    ),
    pytest.param("plate", "api-billing-page", 401, INACTIVE, marks=pins("carsxe-inactive-api-page")),
    pytest.param("vin", "api-billing-page", 401, INACTIVE),
    pytest.param("plate", "internal-error", 500, "Internal server error", marks=pins("carsxe-500-internal")),
    pytest.param(
        "vin",
        "internal-authentication",
        500,
        "Unable to authenticate internal request (code CV-001). Please try again later",
        marks=pins("carsxe-500-authentication"),
    ),
    pytest.param("plate", "without-usage", 429, "API usage limit exceeded", marks=pins("carsxe-429-without-usage")),
    pytest.param("vin", "rate-without-usage", 429, "API usage limit exceeded"),
]


@pytest.mark.parametrize(("product", "scenario", "status", "message"), ERRORS)
def test_errors(http: httpx.Client, product: str, scenario: str, status: int, message: str) -> None:
    """Each variant of an error has its own status and text, in the usual envelope and without further fields."""
    reply = _ask(http, product, scenario)

    assert (reply.status_code, reply.json()) == (status, {"success": False, "message": message})


@pytest.mark.parametrize(
    ("scenario", "ending"),
    [
        pytest.param("tier-message", "", marks=pins("carsxe-tier-message-api-names")),
        pytest.param("tier-message-upgrade", UPGRADE, marks=pins("carsxe-tier-message-upgrade")),
        pytest.param("tier-message-overage", OVERAGE, marks=pins("carsxe-tier-message-overage")),
    ],
)
@pytest.mark.parametrize("product", PREFIXES)
def test_the_second_quota_text(http: httpx.Client, product: str, scenario: str, ending: str) -> None:
    """It names the API in snake case, and can end in advice. `usage` is there too."""
    reply = _ask(http, product, scenario)
    body = reply.json()

    assert reply.status_code == 429
    assert body["message"].startswith(PREFIXES[product])
    assert body["message"].endswith(USED_UP + ending)
    assert body["usage"]["remaining"] == 0


@pins("carsxe-200-cached")
@pytest.mark.parametrize("product", ["plate", "vin"])
def test_from_the_cache(http: httpx.Client, product: str) -> None:
    """A reading from the cache has the same fields, and a message that says so."""
    fresh, cached = carsxe(http, product).json(), _ask(http, product, "cached").json()

    assert cached == {**fresh, "message": "The response is from the cache"}


@pins("carsxe-200-error-field")
@pytest.mark.parametrize("product", ["plate", "vin"])
def test_an_error_with_status_200(mock: MockServer, http: httpx.Client, product: str) -> None:
    """An error can come with the status 200. It is no success, so it costs nothing."""
    key = new_key(mock, quota=1)
    replies = [carsxe(http, product, key=key, headers={"X-Scenario": "error-field"}) for _ in range(3)]

    assert [(reply.status_code, reply.json()) for reply in replies] == [
        (200, {"success": False, "error": "Could not get information at this time"})
    ] * 3
    assert carsxe(http, product, key=key).status_code == 200


def test_variants_for_all_replies(serve: MakeClient, tmp_path: Path) -> None:
    """`mock.yaml` chooses variants of refused keys too, which no scenario can."""
    (tmp_path / "mock.yaml").write_text(
        "accounts: [{key: asleep, status: inactive}, {key: spent, quota: 0}]\n"
        "carsxe: {missing_key: unauthorized, unknown_key: unauthorized, inactive_account: api_billing_page,"
        " out_of_credits: without_usage}\n"
    )
    client = serve(tmp_path)
    image = "data:image/png;base64," + base64.b64encode(drawn()).decode()
    replies = [carsxe(client, "vin", image, key=key) for key in (None, "nobody", "asleep", "spent")]

    assert [reply.status_code for reply in replies] == [401, 401, 401, 429]
    assert [reply.json()["message"] for reply in replies[:3]] == ["Missing API key", NOT_FOUND, INACTIVE]
    assert "usage" not in replies[3].json()


def test_a_forced_status_is_kept(serve: MakeClient, tmp_path: Path) -> None:
    """A variant in `mock.yaml` with another status does not change the status that a client forces."""
    (tmp_path / "mock.yaml").write_text("accounts: [{key: demo-key}]\ncarsxe: {service_error: error_field}\n")
    client = serve(tmp_path)

    assert carsxe(client, headers={"Prefer": "code=500"}).status_code == 500
    assert carsxe(client, headers={"Prefer": "outcome=service_error"}).status_code == 200


@pins("carsxe-always-json")
def test_every_reply_is_json(http: httpx.Client) -> None:
    """Every reply is JSON with a JSON content type: published clients fail on anything else."""
    for outcome in OutcomeName:
        reply = carsxe(http, headers={"Prefer": f"outcome={outcome}"})

        assert reply.headers["content-type"].startswith("application/json")
        assert isinstance(reply.json(), dict)
        assert reply.content
