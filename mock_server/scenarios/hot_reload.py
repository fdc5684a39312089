"""Hot reload: a saved fixture file is served within a second, unless it has mistakes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import anyio.to_thread

from mock_server.core.accounts import Accounts
from mock_server.core.fixture_set import FixtureSet
from mock_server.core.library import Index
from mock_server.core.live_scenarios import LiveScenarios
from mock_server.errors import FixturesError, Mistake
from mock_server.scenarios.image_indexing import index_of
from mock_server.scenarios.load import FixtureLoader, Loaded

logger = logging.getLogger(__name__)

START_SECONDS = 0.05
"""Seconds after start-up before background work begins, so that the first requests are answered first."""


# Tuned for files that an editor or a script saves one after another. Milliseconds.
_QUIET_MS = 50
"""A change is complete after this time without another change."""
_LONGEST_MS = 500
"""The longest wait for that."""
_FIRST_LOAD_MS = 300
"""The directory is loaded once after this time without a change, for changes made before the watch began."""


class HotReload:
    """Watches the files of one directory and serves each set that has no mistakes.

    A sequence keeps its position if the key and the scenario's name stay. An account that is removed from `mock.yaml`
    is deleted; an account that was created at run time stays. `reloaded` is called with each new set.
    """

    def __init__(
        self,
        loader: FixtureLoader,
        live: LiveScenarios,
        accounts: Accounts,
        *,
        max_pixels: int,
        cache: Path | None = None,
        reloaded: Callable[[FixtureSet], None] = lambda fixtures: None,
    ) -> None:
        self._loader = loader
        self._live = live
        self._accounts = accounts
        self._max_pixels = max_pixels
        self._cache = cache
        self._reloaded = reloaded

    async def run(self) -> None:
        """Watch the files until cancelled."""
        await asyncio.sleep(START_SECONDS)
        await watch(self._loader, self._take)

    async def _take(self, result: Loaded | FixturesError) -> None:
        try:
            if isinstance(result, FixturesError):
                raise result
            await self._serve(result)
        except FixturesError as error:
            for mistake in error.mistakes:
                logger.error("%s", mistake)
            logger.error("fixtures not reloaded: the last good set keeps serving")

    async def _serve(self, loaded: Loaded) -> None:
        index, warnings = await anyio.to_thread.run_sync(self._index_of, loaded)
        for warning in (*loaded.warnings, *warnings):
            logger.warning("%s", warning)
        before = self._live.files.accounts
        await self._live.reload(loaded.set, index)
        await self._accounts.redeclare(before, loaded.set.accounts)
        self._reloaded(loaded.set)
        logger.info("fixtures reloaded: %d scenarios", len(loaded.set.scenarios))

    def _index_of(self, loaded: Loaded) -> tuple[Index, tuple[Mistake, ...]]:
        previous = self._live.library.index
        return index_of(loaded, max_pixels=self._max_pixels, previous=previous, cache=self._cache)


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
    # Imported here, so that the server starts sooner.
    from watchfiles import awatch

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
