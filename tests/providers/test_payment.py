"""Pay per call by x402: off by default, an outcome for scenarios, and a setting for calls without a key."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from mock_server.server import MockServer
from tests.conftest import MakeClient
from tests.support import FIXTURES, PATIENCE, carsxe, gallery, vehicore

pins = pytest.mark.pins

HEADERS = ["PAYMENT-SIGNATURE", "X-PAYMENT"]


@pytest.fixture(scope="module")
def paid() -> Any:
    """A server that asks for a payment."""
    with MockServer(FIXTURES, x402="keyless") as server:
        yield server


@pytest.fixture
def client(paid: MockServer) -> Any:
    """Its client."""
    with httpx.Client(base_url=paid.url, timeout=PATIENCE) as client:
        yield client


@pins("carsxe-x402-off")
def test_it_is_off_by_default(http: httpx.Client) -> None:
    """A call without a key is refused as documented, with or without a payment."""
    for headers in ({}, dict.fromkeys(HEADERS, "signed")):
        assert carsxe(http, "plate", key=None, headers=headers).status_code == 401
        assert carsxe(http, "vin", key=None, headers=headers).status_code == 400


@pins("carsxe-x402-body")
@pytest.mark.parametrize(("product", "path"), [("plate", "/platerecognition"), ("vin", "/v1/vinocr")])
def test_payment_requirements(http: httpx.Client, product: str, path: str) -> None:
    """The outcome is 402 with one offer for the endpoint, not the usual envelope."""
    reply = carsxe(http, product, headers={"Prefer": "outcome=payment_required"})
    body = reply.json()
    (offer,) = body.pop("accepts")

    assert reply.status_code == 402
    assert body == {"x402Version": 1, "error": "X-PAYMENT header is required"}
    assert offer["resource"] == f"https://api.carsxe.com{path}"
    assert (offer["scheme"], offer["network"]) == ("exact", "base-sepolia")
    assert int(offer["maxAmountRequired"]) > 0
    assert offer["maxTimeoutSeconds"] == 60
    assert offer["asset"].startswith("0x")
    assert offer["payTo"].startswith("0x")
    assert offer["description"]


def test_a_status_forces_it(http: httpx.Client) -> None:
    """402 is CarsXE's status of this outcome, and VehiCore's of missing credits."""
    assert carsxe(http, headers={"Prefer": "code=402"}).json()["x402Version"] == 1
    assert vehicore(http, headers={"Prefer": "code=402"}).json()["code"] == "INSUFFICIENT_CREDITS"
    assert vehicore(http, headers={"Prefer": "outcome=payment_required"}).json()["code"] == "INSUFFICIENT_CREDITS"


@pins("carsxe-x402-keyless")
@pytest.mark.parametrize("product", ["plate", "vin"])
def test_a_call_without_a_key_pays(paid: MockServer, client: httpx.Client, product: str) -> None:
    """It answers payment requirements; the same call with a payment header succeeds, and costs no units."""
    asked = carsxe(client, product, key=None)
    answered = [carsxe(client, product, key=None, headers={name: "signed"}) for name in HEADERS]
    last = paid.requests(provider="carsxe")[-1]

    assert (asked.status_code, asked.json()["x402Version"]) == (402, 1)
    assert [reply.status_code for reply in answered] == [200, 200]
    assert (last.account, last.key, last.charged, last.scenario is None) == ("pay-per-call", None, 0, False)


def test_a_paid_call_can_fail_as_any_other(client: httpx.Client) -> None:
    """The request is checked and read as with a key."""
    headers = {"X-PAYMENT": "signed"}

    assert carsxe(client, "plate", "no url", key=None, headers=headers).status_code == 400
    assert carsxe(client, "plate", gallery(client, "no-plate"), key=None, headers=headers).status_code == 404
    assert carsxe(client, key=None, headers={**headers, "Prefer": "outcome=rate_limited"}).status_code == 429
    assert carsxe(client, key=None, headers={"X-PAYMENT": ""}).status_code == 402


def test_a_key_is_used_before_a_payment(client: httpx.Client) -> None:
    """A call with a key is admitted by its key, whatever it pays."""
    for headers in ({}, {"X-PAYMENT": "signed"}):
        assert carsxe(client, headers=headers).status_code == 200
        assert carsxe(client, key="nobody", headers=headers).status_code == 401
        assert carsxe(client, key="no-credits", headers=headers).status_code == 429


def test_vehicore_takes_no_payment(client: httpx.Client) -> None:
    """The setting concerns CarsXE alone."""
    assert vehicore(client, key=None, headers={"X-PAYMENT": "signed"}).status_code == 401


def test_the_setting_in_mock_yaml(serve: MakeClient, tmp_path: Path) -> None:
    """`x402: keyless` in `mock.yaml` is the same setting, and `off` is a value like any other."""
    for value, status in (("keyless", 402), ("off", 401)):
        directory = tmp_path / value
        directory.mkdir()
        (directory / "mock.yaml").write_text(f"x402: {value}\n")

        assert carsxe(serve(directory), key=None).status_code == status
