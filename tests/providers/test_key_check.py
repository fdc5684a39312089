"""`GET /v1/auth/validate`: the call by which several published CarsXE clients check a key before they use it."""

import httpx
import pytest

from mock_server.server import MockServer
from tests.conftest import MakeClient
from tests.support import carsxe, latest, new_key

pins = pytest.mark.pins

PATH = "/v1/auth/validate"
UNKNOWN = "User with this API key was not found or the API key is disabled"
INACTIVE = (
    "User with this API key is not active. To activate update your billing on https://carsxe.com/dashboard/billing"
)
BLOCKED = "This API key has been blocked, please contact support if you believe this is an error."


@pins("carsxe-auth-validate")
@pytest.mark.parametrize(
    ("host", "path"),
    [("localhost", PATH), ("api.carsxe.com", PATH), ("api.carsxe.com", f"/eu{PATH}"), ("eu-api.carsxe.com", PATH)],
)
def test_a_good_key(http: httpx.Client, host: str, path: str) -> None:
    """A good key is 200 with the user, on every host and below `/eu`."""
    reply = http.get(path, params={"key": "demo-key", "source": "n8n"}, headers={"Host": host})

    assert reply.status_code == 200
    assert reply.json() == {"success": True, "active": True, "user": {"email": "demo@example.com"}}
    assert reply.headers["content-type"].startswith("application/json")


@pins("carsxe-auth-validate-refused")
@pytest.mark.parametrize(
    ("key", "status", "message"),
    [
        ("nobody", 401, UNKNOWN),
        ("k" * 10_000, 401, UNKNOWN),
        ("disabled-key", 401, UNKNOWN),
        ("inactive-key", 401, INACTIVE),
        ("blocked-key", 403, BLOCKED),
        ("", 401, "Missing API key"),
        (None, 401, "Missing API key"),
    ],
)
def test_a_bad_key(http: httpx.Client, key: str | None, status: int, message: str) -> None:
    """A bad key is refused as on the plate endpoint."""
    reply = http.get(PATH, params={} if key is None else {"key": key})

    assert (reply.status_code, reply.json()) == (status, {"success": False, "message": message})


def test_a_key_without_plan_or_quota_is_good(http: httpx.Client) -> None:
    """A check says whether the key exists, not what it may still call."""
    for key in ("basic-plan-key", "no-credits"):
        assert http.get(PATH, params={"key": key}).json()["active"] is True


@pins("carsxe-auth-validate-free")
def test_a_check_is_never_billed_or_rated(mock: MockServer, http: httpx.Client) -> None:
    """A check costs no unit and does not count against the rate limit."""
    key = new_key(mock, quota=1, rate_limit="2/hour")
    checks = [http.get(PATH, params={"key": key}).status_code for _ in range(5)]

    assert checks == [200] * 5
    assert carsxe(http, key=key).status_code == 200


def test_a_check_is_in_the_journal(mock: MockServer, http: httpx.Client) -> None:
    """The journal has the key (hidden), the account, the path as an alias, and the outcome if the key is refused."""
    http.get(PATH, params={"key": "demo-key"}, headers={"X-Old-Plugin": "demo-key"})
    good = latest(mock)
    http.get(f"/eu{PATH}", params={"key": "inactive-key"})
    bad = latest(mock)

    assert (good.provider, good.product, good.path, good.status) == ("carsxe", None, PATH, 200)
    assert (good.account, good.key, good.outcome, good.charged) == ("demo", "…ey", None, 0)
    assert (good.aliases, good.headers["x-old-plugin"]) == ((f"path {PATH}",), "…")
    assert (bad.outcome, bad.account, bad.aliases) == ("inactive_account", None, (f"path /eu{PATH}",))


@pytest.mark.parametrize("path", [PATH, f"/eu{PATH}"])
def test_strict_mode_has_no_check(serve: MakeClient, path: str) -> None:
    """The path is not documented, so strict mode answers 404."""
    reply = serve(strict=True).get(path, params={"key": "demo-key"})

    assert (reply.status_code, reply.json()) == (404, {"success": False, "message": "Not found"})


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_another_method(http: httpx.Client, method: str) -> None:
    """Only GET and HEAD are allowed."""
    reply = http.request(method, PATH, params={"key": "demo-key"})

    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD")
    assert http.head(PATH, params={"key": "demo-key"}).status_code == 200


def test_vehicore_has_no_check(http: httpx.Client) -> None:
    """The path is CarsXE's alone."""
    reply = http.get(PATH, params={"key": "demo-key"}, headers={"Host": "api.vehicore.pro"})

    assert reply.json() == {"message": "Not found."}
