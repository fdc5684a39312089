"""Reading the body of a request into memory, with a limit."""

import asyncio
import zlib

from starlette.types import Receive, Scope

from mock_server.errors import BodyTooLargeError, ClientDisconnectedError

DRAIN_LIMIT = 64 * 1024 * 1024
"""How many bytes of a refused body are read and discarded."""
DRAIN_SECONDS = 15.0
_COMPRESSIONS = ("gzip", "x-gzip", "deflate")
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # zlib detects the header


async def read_body(scope: Scope, receive: Receive, *, limit: int) -> bytes:
    """Read the whole body, at most `limit` bytes.

    Raises BodyTooLargeError for a longer one. Its rest is drained first, within bounds: most clients read the reply
    only after they have sent everything. A client that waits for `100 Continue` does not get it.
    Raises ClientDisconnectedError when the client disconnects first.
    """
    declared = _declared_length(scope)
    if declared is not None and declared > limit:
        is_drained = not _expects_continue(scope) and declared <= DRAIN_LIMIT and await _drain(receive)
        raise BodyTooLargeError(limit, declared, drained=is_drained)
    pieces: list[bytes] = []
    size, more = 0, True
    while more and size <= limit:
        piece, more = await _receive(receive)
        pieces.append(piece)
        size += len(piece)
    if size > limit:
        pieces.clear()
        raise BodyTooLargeError(limit, declared, drained=not more or await _drain(receive))
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def decompress(body: bytes, encoding: str, *, limit: int) -> bytes:
    """The content of a body with a Content-Encoding of gzip or deflate. Other bodies are returned as they are.

    Raises BodyTooLargeError if the content is longer than `limit`.
    """
    if encoding.strip().lower() not in _COMPRESSIONS:
        return body
    try:
        content = zlib.decompressobj(_GZIP_OR_ZLIB).decompress(body, limit + 1)
    except zlib.error:
        return body
    if len(content) > limit:
        raise BodyTooLargeError(limit, len(body), drained=True)
    return content


def _declared_length(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else None
    return None


def _expects_continue(scope: Scope) -> bool:
    return any(name == b"expect" and value.lower() == b"100-continue" for name, value in scope["headers"])


async def _receive(receive: Receive) -> tuple[bytes, bool]:
    """The next piece of the body, and whether more follows."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnectedError
    return message.get("body", b""), message.get("more_body", False)


async def _drain(receive: Receive) -> bool:
    """Read and discard the rest of the body; whether its end came within the bounds."""
    size = 0
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while size <= DRAIN_LIMIT:
                piece, more = await _receive(receive)
                size += len(piece)
                if not more:
                    return True
    except TimeoutError:
        return False
    return False
