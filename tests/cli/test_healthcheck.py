"""The verb `healthcheck`: whether a server answers, for containers."""

import socket

from mock_server.server import MockServer
from tests.cli.command import run


def _port(url: str) -> str:
    return url.rpartition(":")[2]


def test_a_server_that_answers(mock: MockServer) -> None:
    """Exit 0 where a server answers; the port comes from the flag or from the server's own variable."""
    port = _port(mock.url)

    assert run("healthcheck", "--port", port).returncode == 0
    assert run("healthcheck", environment={"VEHICLE_OCR_MOCK_PORT": port}).returncode == 0


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
