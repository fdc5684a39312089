"""The pytest plugin, in suites of its own: alone, overridden, failing, and on four workers."""

import os
import subprocess
import sys
from pathlib import Path

# pytester unloads the modules that a test imports, but numpy and the models of fixture files cannot be loaded twice.
import numpy  # noqa: F401
import pytest

import mock_server.admin.admin_app
import mock_server.scenarios.scenario_reader  # noqa: F401
from mock_server import MockServer
from tests.support import FIXTURES, plugin_to_load

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent
IMAGE = FIXTURES / "images" / "car.jpg"

_ASK = f"""
import httpx

def ask(mock, account):
    with open({str(IMAGE)!r}, "rb") as image:
        headers, files = {{"X-API-Key": account.key}}, {{"image": image}}
        return httpx.post(mock.url + "/api/ocr/plate", headers=headers, files=files, timeout=60)
"""


@pytest.fixture(autouse=True)
def _plugin_on_the_path(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    # Where the package is not installed, the suites inside load the plugin by name.
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("VEHICLE_OCR_MOCK_URL", raising=False)
    pytester.makeconftest(f"pytest_plugins = {plugin_to_load()}\n{_ASK}")
    pytester.makeini("[pytest]\naddopts = -p no:cacheprovider\n")


def _run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-p", "no:schemathesis", *arguments)


def test_each_test_has_its_own_account(pytester: pytest.Pytester) -> None:
    """Two tests on one server do not see each other's requests, and the account of one is gone in the next."""
    pytester.makepyfile(
        """
        from conftest import ask
        import pytest

        seen = []

        @pytest.mark.parametrize("round", [1, 2, 3])
        def test_alone(round, vehicle_ocr_mock, vehicle_ocr_account):
            ask(vehicle_ocr_mock, vehicle_ocr_account)
            vehicle_ocr_mock.verify(key=vehicle_ocr_account.key, outcome="read", times=1)
            assert not [account for account in vehicle_ocr_mock.accounts() if account.key in seen]
            seen.append(vehicle_ocr_account.key)
        """
    )

    _run(pytester).assert_outcomes(passed=3)


def test_settings_can_be_overridden(pytester: pytest.Pytester) -> None:
    """A suite's own `vehicle_ocr_mock_settings` chooses fixtures and flags."""
    pytester.makepyfile(
        f"""
        from conftest import ask
        import pytest

        @pytest.fixture(scope="session")
        def vehicle_ocr_mock_settings():
            return {{"fixtures": {str(FIXTURES)!r}, "mock_headers": False}}

        def test_settings(vehicle_ocr_mock, vehicle_ocr_account):
            reply = ask(vehicle_ocr_mock, vehicle_ocr_account)

            assert reply.json() == {{"result": "9DJC652"}}
            assert "x-mock-scenario" not in reply.headers
        """
    )

    _run(pytester).assert_outcomes(passed=1)


def test_real_names_lead_to_the_mock(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """`vehicle_ocr_redirect` leads the providers' own host names to the server, for one test, without any setting."""
    monkeypatch.setenv("VEHICLE_OCR_MOCK_CA_DIR", str(pytester.path / "ca"))
    pytester.makepyfile(
        """
        import requests

        def test_plain(vehicle_ocr_mock):
            assert vehicle_ocr_mock.tls_url

        def test_real_name(vehicle_ocr_redirect, vehicle_ocr_account):
            reply = requests.post(
                f"https://api.carsxe.com/platerecognition?key={vehicle_ocr_account.key}",
                json={"image_url": "https://api.carsxe.com/images/california-sedan.jpg"},
            )

            assert reply.json()["results"][0]["plate"] == "9djc652"
        """
    )

    _run(pytester).assert_outcomes(passed=2)


def test_no_https_without_a_test_that_needs_it(pytester: pytest.Pytester) -> None:
    """A session whose tests do not use `vehicle_ocr_redirect` makes no certificates."""
    pytester.makepyfile("def test_plain(vehicle_ocr_mock): assert vehicle_ocr_mock.tls_url is None")

    _run(pytester).assert_outcomes(passed=1)


def test_a_failing_test_shows_why_a_scenario_lost(pytester: pytest.Pytester) -> None:
    """The report has the scenarios that held as well, and why each of them lost."""
    pytester.makepyfile(
        """
        from conftest import ask

        def test_fails(vehicle_ocr_mock, vehicle_ocr_account):
            for name, priority in (("mine", 5), ("theirs", 4)):
                when = {"key": vehicle_ocr_account.key}
                vehicle_ocr_mock.add_scenario(
                    {"scenario": name, "when": when, "reading": {"plate": name}, "priority": priority}
                )
            reply = ask(vehicle_ocr_mock, vehicle_ocr_account)
            assert reply.json() == {"result": "mine"}
        """
    )
    result = _run(pytester)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- vehicle-ocr-mock journal -*",
            "*POST /api/ocr/plate*200 read*",
            "*lost: mine (held: key): its priority is lower",
        ]
    )


def test_a_failing_test_shows_its_journal(pytester: pytest.Pytester) -> None:
    """The report of a failed test lists the requests with the test's key, and near misses."""
    pytester.makepyfile(
        """
        from conftest import ask

        def test_fails(vehicle_ocr_mock, vehicle_ocr_account):
            vehicle_ocr_mock.update_account(vehicle_ocr_account.key, credits={"plate": 1})
            ask(vehicle_ocr_mock, vehicle_ocr_account)
            ask(vehicle_ocr_mock, vehicle_ocr_account)
            vehicle_ocr_mock.verify(key=vehicle_ocr_account.key, outcome="read", times=2)

        def test_fails_at_once(vehicle_ocr_account):
            assert False

        def test_passes(vehicle_ocr_mock, vehicle_ocr_account):
            ask(vehicle_ocr_mock, vehicle_ocr_account)
        """
    )
    result = _run(pytester)

    result.assert_outcomes(failed=2, passed=1)
    result.stdout.fnmatch_lines(
        [
            "*expected 2 requests with key …*, outcome read; found 1*",
            "*1 request with key …*, outcome out_of_credits; expected outcome read*",
            "*- vehicle-ocr-mock journal -*",
            "*POST /api/ocr/plate*200 read*charged 1*",
            "*POST /api/ocr/plate*402 out_of_credits*charged 0*",
            "*- vehicle-ocr-mock journal -*",
            "no request was made with this test's key",
        ]
    )
    assert result.stdout.str().count("vehicle-ocr-mock journal") == 2


_PARALLEL = f"""
from conftest import ask
import pytest

@pytest.fixture(scope="session")
def vehicle_ocr_mock_settings():
    return {{"fixtures": {str(FIXTURES)!r}}}
"""
_PARALLEL += """
@pytest.mark.parametrize("round", range(16))
def test_counts(round, vehicle_ocr_mock, vehicle_ocr_account):
    key = vehicle_ocr_account.key
    vehicle_ocr_mock.update_account(key, credits={"plate": 2})
    vehicle_ocr_mock.add_scenario(
        {"scenario": f"mine-{round}", "when": {"key": key}, "reading": {"plate": f"MINE{round}"}}
    )
    replies = [ask(vehicle_ocr_mock, vehicle_ocr_account) for _ in range(3)]

    assert [reply.status_code for reply in replies] == [200, 200, 402]
    assert replies[0].json() == {"result": f"MINE{round}"}
    vehicle_ocr_mock.verify(key=key, times=3)
    vehicle_ocr_mock.verify(key=key, outcome="read", times=2)
    with open("servers", "a") as servers:
        servers.write(vehicle_ocr_mock.url + "\\n")
"""


def test_each_worker_has_its_own_server(pytester: pytest.Pytester) -> None:
    """Under pytest-xdist each worker has a session and a server of its own."""
    pytester.makepyfile(_PARALLEL)
    _run(pytester, "-n", "2").assert_outcomes(passed=16)

    assert len(set((pytester.path / "servers").read_text().split())) == 2


def test_four_workers_share_a_server(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four workers share one server by its URL, and none sees the counts of another."""
    pytester.makepyfile(_PARALLEL)
    with MockServer(FIXTURES, admin_token="shared-by-four") as mock:
        monkeypatch.setenv("VEHICLE_OCR_MOCK_URL", mock.url)
        monkeypatch.setenv("VEHICLE_OCR_MOCK_ADMIN_TOKEN", "shared-by-four")
        before = len(mock.accounts())
        _run(pytester, "-n", "4").assert_outcomes(passed=16)

        assert set((pytester.path / "servers").read_text().split()) == {mock.url}
        assert len(mock.accounts()) == before
        assert not [one for one in mock.scenarios() if one["runtime"]]


def test_the_settings_may_name_a_server(pytester: pytest.Pytester) -> None:
    """`url` in the settings names a running server."""
    pytester.makepyfile(
        """
        import os, pytest

        @pytest.fixture(scope="session")
        def vehicle_ocr_mock_settings():
            return {"url": os.environ["ELSEWHERE"]}

        def test_there(vehicle_ocr_mock, vehicle_ocr_account):
            assert vehicle_ocr_mock.url == os.environ["ELSEWHERE"]
            assert vehicle_ocr_mock.account(vehicle_ocr_account.key).status == "active"
        """
    )
    with MockServer(FIXTURES) as mock, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ELSEWHERE", mock.url)

        _run(pytester).assert_outcomes(passed=1)


def test_settings_that_do_not_apply_are_named(pytester: pytest.Pytester) -> None:
    """Where a running server is used, a warning names the suite's settings that it does not have."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="session")
        def vehicle_ocr_mock_settings():
            return {"fixtures": "here", "strict": True, "token": "t"}

        def test_there(vehicle_ocr_mock):
            pass
        """
    )
    with MockServer(FIXTURES) as mock, pytest.MonkeyPatch.context() as patch:
        patch.setenv("VEHICLE_OCR_MOCK_URL", mock.url)
        result = _run(pytester)
        expected = f"*vehicle_ocr_mock_settings do not apply to the running server at {mock.url}: fixtures, strict"

        result.assert_outcomes(passed=1, warnings=1)
        result.stdout.fnmatch_lines([expected])


def test_the_mock_is_reached_without_a_proxy(pytester: pytest.Pytester) -> None:
    """With a proxy in the environment, clients in the test still reach the mock; afterwards nothing is changed."""
    pytester.makeconftest(
        """
        import os

        def pytest_unconfigure():
            print("NO_PROXY at the end:", os.environ.get("NO_PROXY"))
        """
    )
    pytester.makepyfile(
        """
        import requests

        def test_there(vehicle_ocr_mock):
            assert requests.get(vehicle_ocr_mock.url + "/healthz").status_code == 200
        """
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        patch.setenv("NO_PROXY", "intranet.test")
        result = _run(pytester, "-s")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*NO_PROXY at the end: intranet.test"])


def test_the_plugin_costs_nothing_where_it_is_not_used() -> None:
    """Importing the plugin loads neither the server nor any large library."""
    heavy = ("numpy", "PIL", "uvicorn", "starlette", "pydantic", "httpx", "mock_server.server", "mock_server.app")
    code = (
        "import sys, pytest; before = set(sys.modules); import mock_server.pytest_plugin; "
        f"print([name for name in {heavy!r} if name in set(sys.modules) - before])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    printed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)

    assert printed.stdout.strip() == "[]"
