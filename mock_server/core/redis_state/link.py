"""The way to the shared server. The only file that imports redis."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from mock_server.core.redis_state.replies import Replies, ReplyError
from mock_server.errors import SettingsError, StoreUnavailableError

try:
    from redis.asyncio import Connection, ConnectionPool
    from redis.exceptions import RedisError
except ImportError:
    raise SettingsError(
        "a shared state needs the extra 'redis': pip install 'vehicle-ocr-mock[redis]'"
    ) from None

_TIMEOUT = 2.0
"""Seconds until a server that does not connect, or does not reply, counts as gone."""
_PAUSE = 0.2
"""Seconds in which a server that is gone is not asked again."""

Argument = str | bytes | int | float
Command = tuple[Argument, ...]
Settle = Callable[[Any], None]
"""Told what became of a call: its reply, or the error."""


class Link:
    """One connection that carries many calls at once, in order. It is opened when needed and again when it breaks.

    A call is never sent twice: whoever called when the connection broke cannot know what became of it.
    """

    def __init__(self, url: str) -> None:
        """`url` is redis://, rediss:// or unix://, with `?namespace=` where several mocks share a database.

        Raises SettingsError for what is no such URL.
        """
        try:
            address, self.prefix = _address(url)
            self._pool = ConnectionPool.from_url(
                address, protocol=2, socket_timeout=None, socket_connect_timeout=_TIMEOUT, retry=None
            )
            self._made()
        except (ValueError, TypeError, RedisError) as error:
            raise SettingsError(f"--state cannot be used: {error}") from None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wire: _Wire | None = None
        self._unsent: list[bytes] = []
        self._waiting: deque[Settle] = deque()
        self._opening: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._watch: asyncio.TimerHandle | None = None
        self._heard = 0.0
        self._gone: tuple[float, str] | None = None

    @property
    def is_open(self) -> bool:
        """Whether a call can be posted."""
        return self._wire is not None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that this is used on. To ask for the running one takes a call to the system each time."""
        return self._loop or asyncio.get_running_loop()

    async def command(self, name: str, below: bytes, *arguments: Argument) -> Any:
        """The reply to a command on one of the names below the prefix. Raises StoreUnavailableError."""
        try:
            return await self.call((name, self.prefix + below, *arguments))
        except ReplyError as error:
            raise unavailable(error) from None

    async def call(self, command: Command) -> Any:
        """The reply to a command. Raises StoreUnavailableError, and ReplyError for a command that is refused."""
        if self._wire is None:
            await self.open()
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.post(command, partial(settle, reply))
        return await reply

    def post(self, command: Command, settle: Settle) -> None:
        """Send a command with all others of this turn of the event loop."""
        if self._wire is not None and not self._unsent:
            self.loop.call_soon(self._flush)
        self._put(_pieces(command), settle)

    def send(self, commands: Sequence[Command], settle: Settle) -> None:
        """Send commands now, with what was posted; no others come between. `settle` is told the last one's reply."""
        failures: list[Exception] = []

        def queued(reply: Any) -> None:
            if isinstance(reply, Exception):
                failures.append(reply)

        def done(reply: Any) -> None:
            # What was refused first tells more than that nothing was done in the end.
            settle(reply[-1] if isinstance(reply, list) else failures[0] if failures else reply)

        if len(commands) == 1:
            self._put(_pieces(commands[0]), settle)
        else:
            self._put(_MULTI, queued)
            for command in commands:
                self._put(_pieces(command), queued)
            self._put(_EXEC, done)
        self._flush()

    def post_from_thread(self, command: Command) -> None:
        """Send a command from a thread other than the event loop's, if the connection is open; nobody is told."""
        loop = self._loop
        if loop is not None:
            # The loop may have ended meanwhile.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self.post, command, lambda reply: None)

    def _put(self, pieces: list[bytes], settle: Settle) -> None:
        if self._wire is None:
            settle(unavailable("the connection was closed"))
            return
        if not self._waiting:
            self._heard = self.loop.time()
            if self._watch is None:
                self._watch = self.loop.call_later(_TIMEOUT, self._look)
        self._waiting.append(settle)
        self._unsent += pieces

    def _flush(self) -> None:
        # One write, however many calls.
        if self._wire is not None and self._unsent:
            self._wire.transport.write(b"".join(self._unsent))
        self._unsent.clear()

    async def open(self) -> None:
        """Connect, unless that is done. Raises StoreUnavailableError."""
        if self._wire is not None:
            return
        if self._opening is None:
            self._refuse_while_gone()
            self._opening = asyncio.create_task(self._connect())
        # Everybody who waits shares one attempt, which outlives whoever began it.
        await asyncio.shield(self._opening)

    async def close(self) -> None:
        """Close the connection; calls under way fail."""
        if self._wire is not None:
            self._break(self._wire, "closed")
        await asyncio.gather(*self._closing)
        self._gone = None

    def _refuse_while_gone(self) -> None:
        if self._gone is not None and asyncio.get_running_loop().time() < self._gone[0]:
            raise StoreUnavailableError(self._gone[1])

    def _made(self) -> Connection:
        # Parts of redis-py are not annotated.
        connection: Connection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        return connection

    async def _connect(self) -> None:
        connection = self._made()
        try:
            async with asyncio.timeout(_TIMEOUT):
                await connection.connect()  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as error:
            await connection.disconnect(nowait=True)
            gone = unavailable(str(error) or "no answer")
            self._gone = asyncio.get_running_loop().time() + _PAUSE, str(gone)
            raise gone from None
        finally:
            self._opening = None
        self._gone = None
        self._loop = asyncio.get_running_loop()
        self._wire = _Wire(connection, self._received, self._break)

    def _received(self, wire: "_Wire", reply: Any) -> None:
        if wire is not self._wire:
            return
        self._heard = self.loop.time()
        self._waiting.popleft()(reply)

    def _look(self) -> None:
        """Whether a reply is overdue."""
        self._watch = None
        if not self._waiting or self._wire is None:
            return
        left = self._heard + _TIMEOUT - self.loop.time()
        if left > 0:
            self._watch = self.loop.call_later(left, self._look)
        else:
            self._break(self._wire, "no answer")

    def _break(self, wire: "_Wire", cause: str) -> None:
        if wire is not self._wire:
            return
        self._wire = None
        self._unsent.clear()
        closing = self.loop.create_task(wire.connection.disconnect(nowait=True))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        self._loop = None
        failed, self._waiting = self._waiting, deque()
        for settle in failed:
            settle(unavailable(cause))


class _Wire(asyncio.Protocol):
    """An open connection. The client connects and logs in; from then on its bytes come here.

    The client's own way from bytes to replies, through a stream and a task, takes several times as long.
    """

    def __init__(
        self,
        connection: Connection,
        received: "Callable[[_Wire, Any], None]",
        broken: "Callable[[_Wire, str], None]",
    ) -> None:
        self.connection = connection
        self._received = received
        self._broken = broken
        self._replies = Replies()
        writer = connection._writer
        assert writer is not None
        self.transport: asyncio.WriteTransport = writer.transport
        self.transport.set_protocol(self)

    def data_received(self, data: bytes) -> None:
        """Bytes came in."""
        try:
            replies = self._replies.feed(data)
        except ValueError as error:
            self._broken(self, str(error))
            return
        for reply in replies:
            self._received(self, reply)

    def connection_lost(self, exc: Exception | None) -> None:
        """The server is gone."""
        self._broken(self, str(exc or "the connection was closed"))


def settle(future: "asyncio.Future[Any]", reply: Any) -> None:
    """Hand a reply to whoever waits for it, unless they gave up."""
    if future.done():
        return
    if isinstance(reply, Exception):
        future.set_exception(reply)
    else:
        future.set_result(reply)


def _pieces(command: Command) -> list[bytes]:
    """A command as it is sent: each word after its length. Nothing is joined yet, for words may be long."""
    pieces = [b"*%d" % len(command)]
    for word in command:
        sent = word if isinstance(word, bytes) else str(word).encode()
        pieces += b"\r\n$%d\r\n" % len(sent), sent
    pieces.append(b"\r\n")
    return pieces


_MULTI, _EXEC = _pieces(("MULTI",)), _pieces(("EXEC",))


def unavailable(cause: Exception | str) -> StoreUnavailableError:
    """The error of a call that was not answered."""
    return StoreUnavailableError(f"the shared store does not answer: {cause}")


def _address(url: str) -> tuple[str, bytes]:
    """The URL as the client understands it, and the prefix of all names."""
    parts = urlsplit(url)
    scheme = {"valkey": "redis", "valkeys": "rediss"}.get(parts.scheme, parts.scheme)
    query = dict(parse_qsl(parts.query))
    namespace = query.pop("namespace", "")
    prefix = f"vehicle-ocr-mock:{namespace}:" if namespace else "vehicle-ocr-mock:"
    return urlunsplit(parts._replace(scheme=scheme, query=urlencode(query))), prefix.encode()
