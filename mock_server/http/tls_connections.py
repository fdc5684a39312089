"""Begins to serve accepted connections with TLS."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

logger = logging.getLogger(__name__)

_Connect = Callable[[socket.socket], Coroutine[Any, Any, object]]


def over_tls(protocol: Callable[[], asyncio.Protocol], tls: ssl.SSLContext) -> _Connect:
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
