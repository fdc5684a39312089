"""Clients that close their connection while their picture waits for a decoder."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
import pytest

from mock_server.core.pictures import Pictures
from mock_server.http.connection import GARBAGE
from mock_server.server import MockServer
from tests.support import FIXTURES, PATIENCE, drawn, eventually, new_key, picture, vehicore

THREADS = 2


@dataclass
class Gate:
    """Keeps the decoders busy until it is opened, and notes the pictures that they were given."""

    decoded: list[bytes] = field(default_factory=list)
    opened: threading.Event = field(default_factory=threading.Event)

    def before(self, find: Callable[..., object]) -> Callable[..., object]:
        def gated(pictures: Pictures, library: object, image: bytes) -> object:
            self.decoded.append(bytes(image))
            assert self.opened.wait(PATIENCE)
            return find(pictures, library, image)

        return gated


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """A closed gate before the decoders."""
    gate = Gate()
    monkeypatch.setattr(Pictures, "_find_cheap", gate.before(Pictures._find_cheap))
    yield gate
    gate.opened.set()


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[MockServer]:
    """A server of the test's own, with HTTPS."""
    monkeypatch.setenv("VEHICLE_OCR_MOCK_CA_DIR", str(tmp_path_factory.mktemp("authority")))
    with MockServer(FIXTURES, tls=True) as running:
        yield running


def until(condition: Callable[[], bool]) -> None:
    assert eventually(condition)


def waiting(server: MockServer) -> int:
    return len(server.app._pictures._turns._waiting)


def send(server: MockServer, key: str, *images: bytes, tls: bool = False, filename: str = "a") -> socket.socket:
    """A connection on which uploads have been sent, and whose replies have not come. `filename` is for the last one."""
    url = server.tls_url if tls else server.url
    assert url
    sent = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=PATIENCE)
    if tls:
        context = ssl.create_default_context(cafile=str(server.certificate_path))
        sent = context.wrap_socket(sent, server_hostname="localhost")
    for image in images:
        name = filename if image is images[-1] else "a"
        part = f'--b\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n\r\n'.encode()
        body = part + image + b"\r\n--b--\r\n"
        head = (
            f"POST /api/ocr/plate HTTP/1.1\r\nHost: mock\r\nX-API-Key: {key}\r\n"
            f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        sent.sendall(head.encode() + body)
    return sent


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


LEAVES: dict[str, Callable[[socket.socket], None]] = {"closes": socket.socket.close, "resets": reset}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("leave", LEAVES)
def test_the_picture_of_a_client_that_left_is_not_decoded(
    server: MockServer, gate: Gate, leave: str, scheme: str
) -> None:
    """Nothing is charged, and the journal says why there is no reply. Those who wait have their turn."""
    key = new_key(server, credits=9)
    with ThreadPoolExecutor(THREADS + 1) as threads, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        first = [threads.submit(vehicore, client, image=drawn(f"first {n}"), key=key) for n in range(THREADS)]
        until(lambda: len(gate.decoded) == THREADS)
        abandoned = drawn("abandoned")
        leaving = send(server, key, abandoned, tls=scheme == "https")
        until(lambda: waiting(server) == 1)
        LEAVES[leave](leaving)
        last = threads.submit(vehicore, client, image=drawn("last"), key=key)
        until(lambda: waiting(server) == 2)
        gate.opened.set()
        replies = [one.result() for one in (*first, last)]
        until(lambda: len(server.requests(key=key)) == THREADS + 2)

    assert [reply.status_code for reply in replies] == [200] * len(replies)
    assert abandoned not in gate.decoded
    (left,) = server.requests(key=key, status=499)
    assert (left.charged, left.detail) == (0, "the client closed the connection before its picture had its turn")
    assert server.account(key).credits["plate"] == 9 - len(replies)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_client_that_closed_its_sending_half_has_its_turn(server: MockServer, gate: Gate, scheme: str) -> None:
    """It gets the whole reply, once others have been served, and pays once."""
    key = new_key(server, credits=9)
    with ThreadPoolExecutor(THREADS) as threads, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        first = [threads.submit(vehicore, client, image=drawn(f"first {n}")) for n in range(THREADS)]
        until(lambda: len(gate.decoded) == THREADS)
        ended = send(server, key, drawn("ended"), tls=scheme == "https")
        until(lambda: waiting(server) == 1)
        end_sending(ended)
        gate.opened.set()
        received = rest(ended)
        assert all(one.result().is_success for one in first)

    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert int(head.lower().partition(b"content-length: ")[2].split()[0]) == len(body) > 0
    assert [(entry.status, entry.charged) for entry in server.requests(key=key)] == [(200, 1)]


@pytest.mark.parametrize(
    "fault", ["TRUNCATED_BODY", "MALFORMED_RESPONSE_CHUNK", "RANDOM_DATA_THEN_CLOSE", "EMPTY_RESPONSE"]
)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_broken_reply_is_broken_as_ever(server: MockServer, gate: Gate, fault: str, is_first: bool) -> None:
    """The beginning of a reply that a probe has sent is not sent twice, and belongs to this reply only."""
    key = new_key(server, credits=9)
    server.add_scenario({"scenario": "broken", "when": {"key": key, "filename": "broken"}, "then": {"fault": fault}})
    pictures = [drawn("broken")] if is_first else [drawn("whole"), drawn("broken")]
    with ThreadPoolExecutor(THREADS) as threads, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        first = [threads.submit(vehicore, client, image=drawn(f"first {n}")) for n in range(THREADS)]
        until(lambda: len(gate.decoded) == THREADS)
        ended = send(server, key, *pictures, filename="broken")
        until(lambda: waiting(server) == 1)
        end_sending(ended)
        gate.opened.set()
        received = rest(ended)
        assert all(one.result().is_success for one in first)

    has_head = fault in ("TRUNCATED_BODY", "MALFORMED_RESPONSE_CHUNK")
    has_garbage = fault in ("MALFORMED_RESPONSE_CHUNK", "RANDOM_DATA_THEN_CLOSE")
    assert received.count(b"HTTP/1.1 200 OK\r\n") == has_head + (not is_first)
    # The second picture is probed only if it has to wait too.
    assert received.count(b"HTTP/1.1 ") in ({1} if is_first else {1 + has_head, 2})
    assert received.endswith(GARBAGE) is has_garbage


def end_sending(client: socket.socket) -> None:
    """Close the sending half: with TLS's close_notify, or TCP's FIN."""
    if not isinstance(client, ssl.SSLSocket):
        client.shutdown(socket.SHUT_WR)
        return
    # `unwrap` sends close_notify, and then waits for the other's, before which there is the reply.
    client.setblocking(False)
    with pytest.raises((ssl.SSLWantReadError, ssl.SSLError)):
        client.unwrap()
    client.settimeout(PATIENCE)


def rest(client: socket.socket) -> bytes:
    """All bytes until the other side ends the connection."""
    received = []
    with client, suppress(ssl.SSLZeroReturnError):
        while piece := client.recv(65536):
            received.append(piece)
    return b"".join(received)


def test_known_pictures_do_not_wait(server: MockServer, gate: Gate) -> None:
    """They are answered while all decoders are busy and others wait for them."""
    with ThreadPoolExecutor(THREADS + 3) as threads, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        gate.opened.set()
        assert vehicore(client, image=picture("car")).json() == {"result": "9DJC652"}
        gate.opened.clear()
        new = [threads.submit(vehicore, client, image=drawn(f"new {number}")) for number in range(THREADS + 3)]
        until(lambda: waiting(server) == 3)

        assert vehicore(client, image=picture("car")).json() == {"result": "9DJC652"}
        gate.opened.set()
        assert all(one.result().is_success for one in new)
