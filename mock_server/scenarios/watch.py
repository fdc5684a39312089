"""Watching the files of a fixtures directory."""

from collections.abc import Awaitable, Callable

import anyio
import anyio.to_thread
from watchfiles import awatch

from mock_server.errors import FixturesError
from mock_server.scenarios.load import FixtureLoader, Loaded

# Tuned for files that an editor or a script saves one after another. Milliseconds.
_QUIET_MS = 50
"""A change is complete after this time without another change."""
_LONGEST_MS = 500
"""The longest wait for that."""
_FIRST_LOAD_MS = 300
"""The directory is loaded once after this time without a change, for changes made before the watch began."""


async def watch(
    loader: FixtureLoader,
    changed: Callable[[Loaded | FixturesError], Awaitable[None]],
    *,
    stop: anyio.Event | None = None,
) -> None:
    """Call `changed` with the new set, or with its mistakes, whenever files of the set change.

    Ends when `stop` is set or the task is cancelled. Loading happens in a worker thread. On file systems that report
    no changes, the environment variable WATCHFILES_FORCE_POLLING makes the watch compare the files regularly.
    """
    is_first = True
    changes = awatch(
        loader.root,
        debounce=_LONGEST_MS,
        step=_QUIET_MS,
        rust_timeout=_FIRST_LOAD_MS,
        yield_on_timeout=True,
        recursive=True,
        stop_event=stop,
        watch_filter=None,
        ignore_permission_denied=True,
    )
    async for found in changes:
        if not found and not is_first:
            continue
        is_first = False
        before = loader.state
        result = await anyio.to_thread.run_sync(_load, loader)
        if loader.state != before:
            await changed(result)


def _load(loader: FixtureLoader) -> Loaded | FixturesError:
    try:
        return loader.load()
    except FixturesError as error:
        return error
