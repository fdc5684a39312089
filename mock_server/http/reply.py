"""Replies: how they are sent (at once, late, in pieces, or not at all), and the error replies of the mock itself."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from starlette.types import Scope, Send

from mock_server.core.model import Dribble, FaultPlan
from mock_server.errors import FaultUnavailableError
from mock_server.http.connection import WITHOUT_LENGTH, Connection, connection_of
from mock_server.http.cors import cors_headers

_MAX_HEADER_TEXT = 200
_MEDIA_TYPES = {"MPO": "image/jpeg", "HEIF": "image/heic"}


Headers = tuple[tuple[bytes, bytes], ...]
"""Lower-case names with their values."""


@dataclass(slots=True)
class Reply:
    """A complete reply. `headers` lack Content-Length, which `send_reply` adds."""

    status: int
    headers: Headers
    body: bytes = b""


def json_reply(
    status: int, body: Any, headers: Mapping[str, str] | None = None, *, content_type: bytes = b"application/json"
) -> Reply:
    """A reply with a JSON body; `headers` are added, and may replace the content type."""
    if not headers:
        return Reply(status, ((b"content-type", content_type),), orjson.dumps(body))
    lines = {b"content-type": content_type}
    for name, text in headers.items():
        lines[name.lower().encode("latin-1")] = text.encode("latin-1", "replace")
    return Reply(status, tuple(lines.items()), orjson.dumps(body))


def media_type_of(format: str) -> str:
    """The media type of an image format, such as image/jpeg for JPEG."""
    return _MEDIA_TYPES.get(format, f"image/{format.lower()}")


def header_text(text: str) -> bytes:
    """A text as the value of a header: one line of printable ASCII, other characters escaped, of limited length."""
    if len(text) > _MAX_HEADER_TEXT:
        text = f"{text[: _MAX_HEADER_TEXT - 3]}..."
    if not (text.isascii() and text.isprintable()):
        text = "".join(char if " " <= char <= "~" else ascii(char)[1:-1] for char in text)
    return text.strip().encode("ascii")[:_MAX_HEADER_TEXT]


def problem(
    status: int, detail: str, *, headers: Mapping[str, str] | None = None, title: str | None = None, **members: Any
) -> Reply:
    """An error of the mock itself as problem details (RFC 9457). `members` are extension members."""
    body = {"type": "about:blank", "title": title or HTTPStatus(status).phrase, "status": status, "detail": detail}
    return json_reply(status, {**body, **members}, headers, content_type=b"application/problem+json")


async def send_reply(reply: Reply, plan: FaultPlan, scope: Scope, send: Send) -> bool:
    """Send `reply` as the plan says: after a delay, at once or dribbled, or break the connection instead.

    A delay ends early when the client disconnects or the server stops. Returns whether the client was there to the end.
    Raises FaultUnavailableError for a fault under a server that gives no access to the connection.
    """
    connection = connection_of(scope)
    if plan.delay:
        await _pause(plan.delay, connection)
    if plan.fault:
        if connection is None:
            raise FaultUnavailableError(plan.fault)
        is_there = _is_there(connection)
        connection.break_off(plan.fault, reply.status, (*reply.headers, *cors_headers(scope)), reply.body)
        return is_there
    headers = list(reply.headers)
    if connection is not None and b"date" in dict(headers):
        connection.leave_out_date()
    if reply.status not in WITHOUT_LENGTH:
        headers.append((b"content-length", b"%d" % len(reply.body)))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if plan.dribble:
        await _dribble(reply.body, plan.dribble, connection, send)
    else:
        await send({"type": "http.response.body", "body": reply.body})
    # A client that closes the connection after this reply is not noticed before the event loop goes on.
    return _is_there(connection)


def _is_there(connection: Connection | None) -> bool:
    return connection is None or not (connection.is_lost or connection.is_ended)


async def _dribble(body: bytes, dribble: Dribble, connection: Connection | None, send: Send) -> None:
    """Send the body in equal chunks, with a pause before each. When `hurry` is set, send the rest at once."""
    chunks = max(dribble.chunks, 1)
    sent = 0
    for number in range(1, chunks + 1):
        await _pause(dribble.seconds / chunks, connection)
        is_last = number == chunks or (connection is not None and connection.hurry.is_set())
        end = len(body) if is_last else len(body) * number // chunks
        await send({"type": "http.response.body", "body": body[sent:end], "more_body": not is_last})
        if is_last:
            return
        sent = end


async def _pause(seconds: float, connection: Connection | None) -> None:
    if connection is None:
        await asyncio.sleep(seconds)
    else:
        await connection.pause(seconds)


def mock_headers(
    request_id: str, scenario: str | None, match: str, detail: str | None, *, are_fixtures_ok: bool
) -> Iterator[tuple[bytes, bytes]]:
    """The headers `X-Mock-…` that the mock adds to the reply of a provider."""
    if not are_fixtures_ok:
        yield b"x-mock-fixtures", b"broken"
    if detail:
        yield b"x-mock-detail", header_text(detail)
    yield b"x-mock-request-id", request_id.encode()
    yield b"x-mock-scenario", (scenario or "-").encode()
    yield b"x-mock-match", match.encode()
