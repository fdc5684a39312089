"""Reading the body of a request into memory, with a limit."""

import asyncio
import contextlib
import zlib
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import anyio.to_thread
from starlette.types import Message, Receive, Scope

from mock_server.errors import BodyTooLargeError, ClientDisconnectedError

T = TypeVar("T")

DRAIN_LIMIT = 64 * 1024 * 1024
"""How many bytes of a refused body are read and discarded."""
DRAIN_SECONDS = 15.0
LARGE = 8_000_000
"""Bytes of a body from which it is parsed in a thread, so that other requests do not wait.

5 MB take 2 ms to parse. A thread takes a fifth longer, and most of the work keeps other threads waiting in any case.
"""
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # zlib detects the header
_COMPRESSIONS = {
    **dict.fromkeys(("gzip", "x-gzip"), (_GZIP_OR_ZLIB,)),
    # Some clients send `deflate` without the header of zlib.
    "deflate": (_GZIP_OR_ZLIB, -zlib.MAX_WBITS),
}
"""The window sizes to try, as `zlib.decompressobj` takes them."""
_MOST_ENCODINGS = 2  # of one body; further ones are not undone


async def read_body(scope: Scope, receive: Receive, *, limit: int) -> bytes:
    """Read the whole body, at most `limit` bytes.

    Raises BodyTooLargeError for a longer one. Its rest is drained first, within bounds: most clients read the reply
    only after they have sent everything. A client that waits for `100 Continue` does not get it.
    Raises ClientDisconnectedError when the client disconnects first.
    """
    headers = dict(scope["headers"])
    declared = int(text) if (text := headers.get(b"content-length", b"")).isdigit() else None
    if declared is not None and declared > limit:
        expects_continue = headers.get(b"expect", b"").lower() == b"100-continue"
        is_drained = not expects_continue and declared <= DRAIN_LIMIT and await _drain(receive)
        raise BodyTooLargeError(limit, declared, is_drained=is_drained)
    body: list[bytes] = []
    size = 0
    is_last = False
    while not is_last:
        piece, is_last = _piece(await receive())
        body.append(piece)
        size += len(piece)
        if size > limit:
            body.clear()
            raise BodyTooLargeError(limit, declared, is_drained=is_last or await _drain(receive))
    return b"".join(body)


async def off_loop(size: int, parse: Callable[..., T], *arguments: Any) -> T:
    """The result of `parse`, which works on so many bytes: many of them in a thread."""
    if size < LARGE:
        return parse(*arguments)
    return await anyio.to_thread.run_sync(parse, *arguments)


async def decompressed(body: bytes, encoding: str, *, limit: int) -> bytes:
    """The content of a body with a Content-Encoding of gzip or deflate, or of several of them.

    Other encodings are not undone. Raises BodyTooLargeError if the content is longer than `limit`.
    """
    # The encoding that was applied last comes last in the header.
    for name in reversed(encoding.split(",", _MOST_ENCODINGS)):
        windows = _COMPRESSIONS.get(name.strip().lower())
        if windows is not None:
            # In a thread: a few bytes may have a long content.
            body = await anyio.to_thread.run_sync(_decompress, body, windows, limit)
    return body


def _decompress(body: bytes, windows: Iterable[int], limit: int) -> bytes:
    for window in windows:
        inflater = zlib.decompressobj(window)
        try:
            content = inflater.decompress(body, limit + 1)
        except zlib.error:
            continue
        if len(content) > limit:
            raise BodyTooLargeError(limit, len(body), is_drained=True)
        if window > 0 or inflater.eof:  # without a header, any text may begin like compressed data
            return content
    return body


def _piece(message: Message) -> tuple[bytes, bool]:
    """The piece of the body in an ASGI message, and whether it is the last one."""
    if message["type"] == "http.disconnect":
        raise ClientDisconnectedError
    return message.get("body", b""), not message.get("more_body", False)


async def _drain(receive: Receive) -> bool:
    """Read and discard the rest of the body; whether its end came within the bounds."""
    size = 0
    is_last = False
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while not is_last and size <= DRAIN_LIMIT:
                piece, is_last = _piece(await receive())
                size += len(piece)
    return is_last and size <= DRAIN_LIMIT
