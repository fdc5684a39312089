"""The connection of a request, and WireMock's four connection faults, for which ASGI has no messages."""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Sequence
from typing import Protocol

from starlette.types import Scope

from mock_server.core.model import Fault
from mock_server.errors import FaultUnavailableError

EXTENSION = "vehicle_ocr_mock.connection"
"""The ASGI extension that holds the `Connection` of a request."""

CLOSE_SECONDS = 5.0
"""How long a client may take to read the last bytes before the connection is aborted."""

# Neither a status line nor a chunk size. The text explains the bytes to the reader of a network trace.
GARBAGE = b"\xff\xfe~ not HTTP: vehicle-ocr-mock broke this reply as a fault asked it to ~\x00\xfd"

_LINGER_ON = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Cycle(Protocol):
    """The part of uvicorn's state of a request that is used here.

    uvicorn expects no reply to a `disconnected` request. With `more_body`, the client still sends the request.
    """

    disconnected: bool
    more_body: bool


class Connection:
    """One client's connection. Its requests are answered one after another; `cycle` belongs to the current one.

    `lost` is set when the connection is gone. `hurry` is set when a delay is of no use any more: the connection is
    gone, or the server stops.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self.lost = asyncio.Event()
        self.hurry = asyncio.Event()
        self.cycle: Cycle | None = None
        self._transport = transport

    async def pause(self, seconds: float) -> None:
        """Wait for that time, or until `hurry` is set."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.hurry.wait()

    def close(self, last: bytes = b"") -> None:
        """Write `last` as it is and close the connection, without a reply."""
        if self._give_up_reply():
            self._transport.write(last)
            self._transport.close()
            asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._abort)

    def reset(self) -> None:
        """Close the connection with a TCP reset, without a reply."""
        if self._give_up_reply():
            # Under TLS, this is the TCP socket as well. Closing it without lingering sends RST instead of FIN.
            tcp: socket.socket = self._transport.get_extra_info("socket")
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ON)
            self._transport.abort()

    def mark_lost(self) -> None:
        """Record that the connection is gone."""
        # uvicorn marks the latest request only, which may wait in the pipeline behind the current one.
        self._give_up_reply()
        self.lost.set()
        self.hurry.set()

    def _give_up_reply(self) -> bool:
        """Stop uvicorn from expecting a reply; False when the connection is gone."""
        if self.cycle is not None:
            self.cycle.disconnected = True
        return not self.lost.is_set()

    def _abort(self) -> None:
        if not self.lost.is_set():
            self._transport.abort()


def connection_of(scope: Scope) -> Connection | None:
    """The connection of a request; None under a server without `MockProtocol`."""
    connection: Connection | None = scope.get("extensions", {}).get(EXTENSION)
    return connection


def break_connection(fault: Fault, connection: Connection | None, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
    """Break the connection as the fault says, instead of a reply.

    EMPTY_RESPONSE closes it. MALFORMED_RESPONSE_CHUNK sends the head of a chunked `200 OK` with `headers`, then
    garbage that is not a chunk, and closes. RANDOM_DATA_THEN_CLOSE sends garbage and closes.
    CONNECTION_RESET_BY_PEER resets the TCP connection. Requests that are pipelined behind this one get no reply.

    Raises FaultUnavailableError without a `connection`: under a test client, and under another server than this
    package's own.
    """
    if connection is None:
        raise FaultUnavailableError(fault)
    match fault:
        case Fault.EMPTY_RESPONSE:
            connection.close()
        case Fault.MALFORMED_RESPONSE_CHUNK:
            connection.close(_chunked_head(headers) + GARBAGE)
        case Fault.RANDOM_DATA_THEN_CLOSE:
            connection.close(GARBAGE)
        case Fault.CONNECTION_RESET_BY_PEER:
            connection.reset()


def _chunked_head(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    lines = [b"HTTP/1.1 200 OK", *(name + b": " + value for name, value in headers)]
    return b"\r\n".join([*lines, b"transfer-encoding: chunked", b"", b""])
