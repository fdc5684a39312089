"""The report of a pytest session: its numbers, its files, its summary and the conditions on which it fails."""

import json
import re
from pathlib import Path
from typing import Any

# pytester unloads the modules that a test imports, but numpy and the models of fixture files cannot be loaded twice.
import numpy  # noqa: F401
import pytest

import mock_server.admin.admin_app
import mock_server.scenarios.scenario_reader  # noqa: F401
from mock_server import MockServer
from tests.support import FIXTURES, drawn, picture, plugin_to_load

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
_CONFTEST = f"""
import httpx
import pytest

pytest_plugins = {plugin_to_load()}

@pytest.fixture(scope="session")
def vehicle_ocr_mock_settings():
    return {{"fixtures": {str(FIXTURES)!r}}}

def ask(mock, key, image="car.jpg", product="plate", **headers):
    with open(image, "rb") as file:
        headers = {{"X-API-Key": key, **headers}} if key else headers
        url = mock.url + "/api/ocr/" + product
        return httpx.post(url, headers=headers, files={{"image": file}}, timeout=60).status_code
"""
# Twenty tests. By hand: of plates 12 were read (10 + 2), 3 had an unknown key or none, 1 was out of credits, 2 met an
# outage; of VINs 3 were read, 1 was no picture. The last test makes no call.
_SUITE = """
import pytest
from conftest import ask

@pytest.mark.parametrize("number", range(10))
def test_read(number, vehicle_ocr_mock, vehicle_ocr_account):
    assert ask(vehicle_ocr_mock, vehicle_ocr_account.key) == 200

@pytest.mark.parametrize("key", ["nobody", "another", None])
def test_keys(key, vehicle_ocr_mock):
    assert ask(vehicle_ocr_mock, key) == 401

def test_credits(vehicle_ocr_mock, vehicle_ocr_account):
    vehicle_ocr_mock.update_account(vehicle_ocr_account.key, credits={"plate": 1})
    assert [ask(vehicle_ocr_mock, vehicle_ocr_account.key) for _ in range(2)] == [200, 402]

def test_outage(vehicle_ocr_mock, vehicle_ocr_account):
    with vehicle_ocr_mock.override(key=vehicle_ocr_account.key, outcome="service_error", times=2):
        assert [ask(vehicle_ocr_mock, vehicle_ocr_account.key) for _ in range(3)] == [500, 500, 200]

@pytest.mark.parametrize("number", range(3))
def test_vins(number, vehicle_ocr_mock, vehicle_ocr_account):
    assert ask(vehicle_ocr_mock, vehicle_ocr_account.key, "vin.jpg", "vin") == 200

def test_a_broken_picture(vehicle_ocr_mock, vehicle_ocr_account):
    assert ask(vehicle_ocr_mock, vehicle_ocr_account.key, __file__, "vin") == 400

def test_no_call(vehicle_ocr_mock):
    assert vehicle_ocr_mock.url
"""
_BY_HAND = {
    ("plate", "read"): (12, 12),
    ("plate", "unknown_key"): (3, 2),
    ("plate", "out_of_credits"): (1, 1),
    ("plate", "service_error"): (2, 1),
    ("vin", "read"): (3, 3),
    ("vin", "invalid_image"): (1, 1),
}


@pytest.fixture(autouse=True)
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory of the suite inside."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("VEHICLE_OCR_MOCK_URL", raising=False)
    pytester.makeconftest(_CONFTEST)
    pytester.makeini("[pytest]\naddopts = -p no:cacheprovider\n")
    for name in ("car", "vin"):
        (pytester.path / f"{name}.jpg").write_bytes(picture(name))
    (pytester.path / "stranger.png").write_bytes(drawn("stranger"))


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-p", "no:schemathesis", *arguments)


def report_of(pytester: pytest.Pytester) -> Any:
    """The report that the suite wrote."""
    return json.loads((pytester.path / "report.json").read_text())


def counted(report: Any) -> dict[tuple[str, str], tuple[int, int]]:
    """The replies that were seen: how often, and by how many keys."""
    return {
        (coverage["product"], row["outcome"]): (row["count"], row["keys"])
        for coverage in report["coverage"]
        for row in coverage["outcomes"]
        if row["count"]
    }


@pytest.mark.parametrize("workers", [(), ("-n", "4")], ids=["alone", "parallel"])
def test_numbers_are_those_of_a_count_by_hand(workers: tuple[str, ...], pytester: pytest.Pytester) -> None:
    """Of twenty tests, in one process and merged from four workers with a server each."""
    pytester.makepyfile(_SUITE)
    result = run(pytester, "--vehicle-ocr-report", "report.json", *workers)
    result.assert_outcomes(passed=20)
    report = report_of(pytester)

    assert counted(report) == _BY_HAND
    assert (report["summary"]["requests"], report["summary"]["rehearsed"]) == (22, 6)


def test_workers_share_a_server(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one server has counted for four workers is counted once."""
    pytester.makepyfile(_SUITE)
    with MockServer(FIXTURES) as server:
        monkeypatch.setenv("VEHICLE_OCR_MOCK_URL", server.url)
        run(pytester, "--vehicle-ocr-report", "report.json", "-n", "4", "-W", "ignore").assert_outcomes(passed=20)

    assert counted(report_of(pytester)) == _BY_HAND


def test_tests_are_named(pytester: pytest.Pytester) -> None:
    """The report says which tests rehearse a reply."""
    pytester.makepyfile(_SUITE)
    run(pytester, "--vehicle-ocr-report", "report.json", "-k", "credits")
    (row,) = [
        row
        for coverage in report_of(pytester)["coverage"]
        for row in coverage["outcomes"]
        if row["outcome"] == "out_of_credits" and row["count"]
    ]

    assert row["accounts"] == ["test_tests_are_named.py::test_credits"]


def test_the_summary_names_made_up_readings(pytester: pytest.Pytester) -> None:
    """Three lines at the end of the session."""
    pytester.makepyfile(
        """
        from conftest import ask

        def test_it(vehicle_ocr_mock, vehicle_ocr_account):
            assert ask(vehicle_ocr_mock, vehicle_ocr_account.key, "stranger.png") == 200
        """
    )
    result = run(pytester)

    result.stdout.fnmatch_lines(
        [
            "*= vehicle-ocr-mock =*",
            "rehearsed 1 of * replies (* %), 0 of 5 faults; 1 request, 1 key",
            "no advice on the client",
            "1 reading was made up, because no scenario describes the picture: stranger.png",
        ]
    )


def test_a_suite_without_the_mock_has_no_summary(pytester: pytest.Pytester) -> None:
    """Other suites of the environment see nothing of the plugin."""
    pytester.makepyfile("def test_it(): pass")

    # The header of pytest names every plugin that is installed.
    lines = [line for line in run(pytester).outlines if not line.startswith("plugins:")]

    assert "vehicle-ocr-mock" not in "\n".join(lines)


@pytest.mark.parametrize(
    ("conditions", "exit_code", "reason"),
    [
        (
            "unmatched unserved",
            1,
            "failed: unmatched: 1 request with a picture that no scenario describes (stranger.png)",
        ),
        ("coverage<80", 1, r"failed: coverage<80: \S+ % of the replies were rehearsed, less than 80 %"),
        ("unserved,advice,coverage<1", 0, None),
    ],
)
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "parallel"])
def test_a_session_fails_on_a_condition(
    workers: tuple[str, ...], conditions: str, exit_code: int, reason: str | None, pytester: pytest.Pytester
) -> None:
    """All tests pass, and the exit code is 1. The option may be given once for each condition."""
    pytester.makepyfile(
        """
        from conftest import ask

        def test_it(vehicle_ocr_mock, vehicle_ocr_account):
            assert ask(vehicle_ocr_mock, vehicle_ocr_account.key, "stranger.png") == 200
        """
    )
    options = [word for one in conditions.split() for word in ("--vehicle-ocr-fail-on", one)]
    result = run(pytester, *options, *workers)

    result.assert_outcomes(passed=1)
    assert result.ret == exit_code
    found = [line for line in result.stdout.str().splitlines() if line.startswith("failed: ")]
    assert bool(found) == (reason is not None)
    if reason:
        assert re.fullmatch(reason.replace("(", r"\(").replace(")", r"\)"), found[0])


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--vehicle-ocr-fail-on", "unmatchd", "did you mean"),
        ("--vehicle-ocr-report", "report.pdf", ".json, .html, .md or .xml"),
        ("--vehicle-ocr-report", "nowhere/report.json", "the directory does not exist"),
    ],
)
def test_wrong_options_end_the_session_at_once(
    option: str, value: str, message: str, pytester: pytest.Pytester
) -> None:
    """No test runs."""
    pytester.makepyfile("def test_it(): raise SystemExit('it ran')")
    result = run(pytester, option, value)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()
