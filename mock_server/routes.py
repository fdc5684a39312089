"""The paths that the mock serves: those of the providers and of their host names, the gallery, a 404 for all others."""

import asyncio
import os
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import anyio.to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route, Router, request_response
from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server.core.exchange import NO_PROVIDER
from mock_server.core.live_scenarios import LiveScenarios
from mock_server.core.model import NO_FAULT
from mock_server.core.redaction import without_keys
from mock_server.core.state import Coordination
from mock_server.errors import SettingsError
from mock_server.http.cors import with_cors
from mock_server.http.reply import header_text, media_type_of, problem, send_reply
from mock_server.providers.endpoint import Endpoint, KeyCheckEndpoint, Service, headers_of
from mock_server.providers.finished_call import FinishedCall
from mock_server.providers.journal_entry import Answered
from mock_server.providers.provider import Call, Provider, documented_paths
from mock_server.providers.provider import Route as ProviderRoute
from mock_server.suggest import suggest

_GALLERY_METHODS = ("GET", "HEAD")
_OTHER_PATHS = ("/__admin/", "/healthz")
_BROWSERS_OWN = ("/favicon.ico", "/apple-touch-icon.png", "/.well-known/appspecific/com.chrome.devtools.json")
"""What a browser asks for by itself when a person opens a page of the mock."""
_GALLERY = "/images/"
_ROOT_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")


def provider_routes(providers: Sequence[Provider], service: Service, gallery: Route) -> list[BaseRoute]:
    """First the providers' real host names, where each has its own paths and its own 404; then all paths."""
    hosts: dict[bytes, ASGIApp] = {}
    all_paths: list[BaseRoute] = []
    for provider in providers:
        paths = [_provider_route(service, provider, route) for route in provider.routes]
        for host in provider.hosts:
            served = zip(paths, provider.routes, strict=True)
            own = [path for path, route in served if host in (route.hosts or provider.hosts)]
            unknown = with_cors(Endpoint(service, provider), service.origins)
            hosts[host.encode()] = Router([*own, gallery], redirect_slashes=False, default=unknown)
        all_paths += paths
    return [_ProviderHosts(hosts), *all_paths, gallery]


def _provider_route(service: Service, provider: Provider, route: ProviderRoute) -> Route:
    kind = KeyCheckEndpoint if route.product is None else Endpoint
    return Route(route.prefix + route.path, with_cors(kind(service, provider, route), service.origins))


def served_paths(providers: Sequence[Provider]) -> list[str]:
    """All paths that the mock serves, as patterns."""
    return [*(route.prefix + route.path for one in providers for route in one.routes), *_OTHER_PATHS, _GALLERY]


def parse_root_path(text: str, served: Iterable[str] = ()) -> str:
    """The setting `root_path` without a slash at its end; `served` are the paths that the mock serves.

    Raises SettingsError, also for a path that one of them begins with: it would be taken for the prefix.
    """
    path = text.rstrip("/")
    if path and (not _ROOT_PATH.fullmatch(path) or {".", ".."} & set(path.split("/"))):
        raise SettingsError(f"--root-path {text}: not a path such as /mock")
    if own := next((one for one in served if path and f"{one}/".startswith(f"{path}/")), None):
        raise SettingsError(f"--root-path {text}: the mock's own path {own} begins with it; use another one")
    return path


def below_root_path(scope: Scope, root_path: str) -> Scope:
    """The scope of a request below a path prefix, which the proxy may have removed from its path."""
    path = scope["path"]
    if path == root_path:
        path = f"{root_path}/"
    elif not path.startswith(f"{root_path}/"):
        path = root_path + path
    return {**scope, "root_path": root_path, "path": path}


class _ProviderHosts(BaseRoute):
    """Applications by their host names. A request may have the name in upper case, and with a final dot.

    One look-up takes 1 µs; a Starlette `Host` for each name takes 3 µs each.
    """

    def __init__(self, apps: Mapping[bytes, ASGIApp]) -> None:
        self._apps = apps

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Full for the host name of a provider, otherwise none."""
        for name, value in scope["headers"]:
            if name == b"host":
                app = self._apps.get(value.partition(b":")[0].removesuffix(b".").lower())
                return (Match.FULL, {"endpoint": app}) if app else (Match.NONE, {})
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the provider's application."""
        await scope["endpoint"](scope, receive, send)


def gallery_route(scenarios: LiveScenarios, coordination: Coordination, origins: Sequence[str] = ()) -> Route:
    """The images of the fixtures at `/images/<name>`, so that a client has URLs to send to a provider.

    No part of a request's path reaches the file system.
    """

    async def read(name: str) -> bytes | None:
        return await anyio.to_thread.run_sync(scenarios.library.picture, name)

    async def get(request: Request) -> Response:
        from mock_server.imaging.open_image import inspect  # imports Pillow, which a start does not need

        if request.method not in _GALLERY_METHODS:
            # With CORS, preflight requests must reach the route.
            raise HTTPException(405, headers={"Allow": ", ".join(_GALLERY_METHODS)})
        name = request.path_params["name"]
        image = await read(name)
        if image is None:
            # Another process may have added the scenario a moment ago.
            await coordination.refresh()
            image = await read(name)
        if image is None:
            raise HTTPException(404)
        return Response(image, media_type=media_type_of(inspect(image).format))

    return Route(f"{_GALLERY}{{name:path}}", with_cors(request_response(get), origins) if origins else get)


class Unserved:
    """An ASGI application for every path that no route has: a 404 with the nearest path, in the journal and the log.

    What browsers ask for by themselves is in neither of the two: no client has made a mistake.
    """

    def __init__(self, service: Service, providers: Sequence[Provider]) -> None:
        self._service = service
        self._paths = [*documented_paths(providers), *_OTHER_PATHS]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        started, request_id = time.perf_counter(), os.urandom(8).hex()
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        hint = suggest(re.sub("/+", "/", path), self._paths)
        mock_headers = {"X-Mock-Request-Id": request_id, "X-Mock-Detail": header_text(hint).decode()}
        reply = problem(
            404,
            f"Nothing is served at {without_keys(path)[:200]}; {hint}",
            headers=mock_headers if self._service.has_mock_headers else None,
        )
        if path in _BROWSERS_OWN:
            await send_reply(reply, NO_FAULT, scope, send)
            return
        call = Call(scope["method"], path, scope["query_string"], headers_of(scope), None)
        now, seconds = self._service.clock.now(), time.perf_counter() - started
        await self._service.record(FinishedCall(request_id, NO_PROVIDER, call, Answered(reply, hint), now, seconds))
        await send_reply(reply, NO_FAULT, scope, send)


class Lazy:
    """An application that is created after the start, or at its first request: its imports take long."""

    def __init__(self, create: Callable[[], ASGIApp]) -> None:
        self._create = create
        self._app: ASGIApp | None = None
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app or await self.get()
        await app(scope, receive, send)

    async def get(self) -> ASGIApp:
        """The application. It is created in a thread, so that other requests do not wait."""
        async with self._lock:
            if self._app is None:
                self._app = await anyio.to_thread.run_sync(self._create)
            return self._app
