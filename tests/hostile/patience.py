"""Waiting for a reply that must come."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from tests.support import PATIENCE

T = TypeVar("T")


async def reply_of(work: Coroutine[Any, Any, T], seconds: int = PATIENCE) -> T:
    """The result of `work`. Raises TimeoutError if it does not come in so many seconds of this process.

    A second is a turn of the event loop and counts once, even if the machine or the process stood still meanwhile.
    """
    task = asyncio.ensure_future(work)
    try:
        for _ in range(seconds):
            done, _ = await asyncio.wait({task}, timeout=1.0)
            if done:
                return task.result()
        raise TimeoutError
    finally:
        task.cancel()
