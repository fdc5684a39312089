"""uvicorn's protocol on httptools, with what a mock needs beside: `uvicorn.Config(http=MockProtocol)`.

An endpoint can reach the connection of its request, to break it. An offer to upgrade to another protocol is ignored.
Request line and headers have a limit. A request that was received whole gets its reply, whatever follows it.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

import httptools
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from mock_server.errors import SettingsError
from mock_server.http.connection import EXTENSION, Connection
from mock_server.http.reply import problem

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

MAX_URL = 16 * 1024
"""Bytes of a request's URL."""
MAX_HEAD = 64 * 1024
"""Bytes of a request's URL and headers."""
HEAD_SECONDS = 60.0
"""How long a client may take to connect and send a request's head. An idle connection has uvicorn's own timeout."""
REJECTED_SECONDS = 2.0
"""How long a rejected client may continue to send. A connection that is closed earlier can lose the reply."""
UPLOAD_SECONDS = 5.0
"""How long a client may continue to send its request after the server was stopped."""
MAX_UNREAD = 128 * 1024
"""Bytes of a body that wait for the application; more are not read. uvicorn's 64 KB are less than a picture has."""
_TLS_CLOSE_SECONDS = 0.1
_CONNECT = b"CONNECT"
_OTHER_PROTOCOLS = {
    b"\x16\x03": "The client speaks TLS, and this port is for http. --tls opens a port for https.",
    b"PRI * HTTP/2": "The client speaks HTTP/2 without asking first. The mock speaks HTTP/1.1.",
}
"""How clients of other protocols begin, and what to say about them."""
_LONGEST_START = max(map(len, _OTHER_PROTOCOLS))
_DETAILS = {
    414: f"The URL is longer than {MAX_URL} bytes.",
    431: f"The URL and the headers are longer than {MAX_HEAD} bytes.",
}


_INSIDES = {
    HttpToolsProtocol: "access_log app connections cycle flow headers logger loop on_body on_headers_complete "
    "on_message_begin on_message_complete on_url parser scheme send_400_response shutdown transport",
    RequestResponseCycle: "body disconnected keep_alive message_event more_body response_complete send transport",
}
"""What is used here of uvicorn's classes. uvicorn does not document it."""


def check_uvicorn() -> None:
    """Raise SettingsError if the installed uvicorn lacks something that is used here."""
    for owner, names in _INSIDES.items():
        known = {*dir(owner), *vars(owner)["__init__"].__code__.co_names}
        if missing := [name for name in names.split() if name not in known]:
            raise SettingsError(
                f"uvicorn {uvicorn.__version__} cannot be used: its {owner.__name__} has no {', '.join(missing)}; "
                "install an earlier version"
            )


class MockProtocol(HttpToolsProtocol):
    """Puts a `Connection` into the scope of every request, and answers upgrade offers like ordinary requests."""

    transport: asyncio.Transport

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.parser = _Parser(self)
        # As uvicorn's own parser: it answers the first request of a pipeline although the client closes after the last.
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        # uvicorn's access log shows whole URLs, and the URLs of some providers contain keys.
        self.access_log = False
        self.is_rejected = False
        self._cycles: deque[RequestResponseCycle] = deque()  # in the order of their requests
        self._is_in_head = False
        self._head_size = 0
        self._packet = b""
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wrap the application, so that every scope has the connection."""
        super().connection_made(cast(asyncio.Transport, transport))
        self._start_head_timer()
        self.connection = Connection(self.transport)
        self.app = cast("ASGI3Application", _with_connection(cast(ASGIApp, self.app), self.connection))

    def connection_lost(self, exc: Exception | None) -> None:
        """End the wait of a delayed reply."""
        self._stop_head_timer()
        super().connection_lost(exc)
        self.connection.mark_lost()

    # uvicorn declares None; asyncio also takes True, which keeps the connection open for the replies.
    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Answer the requests that came whole, although the client sends nothing more; then close.

        Nothing shows whether the client still reads, so that a delay is of no use any more.
        """
        if not self._close_after_whole_requests():
            return None
        self.connection.is_ended = True
        self.connection.hurry.set()
        return True

    def _close_after_whole_requests(self) -> bool:
        """Let the latest request that came whole have the last reply; whether there is one without a reply."""
        whole = [cycle for cycle in self._cycles if not cycle.response_complete and not cycle.more_body]
        if whole:
            whole[-1].keep_alive = False
        return bool(whole)

    def data_received(self, data: bytes) -> None:
        """Parse the next bytes, and discard what follows a rejected request."""
        if self.is_rejected:
            return
        self._head_size += len(data)
        self._packet = data[:_LONGEST_START]
        super().data_received(data)
        if not self._is_in_head:
            return
        if self._head_size > MAX_HEAD:
            self._reject(431)
        elif self._head_timer is None:
            self._start_head_timer()

    def on_message_begin(self) -> None:
        """Count the bytes of the head from the next packet on: this one may begin with another request."""
        super().on_message_begin()
        self._is_in_head = True
        self._head_size = 0

    def on_url(self, url: bytes) -> None:
        """Add a part of the URL."""
        super().on_url(url)
        if len(self.url) > MAX_URL:
            raise self._reject(414)

    def on_headers_complete(self) -> None:
        """Start the application, unless the parser is going to parse this request again."""
        self._is_in_head = False
        self._stop_head_timer()
        if len(self.url) + sum(map(len, chain.from_iterable(self.headers))) > MAX_HEAD:
            raise self._reject(431)
        if not self.parser.should_upgrade() or self.parser.get_method() == _CONNECT:
            super().on_headers_complete()
            while self._cycles and self._cycles[0].response_complete:
                self._cycles.popleft()
            self._cycles.append(self.cycle)

    def on_body(self, body: bytes) -> None:
        """Add a piece of the body. The first one is not copied; uvicorn would copy it twice."""
        cycle = self.cycle
        if cycle.response_complete:
            return
        # uvicorn declares a bytearray. `receive` converts it to bytes, which copies a bytearray and no bytes.
        cycle.body = cycle.body + body if cycle.body else body  # type: ignore[assignment]
        if len(cycle.body) > MAX_UNREAD:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        """End the request's body, unless the parser is going to parse this request again."""
        if not self.parser.should_upgrade() or self.parser.get_method() == _CONNECT:
            super().on_message_complete()

    def _start_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are not HTTP/1. uvicorn calls this."""
        hint = next((hint for start, hint in _OTHER_PROTOCOLS.items() if self._packet.startswith(start)), None)
        if hint:
            self.logger.warning(hint)
        self._reject(400, hint or msg)

    def _reject(self, status: int, detail: str | None = None) -> "_RejectedError":
        """Reply with an error, or let the requests before it have the last replies; then close the connection."""
        self.is_rejected = True
        if not self._close_after_whole_requests():
            self.transport.write(_error(status, detail or _DETAILS[status]))
            self.loop.call_later(REJECTED_SECONDS, self.transport.close)
        return _RejectedError()

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
        if self._is_receiving():
            self.loop.call_later(UPLOAD_SECONDS, self._abort_upload)
        is_idle = self.transport.is_closing() and not self.transport.get_write_buffer_size()
        if self.scheme == "https" and is_idle:
            # A client that never answers TLS's close_notify would keep the event loop waiting for half a minute.
            self.loop.call_later(_TLS_CLOSE_SECONDS, self._abort)

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


class _RejectedError(Exception):
    """Stops the parser."""


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
            except httptools.HttpParserCallbackError:
                if not self._protocol.is_rejected:
                    raise
                return
            except httptools.HttpParserUpgrade as upgrade:
                rest = data[upgrade.args[0] :]
                # The rest of a CONNECT is for the proxy that this server is not.
                data = rest if self.get_method() == _CONNECT else self._protocol.head_without_upgrade() + rest


def _error(status: int, detail: str) -> bytes:
    reply = problem(status, detail, headers={"Connection": "close"})
    headers = (*reply.headers, (b"content-length", b"%d" % len(reply.body)))
    lines = (name + b": " + value for name, value in headers)
    return b"\r\n".join([STATUS_LINE[status].rstrip(), *lines, b"", reply.body])


def _with_connection(app: ASGIApp, connection: Connection) -> ASGIApp:
    def with_connection(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # `send` is a method of uvicorn's state of this request.
        connection.cycle = getattr(send, "__self__", None)
        scope.setdefault("extensions", {})[EXTENSION] = connection
        return app(scope, receive, send)

    return with_connection
