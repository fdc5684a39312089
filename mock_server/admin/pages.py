"""The web pages: the dashboard and the documentation. Each is one response that loads nothing else."""

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from mock_server.admin.control import Control
from mock_server.admin.operation import Operations

OPERATIONS = Operations()
PAGES = {"/": "dashboard", "/docs": "docs"}
"""Names of the pages, by their paths below `/__admin`."""

_WEB = Path(__file__).parent / "web"


@dataclass(frozen=True, slots=True)
class Page:
    """A page with its styles and scripts, and the content security policy that allows only these."""

    body: bytes
    policy: str

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """HTTP headers, in ASGI's form."""
        return ((b"content-type", b"text/html; charset=utf-8"), (b"content-security-policy", self.policy.encode()))


@cache
def page(name: str) -> Page:
    """The page of a name. It is built once."""
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
    content = page(name)
    headers = {key.decode(): value.decode() for key, value in content.headers}
    return Response(content.body, headers=headers, media_type=None)


@OPERATIONS("GET", "/")
async def dashboard(control: Control, request: Request) -> Response:
    return _response("dashboard")


@OPERATIONS("GET", "/docs")
async def docs(control: Control, request: Request) -> Response:
    return _response("docs")


@OPERATIONS("GET", "/openapi.json")
async def openapi(control: Control, request: Request) -> Response:
    # The document is made at the first request, which takes long.
    content = await anyio.to_thread.run_sync(request.app.state.openapi)
    return Response(content, media_type="application/json")
