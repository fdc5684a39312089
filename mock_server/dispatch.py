"""Where a call goes: to a provider by host name or path, or to the mock's own routes."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server.providers.endpoint import Endpoint, Target
from mock_server.providers.provider import Provider, Refusal, Route

_GALLERY = "/images/"


class Dispatch:
    """The outermost application. A provider's own host name shows that provider only; others show everything."""

    def __init__(
        self, providers: Sequence[Provider], endpoint: Endpoint, own_routes: ASGIApp, *, strict: bool = False
    ) -> None:
        self._providers = providers
        self._patterns = {
            provider.name: [(compile_path(route.path)[0], route) for route in provider.routes]
            for provider in providers
        }
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
            target = self._target(owner, method, path) or Target(Refusal.NO_SUCH_PATH)
            await self._endpoint(owner, target, scope, receive, send)
            return
        for provider in self._providers:
            found = self._target(provider, method, path)
            if found is not None:
                await self._endpoint(provider, found, scope, receive, send)
                return
        await self._own_routes(scope, receive, send)

    def _target(self, provider: Provider, method: str, path: str) -> Target | None:
        for pattern, route in self._patterns[provider.name]:
            if match := pattern.match(path):
                return self._target_of(route, match.groupdict(), method, path)
        return None

    def _target_of(self, route: Route, parameters: Mapping[str, str], method: str, path: str) -> Target:
        product = route.product_of(parameters)
        if route.is_alias and self._strict:
            return Target(Refusal.NO_SUCH_PATH)
        if product is None:
            return Target(Refusal.UNKNOWN_PRODUCT)
        if method != "POST":
            return Target(Refusal.WRONG_METHOD)
        return Target(product, path if route.is_alias else None)


def _host(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"host":
            return _without_port(value)
    return ""


@lru_cache(maxsize=64)
def _without_port(host: bytes) -> str:
    return host.decode("latin-1").partition(":")[0].rstrip(".").lower()
