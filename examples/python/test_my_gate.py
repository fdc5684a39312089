"""A test-suite of an application that names the real hosts and nothing else.

Run it with the mock in this process, `pytest test_my_gate.py`, or with the mock beside it,
`vehicle-ocr-mock exec -- pytest test_my_gate.py`.
"""

import os
from collections.abc import Iterator

import pytest
import requests

from mock_server import MockServer


def plate_at_the_gate(picture_url: str, key: str) -> str | None:
    """The application: which car stands before the gate?"""
    answer = requests.post(
        "https://api.carsxe.com/platerecognition", params={"key": key}, json={"image_url": picture_url}, timeout=10
    )
    if answer.status_code == 404:
        return None
    answer.raise_for_status()
    plate: str = answer.json()["results"][0]["plate"]
    return plate.upper()


@pytest.fixture(scope="module", autouse=True)
def mock() -> Iterator[None]:
    if "VEHICLE_OCR_MOCK_URL" in os.environ:  # set by `exec`
        yield
        return
    with MockServer(tls=True) as server, server.redirect():
        yield


def test_a_known_car() -> None:
    assert plate_at_the_gate("https://api.carsxe.com/images/california-sedan.jpg", "demo-key") == "9DJC652"


def test_nobody_there() -> None:
    assert plate_at_the_gate("https://example.com/mock-nothing_found.jpg", "demo-key") is None


def test_no_quota_left() -> None:
    with pytest.raises(requests.HTTPError, match="429"):
        plate_at_the_gate("https://api.carsxe.com/images/california-sedan.jpg", "no-credits")
