"""The paths and host names of the providers, as Starlette routes."""

import re
from collections.abc import Iterator, Sequence

from starlette.routing import BaseRoute, Host, Route, Router
from starlette.types import ASGIApp

from mock_server.providers.endpoint import Endpoint, Service
from mock_server.providers.provider import Provider


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
