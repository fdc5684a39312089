"""Each fault as a raw client sees it, on both event loops, over HTTP and HTTPS."""

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from mock_server.core.model import Fault
from mock_server.errors import FaultUnavailableError
from mock_server.http.connection import GARBAGE
from tests.support import PATIENCE

if TYPE_CHECKING:
    from tests.http.conftest import DemoApp, MakeRequest, Served

pytestmark = pytest.mark.usefixtures("quiet_log")

START = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nx-mock-scenario: broken\r\n"
SEEN = {
    Fault.EMPTY_RESPONSE: b"",
    Fault.MALFORMED_RESPONSE_CHUNK: START + b"transfer-encoding: chunked\r\n\r\n" + GARBAGE,
    Fault.RANDOM_DATA_THEN_CLOSE: GARBAGE,
    Fault.CONNECTION_RESET_BY_PEER: b"<connection reset>",
    Fault.TRUNCATED_BODY: START + b"content-length: 7\r\n\r\n5 b",
}
every_fault = pytest.mark.parametrize("fault", Fault)


@every_fault
def test_on_a_fresh_connection(shared_server: "Served", ask: "MakeRequest", fault: Fault) -> None:
    """The client receives exactly the bytes of the fault, then the connection ends."""
    with shared_server.connect() as client:
        client.send(ask(f"/fault/{fault}"))

        assert client.rest() == SEEN[fault]


@every_fault
def test_on_a_kept_alive_connection(shared_server: "Served", ask: "MakeRequest", fault: Fault) -> None:
    """Replies before the fault on the same connection are complete."""
    with shared_server.connect() as client:
        for _ in range(3):
            client.send(ask("/"))
            assert client.reply() == b"5 bytes"
        client.send(ask(f"/fault/{fault}"))

        assert client.rest() == SEEN[fault]


@every_fault
def test_after_a_delay(plain_server: "Served", ask: "MakeRequest", fault: Fault) -> None:
    """The delay comes first, then the fault."""
    with plain_server.connect() as client:
        client.send(ask(f"/fault/{fault}/0.05"))

        assert client.rest() == SEEN[fault]


@every_fault
@pytest.mark.parametrize(
    ("headers", "facts"),
    [
        ((), {"version": "1.0"}),
        ((), {"method": "HEAD", "body": b""}),
        ((), {"method": "GET", "body": b""}),
        (("Connection: close",), {}),
        (("Expect: 100-continue",), {}),
    ],
    ids=["http-1.0", "head", "get", "connection-close", "expect-continue"],
)
def test_whatever_the_request(
    plain_server: "Served", ask: "MakeRequest", fault: Fault, headers: tuple[str, ...], facts: dict[str, Any]
) -> None:
    """The version, the method and the headers of the request do not change the fault."""
    with plain_server.connect() as client:
        client.send(ask(f"/fault/{fault}", *headers, **facts))
        if headers == ("Expect: 100-continue",):
            assert client.head().startswith(b"HTTP/1.1 100 ")

        seen = SEEN[fault].replace(b"5 b", b"%d b" % len(facts.get("body", b"hello")))
        assert client.rest() == seen


@every_fault
def test_a_request_behind_it_is_not_answered(shared_server: "Served", ask: "MakeRequest", fault: Fault) -> None:
    """If the first of two pipelined requests has a fault, the second gets no reply."""
    with shared_server.connect() as client:
        client.send(ask(f"/fault/{fault}"), ask("/"))

        assert client.rest() == SEEN[fault]


@every_fault
def test_a_request_before_it_is_answered(plain_server: "Served", ask: "MakeRequest", fault: Fault) -> None:
    """If the second of two pipelined requests has a fault, the first gets its reply before it."""
    with plain_server.connect() as client:
        client.send(ask("/"), ask(f"/fault/{fault}/0.05"))

        assert client.reply() == b"5 bytes"
        assert client.rest() == SEEN[fault]


def test_when_the_client_has_gone(own_server: "Served", ask: "MakeRequest") -> None:
    """A client that disconnects during the delay ends the request at once, and the log stays empty."""
    for fault in Fault:
        with own_server.connect() as client:
            client.send(ask(f"/fault/{fault}/60"), ask("/"))

        assert own_server.app.finished.acquire(timeout=PATIENCE)


def test_others_run_undisturbed(shared_server: "Served", ask: "MakeRequest") -> None:
    """Fifty connections get all their replies while other connections have every kind of fault."""

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", shared_server.port, ssl=shared_server.tls)

    async def undisturbed() -> list[bytes]:
        reader, writer = await connect()
        replies = []
        for _ in range(8):
            writer.write(ask("/late/0.01"))
            await reader.readuntil(b"\r\n\r\n")
            replies.append(await reader.readexactly(7))
        writer.close()
        await writer.wait_closed()
        return replies

    async def broken(fault: Fault) -> list[bytes]:
        seen = []
        for _ in range(4):
            reader, writer = await connect()
            writer.write(ask(f"/fault/{fault}"))
            try:
                seen.append(await reader.read())
            except ConnectionResetError:
                seen.append(b"")
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        return seen

    async def all_at_once() -> tuple[list[list[bytes]], list[list[bytes]]]:
        good = asyncio.gather(*(undisturbed() for _ in range(50)))
        bad = asyncio.gather(*(broken(fault) for fault in Fault))
        return await good, await bad

    good, bad = asyncio.run(all_at_once())

    assert good == [[b"5 bytes"] * 8] * 50
    # On a busy machine asyncio reports a reset of TLS as the end of the stream. The tests above see the reset itself.
    assert bad == [[SEEN[fault].replace(b"<connection reset>", b"")] * 4 for fault in Fault]


@every_fault
def test_without_a_connection_it_is_an_error(demo_app: "DemoApp", fault: Fault) -> None:
    """Under a test client there is no socket to break: FaultUnavailableError says so."""
    with pytest.raises(FaultUnavailableError, match=fault):
        TestClient(demo_app).get(f"/fault/{fault}")
