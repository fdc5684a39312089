"""The mock's own routes: the admin API behind its guard, health, and the gallery of pictures."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server.admin import account_routes, journal_routes, pages, scenario_routes, server_routes
from mock_server.admin.access import Access, Guard
from mock_server.admin.control import Control
from mock_server.admin.error_handlers import HANDLERS, as_response
from mock_server.admin.exchange_document import to_json
from mock_server.admin.operation import Operation, json_response
from mock_server.admin.pages import PAGES, Page, page
from mock_server.http.problem_details import problem
from mock_server.imaging.decode import inspect

PREFIX = "/__admin"
OPERATIONS: tuple[Operation, ...] = (
    *account_routes.OPERATIONS,
    *scenario_routes.OPERATIONS,
    *journal_routes.OPERATIONS,
    *server_routes.OPERATIONS,
    *pages.OPERATIONS,
)
_MEDIA_TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "HEIF": "image/heic"}


def create_site(
    control: Control,
    access: Access,
    *,
    max_body: int,
    metrics: Callable[[], tuple[bytes, str]],
    providers: Callable[[], Mapping[str, Any]],
) -> ASGIApp:
    """Everything that is not a provider's. `metrics` gives their text and its type, `providers` their OpenAPI."""
    admin = Starlette(
        routes=[*_routes(control), Route(PREFIX, _to_dashboard)], exception_handlers=dict(HANDLERS)
    )
    admin.state.max_body = max_body
    admin.state.metrics = metrics
    admin.state.openapi = cache(lambda: _openapi(control, access, providers()))
    guarded = Guard(admin, access, open_paths=_open_paths(), pages=_shells())
    public = Starlette(
        routes=[
            Route("/healthz", _health(control)),
            Route("/images/{name:path}", _gallery(control)),
        ],
        exception_handlers=dict(HANDLERS),
    )

    async def site(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        inside = path == PREFIX or path.startswith(PREFIX + "/")
        await (guarded if inside else public)(scope, receive, send)

    return site


def _routes(control: Control) -> list[Route]:
    """One route a path, so that a wrong method is answered with all that are right."""
    by_path: dict[str, dict[str, Operation]] = defaultdict(dict)
    for operation in OPERATIONS:
        by_path[operation.path][operation.method] = operation
    return [_route(path, operations, control) for path, operations in by_path.items()]


def _route(path: str, operations: Mapping[str, Operation], control: Control) -> Route:
    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        operation = operations[method]
        if not operation.open:
            await control.world.refresh()
        return await operation.handler(control, request)

    # A key may hold anything, a slash included.
    return Route(PREFIX + path.replace("{key}", "{key:path}"), endpoint, methods=list(operations))


def _openapi(control: Control, access: Access, providers: Mapping[str, Any]) -> bytes:
    # Made of the models that check documents, which take a good part of a start.
    from mock_server.admin.openapi import document

    vocabulary = control.scenarios.vocabulary
    return to_json(document(OPERATIONS, providers, vocabulary, token=bool(access.token)))


def _shells() -> dict[str, Page]:
    shells = {PREFIX + path: page(name) for path, name in PAGES.items()}
    return {PREFIX: shells[f"{PREFIX}/"], **shells}


def _open_paths() -> frozenset[str]:
    return frozenset(PREFIX + operation.path for operation in OPERATIONS if operation.open)


async def _to_dashboard(request: Request) -> Response:
    return RedirectResponse(f"{PREFIX}/", 308)


def _health(control: Control) -> Callable[[Request], Any]:
    async def health(request: Request) -> Response:
        return json_response(control.health())

    return health


def _gallery(control: Control) -> Callable[[Request], Any]:
    async def picture(request: Request) -> Response:
        name = request.path_params["name"]
        data = await anyio.to_thread.run_sync(control.stage.library.picture, name)
        if data is None:
            # Another process may have been given it just now.
            await control.world.refresh()
            data = await anyio.to_thread.run_sync(control.stage.library.picture, name)
        if data is None:
            return as_response(problem(404, f"Nothing is served at {request.url.path[:200]}."))
        format = inspect(data).format
        return Response(data, media_type=_MEDIA_TYPES.get(format, f"image/{format.lower()}"))

    return picture
