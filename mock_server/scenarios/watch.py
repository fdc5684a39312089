"""Hot reload: a saved file is live within a second, a bad one is told and changes nothing."""

from collections.abc import Awaitable, Callable

import anyio
import anyio.to_thread
from watchfiles import awatch

from mock_server.errors import FixturesError
from mock_server.scenarios.load import FixtureLoader, Loaded

Told = Callable[[Loaded | FixturesError], Awaitable[None]]

_QUIET_MS = 50
"""So long nothing more must happen before a change is taken for complete."""

_LONGEST_MS = 500
"""So long a change is waited for at most, when one file after another is written."""

_FIRST_LOOK_MS = 300
"""When the directory is looked at once without a change being reported, for what happened before the watch began."""


async def watch(loader: FixtureLoader, told: Told, *, stop: anyio.Event | None = None) -> None:
    """Call `told` with the set whenever files of the directory change, or with the mistakes that prevent it.

    Goes on until `stop` is set or the task is cancelled. Loading happens in a worker thread. Files that do not
    belong to the set may change without a call. Where the file system reports no changes, setting the environment
    variable WATCHFILES_FORCE_POLLING makes the watch look for itself.
    """
    looked = False
    changes = awatch(
        loader.root,
        debounce=_LONGEST_MS,
        step=_QUIET_MS,
        rust_timeout=_FIRST_LOOK_MS,
        yield_on_timeout=True,
        recursive=True,
        stop_event=stop,
        watch_filter=None,
        ignore_permission_denied=True,
    )
    async for found in changes:
        if not found and looked:
            continue
        looked = True
        before = loader.state
        result = await anyio.to_thread.run_sync(_loaded, loader)
        if loader.state != before:
            await told(result)


def _loaded(loader: FixtureLoader) -> Loaded | FixturesError:
    try:
        return loader.load()
    except FixturesError as error:
        return error
