"""What uvicorn's HTTP protocols need to bring the connection of each request into the application's reach."""

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import TYPE_CHECKING, cast

from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server.http.connection import EXTENSION, Connection

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application


_GOODBYE_SECONDS = 0.1
UPLOAD_SECONDS = 5.0
"""What a client gets to send the rest of its request once the server is to stop."""


class ExposesConnection(asyncio.Protocol):
    """Puts a `Connection` into the scope of every request; to be mixed into one of uvicorn's protocols."""

    app: "ASGI3Application"
    connection: Connection
    transport: asyncio.Transport
    access_log: bool

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # uvicorn's access lines hold whole URLs, and keys travel in them. It writes them as soon as anybody
        # listens to its logger, such as a test runner that captures logs.
        self.access_log = False
        self.connection = Connection(cast(asyncio.Transport, transport))
        self._secured = transport.get_extra_info("ssl_object") is not None
        self.transport = cast(asyncio.Transport, self.connection.gathering)
        # Both protocols hand every request to `self.app`, whatever else they do differently.
        self.app = cast("ASGI3Application", _exposing(cast(ASGIApp, self.app), self.connection))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.connection.lose()

    def shutdown(self) -> None:
        closing = self.transport.is_closing()
        # A mix-in: the protocol it is mixed into has the method.
        super().shutdown()  # type: ignore[misc]
        self.connection.hurry.set()
        if closing:
            # asyncio's TLS transport forgets what it is when it is closed twice: nothing can be asked of it now.
            return
        cycle = self.connection.cycle
        if cycle is not None and cycle.more_body:
            # The rest may never come, and would hold up the end for as long as replies in flight may take.
            asyncio.get_running_loop().call_later(UPLOAD_SECONDS, self._give_up_upload)
        if self._secured and self.transport.is_closing() and not self.transport.get_write_buffer_size():
            # An idle client may never answer TLS's goodbye, and the event loop would wait half a minute for it.
            asyncio.get_running_loop().call_later(_GOODBYE_SECONDS, self._abort)

    def _give_up_upload(self) -> None:
        if self.connection.cycle is not None and self.connection.cycle.more_body:
            self._abort()

    def _abort(self) -> None:
        # A TLS transport that was closed twice in the meantime has nothing left to abort.
        with contextlib.suppress(AttributeError):
            self.transport.abort()


def _exposing(app: ASGIApp, connection: Connection) -> ASGIApp:
    def exposing(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # `send` is a method of the server's state of this request.
        connection.cycle = getattr(send, "__self__", None)
        scope.setdefault("extensions", {})[EXTENSION] = connection
        return app(scope, receive, send)

    return exposing
