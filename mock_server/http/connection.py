"""The connection of a request, for delays that end early and for faults: WireMock's four, and a cut-off body."""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from starlette.types import Scope

from mock_server.core.model import Fault

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

Headers = Sequence[tuple[bytes, bytes]]
_STATUSES = frozenset(HTTPStatus)
WITHOUT_LENGTH = frozenset({204, 304})
"""Statuses whose replies have neither a body nor a Content-Length (RFC 9110, 8.6)."""
EXTENSION = "vehicle_ocr_mock.connection"
"""The ASGI extension that holds the `Connection` of a request."""
# Neither a status line nor a chunk size. The text explains the bytes to the reader of a network trace.
GARBAGE = b"\xff\xfe~ not HTTP: vehicle-ocr-mock broke this reply as a fault asked it to ~\x00\xfd"
_CLOSE_SECONDS = 5.0
"""How long a client may take to read the last bytes before the connection is aborted."""
_BEGINNING = b"HTTP/1.1 "
"""What every reply begins with."""
_LINGER_ON = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Connection:
    """One client's connection. Its requests are answered one after another.

    `cycle` is uvicorn's state of the current one. `is_lost`: it is closed. `is_ended`: the client sends nothing more,
    mostly because it has closed the connection. `hurry` is set when a delay is of no use any more: the client has
    ended, the connection is gone, or the server stops.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self.cycle: RequestResponseCycle | None = None
        self.hurry = asyncio.Event()
        self.is_lost = False
        self.is_ended = False
        self._transport = transport
        self._probed: RequestResponseCycle | None = None

    async def pause(self, seconds: float) -> None:
        """Wait for that time, or until `hurry` is set."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.hurry.wait()

    def probe(self) -> None:
        """Send the beginning of the reply. The system of a client that has closed the connection answers with a reset.

        A client that has closed only its sending half has the reply a little earlier.
        """
        if self.cycle is None or self.is_lost or self._probed:
            return
        self._probed = self.cycle
        self._transport.write(_BEGINNING)
        self.cycle.transport = cast(asyncio.Transport, _BegunTransport(self._transport))

    def has_left(self) -> bool:
        """Whether the client has closed the connection. Of a client that has ended, known only after a probe."""
        # The event loop does not watch a connection that has ended.
        if self._probed and not self.is_lost and _has_failed(self._transport.get_extra_info("socket")):
            self.mark_lost()
            self._transport.abort()
        return self.is_lost

    def leave_out_date(self) -> None:
        """Send no date of the server with the current reply, because the reply has its own."""
        if self.cycle is not None:
            self.cycle.default_headers = [header for header in self.cycle.default_headers if header[0] != b"date"]

    def break_off(self, fault: Fault, status: int, headers: Headers, body: bytes) -> None:
        """Break the connection as the fault says, instead of sending the reply with this status, headers and body.

        EMPTY_RESPONSE closes it. MALFORMED_RESPONSE_CHUNK sends the head of a chunked `200 OK` with `headers`, then
        garbage that is not a chunk, and closes. RANDOM_DATA_THEN_CLOSE sends garbage and closes.
        CONNECTION_RESET_BY_PEER resets the TCP connection. TRUNCATED_BODY sends the head with the length of the whole
        body, the first half of the body, and closes. Requests that are pipelined behind this one get no reply.
        """
        self._give_up_reply()
        if self.is_lost:
            return
        match fault:
            case Fault.EMPTY_RESPONSE:
                self._close(b"")
            case Fault.MALFORMED_RESPONSE_CHUNK:
                self._close(_head(200, (*headers, (b"transfer-encoding", b"chunked"))) + GARBAGE)
            case Fault.RANDOM_DATA_THEN_CLOSE:
                self._close(GARBAGE)
            case Fault.CONNECTION_RESET_BY_PEER:
                self._reset()
            case Fault.TRUNCATED_BODY:
                length = [] if status in WITHOUT_LENGTH else [(b"content-length", b"%d" % len(body))]
                self._close(_head(status, (*headers, *length)) + body[: len(body) // 2])

    def mark_lost(self) -> None:
        """Record that the connection is gone."""
        # uvicorn marks the latest request only, which may wait in the pipeline behind the current one.
        self._give_up_reply()
        self.is_lost = True
        self.hurry.set()

    def _give_up_reply(self) -> None:
        if self.cycle is not None:
            # uvicorn then expects no reply.
            self.cycle.disconnected = True

    def _close(self, last: bytes) -> None:
        is_begun = self._probed is not None and self._probed is self.cycle
        self._transport.write(last.removeprefix(_BEGINNING) if is_begun else last)
        self._transport.close()
        asyncio.get_running_loop().call_later(_CLOSE_SECONDS, self._abort)

    def _reset(self) -> None:
        # Under TLS, this is the TCP socket as well. Closing it without lingering sends RST instead of FIN.
        tcp: socket.socket = self._transport.get_extra_info("socket")
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ON)
        self._transport.abort()

    def _abort(self) -> None:
        if not self.is_lost:
            self._transport.abort()


class _BegunTransport:
    """A transport of a reply whose beginning has been sent."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._is_begun = True

    def write(self, data: bytes) -> None:
        """Send these bytes, without the beginning of the reply."""
        self._transport.write(data.removeprefix(_BEGINNING) if self._is_begun else data)
        self._is_begun = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def _has_failed(tcp: socket.socket) -> bool:
    try:
        return tcp.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
    except OSError:
        return True


def connection_of(scope: Scope) -> Connection | None:
    """The connection of a request; None under a server without `MockProtocol`."""
    connection: Connection | None = scope.get("extensions", {}).get(EXTENSION)
    return connection


def _head(status: int, headers: Headers) -> bytes:
    reason = HTTPStatus(status).phrase if status in _STATUSES else ""
    lines = [f"HTTP/1.1 {status} {reason}".encode(), *(name + b": " + value for name, value in headers)]
    return b"\r\n".join([*lines, b"", b""])
