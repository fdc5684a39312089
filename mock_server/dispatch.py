"""Where a call goes: to a provider by host name or path, or to the mock's own routes."""

from collections.abc import Sequence
from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server.providers.endpoint import Endpoint
from mock_server.providers.provider import Provider, Refusal, Route

_GALLERY = "/images/"


class Dispatch:
    """The outermost application. A provider's own host name shows that provider only; others show everything."""

    def __init__(
        self, providers: Sequence[Provider], endpoint: Endpoint, own_routes: ASGIApp, *, strict: bool = False
    ) -> None:
        self._providers = providers
        self._by_host = {host: provider for provider in providers for host in provider.hosts}
        self._endpoint = endpoint
        self._own_routes = own_routes
        self._strict = strict

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_GALLERY):
            await self._own_routes(scope, receive, send)
            return
        method, path = scope["method"], scope["path"]
        owner = self._by_host.get(_host(scope))
        if owner is not None:
            route = owner.route(method, path, strict=self._strict) or Route(refusal=Refusal.NO_SUCH_PATH)
            await self._endpoint(owner, route, scope, receive, send)
            return
        for provider in self._providers:
            found = provider.route(method, path, strict=self._strict)
            if found is not None:
                await self._endpoint(provider, found, scope, receive, send)
                return
        await self._own_routes(scope, receive, send)


def _host(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"host":
            return _without_port(value)
    return ""


@lru_cache(maxsize=64)
def _without_port(host: bytes) -> str:
    return host.decode("latin-1").partition(":")[0].rstrip(".").lower()
