"""Limits of the request's head, and bytes that are not HTTP, on a raw connection."""

import json
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from mock_server.http.uvicorn_protocol import MAX_HEAD, MAX_URL
from tests.http.conftest import RESET
from tests.support import PATIENCE

if TYPE_CHECKING:
    from tests.http.conftest import MakeRequest, RawClient, Served


def _padding(size: int, *, lines: int = 1) -> list[str]:
    return [f"X-{number}: {'a' * (size // lines)}" for number in range(lines)]


@pytest.fixture(autouse=True)
def linger(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets how long a rejected client may continue to send. Tests wait for the end of rejected connections."""

    def set_linger(seconds: float) -> None:
        monkeypatch.setattr("mock_server.http.uvicorn_protocol.REJECTED_SECONDS", seconds)

    set_linger(0.2)
    return set_linger


def _error(client: "RawClient") -> tuple[int, str]:
    """Status and detail of the reply, which says that the connection closes, and then it does."""
    head, _, body = client.rest().partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")

    assert b"connection: close" in lines
    assert b"content-length: %d" % len(body) in lines
    document = json.loads(body)
    assert lines[0].split()[1] == b"%d" % document["status"]
    return document["status"], document["detail"]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/" + "a" * MAX_URL, [], 414),
        ("/?" + "a" * 1_000_000, [], 414),
        ("/", _padding(MAX_HEAD), 431),
        ("/", _padding(MAX_HEAD, lines=1000), 431),
        ("/", _padding(3_000_000), 431),
        ("/", _padding(3_000_000, lines=300), 431),
    ],
)
def test_a_head_over_the_limit_is_refused(
    own_server: "Served",
    ask: "MakeRequest",
    linger: Callable[[float], None],
    path: str,
    headers: list[str],
    status: int,
) -> None:
    """414 for the URL, 431 for the headers; the client can read it although it is still sending; then the end."""
    linger(PATIENCE)
    with own_server.connect() as client:
        client.send(ask("/"))
        assert client.reply() == b"5 bytes"
        client.send(ask(path, *headers))
        client.end_sending()

        assert _error(client)[0] == status
    assert own_server.app.finished.acquire(timeout=PATIENCE)
    assert not own_server.app.finished.acquire(blocking=False)


def test_a_head_within_the_limit_is_served(plain_server: "Served", ask: "MakeRequest") -> None:
    """Long URLs and many headers below the limits, also behind a large body in the same packet."""
    with plain_server.connect() as client:
        for request in (
            ask("/?" + "a" * (MAX_URL - 10)),
            ask("/", *_padding(MAX_HEAD - 2000)),
            ask("/", *_padding(MAX_HEAD - 20_000, lines=1000)),
        ):
            client.send(request)
            assert client.reply() == b"5 bytes"
        client.send(ask("/", body=b"x" * 200_000) + ask("/", *_padding(30_000))[:1000])
        assert client.reply() == b"200000 bytes"


def test_an_endless_head_does_not_grow(own_server: "Served", linger: Callable[[float], None]) -> None:
    """A header without an end is refused long before it has arrived."""
    linger(0)
    with own_server.connect() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: mock\r\nX-Long: ")
        sent = _send_until_reset(client, (b"a" * 65536 for _ in range(1000)))

        assert sent < 64 * 1024 * 1024


def _send_until_reset(client: "RawClient", pieces: Iterable[bytes]) -> int:
    sent = 0
    try:
        for piece in pieces:
            client.send(piece)
            sent += len(piece)
    except OSError:
        return sent
    return sent


@pytest.mark.parametrize("behind", [b"garbage\r\n\r\n", b"\r\n--6d2f--\r\n", b"\xff\xfe\x00"])
def test_a_complete_request_gets_its_reply_whatever_follows(
    own_server: "Served", ask: "MakeRequest", behind: bytes
) -> None:
    """A body longer than its Content-Length: the request is answered as it was declared, then the connection ends."""
    with own_server.connect() as client:
        client.send(ask("/late/0.1", body=b"hello") + behind)

        assert client.reply() == b"5 bytes"
        assert client.rest() == b""


@pytest.mark.parametrize(
    "rest", [b"GET / HT", b"\0\0\0", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf"]
)
@pytest.mark.parametrize("is_closed", [True, False])
def test_whole_requests_are_answered_whatever_follows(
    own_server: "Served", ask: "MakeRequest", rest: bytes, is_closed: bool
) -> None:
    """Half a request, or bytes that are not HTTP, take no reply from the requests before them."""
    with own_server.connect() as client:
        client.send(ask("/late/0.05", body=b"1"), ask("/", body=b"22"), rest)
        if is_closed:
            client.socket.shutdown(socket.SHUT_WR)

        assert [client.reply() for _ in range(2)] == [b"1 bytes", b"2 bytes"]
        if is_closed:
            assert client.rest() == b""


@pytest.mark.parametrize(
    "broken",
    [b"zz\r\n", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
    ids=["head", "chunk"],
)
def test_an_error_never_overtakes_a_reply(own_server: "Served", ask: "MakeRequest", broken: bytes) -> None:
    """The client would take it for the reply to the request before."""
    with own_server.connect() as client:
        client.send(ask("/late/0.1", body=b"1") + broken)

        assert client.reply() == b"1 bytes"
        assert client.rest() == b""


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        (b"HELO mock\r\n\r\n", "Invalid HTTP request received."),
        (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            "The client speaks TLS, and this port is for http. --tls opens a port for https.",
        ),
        (
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9),
            "The client speaks HTTP/2 without asking first. The mock speaks HTTP/1.1.",
        ),
    ],
    ids=["no protocol", "TLS", "HTTP/2"],
)
def test_bytes_that_are_not_http_are_refused(
    own_server: "Served", sent: bytes, detail: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a request in flight, the reply is a 400. The log and the reply name the protocol, if it is known."""
    with own_server.connect() as client:
        client.send(sent)

        assert _error(client) == (400, detail)
    assert detail in caplog.messages


def test_a_broken_chunk_is_refused(own_server: "Served") -> None:
    """A request whose body cannot be read ends with a 400; the application sees a client that left."""
    with own_server.connect() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: mock\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")

        assert _error(client)[0] == 400
    assert own_server.app.disconnected.wait(PATIENCE)


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: mock\r\n"])
def test_a_head_that_does_not_come_ends_the_connection(
    own_server: "Served", monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    """A client that connects and sends nothing, or half of a head, does not keep the connection for ever."""
    monkeypatch.setattr("mock_server.http.uvicorn_protocol.HEAD_SECONDS", 0.2)
    with own_server.connect() as client:
        with suppress(OSError):  # a busy machine may send after the end
            client.send(sent)

        assert client.rest() in (b"", RESET)


def test_a_slow_body_is_not_ended(own_server: "Served", ask: "MakeRequest", monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of time is for the head; bodies, delayed replies and idle connections have limits of their own."""
    # Within this time the connection must open and a head must arrive, on a busy machine too.
    monkeypatch.setattr("mock_server.http.uvicorn_protocol.HEAD_SECONDS", 1.5)
    request = ask("/late/0.01", body=b"hello")
    with own_server.connect() as client:
        client.send(request[:-2])
        time.sleep(1.7)
        client.send(request[-2:])
        assert client.reply() == b"5 bytes"
        time.sleep(1.7)
        client.send(ask("/"))

        assert client.reply() == b"5 bytes"
