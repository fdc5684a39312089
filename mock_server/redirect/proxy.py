"""An HTTP proxy on loopback that leads the providers' real host names to the mock.

It is for runtimes that heed proxy settings and have no other way. CONNECT makes a tunnel: for the names to the mock's
TLS port, for any other host to that host, and the bytes in it are neither read nor changed. A request with an absolute
URL (plain HTTP) is passed on alone on its connection. If the user has a proxy, other hosts are reached through it.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import SplitResult, urlsplit
from weakref import WeakSet

from anyio.from_thread import start_blocking_portal

from mock_server.errors import MockServerError
from mock_server.redirect.environment import Upstream, credentials
from mock_server.redirect.python_hook import Route

_HEAD_BYTES = 64 * 1024
_CHUNK = 64 * 1024
_CONNECT_SECONDS = 30
_NEXT_ADDRESS_SECONDS = 0.25
_PORTS = {"http": 80, "https": 443}
# The headers of one connection, which are not passed on. An upgrade is possible in a tunnel only.
_OF_THE_CONNECTION = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization", b"upgrade", b"http2-settings", b"te"}
)

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _RefusedError(MockServerError):
    """A request that the proxy answers itself."""

    def __init__(self, status: str, reason: str) -> None:
        self.status = status
        super().__init__(reason)


@dataclass(frozen=True)
class _Request:
    """The head of a request to the proxy."""

    method: bytes
    target: bytes
    version: bytes
    headers: tuple[tuple[bytes, bytes], ...]

    @classmethod
    def parse(cls, head: bytes) -> "_Request":
        line, *rest = head.rstrip(b"\r\n").split(b"\r\n")
        words = line.split(b" ")
        fields = [field.partition(b":")[::2] for field in rest]
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            raise _RefusedError("400 Bad Request", "this is not an HTTP/1 request")
        return cls(words[0], words[1], words[2], tuple((name.strip(), value.strip()) for name, value in fields))

    @cached_property
    def url(self) -> SplitResult:
        """The address that is asked for; of CONNECT, with the scheme https."""
        text = self.target.decode("latin-1")
        try:
            url = urlsplit(f"https://{text}" if self.method == b"CONNECT" else text)
            if url.scheme in _PORTS and url.hostname and (url.port is None or url.port):
                return url
        except ValueError:
            pass
        raise _RefusedError("400 Bad Request", "this is a proxy: it needs CONNECT, or an absolute URL")

    @property
    def port(self) -> int:
        """The port of the address."""
        return self.url.port or _PORTS[self.url.scheme]

    def for_server(self, *, is_absolute: bool, proxy_credentials: bytes = b"") -> bytes:
        """The head to pass on. After its reply the server closes the connection."""
        path = self.url.path or "/"
        target = self.target if is_absolute else f"{path}?{self.url.query}".removesuffix("?").encode("latin-1")
        # The URL says which host is meant, whatever the header Host says (RFC 9112, section 3.2.2).
        host = self.url.netloc.rpartition("@")[2].encode("latin-1")
        left_out = {b"host", *_OF_THE_CONNECTION, *self._named_by_connection()}
        kept = [field for field in self.headers if field[0].lower() not in left_out]
        lines = [b" ".join((self.method, target, self.version))]
        lines += [b"%s: %s" % field for field in [(b"Host", host), *kept, (b"Connection", b"close")]]
        return b"\r\n".join([*lines, *proxy_credentials.splitlines(), b"", b""])

    def _named_by_connection(self) -> Iterator[bytes]:
        """Further headers of the connection, in lower case."""
        for name, text in self.headers:
            if name.lower() == b"connection":
                yield from (word.strip() for word in text.lower().split(b","))


class _Proxy:
    """The work of the proxy on its event loop."""

    def __init__(self, route: Route, upstream: Upstream) -> None:
        self._route = route
        self._upstream = upstream
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: WeakSet[asyncio.StreamWriter] = WeakSet()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection, until both sides have closed it."""
        self._writers.add(writer)
        task = asyncio.current_task()
        if task:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        # A task that ends as cancelled would be logged by asyncio.
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            try:
                request = _Request.parse(await reader.readuntil(b"\r\n\r\n"))
                others = await self._open(request, writer)
            except asyncio.LimitOverrunError:
                writer.write(_answer("431 Request Header Fields Too Large", f"more than {_HEAD_BYTES} bytes"))
            except _RefusedError as error:
                writer.write(_answer(error.status, str(error)))
            else:
                await _join((reader, writer), others)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            writer.close()
            await writer.wait_closed()

    async def end(self) -> None:
        """Close all connections, also those that the server closes now."""
        for writer in list(self._writers):
            writer.transport.abort()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # The event loop closes the sockets in its next round.
        await asyncio.sleep(0)

    async def _open(self, request: _Request, writer: asyncio.StreamWriter) -> _Streams:
        """Connect to the server of a request, and pass on the head or confirm the tunnel."""
        if request.method == b"CONNECT":
            server = await self._connect(request)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            return server
        proxy = self._proxy_of(request)
        if proxy and request.url.scheme == "http":
            server = await self._reach(proxy.hostname or "", proxy.port or 80)
            head = request.for_server(is_absolute=True, proxy_credentials=credentials(proxy))
        else:
            server = await self._connect(request)
            head = request.for_server(is_absolute=False)
        server[1].write(head)
        return server

    async def _connect(self, request: _Request) -> _Streams:
        """A connection over which the server of a request can be talked to as the client wants to."""
        host, port = request.url.hostname or "", request.port
        # Some libraries send https:// URLs to a proxy as they send http:// URLs. They expect the proxy to do TLS.
        tls = ssl.create_default_context() if request.method != b"CONNECT" and request.url.scheme == "https" else None
        if self._route.covers(host):
            if port not in self._route.ports:
                raise _RefusedError("502 Bad Gateway", f"the mock does not serve port {port} of {host}")
            to = self._route.ports[80 if tls else port]
            return await self._reach(self._route.address, to)
        proxy = self._proxy_of(request)
        if proxy is None:
            return await self._reach(host, port, tls)
        reader, writer = await self._reach(proxy.hostname or "", proxy.port or 80)
        shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        head = f"CONNECT {shown} HTTP/1.1\r\nHost: {shown}\r\n".encode("latin-1") + credentials(proxy) + b"\r\n"
        writer.write(head)
        try:
            reply = await reader.readuntil(b"\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            writer.close()
            raise _RefusedError("502 Bad Gateway", f"the proxy {proxy.hostname} gives no answer") from error
        if reply.split(b" ")[1:2] != [b"200"]:
            writer.close()
            line = reply.split(b"\r\n")[0].decode("latin-1")
            raise _RefusedError("502 Bad Gateway", f"the proxy {proxy.hostname} answers {line}")
        if tls:
            await writer.start_tls(tls, server_hostname=host)
        return reader, writer

    async def _reach(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> _Streams:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                # An address that does not answer must not delay the next one of the same host.
                streams = await asyncio.open_connection(
                    host, port, ssl=tls, limit=_HEAD_BYTES, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS
                )
        except TimeoutError as error:
            raise _RefusedError("504 Gateway Timeout", f"{host}:{port} does not answer") from error
        except (OSError, UnicodeError) as error:
            raise _RefusedError("502 Bad Gateway", f"no connection to {host}:{port}: {error}") from error
        self._writers.add(streams[1])
        return streams

    def _proxy_of(self, request: _Request) -> SplitResult | None:
        host = request.url.hostname or ""
        return None if self._route.covers(host) else self._upstream.proxy_for(request.url.scheme, host, request.port)


def _answer(status: str, reason: str) -> bytes:
    body = f"vehicle-ocr-mock proxy: {reason}\n".encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body


async def _join(client: _Streams, server: _Streams) -> None:
    """Pass on the bytes of both sides until both have ended, or one is broken."""
    async with asyncio.TaskGroup() as group:
        directions = [
            group.create_task(_pass_on(client[0], server[1])),
            group.create_task(_pass_on(server[0], client[1])),
        ]

        def end_both(done: asyncio.Task[bool]) -> None:
            if not done.cancelled() and done.result():
                for one in directions:
                    one.cancel()

        for task in directions:
            task.add_done_callback(end_both)
    server[1].close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Copy until the end; whether the connection is broken. A side that has ended may still receive."""
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        # A reset is passed on as a reset, not as the end of the stream.
        with contextlib.suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
        return True
    return False


@contextmanager
def proxy(route: Route, upstream: Upstream) -> Iterator[str]:
    """Serve on a free loopback port, from a thread, while the context lasts. Gives the proxy's URL.

    Raises SettingsError for an upstream proxy that cannot be used.
    """
    upstream.check()
    with start_blocking_portal() as thread, thread.wrap_async_context_manager(_served(route, upstream)) as port:
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def _served(route: Route, upstream: Upstream) -> AsyncIterator[int]:
    """Serve while the context lasts. Gives the port."""
    work = _Proxy(route, upstream)
    server = await asyncio.start_server(work.serve, "127.0.0.1", 0, limit=_HEAD_BYTES)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await work.end()
