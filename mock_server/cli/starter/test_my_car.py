"""The first tests: run `pytest` in this directory. Replace `read_plate` by your own client."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from mock_server import Account, MockServer

HERE = Path(__file__).parent


def read_plate(url: str, key: str, photo: Path) -> httpx.Response:
    """The call of your client. In production `url` is https://api.vehicore.pro."""
    return httpx.post(
        f"{url}/api/ocr/plate", headers={"X-API-Key": key}, files={"image": photo.read_bytes()}, timeout=30
    )


@pytest.fixture(scope="session")
def vehicle_ocr_mock_settings() -> dict[str, Any]:
    """The settings of the server that pytest starts for these tests."""
    return {"fixtures": HERE}


def test_a_plate_is_read(vehicle_ocr_mock: MockServer, vehicle_ocr_account: Account) -> None:
    """`vehicle_ocr_account` is a new account for each test."""
    reply = read_plate(vehicle_ocr_mock.url, vehicle_ocr_account.key, HERE / "images" / "my-car.jpg")

    assert reply.json() == {"result": "7XYZ123"}


def test_the_card_fails(vehicle_ocr_mock: MockServer) -> None:
    """One call is paid for. The next one is refused."""
    account = vehicle_ocr_mock.create_account(credits={"plate": 1})
    statuses = [
        read_plate(vehicle_ocr_mock.url, account.key, HERE / "images" / "my-car.jpg").status_code for _ in range(2)
    ]

    assert statuses == [200, 402]
    vehicle_ocr_mock.verify(key=account.key, outcome="out_of_credits", times=1)


def test_the_service_fails(vehicle_ocr_mock: MockServer, vehicle_ocr_account: Account) -> None:
    """The next call gets an error, whatever the picture."""
    with vehicle_ocr_mock.override(key=vehicle_ocr_account.key, outcome="service_error"):
        reply = read_plate(vehicle_ocr_mock.url, vehicle_ocr_account.key, HERE / "images" / "my-car.jpg")

    assert reply.status_code == 500
