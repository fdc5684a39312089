"""Listening sockets: on one address, and on the same address for another process; TLS on their connections."""

import asyncio
import contextlib
import logging
import socket
import ssl
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from mock_server.errors import SettingsError
from mock_server.settings import reachable_host

logger = logging.getLogger(__name__)

BACKLOG = 2048
"""How many connections may wait to be accepted."""
_PAUSE_SECONDS = 0.5
"""How long no connection is accepted when the process may open no more files."""
_CONNECT_SECONDS = 1.0
"""How long the start of a connection may take when the server ends: a turn of the event loop, or a TLS handshake."""
_BALANCES_CONNECTIONS = sys.platform == "linux"
"""Whether the kernel spreads connections over sockets with one address. Elsewhere the latest socket gets them all."""
_ATTEMPTS = 8  # to find a port that is free on IPv4 and IPv6


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


def listen_again(listener: socket.socket) -> socket.socket:
    """A socket for another process on the same address. The kernel spreads connections evenly where it can."""
    if not _BALANCES_CONNECTIONS:
        return listener.dup()
    other = socket.socket(listener.family, socket.SOCK_STREAM)
    other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    other.bind(listener.getsockname())
    other.listen(BACKLOG)
    other.setblocking(False)
    return other


Connect = Callable[[socket.socket], Coroutine[Any, Any, object]]
"""Begins to serve an accepted connection."""


class Acceptor:
    """Accepts the connections of a listening socket, all that wait at once.

    uvloop's server accepts one connection, and then serves all others before the next. When 500 busy clients connect,
    the last one waited for seconds. The event loop must watch sockets, as the loops of `tuning.loop_factory` do.
    """

    def __init__(self, listener: socket.socket, connect: Connect) -> None:
        self._listener = listener
        self._connect = connect
        self._loop = asyncio.get_running_loop()
        self._connecting: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None
        self._open()

    def close(self) -> None:
        """Accept no more connections. The socket stays open."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._listener)

    async def finish(self) -> None:
        """Wait until the connections that were accepted have their protocols, which can close them.

        Handshakes that take longer are ended.
        """
        if self._connecting:
            _, late = await asyncio.wait(self._connecting, timeout=_CONNECT_SECONDS)
            for task in late:
                task.cancel()

    def _open(self) -> None:
        self._loop.add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        for _ in range(BACKLOG):
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                # No more files may be open. The loop would call this again at once.
                self.close()
                self._pause = self._loop.call_later(_PAUSE_SECONDS, self._open)
                return
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = self._loop.create_task(self._begin(connection))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _begin(self, connection: socket.socket) -> None:
        # A TLS handshake that fails concerns its client only.
        with contextlib.suppress(OSError):
            await self._connect(connection)


def url_of(scheme: str, host: str, listener: socket.socket) -> str:
    """The URL at which this machine reaches a listening socket, without a slash at the end."""
    host, port = reachable_host(host), listener.getsockname()[1]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        if _BALANCES_CONNECTIONS:
            # Set after bind(): the first bind() must fail when another program has the address.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise SettingsError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
    listener.setblocking(False)
    return listener


def _has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def over_tls(protocol: Callable[[], asyncio.Protocol], tls: ssl.SSLContext) -> Connect:
    """A function that serves a connection with one of `protocol`; it returns when the handshake is over.

    It raises OSError when the handshake fails. A handshake that is cancelled closes the connection.
    """
    loop = asyncio.get_running_loop()
    try:
        from mock_server.http.tls_protocol import TlsProtocol
    except ImportError as error:
        logger.warning("https clients that close their sending half get no reply with this Python: %s", error)
        return lambda connection: loop.connect_accepted_socket(protocol, connection, ssl=tls)

    async def connect(connection: socket.socket) -> None:
        ready: asyncio.Future[None] = loop.create_future()
        transport, _ = await loop.connect_accepted_socket(lambda: TlsProtocol(protocol(), tls, ready), connection)
        try:
            await ready
        except BaseException:
            transport.abort()
            raise

    return connect
