"""A client that sends its request and closes its sending half gets the reply, and then the end of the connection."""

import json
import socket
from typing import TYPE_CHECKING

import pytest

from mock_server.server import MockServer
from tests.support import PATIENCE, drawn, new_key

if TYPE_CHECKING:
    from tests.http.conftest import MakeRequest, Served

pytestmark = pytest.mark.usefixtures("quiet_log")


ENDS = {"TLS and TCP": {}, "TLS": {"fin": False}, "TCP": {"close_notify": False}}
"""How a client says that it sends nothing more. Without TLS, each is that of TCP."""


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("headers", [[], ["Connection: keep-alive"], ["Connection: close"], ["Expect: 100-continue"]])
@pytest.mark.parametrize("path", ["/", "/late/0.05", "/dribble/3/0.05", "/late/60", "/dribble/3/60"])
def test_the_reply_comes_whole(
    shared_server: "Served", ask: "MakeRequest", path: str, headers: list[str], version: str
) -> None:
    """Nothing more can be received from this client, so its connection closes. A delay ends early."""
    with shared_server.connect() as client:
        client.send(ask(path, *headers, version=version))
        client.end_sending()

        assert client.rest().endswith(b"\r\n\r\n5 bytes")


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("path", ["/", "/late/0.05", "/late/60"])
def test_tls_and_tcp_can_end(shared_server: "Served", ask: "MakeRequest", path: str, end: str) -> None:
    """One of them is enough, and the server ends both."""
    with shared_server.connect() as client:
        client.send(ask(path))
        client.end_sending(**ENDS[end])

        assert client.rest().endswith(b"\r\n\r\n5 bytes")


@pytest.mark.parametrize("end", ENDS)
def test_a_large_body_is_read_to_its_end(shared_server: "Served", ask: "MakeRequest", end: str) -> None:
    """The server reads it in several steps, and the end may come before the last one."""
    with shared_server.connect() as client:
        client.send(ask("/", body=bytes(900_000)))
        client.end_sending(**ENDS[end])

        assert client.rest().endswith(b"\r\n\r\n900000 bytes")


def test_pipelined_requests_are_all_answered(shared_server: "Served", ask: "MakeRequest") -> None:
    """Each request that came whole has its reply, in order."""
    with shared_server.connect() as client:
        client.send(ask("/late/0.05", body=b"1"), ask("/", body=b"22"), ask("/", body=b"333"))
        client.end_sending()

        assert [client.reply() for _ in range(3)] == [b"1 bytes", b"2 bytes", b"3 bytes"]
        assert client.rest() == b""


@pytest.mark.parametrize("cut", [1, 4, 40])
def test_half_a_request_has_no_reply(own_server: "Served", ask: "MakeRequest", cut: int) -> None:
    """Without its end, a request cannot be answered: the connection closes."""
    with own_server.connect() as client:
        client.send(ask("/")[:-cut])
        client.end_sending()

        assert client.rest() == b""


def test_a_connection_between_requests_closes(shared_server: "Served", ask: "MakeRequest") -> None:
    """With no request in flight, there is nothing to wait for."""
    with shared_server.connect() as client:
        client.send(ask("/"))
        assert client.reply() == b"5 bytes"
        client.end_sending()

        assert client.rest() == b""


@pytest.mark.parametrize("headers", ["", "Expect: 100-continue\r\n"])
def test_a_picture_is_charged_once_and_answered(mock: MockServer, headers: str) -> None:
    """One journal entry, one unit, one reply, for a picture that has to be decoded first."""
    key = new_key(mock, credits=5)
    body = (
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n' + drawn(key) + b"\r\n--b--\r\n"
    )
    head = (
        f"POST /api/ocr/plate HTTP/1.1\r\nHost: mock\r\nX-API-Key: {key}\r\n{headers}"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", int(mock.url.rpartition(":")[2])), timeout=PATIENCE) as client:
        client.sendall(head.encode() + body)
        client.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: client.recv(65536), b""))

    (entry,) = mock.requests(key=key)
    assert json.loads(received.rpartition(b"\r\n\r\n")[2])["result"] == entry.text
    assert (entry.status, entry.charged) == (200, 1)
    assert mock.account(key).credits["plate"] == 4


@pytest.mark.parametrize(
    "path", ["/healthz", "/__admin/health", "/__admin/requests", "/images/car.jpg", "/nothing", "/__admin/openapi.json"]
)
def test_every_path_answers(mock: MockServer, path: str) -> None:
    """The admin API, the gallery and paths that nobody serves, too."""
    with socket.create_connection(("127.0.0.1", int(mock.url.rpartition(":")[2])), timeout=PATIENCE) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        client.shutdown(socket.SHUT_WR)
        head, _, body = b"".join(iter(lambda: client.recv(65536), b"")).partition(b"\r\n\r\n")

    assert int(head.lower().partition(b"content-length: ")[2].split()[0]) == len(body) > 0
