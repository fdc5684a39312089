"""Hot reload: a saved fixture file is served within a second, unless it has mistakes.

The names and times of all files are compared regularly: some network and container mounts report no events.
"""

import asyncio
import logging
import os
import stat
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

import anyio.to_thread

from mock_server.core.accounts import Accounts
from mock_server.core.library import FixtureSet
from mock_server.core.live_scenarios import LiveScenarios
from mock_server.disk_cache import signature_of
from mock_server.errors import FixturesError, Mistake
from mock_server.scenarios.image_indexing import index_of
from mock_server.scenarios.load import FixtureLoader, Loaded, load_result

logger = logging.getLogger(__name__)

START_SECONDS = 0.05
"""Seconds after start-up before background work begins, so that the first requests are answered first."""

Changed = Callable[[Loaded | FixturesError], Awaitable[object]]
Around = Callable[[], AbstractContextManager[None]]
Snapshot = int
"""A hash of the paths and signatures of all files: of 20,000 files, they would take 8 MB."""

# Tuned for files that an editor or a script saves one after another.
_QUIET_SECONDS = 0.05
"""A change is complete after this time without another change."""
_MAX_QUIET_LOOKS = 10
"""The most looks until then."""
_LOOK_SECONDS = 0.3
"""The time between two looks at the files."""
_LOOK_SHARE = 0.05
"""The share of one processor that the looks at a large directory may take."""


class HotReload:
    """Watches the files of one directory and serves each set that has no mistakes.

    `mistakes` are those of the files on disk, while the last good set is served.

    A sequence keeps its position if the key and the scenario's name stay. An account that is removed from `mock.yaml`
    is deleted; an account that was created at run time stays. `reloaded` is called with each new set. Files are read
    within the context `around_reading`.
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
        around_reading: Around = nullcontext,
    ) -> None:
        self._loader = loader
        self._live = live
        self._accounts = accounts
        self._max_pixels = max_pixels
        self._cache = cache
        self._reloaded = reloaded
        self._around_reading = around_reading
        self._serving = asyncio.Lock()
        self.mistakes: tuple[Mistake, ...] = ()

    async def run(self) -> None:
        """Watch the files until cancelled."""
        await asyncio.sleep(START_SECONDS)
        await watch(self._loader, self._serve, self._around_reading)

    async def reload(self, *, is_fresh: bool = False) -> FixtureSet:
        """Read the changed files now, with `is_fresh` all files, and serve them.

        Raises FixturesError; then the last good set is served.
        """
        result = await self.reload_or_log(is_fresh=is_fresh)
        if isinstance(result, FixturesError):
            raise result
        return result

    async def reload_or_log(self, *, is_fresh: bool = False) -> FixtureSet | FixturesError:
        """The same without raising an error: mistakes are logged and returned."""
        return await self._serve(await _read(self._loader, self._around_reading, is_fresh=is_fresh))

    async def _serve(self, result: Loaded | FixturesError) -> FixtureSet | FixturesError:
        if isinstance(result, FixturesError):
            return self._refuse(result)
        try:
            async with self._serving:
                await self._replace(result)
        except FixturesError as error:
            return self._refuse(error)
        self.mistakes = ()
        return result.set

    def _refuse(self, error: FixturesError) -> FixturesError:
        self.mistakes = tuple(mistake for mistake in error.mistakes if not mistake.warning)
        for mistake in error.mistakes:
            logger.error("%s", mistake)
        logger.error("fixtures not reloaded: the last good set keeps serving")
        return error

    async def _replace(self, loaded: Loaded) -> None:
        previous = self._live.library.index
        build = partial(index_of, loaded, max_pixels=self._max_pixels, previous=previous, cache=self._cache)
        index, warnings = await anyio.to_thread.run_sync(build)
        for warning in (*loaded.warnings, *warnings):
            logger.warning("%s", warning)
        before = self._live.files.accounts
        await self._live.reload(loaded.set, index)
        await self._accounts.redeclare(before, loaded.set.accounts)
        self._reloaded(loaded.set)
        logger.info("fixtures reloaded: %d scenarios", len(loaded.set.scenarios))


async def watch(loader: FixtureLoader, changed: Changed, around_reading: Around = nullcontext) -> None:
    """Call `changed` with the new set, or with its mistakes, whenever files of the set change.

    Ends when the task is cancelled.
    """
    snapshot: Snapshot | None = None
    reported = loader.state, ""
    pause = _LOOK_SECONDS
    while True:
        await asyncio.sleep(pause)
        look, seconds = await anyio.to_thread.run_sync(_timed_look, loader.path)
        pause = max(_LOOK_SECONDS, seconds / _LOOK_SHARE)
        if look == snapshot:
            continue
        snapshot = await _settled(loader.path, look)
        result = await _read(loader, around_reading)
        current = loader.state, str(result) if isinstance(result, FixturesError) else ""
        if current != reported:
            reported = current
            await changed(result)


async def _read(loader: FixtureLoader, around: Around, *, is_fresh: bool = False) -> Loaded | FixturesError:
    with around():
        return await anyio.to_thread.run_sync(partial(load_result, loader, is_fresh=is_fresh))


async def _settled(root: Path, snapshot: Snapshot) -> Snapshot:
    """The files when they no longer change, or after the most looks."""
    for _ in range(_MAX_QUIET_LOOKS):
        await asyncio.sleep(_QUIET_SECONDS)
        before, snapshot = snapshot, await anyio.to_thread.run_sync(_look, root)
        if snapshot == before:
            break
    return snapshot


def _timed_look(root: Path) -> tuple[Snapshot, float]:
    """The files, and the processor time of the look. On a busy machine a look may take long and cost little."""
    start = time.thread_time()
    return _look(root), time.thread_time() - start


def _look(root: Path) -> Snapshot:
    """Everything below `root`, without hidden files. Links are followed; a directory is entered once."""
    found: set[int] = set()
    entered: set[int] = set()
    pending: list[Path | os.DirEntry[str]] = [root]
    while pending:
        entry = pending.pop()
        try:
            facts = entry.stat()
            found.add(hash((os.fspath(entry), signature_of(facts))))
            if stat.S_ISDIR(facts.st_mode) and facts.st_ino not in entered:
                entered.add(facts.st_ino)
                with os.scandir(entry) as entries:
                    pending += (one for one in entries if not one.name.startswith("."))
        except OSError:
            # Deleted in the meantime, or no permission.
            continue
    return hash(frozenset(found))
