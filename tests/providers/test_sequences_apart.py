"""Sequences of many keys on one scenario, at the same time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from mock_server import MockServer
from tests.support import PATIENCE, drawn

CYCLE = """\
scenario: round-and-round
when: {image: ../images/car.png}
reading: {plate: ABC123}
repeat: cycle
then:
  - {outcome: service_error, times: 2}
  - {outcome: nothing_found, variant: validation_error}
  - {outcome: read, times: 3}
"""
STATUSES = [500, 500, 400, 200, 200, 200]


def test_sixteen_clients_see_their_own_sequence(tmp_path: Path) -> None:
    """Sixteen keys use one cyclic scenario at the same time, and each gets every step in order."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "car.png").write_bytes(drawn())
    (tmp_path / "scenarios" / "cycle.yaml").write_text(CYCLE)
    with MockServer(tmp_path) as mock:
        keys = [mock.create_account().key for _ in range(16)]

        def statuses(key: str) -> list[int]:
            with httpx.Client(headers={"X-API-Key": key}, timeout=PATIENCE) as client:
                upload = {"image": drawn()}
                return [client.post(f"{mock.url}/api/ocr/plate", files=upload).status_code for _ in range(18)]

        with ThreadPoolExecutor(16) as pool:
            seen = list(pool.map(statuses, keys))

    assert seen == [STATUSES * 3] * 16
