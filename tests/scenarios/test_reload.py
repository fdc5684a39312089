"""Reloading the fixtures on demand, and how a running server shows that the files have mistakes."""

import logging
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mock_server import MockServer
from tests.support import FIXTURES, PATIENCE, eventually

SCENARIO = "scenario: car\nwhen: {{filename: car.jpg}}\nreading: {{plate: {plate}}}\n"
CAR = (FIXTURES / "images/car.jpg").read_bytes()


@pytest.fixture
def fixtures(tmp_path: Path) -> Path:
    """A directory with one scenario."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios/car.yaml").write_text(SCENARIO.format(plate="AAA111"))
    return tmp_path


@pytest.fixture
def server(fixtures: Path) -> Iterator[MockServer]:
    """A server that does not watch the directory."""
    with MockServer(fixtures, watch=False, cache=False) as mock:
        yield mock


def read(url: str) -> httpx.Response:
    """The reply to a plate request."""
    return httpx.post(
        f"{url}/api/ocr/plate", headers={"X-API-Key": "demo-key"}, files={"image": ("car.jpg", CAR)}, timeout=PATIENCE
    )


def test_reload(server: MockServer, fixtures: Path) -> None:
    """`POST /reload` serves the files as they are now, and returns counts."""
    (fixtures / "scenarios/car.yaml").write_text(SCENARIO.format(plate="BBB222"))
    (fixtures / "scenarios/more.yaml").write_text("scenario: more\nwhen: {filename: more.jpg}\n")
    (fixtures / "mock.yaml").write_text("accounts: [{name: demo, key: demo-key}]\n")

    reply = httpx.post(f"{server.url}/__admin/reload", timeout=PATIENCE)

    assert (reply.status_code, reply.json()) == (200, {"scenarios": 2, "images": 0, "accounts": 1})
    assert read(server.url).json() == {"result": "BBB222"}


def test_reload_of_files_with_the_same_time_and_size(server: MockServer, fixtures: Path) -> None:
    """A reload on demand reads every file: archives and container images restore the times of files."""
    file = fixtures / "scenarios/car.yaml"
    before = file.stat()
    file.write_text(SCENARIO.format(plate="BBB222"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    httpx.post(f"{server.url}/__admin/reload", timeout=PATIENCE)

    assert read(server.url).json() == {"result": "BBB222"}


def test_reload_with_mistakes(server: MockServer, fixtures: Path) -> None:
    """Every mistake is in the response with its place; the last good set is served, and health and replies say so."""
    (fixtures / "scenarios/car.yaml").write_text("scenario: car\npriority: 0\nwhen: {imagee: x}\n")

    reply = httpx.post(f"{server.url}/__admin/reload", timeout=PATIENCE)

    file = str(fixtures / "scenarios/car.yaml")
    assert reply.status_code == 400
    assert reply.json()["errors"] == [
        {"file": file, "line": 2, "column": 11, "detail": '"priority" must be a whole number from 1 to 9, not "0"'},
        {
            "file": file,
            "line": 3,
            "column": 8,
            "detail": 'unknown key "imagee" in "when"',
            "hint": 'did you mean "image"?',
        },
    ]
    for path in ("/healthz", "/__admin/health"):
        health = httpx.get(f"{server.url}{path}", timeout=PATIENCE).json()
        assert health["status"] == "healthy"
        assert health["fixtures"]["ok"] is False
        assert health["fixtures"]["mistakes"][0].startswith(f"{file}:2:11: ")
        assert len(health["fixtures"]["mistakes"]) == 2
    answer = read(server.url)
    assert answer.json() == {"result": "AAA111"}
    assert answer.headers["x-mock-fixtures"] == "broken"

    (fixtures / "scenarios/car.yaml").write_text(SCENARIO.format(plate="CCC333"))
    httpx.post(f"{server.url}/__admin/reload", timeout=PATIENCE)

    assert httpx.get(f"{server.url}/healthz", timeout=PATIENCE).json()["fixtures"] == {"ok": True, "mistakes": []}
    assert "x-mock-fixtures" not in read(server.url).headers


def test_missing_directory(server: MockServer, fixtures: Path, tmp_path: Path) -> None:
    """A directory that was deleted is a mistake without a line."""
    (fixtures / "scenarios/car.yaml").unlink()
    (fixtures / "scenarios").rmdir()
    fixtures.rmdir()

    reply = httpx.post(f"{server.url}/__admin/reload", timeout=PATIENCE)

    assert reply.status_code == 400
    assert reply.json()["errors"][0]["detail"] == "there is no such fixtures directory"
    assert read(server.url).json() == {"result": "AAA111"}


def test_changed_settings_need_a_restart(server: MockServer, fixtures: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A setting in `mock.yaml` that is used at the start only is named in the log."""
    (fixtures / "mock.yaml").write_text("unmatched: nothing_found\nport: 9123\nstrict: true\nseed: 5\n")
    with caplog.at_level(logging.WARNING):
        httpx.post(f"{server.url}/__admin/reload", timeout=PATIENCE).raise_for_status()

    assert [message for message in caplog.messages if "restart" in message] == [
        "mock.yaml: the new value of strict takes effect after a restart"
    ]


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
def test_hangup(fixtures: Path) -> None:
    """SIGHUP reloads the files; mistakes do not stop the server."""
    command = [sys.executable, "-m", "mock_server", "serve", str(fixtures), "--port", "0", "--no-watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout
        url = process.stdout.readline().split()[-1]
        try:
            (fixtures / "scenarios/car.yaml").write_text("scenario: car\nwhat: is this\n")
            process.send_signal(signal.SIGHUP)
            assert eventually(lambda: not httpx.get(f"{url}/healthz", timeout=PATIENCE).json()["fixtures"]["ok"])
            (fixtures / "scenarios/car.yaml").write_text(SCENARIO.format(plate="BBB222"))
            process.send_signal(signal.SIGHUP)
            assert eventually(lambda: read(url).json() == {"result": "BBB222"})
        finally:
            process.terminate()
    assert process.returncode == 0


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
def test_closed_terminal(fixtures: Path) -> None:
    """The server ends when its terminal is closed, as every program does."""
    master, terminal = pty.openpty()
    script = (
        "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'mock_server', *sys.argv[1:]])\n"
    )
    arguments = ["serve", str(fixtures), "--port", "0", "--no-watch"]
    with subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdin=terminal, stdout=subprocess.PIPE, text=True
    ) as process:
        os.close(terminal)
        assert process.stdout
        assert "ready on" in process.stdout.readline()
        os.close(master)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert process.returncode == 0
