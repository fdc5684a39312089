"""The clock and the runtime scenarios of all processes, in Redis or Valkey.

Below the prefix of all names:

    version     a random text; each change of the clock or of a runtime scenario replaces it
    shared      the clock, and the ids and orders of the runtime scenarios
    scenarios   hash: id to runtime scenario, with the bytes of its pictures
    lock        held during a change; expires

A request is admitted only if its process has the current version (see ENTER). A process with another version first
applies what has changed.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from mock_server.core.clock import Clock, ClockState
from mock_server.core.live_scenarios import LiveScenarios, RuntimeScenario
from mock_server.core.redis_state.redis_client import Argument, RedisClient
from mock_server.core.serialization import from_json, to_json
from mock_server.core.state import ReentrantLock
from mock_server.errors import StoreUnavailableError

_LOCK_MILLISECONDS = 10_000
"""After this time the lock is free again, even if the process that held it has died."""
_RETRY_SECONDS = 0.005
_UNKNOWN = b"-"


@dataclass(frozen=True, slots=True)
class _SharedState:
    """The content of a version: the clock, the id and order of each runtime scenario, how many were ever added."""

    clock: ClockState = ClockState()
    runtime: tuple[tuple[str, int], ...] = ()
    added: int = 0


class RedisCoordination:
    """A `Coordination` in Redis or Valkey. Call `attach` before use."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client
        self._initialize = client.script(INITIALIZE)
        self._publish = client.script(PUBLISH)
        self._release = client.script(RELEASE)
        self._change_lock = ReentrantLock()
        self._refresh_lock = asyncio.Lock()
        self._version = _UNKNOWN

    def attach(self, clock: Clock, live: LiveScenarios, declare: Callable[[], Awaitable[None]]) -> None:
        """Set what is shared. `declare` adds the accounts of the files to a store that has lost everything."""
        self._clock = clock
        self._live = live
        self._declare = declare

    @property
    def version(self) -> bytes:
        """The version that this process has."""
        return self._version

    async def refresh(self) -> None:
        if await self._client.command("GET", self._name("version")) == self._version:
            return
        async with self._refresh_lock:
            while not await self._apply_current():
                pass

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[None]:
        async with self._change_lock.acquired() as is_outermost:
            if not is_outermost:
                yield
                return
            token = await self._acquire()
            try:
                await self.refresh()
                before = self._shared_state()
                yield
                if self._shared_state() != before:
                    await self._share(before, token)
            except BaseException:
                # The next refresh reverts a change that was made here and not shared.
                self._version = _UNKNOWN
                raise
            finally:
                await self._release(token)

    async def _acquire(self) -> str:
        token = secrets.token_hex(8)
        lock = self._name("lock")
        for _ in range(round(2 * _LOCK_MILLISECONDS / 1000 / _RETRY_SECONDS)):
            if await self._client.command("SET", lock, token, "NX", "PX", _LOCK_MILLISECONDS):
                return token
            await asyncio.sleep(_RETRY_SECONDS)
        raise StoreUnavailableError("another process does not finish its change")

    def _shared_state(self) -> _SharedState:
        runtime = tuple((id, one.scenario.order) for id, one in self._live.all_runtime().items())
        return _SharedState(self._clock.state, runtime, self._live.added)

    async def _share(self, before: _SharedState, token: str) -> None:
        """Publish the state of this process."""
        state, runtime = self._shared_state(), self._live.all_runtime()
        removed = [id for id, _ in before.runtime if id not in runtime]
        version = secrets.token_hex(8)
        arguments: list[Argument] = [token, version, to_json(state), len(removed), *removed]
        for id, _ in set(state.runtime) - set(before.runtime):
            arguments += [id, to_json(runtime[id])]
        async with self._refresh_lock:
            self._version = _UNKNOWN
            if not await self._publish(*arguments):
                raise StoreUnavailableError("the change took too long and was not shared")
            self._version = version.encode()

    async def _apply_current(self) -> bool:
        """Apply the current version. False if it has changed meanwhile."""
        version, document = await self._client.command("MGET", self._name("version"), self._name("shared"))
        if version is None:
            await self._declare()
            await self._initialize(secrets.token_hex(8), to_json(_SharedState()))
            return False
        if version == self._version:
            return True
        state = from_json(_SharedState, document)
        runtime = await self._read_runtime(state)
        if runtime is None:
            return False
        if state.added != self._live.added or runtime != self._live.all_runtime():
            await self._live.adopt(runtime, state.added)
        self._clock.state = state.clock
        self._version = version
        return True

    async def _read_runtime(self, state: _SharedState) -> Mapping[str, RuntimeScenario] | None:
        """The runtime scenarios of a version, None if some have changed. Those that this process has are not read."""
        known = self._live.all_runtime()
        runtime = {id: known.get(id) for id, _ in state.runtime}
        unknown = [id for id, order in state.runtime if _order(runtime[id]) != order]
        if unknown:
            documents = await self._client.command("HMGET", self._name("scenarios"), *unknown)
            for id, document in zip(unknown, documents, strict=True):
                runtime[id] = None if document is None else from_json(RuntimeScenario, document)
        is_complete = all(_order(runtime[id]) == order for id, order in state.runtime)
        return {id: one for id, one in runtime.items() if one is not None} if is_complete else None

    def _name(self, name: str) -> str:
        return self._client.prefix + name


def _order(runtime: RuntimeScenario | None) -> int | None:
    return None if runtime is None else runtime.scenario.order


INITIALIZE = """
if redis.call('SETNX', KEYS[1] .. 'version', ARGV[1]) == 1 then
  redis.call('SET', KEYS[1] .. 'shared', ARGV[2])
  redis.call('DEL', KEYS[1] .. 'scenarios')
end
return 1
"""
"""ARGV: the first version and its content. Does nothing if there is a version."""

PUBLISH = """
local prefix, removed = KEYS[1], tonumber(ARGV[4])
if redis.call('GET', prefix .. 'lock') ~= ARGV[1] then return 0 end
for i = 5, 4 + removed do redis.call('HDEL', prefix .. 'scenarios', ARGV[i]) end
for i = 5 + removed, #ARGV, 2 do redis.call('HSET', prefix .. 'scenarios', ARGV[i], ARGV[i + 1]) end
redis.call('SET', prefix .. 'shared', ARGV[3])
redis.call('SET', prefix .. 'version', ARGV[2])
return 1
"""
"""ARGV: the lock's token, the new version and its content; the number of removed scenarios and their ids; the id
and the document of each new scenario. Returns 0 if the lock was lost."""

RELEASE = """
if redis.call('GET', KEYS[1] .. 'lock') == ARGV[1] then redis.call('DEL', KEYS[1] .. 'lock') end
return 1
"""
"""ARGV: the lock's token."""
