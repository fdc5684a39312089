"""The clock, the overrides and the runtime scenarios of all processes, in Redis or Valkey.

Below the prefix of all names:

    version     "EPOCH:NUMBER": how many changes there were since the state was empty
    settings    the clock and the overrides
    scenarios   hash: id to runtime scenario, with the bytes of its pictures
    changes     list: the ids of the scenarios that were changed last, "" for a change of the settings alone
    lock        held during a change; expires

A request is admitted only if its process has the current version (`enter` in `lua/store.lua`). A process with an older
version first applies the changes since then.
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
from mock_server.core.state import Coordination
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


class RedisCoordination(Coordination):
    """A `Coordination` in Redis or Valkey. Call `attach` before use.

    `version` is the version that this process has.
    """

    def __init__(self, client: RedisClient) -> None:
        super().__init__()
        self.version = _UNKNOWN
        self._client = client
        self._act = client.acts("coordination")
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
            while not (found := await self._act("read", self.version)):
                await self._declare()
                await self._act("initialize", secrets.token_hex(8))
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
                await self._act("release", token)

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
            version = await self._act("publish", *arguments)
            if not version:
                raise StoreUnavailableError("the change took too long and was not shared")
            self.version = version
