"""The shared store: Redis or Valkey, reached by several processes that behave as one.

The only file that imports redis. `Link` is the way there; `RedisStore` offers the acts of a `Store` over it.
"""

import asyncio
import contextlib
import hashlib
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from mock_server.core import redis_acts
from mock_server.core.account import Account
from mock_server.core.store import Entry, Meter, Rate, Terms
from mock_server.core.stored import account_from_json, account_to_json
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
_KNOWN_ACCOUNTS = 10_000

Argument = str | bytes | int | float


class Link:
    """One connection that carries many calls at once, in order. It is opened when needed and again when it breaks.

    A call is never sent twice: whoever called when the connection broke cannot know what became of it.
    """

    def __init__(self, url: str) -> None:
        try:
            self._pool = ConnectionPool.from_url(
                url, protocol=2, socket_timeout=None, socket_connect_timeout=_TIMEOUT, retry=None
            )
            self._made()
        except (ValueError, TypeError, RedisError) as error:
            raise SettingsError(f"--state cannot be used: {error}") from None
        self._connection: Connection | None = None
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._reading: asyncio.Task[None] | None = None
        self._opening: asyncio.Task[Connection] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._heard = 0.0
        self._gone: tuple[float, str] | None = None

    async def call(self, *command: Argument) -> Any:
        """The reply to a command. Raises StoreUnavailableError, and ResponseError for a command that is refused."""
        connection = self._connection
        if connection is None:
            connection = await self._open()
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[Any] = loop.create_future()
        if not self._waiting:
            self._heard = loop.time()
            if self._watch is None:
                self._watch = loop.call_later(_TIMEOUT, self._look)
        self._waiting.append(reply)
        try:
            await connection.send_packed_command(connection.pack_command(*command), check_health=False)
        except (RedisError, OSError) as error:
            await self._break(connection, error)
        return await reply

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

    async def _open(self) -> Connection:
        if self._opening is None:
            self._refuse_while_gone()
            self._opening = asyncio.create_task(self._connect())
        # Everybody who waits shares one attempt, which outlives whoever began it.
        return await asyncio.shield(self._opening)

    def _refuse_while_gone(self) -> None:
        if self._gone is not None and asyncio.get_running_loop().time() < self._gone[0]:
            raise StoreUnavailableError(self._gone[1])

    def _made(self) -> Connection:
        connection: Connection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        return connection

    async def _connect(self) -> Connection:
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
        return connection

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
        failed, self._waiting = self._waiting, deque()
        for future in failed:
            if not future.done():
                future.set_exception(_unavailable(error))
        await connection.disconnect(nowait=True)


class Script:
    """A script that the server knows by its digest, and is told again when it has forgotten it."""

    def __init__(self, link: Link, prefix: str, text: str) -> None:
        self._link = link
        self._prefix = prefix
        self._text = text
        self._digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, *arguments: Argument) -> Any:
        """Run it. Raises StoreUnavailableError, also where the server will not run it now."""
        try:
            try:
                return await self._link.call("EVALSHA", self._digest, 1, self._prefix, *arguments)
            except NoScriptError:
                return await self._link.call("EVAL", self._text, 1, self._prefix, *arguments)
        except ResponseError as error:
            raise _unavailable(error) from None


class RedisStore:
    """A `Store` in Redis or Valkey, shared by all that use the same URL."""

    def __init__(self, url: str) -> None:
        """`url` is redis://, rediss:// or unix://, with `?namespace=` where several mocks share a database.

        Raises SettingsError for what is no such URL.
        """
        address, self._prefix = _address(url)
        self._link = Link(address)
        self._known: dict[str, tuple[bytes, Account]] = {}
        self._put_account = self._script(redis_acts.PUT_ACCOUNT)
        self._remove_account = self._script(redis_acts.REMOVE_ACCOUNT)
        self._enter = self._script(redis_acts.ENTER)
        self._hit = self._script(redis_acts.HIT)
        self._spend = self._script(redis_acts.SPEND)
        self._set_used = self._script(redis_acts.SET_USED)
        self._advance = self._script(redis_acts.ADVANCE)
        self._set_position = self._script(redis_acts.SET_POSITION)
        self._reset = self._script(redis_acts.RESET)

    def _script(self, text: str) -> Script:
        return Script(self._link, self._prefix, text)

    async def _command(self, name: str, below: bytes, *arguments: Argument) -> Any:
        try:
            return await self._link.call(name, self._prefix.encode() + below, *arguments)
        except ResponseError as error:
            raise _unavailable(error) from None

    async def account(self, key: str) -> Account | None:
        entry = await self._command("HGET", b"accounts", _text(key))
        return None if entry is None else _parsed(entry)[2]

    async def accounts(self) -> list[Account]:
        entries = map(_parsed, await self._command("HVALS", b"accounts"))
        return [account for _, _, account in sorted(entries, key=lambda entry: entry[1])]

    async def put_account(
        self, account: Account, *, replace: bool = True, begin: Mapping[Meter, int] | None = None
    ) -> bool:
        counters: list[Argument] = []
        for meter, units in (begin or {}).items():
            counters += [meter.period, _field(meter), units]
        document = account_to_json(account)
        return bool(await self._put_account(_text(account.key), document, int(replace), *counters))

    async def remove_account(self, key: str) -> bool:
        return bool(await self._remove_account(_text(key)))

    async def enter(self, key: str, terms: Callable[[Account], Terms | None]) -> Entry | None:
        version, account = self._known.get(key, (b"", None))
        while True:
            measured = terms(account) if account else None
            reply = await self._enter(_text(key), version, *_measures(measured))
            if account and not isinstance(reply, list):
                return Entry(account, reply)
            if account and reply[0] == b"wait":
                return Entry(account, reply[1], float(reply[2]))
            self._known.pop(key, None)
            if reply[0] == b"unknown":
                return None
            version, _, account = _parsed(reply[1])
            if len(self._known) >= _KNOWN_ACCOUNTS:
                self._known.pop(next(iter(self._known)))
            self._known[key] = version, account

    async def used(self, meter: Meter) -> int:
        name = b"used:%b:%b" % (meter.period.encode(), _text(meter.key))
        return int(await self._command("HGET", name, _field(meter)) or 0)

    async def set_used(self, meter: Meter, units: int) -> None:
        await self._set_used(_text(meter.key), meter.period, _field(meter), units)

    async def spend(self, meter: Meter, limit: int | None) -> int | None:
        bound = () if limit is None else (limit,)
        used: int | None = await self._spend(_text(meter.key), meter.period, _field(meter), *bound)
        return used

    async def hit(self, key: str, rate: Rate, now: float) -> float | None:
        wait = await self._hit(_text(key), rate.amount, rate.seconds, now)
        return None if wait is None else float(wait)

    async def advance(self, key: str, scenario: str) -> int:
        return int(await self._advance(_text(key), scenario))

    async def set_position(self, key: str, scenario: str, position: int) -> None:
        await self._set_position(_text(key), scenario, position)

    async def positions(self, scenario: str) -> Mapping[str, int]:
        found = iter(await self._command("HGETALL", b"positions:" + scenario.encode()))
        return {
            key.decode("utf-8", "surrogateescape"): int(value)
            for key, value in zip(found, found, strict=True)
        }

    async def reset(self, key: str | None = None) -> None:
        await self._reset(*(() if key is None else (_text(key),)))

    async def close(self) -> None:
        await self._link.close()


def _unavailable(cause: Exception | str) -> StoreUnavailableError:
    return StoreUnavailableError(f"the shared store does not answer: {cause}")


def _address(url: str) -> tuple[str, str]:
    """The URL as the client understands it, and the prefix of all names."""
    parts = urlsplit(url)
    scheme = {"valkey": "redis", "valkeys": "rediss"}.get(parts.scheme, parts.scheme)
    query = dict(parse_qsl(parts.query))
    namespace = query.pop("namespace", "")
    prefix = f"vehicle-ocr-mock:{namespace}:" if namespace else "vehicle-ocr-mock:"
    return urlunsplit(parts._replace(scheme=scheme, query=urlencode(query))), prefix


def _text(key: str) -> bytes:
    # Clients send keys of any bytes; those that are no text have been read as lone surrogates.
    return key.encode("utf-8", "surrogateescape")


def _field(meter: Meter) -> str:
    return f"{meter.kind}/{meter.product}"


def _measures(terms: Terms | None) -> tuple[Argument, ...]:
    if terms is None:
        return ()
    if terms.rate is None:
        return terms.meter.period, _field(terms.meter)
    return terms.meter.period, _field(terms.meter), terms.rate.amount, terms.rate.seconds, terms.now


def _parsed(entry: bytes) -> tuple[bytes, int, Account]:
    version, place, document = entry.split(b":", 2)
    return version, int(place), account_from_json(document)
