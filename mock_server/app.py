"""The application: every part of the mock is put together here, and only here.

`create_app` is the start: it reads the settings and the fixtures, and indexes the images. A mistake in them is reported
there, not at the first request. `App` is a Starlette application; its `routes` say which paths exist.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import fields
from typing import IO, Any

import anyio.to_thread
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server.admin.access import Access
from mock_server.admin.control import Control
from mock_server.admin.error_handlers import HANDLERS
from mock_server.core.accounts import Accounts
from mock_server.core.clock import Clock
from mock_server.core.library import FixtureSet
from mock_server.core.live_scenarios import LiveScenarios
from mock_server.core.picture_caches import KeptUploads
from mock_server.core.pictures import Pictures
from mock_server.core.request_pipeline import RequestPipeline
from mock_server.core.state import State
from mock_server.errors import StoreUnavailableError
from mock_server.fetch import fetch_function
from mock_server.http.cors import parse_origins, with_cors
from mock_server.imaging.lazy_index import LazyIndex
from mock_server.logs import RequestLog, configure
from mock_server.metrics import Metrics
from mock_server.providers import registry
from mock_server.providers.endpoint import Service
from mock_server.recorder import Recorder
from mock_server.routes import (
    Lazy,
    Unserved,
    below_root_path,
    gallery_route,
    parse_root_path,
    provider_routes,
    served_paths,
)
from mock_server.scenarios.hot_reload import START_SECONDS, HotReload
from mock_server.settings import Settings
from mock_server.startup import (
    LIVE_SETTINGS,
    Progress,
    Startup,
    cache_directory,
    kept_uploads,
    load,
    parse_in_one_thread_at_a_time,
    policy_of,
    state_of,
    with_defaults,
)
from mock_server.tuning import without_garbage_collection

logger = logging.getLogger(__name__)


class App(Starlette):
    """The mock as a Starlette application.

    The server enters `running()`, or sends the lifespan events. Neither happens to an application that is mounted in
    another one: its accounts are declared at the first request, and it does not watch the fixture files.
    """

    def __init__(
        self,
        startup: Startup,
        state: State,
        clock: Clock,
        log: RequestLog | None,
        flags: Mapping[str, Any],
        uploads: KeptUploads,
        *,
        owns_process: bool = False,
    ) -> None:
        self.settings = settings = startup.settings
        self._root_path = parse_root_path(settings.root_path, served_paths(registry.PROVIDERS))
        self._flags = flags
        self.store = state.store
        self.clock = clock
        self.accounts = Accounts(self.store, clock)
        self.journal = state.journal
        self.rehearsal = state.rehearsal
        self.metrics = Metrics()
        self.access = Access.of(settings.host, settings.admin_token)
        self.is_replacement = False
        self._is_started = False
        self._reloading: asyncio.Future[Any] | None = None
        self._log = log
        self._pictures = Pictures(
            fetch_function(settings.fetch, max_bytes=settings.max_body),
            registry.own_hosts(),
            thumbnails=state.thumbnails,
            decode_seconds=settings.decode_timeout,
        )
        self.pipeline = RequestPipeline(
            startup.library,
            accounts=self.accounts,
            store=self.store,
            pictures=self._pictures,
            policy=policy_of(settings),
        )
        live_scenarios = LiveScenarios(self.pipeline, state.coordination)
        self._hot_reload = HotReload(
            startup.loader,
            live_scenarios,
            self.accounts,
            max_pixels=settings.max_pixels,
            cache=cache_directory(settings),
            reloaded=self._use_reloaded_settings,
            around_reading=without_garbage_collection if owns_process else contextlib.nullcontext,
        )
        self.control = Control(
            pipeline=self.pipeline,
            store=self.store,
            accounts=self.accounts,
            clock=clock,
            journal=self.journal,
            rehearsal=self.rehearsal,
            metrics=self.metrics,
            thumbnails=state.thumbnails,
            pictures=self._pictures,
            vocabulary=startup.loader.vocabulary,
            providers={provider.name: provider for provider in registry.PROVIDERS},
            coordination=state.coordination,
            live_scenarios=live_scenarios,
            hot_reload=self._hot_reload,
            uploads=uploads,
            editable=settings.fixtures_dir if settings.edit else None,
            rules_off=_rules_of_advice(settings.advice_off),
        )
        state.coordination.attach(clock, self.pipeline.overrides, live_scenarios, self._declare_accounts)
        service = Service(
            self.pipeline,
            clock,
            Recorder(self.journal, self.rehearsal, self.metrics, log, state.share).record,
            self.rehearsal.client_left,
            max_body=settings.max_body,
            is_strict=settings.strict,
            has_mock_headers=settings.mock_headers,
            are_fixtures_ok=lambda: not self._hot_reload.mistakes,
            origins=parse_origins(settings.cors),
            uploads=uploads if uploads.max_count else None,
            is_state_shared=state.share is not None,
        )
        gallery = gallery_route(live_scenarios, state.coordination, service.origins)
        self._admin = admin = Lazy(self._create_admin)
        unserved = Unserved(service, registry.PROVIDERS)
        super().__init__(
            routes=[
                *provider_routes(registry.PROVIDERS, service, gallery),
                Route("/healthz", self._health),
                Route("/__admin", admin),
                Mount("/__admin", admin),
                Route("/", self._to_dashboard),
                Route("/", unserved),
            ],
            exception_handlers=HANDLERS,
            lifespan=lambda _: self.running(),
        )
        # A provider does not redirect `/api/ocr/plate/`.
        self.router.redirect_slashes = False
        self.router.default = with_cors(unserved, service.origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._is_started and scope["type"] == "http":
            await self._start_without_lifespan()
        if self._root_path and scope["type"] != "lifespan":
            scope = below_root_path(scope, self._root_path)
        await super().__call__(scope, receive, send)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Declare the accounts, run the background tasks, and close everything at the end.

        Raises StoreUnavailableError, unless `is_replacement` says that this process replaces one that ended.
        """
        background: list[asyncio.Task[None]] = []
        try:
            await self._start()
            background.append(asyncio.create_task(self._load_the_rest()))
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

    async def _start(self) -> None:
        try:
            await self._declare_accounts()
            await self.control.coordination.refresh()
        except StoreUnavailableError as error:
            if not self.is_replacement:
                raise
            logger.warning("%s", error)
        self._is_started = True

    async def _start_without_lifespan(self) -> None:
        # Without the shared store, each provider answers with its own server error.
        with contextlib.suppress(StoreUnavailableError):
            await self._start()

    async def _declare_accounts(self) -> None:
        await self.accounts.declare(self.control.live_scenarios.files.accounts)

    async def _load_the_rest(self) -> None:
        """Load what the start defers, before a request needs it, but after the first requests."""
        await asyncio.sleep(START_SECONDS)
        index = self.pipeline.library.index
        if isinstance(index, LazyIndex):
            await anyio.to_thread.run_sync(index.get)
        await self._admin.get()

    def reload_fixtures(self) -> None:
        """Start to read the fixture files again. Mistakes are logged."""
        self._reloading = asyncio.ensure_future(self._hot_reload.reload_or_log(is_fresh=True))

    def _use_reloaded_settings(self, fixtures: FixtureSet) -> None:
        settings = with_defaults(self._flags, fixtures.defaults)
        self.pipeline.policy = policy_of(settings)
        for field in fields(Settings):
            is_changed = getattr(settings, field.name) != getattr(self.settings, field.name)
            if is_changed and field.name not in LIVE_SETTINGS:
                logger.warning("mock.yaml: the new value of %s takes effect after a restart", field.name)

    async def _health(self, request: Request) -> Response:
        return Response(orjson.dumps(self.control.health()), media_type="application/json")

    async def _to_dashboard(self, request: Request) -> Response:
        return RedirectResponse(f"{request.scope.get('root_path', '')}/__admin/")

    def _create_admin(self) -> ASGIApp:
        from mock_server.admin.admin_app import create_admin

        return create_admin(self.control, self.access, max_body=self.settings.max_body, root_path=self._root_path)


def create_app(
    flags: Mapping[str, Any] | None = None,
    *,
    clock: Clock | None = None,
    foreground: bool = False,
    log_stream: IO[str] | None = None,
    progress: Progress | None = None,
) -> App:
    """Read the settings and the fixtures, index the images, and return the application.

    `flags` are settings by name; they override the environment and `mock.yaml`. In the `foreground`, the mock owns the
    process and writes its log to stderr, or to `log_stream`. Otherwise the surrounding program configures logging.
    Raises SettingsError and FixturesError.
    """
    parse_in_one_thread_at_a_time()
    startup = load(flags or {}, progress)
    settings = startup.settings
    log = configure(settings.log_format, settings.log_level, log_stream) if foreground or log_stream else None
    for warning in startup.warnings:
        logger.warning("%s", warning)
    uploads = kept_uploads(settings, is_served=foreground)
    return App(startup, state_of(settings), clock or Clock(), log, flags or {}, uploads, owns_process=foreground)


def _rules_of_advice(text: str) -> tuple[str, ...]:
    if not text:
        return ()
    # Imported late: the start does not need the report.
    from mock_server.report.advice import parse_rules

    return parse_rules(text)
