"""The way to the shared server. The only file that imports redis."""

import asyncio
import contextlib
import hashlib
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from mock_server.errors import SettingsError, StoreUnavailableError

try:
    from redis.asyncio import Connection, ConnectionPool
    from redis.exceptions import ConnectionError as RedisConnectionError
    from redis.exceptions import NoScriptError, RedisError, ResponseError
except ImportError:
    raise SettingsError(
        "a shared state needs the extra 'redis': pip install 'vehicle-ocr-mock[redis]'"
    ) from None

_TIMEOUT = 2.0
"""Seconds until a server that does not connect, or does not reply, counts as gone."""
_PAUSE = 0.2
"""Seconds in which a server that is gone is not asked again."""

Argument = str | bytes | int | float


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
        self._connection: Connection | None = None
        self._unsent: list[bytes] = []
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._reading: asyncio.Task[None] | None = None
        self._opening: asyncio.Task[None] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._heard = 0.0
        self._gone: tuple[float, str] | None = None

    async def command(self, name: str, below: bytes, *arguments: Argument) -> Any:
        """The reply to a command on one of the names below the prefix. Raises StoreUnavailableError."""
        try:
            return await self.call((name, self.prefix + below, *arguments))
        except ResponseError as error:
            raise _unavailable(error) from None

    async def call(self, command: tuple[Argument, ...]) -> Any:
        """The reply to a command. Raises StoreUnavailableError, and ResponseError for a command that is refused."""
        if self._connection is None:
            await self._open()
        reply = self.post(command)
        if reply is None:
            raise _unavailable("the connection was closed")
        return await reply

    def post(self, command: tuple[Argument, ...]) -> "asyncio.Future[Any] | None":
        """Send a command with all others of this turn of the event loop; its reply, or None without a connection."""
        if self._connection is None:
            return None
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[Any] = loop.create_future()
        if not self._waiting:
            self._heard = loop.time()
            if self._watch is None:
                self._watch = loop.call_later(_TIMEOUT, self._look)
        self._waiting.append(reply)
        if not self._unsent:
            loop.call_soon(self.flush)
        self._unsent.append(_packed(command))
        return reply

    def flush(self) -> None:
        """Send now what was to be sent with this turn of the event loop: one write, however many calls."""
        # The client can only wait until all is written, which nobody here needs to.
        writer = self._connection._writer if self._connection else None
        if writer is not None and self._unsent:
            writer.write(b"".join(self._unsent))
        self._unsent.clear()

    async def close(self) -> None:
        """Close the connection; calls under way fail."""
        reading, connection = self._reading, self._connection
        if connection is not None:
            await self._break(connection, RedisConnectionError("closed"))
        if reading is not None:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading
        self._reading = None
        self._gone = None

    async def _open(self) -> None:
        if self._opening is None:
            self._refuse_while_gone()
            self._opening = asyncio.create_task(self._connect())
        # Everybody who waits shares one attempt, which outlives whoever began it.
        await asyncio.shield(self._opening)

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
            gone = _unavailable(str(error) or "no answer")
            self._gone = asyncio.get_running_loop().time() + _PAUSE, str(gone)
            raise gone from None
        finally:
            self._opening = None
        self._gone = None
        self._connection = connection
        self._reading = asyncio.create_task(self._read(connection))

    async def _read(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    reply = await connection.read_response()
                except ResponseError as error:
                    reply = error
                self._heard = loop.time()
                self._settle(reply)
        except (RedisError, OSError) as error:
            await self._break(connection, error)

    def _settle(self, reply: Any) -> None:
        future = self._waiting.popleft()
        if future.done():
            return
        if isinstance(reply, ResponseError):
            future.set_exception(reply)
        else:
            future.set_result(reply)

    def _look(self) -> None:
        """Whether a reply is overdue."""
        self._watch = None
        if not self._waiting or self._connection is None:
            return
        loop = asyncio.get_running_loop()
        left = self._heard + _TIMEOUT - loop.time()
        if left > 0:
            self._watch = loop.call_later(left, self._look)
        elif self._reading is not None:
            self._reading.cancel()
            self._reading = loop.create_task(self._break(self._connection, RedisConnectionError("no answer")))

    async def _break(self, connection: Connection, error: Exception) -> None:
        if connection is not self._connection:
            return
        self._connection = None
        self._unsent.clear()
        failed, self._waiting = self._waiting, deque()
        for future in failed:
            if not future.done():
                future.set_exception(_unavailable(error))
        await connection.disconnect(nowait=True)


class Script:
    """A script that the server knows by its digest, and is told again when it has forgotten it."""

    def __init__(self, link: Link, text: str) -> None:
        self._link = link
        digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest().encode()
        self._by_digest: tuple[Argument, ...] = (b"EVALSHA", digest, b"1", link.prefix)
        self._by_text: tuple[Argument, ...] = (b"EVAL", text.encode(), b"1", link.prefix)

    async def __call__(self, *arguments: Argument) -> Any:
        """Run it. Raises StoreUnavailableError, also where the server will not run it now."""
        try:
            try:
                return await self._link.call((*self._by_digest, *arguments))
            except NoScriptError:
                return await self._link.call((*self._by_text, *arguments))
        except ResponseError as error:
            raise _unavailable(error) from None

    def post(self, done: Callable[[bool], None], *arguments: Argument) -> None:
        """Have it run without waiting; `done` is told whether it was."""

        def finish(reply: "asyncio.Future[Any]") -> None:
            error = None if reply.cancelled() else reply.exception()
            if isinstance(error, NoScriptError):
                again = self._link.post((*self._by_text, *arguments))
                if again is not None:
                    again.add_done_callback(lambda reply: done(reply.exception() is None))
                    return
            done(error is None)

        posted = self._link.post((*self._by_digest, *arguments))
        if posted is None:
            done(False)
        else:
            posted.add_done_callback(finish)


def _packed(command: tuple[Argument, ...]) -> bytes:
    """A command as it is sent: each word with its length."""
    words = [word if isinstance(word, bytes) else str(word).encode() for word in command]
    return b"*%d\r\n%b" % (len(words), b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words]))


def _unavailable(cause: Exception | str) -> StoreUnavailableError:
    return StoreUnavailableError(f"the shared store does not answer: {cause}")


def _address(url: str) -> tuple[str, bytes]:
    """The URL as the client understands it, and the prefix of all names."""
    parts = urlsplit(url)
    scheme = {"valkey": "redis", "valkeys": "rediss"}.get(parts.scheme, parts.scheme)
    query = dict(parse_qsl(parts.query))
    namespace = query.pop("namespace", "")
    prefix = f"vehicle-ocr-mock:{namespace}:" if namespace else "vehicle-ocr-mock:"
    return urlunsplit(parts._replace(scheme=scheme, query=urlencode(query))), prefix.encode()
