"""Complete, delayed and dribbled replies, over real connections."""

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient
from starlette.types import Message

from mock_server.core.model import NO_FAULT, Dribble, FaultPlan
from mock_server.http.reply import Reply, send_reply
from tests.support import PATIENCE

if TYPE_CHECKING:
    from tests.http.conftest import DemoApp, MakeRequest, Served

pytestmark = pytest.mark.usefixtures("quiet_log")

LATE = "/late/60"  # much longer than any test: these tests never wait for it


def test_replies_follow_one_another_on_one_connection(shared_server: "Served", ask: "MakeRequest") -> None:
    """After plain, delayed and dribbled replies, the connection serves the next request."""
    with shared_server.connect() as client:
        for path in ("/", "/late/0.01", "/dribble/3/0.03", "/dribble/100/0.02", "/dribble/1/0", "/"):
            client.send(ask(path))

            assert client.reply() == b"5 bytes"


def test_pipelined_replies_keep_their_order(plain_server: "Served", ask: "MakeRequest") -> None:
    """A delayed reply delays the replies after it on the same connection."""
    with plain_server.connect() as client:
        client.send(ask("/late/0.05", body=b"1"), ask("/dribble/2/0.02", body=b"22"), ask("/", body=b"333"))

        assert [client.reply() for _ in range(3)] == [b"1 bytes", b"2 bytes", b"3 bytes"]


def test_a_late_reply_holds_up_nobody_else(own_server: "Served", ask: "MakeRequest") -> None:
    """While one request waits for a minute, requests on other connections get their replies."""
    with own_server.connect() as waiting, own_server.connect() as other:
        waiting.send(ask(LATE))
        for _ in range(20):
            other.send(ask("/"))
            assert other.reply() == b"5 bytes"


@pytest.mark.parametrize("path", [LATE, "/dribble/5/60"])
def test_a_client_that_leaves_ends_the_wait(own_server: "Served", ask: "MakeRequest", path: str) -> None:
    """The request ends when its client disconnects, even with another request pipelined behind it."""
    for requests in ([ask(path)], [ask(path), ask("/")]):
        with own_server.connect() as client:
            client.send(*requests)

        assert own_server.app.finished.acquire(timeout=PATIENCE)


@pytest.mark.parametrize("path", [LATE, "/dribble/5/60", "/dribble/500/60"])
def test_a_server_that_stops_sends_late_replies_at_once(own_server: "Served", ask: "MakeRequest", path: str) -> None:
    """A request in flight gets its whole reply at once when the server stops."""
    with own_server.connect() as client:
        client.send(ask("/"))
        assert client.reply() == b"5 bytes"
        client.send(ask(path))
        assert own_server.app.reached.acquire(timeout=PATIENCE)
        stopping = threading.Thread(target=own_server.stop)
        stopping.start()

        assert client.reply() == b"5 bytes"
        stopping.join(timeout=PATIENCE)
        assert client.rest() == b""


@pytest.mark.parametrize("path", ["/", "/late/0.01", "/dribble/3/0.01"])
def test_a_head_request_gets_the_head_alone(plain_server: "Served", ask: "MakeRequest", path: str) -> None:
    """The reply to HEAD has the length of the body that is not sent."""
    with plain_server.connect() as client:
        client.send(ask(path, "Connection: close", method="HEAD", body=b""))

        assert b"content-length: 7" in client.head()
        assert client.rest() == b""


@pytest.mark.parametrize("path", ["/", "/late/0.01", "/dribble/3/0.01"])
def test_http_1_0_gets_the_reply_and_the_end(plain_server: "Served", ask: "MakeRequest", path: str) -> None:
    """The connection closes after the reply."""
    with plain_server.connect() as client:
        client.send(ask(path, version="1.0"))

        assert client.reply() == b"5 bytes"
        assert client.rest() == b""


@pytest.mark.parametrize(
    ("chunks", "pieces"),
    [
        (1, [b"0123456789"]),
        (2, [b"01234", b"56789"]),
        (3, [b"012", b"345", b"6789"]),
        (4, [b"01", b"234", b"56", b"789"]),
        (0, [b"0123456789"]),
        (20, [piece for digit in b"0123456789" for piece in (b"", bytes([digit]))]),
    ],
)
def test_a_dribble_is_cut_into_equal_pieces(chunks: int, pieces: list[bytes]) -> None:
    """The body is sent in the requested number of chunks, with one Content-Length."""
    sent = sent_by(FaultPlan(dribble=Dribble(chunks, 0.0)))

    assert [message["body"] for message in sent[1:]] == pieces
    assert [message.get("more_body", False) for message in sent[1:]] == [True] * (len(pieces) - 1) + [False]
    assert sent[0]["headers"] == [(b"x-a", b"b"), (b"content-length", b"10")]


def test_a_plain_reply_is_two_messages() -> None:
    """`send_reply` adds only the Content-Length."""
    assert sent_by(NO_FAULT) == [
        {"type": "http.response.start", "status": 201, "headers": [(b"x-a", b"b"), (b"content-length", b"10")]},
        {"type": "http.response.body", "body": b"0123456789"},
    ]


def sent_by(plan: FaultPlan) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(send_reply(Reply(201, ((b"x-a", b"b"),), b"0123456789"), plan, {"type": "http"}, send))
    return sent


def test_delays_need_no_connection(demo_app: "DemoApp") -> None:
    """Delayed and dribbled replies also arrive under a test client."""
    client = TestClient(demo_app)

    assert [client.get(path).text for path in ("/", "/late/0.01", "/dribble/2/0.01")] == ["0 bytes"] * 3
