"""The pytest plugin with its three fixtures, and the rehearsal report at the end of the session.

`vehicle_ocr_mock` is a server for the session, `vehicle_ocr_account` is a new account for each test, and
`vehicle_ocr_redirect` makes the providers' real host names lead to the server.

pytest imports this file in every suite of an environment that has the package, also in suites that do not use it.
Therefore it imports little, and loads the server only when a test uses it.
"""

import os
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mock_server.client import Controls
    from mock_server.client_models import Account
    from mock_server.core.exchange import Loser
    from mock_server.report.document import Report

URL_VARIABLE = "VEHICLE_OCR_MOCK_URL"
TOKEN_VARIABLE = "VEHICLE_OCR_MOCK_ADMIN_TOKEN"

_MAX_EXCHANGES = 50
_MAX_NAME = 200
_COUNTS = pytest.StashKey[dict[str, str]]()
_REPORT: "pytest.StashKey[Report]" = pytest.StashKey()
_WORKER_OUTPUT = "vehicle_ocr_mock_counts"
_ACCOUNT = pytest.StashKey["tuple[Controls, str]"]()


@pytest.fixture(scope="session")
def vehicle_ocr_mock_settings() -> dict[str, Any]:
    """Settings of the session's server, by name. Override it: `{"fixtures": "tests/fixtures", "strict": True}`.

    With `{"url": …}`, and `token` if needed, the session uses a server that is already running.
    """
    return {}


@pytest.fixture(scope="session")
def vehicle_ocr_mock(vehicle_ocr_mock_settings: dict[str, Any], request: pytest.FixtureRequest) -> "Iterator[Controls]":
    """A mock for the whole session. Clients use its `url`, tests use its methods.

    Under pytest-xdist each worker has its own server, unless VEHICLE_OCR_MOCK_URL or the settings name one. It serves
    HTTPS if a test uses `vehicle_ocr_redirect`, unless the settings have `tls`.
    """
    from mock_server.redirect.environment import LOOPBACK, changed_environment, proxy_exceptions

    has_tls = any("vehicle_ocr_redirect" in getattr(item, "fixturenames", ()) for item in request.session.items)
    opened = _open_mock(vehicle_ocr_mock_settings, has_tls=has_tls)
    with changed_environment(proxy_exceptions(LOOPBACK, os.environ)), opened as mock:
        yield mock
        _keep_counts(request.config, mock)


@pytest.fixture
def vehicle_ocr_account(vehicle_ocr_mock: "Controls", request: pytest.FixtureRequest) -> "Iterator[Account]":
    """A new account without limits, with the name of the test, for this test only.

    If the test fails, pytest's report lists its requests.
    """
    from mock_server.errors import NotFoundError

    account = vehicle_ocr_mock.create_account(name=request.node.nodeid[-_MAX_NAME:])
    request.node.stash[_ACCOUNT] = (vehicle_ocr_mock, account.key)
    yield account
    del request.node.stash[_ACCOUNT]
    vehicle_ocr_mock.reset(account.key)
    with suppress(NotFoundError):  # the test has deleted its account
        vehicle_ocr_mock.delete_account(account.key)


@pytest.fixture
def vehicle_ocr_redirect(vehicle_ocr_mock: "Controls") -> "Iterator[Controls]":
    """The session's mock; the providers' real host names lead to it in this process, for this test.

    The server must run in this process.
    """
    from mock_server.server import MockServer

    if not isinstance(vehicle_ocr_mock, MockServer):
        raise pytest.UsageError("vehicle_ocr_redirect needs a server in this process, not a URL")
    with vehicle_ocr_mock.redirect():
        yield vehicle_ocr_mock


@contextmanager
def _open_mock(settings: dict[str, Any], *, has_tls: bool) -> "Iterator[Controls]":
    rest = dict(settings)
    url = rest.pop("url", None) or os.environ.get(URL_VARIABLE)
    if url:
        from mock_server.client import MockClient

        unused = sorted(rest.keys() - {"token"})
        if unused:
            text = f"vehicle_ocr_mock_settings do not apply to the running server at {url}: {', '.join(unused)}"
            warnings.warn(pytest.PytestWarning(text), stacklevel=1)
        yield MockClient(url, token=rest.get("token") or os.environ.get(TOKEN_VARIABLE))
        return
    from mock_server.server import MockServer

    with MockServer(rest.pop("fixtures", None), **{"tls": has_tls, **rest}) as mock:
        yield mock


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the requests of a failed test's account to its report, before the account is deleted."""
    report = yield
    if report.failed and (used := item.stash.get(_ACCOUNT, None)) is not None:
        report.sections.append(("vehicle-ocr-mock journal", _journal(*used)))
    return report


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options for the rehearsal report."""
    group = parser.getgroup("vehicle-ocr-mock")
    group.addoption(
        "--vehicle-ocr-report",
        action="append",
        default=[],
        metavar="FILE",
        help="Write the rehearsal report of vehicle-ocr-mock to a file: .json, .html, .md or .xml. May be repeated.",
    )
    group.addoption(
        "--vehicle-ocr-fail-on",
        action="append",
        default=[],
        metavar="WORDS",
        help="Fail the session on any of these: unmatched, unserved, advice, coverage<N. Separated by commas, "
        "may be repeated.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse options that cannot be used, before the first test."""
    config.stash[_COUNTS] = {}
    if config.option.vehicle_ocr_report or config.option.vehicle_ocr_fail_on:
        from mock_server.errors import SettingsError
        from mock_server.report.fail_on import parse_conditions
        from mock_server.report.output import check_path

        try:
            parse_conditions(",".join(config.option.vehicle_ocr_fail_on))
            for path in config.option.vehicle_ocr_report:
                check_path(Path(path))
        except SettingsError as error:
            raise pytest.UsageError(str(error)) from None


def _keep_counts(config: pytest.Config, mock: "Controls") -> None:
    """Keep what the session's mock has counted. A worker of pytest-xdist sends it to the controller."""
    from mock_server.errors import MockServerError
    from mock_server.server import MockServer

    # Two workers' own servers can have the same port, one after the other.
    owner = os.environ.get("PYTEST_XDIST_WORKER", "") if isinstance(mock, MockServer) else ""
    # A server that was there before the session may have gone, or have no report.
    with suppress(OSError, MockServerError):
        config.stash[_COUNTS][f"{mock.url} {owner}"] = mock.report_counts().decode()
    if (output := getattr(config, "workeroutput", None)) is not None:
        output[_WORKER_OUTPUT] = config.stash[_COUNTS]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take what a worker of pytest-xdist has counted. Of a server that several workers used, the latest counts."""
    from mock_server.report.building import latest

    output = getattr(node, "workeroutput", {})
    counts = node.config.stash[_COUNTS]
    for name, found in output.get(_WORKER_OUTPUT, {}).items():
        counts[name] = latest(counts[name], found) if name in counts else found


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the report, and fail the session if a condition says so."""
    config = session.config
    if hasattr(config, "workerinput") or not (counts := config.stash[_COUNTS]):
        return
    from mock_server.report.building import merge
    from mock_server.report.fail_on import parse_conditions, reason
    from mock_server.report.output import write

    report = config.stash[_REPORT] = merge(one.encode() for one in counts.values())
    for path in config.option.vehicle_ocr_report:
        write(report, Path(path))
    conditions = parse_conditions(",".join(config.option.vehicle_ocr_fail_on))
    if session.exitstatus == pytest.ExitCode.OK and reason(report, conditions):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Three lines about what was rehearsed, and why the session fails if it does."""
    if (report := config.stash.get(_REPORT, None)) is None:
        return
    from mock_server.report.fail_on import parse_conditions, reason
    from mock_server.report.texts import summary_lines

    terminalreporter.section("vehicle-ocr-mock")
    for line in summary_lines(report):
        terminalreporter.line(line)
    if why := reason(report, parse_conditions(",".join(config.option.vehicle_ocr_fail_on))):
        terminalreporter.line(f"failed: {why}", red=True)


def _journal(mock: "Controls", key: str) -> str:
    try:
        exchanges = mock.requests(key=key, limit=_MAX_EXCHANGES)
        near_misses = {miss.request.id: miss.scenarios for miss in mock.near_misses(key=key)}
    except Exception as error:
        return f"the journal cannot be read: {error}"
    lines = []
    for exchange in exchanges:
        lines.append(str(exchange))
        lines += [_lost(loser) for loser in exchange.losers]
        for near in near_misses.get(exchange.id, ()):
            distance = "" if near.distance is None else f", distance {near.distance:.2f}, limit {near.limit}"
            lines.append(f"    near: {near.scenario} (failed: {', '.join(near.failed)}{distance})")
    return "\n".join(lines) or "no request was made with this test's key"


def _lost(loser: "Loser") -> str:
    return f"    lost: {loser.scenario} (held: {', '.join(loser.held) or 'no condition'}): {loser.why}"
