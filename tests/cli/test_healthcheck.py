"""The verb `healthcheck`: whether a server answers, for containers."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mock_server.cli import health_probe, healthcheck
from mock_server.server import MockServer
from tests.cli.command import COMMAND, run
from tests.support import PATIENCE, without_coverage


def _port(url: str) -> str:
    return url.rpartition(":")[2]


def test_a_server_that_answers(mock: MockServer) -> None:
    """Exit 0 where a server answers; the port comes from the flag or from the server's own variable."""
    port = _port(mock.url)

    assert run("healthcheck", "--port", port).returncode == 0
    assert run("healthcheck", environment={"VEHICLE_OCR_MOCK_PORT": port}).returncode == 0


def test_a_healthy_server_is_seen_with_few_imports(mock: MockServer) -> None:
    """Containers ask every few seconds, so the libraries of the other verbs are not loaded."""
    command = [sys.executable, "-X", "importtime", *COMMAND[1:], "healthcheck"]
    environ = without_coverage() | {"VEHICLE_OCR_MOCK_PORT": _port(mock.url)}
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=PATIENCE, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}

    assert "mock_server.cli.health_probe" in loaded
    assert not {"click", "dataclasses", "mock_server.settings"} & loaded


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"VEHICLE_OCR_MOCK_PORT": "tcp://10.0.0.1:80"}, ""),
        ({"VEHICLE_OCR_MOCK_FIXTURES": "{}"}, ""),
        ({}, "vehicle-ocr-mock serve {}"),
        ({"VEHICLE_OCR_MOCK_HOST": "127.0.0.1"}, "vehicle-ocr-mock serve {} --no-watch"),
    ],
)
def test_only_the_settings_know_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], words: str
) -> None:
    """No server is asked before mock.yaml is read, or where the variable is not a port."""
    (tmp_path / "mock.yaml").write_text("port: 1\n")
    (tmp_path / "cmdline").write_text("".join(f"{word}\0" for word in words.format(tmp_path).split()))
    (tmp_path / "environ").write_text("A=b\0")
    monkeypatch.setattr(health_probe, "CONTAINER_PROCESS", tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(tmp_path))

    assert health_probe.certain_address() is None


def test_no_server() -> None:
    """Exit 1 with one sentence where no server listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    ended = run("healthcheck", "--port", port, "--timeout", "1")

    assert ended.returncode == 1
    assert "no healthy server" in ended.stderr


def test_something_else_listens() -> None:
    """Exit 1 where a program listens but never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ended = run("healthcheck", "--port", str(silent.getsockname()[1]), "--timeout", "0.2")

    assert ended.returncode == 1


def test_settings_in_mock_yaml(mock: MockServer, tmp_path: Path) -> None:
    """The port is that of `mock.yaml`, if neither an option nor the environment has one."""
    (tmp_path / "mock.yaml").write_text(f"accounts: []\nport: {_port(mock.url)}\n")
    environment = {"VEHICLE_OCR_MOCK_FIXTURES": str(tmp_path)}

    assert run("healthcheck", environment=environment).returncode == 0
    assert run("healthcheck", "--port", "1", environment=environment).returncode == 1


def test_a_host_of_the_environment() -> None:
    """The host is that of the server's own variable."""
    with MockServer(host="127.0.0.2") as server:
        environment = {"VEHICLE_OCR_MOCK_HOST": "127.0.0.2", "VEHICLE_OCR_MOCK_PORT": _port(server.url)}

        assert run("healthcheck", environment=environment).returncode == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_server_on_all_addresses(host: str) -> None:
    """The address for all interfaces is reached by loopback."""
    try:
        server = MockServer(host=host, admin_token="t").start()
    except OSError:
        pytest.skip("no IPv6 here")
    environment = {"VEHICLE_OCR_MOCK_HOST": host, "VEHICLE_OCR_MOCK_PORT": _port(server.url)}
    ended = run("healthcheck", environment=environment)
    server.stop()

    assert ended.returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        "/opt/venv/bin/python /opt/venv/bin/vehicle-ocr-mock serve /x --port {} --no-watch",
        "/opt/venv/bin/python /opt/venv/bin/vehicle-ocr-mock serve --host=127.0.0.1 --port={}",
        "/sbin/docker-init -- sh /usr/local/bin/container serve --port {}",
        "python -m mock_server serve --tls --fetch local --port {}",
    ],
)
def test_options_of_the_server_in_a_container(
    mock: MockServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """In a container the options of process 1 count; the variable of the image does not."""
    command = words.format(_port(mock.url)).split()
    (tmp_path / "cmdline").write_text("".join(f"{word}\0" for word in command))
    (tmp_path / "environ").write_text("PATH=/bin\0VEHICLE_OCR_MOCK_HOST=127.0.0.1\0")
    monkeypatch.setattr(health_probe, "CONTAINER_PROCESS", tmp_path)
    monkeypatch.setenv("VEHICLE_OCR_MOCK_PORT", "1")

    assert health_probe.is_healthy()
    assert CliRunner().invoke(healthcheck.command, []).exit_code == 0
    assert CliRunner().invoke(healthcheck.command, ["--port", "1"]).exit_code == 1


def test_the_environment_of_the_server_in_a_container(
    mock: MockServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables that only process 1 has, count too."""
    (tmp_path / "cmdline").write_text("/opt/venv/bin/vehicle-ocr-mock\0serve\0")
    (tmp_path / "environ").write_text(f"VEHICLE_OCR_MOCK_PORT={_port(mock.url)}\0")
    monkeypatch.setattr(health_probe, "CONTAINER_PROCESS", tmp_path)

    assert health_probe.is_healthy()
    assert CliRunner().invoke(healthcheck.command, []).exit_code == 0


@pytest.mark.parametrize("command", ["/sbin/init\0", "", "/usr/bin/python\0manage.py\0serve\0--port\0001\0"])
def test_another_process_1(mock: MockServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """A process 1 that is not this command is ignored."""
    (tmp_path / "cmdline").write_text(command)
    (tmp_path / "environ").write_text("VEHICLE_OCR_MOCK_PORT=1\0")
    monkeypatch.setattr(health_probe, "CONTAINER_PROCESS", tmp_path)
    monkeypatch.setenv("VEHICLE_OCR_MOCK_PORT", _port(mock.url))

    assert health_probe.is_healthy()
    assert CliRunner().invoke(healthcheck.command, []).exit_code == 0
