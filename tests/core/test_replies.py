"""What the shared server sends back, however its bytes come in."""

from typing import Any

import pytest

from mock_server.core.redis_state.replies import Replies, ReplyError

REPLIES: list[tuple[bytes, Any]] = [
    (b":42\r\n", 42),
    (b":-1\r\n", -1),
    (b"+OK\r\n", b"OK"),
    (b"$5\r\nhello\r\n", b"hello"),
    (b"$4\r\n\r\n:1\r\n", b"\r\n:1"),
    (b"$0\r\n\r\n", b""),
    (b"$-1\r\n", None),
    (b"*-1\r\n", None),
    (b"*0\r\n", []),
    (b"*3\r\n:1\r\n$-1\r\n*2\r\n$1\r\na\r\n*0\r\n", [1, None, [b"a", []]]),
    (b"*2\r\n*1\r\n*1\r\n:7\r\n+end\r\n", [[[7]], b"end"]),
]
ALL = b"".join(data for data, _ in REPLIES)
VALUES = [value for _, value in REPLIES]


@pytest.mark.parametrize(("data", "value"), REPLIES, ids=[repr(data)[2:-1] for data, _ in REPLIES])
def test_a_reply_becomes_a_plain_value(data: bytes, value: object) -> None:
    """Each kind, empty, missing and nested."""
    assert Replies().feed(data) == [value]


def test_replies_may_be_cut_anywhere() -> None:
    """Two pieces, wherever the cut is, give the same replies in the same order."""
    for cut in range(len(ALL) + 1):
        replies = Replies()

        assert replies.feed(ALL[:cut]) + replies.feed(ALL[cut:]) == VALUES


def test_replies_may_come_byte_by_byte() -> None:
    """A reply is there with its last byte, not before."""
    replies = Replies()
    told = [value for place in range(len(ALL)) for value in replies.feed(ALL[place : place + 1])]

    assert told == VALUES


def test_an_error_is_handed_over_as_a_reply() -> None:
    """Alone or among others; what follows is read on."""
    first, within, last = Replies().feed(b"-NOSCRIPT No matching\r\n*2\r\n-ERR no\r\n:1\r\n:2\r\n")

    assert isinstance(first, ReplyError)
    assert (first.code, str(first)) == ("NOSCRIPT", "NOSCRIPT No matching")
    assert isinstance(within[0], ReplyError)
    assert (within[1], last) == (1, 2)


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request\r\n", b":one\r\n", b"$x\r\n"])
def test_what_is_no_reply_is_told(data: bytes) -> None:
    """Something else answers at that address."""
    with pytest.raises(ValueError, match=r"reply|invalid literal"):
        Replies().feed(data)
