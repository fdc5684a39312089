"""The clock and the runtime scenarios as all processes have them.

The shared server keeps a version, which every change replaces by another. A request is let in only where its process
has that version (see ENTER); who has another takes over what is different first. Changes take turns by a lock.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from mock_server.core.clock import Clock, ClockState
from mock_server.core.coordination import Turn
from mock_server.core.live_scenarios import LiveScenarios, RuntimeScenario
from mock_server.core.redis_state.link import Argument, Link
from mock_server.core.redis_state.script import Script
from mock_server.core.scenario import Scenario
from mock_server.core.serialization import from_json, to_json
from mock_server.errors import StoreUnavailableError

_LONGEST_CHANGE = 10_000
"""Milliseconds until the lock of a process that died in the middle of a change is free again."""
_BETWEEN_TRIES = 0.005
_UNKNOWN = b"-"


@dataclass(frozen=True, slots=True)
class _Agreed:
    """What a version stands for: the clock, each runtime scenario's name and order, and how many were ever added."""

    clock: ClockState = ClockState()
    runtime: tuple[tuple[str, int], ...] = ()
    added: int = 0


@dataclass(frozen=True, slots=True)
class _Kept:
    """A runtime scenario without the bytes of its pictures, which are kept by their ids."""

    scenario: Scenario
    pictures: tuple[str, ...] = ()


class RedisCoordination:
    """A `Coordination` in Redis or Valkey. `attach` must be called before it is used."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._begin = Script(link, BEGIN)
        self._publish = Script(link, PUBLISH)
        self._unlock = Script(link, UNLOCK)
        self._turn = Turn()
        self._taking = asyncio.Lock()
        self._version = _UNKNOWN

    def attach(self, clock: Clock, stage: LiveScenarios, declare: Callable[[], Awaitable[None]]) -> None:
        """Say what is shared. `declare` puts the accounts of the files into a store that has lost all."""
        self._clock = clock
        self._stage = stage
        self._declare = declare

    @property
    def version(self) -> bytes:
        """The version that this process has."""
        return self._version

    async def refresh(self) -> None:
        if await self._link.command("GET", b"version") == self._version:
            return
        # Whoever waits here finds that all was taken over meanwhile, or takes over what is newer still.
        async with self._taking:
            while not await self._taken():
                pass

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[None]:
        async with self._turn.taken() as first:
            if not first:
                yield
                return
            token = await self._lock()
            try:
                await self.refresh()
                before = self._agreed()
                yield
                if self._agreed() != before:
                    await self._share(before, token)
            except BaseException:
                # What was changed here and not shared is put back by the next refresh.
                self._version = _UNKNOWN
                raise
            finally:
                await self._unlock(token)

    async def _lock(self) -> str:
        token = secrets.token_hex(8)
        for _ in range(round(2 * _LONGEST_CHANGE / 1000 / _BETWEEN_TRIES)):
            if await self._link.command("SET", b"lock", token, "NX", "PX", _LONGEST_CHANGE):
                return token
            await asyncio.sleep(_BETWEEN_TRIES)
        raise StoreUnavailableError("another process does not come to an end with its change")

    def _agreed(self) -> _Agreed:
        runtime = tuple((name, one.scenario.order) for name, one in self._stage.all_runtime().items())
        return _Agreed(self._clock.state, runtime, self._stage.added)

    async def _share(self, before: _Agreed, token: str) -> None:
        """Let all have what this process has."""
        agreed, runtime = self._agreed(), self._stage.all_runtime()
        gone = [name for name, _ in before.runtime if name not in runtime]
        added = [runtime[name] for name, _ in set(agreed.runtime) - set(before.runtime)]
        pictures = {id: data for one in added for id, data in one.pictures.items()}
        kept = {id for one in runtime.values() for id in one.pictures}
        arguments: list[Argument] = [token, secrets.token_hex(8), to_json(agreed)]
        arguments += [len(gone), *gone, len(added)]
        for one in added:
            arguments += [one.scenario.name, to_json(_Kept(one.scenario, tuple(one.pictures)))]
        arguments += [len(pictures)]
        for id, data in pictures.items():
            arguments += [id, data]
        arguments += sorted(kept)
        async with self._taking:
            version, self._version = self._version, _UNKNOWN
            if not await self._publish(*arguments):
                raise StoreUnavailableError(f"the change took too long (at version {version.decode()})")
            self._version = str(arguments[1]).encode()

    async def _taken(self) -> bool:
        """Take over what all have; False where that was changed meanwhile."""
        version, document = await self._link.call(
            ("MGET", self._link.prefix + b"version", self._link.prefix + b"world")
        )
        if version is None:
            await self._declare()
            await self._begin(secrets.token_hex(8), to_json(_Agreed()))
            return False
        if version == self._version:
            return True
        agreed = from_json(_Agreed, document)
        runtime = await self._runtime(agreed)
        if runtime is None:
            return False
        if agreed.added != self._stage.added or runtime != self._stage.all_runtime():
            await self._stage.adopt(runtime, agreed.added)
        self._clock.state = agreed.clock
        self._version = version
        return True

    async def _runtime(self, agreed: _Agreed) -> Mapping[str, RuntimeScenario] | None:
        known = self._stage.all_runtime()
        runtime = {
            name: known[name]
            for name, order in agreed.runtime
            if name in known and known[name].scenario.order == order
        }
        wanted = [name for name, _ in agreed.runtime if name not in runtime]
        found = await self._many(b"scenarios", wanted)
        kept = {name: from_json(_Kept, data) for name, data in found.items()}
        pictures = {id: data for one in known.values() for id, data in one.pictures.items()}
        unseen = {id for one in kept.values() for id in one.pictures} - pictures.keys()
        pictures |= await self._many(b"pictures", sorted(unseen))
        for name, one in kept.items():
            if not pictures.keys() >= set(one.pictures):
                return None
            runtime[name] = RuntimeScenario(one.scenario, {id: pictures[id] for id in one.pictures})
        if any(
            name not in runtime or runtime[name].scenario.order != order for name, order in agreed.runtime
        ):
            return None
        return {name: runtime[name] for name, _ in agreed.runtime}

    async def _many(self, below: bytes, names: list[str]) -> dict[str, bytes]:
        if not names:
            return {}
        values: list[Any] = await self._link.command("HMGET", below, *names)
        return {name: value for name, value in zip(names, values, strict=True) if value is not None}


BEGIN = """
if redis.call('SETNX', KEYS[1] .. 'version', ARGV[1]) == 1 then
  redis.call('SET', KEYS[1] .. 'world', ARGV[2])
  redis.call('DEL', KEYS[1] .. 'scenarios', KEYS[1] .. 'pictures')
end
return 1
"""
"""ARGV: version and world of a beginning; nothing where something has begun."""

PUBLISH = """
local prefix, at = KEYS[1], 4
if redis.call('GET', prefix .. 'lock') ~= ARGV[1] then return 0 end
local function each(width, act)
  local count = tonumber(ARGV[at])
  at = at + 1
  for _ = 1, count do
    act(ARGV[at], ARGV[at + 1])
    at = at + width
  end
end
each(1, function(name) redis.call('HDEL', prefix .. 'scenarios', name) end)
each(2, function(name, document) redis.call('HSET', prefix .. 'scenarios', name, document) end)
each(2, function(id, bytes) redis.call('HSET', prefix .. 'pictures', id, bytes) end)
local kept = {}
for i = at, #ARGV do kept[ARGV[i]] = true end
for _, id in ipairs(redis.call('HKEYS', prefix .. 'pictures')) do
  if not kept[id] then redis.call('HDEL', prefix .. 'pictures', id) end
end
redis.call('SET', prefix .. 'world', ARGV[3])
redis.call('SET', prefix .. 'version', ARGV[2])
return 1
"""
"""ARGV: the lock's token, new version, world; how many scenarios are gone and their names; how many are new and each
one's name and document; how many pictures are new and each one's id and bytes; the ids of all pictures in use.
0 where the lock was lost."""

UNLOCK = """
if redis.call('GET', KEYS[1] .. 'lock') == ARGV[1] then redis.call('DEL', KEYS[1] .. 'lock') end
return 1
"""
"""ARGV: the lock's token."""
