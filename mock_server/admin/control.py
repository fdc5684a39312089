"""What the admin API works on: the parts of one running mock, and how they are reset."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mock_server.core.accounts import Accounts
from mock_server.core.clock import Clock
from mock_server.core.exchange import Document
from mock_server.core.journal import Journal, Selection
from mock_server.core.live_scenarios import LiveScenarios
from mock_server.core.overrides import Override
from mock_server.core.picture_caches import KeptUploads, Thumbnails
from mock_server.core.pictures import Pictures
from mock_server.core.redaction import key_id
from mock_server.core.rehearsal import EVERY_KEY, NO_KEY, Change, Rehearsal
from mock_server.core.request_pipeline import RequestPipeline
from mock_server.core.state import Coordination
from mock_server.core.store import Store
from mock_server.metrics import Metrics
from mock_server.providers.provider import Provider
from mock_server.scenarios.hot_reload import HotReload
from mock_server.scenarios.vocabulary import Vocabulary
from mock_server.version import __version__


# Not among the other models, because every start imports this file. The import of the models takes 10 ms.
@dataclass(frozen=True, slots=True)
class FixturesHealth(Document):
    """Whether the fixture files can be served as they are now. If not, the last good set is served."""

    ok: bool
    mistakes: Sequence[str] = ()
    """Each as `file:line:column: what — hint`."""


@dataclass(frozen=True, slots=True)
class Health(Document):
    """The state of the server."""

    status: Literal["healthy"]
    version: str
    uptimeInSeconds: int
    scenarios: int
    """Number of scenarios."""
    images: int
    """Number of images under `/images/`."""
    fixtures: FixturesHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """The parts of one running mock that the admin API shows and changes."""

    pipeline: RequestPipeline
    store: Store
    accounts: Accounts
    clock: Clock
    journal: Journal
    rehearsal: Rehearsal
    metrics: Metrics
    thumbnails: Thumbnails
    pictures: Pictures
    vocabulary: Vocabulary
    providers: Mapping[str, Provider]
    """By name."""
    coordination: Coordination
    live_scenarios: LiveScenarios
    hot_reload: HotReload
    uploads: KeptUploads
    editable: Path | None = None
    """The fixtures directory, if the admin API may write into it."""
    rules_off: tuple[str, ...] = ()
    """Rules of advice that are switched off."""
    started: float = field(default_factory=time.monotonic)

    def health(self) -> Health:
        """The state of the server."""
        library, mistakes = self.live_scenarios.library, self.hot_reload.mistakes
        return Health(
            status="healthy",
            version=__version__,
            uptimeInSeconds=int(time.monotonic() - self.started),
            scenarios=len(library.scenarios.by_id),
            images=len(library.gallery),
            fixtures=FixturesHealth(not mistakes, [str(mistake) for mistake in mistakes]),
        )

    async def reset_all(self) -> None:
        """Reset scenarios, overrides, accounts, counters, sequences, the journal and the clock to the fixture files."""
        async with self.coordination.changing():
            self.pipeline.overrides.all = ()
            self.pipeline.overrides.is_chaos_paused = False
            await self.live_scenarios.clear()
            await self._reset_accounts()
            await self.clear_journal()
            self.clock.release()
        await self.rehearsal.mark(Change.RESET)

    async def reset_key(self, key: str) -> None:
        """Reset one key: account, counters and sequences, the runtime scenarios and overrides for it, its requests."""
        hash = key_id(key)
        async with self.coordination.changing():
            await self.remove_overrides(lambda override: override.scenario.when.key == key)
            for id, added in list(self.live_scenarios.runtime.items()):
                if added.scenario.when.key == key:
                    await self.live_scenarios.remove(id)
            await self._reset_account(key)
            await self.clear_journal(lambda entry: entry.key_id == hash)
        await self.rehearsal.mark(Change.RESET, hash)
        # Most suites reset a key at the end of a test. Calls without a key then belong to another test.
        await self.rehearsal.mark(Change.RESET, NO_KEY)

    async def clear_journal(self, selection: Selection | None = None) -> int:
        """Delete the selected requests, or all, with their uploads; return how many were deleted."""
        deleted = await self.journal.clear(selection)
        self.uploads.keep_only(await self.journal.exchanges())
        return deleted

    async def note_change(self, key: str | None = None) -> None:
        """Note for the report that the next reply to a key, or to every key, may differ from the one before."""
        await self.rehearsal.mark(Change.CHANGED, EVERY_KEY if key is None else key_id(key))

    async def remove_overrides(self, is_removed: Callable[[Override], bool]) -> None:
        """Remove the overrides for which `is_removed` is true, and their counts."""
        overrides = self.pipeline.overrides
        removed = [override for override in overrides.all if is_removed(override)]
        if removed:
            overrides.all = tuple(override for override in overrides.all if override not in removed)
        for override in removed:
            await self.store.clear_positions(override.counter)
            await self.store.clear_positions(override.draws)

    async def _reset_account(self, key: str) -> None:
        account = await self.store.account(key)
        await self.store.reset(key)
        from_file = next((one for one in self.live_scenarios.files.accounts if one.key == key), None)
        if original := from_file or (account and account.declared) or account:
            await self.accounts.restore(original)

    async def _reset_accounts(self) -> None:
        from_files = self.live_scenarios.files.accounts
        keys = {account.key for account in from_files}
        for account in await self.store.accounts():
            if account.key not in keys:
                await self.store.remove_account(account.key)
        await self.store.reset()
        for account in from_files:
            await self.accounts.restore(account)
