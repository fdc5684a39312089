"""Hot reload: a saved fixture file is served within a second, unless it has mistakes."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

import anyio.to_thread

from mock_server.core.accounts import Accounts
from mock_server.core.fixture_set import FixtureSet
from mock_server.core.library import Index
from mock_server.core.live_scenarios import LiveScenarios
from mock_server.errors import FixturesError, Mistake
from mock_server.scenarios.image_indexing import index_of
from mock_server.scenarios.load import FixtureLoader, Loaded, load_result

logger = logging.getLogger(__name__)

START_SECONDS = 0.05
"""Seconds after start-up before background work begins, so that the first requests are answered first."""


class HotReload:
    """Watches the files of one directory and serves each set that has no mistakes.

    `mistakes` are those of the files on disk, while the last good set is served.

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
        self._serving = asyncio.Lock()
        self.mistakes: tuple[Mistake, ...] = ()

    async def run(self) -> None:
        """Watch the files until cancelled."""
        await asyncio.sleep(START_SECONDS)
        # Imported here, so that the server starts sooner.
        from mock_server.scenarios.watch import watch

        await watch(self._loader, self._take)

    async def reload(self) -> FixtureSet:
        """Read the files now and serve them. Raises FixturesError; then the last good set is served."""
        return await self._serve(await anyio.to_thread.run_sync(load_result, self._loader))

    async def reload_or_log(self) -> None:
        """The same without an error: mistakes are logged."""
        with contextlib.suppress(FixturesError):
            await self.reload()

    async def _take(self, result: Loaded | FixturesError) -> None:
        with contextlib.suppress(FixturesError):
            await self._serve(result)

    async def _serve(self, result: Loaded | FixturesError) -> FixtureSet:
        try:
            if isinstance(result, FixturesError):
                raise result
            async with self._serving:
                await self._replace(result)
        except FixturesError as error:
            self.mistakes = tuple(mistake for mistake in error.mistakes if not mistake.warning)
            for mistake in error.mistakes:
                logger.error("%s", mistake)
            logger.error("fixtures not reloaded: the last good set keeps serving")
            raise
        self.mistakes = ()
        return result.set

    async def _replace(self, loaded: Loaded) -> None:
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
