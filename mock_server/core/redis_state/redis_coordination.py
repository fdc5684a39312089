"""The clock, the overrides and the runtime scenarios of all processes, in Redis or Valkey.

Below the prefix of all names:

    version     "EPOCH:NUMBER": how many changes there were since the state was empty
    settings    the clock and the overrides
    scenarios   hash: id to runtime scenario, with the bytes of its pictures
    changes     list: the ids of the scenarios that were changed last, "" for a change of the settings alone
    lock        held during a change; expires

A request is admitted only if its process has the current version (see ENTER). A process with an older version first
applies the changes since then.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from mock_server.core.clock import Clock, ClockState
from mock_server.core.live_scenarios import LiveScenarios, RuntimeScenario
from mock_server.core.overrides import Override, Overrides
from mock_server.core.redis_state.redis_client import Argument, RedisClient
from mock_server.core.serialization import from_json, to_json
from mock_server.core.state import ReentrantLock
from mock_server.errors import StoreUnavailableError

_LOCK_MILLISECONDS = 10_000
"""After this time the lock is free again, even if the process that held it has died."""
_RETRY_SECONDS = 0.005
_UNKNOWN = b"-"


@dataclass(frozen=True, slots=True)
class SharedSettings:
    """What the processes share besides scenarios."""

    clock: ClockState = ClockState()
    overrides: tuple[Override, ...] = ()
    is_chaos_paused: bool = False


class RedisCoordination:
    """A `Coordination` in Redis or Valkey. Call `attach` before use.

    `version` is the version that this process has.
    """

    def __init__(self, client: RedisClient) -> None:
        self.version = _UNKNOWN
        self._client = client
        self._initialize = client.script(INITIALIZE)
        self._read = client.script(READ)
        self._publish = client.script(PUBLISH)
        self._release = client.script(RELEASE)
        self._change_lock = ReentrantLock()
        self._refresh_lock = asyncio.Lock()

    def attach(
        self, clock: Clock, overrides: Overrides, live: LiveScenarios, declare: Callable[[], Awaitable[None]]
    ) -> None:
        self._clock = clock
        self._overrides = overrides
        self._live = live
        self._declare = declare

    async def refresh(self) -> None:
        if await self._client.command("GET", self._client.prefix + "version") == self.version:
            return
        async with self._refresh_lock:
            while not (found := await self._read(self.version)):
                await self._declare()
                await self._initialize(secrets.token_hex(8))
            version, settings, is_complete, ids, documents = found
            changes = {
                id.decode(): None if document is None else from_json(RuntimeScenario, document)
                for id, document in zip(ids, documents, strict=True)
                if id
            }
            await self._live.adopt(changes, is_complete=bool(is_complete))
            shared = from_json(SharedSettings, settings)
            self._clock.state, self._overrides.all = shared.clock, shared.overrides
            self._overrides.is_chaos_paused = shared.is_chaos_paused
            self.version = version

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[None]:
        async with self._change_lock.acquired() as is_outermost:
            if not is_outermost:
                yield
                return
            token = await self._acquire()
            try:
                await self.refresh()
                settings, runtime = self._settings, self._live.runtime
                yield
                await self._share(settings, runtime, token)
            except BaseException:
                # The next refresh reverts a change that was made here and not shared.
                self.version = _UNKNOWN
                raise
            finally:
                await self._release(token)

    @property
    def _settings(self) -> SharedSettings:
        return SharedSettings(self._clock.state, self._overrides.all, self._overrides.is_chaos_paused)

    async def _acquire(self) -> str:
        token = secrets.token_hex(8)
        lock = self._client.prefix + "lock"
        for _ in range(round(2 * _LOCK_MILLISECONDS / 1000 / _RETRY_SECONDS)):
            if await self._client.command("SET", lock, token, "NX", "PX", _LOCK_MILLISECONDS):
                return token
            await asyncio.sleep(_RETRY_SECONDS)
        raise StoreUnavailableError("another process does not finish its change")

    async def _share(self, settings: SharedSettings, before: Mapping[str, RuntimeScenario], token: str) -> None:
        """Publish what differs from the settings and the runtime scenarios before the change."""
        after = self._live.runtime
        changed = [id for id in {**before, **after} if before.get(id) is not after.get(id)]
        if not changed and settings == self._settings:
            return
        arguments: list[Argument] = [token, to_json(self._settings)]
        for id in changed:
            arguments += [id, to_json(after[id]) if id in after else b""]
        async with self._refresh_lock:
            version = await self._publish(*arguments)
            if not version:
                raise StoreUnavailableError("the change took too long and was not shared")
            self.version = version


INITIALIZE = """
if redis.call('SETNX', KEYS[1] .. 'version', ARGV[1] .. ':0') == 1 then
  redis.call('DEL', KEYS[1] .. 'settings', KEYS[1] .. 'scenarios', KEYS[1] .. 'changes')
end
return 1
"""
"""ARGV: a random epoch. Does nothing if there is a version."""

READ = """
local prefix, ids, documents = KEYS[1], {}, {}
local version = redis.call('GET', prefix .. 'version')
if not version then return {} end
local epoch, number = string.match(version, '^(.*):(%d+)$')
local known_epoch, known = string.match(ARGV[1], '^(.*):(%d+)$')
local is_known = known_epoch == epoch and number - known <= redis.call('LLEN', prefix .. 'changes')
if not is_known then
  ids = redis.call('HKEYS', prefix .. 'scenarios')
elseif number ~= known then
  ids = redis.call('LRANGE', prefix .. 'changes', known - number, -1)
end
for i, id in ipairs(ids) do documents[i] = redis.call('HGET', prefix .. 'scenarios', id) end
return {version, redis.call('GET', prefix .. 'settings') or '{}', is_known and 0 or 1, ids, documents}
"""
"""ARGV: the version that the caller has. Returns the version, the settings, whether all scenarios follow or those that
have changed (1 or 0), their ids and their documents (nil: removed). Returns nothing if there is no version."""

PUBLISH = """
local prefix = KEYS[1]
if redis.call('GET', prefix .. 'lock') ~= ARGV[1] then return false end
local epoch, number = string.match(redis.call('GET', prefix .. 'version'), '^(.*):(%d+)$')
local ids = {}
for i = 3, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', prefix .. 'scenarios', ARGV[i])
  else
    redis.call('HSET', prefix .. 'scenarios', ARGV[i], ARGV[i + 1])
  end
  ids[#ids + 1] = ARGV[i]
end
if #ids == 0 then ids = {''} end
for _, id in ipairs(ids) do redis.call('RPUSH', prefix .. 'changes', id) end
redis.call('LTRIM', prefix .. 'changes', -1000, -1)
redis.call('SET', prefix .. 'settings', ARGV[2])
local version = string.format('%s:%d', epoch, number + #ids)
redis.call('SET', prefix .. 'version', version)
return version
"""
"""ARGV: the lock's token, the settings, then the id and the document (empty: removed) of each changed scenario. Returns
the new version, or nil if the lock was lost."""

RELEASE = """
if redis.call('GET', KEYS[1] .. 'lock') == ARGV[1] then redis.call('DEL', KEYS[1] .. 'lock') end
return 1
"""
"""ARGV: the lock's token."""
