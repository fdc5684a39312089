"""The only file that sees every part: from settings to an application that answers.

`create_app` reads as the boot story. What can fail, fails there and not at the first request: fixtures are read,
pictures indexed, settings checked.
"""

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import anyio.to_thread
from starlette.types import Receive, Scope, Send

from mock_server.admin.access import Access
from mock_server.admin.control import Control
from mock_server.admin.lazy_site import LazySite
from mock_server.core.account import Account
from mock_server.core.accounts import Accounts
from mock_server.core.clock import Clock
from mock_server.core.decision import Policy
from mock_server.core.fixture_set import Defaults, FixtureSet, UnmatchedPolicy
from mock_server.core.journal import JournalEntry
from mock_server.core.library import Index, Library
from mock_server.core.model import OutcomeName
from mock_server.core.pictures import Pictures
from mock_server.core.reader import Reader
from mock_server.core.state import State
from mock_server.core.store import Store
from mock_server.disk_cache import default_directory
from mock_server.dispatch import Dispatch
from mock_server.errors import Mistake, SettingsError, StoreUnavailableError
from mock_server.fetch.allowed import fetch_as_allowed
from mock_server.imaging.lazy_index import LazyIndex
from mock_server.logs import RequestLog, configure
from mock_server.metrics import Metrics
from mock_server.providers.carsxe import CarsXE
from mock_server.providers.endpoint import Endpoint
from mock_server.providers.provider import Provider
from mock_server.providers.vehicore import VehiCore
from mock_server.scenarios.fixture_cache import CheckedPictures
from mock_server.scenarios.hot_reload import START_SECONDS, HotReload
from mock_server.scenarios.image_indexing import index_of, lazy_index
from mock_server.scenarios.load import FixtureLoader, Loaded, declared_accounts
from mock_server.scenarios.vocabulary import Vocabulary
from mock_server.settings import Settings, setting_names, shipped_fixtures

PROVIDERS: tuple[Provider, ...] = (VehiCore(), CarsXE())

logger = logging.getLogger(__name__)


class App:
    """The whole mock as an ASGI application. `running` must be entered around serving it."""

    def __init__(
        self,
        settings: Settings,
        library: Library,
        loader: FixtureLoader,
        state: State,
        clock: Clock,
        log: RequestLog | None = None,
        flags: Mapping[str, Any] | None = None,
        own_process: bool = False,
    ) -> None:
        self.settings = settings
        self._own_process = own_process
        self._flags = flags or {}
        self.store = store = state.store
        self.clock = clock
        self.accounts = Accounts(store, clock)
        self.journal = state.journal
        self.metrics = Metrics()
        self._pictures = pictures = Pictures(
            fetch_as_allowed(settings), own_hosts(), thumbnails=state.thumbnails
        )
        self.reader = Reader(
            library, accounts=self.accounts, store=store, pictures=pictures, policy=_policy(settings)
        )
        self.control = Control(
            reader=self.reader,
            store=store,
            clock=clock,
            journal=self.journal,
            thumbnails=state.thumbnails,
            pictures=pictures,
            vocabulary=loader.vocabulary,
            providers=PROVIDERS,
            world=state.world,
        )
        state.attach(clock, self.control.stage, self._declare)
        self.replacing = False
        self.access = Access.of(settings.host, settings.admin_token)
        self._log = log
        self._hot_reload = HotReload(
            loader,
            self.control.stage,
            self.accounts,
            max_pixels=settings.max_pixels,
            cache=_cache(settings),
            reloaded=self._reloaded,
        )
        endpoint = Endpoint(
            self.reader,
            record=self._record,
            clock=clock,
            max_body=settings.max_body,
            strict=settings.strict,
            mock_headers=settings.mock_headers,
        )
        site = LazySite(
            self.control,
            self.access,
            max_body=settings.max_body,
            metrics=self.metrics.text,
            providers=_described,
        )
        self._dispatch = Dispatch(PROVIDERS, endpoint, site, strict=settings.strict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await self._dispatch(scope, receive, send)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything that lives as long as the server: accounts are declared first.

        Raises StoreUnavailableError, except where this process is `replacing` another: then it begins all the same.
        """
        background: list[asyncio.Task[None]] = []
        try:
            await self._begin()
            background.append(asyncio.create_task(self._load_index()))
            if self.settings.watch:
                background.append(asyncio.create_task(self._hot_reload.run()))
            yield
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
            if self._log is not None:
                self._log.flush()
            self._pictures.close()
            await self.store.close()

    def _reloaded(self, fixtures: FixtureSet) -> None:
        self.reader.policy = _policy(Settings.resolve(self._flags, _as_settings(fixtures.defaults)))

    async def _begin(self) -> None:
        try:
            await self._declare()
            await self.control.world.refresh()
        except StoreUnavailableError as error:
            if not self.replacing:
                raise
            logger.warning("%s", error)

    async def _load_index(self) -> None:
        """Make a deferred index ready for the first picture, once the server has had time to answer."""
        index = self.reader.library.index
        if isinstance(index, LazyIndex):
            await asyncio.sleep(START_SECONDS)
            await anyio.to_thread.run_sync(index.made)
            if self._own_process:
                # What is there now stays, and need not be looked through for garbage.
                gc.freeze()

    async def _declare(self) -> None:
        await self.accounts.declare(self.control.stage.files.accounts)

    async def _record(self, entry: JournalEntry) -> None:
        await self.journal.add(entry)
        self.metrics.record(entry)
        if self._log is not None:
            self._log.record(entry)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self.running():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def create_app(
    flags: Mapping[str, Any] | None = None,
    *,
    store: Store | None = None,
    clock: Clock | None = None,
    foreground: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> App:
    """Read the fixtures, settle the settings, index the pictures.

    `flags` are settings by name, as far as they were given. In the `foreground` the process is the server's own, and
    so is its log on stderr; elsewhere logging is left to the program around it. `progress` is told how many of how
    many pictures are read. Raises SettingsError and FixturesError.
    """
    flags = flags or {}
    settings = Settings.resolve(flags)
    loader = FixtureLoader(
        settings.fixtures_dir,
        vocabulary=vocabulary(),
        accounts=_shipped_accounts(settings),
        cache=_cache(settings),
    )
    loaded = loader.load()
    settings = Settings.resolve(flags, _as_settings(loaded.set.defaults))
    log = configure(settings.log_format, settings.log_level) if foreground else None
    if settings.workers > 1 and not settings.has_shared_state:
        raise SettingsError(
            f"--workers {settings.workers} needs a state that the processes share: add --state redis://HOST:PORT/DB"
        )
    index, warnings = _indexed(loader, loaded, settings, progress)
    for warning in (*loaded.warnings, *warnings):
        logger.warning("%s", warning)
    library = Library.of(loaded.set, index)
    state = _state(settings, store)
    return App(settings, library, loader, state, clock or Clock(), log, flags, own_process=foreground)


def _indexed(
    loader: FixtureLoader,
    loaded: Loaded,
    settings: Settings,
    progress: Callable[[int, int], None] | None,
) -> tuple[Index, tuple[Mistake, ...]]:
    """The index of the pictures, and warnings: made now, or later where that is known to go well."""
    checked = loader.checked_warnings(settings.max_pixels)
    # Workers share the memory of what is there before they are forked.
    if checked is not None and settings.workers == 1:
        return lazy_index(loaded, max_pixels=settings.max_pixels, cache=_cache(settings)), checked
    index, warnings = index_of(
        loaded, max_pixels=settings.max_pixels, cache=_cache(settings), progress=progress
    )
    loader.save(CheckedPictures(settings.max_pixels, loader.accounts, warnings))
    return index, warnings


def vocabulary() -> Vocabulary:
    """The names that fixture files may use for providers, variants and settings."""
    variants: Mapping[str, Mapping[OutcomeName, frozenset[str]]] = {
        provider.name: {name: frozenset(choices) for name, choices in provider.traits.variants.items()}
        for provider in PROVIDERS
    }
    return Vocabulary(providers=variants, settings=frozenset(setting_names()))


def own_hosts() -> tuple[str, ...]:
    """The providers' real host names."""
    return tuple(host for provider in PROVIDERS for host in provider.hosts)


def _described() -> Mapping[str, Any]:
    from mock_server.providers.openapi import describe  # only OpenAPI asks

    return describe(PROVIDERS)


def _shipped_accounts(settings: Settings) -> tuple[Account, ...]:
    # A fixtures directory that declares no accounts gets those that every set of examples uses.
    if settings.fixtures_dir == shipped_fixtures():
        return ()
    return declared_accounts(shipped_fixtures(), vocabulary=vocabulary(), cache=_cache(settings))


def _policy(settings: Settings) -> Policy:
    return Policy(UnmatchedPolicy(settings.unmatched), forcing=settings.forcing, seed=settings.seed)


def _cache(settings: Settings) -> Path | None:
    return default_directory() if settings.cache else None


def _as_settings(defaults: Defaults) -> dict[str, str]:
    file = dict(defaults.settings)
    if defaults.unmatched is not None:
        file["unmatched"] = defaults.unmatched.value
    if defaults.strict is not None:
        file["strict"] = str(defaults.strict)
    return file


def _state(settings: Settings, store: Store | None) -> State:
    bounds = settings.journal_size, settings.journal_bytes
    if store is not None or not settings.has_shared_state:
        return State.own(*bounds, store=store)
    # Imported where it is asked for: the client is an extra, and takes its time to load.
    from mock_server.core.redis_state import shared_state

    return shared_state(settings.state, *bounds)
