"""The admin API and its web pages as one application, mounted at `/__admin`. Everything in it is guarded."""

from base64 import b64encode
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path

import anyio.to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mock_server.admin import (
    account_routes,
    export_routes,
    journal_routes,
    match_routes,
    override_routes,
    scenario_routes,
    server_routes,
)
from mock_server.admin.access import Access, Guard
from mock_server.admin.control import Control
from mock_server.admin.error_handlers import HANDLERS, to_response
from mock_server.admin.operation import Operation, Operations, to_json
from mock_server.http.reply import Reply

PREFIX = "/__admin"

_PAGES = Operations()
_WEB = Path(__file__).parent / "web"


@_PAGES("GET", "/")
async def dashboard(control: Control, request: Request) -> Response:
    return to_response(_page("dashboard"))


@_PAGES("GET", "/docs")
async def docs(control: Control, request: Request) -> Response:
    return to_response(_page("docs"))


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
    *export_routes.OPERATIONS,
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
        return to_json({**document, "servers": [{"url": root_path or "/"}]})

    guard = Middleware(
        Guard,
        access=access,
        open_paths={operation.path for operation in OPERATIONS if operation.is_open},
        pages={PREFIX: _page("dashboard"), "/": _page("dashboard"), "/docs": _page("docs")},
    )
    admin = Starlette(
        routes=[*_routes(control), Route(PREFIX, _to_dashboard)], middleware=[guard], exception_handlers=HANDLERS
    )
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
        return await operation.respond(control, request)

    # An account's key may contain a slash.
    return Route(path.replace("{key}", "{key:path}"), endpoint, methods=list(operations))


async def _to_dashboard(request: Request) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}{PREFIX}/", 308)


@cache
def _page(name: str) -> Reply:
    """A web page with its styles and scripts. The content security policy allows only these."""
    style = _read("shared.css") + _read(f"{name}.css")
    script = _read("shared.js") + _read(f"{name}.js")
    body = _read(f"{name}.html").replace("/* styles */", style, 1).replace("/* scripts */", script, 1)
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    headers = ((b"content-type", b"text/html; charset=utf-8"), (b"content-security-policy", policy.encode()))
    return Reply(200, headers, body.encode())


def _read(name: str) -> str:
    return (_WEB / name).read_text("utf-8")


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
