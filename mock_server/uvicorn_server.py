"""Listening sockets, and uvicorn on each of them."""

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import Iterator

import uvicorn

from mock_server.errors import SettingsError
from mock_server.tuning import handles

logger = logging.getLogger(__name__)

GRACE_SECONDS = 30
"""How long requests in flight may take to finish after SIGTERM."""
BALANCES_CONNECTIONS = sys.platform == "linux"
"""Whether the kernel spreads connections over sockets with one address. Elsewhere the latest socket gets them all."""
_ATTEMPTS = 8  # to find a port that is free on IPv4 and IPv6
_BACKLOG = 2048
_POLL_SECONDS = 0.002
_OTHER_FILES = 64
"""Open files that are not connections, about."""


class UvicornServer(uvicorn.Server):
    """uvicorn for HTTP or HTTPS. It stops at an event; uvicorn itself polls a flag and sleeps, for 0.2 s at the end."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stop_event = asyncio.Event()
        self.accepting = asyncio.Event()
        self._is_near_limit = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections."""
        await super().startup([handle for each in sockets or () for handle in handles(each)])
        self.accepting.set()

    async def main_loop(self) -> None:
        """Update the Date header every second, until stopped."""
        while not self._stop_event.is_set():
            await self.on_tick(0)
            self._warn_about_open_files()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop_event.wait(), 1.0)

    def _warn_about_open_files(self) -> None:
        # The event loop closes connections without a word when the process may open no more files.
        limit = _open_files_limit()
        is_near = len(self.server_state.connections) > limit - _OTHER_FILES
        if is_near and not self._is_near_limit:
            logger.warning(
                "%d connections are open; the limit of open files is %d, and further connections fail. "
                "Raise it with: ulimit -n",
                len(self.server_state.connections),
                limit,
            )
        self._is_near_limit = is_near

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close idle connections, and wait for requests in flight."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(GRACE_SECONDS):
                # uvicorn has no event for the end of the last request.
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            for task in self.server_state.tasks:
                task.cancel()
        for server in self.servers:
            await server.wait_closed()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the runner."""
        yield

    def stop(self) -> None:
        """Stop accepting, and end when the requests in flight have finished."""
        self.should_exit = True
        self._stop_event.set()


def _open_files_limit() -> int:
    if sys.platform == "win32":
        return sys.maxsize
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets that accept connections: two for localhost, IPv4 and IPv6, on the same port; otherwise one.

    Raises SettingsError when the address is taken or not available.
    """
    if host != "localhost":
        return [_listen(host, port)]
    for _ in range(_ATTEMPTS):
        ipv4 = _listen("127.0.0.1", port)
        if not _has_ipv6_loopback():
            return [ipv4]
        try:
            return [ipv4, _listen("::1", ipv4.getsockname()[1])]
        except SettingsError:
            ipv4.close()
            # Another program has the port on IPv6. Only a free port can be chosen again.
            if port:
                raise
    raise SettingsError("no free port on both 127.0.0.1 and ::1")


def _has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        if BALANCES_CONNECTIONS:
            # Set after bind(): the first bind() must fail when another program has the address.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise SettingsError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
    listener.setblocking(False)
    return listener


def listen_again(listener: socket.socket) -> socket.socket:
    """A socket for another process on the same address. The kernel spreads connections evenly where it can."""
    if not BALANCES_CONNECTIONS:
        return listener.dup()
    other = socket.socket(listener.family, socket.SOCK_STREAM)
    other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    other.bind(listener.getsockname())
    other.listen(_BACKLOG)
    other.setblocking(False)
    return other


def url_of(scheme: str, host: str, listener: socket.socket) -> str:
    """The URL of a listening socket, without a slash at the end."""
    port = listener.getsockname()[1]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
