"""What many tests share: a real server on a free port, its client, and a clock that tests move."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings

from mock_server.core.clock import Clock
from mock_server.server import MockServer
from tests.redis_server import own_redis_server, redis_server
from tests.support import FIXTURES, PATIENCE

__all__ = ["own_redis_server", "redis_server"]

# How fast a busy machine makes examples says nothing about the product. Every run has the same examples: a run must not
# fail for something that the run before did not try.
settings.register_profile("busy", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

NEW_YEAR = 1_767_225_600.0
"""2026-01-01T00:00:00Z."""

MakeClient = Callable[..., httpx.Client]


def pytest_addoption(parser: pytest.Parser) -> None:
    """A switch of the tests that hold files."""
    parser.addoption("--write-golden", action="store_true", help="Write the golden replies and the ledger anew.")


LONGEST = (
    "hostile/test_provider_calls.py",
    "hostile/test_other_input.py",
    "browser/",
    "imaging/test_rim_boxes.py",
    "imaging/test_matching.py",
    "clients/test_advice.py",
    "clients/test_real_clients.py",
    "drawing/test_drawing.py",
    "http/test_responsiveness.py",
)
"""Files of tests that take long. They begin first, so that no worker has such a file alone at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first."""

    def place(item: pytest.Item) -> int:
        path = item.path.relative_to(Path(__file__).parent).as_posix()
        return next((number for number, name in enumerate(LONGEST) if path.startswith(name)), len(LONGEST))

    items.sort(key=place)


@pytest.fixture(scope="session")
def mock() -> Iterator[MockServer]:
    """A server on the tests' fixtures for the whole session. Tests that count something take a fresh key."""
    with MockServer(FIXTURES) as server:
        yield server


@pytest.fixture
def http(mock: MockServer) -> Iterator[httpx.Client]:
    """A client of the session's server."""
    with httpx.Client(base_url=mock.url, timeout=PATIENCE) as client:
        yield client


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The event loop that the server runs on."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _no_authority_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test touches the certificate authority in the user's own data directory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VEHICLE_OCR_MOCK_CA_DIR", str(tmp_path_factory.mktemp("default-ca")))
        yield


def frozen_clock() -> Clock:
    """A clock that stands still at the beginning of 2026."""
    clock = Clock()
    clock.freeze(NEW_YEAR)
    return clock


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still at the beginning of 2026, until the test moves it."""
    return frozen_clock()


@pytest.fixture
def serve() -> Iterator[MakeClient]:
    """Start a server of the test's own, with settings by name; gives its client, both ended after the test."""
    with ExitStack() as stack:

        def started(fixtures: Path = FIXTURES, **settings: Any) -> httpx.Client:
            server = stack.enter_context(MockServer(fixtures, **settings))
            return stack.enter_context(httpx.Client(base_url=server.url, timeout=PATIENCE))

        yield started
