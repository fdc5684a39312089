"""The paths and host names of the providers, as Starlette routes, and the reply to all other paths."""

import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from starlette.routing import BaseRoute, Host, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server.core.exchange import NO_PROVIDER
from mock_server.core.journal import JournalEntry
from mock_server.core.model import NO_FAULT
from mock_server.http.reply import problem, send_reply
from mock_server.providers.endpoint import Endpoint, Service
from mock_server.providers.provider import MAX_TEXT, Provider
from mock_server.suggest import suggest

_OTHER_PATHS = ("/__admin/", "/healthz")


def provider_routes(providers: Sequence[Provider], service: Service) -> Iterator[BaseRoute]:
    """First the providers' real host names, where each has its own paths and its own 404; then all paths."""
    for provider in providers:
        paths = list(_path_routes(provider, service))
        own = Router(paths, redirect_slashes=False, default=Endpoint(service, provider))
        for host in provider.hosts:
            yield _ProviderHost(host, own)
    for provider in providers:
        yield from _path_routes(provider, service)


def _path_routes(provider: Provider, service: Service) -> Iterator[Route]:
    for route in provider.routes:
        yield Route(route.path, Endpoint(service, provider, route))


class _ProviderHost(Host):
    """A host name in upper or lower case, with or without the final dot."""

    def __init__(self, host: str, app: ASGIApp) -> None:
        super().__init__(host, app)
        self.host_regex = re.compile(rf"{re.escape(host)}\.?\Z", re.IGNORECASE)


class Unserved:
    """An ASGI application for paths that nothing serves: a 404 with the nearest path, in the journal and in the log."""

    def __init__(self, service: Service, providers: Sequence[Provider]) -> None:
        self._service = service
        self._paths = [*_documented_paths(providers), *_OTHER_PATHS]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        started = time.perf_counter()
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        hint = suggest(re.sub("/+", "/", path), self._paths)
        reply = problem(404, f"Nothing is served at {path[:200]}; {hint}")
        client = next((value for name, value in scope["headers"] if name == b"user-agent"), None)
        entry = JournalEntry(
            id=os.urandom(8).hex(),
            time=datetime.fromtimestamp(self._service.clock.now(), UTC),
            provider=NO_PROVIDER,
            method=scope["method"][:MAX_TEXT],
            path=path[:MAX_TEXT],
            status=reply.status,
            milliseconds=round((time.perf_counter() - started) * 1000, 3),
            client=client.decode("latin-1")[:MAX_TEXT] if client else None,
            detail=hint,
            body=reply.body,
        )
        await self._service.record(entry)
        await send_reply(reply, NO_FAULT, scope, send)


def _documented_paths(providers: Sequence[Provider]) -> Iterable[str]:
    for provider in providers:
        for product in provider.products:
            yield provider.example_call(product, "", "").path
