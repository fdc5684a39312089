"""Cross-origin calls from browsers (CORS), for the origins that a setting allows."""

import re
from collections.abc import Sequence
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.errors import SettingsError

_EXPOSED = (
    *("X-Mock-Request-Id", "X-Mock-Scenario", "X-Mock-Match", "X-Mock-Detail", "X-Mock-Fixtures"),
    *("Retry-After", "Allow"),
)
# Compiled at their first use, which most servers do not have.
_ORIGIN = r"[a-z][a-z0-9+.-]*://[^/?#\s,*]+"
_STANDARD_PORT = r"^(http(?=://.*:80$)|https(?=://.*:443$))(.*):\d+$"
_HEADERS = "mock_server.cors_headers"
_PRIVATE_NETWORK = "access-control-request-private-network"


def parse_origins(text: str) -> tuple[str, ...]:
    """The origins of the setting `cors`: none for `off`, `*` for `any`. Raises SettingsError."""
    words = [word.rstrip("/") for word in text.replace(",", " ").split()]
    if "off" in words or "any" in words:
        if len(set(words)) > 1:
            raise SettingsError("--cors off and --cors any cannot be combined with other values")
        return () if words[0] == "off" else ("*",)
    for word in words:
        if word != "null" and not re.fullmatch(_ORIGIN, word, re.IGNORECASE):
            raise SettingsError(f"--cors {word}: not off, any or an origin such as http://localhost:3000")
    return tuple(map(_as_browsers_send, words))


def _as_browsers_send(origin: str) -> str:
    """The origin in lower case, without the standard port, and with the host name in ASCII."""
    origin = re.sub(_STANDARD_PORT, r"\1\2", origin.lower())
    if origin.isascii():
        return origin
    import idna  # its tables take long to load

    scheme, _, rest = origin.partition("://")
    host, colon, port = rest.partition(":")
    try:
        return f"{scheme}://{idna.encode(host, uts46=True).decode()}{colon}{port}"
    except idna.IDNAError as error:
        raise SettingsError(f"--cors {origin}: {error}") from None


def with_cors(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """An application that answers preflight requests and adds the headers of CORS; without origins, `app` itself."""
    if not origins:
        return app
    return _Cors(app, allow_origins=origins, allow_methods=["*"], allow_headers=["*"], expose_headers=_EXPOSED)


def cors_headers(scope: Scope) -> Sequence[tuple[bytes, bytes]]:
    """The headers of CORS for a reply that is written to the connection directly."""
    headers: Sequence[tuple[bytes, bytes]] = scope.get(_HEADERS, ())
    return headers


class _Cors(CORSMiddleware):
    """Also broken replies have the headers, and a page of a public site can call this machine."""

    def preflight_response(self, request_headers: Headers) -> Response:
        rest = Headers({name: value for name, value in request_headers.items() if name != _PRIVATE_NETWORK})
        response = super().preflight_response(rest)
        if _PRIVATE_NETWORK in request_headers:
            response.headers["Access-Control-Allow-Private-Network"] = "true"
        return response

    async def simple_response(self, scope: Scope, receive: Receive, send: Send, request_headers: Headers) -> None:
        start: dict[str, Any] = {"type": "http.response.start", "headers": []}
        await self.send(start, _discard, request_headers)
        scope[_HEADERS] = start["headers"]
        await super().simple_response(scope, receive, send, request_headers)

    async def send(self, message: Message, send: Send, request_headers: Headers) -> None:
        async def send_with_vary(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if "origin" not in headers.get("vary", "").lower():  # Starlette before 1.0
                    headers.add_vary_header("Origin")
            await send(message)

        await super().send(message, send_with_vary, request_headers)


async def _discard(message: Message) -> None:
    """Send nothing."""
