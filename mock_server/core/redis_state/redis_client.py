"""The connection to Redis or Valkey. The only file that imports redis."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from mock_server.errors import SettingsError, StoreUnavailableError

try:
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import NoScriptError, RedisError
except ImportError:
    raise SettingsError("a shared state needs redis-py: install this package with its extra [redis]") from None

_TIMEOUT = 2.0
"""Seconds to wait for a connection or a reply before the server counts as unavailable."""

Argument = str | bytes | int | float
RunScript = Callable[..., Awaitable[Any]]


class RedisClient:
    """Sends commands and scripts. Every failure is a StoreUnavailableError.

    Commands that are issued while others are under way go out together in the next pipeline: one write and one read
    for all of them. A command is never sent twice: if a reply is lost, it may or may not have been executed.
    """

    def __init__(self, url: str) -> None:
        """`url` is redis://, rediss:// or unix://, with `?namespace=` if several mocks share a database.

        Raises SettingsError if the URL cannot be used.
        """
        try:
            address, self.prefix = _parse(url)
            self._redis: Redis = Redis.from_url(address, protocol=2, retry=Retry(NoBackoff(), 0), socket_timeout=None)
            # A bad parameter is found when the first connection is made. redis-py declares no types for this call.
            self._redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        except (ValueError, TypeError, RedisError) as error:
            raise SettingsError(f"--state cannot be used: {error}") from None
        self._queue: list[tuple[tuple[Argument, ...], asyncio.Future[Any]]] = []
        self._sender: asyncio.Task[None] | None = None

    def script(self, text: str) -> RunScript:
        """A Lua script as a function of its ARGV. Its one key is the prefix of all names."""
        # A registered script would ask `SCRIPT EXISTS` before each pipeline. Its digest is enough here.
        sha = self._redis.register_script(text).sha

        async def run(*arguments: Argument) -> Any:
            try:
                return await self.command("EVALSHA", sha, 1, self.prefix, *arguments)
            except NoScriptError:
                # The server does not know the script, so it was not executed.
                return await self.command("EVAL", text, 1, self.prefix, *arguments)

        return run

    async def command(self, *command: Argument) -> Any:
        """The reply to a command. Raises StoreUnavailableError."""
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.append((command, reply))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_queue())
        return await reply

    async def close(self) -> None:
        """Wait for the commands under way and close the connection. The client may be used again."""
        if self._sender is not None:
            await self._sender
        await self._redis.aclose()

    async def _send_queue(self) -> None:
        while self._queue:
            sent, self._queue = self._queue, []
            replies = await self._execute([command for command, _ in sent])
            for (_, future), reply in zip(sent, replies, strict=True):
                if future.done():  # its caller was cancelled
                    continue
                if isinstance(reply, Exception):
                    future.set_exception(reply if isinstance(reply, NoScriptError) else _unavailable(reply))
                else:
                    future.set_result(reply)
        self._sender = None

    async def _execute(self, commands: list[tuple[Argument, ...]]) -> list[Any]:
        """The replies to commands that are sent as one pipeline. An error is a value."""
        pipeline = self._redis.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        try:
            async with _time_limit():
                return await pipeline.execute(raise_on_error=False)
        except (RedisError, OSError) as error:
            return [error] * len(commands)


@asynccontextmanager
async def _time_limit() -> AsyncIterator[None]:
    """Raise TimeoutError after `_TIMEOUT`. Time in which this process could not run, on a busy machine, does not count.

    With one timer, a reply that arrived during such a pause would be lost: the timer would be handled before it.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as limit:
        halfway = loop.call_later(_TIMEOUT / 2, lambda: limit.reschedule(loop.time() + _TIMEOUT / 2))
        try:
            yield
        finally:
            halfway.cancel()


def _unavailable(error: Exception) -> StoreUnavailableError:
    cause = f"no answer within {_TIMEOUT:g} seconds" if isinstance(error, TimeoutError) else error
    return StoreUnavailableError(f"the shared store does not answer: {cause}")


def _parse(url: str) -> tuple[str, str]:
    """The URL as redis-py understands it, and the prefix of all names."""
    parts = urlsplit(url)
    scheme = {"valkey": "redis", "valkeys": "rediss"}.get(parts.scheme, parts.scheme)
    query = dict(parse_qsl(parts.query))
    namespace = query.pop("namespace", "")
    prefix = f"vehicle-ocr-mock:{namespace}:" if namespace else "vehicle-ocr-mock:"
    return urlunsplit(parts._replace(scheme=scheme, query=urlencode(query))), prefix
