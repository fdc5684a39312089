"""Hot reload: what is saved in the fixtures directory is live within a second, unless it is wrong."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import anyio.to_thread

from mock_server.core.accounts import Accounts
from mock_server.core.fixture_set import FixtureSet
from mock_server.core.library import Index
from mock_server.core.live_scenarios import LiveScenarios
from mock_server.errors import FixturesError
from mock_server.scenarios.image_indexing import index_of
from mock_server.scenarios.load import FixtureLoader, Loaded

logger = logging.getLogger(__name__)

START_SECONDS = 0.05
"""What the first answer can do without begins so long after the start."""


class Reload:
    """Follows the files of one directory and puts each good set on the stage.

    Counters survive where the key and the scenario's name do. An account that is declared no more is forgotten;
    one that was made at run time stays. `reloaded` is told of each set that went live.
    """

    def __init__(
        self,
        loader: FixtureLoader,
        stage: LiveScenarios,
        accounts: Accounts,
        *,
        max_pixels: int,
        cache: Path | None = None,
        reloaded: Callable[[FixtureSet], None] = lambda fixtures: None,
    ) -> None:
        self._loader = loader
        self._stage = stage
        self._accounts = accounts
        self._max_pixels = max_pixels
        self._cache = cache
        self._reloaded = reloaded

    async def follow(self) -> None:
        """Follow the files until cancelled."""
        # The server answers first. The watch itself begins with a look for what was changed meanwhile.
        await asyncio.sleep(START_SECONDS)
        from mock_server.scenarios.watch import watch

        await watch(self._loader, self._told)

    async def _told(self, news: Loaded | FixturesError) -> None:
        try:
            await self._take(news)
        except FixturesError as error:
            for mistake in error.mistakes:
                logger.error("%s", mistake)
            logger.error("fixtures not reloaded: the last good set keeps serving")

    async def _take(self, news: Loaded | FixturesError) -> None:
        if isinstance(news, FixturesError):
            raise news
        index, warnings = await anyio.to_thread.run_sync(self._index_of, news)
        for warning in (*news.warnings, *warnings):
            logger.warning("%s", warning)
        before = self._stage.files.accounts
        await self._stage.reload(news.set, index)
        await self._accounts.redeclare(before, news.set.accounts)
        self._reloaded(news.set)
        logger.info("fixtures reloaded: %d scenarios", len(news.set.scenarios))

    def _index_of(self, loaded: Loaded) -> tuple[Index, tuple[object, ...]]:
        previous = self._stage.library.index
        return index_of(loaded, max_pixels=self._max_pixels, previous=previous, cache=self._cache)
