"""uvicorn's protocol on httptools, with what a mock needs beside: `uvicorn.Config(http=MockProtocol)`.

An endpoint can reach the connection of its request, to break it. An offer to upgrade to another protocol is ignored.
"""

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, cast

import httptools
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mock_server.http.connection import EXTENSION, Connection

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

UPLOAD_SECONDS = 5.0
"""How long a client may continue to send its request after the server was stopped."""
_TLS_CLOSE_SECONDS = 0.1
_CONNECT = b"CONNECT"


class MockProtocol(HttpToolsProtocol):
    """Puts a `Connection` into the scope of every request, and answers upgrade offers like ordinary requests."""

    transport: asyncio.Transport

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.parser = _Parser(self)
        # uvicorn's own setting: it answers the first request of a pipeline although the client closes after the last.
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        # uvicorn's access log shows whole URLs, and the URLs of some providers contain keys.
        self.access_log = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wrap the application, so that every scope has the connection."""
        super().connection_made(cast(asyncio.Transport, transport))
        self.connection = Connection(self.transport)
        self.app = cast("ASGI3Application", _with_connection(cast(ASGIApp, self.app), self.connection))

    def connection_lost(self, exc: Exception | None) -> None:
        """End the wait of a delayed reply."""
        super().connection_lost(exc)
        self.connection.mark_lost()

    def on_headers_complete(self) -> None:
        """Start the application, unless the parser is going to parse this request again."""
        if not self.parser.should_upgrade() or self.parser.get_method() == _CONNECT:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the request's body, unless the parser is going to parse this request again."""
        if not self.parser.should_upgrade() or self.parser.get_method() == _CONNECT:
            super().on_message_complete()

    def head_without_upgrade(self) -> bytes:
        """The request line and the headers of the latest request, without the headers `Upgrade`."""
        version = self.parser.get_http_version().encode()
        lines = [self.parser.get_method() + b" " + self.url + b" HTTP/" + version]
        lines += [name + b": " + value for name, value in self.headers if name != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def shutdown(self) -> None:
        """Finish the request in flight, within bounds, and close the connection."""
        was_closing = self.transport.is_closing()
        super().shutdown()
        self.connection.hurry.set()
        if was_closing:
            # asyncio's TLS transport that was closed twice raises AttributeError for everything below.
            return
        loop = asyncio.get_running_loop()
        if self._is_receiving():
            loop.call_later(UPLOAD_SECONDS, self._abort_upload)
        is_idle = self.transport.is_closing() and not self.transport.get_write_buffer_size()
        if self.scheme == "https" and is_idle:
            # A client that never answers TLS's close_notify would keep the event loop waiting for half a minute.
            loop.call_later(_TLS_CLOSE_SECONDS, self._abort)

    def _is_receiving(self) -> bool:
        cycle = self.connection.cycle
        return cycle is not None and cycle.more_body

    def _abort_upload(self) -> None:
        if self._is_receiving():
            self._abort()

    def _abort(self) -> None:
        # The same AttributeError: the transport may have been closed twice in the meantime.
        with contextlib.suppress(AttributeError):
            self.transport.abort()


class _Parser(httptools.HttpRequestParser):
    """A parser without upgrades (RFC 9110, section 7.8: a server may ignore the offer).

    httptools stops behind the headers of a request that offers an upgrade, and takes its body for the new protocol.
    This parser goes back, and parses the same request without its `Upgrade` header.
    """

    def __init__(self, protocol: MockProtocol) -> None:
        super().__init__(protocol)
        self._protocol = protocol

    def feed_data(self, data: Any) -> None:
        """Parse the next bytes of the connection. Raises HttpParserError."""
        while data:
            try:
                super().feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                rest = data[upgrade.args[0] :]
                # The rest of a CONNECT is for the proxy that this server is not.
                data = rest if self.get_method() == _CONNECT else self._protocol.head_without_upgrade() + rest


def _with_connection(app: ASGIApp, connection: Connection) -> ASGIApp:
    def with_connection(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # `send` is a method of uvicorn's state of this request.
        connection.cycle = getattr(send, "__self__", None)
        scope.setdefault("extensions", {})[EXTENSION] = connection
        return app(scope, receive, send)

    return with_connection
