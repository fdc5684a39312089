"""All that outlives a request, in the memory of this process or shared with others."""

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
"""Told what is shared: the clock, what is served, and how the accounts of the files are declared."""


@dataclass(frozen=True, slots=True)
class State:
    """Counters, journal, and what is agreed on beside them."""

    store: Store
    journal: Journal
    thumbnails: Thumbnails
    world: Coordination
    attach: Attach = lambda clock, stage, declare: None

    @classmethod
    def own(cls, max_count: int, max_bytes: int, *, store: Store | None = None) -> Self:
        """The state of one process; its journal keeps so many exchanges and bytes."""
        exchanges, pictures = split(max_bytes)
        journal = MemoryJournal(max_count=max_count, max_bytes=exchanges)
        return cls(store or MemoryStore(), journal, Thumbnails(pictures), LocalCoordination())


def split(max_bytes: int) -> tuple[int, int]:
    """The bytes of a journal that are for exchanges, and those for thumbnails."""
    pictures = max_bytes // 4
    return max_bytes - pictures, pictures
