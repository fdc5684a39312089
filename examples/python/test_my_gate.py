"""A test-suite of an application that names the real hosts and nothing else.

Run it as it is: `pytest test_my_gate.py` (the mock runs in this process), or leave the fixture out and run
`vehicle-ocr-mock exec -- pytest test_my_gate.py` (the mock runs beside it).
"""

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
def mock() -> Iterator[MockServer]:
    with MockServer(tls=True) as server, server.redirect():
        yield server


def test_a_known_car() -> None:
    assert plate_at_the_gate("https://api.carsxe.com/images/california-sedan.jpg", "demo-key") == "9DJC652"


def test_nobody_there() -> None:
    assert plate_at_the_gate("https://example.com/mock-nothing_found.jpg", "demo-key") is None


def test_no_quota_left() -> None:
    with pytest.raises(requests.HTTPError, match="429"):
        plate_at_the_gate("https://api.carsxe.com/images/california-sedan.jpg", "no-credits")
