"""HTTPS connections: those in mid-handshake when the server ends, and a Python whose TLS has other insides."""

import gc
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from mock_server.http.tls_protocol import check_members
from mock_server.server import MockServer
from tests.support import FIXTURES

HALF_A_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"


@pytest.fixture(params=["uvloop", "asyncio"], autouse=True)
def event_loop_of_the_server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Both event loops that a server may have; a certificate authority of its own."""
    monkeypatch.setenv("VEHICLE_OCR_MOCK_CA_DIR", str(tmp_path))
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    else:
        monkeypatch.setitem(sys.modules, "uvloop", None)


@pytest.fixture
def other_insides(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python whose `asyncio.sslproto` has nothing of what it has today."""
    monkeypatch.delitem(sys.modules, "mock_server.http.tls_protocol")
    monkeypatch.setitem(sys.modules, "asyncio.sslproto", ModuleType("asyncio.sslproto"))
    monkeypatch.setattr("asyncio.sslproto", ModuleType("asyncio.sslproto"))


@contextmanager
def half_connected(server: MockServer) -> Iterator[socket.socket]:
    """A client that has sent half of its first TLS message, which the server has read."""
    address = httpx.URL(server.tls_url or "")
    with socket.create_connection((address.host, address.port), timeout=30) as client:
        client.sendall(HALF_A_HELLO)
        # This connection comes later, so the first one was accepted.
        assert healthy(server)
        yield client


def healthy(server: MockServer) -> bool:
    """Whether the server answers over HTTPS."""
    trusted = ssl.create_default_context(cafile=server.certificate_path)
    reply = httpx.get(f"{server.tls_url}/healthz", verify=trusted, timeout=30)
    return reply.status_code == 200


def is_closed(client: socket.socket) -> bool:
    """Whether the server has closed the connection."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_handshake_ends_with_the_server() -> None:
    """The connection is closed, and no open transport is left, which Python would warn of."""
    with MockServer(FIXTURES, tls=True) as server, half_connected(server) as client:
        server.stop()

        assert is_closed(client)
    gc.collect()


@pytest.mark.usefixtures("other_insides")
def test_a_python_with_other_insides(caplog: pytest.LogCaptureFixture) -> None:
    """HTTPS works, with the event loop's TLS. A line says what does not."""
    with MockServer(FIXTURES, tls=True) as server, half_connected(server) as client:
        assert healthy(server)
        assert "clients that close their sending half get no reply" in caplog.text

        server.stop()

        assert is_closed(client)
    gc.collect()


def test_each_member_that_is_used_is_checked() -> None:
    """A member that is gone is found at the start, and not with the first client."""

    class Bare:
        def __init__(self) -> None:
            self._state = None

    with pytest.raises(ImportError, match=r"Bare has no _app_protocol, .*, _start_shutdown, eof_received$"):
        check_members(Bare)
