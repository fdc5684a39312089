"""The journal's bounds, and what stands for a key."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from mock_server.core.journal import JournalEntry, MemoryJournal, key_id, redacted, size_of
from mock_server.core.thumbnail_cache import Thumbnails
from tests.support import drawn


def _exchange(number: int, reply: bytes = b"") -> JournalEntry:
    return JournalEntry(
        id=str(number),
        time=datetime.fromtimestamp(number, UTC),
        provider="acme",
        product=None,
        method="POST",
        path="/",
        status=200,
        milliseconds=1.0,
        body=reply,
    )


def _kept(journal: MemoryJournal) -> Sequence[JournalEntry]:
    return asyncio.run(journal.exchanges())


@pytest.mark.parametrize(
    ("count", "size", "kept"),
    [
        (3, 10**9, ["7", "8", "9"]),
        (100, 2 * size_of(_exchange(0)), ["8", "9"]),
        (100, 10**9, list("0123456789")),
    ],
)
def test_the_oldest_go_where_a_bound_is_passed(count: int, size: int, kept: list[str]) -> None:
    """Count and bytes both bound it; what went is counted."""
    journal = MemoryJournal(max_count=count, max_bytes=size)
    for number in range(10):
        asyncio.run(journal.add(_exchange(number)))

    assert [exchange.id for exchange in _kept(journal)] == kept
    assert asyncio.run(journal.dropped()) == 10 - len(kept)


def test_long_replies_count() -> None:
    """Bytes are those of the exchanges, texts included."""
    journal = MemoryJournal(max_bytes=10_000)
    for number in range(10):
        asyncio.run(journal.add(_exchange(number, b"x" * 4000)))

    assert [exchange.id for exchange in _kept(journal)] == ["8", "9"]


def test_clearing_frees_the_bound() -> None:
    """After a part was forgotten, as much fits in again."""
    journal = MemoryJournal(max_count=4)
    for number in range(4):
        asyncio.run(journal.add(_exchange(number)))
    cleared = asyncio.run(journal.clear(lambda exchange: exchange.time.timestamp() < 2))
    for number in range(4, 6):
        asyncio.run(journal.add(_exchange(number)))

    assert (cleared, [exchange.id for exchange in _kept(journal)]) == (2, ["2", "3", "4", "5"])
    assert asyncio.run(journal.dropped()) == 0


@pytest.mark.parametrize(("key", "shown"), [("demo", "…"), ("secret", "…"), ("demo-key", "…ey"), ("", "…")])
def test_keys_are_redacted(key: str, shown: str) -> None:
    """A short key is not shown at all, of a longer one its end."""
    assert redacted(key) == shown


def test_a_key_has_a_stable_short_id() -> None:
    """The id is the same everywhere and tells keys apart."""
    assert key_id("demo-key") == "41bf473b0497"
    assert len({key_id(f"key-{number}") for number in range(1000)}) == 1000


def test_thumbnails_are_bounded_and_shared() -> None:
    """Those used last stay; a picture is drawn once however often it is sent."""
    pictures = [drawn(str(number)) for number in range(8)]
    size = len(Thumbnails().make("0", pictures[0]) or b"")
    thumbnails = Thumbnails(max_bytes=int(size * 3.5))
    for number, picture in enumerate(pictures):
        thumbnails.make(str(number), picture)
    kept = [number for number in range(8) if str(number) in thumbnails]

    assert kept[-1] == 7
    assert 2 <= len(kept) <= 4
    assert thumbnails.make("7", b"not looked at again") == thumbnails.get("7")


def test_what_cannot_be_drawn_is_not_tried_again() -> None:
    """Bytes that are no picture have no thumbnail, and that is remembered."""
    thumbnails = Thumbnails()

    assert thumbnails.make("x", b"no picture") is None
    assert "x" in thumbnails
    assert thumbnails.get("x") is None
