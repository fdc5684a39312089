"""A campaign of one family, with the memory that it leaves. Shared by the tests and the benchmark."""

import asyncio
import ctypes
import gc
import os
from collections.abc import Iterable
from pathlib import Path

from tests.hostile.families import FAMILIES, inputs
from tests.hostile.sending import Replies, Target
from tests.support import FIXTURES

COUNT = 20_000
"""Inputs of each family in the tests."""
SEED = 1
GROWTH = 64_000_000
"""Bytes by which the memory may grow after the first quarter."""


class Memory:
    """Compares the memory of this process with that after a first quarter of the inputs."""

    def __init__(self, quarter: int) -> None:
        self._quarter = quarter
        self._before: int | None = None

    def note(self, count: int) -> None:
        """Note the memory once a quarter of the inputs was sent."""
        if self._before is None and count >= self._quarter:
            self._before = resident()

    @property
    def growth(self) -> int:
        """Bytes since then."""
        assert self._before is not None
        return resident() - self._before


def resident() -> int:
    """Bytes that this process has in memory, without what the C library only keeps; 0 without /proc."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return 0
    gc.collect()
    if hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def shown(faults: Iterable[object]) -> str:
    return "\n\n".join(map(str, list(faults)[:10]))


def check_family(name: str) -> None:
    """Send the inputs of a family to an application. Raises AssertionError."""
    memory = Memory(COUNT // 4)

    async def send() -> Replies:
        async with Target.open(FIXTURES) as target:
            campaign = inputs(FAMILIES[name], COUNT, SEED)
            replies = await target.send_all(campaign, progress=lambda replies: memory.note(replies.count))
            assert memory.growth < GROWTH
            return replies

    replies = asyncio.run(send())

    assert not replies.faults, shown(replies.faults)
    assert replies.count >= COUNT
    assert {200, 400} <= set(replies.statuses)
