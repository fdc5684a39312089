"""What the processes of one mock agree on, besides counters: the clock and the runtime scenarios."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from typing import Protocol


class Coordination(Protocol):
    """Makes changes one after another. When a change is complete, every process sees it at its next `refresh`."""

    def changing(self) -> AbstractAsyncContextManager[None]:
        """Change the clock, runtime scenarios or accounts while no other process does. Re-entrant.

        Raises StoreUnavailableError if the change could not be shared.
        """
        ...

    async def refresh(self) -> None:
        """Apply the changes of other processes. Raises StoreUnavailableError."""
        ...


class LocalCoordination:
    """Coordination within one process."""

    def __init__(self) -> None:
        self._lock = ReentrantLock()

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[None]:
        async with self._lock.acquired():
            yield

    async def refresh(self) -> None:
        """There are no other processes."""


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
