"""The limits of the journal, and how it hides keys."""

import asyncio
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest

from mock_server.core.conditions import Query
from mock_server.core.journal import JournalEntry, MemoryJournal, size_of
from mock_server.core.model import Product, ReadRequest
from mock_server.core.picture_caches import Thumbnails
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


def _entries(journal: MemoryJournal) -> Sequence[JournalEntry]:
    return asyncio.run(journal.exchanges())


@pytest.mark.parametrize(
    ("count", "size", "kept"),
    [(3, 10**9, ["7", "8", "9"]), (100, 2 * size_of(_exchange(0)), ["8", "9"]), (100, 10**9, list("0123456789"))],
)
def test_the_oldest_entries_are_dropped(count: int, size: int, kept: list[str]) -> None:
    """The number of entries and their bytes are limited; dropped entries are counted."""
    journal = MemoryJournal(max_count=count, max_bytes=size)
    for number in range(10):
        asyncio.run(journal.add(_exchange(number)))

    assert [exchange.id for exchange in _entries(journal)] == kept
    assert asyncio.run(journal.dropped()) == 10 - len(kept)


def test_long_replies_count() -> None:
    """The size of an entry includes its texts."""
    journal = MemoryJournal(max_bytes=10_000)
    for number in range(10):
        asyncio.run(journal.add(_exchange(number, b"x" * 4000)))

    assert [exchange.id for exchange in _entries(journal)] == ["8", "9"]


def _memory_of(make: Callable[[], object]) -> int:
    """Bytes that an object takes, with everything that it refers to."""
    tracemalloc.start()
    try:
        made = make()
        taken = tracemalloc.get_traced_memory()[0]
        del made
    finally:
        tracemalloc.stop()
    return taken


@pytest.mark.parametrize(
    "headers",
    [
        {"x" * 60_000: "a"},
        {"x": "a" * 60_000},
        {f"{number:100}": "a" * 100 for number in range(300)},
        {f"{number:05}": "a" for number in range(5000)},
    ],
    ids=["long name", "long value", "long names", "many"],
)
@pytest.mark.parametrize("url", ["http://a/", "http://a/" + "\U0001f697" * 15_000, "http://a/" + "a" * 15_000])
def test_the_size_is_what_an_entry_keeps(headers: dict[str, str], url: str) -> None:
    """Also with names, values and URLs that are as long as they may be."""

    def copied(text: str) -> str:
        return text.encode().decode()

    def make() -> JournalEntry:
        sent = {copied(name): copied(value) for name, value in headers.items()}
        request = ReadRequest("acme", Product.PLATE, "key", url=copied(url), headers=sent)
        entry = _exchange(1)
        entry.headers = {copied(name): copied(value) for name, value in headers.items()}
        entry.query = Query(request, "account")
        return entry

    assert 0.5 * _memory_of(make) <= size_of(make()) <= 2 * _memory_of(make)


def test_deleting_makes_room() -> None:
    """Deleted entries no longer count."""
    journal = MemoryJournal(max_count=4)
    for number in range(4):
        asyncio.run(journal.add(_exchange(number)))
    cleared = asyncio.run(journal.clear(lambda exchange: exchange.time.timestamp() < 2))
    for number in range(4, 6):
        asyncio.run(journal.add(_exchange(number)))

    assert (cleared, [exchange.id for exchange in _entries(journal)]) == (2, ["2", "3", "4", "5"])
    assert asyncio.run(journal.dropped()) == 0


def test_thumbnails_are_bounded_and_shared() -> None:
    """The last used thumbnails stay. Each is made once."""
    pictures = [drawn(str(number)) for number in range(8)]
    size = len(Thumbnails().make("0", pictures[0]) or b"")
    thumbnails = Thumbnails(max_bytes=int(size * 3.5))
    for number, picture in enumerate(pictures):
        thumbnails.make(str(number), picture)
    kept = [number for number in range(8) if str(number) in thumbnails]

    assert kept[-1] == 7
    assert 2 <= len(kept) <= 4
    assert thumbnails.make("7", b"ignored") == thumbnails.get("7")


def test_no_thumbnail_of_an_unreadable_picture() -> None:
    """The failure is cached."""
    thumbnails = Thumbnails()

    assert thumbnails.make("x", b"no picture") is None
    assert "x" in thumbnails
    assert thumbnails.get("x") is None
