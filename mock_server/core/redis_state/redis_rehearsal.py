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
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache

import orjson

from mock_server.core.exchange import Exchange
from mock_server.core.redis_state.redis_client import RedisClient
from mock_server.core.rehearsal import (
    EVERY_KEY,
    MOST_CALLS,
    MOST_CALLS_OF_KEY,
    MOST_MARKS,
    Change,
    Count,
    Event,
    Facts,
    Mark,
    ObservedCall,
    Tally,
    facts_of,
    levels,
    limits,
)
from mock_server.core.serialization import from_json, to_json, without_defaults
from mock_server.errors import StoreUnavailableError

ADD = """
local p, id, now, key, call = KEYS[1] .. 'report-', ARGV[1], ARGV[2], ARGV[3], ARGV[4]
redis.call('HSETNX', p .. 'state', 'since', now)
local last = 4
while last < #ARGV do
  local size, at = 'size-' .. ARGV[last + 1], last + 3
  last = at + 2 * tonumber(ARGV[last + 2])
  while at < last and redis.call('HEXISTS', p .. 'counts', ARGV[at]) == 0 do
    if tonumber(redis.call('HGET', p .. 'state', size) or 0) < tonumber(ARGV[at + 1]) then
      redis.call('HINCRBY', p .. 'state', size, 1)
      break
    end
    at = at + 2
  end
  redis.call('HINCRBY', p .. 'counts', ARGV[at], 1)
  redis.call('HSETNX', p .. 'first', ARGV[at], id)
end
if call == '' then return 1 end
local number = redis.call('HINCRBY', p .. 'state', 'number', 1)
local length = redis.call('RPUSH', p .. 'calls:' .. key, string.format('%d:%s', number, call))
redis.call('ZADD', p .. 'keys', number, key)
local kept, dropped = redis.call('HINCRBY', p .. 'state', 'kept', 1), 0
if length > MOST_CALLS_OF_KEY then
  dropped = math.floor(MOST_CALLS_OF_KEY / 4)
  redis.call('LTRIM', p .. 'calls:' .. key, dropped, -1)
end
while kept - dropped > MOST_CALLS do
  local oldest = redis.call('ZRANGE', p .. 'keys', 0, 0)[1]
  dropped = dropped + redis.call('LLEN', p .. 'calls:' .. oldest)
  redis.call('DEL', p .. 'calls:' .. oldest)
  redis.call('ZREM', p .. 'keys', oldest)
end
if dropped > 0 then
  redis.call('HINCRBY', p .. 'state', 'kept', -dropped)
  redis.call('HINCRBY', p .. 'state', 'dropped', dropped)
end
return 1
"""
"""ARGV: the id of the request, the time, the key (hash), the call or nothing; then, for each thing that is counted, its
kind, the number of narrow counters, each of these followed by its limit, and the widest counter."""

MARK = """
local p = KEYS[1] .. 'report-'
local number = redis.call('HINCRBY', p .. 'state', 'number', 1)
redis.call('RPUSH', p .. 'marks', string.format('%d:%s', number, ARGV[1]))
redis.call('LTRIM', p .. 'marks', -MOST_MARKS, -1)
return 1
"""
"""ARGV: the mark."""

LEFT = """
local p = KEYS[1] .. 'report-'
if redis.call('SCARD', p .. 'left') < MOST_CALLS then redis.call('SADD', p .. 'left', ARGV[1]) end
return 1
"""
"""ARGV: the id of a call."""

READ = """
local p, calls = KEYS[1] .. 'report-', {}
for _, key in ipairs(redis.call('ZRANGE', p .. 'keys', 0, -1)) do
  for _, row in ipairs(redis.call('LRANGE', p .. 'calls:' .. key, 0, -1)) do calls[#calls + 1] = row end
end
return {
  redis.call('HGETALL', p .. 'counts'), redis.call('HGETALL', p .. 'first'), calls,
  redis.call('LRANGE', p .. 'marks', 0, -1), redis.call('SMEMBERS', p .. 'left'),
  redis.call('HMGET', p .. 'state', 'since', 'dropped')
}
"""

CLEAR = """
local p, key = KEYS[1] .. 'report-', ARGV[2]
if key == '*' then
  for _, one in ipairs(redis.call('ZRANGE', p .. 'keys', 0, -1)) do redis.call('DEL', p .. 'calls:' .. one) end
  redis.call('DEL', p .. 'counts', p .. 'first', p .. 'keys', p .. 'marks', p .. 'left')
  redis.call('HDEL', p .. 'state', 'kept', 'dropped', 'size-call', 'size-undescribed', 'size-unserved', 'size-alias')
  redis.call('HSET', p .. 'state', 'since', ARGV[1])
  return 1
end
-- Redis refuses "-0", the text of the negative of 0.
redis.call('HINCRBY', p .. 'state', 'kept', 0 - redis.call('LLEN', p .. 'calls:' .. key))
redis.call('DEL', p .. 'calls:' .. key)
redis.call('ZREM', p .. 'keys', key)
for _, field in ipairs(redis.call('HKEYS', p .. 'counts')) do
  local facts = cjson.decode(field)
  if facts[1] == 'call' and facts[2] == key then
    redis.call('HDEL', p .. 'counts', field)
    redis.call('HDEL', p .. 'first', field)
    redis.call('HINCRBY', p .. 'state', 'size-call', -1)
  end
end
return 1
"""
"""ARGV: the time, and the key (hash) or `*` for everything."""

LIMITS = {
    name: str(value)
    for name, value in (
        ("MOST_CALLS_OF_KEY", MOST_CALLS_OF_KEY),
        ("MOST_CALLS", MOST_CALLS),
        ("MOST_MARKS", MOST_MARKS),
    )
}
"""The limits that stand in the scripts as words."""


def _with_limits(script: str) -> str:
    for name, value in LIMITS.items():
        script = script.replace(name, value)
    return script


class RedisRehearsal:
    """A `Rehearsal` in Redis or Valkey. An exchange that is lost with the store is not counted."""

    def __init__(self, client: RedisClient) -> None:
        self._add, self._mark, self._left, self._read, self._clear = (
            client.script(_with_limits(script)) for script in (ADD, MARK, LEFT, READ, CLEAR)
        )

    def add(self, exchange: Exchange, call: ObservedCall | None) -> Awaitable[None] | None:
        counters = list(_fields(exchange, call))
        if not counters and call is None:
            return None
        row = to_json(without_defaults(call)) if call else b""
        key = call.key if call else ""
        return self._send(self._add(exchange.id, time.time(), key, row, *counters))

    def client_left(self, call: ObservedCall) -> Awaitable[None]:
        return self._send(self._left(call.id))

    async def mark(self, change: Change, key: str = EVERY_KEY) -> None:
        await self._mark(to_json(Mark(change, key)))

    async def tally(self) -> Tally:
        counts, first, calls, marks, left, (since, dropped) = await self._read()
        firsts = dict(_pairs(first))
        found = [
            Count(tuple(orjson.loads(field)), int(count), firsts.get(field, b"").decode())
            for field, count in _pairs(counts)
        ]
        has_left = {id.decode() for id in left}
        events = [*_events(calls, marks)]
        for event in events:
            if event.call and event.call.id in has_left:
                event.call.has_left = True
        events.sort(key=lambda event: event.number)
        return Tally(float(since or time.time()), tuple(found), tuple(events), int(dropped or 0))

    async def clear(self, now: float, key: str | None = None) -> None:
        await self._clear(now, EVERY_KEY if key is None else key)

    async def _send(self, running: Awaitable[object]) -> None:
        with suppress(StoreUnavailableError):
            await running


def _fields(exchange: Exchange, call: ObservedCall | None) -> Iterator[bytes | int | str]:
    for facts in facts_of(exchange, call):
        yield from _counters(facts)


@lru_cache(maxsize=1024)
def _counters(facts: Facts) -> tuple[bytes | int | str, ...]:
    """The arguments of the script for what is counted. Cached, because most requests of a test suite are alike."""
    kind, (*narrow, widest) = str(facts[0]), levels(facts)
    arguments: list[bytes | int | str] = [kind, len(narrow)]
    for counted, limit in zip(narrow, limits(kind), strict=True):
        arguments += (orjson.dumps(counted), limit)
    return (*arguments, orjson.dumps(widest))


def _pairs(flat: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    return zip(flat[::2], flat[1::2], strict=True)


def _events(calls: Sequence[bytes], marks: Sequence[bytes]) -> Iterator[Event]:
    for row in calls:
        number, _, call = row.partition(b":")
        yield Event(int(number), call=from_json(ObservedCall, call))
    for row in marks:
        number, _, mark = row.partition(b":")
        yield Event(int(number), mark=from_json(Mark, mark))
