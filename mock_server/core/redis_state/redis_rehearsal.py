"""The rehearsal of all processes, in Redis or Valkey.

Below the prefix of all names:

    report-counts      hash: the facts of a counter (JSON) to its count
    report-first       hash: the same to the id of its first request
    report-calls:KEY   list: "NUMBER:CALL", the latest calls of a key (hash), oldest first
    report-keys        sorted set: the keys, scored by the number of their latest call
    report-marks       list: "NUMBER:MARK", oldest first
    report-left        set: ids of calls whose client left before the reply
    report-state       hash: "number" of the last event, "kept" and "dropped" calls, "since",
                       "size-KIND": the number of counters of a kind
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache

import orjson

from mock_server.core import rehearsal
from mock_server.core.exchange import Exchange
from mock_server.core.redis_state.redis_client import Argument, RedisClient
from mock_server.core.serialization import from_json, to_json
from mock_server.errors import StoreUnavailableError


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
