"""The admin API and its pages as one application, mounted at `/__admin`. Everything in it is guarded."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mock_server.admin import account_routes, journal_routes, match_routes, pages, scenario_routes, server_routes
from mock_server.admin.access import Access, Guard
from mock_server.admin.control import Control
from mock_server.admin.error_handlers import HANDLERS
from mock_server.admin.operation import Operation, to_json
from mock_server.admin.pages import PAGES, page

PREFIX = "/__admin"
OPERATIONS: tuple[Operation, ...] = (
    *account_routes.OPERATIONS,
    *scenario_routes.OPERATIONS,
    *journal_routes.OPERATIONS,
    *match_routes.OPERATIONS,
    *server_routes.OPERATIONS,
    *pages.OPERATIONS,
)


def create_admin(
    control: Control,
    access: Access,
    *,
    max_body: int,
    metrics: Callable[[], tuple[bytes, str]],
    providers: Callable[[], Mapping[str, Any]],
) -> Starlette:
    """The admin application. `metrics` returns their text and its media type, `providers` their part of OpenAPI."""
    shells = {path: page(name) for path, name in PAGES.items()}
    guard = Middleware(
        Guard,
        access=access,
        open_paths={operation.path for operation in OPERATIONS if operation.is_open},
        pages={PREFIX: shells["/"], **shells},
    )
    admin = Starlette(
        routes=[*_routes(control), Route(PREFIX, _to_dashboard)], middleware=[guard], exception_handlers=dict(HANDLERS)
    )
    admin.state.max_body = max_body
    admin.state.metrics = metrics
    admin.state.openapi = cache(lambda: _openapi(control, access, providers()))
    return admin


def _routes(control: Control) -> list[Route]:
    """One route for each path: a 405 must name all methods that are allowed."""
    by_path: dict[str, dict[str, Operation]] = defaultdict(dict)
    for operation in OPERATIONS:
        by_path[operation.path][operation.method] = operation
    return [_route(path, operations, control) for path, operations in by_path.items()]


def _route(path: str, operations: Mapping[str, Operation], control: Control) -> Route:
    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        operation = operations[method]
        if not operation.is_open:
            await control.coordination.refresh()
        return await operation.respond(control, request)

    # An account's key may contain a slash.
    return Route(path.replace("{key}", "{key:path}"), endpoint, methods=list(operations))


def _openapi(control: Control, access: Access, providers: Mapping[str, Any]) -> bytes:
    # The models behind the document take long to import, and few users request it.
    from mock_server.admin.openapi import openapi_document

    vocabulary = control.vocabulary
    return to_json(openapi_document(OPERATIONS, providers, vocabulary, has_token=bool(access.token)))


async def _to_dashboard(request: Request) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}{PREFIX}/", 308)
