"""Everything that outlives a request, in the memory of this process or shared with other processes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Self

from mock_server.core.clock import Clock
from mock_server.core.coordination import Coordination, LocalCoordination
from mock_server.core.journal import Journal, MemoryJournal
from mock_server.core.live_scenarios import LiveScenarios
from mock_server.core.store import MemoryStore, Store
from mock_server.core.thumbnail_cache import Thumbnails

Attach = Callable[[Clock, LiveScenarios, Callable[[], Awaitable[None]]], None]
"""Gets what is shared: the clock, the scenarios, and a function that declares the accounts of the files."""


@dataclass(frozen=True, slots=True)
class State:
    """Counters, journal and thumbnails, and what the processes agree on."""

    store: Store
    journal: Journal
    thumbnails: Thumbnails
    coordination: Coordination
    attach: Attach = lambda clock, live, declare: None

    @classmethod
    def local(cls, max_count: int, max_bytes: int, *, store: Store | None = None) -> Self:
        """The state of one process, with a journal of at most `max_count` exchanges and `max_bytes`."""
        exchange_bytes, thumbnail_bytes = split_bytes(max_bytes)
        journal = MemoryJournal(max_count=max_count, max_bytes=exchange_bytes)
        return cls(store or MemoryStore(), journal, Thumbnails(thumbnail_bytes), LocalCoordination())


def split_bytes(max_bytes: int) -> tuple[int, int]:
    """The share of a journal's bytes for exchanges, and the share for thumbnails."""
    thumbnail_bytes = max_bytes // 4
    return max_bytes - thumbnail_bytes, thumbnail_bytes
