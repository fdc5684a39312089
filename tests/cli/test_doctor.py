"""The verb `doctor`: one line for each check, what to do about it, and exit code 1 if a check has failed."""

from pathlib import Path

import pytest

from mock_server.certificate_authority import CA_DIRECTORY_VARIABLE, CertificateAuthority
from mock_server.cli.doctor import Finding, Level, findings
from mock_server.server import MockServer
from tests.cli.command import run
from tests.redis_server import RedisServer
from tests.support import FIXTURES

CHECKS = ["versions", "packages", "command", "settings", "fixtures", "reload", "port", "TLS port", "state", "HEIC"]
CHECKS += ["CA", "temporary files", "proxy"]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test looks at the authority in the user's own data directory."""
    monkeypatch.setenv(CA_DIRECTORY_VARIABLE, str(tmp_path / "ca"))
    return tmp_path


def finding(check: str, environ: dict[str, str] | None = None, **flags: object) -> Finding:
    """One of the results, for a server on a small directory."""
    flags = {"fixtures": FIXTURES, "port": 0, **flags}
    return next(one for one in findings(flags, environ or {}) if one.check == check)


def test_a_line_for_each_check() -> None:
    """On a machine that is in order: every check once, exit code 0."""
    result = run("doctor", str(FIXTURES), "--port", "0")
    lines = [line for line in result.stdout.splitlines() if not line.startswith(" ")]

    assert [line[6:].partition(":")[0] for line in lines] == CHECKS
    assert {line[:6].strip() for line in lines} <= {"ok", "note"}
    assert (result.returncode, result.stderr) == (0, "")


def test_a_failed_check_is_exit_code_1() -> None:
    """The port of a running mock is taken: the line says by what, the next one what to do."""
    with MockServer(FIXTURES) as mock:
        result = run("doctor", str(FIXTURES), "--port", mock.url.rpartition(":")[2])
    (line, advice) = result.stdout.partition("FAIL  ")[2].splitlines()[:2]

    assert line.startswith("port: cannot listen on 127.0.0.1:")
    assert "vehicle-ocr-mock 0" in line
    assert advice.strip() == "stop that program, or take a free port: --port 0"
    assert result.stdout.endswith("1 check has failed\n")
    assert result.returncode == 1


def test_an_unknown_variable() -> None:
    """It is named with the one that was meant, and the other checks go on."""
    found = finding("settings", {"VEHICLE_OCR_MOCK_PROT": "1"})

    assert found.level is Level.FAILED
    assert 'did you mean "VEHICLE_OCR_MOCK_PORT"?' in found.text
    assert finding("port", {"VEHICLE_OCR_MOCK_PROT": "1"}).level is Level.OK


def test_settings_in_the_environment_are_checked() -> None:
    """The checks are those of the server that would start."""
    found = finding("state", {"VEHICLE_OCR_MOCK_STATE": "redis://name:secret@127.0.0.1:1/0"})

    assert found.level is Level.FAILED
    assert found.text.startswith("redis://***@127.0.0.1:1/0: the shared store does not answer")
    assert "secret" not in found.text


def test_a_reachable_state(redis_server: RedisServer) -> None:
    """A real Redis answers."""
    assert finding("state", state=redis_server.url("doctor")).level is Level.OK


def test_bad_fixtures(tmp_path: Path) -> None:
    """The first mistake is shown, with the command that shows all."""
    (tmp_path / "mock.yaml").write_text("acounts: []\n")
    found = finding("fixtures", fixtures=tmp_path)

    assert found.level is Level.FAILED
    assert 'did you mean "accounts"?' in found.text
    assert found.advice == f"see all with `vehicle-ocr-mock validate {tmp_path}`"


def test_no_fixtures(tmp_path: Path) -> None:
    """A directory that does not exist."""
    assert finding("fixtures", fixtures=tmp_path / "nowhere").level is Level.FAILED


def test_nothing_is_left_in_the_fixtures(tmp_path: Path) -> None:
    """The check of reloading removes its file."""
    (tmp_path / "mock.yaml").write_text("accounts: []\n")

    assert finding("reload", fixtures=tmp_path).level is Level.OK
    assert [path.name for path in tmp_path.iterdir()] == ["mock.yaml"]
    assert finding("reload", fixtures=tmp_path, watch=False).level is Level.NOTE


def test_the_authority(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not made by the check; a note while nothing trusts it; then the variable that does."""
    assert finding("CA").text.startswith("not made yet")
    assert not (place / "ca").exists()

    authority = CertificateAuthority.open(place / "ca")
    assert finding("CA").level is Level.NOTE

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate_path))
    assert finding("CA").text.endswith("is trusted by REQUESTS_CA_BUNDLE")

    monkeypatch.setenv(CA_DIRECTORY_VARIABLE, "/dev/null/ca")
    assert (finding("CA").level, finding("CA", tls=True).level) == (Level.NOTE, Level.FAILED)
    assert finding("CA").text == "it cannot be stored in /dev/null/ca"

    monkeypatch.setenv(CA_DIRECTORY_VARIABLE, str(place / "ca"))
    authority.certificate_path.write_text("damaged")
    assert finding("CA").level is Level.FAILED


@pytest.mark.parametrize(
    ("environ", "level"),
    [
        ({}, Level.OK),
        ({"http_proxy": "http://proxy.example"}, Level.NOTE),
        ({"HTTP_PROXY": "http://proxy.example", "no_proxy": "localhost, 127.0.0.1"}, Level.OK),
        ({"ALL_PROXY": "socks5://proxy.example", "NO_PROXY": "*"}, Level.OK),
    ],
)
def test_a_proxy(environ: dict[str, str], level: Level) -> None:
    """A proxy that would get the calls to this machine."""
    assert finding("proxy", environ).level is level
