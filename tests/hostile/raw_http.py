"""Raw HTTP: connections with good requests in a row, then damaged ones, and then the end.

Each connection sends everything at once, closes its side, and reads until the server closes the other. These must hold:

- the bytes that come back are whole replies, and nothing else;
- the good requests before the damage are answered in their order, each as if it were alone;
- no status of 500 or above; every reply of a provider is in the journal once; and the end comes.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from mock_server.server import MockServer
from tests.hostile.mutation import changed_bytes
from tests.hostile.patience import reply_of
from tests.hostile.sending import ErrorLog
from tests.support import picture

_AT_ONCE = 16
_BATCH = 250  # connections; the journal must hold all of their requests


@dataclass(frozen=True, slots=True)
class Conversation:
    """What one connection sends: good requests with the statuses of their replies, and then anything."""

    good: Sequence[tuple[bytes, int]]
    rest: Sequence[bytes]
    piece: int
    """The size of the pieces in which the bytes are sent."""


@dataclass(slots=True)
class Outcome:
    """The result of a campaign. `count` is the number of requests, good and damaged."""

    count: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0
    lost: int = 0
    """Requests on connections that were reset, whose replies may be lost."""


def conversations(count: int, seed: int) -> Iterator[Conversation]:
    """Conversations with `count` requests in all."""
    number = 0
    while count > 0:
        rng = random.Random(f"{seed}/raw/{number}")
        conversation = _conversation(rng)
        count -= len(conversation.good) + len(conversation.rest)
        number += 1
        yield conversation


def _conversation(rng: random.Random) -> Conversation:
    good = [rng.choice(_good()) for _ in range(rng.choice((0, 1, 2, 3, 8)))]
    rest = [_damaged(rng) for _ in range(rng.choice((1, 1, 1, 2, 4)))]
    return Conversation(good, rest, rng.choice((1 << 20, 1 << 20, 1000, 37)))


def _damaged(rng: random.Random) -> bytes:
    if rng.random() < 0.3:
        return rng.choice(_STRANGE)
    request = rng.choice((*(data for data, _ in _good() if len(data) < 2000), *_CHUNKED))
    head, end, body = request.partition(b"\r\n\r\n")
    return changed_bytes(head + end, rng, most=4) + body


@cache
def _good() -> tuple[tuple[bytes, int], ...]:
    form = (
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
        + picture("car")
        + b"\r\n--b--\r\n"
    )
    url = b'{"image_url": "http://127.0.0.1/images/car.jpg"}'
    upload = (b"X-API-Key: demo-key", b"Content-Type: multipart/form-data; boundary=b")
    json = (b"Content-Type: application/json",)
    return (
        (_request(b"GET", b"/healthz"), 200),
        (_request(b"GET", b"/nothing/here"), 404),
        (_request(b"GET", b"/images/none.jpg"), 404),
        (_request(b"GET", b"/__admin/health"), 200),
        (_request(b"POST", b"/api/ocr/plate", *upload, body=form), 200),
        (_request(b"POST", b"/api/ocr/plate", body=b"x"), 401),
        (_request(b"POST", b"/platerecognition?key=demo-key", *json, body=url), 200),
        (_request(b"POST", b"/v1/vinocr?key=demo-key", *json, body=b"{}"), 400),
    )


def _request(method: bytes, target: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    lines = [method + b" " + target + b" HTTP/1.1", b"Host: 127.0.0.1", *headers]
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


_POST = b"POST /v1/vinocr?key=demo-key HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
_CHUNKED = (
    _POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    _POST + b"Transfer-Encoding: chunked\r\n\r\n1;a=b\r\n{\r\n1\r\n}\r\n0\r\nX-Trailer: a\r\n\r\n",
    _POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
)
_STRANGE = (
    *_CHUNKED,
    _POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    _POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    _POST + b"Content-Length: -1\r\n\r\n{}",
    _POST + b"Content-Length: 99999999999999999999\r\n\r\n{}",
    _POST + b"Content-Length: 40000000\r\n\r\n{}",
    _POST + b"Content-Length: 5\r\n\r\n{}",
    _POST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
    _POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    _POST + b"X-Folded: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
    _POST + b"X-Nul: a\0b\r\nContent-Length: 2\r\n\r\n{}",
    _POST
    + b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: 2\r\n\r\n{}",
    b"GET /healthz HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n",
    b"GET /healthz HTTP/1.1\nHost: a\n\n",
    b"GET /healthz HTTP/1.0\r\n\r\n",
    b"GET /healthz\r\n",
    b"GET http://api.carsxe.com/healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\r\n" * 200 + b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /%00%ff%zz HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: \xff\xfe\r\nX: \x80\r\n\r\n",
    b"GET /" + b"a" * 17_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 12_000 + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"x" * 70_000 + b"\r\n\r\n",
    b"",
)


async def converse(
    server: MockServer, campaign: Iterator[Conversation], *, progress: Callable[[Outcome], None] | None = None
) -> Outcome:
    """Hold all conversations with a server of this process, several at a time."""
    outcome = Outcome()
    with ErrorLog() as log:
        while batch := [conversation for _, conversation in zip(range(_BATCH), campaign, strict=False)]:
            await _hold(server, batch, outcome)
            outcome.faults += [f"logged {line}" for line in log.take()]
            if progress:
                progress(outcome)
    return outcome


async def _hold(server: MockServer, batch: Sequence[Conversation], outcome: Outcome) -> None:
    upcoming, ids, lost = iter(batch), Counter[str](), 0
    host, port = server.url.removeprefix("http://").split(":")

    async def hold_some() -> None:
        nonlocal lost
        for conversation in upcoming:
            started = time.perf_counter()
            try:
                received, is_reset = await reply_of(_exchange(host, int(port), conversation))
            except (TimeoutError, OSError) as error:
                outcome.faults.append(f"{error!r} after {conversation}"[:3000])
                continue
            seconds = time.perf_counter() - started
            outcome.slowest = max(outcome.slowest, seconds)
            outcome.count += len(conversation.good) + len(conversation.rest)
            if is_reset:
                lost += len(conversation.good) + len(conversation.rest)
            else:
                _check(conversation, received, outcome, ids)

    await asyncio.gather(*(hold_some() for _ in range(_AT_ONCE)))
    entries = Counter(entry.id for entry in server.requests())
    outcome.lost += lost
    if ids - entries or (entries - ids).total() > lost:
        outcome.faults.append(f"replies without an entry in the journal {ids - entries}, and entries {entries - ids}")
    server.reset()


async def _exchange(host: str, port: int, conversation: Conversation) -> tuple[bytes, bool]:
    """The bytes that come back until the server closes, and whether the connection was reset.

    The server closes after the last reply. Bytes that arrive then reset the connection.
    """
    reader, writer = await asyncio.open_connection(host, port)
    received: list[bytes] = []
    sending = asyncio.create_task(_send(writer, conversation))
    is_reset = False
    try:
        while piece := await reader.read(1 << 16):
            received.append(piece)
        await sending
    except OSError:
        is_reset = True
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.close()
    return b"".join(received), is_reset


async def _send(writer: asyncio.StreamWriter, conversation: Conversation) -> None:
    good = b"".join(request for request, _ in conversation.good)
    for at in range(0, len(good), conversation.piece):
        writer.write(good[at : at + conversation.piece])
        await writer.drain()
    writer.write(b"".join(conversation.rest))
    writer.write_eof()
    await writer.drain()


def _check(conversation: Conversation, received: bytes, outcome: Outcome, ids: Counter[str]) -> None:
    rest, statuses = received, list[int]()
    while rest:
        head, end, after = rest.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines[1:])
        }
        length = int(headers.get(b"content-length", b"0"))
        if not end or not lines[0].startswith(b"HTTP/1.1 ") or len(after) < length:
            outcome.faults.append(f"no whole reply {rest[:500]!r} after {conversation}"[:3000])
            return
        status, rest = int(lines[0].split()[1]), after[length:]
        if status >= 200:
            statuses.append(status)
        if id := headers.get(b"x-mock-request-id"):
            ids[id.decode()] += 1
    outcome.statuses.update(statuses)
    expected = [status for _, status in conversation.good]
    if statuses[: len(expected)] != expected or max(statuses, default=0) >= 500:
        outcome.faults.append(f"statuses {statuses} instead of {expected} after {conversation}"[:3000])
