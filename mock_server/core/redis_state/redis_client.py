"""The connection to Redis or Valkey. The only file that imports redis."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from mock_server.errors import SettingsError, StoreUnavailableError

try:
    from hiredis import pack_command
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import NoScriptError, RedisError, ResponseError
except ImportError:
    raise SettingsError("a shared state needs redis-py: install this package with its extra [redis]") from None

_LUA = Path(__file__).parent / "lua"
_FUNCTION = re.compile(r"^function acts\.(\w+)\(\)$(.*?)^end$", re.MULTILINE | re.DOTALL)
_TIMEOUT = 2.0
"""Seconds to wait for a connection or a reply before the server counts as unavailable."""
_TICKS = 4
"""How many ticks of a timer are this time. The first one may come at once."""

Argument = str | bytes | int | float
RunAct = Callable[..., Awaitable[Any]]
# hiredis declares a tuple of exactly one argument.
_pack = cast("Callable[[tuple[Argument, ...]], bytes]", pack_command)


class RedisClient:
    """Sends commands and scripts on one connection. Every failure is a StoreUnavailableError.

    Commands that are issued while others are under way go out together: one write and one read for all of them.
    A command is never sent twice: if a reply is lost, it may or may not have been executed.
    """

    def __init__(self, url: str) -> None:
        """`url` is redis://, rediss:// or unix://, with `?namespace=` if several mocks share a database.

        Raises SettingsError if the URL cannot be used.
        """
        try:
            address, self.prefix = _parse(url)
            self._redis: Redis = Redis.from_url(address, protocol=2, retry=Retry(NoBackoff(), 0), socket_timeout=None)
            pool = self._redis.connection_pool
            self._connection = pool.make_connection()  # type: ignore[no-untyped-call]  # redis-py declares no types
        except (ValueError, TypeError, RedisError) as error:
            raise SettingsError(f"--state cannot be used: {error}") from None
        self._scripts: dict[str, str] = {}
        self._queue: list[tuple[tuple[Argument, ...], bytes, asyncio.Future[Any]]] = []
        self._sender: asyncio.Task[None] | None = None
        self._limit: asyncio.Timeout | None = None  # of the commands under way
        self._ticks = 0  # since these were sent
        self._timer: asyncio.TimerHandle | None = None

    def acts(self, *names: str) -> RunAct:
        """The atomic acts of a Lua file in `lua/`, as a function of an act's name and its arguments.

        Of several files, it is the last one; its acts use the local functions of the others.
        """
        texts = [(_LUA / f"{name}.lua").read_text("utf-8") for name in names]
        above = "\n".join(text.partition("\nfunction ")[0] for text in texts)
        scripts = {act: above + body for act, body in _FUNCTION.findall(texts[-1])}
        # To call a registered script takes 40 µs more. Its digest is enough here.
        digests = {act: self._redis.register_script(script).sha for act, script in scripts.items()}
        self._scripts |= {digests[act]: script for act, script in scripts.items()}

        def run(act: str, *arguments: Argument) -> Awaitable[Any]:
            return self.command("EVALSHA", digests[act], 1, self.prefix, *arguments)

        return run

    def command(self, *command: Argument) -> Awaitable[Any]:
        """Send a command. What is returned, when awaited, gives the reply or raises StoreUnavailableError."""
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        # Packed here: a command that cannot be written fails alone.
        self._queue.append((command, _pack(command), reply))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_queue())
            if self._timer is None:
                self._tick()
        return reply

    async def close(self) -> None:
        """Wait for the commands under way and close the connection. The client may be used again."""
        if self._sender is not None:
            await self._sender
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self._connection.disconnect()
        await self._redis.aclose()

    async def _send_queue(self) -> None:
        try:
            while self._queue:
                await self._send_together()
                # The requests that have their replies now issue their next commands, to go out with those that wait.
                await asyncio.sleep(0)
        finally:
            self._sender = None

    async def _send_together(self) -> None:
        sent, self._queue = self._queue, []
        try:
            replies = await self._execute([packed for _, packed, _ in sent])
        except BaseException:  # this task was cancelled
            for _, _, future in sent:
                future.cancel()
            raise
        for (command, _, future), reply in zip(sent, replies, strict=True):
            if future.done():  # its caller was cancelled
                continue
            if isinstance(reply, NoScriptError):
                # The server does not know the script, so it was not executed.
                again = ("EVAL", self._scripts[str(command[1])], *command[2:])
                self._queue.append((again, _pack(again), future))
            elif isinstance(reply, Exception):
                future.set_exception(_unavailable(reply))
            else:
                future.set_result(reply)

    async def _execute(self, commands: list[bytes]) -> list[Any]:
        """The replies to commands that are sent together. An error is a value.

        A pipeline of redis-py does the same and takes longer: 50 µs each time, and 8 µs for each command, because it
        packs the commands in Python.
        """
        self._ticks = 0
        try:
            async with asyncio.timeout(None) as self._limit:
                # Connects if it must: also after the server has closed the connection.
                await self._redis.connection_pool.ensure_connection(self._connection)
                await self._connection.send_packed_command(b"".join(commands))
                return [await self._read_reply() for _ in commands]
        except (RedisError, OSError) as error:
            return [error] * len(commands)
        finally:
            self._limit = None

    def _tick(self) -> None:
        """End the commands under way if their time is over. Called again and again while there are commands.

        A timer for each batch of them would take 12 µs more. Time in which this process could not run, because the
        machine was busy, is one tick only: a reply that arrived meanwhile is not lost.
        """
        self._ticks += 1
        if self._limit is not None and self._ticks > _TICKS:
            self._limit.reschedule(0)
            self._limit = None
        is_needed = self._sender is not None
        self._timer = asyncio.get_running_loop().call_later(_TIMEOUT / _TICKS, self._tick) if is_needed else None

    async def _read_reply(self) -> Any:
        try:
            return await self._connection.read_response()
        except ResponseError as error:
            return error


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
