"""The pages for people: the dashboard and the documentation. Each is one file that loads nothing from elsewhere."""

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from mock_server.admin.control import Control
from mock_server.admin.operation import Answer, Operation

TAG = "pages"
PAGES = {"/": "dashboard", "/docs": "docs"}
"""The pages by their paths below the admin prefix."""

_WEB = Path(__file__).parent / "web"


@dataclass(frozen=True, slots=True)
class Page:
    """A page with its styles and scripts inside, and the policy that lets it run these and nothing else."""

    body: bytes
    policy: str

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """Its headers, in ASGI's form."""
        return (
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-security-policy", self.policy.encode()),
        )


@cache
def page(name: str) -> Page:
    """A page by its name, put together once."""
    style = _read("shared.css") + _read(f"{name}.css")
    script = _read("shared.js") + _read(f"{name}.js")
    html = _read(f"{name}.html")
    body = html.replace("/* styles */", style, 1).replace("/* scripts */", script, 1)
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return Page(body.encode(), policy)


def _read(name: str) -> str:
    return (_WEB / name).read_text("utf-8")


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _response(name: str) -> Response:
    shown = page(name)
    return Response(
        shown.body, headers={key.decode(): value.decode() for key, value in shown.headers}, media_type=None
    )


async def dashboard(control: Control, request: Request) -> Response:
    return _response("dashboard")


async def docs(control: Control, request: Request) -> Response:
    return _response("docs")


async def openapi(control: Control, request: Request) -> Response:
    return Response(request.app.state.openapi(), media_type="application/json")


_HTML = {"type": "string"}
OPERATIONS = (
    Operation(
        "GET",
        "/",
        dashboard,
        "The dashboard",
        {200: Answer("A page.", _HTML, media_type="text/html")},
        TAG,
    ),
    Operation(
        "GET",
        "/docs",
        docs,
        "This document as a page",
        {200: Answer("A page.", _HTML, media_type="text/html")},
        TAG,
    ),
    Operation(
        "GET",
        "/openapi.json",
        openapi,
        "This document",
        {200: Answer("OpenAPI 3.1.", {"type": "object"})},
        TAG,
    ),
)
