"""Sockets that listen, and uvicorn on each of them."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Iterator

import uvicorn

from mock_server.errors import SettingsError

GRACE_SECONDS = 30
"""How long requests in flight may take to finish after SIGTERM."""
BALANCED = sys.platform == "linux"
"""Whether the system spreads connections over sockets on one address. Elsewhere the last one gets them all."""
_BACKLOG = 2048
_HANDLES = 8
_POLL_SECONDS = 0.002


class Listener(uvicorn.Server):
    """One uvicorn server on one socket, stopped by an event instead of by polling a flag."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopping = asyncio.Event()
        self.accepting = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections."""
        await super().startup([handle for each in sockets or () for handle in _handles(each)])
        self.accepting.set()

    async def main_loop(self) -> None:
        """Keep the Date header going until stopped."""
        while not self._stopping.is_set():
            await self.on_tick(0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 1.0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close what is idle and let requests in flight finish, without uvicorn's fixed pauses."""
        for server in self.servers:
            server.close()
        for listening in sockets or []:
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(GRACE_SECONDS):
                # uvicorn tells nobody when the last of them ends, and has no event to wait for instead.
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            for task in self.server_state.tasks:
                task.cancel()
        for server in self.servers:
            await server.wait_closed()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to whoever runs the listeners."""
        yield

    def stop(self) -> None:
        """End once what is in flight has finished."""
        self.should_exit = True
        self._stopping.set()


def _handles(listener: socket.socket) -> list[socket.socket]:
    """The socket several times over.

    uvloop takes one connection from each before it serves all the others again: the last of sixty-four clients that
    come at once would wait for sixty-four rounds of uploads.
    """
    return [listener, *(listener.dup() for _ in range(_HANDLES - 1))]


def listen(host: str, port: int) -> socket.socket:
    """A socket that accepts connections. Raises SettingsError where the address is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        if BALANCED:
            # Allowed after binding only: who binds first must be told when somebody else is there.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise SettingsError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
    listener.setblocking(False)
    return listener


def beside(listener: socket.socket) -> socket.socket:
    """A second socket on an address: the system spreads connections evenly over both."""
    other = socket.socket(listener.family, socket.SOCK_STREAM)
    other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    other.bind(listener.getsockname())
    other.listen(_BACKLOG)
    other.setblocking(False)
    return other


def url_of(scheme: str, host: str, listener: socket.socket) -> str:
    """The address of a socket as a URL, without a slash at the end."""
    port = listener.getsockname()[1]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
