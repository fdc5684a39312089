"""20,000 hostile admin calls, YAML documents and raw requests, and 2,000 fixture files: no traceback, no hang.

A failure names its input. `python -m benchmarks.hostile` sends many more.
"""

import asyncio
from pathlib import Path

import pytest

from mock_server.server import MockServer
from tests.hostile.campaign import COUNT, SEED, check_family, shown
from tests.hostile.fixture_files import DamagedDirectory, Loads
from tests.hostile.raw_http import conversations, converse
from tests.support import FIXTURES

FIXTURE_FILES = 2_000

pytestmark = [
    pytest.mark.timeout(900),
    # Coverage would make the many inputs much slower.
    pytest.mark.no_cover,
    # Pillow warns about damaged pictures. As errors, its warnings would change what is tested.
    pytest.mark.filterwarnings("ignore::UserWarning:PIL"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:PIL"),
]


@pytest.mark.parametrize("name", ["admin documents", "YAML"])
def test_admin_calls(name: str) -> None:
    """One reply for each, and never a 5xx."""
    check_family(name)


def test_raw_http() -> None:
    """Bytes on connections to a server, with requests in a row."""
    with MockServer(FIXTURES) as server:
        outcome = asyncio.run(converse(server, conversations(COUNT, SEED)))

    assert not outcome.faults, shown(outcome.faults)
    assert outcome.lost <= outcome.count // 100
    assert {200, 400, 401, 404, 414, 431} <= set(outcome.statuses)


def test_fixture_files(tmp_path: Path) -> None:
    """Directories with a damaged file."""
    results = Loads()
    DamagedDirectory(tmp_path).load_many(FIXTURE_FILES, SEED, results)

    assert not results.faults, shown(results.faults)
    assert results.good > FIXTURE_FILES // 100
    assert len(results.mistakes) > 100
