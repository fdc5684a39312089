"""Sending a reply: at once, late, in pieces, or not at all."""

import asyncio
import contextlib
from dataclasses import dataclass

from starlette.types import Scope, Send

from mock_server.core.model import Dribble, FaultPlan
from mock_server.http.connection import Connection, connection_of
from mock_server.http.connection_faults import break_connection


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete reply. `headers` have lower-case names and no Content-Length: that one is the body's."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes = b""


async def send_reply(reply: Reply, plan: FaultPlan, scope: Scope, send: Send) -> None:
    """Send `reply` as the plan says: after its delay, then whole, dribbled, or replaced by a fault.

    Other requests are never held up. A wait ends early when the client goes away or the server is to stop.
    Raises FaultUnavailableError for a fault where the connection cannot be reached.
    """
    connection = connection_of(scope)
    if not plan:
        with connection.gathering if connection else contextlib.nullcontext():
            await _start(reply, send)
            await send({"type": "http.response.body", "body": reply.body})
        return
    if plan.delay:
        await _pause(plan.delay, connection)
    if plan.fault:
        break_connection(plan.fault, connection, reply.headers)
    else:
        await _start(reply, send)
        await _dribble(reply.body, plan.dribble or Dribble(1, 0.0), connection, send)


async def _start(reply: Reply, send: Send) -> None:
    length = (b"content-length", b"%d" % len(reply.body))
    await send({"type": "http.response.start", "status": reply.status, "headers": [*reply.headers, length]})


async def _dribble(body: bytes, dribble: Dribble, connection: Connection | None, send: Send) -> None:
    """Send the body in equal pieces, a pause before each; when in a hurry, what is left at once."""
    pieces = max(dribble.chunks, 1)
    sent = 0
    for piece in range(1, pieces + 1):
        await _pause(dribble.seconds / pieces, connection)
        last = piece == pieces or (connection is not None and connection.hurry.is_set())
        end = len(body) if last else len(body) * piece // pieces
        await send({"type": "http.response.body", "body": body[sent:end], "more_body": not last})
        if last:
            return
        sent = end


async def _pause(seconds: float, connection: Connection | None) -> None:
    if connection is None:
        await asyncio.sleep(seconds)
    else:
        await connection.pause(seconds)
