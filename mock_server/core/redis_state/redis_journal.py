"""The journal and the thumbnails of all processes, in Redis or Valkey.

Below the prefix of all names:

    journal           stream: one entry for each exchange, oldest first
    journal-state     hash: "bytes" of all exchanges, how many were "dropped", the "generation"
    thumbnail:SHA256  JPEG; expires

The generation changes when exchanges are removed: what a process has read before may then be gone.
"""

import asyncio
import contextlib
from collections.abc import Sequence

from mock_server.core.journal import JournalEntry, Selection
from mock_server.core.picture_caches import Thumbnails
from mock_server.core.redis_state.redis_client import Argument, RedisClient
from mock_server.core.serialization import from_json, to_json
from mock_server.errors import StoreUnavailableError

_CHUNK = 1000
"""Exchanges that are read in one call."""
_THUMBNAIL_SECONDS = 3600


class RedisJournal:
    """A `Journal` in Redis or Valkey.

    An exchange is written before its reply is sent, so every process can read it from then on. This process caches
    the exchanges that it has read, and reads only the new ones next time. A journal of more than 1000 exchanges drops a
    thousandth of them at a time.
    """

    def __init__(self, client: RedisClient, *, max_count: int, max_bytes: int) -> None:
        self._bounds = max_count, max_bytes
        self._act = client.acts("journal")
        self._record = client.acts("record")
        self._lost = 0
        self._generation = b""
        self._cache: dict[bytes, JournalEntry] = {}
        self._reading = asyncio.Lock()

    async def add(self, entry: JournalEntry, counting: Sequence[Argument] = ()) -> None:
        """Add an entry, and count its call for the rehearsal in the same act (see `RedisRehearsal.counting`)."""
        lost, self._lost = self._lost, 0
        try:
            await self._record("add", *self._bounds, lost, to_json(entry), *counting)
        except StoreUnavailableError:
            self._lost += lost + 1

    async def exchanges(self) -> Sequence[JournalEntry]:
        await self._refresh()
        return list(self._cache.values())

    async def dropped(self) -> int:
        return await self._refresh() + self._lost

    async def clear(self, selection: Selection | None = None) -> int:
        if selection is None:
            self._lost = 0
            return int(await self._act("clear"))
        await self._refresh()
        selected = [id for id, entry in self._cache.items() if selection(entry)]
        return int(await self._act("remove", *selected)) if selected else 0

    async def _refresh(self) -> int:
        """Read the new exchanges into the cache and remove those that are gone. Returns how many were dropped."""
        async with self._reading:
            while True:
                last = next(reversed(self._cache), b"-")
                generation, dropped, first, found = await self._act("read", self._generation, last, _CHUNK)
                if generation != self._generation:
                    self._generation = generation
                    self._cache.clear()
                # The first of them may be the last one that is known: ranges include both ends.
                new = {id: from_json(JournalEntry, row) for id, (_, row) in found if id not in self._cache}
                self._cache |= new
                while self._cache and (oldest := next(iter(self._cache))) != first:
                    del self._cache[oldest]
                if len(found) < _CHUNK:
                    return int(dropped)


class RedisThumbnails(Thumbnails):
    """Thumbnails that this process has made, and those that others have made within the last hour."""

    def __init__(self, client: RedisClient, max_bytes: int) -> None:
        super().__init__(max_bytes)
        self._client = client

    async def share(self, sha256: str) -> None:
        if made := self.get(sha256):
            # Without its thumbnail an exchange is still complete.
            with contextlib.suppress(StoreUnavailableError):
                await self._client.command("SET", self._name(sha256), made, "EX", _THUMBNAIL_SECONDS)

    async def find(self, sha256: str) -> bytes | None:
        """The thumbnail of a picture that any process has seen. Raises StoreUnavailableError."""
        if made := self.get(sha256):
            return made
        found: bytes | None = await self._client.command("GET", self._name(sha256))
        return found

    def _name(self, sha256: str) -> str:
        return f"{self._client.prefix}thumbnail:{sha256}"
