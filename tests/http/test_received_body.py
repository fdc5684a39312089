"""The body of a request as an application receives it from the protocol, whatever the pieces in which it is sent."""

import random
from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import trustme
from starlette.types import Receive, Scope, Send

from mock_server.core.model import FaultPlan
from mock_server.http.body import read_body
from mock_server.http.reply import Reply, send_reply
from mock_server.http.uvicorn_protocol import MAX_UNREAD
from tests.http.conftest import LOOPS, RawClient, raw_request, serving

if TYPE_CHECKING:
    import ssl

_SIZES = (0, 1, 65_536, MAX_UNREAD - 1, MAX_UNREAD, MAX_UNREAD + 1, 400_000, 2_000_000)


async def _digest(scope: Scope, receive: Receive, send: Send) -> None:
    body = await read_body(scope, receive, limit=10_000_000)
    await send_reply(Reply(200, (), sha256(body).hexdigest().encode()), FaultPlan(), scope, send)


@pytest.fixture(scope="module", params=[(loop, tls) for loop in LOOPS for tls in (False, True)], ids=str)
def server(request: pytest.FixtureRequest, ca: trustme.CA) -> "Iterator[tuple[int, ssl.SSLContext | None]]":
    """The port of a server that replies with the digest of a request's body, and the client's side of its TLS."""
    loop, has_tls = request.param
    tls = None
    if has_tls:
        import ssl

        tls = ssl.create_default_context()
        ca.configure_trust(tls)
    with serving(_digest, loop, ca if has_tls else None) as (port, _):
        yield port, tls


@pytest.mark.parametrize("pieces", [1, 2, 7, 300])
def test_a_body_is_received_as_it_was_sent(server: "tuple[int, ssl.SSLContext | None]", pieces: int) -> None:
    """Requests of many sizes, one after another on one connection, each in pieces of random lengths."""
    rng = random.Random(pieces)
    with RawClient(*server) as client:
        for size in _SIZES:
            body = rng.randbytes(size)
            sent = raw_request("/", body=body)
            ends = sorted({0, len(sent), *(rng.randrange(len(sent)) for _ in range(pieces - 1))})
            for start, end in pairwise(ends):
                client.send(sent[start:end])
            assert client.reply() == sha256(body).hexdigest().encode()


def test_pipelined_bodies_are_not_mixed(server: "tuple[int, ssl.SSLContext | None]") -> None:
    """Each of several requests that are sent at once has its own body."""
    rng = random.Random(0)
    bodies = [rng.randbytes(size) for size in _SIZES]
    with RawClient(*server) as client:
        client.send(*(raw_request("/", body=body) for body in bodies))
        assert [client.reply() for _ in bodies] == [sha256(body).hexdigest().encode() for body in bodies]
