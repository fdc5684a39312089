"""What the admin API works on: the parts of one running mock."""

import time
from collections.abc import Sequence

from mock_server.admin.models import Health
from mock_server.core.accounts import Accounts
from mock_server.core.clock import Clock
from mock_server.core.coordination import Coordination
from mock_server.core.journal import Journal
from mock_server.core.live_scenarios import LiveScenarios
from mock_server.core.pictures import Pictures
from mock_server.core.reader import Reader
from mock_server.core.store import Store
from mock_server.core.thumbnail_cache import Thumbnails
from mock_server.providers.provider import Provider
from mock_server.scenarios.vocabulary import Vocabulary
from mock_server.version import __version__


class Control:
    """The parts of one running mock that the admin API shows and changes."""

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
        self.reader = reader
        self.store = store
        self.accounts = Accounts(store, clock)
        self.clock = clock
        self.journal = journal
        self.thumbnails = thumbnails
        self.pictures = pictures
        self.vocabulary = vocabulary
        self.providers = {provider.name: provider for provider in providers}
        self.world = world
        self.stage = LiveScenarios(reader, world)
        self._started = time.monotonic()

    def health(self) -> Health:
        """The state of the server."""
        library = self.stage.library
        return Health(
            status="healthy",
            version=__version__,
            uptimeInSeconds=int(time.monotonic() - self._started),
            scenarios=len(library.scenarios.by_name),
            images=len(library.gallery),
        )
