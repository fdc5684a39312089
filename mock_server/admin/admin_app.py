"""The admin API and its web pages as one application, mounted at `/__admin`. Everything in it is guarded."""

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import anyio.to_thread
import orjson
import xxhash
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mock_server.admin import (
    account_routes,
    journal_routes,
    match_routes,
    override_routes,
    report_routes,
    scenario_file_routes,
    scenario_routes,
    server_routes,
    workbench_routes,
)
from mock_server.admin.access import Access, Guard
from mock_server.admin.control import Control
from mock_server.admin.error_handlers import HANDLERS, to_response
from mock_server.admin.operation import Operation, Operations
from mock_server.http.reply import Reply

PREFIX = "/__admin"

_PAGES = Operations()
_WEB = Path(__file__).parent / "web"
_MEDIA_TYPES = {".html": b"text/html; charset=utf-8", ".css": b"text/css; charset=utf-8", ".js": b"text/javascript"}
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    b"frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
"""The pages run the files of `web/` and nothing else."""


@_PAGES("GET", "/")
async def dashboard(control: Control, request: Request) -> Response:
    return to_response(_file("dashboard.html"))


@_PAGES("GET", "/docs")
async def docs(control: Control, request: Request) -> Response:
    return to_response(_file("docs.html"))


@_PAGES("GET", "/openapi.json")
async def openapi(control: Control, request: Request) -> Response:
    # The document is made at the first request, which takes long.
    content = await anyio.to_thread.run_sync(request.app.state.openapi)
    return Response(content, media_type="application/json")


OPERATIONS: tuple[Operation, ...] = (
    *account_routes.OPERATIONS,
    *scenario_routes.OPERATIONS,
    *override_routes.OPERATIONS,
    *journal_routes.OPERATIONS,
    *match_routes.OPERATIONS,
    *server_routes.OPERATIONS,
    *workbench_routes.OPERATIONS,
    *scenario_file_routes.OPERATIONS,
    *report_routes.OPERATIONS,
    *_PAGES,
)


def create_admin(control: Control, access: Access, *, max_body: int, root_path: str = "") -> Starlette:
    """The admin application. `max_body` is the largest body of a request, in bytes."""

    @cache
    def openapi_json() -> bytes:
        # The models behind the document take long to import, and few users request it.
        from mock_server.admin.openapi import openapi_document

        providers = list(control.providers.values())
        document = openapi_document(OPERATIONS, providers, control.vocabulary, has_token=bool(access.token))
        return orjson.dumps({**document, "servers": [{"url": root_path or "/"}]})

    dashboard, docs = _file("dashboard.html"), _file("docs.html")
    # A browser cannot send the token for the files of a page. They have no data of the server.
    files = [f"/web/{path.name}" for path in _WEB.iterdir() if path.suffix in (".js", ".css")]
    guard = Middleware(
        Guard,
        access=access,
        open_paths={*files, *(operation.path for operation in OPERATIONS if operation.is_open)},
        pages={PREFIX: dashboard, "/": dashboard, "/docs": docs},
    )
    routes = [*_routes(control), *(Route(path, _send_file) for path in files), Route(PREFIX, _to_dashboard)]
    admin = Starlette(routes=routes, middleware=[guard], exception_handlers=HANDLERS)
    admin.state.max_body = max_body
    admin.state.openapi = openapi_json
    return admin


def _routes(control: Control) -> list[Route]:
    """One route for each path: a 405 must name all methods that are allowed."""
    by_path: dict[str, dict[str, Operation]] = defaultdict(dict)
    for operation in OPERATIONS:
        by_path[operation.path][operation.method] = operation
    return [_route(path, operations, control) for path, operations in by_path.items()]


def _route(path: str, operations: Mapping[str, Operation], control: Control) -> Route:
    async def endpoint(request: Request) -> Response:
        operation = operations["GET" if request.method == "HEAD" else request.method]
        if not operation.is_open:
            await control.coordination.refresh()
        return _unless_known(request, await operation.respond(control, request))

    # An account's key may contain a slash.
    return Route(path.replace("{key}", "{key:path}"), endpoint, methods=list(operations))


def _unless_known(request: Request, response: Response) -> Response:
    """The response, or a 304 without a body if the caller has the same document already."""
    if request.method != "GET" or response.status_code != 200:
        return response
    # A whole journal has tens of megabytes, and xxHash reads them in milliseconds.
    tag = f'"{xxhash.xxh3_128_hexdigest(response.body)}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"etag": tag})
    response.headers["etag"] = tag
    return response


async def _to_dashboard(request: Request) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}{PREFIX}/", 308)


async def _send_file(request: Request) -> Response:
    return to_response(_file(Path(request.scope["path"]).name))


@cache
def _file(name: str) -> Reply:
    """A page, or a script or a style of the pages."""
    path = _WEB / name
    return Reply(
        200, ((b"content-type", _MEDIA_TYPES[path.suffix]), (b"content-security-policy", _POLICY)), path.read_bytes()
    )
