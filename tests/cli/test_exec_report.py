"""`exec` and the rehearsal report: files, conditions, the last line, the summary of a job, the log."""

import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.command import run
from tests.support import FIXTURES, drawn

_ASK = """
import os, sys, urllib.request, urllib.error
for path in sys.argv[1:]:
    data = open(path, "rb").read()
    name = os.path.basename(path).encode()
    body = b'--b\\r\\nContent-Disposition: form-data; name="image"; filename="%s"\\r\\n\\r\\n' % name
    request = urllib.request.Request(
        "https://api.vehicore.pro/api/ocr/plate",
        body + data + b"\\r\\n--b--\\r\\n",
        {"X-API-Key": "demo-key", "Content-Type": "multipart/form-data; boundary=b"},
    )
    urllib.request.urlopen(request).read()
"""
CAR = str(FIXTURES / "images" / "car.jpg")


@pytest.fixture(autouse=True)
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the authority in the user's own data directory."""
    monkeypatch.setenv("VEHICLE_OCR_MOCK_CA_DIR", str(tmp_path / "ca"))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


@pytest.fixture
def stranger(tmp_path: Path) -> str:
    """A picture that no scenario describes."""
    path = tmp_path / "stranger.png"
    path.write_bytes(drawn("stranger"))
    return str(path)


def _exec(*flags: str, pictures: tuple[str, ...], environment: dict[str, str] | None = None) -> tuple[int, list[str]]:
    """Run a client of the real host name; the exit code and the lines on stderr."""
    command = (sys.executable, "-c", _ASK, *pictures)
    ended = run("exec", str(FIXTURES), *flags, "--", *command, environment=environment)
    return ended.returncode, ended.stderr.splitlines()


def test_reports_in_every_format(tmp_path: Path) -> None:
    """The suffix decides; the numbers are said on stderr."""
    paths = [tmp_path / f"report{suffix}" for suffix in (".json", ".html", ".md", ".xml")]
    flags = [word for path in paths for word in ("--report", str(path))]
    code, lines = _exec(*flags, pictures=(CAR,))

    assert code == 0
    assert lines[0].startswith("vehicle-ocr-mock: rehearsed 1 of ")
    assert len(lines) == 3
    assert json.loads(paths[0].read_text())["summary"]["requests"] == 1
    assert "<title>Rehearsal report</title>" in paths[1].read_text()
    assert paths[2].read_text().startswith("## Rehearsal report")
    assert ElementTree.parse(paths[3]).getroot().tag == "testsuites"


def test_the_last_line_names_made_up_readings(stranger: str) -> None:
    """Without any option."""
    code, lines = _exec(pictures=(CAR, stranger))

    assert (code, lines) == (
        0,
        ["vehicle-ocr-mock: 1 reading was made up, because no scenario describes the picture: stranger.png"],
    )


@pytest.mark.parametrize(
    ("condition", "code", "reason"),
    [
        ("unmatched", 1, "unmatched: 1 request with a picture that no scenario describes (stranger.png)"),
        ("advice unserved,coverage<0.1", 1, "advice: paid-twice (1)"),
        ("unserved,coverage<0.1", 0, None),
    ],
)
def test_a_condition_decides_about_the_exit_code(condition: str, code: int, reason: str | None, stranger: str) -> None:
    """The reason is one line. The option may be given once for each condition."""
    options = [word for one in condition.split() for word in ("--fail-on", one)]
    got, lines = _exec(*options, pictures=(CAR, CAR, stranger))

    assert got == code
    assert [line for line in lines if "failed" in line] == ([f"vehicle-ocr-mock: failed: {reason}"] if reason else [])
    assert "made up" in lines[-1]


def test_the_command_s_own_exit_code_comes_first(stranger: str) -> None:
    """A condition does not hide how the command ended."""
    ended = run("exec", str(FIXTURES), "--fail-on", "coverage<80", "--", sys.executable, "-c", "raise SystemExit(7)")

    assert ended.returncode == 7


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (("--fail-on", "coverage"), 2, "there is no condition 'coverage'"),
        (("--fail-on", "unmatched,unservd"), 2, "there is no condition 'unservd'; did you mean \"unserved\"?"),
        (("--fail-on", "coverage<101"), 2, "a coverage is at most 100 %"),
        (("--report", "report.pdf"), 2, ".json, .html, .md or .xml"),
        (("--report", "nowhere/at/all.json"), 2, "the directory does not exist"),
        (("--log", "nowhere/at/all.log"), 2, "the directory does not exist"),
        (("--advice-off", "payd-twice"), 1, 'there is no rule payd-twice; did you mean "paid-twice"?'),
    ],
)
def test_a_wrong_option_stops_before_the_command(flags: tuple[str, ...], code: int, message: str) -> None:
    """The command is not run. The code is that of wrong usage; of wrong settings for an option that is a setting."""
    ended = run("exec", str(FIXTURES), *flags, "--", sys.executable, "-c", "print('ran')")

    assert (ended.returncode, ended.stdout) == (code, "")
    assert message in ended.stderr


def test_the_summary_of_a_job_gets_the_report(tmp_path: Path) -> None:
    """GitHub Actions names the file in a variable; what is in it stays."""
    summary = tmp_path / "summary.md"
    summary.write_text("# Mine\n")
    _exec(pictures=(CAR,), environment={"GITHUB_STEP_SUMMARY": str(summary)})

    assert summary.read_text().startswith("# Mine\n## Rehearsal report")


def test_the_log_goes_to_a_file(tmp_path: Path) -> None:
    """One line for each request; nothing of it on stderr."""
    log = tmp_path / "mock.log"
    _, lines = _exec("--log", str(log), "--log-format", "json", pictures=(CAR, CAR))

    assert [json.loads(line)["outcome"] for line in log.read_text().splitlines()] == ["read", "read"]
    assert lines == []


def test_a_server_that_is_not_used_is_named() -> None:
    """The variable leads a suite to a running server, and `exec` starts its own."""
    ended = run(
        *("exec", str(FIXTURES), "--", sys.executable, "-c", ""),
        environment={"VEHICLE_OCR_MOCK_URL": "http://127.0.0.1:9"},
    )

    assert ended.stderr == (
        "vehicle-ocr-mock: VEHICLE_OCR_MOCK_URL=http://127.0.0.1:9 is not used: exec starts a mock\n"
    )
