"""The journal: the latest exchanges, limited in number and in bytes."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from mock_server.core.conditions import Query
from mock_server.core.exchange import Exchange


@dataclass(slots=True, kw_only=True)
class JournalEntry(Exchange):
    """An exchange with what only the server uses.

    `body` is the start of the reply's body, from which `reply` is made when the exchange is shown. `query` is set if no
    scenario matched; near misses are computed from it.
    """

    body: bytes = field(default=b"", repr=False)
    query: Query | None = field(default=None, repr=False)

    def document(self) -> dict[str, Any]:
        """The fields of the exchange, with its reply."""
        sent = Exchange.document(self) | {"reply": shown_body(self.body)}
        del sent["body"], sent["query"]
        return sent


def shown_body(body: bytes) -> Any:
    """The body of a reply as it is shown: JSON, or text if it is not JSON, or None if it is empty."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "replace") or None


Selection = Callable[[JournalEntry], bool]
"""Returns whether an entry is selected."""


class Journal(Protocol):
    """The latest exchanges. A reader in any process sees every entry whose `add` has returned."""

    async def add(self, entry: JournalEntry) -> None:
        """Add an entry, and drop the oldest ones if a limit is exceeded. Never fails: lost entries are counted."""

    async def exchanges(self) -> Sequence[JournalEntry]:
        """All entries, oldest first."""

    async def dropped(self) -> int:
        """How many entries were dropped since the journal was last cleared completely."""

    async def clear(self, selection: Selection | None = None) -> int:
        """Delete the selected entries, or all; return how many were deleted."""


class MemoryJournal:
    """A `Journal` in the memory of this process."""

    def __init__(self, *, max_count: int = 10_000, max_bytes: int = 32 * 1024 * 1024) -> None:
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._entries: deque[tuple[JournalEntry, int]] = deque()  # with their sizes
        self._bytes = 0
        self._dropped = 0
        self.settle: Callable[[], None] = lambda: None
        """Called before the entries are read: adds those that wait elsewhere."""

    async def add(self, entry: JournalEntry) -> None:
        self.append(entry)

    def append(self, entry: JournalEntry) -> None:
        """Add an entry, as `add` does."""
        size = size_of(entry)
        self._entries.append((entry, size))
        self._bytes += size
        while len(self._entries) > self._max_count or self._bytes > self._max_bytes:
            _, dropped_size = self._entries.popleft()
            self._bytes -= dropped_size
            self._dropped += 1

    async def exchanges(self) -> Sequence[JournalEntry]:
        self.settle()
        return [entry for entry, _ in self._entries]

    async def dropped(self) -> int:
        self.settle()
        return self._dropped

    async def clear(self, selection: Selection | None = None) -> int:
        self.settle()
        before = len(self._entries)
        if selection is None:
            self._dropped = 0
        remaining = [] if selection is None else [each for each in self._entries if not selection(each[0])]
        self._entries = deque(remaining)
        self._bytes = sum(size for _, size in remaining)
        return before - len(remaining)


# Measured sizes in bytes, without texts.
_ENTRY_SIZE = 780
_NEAREST_SIZE = 150
_QUERY_SIZE = 600
_HEADER_SIZE = 115
_LOSER_SIZE = 600


def size_of(entry: JournalEntry) -> int:
    """How many bytes of memory an entry takes, approximately."""
    size = _ENTRY_SIZE + len(entry.body) + _NEAREST_SIZE * len(entry.nearest) + _HEADER_SIZE * len(entry.headers)
    size += _LOSER_SIZE * len(entry.losers)
    texts = [
        *(entry.path, entry.client, entry.source, entry.filename, entry.url, entry.language, entry.text, entry.detail),
        *(entry.forced, *entry.aliases, *entry.notes, *entry.fields),
    ]
    # A header has one byte for each character.
    size += sum(map(len, (*entry.headers, *entry.headers.values())))
    if entry.query is not None:
        request = entry.query.request
        size += _QUERY_SIZE + _HEADER_SIZE * len(request.headers)
        size += sum(map(len, (*request.headers, *request.headers.values())))
        texts += [request.key, request.url, request.filename, request.language]
    joined = "".join([text for text in texts if text])
    # Each character of a text that is not ASCII takes up to four bytes.
    return size + (len(joined) if joined.isascii() else sum(_width(text) * len(text) for text in texts if text))


def _width(text: str) -> int:
    return 1 if text.isascii() else 4
