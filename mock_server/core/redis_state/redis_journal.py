"""The journal, the thumbnails and the rehearsal of all processes, in Redis or Valkey.

Below the prefix of all names:

    journal           stream: one entry for each exchange, oldest first
    journal-state     hash: "bytes" of all exchanges, how many were "dropped", the "generation"
    thumbnail:SHA256  JPEG; expires
    report-counts     hash: the facts of a counter (JSON) to its count
    report-first      hash: the same to the id of its first request
    report-calls:KEY  list: "NUMBER:CALL", the latest calls of a key (hash), oldest first
    report-keys       sorted set: the keys, scored by the number of their latest call
    report-marks      list: "NUMBER:MARK", oldest first
    report-left       set: ids of calls whose client left before the reply
    report-state      hash: "number" of the last event, "kept" and "dropped" calls, "since",
                      "size-KIND": the number of counters of a kind

The generation changes when exchanges are removed: what a process has read before may then be gone.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache

import orjson

from mock_server.core import rehearsal
from mock_server.core.exchange import Exchange
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
        self._record = client.acts("store", "record")
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

    async def charge_and_add(
        self, entry: JournalEntry, counting: Sequence[Argument], charging: Sequence[Argument]
    ) -> bool:
        """The same, and spend a unit in the same act (see `RedisStore.charging`).

        False, and nothing is added, if no unit was left. Raises StoreUnavailableError.
        """
        lost, self._lost = self._lost, 0
        is_added = False
        try:
            arguments = (*charging, *self._bounds, lost, to_json(entry), *counting)
            is_added = await self._record("charge_and_add", *arguments) is not None
        finally:
            self._lost += 0 if is_added else lost
        return is_added

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
            with suppress(StoreUnavailableError):
                await self._client.command("SET", self._name(sha256), made, "EX", _THUMBNAIL_SECONDS)

    async def find(self, sha256: str) -> bytes | None:
        """The thumbnail of a picture that any process has seen. Raises StoreUnavailableError."""
        if made := self.get(sha256):
            return made
        found: bytes | None = await self._client.command("GET", self._name(sha256))
        return found

    def _name(self, sha256: str) -> str:
        return f"{self._client.prefix}thumbnail:{sha256}"


class RedisRehearsal:
    """A `Rehearsal` in Redis or Valkey. An exchange that is lost with the store is not counted."""

    def __init__(self, client: RedisClient) -> None:
        self._act = client.acts("rehearsal")

    def counting(self, exchange: Exchange, call: rehearsal.ObservedCall | None) -> Sequence[Argument]:
        """What `RedisJournal.add` takes beside the exchange to count it. Nothing if it is not counted."""
        counters = list(_fields(exchange, call))
        if not counters and call is None:
            return ()
        row = to_json(call) if call else b""
        key = call.key if call else ""
        most = rehearsal.MOST_CALLS, rehearsal.MOST_CALLS_OF_KEY
        return (*most, exchange.id, str(time.time()), key, row, *counters)

    async def client_left(self, call: rehearsal.ObservedCall) -> None:
        with suppress(StoreUnavailableError):
            await self._act("client_left", rehearsal.MOST_CALLS, call.id)

    async def mark(self, change: rehearsal.Change, key: str = rehearsal.EVERY_KEY) -> None:
        await self._act("mark", rehearsal.MOST_MARKS, to_json(rehearsal.Mark(change, key)))

    async def tally(self) -> rehearsal.Tally:
        counts, first, calls, marks, left, (since, dropped) = await self._act("read")
        firsts = dict(_pairs(first))
        found = [
            rehearsal.Count(tuple(orjson.loads(field)), int(count), firsts.get(field, b"").decode())
            for field, count in _pairs(counts)
        ]
        has_left = {id.decode() for id in left}
        events = [*_events(calls, marks)]
        for event in events:
            if event.call and event.call.id in has_left:
                event.call.has_left = True
        events.sort(key=lambda event: event.number)
        return rehearsal.Tally(float(since or time.time()), tuple(found), tuple(events), int(dropped or 0))

    async def clear(self, now: float, key: str | None = None) -> None:
        await self._act("clear", now, rehearsal.EVERY_KEY if key is None else key)


def _fields(exchange: Exchange, call: rehearsal.ObservedCall | None) -> Iterator[bytes | int | str]:
    for facts in rehearsal.facts_of(exchange, call):
        yield from _counters(facts)


@lru_cache(maxsize=1024)
def _counters(facts: rehearsal.Facts) -> tuple[bytes | int | str, ...]:
    """The arguments of the script for what is counted. Cached, because most requests of a test suite are alike."""
    kind, (*narrow, widest) = str(facts[0]), rehearsal.levels(facts)
    arguments: list[bytes | int | str] = [kind, len(narrow)]
    for counted, limit in zip(narrow, rehearsal.limits(kind), strict=True):
        arguments += (orjson.dumps(counted), limit)
    return (*arguments, orjson.dumps(widest))


def _pairs(flat: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    return zip(flat[::2], flat[1::2], strict=True)


def _events(calls: Sequence[bytes], marks: Sequence[bytes]) -> Iterator[rehearsal.Event]:
    for row in calls:
        number, _, call = row.partition(b":")
        yield rehearsal.Event(int(number), call=from_json(rehearsal.ObservedCall, call))
    for row in marks:
        number, _, mark = row.partition(b":")
        yield rehearsal.Event(int(number), mark=from_json(rehearsal.Mark, mark))
