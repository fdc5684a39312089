"""Everything that outlives a request, in the memory of this process or shared with other processes."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mock_server.core.clock import Clock
from mock_server.core.journal import Journal, JournalEntry, MemoryJournal
from mock_server.core.overrides import Overrides
from mock_server.core.picture_caches import Thumbnails
from mock_server.core.rehearsal import MemoryRehearsal, ObservedCall, Rehearsal
from mock_server.core.store import Admission, MemoryStore, Store

if TYPE_CHECKING:
    from mock_server.core.live_scenarios import LiveScenarios


class Coordination:
    """What the processes of one mock agree on, besides counters: the clock, the overrides and the runtime scenarios.

    Changes are made one after another. When one is complete, every process sees it at its next `refresh`. Here there is
    one process; `redis_coordination` serves several.
    """

    def __init__(self) -> None:
        self._change_lock = ReentrantLock()

    def attach(
        self, clock: Clock, overrides: Overrides, live: "LiveScenarios", declare: Callable[[], Awaitable[None]]
    ) -> None:
        """Set what is shared, once. `declare` adds the accounts of the files to a store that has lost everything."""

    def changing(self) -> AbstractAsyncContextManager[object]:
        """Change the clock, overrides, runtime scenarios or accounts while no other process does. Re-entrant.

        Raises StoreUnavailableError if the change could not be shared.
        """
        return self._change_lock.acquired()

    async def refresh(self) -> None:
        """Apply the changes of other processes. Raises StoreUnavailableError."""


class ReentrantLock:
    """An asyncio lock that its holder may acquire again."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._is_held: ContextVar[bool] = ContextVar("is_held", default=False)

    @asynccontextmanager
    async def acquired(self) -> AsyncIterator[bool]:
        """Hold the lock. Yields False if the caller holds it already."""
        if self._is_held.get():
            yield False
            return
        async with self._lock:
            token = self._is_held.set(True)
            try:
                yield True
            finally:
                self._is_held.reset(token)


Share = Callable[[JournalEntry, ObservedCall | None, Admission | None], Awaitable[bool]]
"""Adds a call to a journal and to a rehearsal outside this process, and spends the unit that it costs in the same act.

False, and nothing is added, if no unit was left. Raises StoreUnavailableError for a call that costs a unit.
"""


@dataclass(frozen=True, slots=True)
class State:
    """Counters, journal, rehearsal and thumbnails, and what the processes agree on.

    `share` is None if journal and rehearsal are in the memory of this process.
    """

    store: Store
    journal: Journal
    rehearsal: Rehearsal
    thumbnails: Thumbnails
    coordination: Coordination
    share: Share | None = None

    @classmethod
    def local(cls, max_count: int, max_bytes: int) -> Self:
        """The state of one process, with a journal of at most `max_count` exchanges and `max_bytes`."""
        exchange_bytes, thumbnail_bytes = split_bytes(max_bytes)
        journal = MemoryJournal(max_count=max_count, max_bytes=exchange_bytes)
        rehearsal = MemoryRehearsal(time.time())
        return cls(MemoryStore(), journal, rehearsal, Thumbnails(thumbnail_bytes), Coordination())


def split_bytes(max_bytes: int) -> tuple[int, int]:
    """The share of a journal's bytes for exchanges, and the share for thumbnails."""
    thumbnail_bytes = max_bytes // 4
    return max_bytes - thumbnail_bytes, thumbnail_bytes
