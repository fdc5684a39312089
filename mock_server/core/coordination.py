"""What one mock agrees on beside its counters, however many processes it has: its clock and its runtime scenarios."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from typing import Protocol


class Coordination(Protocol):
    """Changes are made one after another; whoever asks after a change has ended meets it."""

    def changing(self) -> AbstractAsyncContextManager[None]:
        """Change the clock, runtime scenarios or accounts while nobody else does. May be entered within itself.

        Raises StoreUnavailableError where a change could not be shared.
        """
        ...

    async def refresh(self) -> None:
        """Take over what other processes have changed. Raises StoreUnavailableError."""
        ...


class LocalCoordination:
    """The world of one process."""

    def __init__(self) -> None:
        self._turn = Turn()

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[None]:
        async with self._turn.taken():
            yield

    async def refresh(self) -> None:
        """There are no others."""


class Turn:
    """A lock that whoever holds it may take again."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._held: ContextVar[bool] = ContextVar("held", default=False)

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[bool]:
        """Wait for the turn; tells whether it was not held before."""
        if self._held.get():
            yield False
            return
        async with self._lock:
            token = self._held.set(True)
            try:
                yield True
            finally:
                self._held.reset(token)
