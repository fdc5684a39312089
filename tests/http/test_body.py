"""Reading request bodies into memory, with a limit."""

import asyncio
import subprocess
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import pytest
import requests
from starlette.types import Message, Scope

from mock_server.errors import BodyTooLargeError, ClientDisconnectedError
from mock_server.http.body import DRAIN_LIMIT, read_body
from tests.support import PATIENCE

if TYPE_CHECKING:
    from tests.http.conftest import MakeRequest, Served

pytestmark = pytest.mark.usefixtures("quiet_log")

LIMIT = 1_000_000


def read(messages: Iterable[Message], *headers: tuple[bytes, bytes], limit: int = 10) -> bytes:
    """The result of `read_body` for these messages. Receiving more messages than these fails."""
    incoming = iter(messages)
    scope: Scope = {"type": "http", "headers": list(headers)}

    async def receive() -> Message:
        return next(incoming)

    return asyncio.run(read_body(scope, receive, limit=limit))


def pieces(*bodies: bytes, whole: bool = True) -> list[Message]:
    return [
        {"type": "http.request", "body": body, "more_body": not whole or number < len(bodies)}
        for number, body in enumerate(bodies, 1)
    ]


def test_draining_has_an_end() -> None:
    """Draining ends at its limits, even if the client never stops sending."""
    megabyte = bytes(1_000_000)

    with pytest.raises(BodyTooLargeError) as raised:
        read({"type": "http.request", "body": megabyte, "more_body": True} for _ in range(DRAIN_LIMIT // 500_000))

    assert not raised.value.is_drained


GONE: Message = {"type": "http.disconnect"}


@pytest.mark.parametrize("bodies", [(b"",), (b"0123456789",), (b"0123", b"456789"), (b"0", b"", b"1", b"")])
def test_pieces_are_joined(bodies: tuple[bytes, ...]) -> None:
    """A body of exactly the limit is accepted."""
    assert read(pieces(*bodies)) == b"".join(bodies)


def test_a_body_in_one_piece_is_not_copied() -> None:
    """A body that arrives in one piece is not copied."""
    body = b"0123456789"

    assert read(pieces(body)) is body


@pytest.mark.parametrize(
    ("messages", "headers", "declared", "drained"),
    [
        (pieces(b"01234567890"), [], None, True),
        (pieces(b"01234567890"), [(b"content-length", b"11")], 11, True),
        (pieces(b"012345", b"67890"), [], None, True),
        (pieces(b"012345", b"67890", b"x" * 99, b""), [], None, True),
        (pieces(b"012345", b"67890", b"x" * 89), [(b"content-length", b"100")], 100, True),
        ([], [(b"content-length", b"100"), (b"expect", b"100-Continue")], 100, False),
        ([], [(b"content-length", b"%d" % (DRAIN_LIMIT + 1))], DRAIN_LIMIT + 1, False),
    ],
)
def test_a_larger_body_is_refused(
    messages: list[Message], headers: list[tuple[bytes, bytes]], declared: int | None, drained: bool
) -> None:
    """A body over the limit is drained within bounds, with and without a declared length. The error says which."""
    with pytest.raises(BodyTooLargeError) as raised:
        read(messages, *headers)

    assert (raised.value.limit, raised.value.declared, raised.value.is_drained) == (10, declared, drained)


@pytest.mark.parametrize(
    ("messages", "headers"),
    [
        ([GONE], []),
        ([*pieces(b"0", whole=False), GONE], []),
        ([*pieces(b"x" * 20, whole=False), GONE], []),
        ([GONE], [(b"content-length", b"100")]),
    ],
)
def test_a_client_that_leaves_is_noticed(messages: list[Message], headers: list[tuple[bytes, bytes]]) -> None:
    """A client can disconnect before, at and after the limit."""
    with pytest.raises(ClientDisconnectedError):
        read(messages, *headers)


def test_a_length_that_is_no_number_counts_as_none() -> None:
    """A Content-Length that is not a number counts as none. HTTP parsers refuse it earlier."""
    assert read(pieces(b"01"), (b"content-length", b"many")) == b"01"


def chunked(size: int) -> Iterable[bytes]:
    for _ in range(size // 50_000):
        yield b"x" * 50_000


@pytest.mark.parametrize("size", [0, 1, 65_536, LIMIT])
def test_bodies_over_the_wire(plain_server: "Served", size: int) -> None:
    """The server accepts bodies up to the limit, with a declared length and in chunks."""
    sized = requests.post(plain_server.url, data=b"x" * size, timeout=PATIENCE)
    unsized = requests.post(plain_server.url, data=chunked(size), timeout=PATIENCE)

    assert sized.text == f"{size} bytes"
    assert unsized.text == f"{size // 50_000 * 50_000} bytes"


@pytest.mark.parametrize("make", [lambda size: b"x" * size, chunked], ids=["declared", "chunked"])
def test_a_client_still_sending_sees_the_refusal(
    plain_server: "Served", make: Callable[[int], bytes | Iterable[bytes]]
) -> None:
    """`requests` reads the reply only after it has sent everything; it must not get a broken pipe."""
    with requests.Session() as session:
        refused = session.post(plain_server.url, data=make(30_000_000), timeout=PATIENCE)
        next_one = session.post(plain_server.url, data=b"hello", timeout=PATIENCE)

    assert (refused.status_code, refused.text) == (413, "too large")
    assert next_one.text == "5 bytes"


def test_curl_sees_the_refusal(plain_server: "Served") -> None:
    """curl expects `100 Continue` for large bodies, and gets the refusal before it sends the body."""
    facts = "%{http_code} %{size_upload}"
    # By itself, curl waits for one second and then sends the body.
    command = ["curl", "-s", "-w", facts, "-H", "Expect: 100-continue", "--expect100-timeout", str(PATIENCE)]
    curl = subprocess.run(
        [*command, "--data-binary", "@-", plain_server.url],
        input=b"x" * 5_000_000,
        capture_output=True,
        timeout=PATIENCE,
        check=True,
    )

    assert curl.stdout == b"too large413 0"


def test_who_expects_continue_is_refused_at_once(plain_server: "Served", ask: "MakeRequest") -> None:
    """The server sends the refusal without `100 Continue`, then closes the connection."""
    with plain_server.connect() as client:
        client.send(ask("/", "Expect: 100-continue", f"Content-Length: {LIMIT + 1}", body=b""))

        assert client.head().startswith(b"HTTP/1.1 413 ")
        assert client.rest() == b"too large"


def test_a_client_that_leaves_during_its_upload(own_server: "Served", ask: "MakeRequest") -> None:
    """The application gets ClientDisconnectedError, and the log stays empty."""
    with own_server.connect() as client:
        client.send(ask("/", "Content-Length: 1000", body=b""), b"x" * 500)

    assert own_server.app.disconnected.wait(timeout=PATIENCE)
