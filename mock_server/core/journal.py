"""The journal: what was asked, what was decided and why, within bounds of count and of bytes."""

import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Protocol

from mock_server.core.matching import Query
from mock_server.core.model import MatchKind, OutcomeName


@dataclass(frozen=True, slots=True)
class NearestPicture:
    """A picture of the set that came close: how far, how far would have been accepted, and where they differ.

    `region` is (xmin, ymin, xmax, ymax) in pixels of the picture that was sent.
    """

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


@dataclass(slots=True, eq=False)
class Exchange:
    """One request and its reply; never changed once it is made.

    `time` is Unix time by the mock's clock, `milliseconds` how long deciding took, `delay` the seconds that were
    waited on purpose. `key_id` is a stable short id of the key; the key itself is not kept. `aliases` are the
    undocumented forms that the client used, `source` what its library calls itself. `asked` is kept where no
    scenario was found, so that the nearest ones can be told later.
    """

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
    aliases: tuple[str, ...] = ()
    source: str | None = None
    filename: str | None = None
    url: str | None = None
    language: str | None = None
    client: str | None = None
    picture: PictureRecord | None = None
    nearest: tuple[NearestPicture, ...] = ()
    reply: bytes = field(default=b"", repr=False)
    asked: Query | None = field(default=None, repr=False)


Selection = Callable[[Exchange], bool]
"""Whether an exchange is meant."""


@lru_cache(maxsize=4096)
def key_id(key: str) -> str:
    """A stable short id of a key, from which the key cannot be told."""
    return hashlib.blake2s(key.encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()


def redacted(key: str) -> str:
    """A key as it may be shown: its end at most, and nothing of a short one."""
    return f"…{key[-2:]}" if len(key) > 6 else "…"


class Journal(Protocol):
    """The latest exchanges. A reader sees every exchange whose `add` has returned, in whatever process."""

    async def add(self, exchange: Exchange) -> None:
        """Add one exchange, and drop the oldest ones if a bound is exceeded. Never fails: what is lost is counted."""
        ...

    async def exchanges(self) -> Sequence[Exchange]:
        """All that are kept, oldest first."""
        ...

    async def dropped(self) -> int:
        """How many went because of the bounds since all were last cleared."""
        ...

    async def clear(self, selection: Selection | None = None) -> int:
        """Forget those that are meant, or all; how many that were."""
        ...


class MemoryJournal:
    """A `Journal` in the memory of this process."""

    def __init__(self, *, max_count: int = 10_000, max_bytes: int = 32 * 1024 * 1024) -> None:
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._exchanges: deque[Exchange] = deque()
        self._sizes: deque[int] = deque()
        self._bytes = 0
        self._dropped = 0

    async def add(self, exchange: Exchange) -> None:
        size = size_of(exchange)
        self._exchanges.append(exchange)
        self._sizes.append(size)
        self._bytes += size
        while len(self._exchanges) > self._max_count or self._bytes > self._max_bytes:
            self._exchanges.popleft()
            self._bytes -= self._sizes.popleft()
            self._dropped += 1

    async def exchanges(self) -> Sequence[Exchange]:
        return list(self._exchanges)

    async def dropped(self) -> int:
        return self._dropped

    async def clear(self, selection: Selection | None = None) -> int:
        before = len(self._exchanges)
        if selection is None:
            self._dropped = 0
        kept = [] if selection is None else [one for one in self._exchanges if not selection(one)]
        self._exchanges = deque(kept)
        self._sizes = deque(map(size_of, kept))
        self._bytes = sum(self._sizes)
        return before - len(kept)


def size_of(exchange: Exchange) -> int:
    """Bytes that an exchange takes in memory, near enough for a bound."""
    size = _FIXED_SIZE + len(exchange.reply) + len(exchange.url or "") + len(exchange.filename or "")
    size += _NEAREST_SIZE * len(exchange.nearest)
    if exchange.asked is not None:
        headers = exchange.asked.request.headers
        size += _ASKED_SIZE + sum(map(len, islice(headers.values(), 100))) + _HEADER_SIZE * len(headers)
    return size


_FIXED_SIZE = 720
_NEAREST_SIZE = 150
_ASKED_SIZE = 600
_HEADER_SIZE = 130
"""Bytes of an exchange, of one near picture, of what was asked and of one header, beside their texts: measured."""
