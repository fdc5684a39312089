"""The client's connection, as far as an application may break it: what ASGI has no words for."""

import asyncio
import contextlib
import os
import socket
import struct
from typing import Protocol

from starlette.types import Scope

from mock_server.http.gathering import Gathering

EXTENSION = "vehicle_ocr_mock.connection"  # where a scope's extensions hold the request's `Connection`

CLOSE_SECONDS = 5.0  # what a client gets to take the last bytes before the connection is cut

_LINGER = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Cycle(Protocol):
    """What is needed of the server's state of one request.

    Once `disconnected`, it expects no reply; with `more_body`, the client is still sending it.
    """

    disconnected: bool
    more_body: bool


class Connection:
    """One client's connection.

    `lost` is set when it is gone, `hurry` when waiting makes no sense any longer: it is gone, or the server
    is about to stop. `cycle` belongs to the request that is being answered; there is one at a time. The server
    writes to `gathering`.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self.lost = asyncio.Event()
        self.hurry = asyncio.Event()
        self.cycle: Cycle | None = None
        self.gathering = Gathering(transport)
        self._transport = transport

    async def pause(self, seconds: float) -> None:
        """Wait; shorter when there is reason to hurry."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.hurry.wait()

    def end(self, last: bytes = b"") -> None:
        """Send `last` as it is, close the connection, and have the server expect no reply."""
        if self._give_up():
            self._transport.write(last)
            self._transport.close()
            asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._cut)

    def reset(self) -> None:
        """Close with a TCP reset, and have the server expect no reply."""
        if self._give_up():
            # Under TLS, too, this is the TCP socket. Closing it without lingering sends RST in place of FIN.
            tcp: socket.socket = self._transport.get_extra_info("socket")
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
            self._transport.abort()

    def lose(self) -> None:
        """Note that the connection is gone."""
        # With a request pipelined behind it, the server itself would tell only that one.
        self._give_up()
        self.lost.set()
        self.hurry.set()

    def _give_up(self) -> bool:
        if self.cycle is not None:
            self.cycle.disconnected = True
        return not self.lost.is_set()

    def _cut(self) -> None:
        if not self.lost.is_set():
            self._transport.abort()


def connection_of(scope: Scope) -> Connection | None:
    """The connection that a request came on; None under a server that does not show it."""
    connection: Connection | None = scope.get("extensions", {}).get(EXTENSION)
    return connection
