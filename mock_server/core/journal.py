"""The journal: what was asked, what was decided and why, within bounds of count and of bytes."""

import hashlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from mock_server.core.model import MatchKind, OutcomeName


@dataclass(frozen=True, slots=True)
class NearMissFacts:
    """A scenario's picture that came close: how far, how far would have been accepted, and what differed."""

    image: str
    distance: float
    limit: float
    reason: str
    region: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class PictureRecord:
    """What is kept of a picture: never its bytes."""

    sha256: str
    format: str
    width: int
    height: int
    byte_count: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its reply. `key_id` is a stable short id of the key; the key itself is not kept."""

    id: str
    time: float
    provider: str
    product: str | None
    method: str
    path: str
    status: int
    milliseconds: float
    key: str | None = None
    key_id: str | None = None
    account: str | None = None
    outcome: OutcomeName | None = None
    scenario: str | None = None
    match: MatchKind = MatchKind.NONE
    charged: int = 0
    forced: str | None = None
    fault: str | None = None
    delay: float = 0.0
    detail: str | None = None
    notes: tuple[str, ...] = ()
    filename: str | None = None
    url: str | None = None
    language: str | None = None
    client: str | None = None
    picture: PictureRecord | None = None
    nearest: tuple[NearMissFacts, ...] = ()
    reply: bytes = field(default=b"", repr=False)


def key_id(key: str) -> str:
    """A stable short id of a key, from which the key cannot be told."""
    return hashlib.blake2s(key.encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()


def redacted(key: str) -> str:
    """A key as it may be shown: its end at most, and nothing of a short one."""
    return f"…{key[-2:]}" if len(key) > 6 else "…"


class Journal:
    """The latest exchanges, in the memory of this process."""

    def __init__(self, *, max_count: int = 10_000, max_bytes: int = 32 * 1024 * 1024) -> None:
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._exchanges: deque[tuple[Exchange, int]] = deque()
        self._bytes = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._exchanges)

    def __iter__(self) -> Iterator[Exchange]:
        return iter([exchange for exchange, _ in self._exchanges])

    def add(self, exchange: Exchange) -> None:
        """Keep one exchange; the oldest go where the bounds are passed."""
        size = _FIXED_SIZE + len(exchange.reply) + len(exchange.url or "") + len(exchange.filename or "")
        self._exchanges.append((exchange, size))
        self._bytes += size
        while len(self._exchanges) > self._max_count or self._bytes > self._max_bytes:
            self._bytes -= self._exchanges.popleft()[1]
            self.dropped += 1

    def clear(self, key: str | None = None) -> None:
        """Forget all exchanges, or those of one key id."""
        kept = [] if key is None else [entry for entry in self._exchanges if entry[0].key_id != key]
        self._exchanges = deque(kept)
        self._bytes = sum(size for _, size in kept)
        if key is None:
            self.dropped = 0


_FIXED_SIZE = 900
"""Bytes that an exchange takes beside its texts of free length, as measured."""
