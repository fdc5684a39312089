"""Several writes that go out as one."""

import asyncio
from collections.abc import Callable

import pytest

from mock_server.http.gathering import Gathering


class Recording(asyncio.Transport):
    """A transport that tells what was asked of it, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[bytes | str] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.asked.append(bytes(data))

    def close(self) -> None:
        self.asked.append("close")

    def is_closing(self) -> bool:
        return "close" in self.asked

    def get_write_buffer_size(self) -> int:
        return 7


def _alone(transport: Gathering) -> None:
    transport.write(b"head")
    transport.write(b"body")


def _together(transport: Gathering) -> None:
    with transport:
        transport.write(b"head")
        transport.write(b"body")
    transport.write(b"more")


def _closed(transport: Gathering) -> None:
    with transport:
        transport.write(b"head")
        transport.write(b"body")
        transport.close()


def _nothing(transport: Gathering) -> None:
    with transport:
        pass


def _failing(transport: Gathering) -> None:
    with transport:
        transport.write(b"head")
        raise RuntimeError


@pytest.mark.parametrize(
    ("act", "asked"),
    [
        (_alone, [b"head", b"body"]),
        (_together, [b"headbody", b"more"]),
        (_closed, [b"headbody", "close"]),
        (_nothing, []),
    ],
)
def test_what_is_written_in_one_with_is_sent_in_one_piece(
    act: Callable[[Gathering], None], asked: list[bytes | str]
) -> None:
    """Elsewhere everything is sent at once, and nothing that was written is lost when the connection closes."""
    transport = Recording()
    act(Gathering(transport))

    assert transport.asked == asked


def test_what_was_written_before_an_error_is_sent() -> None:
    """The server's own answer to the error comes behind it."""
    transport = Recording()
    gathering = Gathering(transport)
    with pytest.raises(RuntimeError):
        _failing(gathering)
    gathering.write(b"500")

    assert transport.asked == [b"head", b"500"]


def test_the_rest_is_the_other_transports() -> None:
    """Whatever else the server asks is answered as without it."""
    transport = Recording()
    gathering = Gathering(transport)
    gathering.close()

    assert gathering.is_closing()
    assert gathering.get_write_buffer_size() == 7
