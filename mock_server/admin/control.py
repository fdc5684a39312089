"""All that steers and shows a running mock, in one place."""

import time
from collections.abc import Sequence
from typing import Any

from mock_server.admin.account_service import AccountControl
from mock_server.admin.clock_service import ClockControl
from mock_server.admin.journal_service import RequestControl
from mock_server.admin.match_service import TrialControl
from mock_server.admin.scenario_service import ScenarioControl
from mock_server.core.accounts import Accounts
from mock_server.core.clock import Clock
from mock_server.core.coordination import Coordination
from mock_server.core.journal import Journal, key_id
from mock_server.core.live_scenarios import LiveScenarios
from mock_server.core.pictures import Pictures
from mock_server.core.reader import Reader
from mock_server.core.store import Store
from mock_server.core.thumbnail_cache import Thumbnails
from mock_server.providers.provider import Provider
from mock_server.scenarios.vocabulary import Vocabulary
from mock_server.version import __version__


class Control:
    """The control plane of one running mock."""

    def __init__(
        self,
        *,
        reader: Reader,
        store: Store,
        clock: Clock,
        journal: Journal,
        thumbnails: Thumbnails,
        pictures: Pictures,
        vocabulary: Vocabulary,
        providers: Sequence[Provider],
        world: Coordination,
    ) -> None:
        self.world = world
        self.stage = LiveScenarios(reader, world)
        self.thumbnails = thumbnails
        self.accounts = AccountControl(Accounts(store, clock), store, self.stage, world)
        self.scenarios = ScenarioControl(self.stage, store, vocabulary)
        self.requests = RequestControl(
            journal, thumbnails, self.stage, [provider.name for provider in providers]
        )
        self.clock = ClockControl(clock, world)
        self.trial = TrialControl(reader, store, clock, pictures, providers)
        self._journal = journal
        self._started = time.monotonic()

    def health(self) -> dict[str, Any]:
        """That it lives, since when, and what it serves."""
        library = self.stage.library
        return {
            "status": "healthy",
            "version": __version__,
            "uptimeInSeconds": int(time.monotonic() - self._started),
            "scenarios": len(library.scenarios.by_name),
            "images": len(library.gallery),
        }

    async def reset(self, key: str | None = None) -> None:
        """Back to the files: runtime scenarios, accounts, counters, sequences, journal, clock; or what is one key's.

        Of one key, these go back: its runtime scenarios, its account as it was declared or created, its counters,
        its sequences, its journal.
        """
        async with self.world.changing():
            await self._reset(key)

    async def _reset(self, key: str | None) -> None:
        if key is None:
            await self.stage.clear()
            await self.accounts.reset_all()
            await self._journal.clear()
            await self.clock.release()
            return
        wanted = key_id(key)
        await self.scenarios.remove_of_key(key)
        await self.accounts.reset(key)
        await self._journal.clear(lambda exchange: exchange.key_id == wanted)
