"""Servers of the admin tests' own: on the tests' fixtures, one open to this machine and one behind a token."""

from collections.abc import Iterator

import httpx
import pytest

from mock_server import MockServer
from tests.support import FIXTURES, PATIENCE

TOKEN = "a-token-for-tests"


@pytest.fixture(scope="module")
def mock() -> Iterator[MockServer]:
    """A server for the tests of one file, which may change it as they like."""
    with MockServer(FIXTURES, keep_uploads=16) as server:
        yield server


@pytest.fixture
def admin(mock: MockServer) -> Iterator[httpx.Client]:
    """A client of the admin API; the server is back at its files before each test."""
    mock.reset()
    with httpx.Client(base_url=f"{mock.url}/__admin", timeout=PATIENCE) as client:
        yield client


@pytest.fixture(scope="module")
def guarded() -> Iterator[MockServer]:
    """A server that asks for a token."""
    with MockServer(FIXTURES, admin_token=TOKEN) as server:
        yield server
