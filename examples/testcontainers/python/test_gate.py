"""The mock in a container, by testcontainers for Python. Build the image first: docker build -t vehicle-ocr-mock .

pip install testcontainers requests pytest
"""

from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy

TOKEN = "for-tests-only"
FIXTURES = Path("fixtures")
"""Your own fixtures directory; without one the shipped fixtures are served."""
PICTURE = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAAEElEQVR42mP8zwABTAwUMQBJQQEPkWFcdwAAAABJRU5ErkJggg=="
)
"""A white square in place of a photo."""


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """The address of the mock."""
    container = (
        DockerContainer("vehicle-ocr-mock")
        .with_env("VEHICLE_OCR_MOCK_ADMIN_TOKEN", TOKEN)
        .with_exposed_ports(8080)
        .waiting_for(HttpWaitStrategy(8080, "/healthz").for_status_code(200))
    )
    if FIXTURES.is_dir():
        container = container.with_volume_mapping(str(FIXTURES.resolve()), "/config", "ro")
    with container:
        yield f"http://{container.get_container_host_ip()}:{container.get_exposed_port(8080)}"


def test_an_account_without_credits(url: str) -> None:
    admin = {"Authorization": f"Bearer {TOKEN}"}
    account = requests.post(f"{url}/__admin/accounts", json={"credits": 0}, headers=admin, timeout=10).json()
    reply = requests.post(
        f"{url}/api/ocr/plate", headers={"X-API-Key": account["key"]}, files={"image": PICTURE}, timeout=10
    )

    assert reply.status_code == 402
