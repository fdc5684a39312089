"""Reading a request's body into memory, under a limit."""

import asyncio

from starlette.types import Message, Receive, Scope

from mock_server.errors import BodyTooLargeError, ClientDisconnectedError

DRAIN_LIMIT = 64 * 1024 * 1024  # bytes of a refused body that are read and thrown away
DRAIN_SECONDS = 15.0


async def read_body(scope: Scope, receive: Receive, *, limit: int) -> bytes:
    """Read the whole body, at most `limit` bytes; never to a file.

    A body that arrives in one piece is handed on as it came, several pieces are joined once.

    Raises BodyTooLargeError for a larger one: by its declared length before anything is read, else by
    counting. What the client is still sending is drained first, up to a bound, since most clients read a
    reply only when they have sent everything; one that waits for `100 Continue` is not asked to send it.
    Raises ClientDisconnectedError when the client goes away first.
    """
    declared = _declared_length(scope)
    if declared is not None and declared > limit:
        raise BodyTooLargeError(limit, declared, drained=await _refuse(scope, receive, declared))
    message = await receive()
    first = _piece(message)
    if not message.get("more_body", False):
        if len(first) > limit:
            raise BodyTooLargeError(limit, declared, drained=True)
        return first
    pieces, size = [first], len(first)
    while size <= limit:
        message = await receive()
        piece = _piece(message)
        pieces.append(piece)
        size += len(piece)
        if not message.get("more_body", False):
            if size > limit:
                raise BodyTooLargeError(limit, declared, drained=True)
            return b"".join(pieces)
    pieces.clear()
    raise BodyTooLargeError(limit, declared, drained=await _drain(receive))


def _declared_length(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else None
    return None


def _piece(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientDisconnectedError
    piece: bytes = message.get("body", b"")
    return piece


async def _refuse(scope: Scope, receive: Receive, declared: int) -> bool:
    waits = any(name == b"expect" and value.lower() == b"100-continue" for name, value in scope["headers"])
    return not waits and declared <= DRAIN_LIMIT and await _drain(receive)


async def _drain(receive: Receive) -> bool:
    """Read and throw away; True when the body's end was reached within the bounds."""
    size = 0
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while size <= DRAIN_LIMIT:
                message = await receive()
                size += len(_piece(message))
                if not message.get("more_body", False):
                    return True
    except TimeoutError:
        return False
    return False
