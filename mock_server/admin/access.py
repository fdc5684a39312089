"""Access rules of the admin API: programs on this machine, or callers with the token; no web pages of other origins."""

import hmac
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.admin.error_handlers import to_response
from mock_server.http.reply import Reply, problem
from mock_server.settings import is_loopback

HARDENING = (
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
"""Headers of every response of the admin API."""

_FORWARDING = (b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-prefix", b"x-real-ip")
"""Headers that a proxy on this machine adds. Its own client may be on another machine; the headers may be forged."""
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="vehicle-ocr-mock admin"'}


@dataclass(frozen=True, slots=True)
class Access:
    """The rules. Without a `token`, calls must come from this machine, and use its name.

    `is_generated`: the token was not set by the user, so the server must print it.
    """

    token: str = ""
    is_generated: bool = False

    @classmethod
    def of(cls, host: str, token: str) -> Self:
        """The rules for a server that listens on `host`. A server that other machines can reach always has a token."""
        if token or is_loopback(host):
            return cls(token)
        return cls(secrets.token_urlsafe(24), is_generated=True)

    def refusal(self, scope: Scope) -> Reply | None:
        """The response that refuses a call, or None if the call is allowed."""
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if not _same_origin(headers, scope["method"]):
            return problem(403, "Web pages of another origin cannot use the admin API.")
        if self.token:
            return None if self._authorized(headers) else _unauthorized(headers)
        client = scope.get("client")
        is_forwarded = any(name in headers for name in _FORWARDING)
        if is_forwarded or (client is not None and not is_loopback(client[0])):
            return problem(
                403, "Without a token only this machine can use the admin API: start the server with --admin-token."
            )
        if not is_loopback(_host_name(headers.get(b"host", ""))):
            # DNS rebinding: a web page's own name can be made to resolve to this machine.
            return problem(403, "The admin API answers to localhost only; set --admin-token to use it by another name.")
        return None

    def _authorized(self, headers: Mapping[bytes, str]) -> bool:
        scheme, _, given = headers.get(b"authorization", "").partition(" ")
        is_right = hmac.compare_digest(given.strip().encode("latin-1"), self.token.encode())
        return scheme.lower() == "bearer" and is_right


class Guard:
    """Middleware that checks the access rules. `open_paths` are not checked.

    A browser without the token gets a 401 with the page from `pages`, which then asks for the token.
    """

    def __init__(
        self, app: ASGIApp, access: Access, *, open_paths: Collection[str], pages: Mapping[str, Reply]
    ) -> None:
        self._app = app
        self._access = access
        self._open_paths = open_paths
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HARDENING]
            await send(message)

        path = scope["path"].removeprefix(scope.get("root_path", ""))
        refusal = None if path in self._open_paths else self._access.refusal(scope)
        if refusal is None:
            await self._app(scope, receive, hardened)
            return
        if refusal.status == 401 and path in self._pages and _wants_html(scope):
            # The page itself has no data.
            page = self._pages[path]
            headers = tuple(line for line in refusal.headers if line[0] != b"content-type")
            refusal = Reply(401, (*headers, *page.headers), page.body)
        await to_response(refusal)(scope, receive, hardened)


def _unauthorized(headers: Mapping[bytes, str]) -> Reply:
    mistake = "is wrong" if b"authorization" in headers else "is missing"
    return problem(401, f"The admin token {mistake}: Authorization: Bearer <token>.", headers=_CHALLENGE)


def _same_origin(headers: Mapping[bytes, str], method: str) -> bool:
    """Whether a call does not come from a web page of another origin. Only browsers send these headers."""
    site = headers.get(b"sec-fetch-site", "none")
    if site not in ("same-origin", "none"):
        # A link to the dashboard may be followed: the page with the link cannot read the dashboard.
        return method == "GET" and headers.get(b"sec-fetch-mode") == "navigate"
    origin = headers.get(b"origin")
    return origin is None or urlsplit(origin).netloc.lower() == headers.get(b"host", "").lower()


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def _wants_html(scope: Scope) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
