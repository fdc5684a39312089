"""The pytest plugin: `vehicle_ocr_mock`, a server for the session, `vehicle_ocr_account`, a fresh key a test, and
`vehicle_ocr_redirect`, the providers' real host names leading to the server.

pytest imports this file in every suite of an environment that has the package. It imports nothing that such a suite
would notice; the server is loaded when a test asks for it.
"""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mock_server.client import Controls
    from mock_server.client_models import Account

URL_VARIABLE = "VEHICLE_OCR_MOCK_URL"
TOKEN_VARIABLE = "VEHICLE_OCR_MOCK_ADMIN_TOKEN"

_MOST_SHOWN = 50
_ACCOUNT = pytest.StashKey["tuple[Controls, str]"]()


@pytest.fixture(scope="session")
def vehicle_ocr_mock_settings() -> dict[str, Any]:
    """Settings of the session's server, by name. Override it: `{"fixtures": "tests/fixtures", "strict": True}`.

    With `{"url": …}` (and a `token` where it needs one) the session uses a server that runs already.
    """
    return {}


@pytest.fixture(scope="session")
def vehicle_ocr_mock(vehicle_ocr_mock_settings: dict[str, Any]) -> "Iterator[Controls]":
    """A mock for the whole session: its `url` for clients, its methods for the test.

    Under pytest-xdist each worker has its own, unless VEHICLE_OCR_MOCK_URL or the settings name one for all.
    """
    with _mock(vehicle_ocr_mock_settings) as mock:
        yield mock


@pytest.fixture
def vehicle_ocr_account(vehicle_ocr_mock: "Controls", request: pytest.FixtureRequest) -> "Iterator[Account]":
    """A fresh account without limits, for this test alone. What its key was used for is shown if the test fails."""
    account = vehicle_ocr_mock.create_account()
    request.node.stash[_ACCOUNT] = (vehicle_ocr_mock, account.key)
    yield account
    del request.node.stash[_ACCOUNT]
    _forget(vehicle_ocr_mock, account.key)


@pytest.fixture
def vehicle_ocr_redirect(vehicle_ocr_mock: "Controls") -> "Iterator[Controls]":
    """The session's mock, with the providers' real host names leading to it in this process, for this test.

    The settings must say `tls: True`, and the server must be this session's own.
    """
    from mock_server.server import MockServer

    if not isinstance(vehicle_ocr_mock, MockServer):
        raise pytest.UsageError("vehicle_ocr_redirect needs a server of this process, not one named by a URL")
    with vehicle_ocr_mock.redirect():
        yield vehicle_ocr_mock


@contextmanager
def _mock(settings: dict[str, Any]) -> "Iterator[Controls]":
    rest = dict(settings)
    url = rest.pop("url", None) or os.environ.get(URL_VARIABLE)
    if url:
        from mock_server.client import MockClient

        yield MockClient(url, token=rest.get("token") or os.environ.get(TOKEN_VARIABLE))
        return
    from mock_server.server import MockServer

    with MockServer(rest.pop("fixtures", None), **rest) as mock:
        yield mock


def _forget(mock: "Controls", key: str) -> None:
    """Leave nothing of a test behind. It may have deleted its account itself."""
    from mock_server.errors import NotFoundError

    mock.reset(key)
    try:
        mock.delete_account(key)
    except NotFoundError:
        return


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the journal of a failed test's key to its report, while the account is still there."""
    report = yield
    if report.failed and (used := item.stash.get(_ACCOUNT, None)) is not None:
        report.sections.append(("vehicle-ocr-mock journal", _journal(*used)))
    return report


def _journal(mock: "Controls", key: str) -> str:
    try:
        exchanges = mock.requests(key=key, limit=_MOST_SHOWN)
        misses = {miss.request.id: miss for miss in mock.near_misses(key=key)}
    except Exception as error:
        return f"the journal cannot be read: {error}"
    lines = []
    for exchange in exchanges:
        lines.append(str(exchange))
        for scenario in misses[exchange.id].scenarios if exchange.id in misses else ():
            far = (
                ""
                if scenario.distance is None
                else f", distance {scenario.distance:.2f}, limit {scenario.limit}"
            )
            lines.append(f"    near: {scenario.scenario} (failed: {', '.join(scenario.failed)}{far})")
    return "\n".join(lines) or "no request was made with this test's key"
