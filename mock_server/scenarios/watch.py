"""Watching a fixtures directory for changes, on every file system."""

import logging
import os
import stat
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup
from watchfiles import awatch

from mock_server.errors import FixturesError
from mock_server.scenarios.load import FixtureLoader, Loaded, load_result

logger = logging.getLogger(__name__)

Changed = Callable[[Loaded | FixturesError], Awaitable[None]]
Snapshot = frozenset[tuple[str, int, int, int]]

# Tuned for files that an editor or a script saves one after another.
_QUIET_MS = 50
"""A change is complete after this time without another change."""
_LONGEST_MS = 500
"""The longest wait for that."""
_STOP_MS = 300
"""How long it takes at most until the listener ends."""
_FIRST_LOOK_SECONDS = 0.3
_LOOK_SECONDS = 0.5
"""The time between two looks at the files, if no event comes before."""
_LOOK_SHARE = 0.02
"""The share of one processor that the looks at a large directory may take."""


async def watch(loader: FixtureLoader, changed: Changed) -> None:
    """Call `changed` with the new set, or with its mistakes, whenever files of the set change.

    Ends when the task is cancelled. The names and times of all files are compared regularly, because some file systems
    report no events and the name of the directory may come to mean another one. Events make it faster.
    """
    async with anyio.create_task_group() as tasks:
        events = _Events(loader.path, tasks)
        snapshot: Snapshot | None = None
        reported = loader.state, ""
        pause = _FIRST_LOOK_SECONDS
        while True:
            await events.wait(pause)
            start = time.monotonic()
            before, snapshot = snapshot, await anyio.to_thread.run_sync(_look, loader.path)
            pause = max(_LOOK_SECONDS, (time.monotonic() - start) / _LOOK_SHARE)
            if snapshot == before:
                continue
            result = await anyio.to_thread.run_sync(load_result, loader)
            current = loader.state, str(result) if isinstance(result, FixturesError) else ""
            if current != reported:
                reported = current
                await changed(result)


class _Events:
    """The events of the file system for a directory. If there are none, `wait` only takes longer."""

    def __init__(self, root: Path, tasks: TaskGroup) -> None:
        self._root = root
        self._tasks = tasks
        self._identity: tuple[int, int] | None = None
        self._listening = anyio.CancelScope()
        self._event = anyio.Event()

    async def wait(self, seconds: float) -> None:
        """Return after an event, or after this time."""
        self._follow_name()
        with anyio.move_on_after(seconds):
            await self._event.wait()
        self._event = anyio.Event()

    def _follow_name(self) -> None:
        """Listen to the directory that has the name now: it may have been replaced, or be a link that was changed."""
        try:
            facts = self._root.stat()
        except OSError:
            return
        if self._identity != (facts.st_dev, facts.st_ino):
            self._identity = facts.st_dev, facts.st_ino
            self._listening.cancel()
            self._listening = anyio.CancelScope()
            self._tasks.start_soon(self._listen, self._listening)

    async def _listen(self, scope: anyio.CancelScope) -> None:
        with scope:
            try:
                async for _ in awatch(
                    self._root,
                    debounce=_LONGEST_MS,
                    step=_QUIET_MS,
                    rust_timeout=_STOP_MS,
                    recursive=True,
                    watch_filter=None,
                    ignore_permission_denied=True,
                ):
                    self._event.set()
            except (OSError, RuntimeError) as error:
                # The error of watchfiles is a RuntimeError.
                logger.warning("no file events (%s): the fixtures are compared every %s s", error, _LOOK_SECONDS)


def _look(root: Path) -> Snapshot:
    """Path, time of change (ns), size and inode of everything below `root`, without hidden files.

    Links are followed; a directory is entered once.
    """
    found: set[tuple[str, int, int, int]] = set()
    entered: set[int] = set()
    pending: list[Path | os.DirEntry[str]] = [root]
    while pending:
        entry = pending.pop()
        try:
            facts = entry.stat()
            found.add((os.fspath(entry), facts.st_mtime_ns, facts.st_size, facts.st_ino))
            if stat.S_ISDIR(facts.st_mode) and facts.st_ino not in entered:
                entered.add(facts.st_ino)
                with os.scandir(entry) as entries:
                    pending += (one for one in entries if not one.name.startswith("."))
        except OSError:
            # Deleted in the meantime, or no permission.
            continue
    return frozenset(found)
