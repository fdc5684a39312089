"""Who may use the admin API: this machine, or whoever knows the token; and never a web page of someone else."""

import hmac
import ipaddress
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.http.problem_details import problem
from mock_server.http.reply import Reply

if TYPE_CHECKING:
    from mock_server.admin.pages import Page

HARDENING = (
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
"""Headers of every admin reply."""

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="vehicle-ocr-mock admin"'}


def is_loopback(host: str) -> bool:
    """Whether a name or an address means this machine and no other."""
    host = host.lower().rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_loopback or (mapped is not None and mapped.is_loopback)


@dataclass(frozen=True, slots=True)
class Access:
    """The rules. Without a `token`, calls must come from this machine and be addressed to it by name.

    `generated` tells that nobody chose the token, so that it must be shown to whoever started the server.
    """

    token: str = ""
    generated: bool = False

    @classmethod
    def of(cls, host: str, token: str) -> Self:
        """The rules for a server listening on `host`: beyond this machine there is always a token."""
        if token or is_loopback(host):
            return cls(token)
        return cls(secrets.token_urlsafe(24), generated=True)

    def refusal(self, scope: Scope) -> Reply | None:
        """Why a call is refused, if it is."""
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if not _same_origin(headers, scope["method"]):
            return problem(403, "Web pages of another origin may not use the admin API.")
        if self.token:
            return None if self._authorized(headers) else _unauthorized(headers)
        client = scope.get("client")
        if client is not None and not is_loopback(client[0]):
            detail = (
                "Without a token the admin API is for this machine only: start the server with --admin-token."
            )
            return problem(403, detail)
        if not is_loopback(_host_name(headers.get(b"host", ""))):
            # A page of a foreign name that was made to resolve to this machine (DNS rebinding).
            detail = "The admin API answers to localhost only; set --admin-token to reach it by another name."
            return problem(403, detail)
        return None

    def _authorized(self, headers: Mapping[bytes, str]) -> bool:
        scheme, _, given = headers.get(b"authorization", "").partition(" ")
        right = hmac.compare_digest(given.strip().encode("latin-1"), self.token.encode())
        return scheme.lower() == "bearer" and right


class Guard:
    """Lets admitted calls through to the admin API. `open_paths` need nothing; `pages` may ask for the token."""

    def __init__(
        self, app: ASGIApp, access: Access, *, open_paths: Collection[str], pages: "Mapping[str, Page]"
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
            # The page holds nothing but the means to ask for the token.
            page = self._pages[path]
            kept = tuple(line for line in refusal.headers if line[0] != b"content-type")
            refusal = Reply(401, (*kept, *page.headers), page.body)
        await _send(refusal, hardened)


async def _send(reply: Reply, send: Send) -> None:
    length = (b"content-length", b"%d" % len(reply.body))
    await send({"type": "http.response.start", "status": reply.status, "headers": [*reply.headers, length]})
    await send({"type": "http.response.body", "body": reply.body})


def _unauthorized(headers: Mapping[bytes, str]) -> Reply:
    given = "is not the server's" if b"authorization" in headers else "is missing"
    return problem(401, f"The admin token {given}: Authorization: Bearer <token>.", headers=_CHALLENGE)


def _same_origin(headers: Mapping[bytes, str], method: str) -> bool:
    """Whether no page of another origin is behind a call. Programs that are no browsers send none of this."""
    site = headers.get(b"sec-fetch-site", "none")
    if site not in ("same-origin", "none"):
        # Following a link to the dashboard is harmless; whoever linked to it sees nothing of it.
        return method == "GET" and headers.get(b"sec-fetch-mode") == "navigate"
    origin = headers.get(b"origin")
    return origin is None or urlsplit(origin).netloc.lower() == headers.get(b"host", "").lower()


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def _wants_html(scope: Scope) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
