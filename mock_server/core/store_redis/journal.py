"""The journal as all processes write it: bounded by count and by bytes, on the shared server."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from mock_server.core.journal import Exchange, Selection
from mock_server.core.store_redis.link import Link, Script
from mock_server.core.stored import from_json, to_json

_MOST_UNDER_WAY = 1000
"""So many exchanges may be on their way; where the server is slower than that, further ones are dropped."""
_ON_ITS_WAY = 0.01
"""Seconds within which an exchange arrives that was sent before its reply was."""
_AT_ONCE = 200
"""Exchanges that are read in one go."""


class SharedJournal:
    """A `Journal` in Redis or Valkey. Adding sends with the same turn of the event loop and does not wait.

    What did not arrive counts as dropped. What was read is kept here as well: the next reading asks for what is new.
    """

    def __init__(self, link: Link, *, max_count: int, max_bytes: int) -> None:
        self._bounds = max_count, max_bytes
        self._add = Script(link, ADD)
        self._read = Script(link, READ)
        self._clear = Script(link, CLEAR)
        self._remove = Script(link, REMOVE)
        self._link = link
        self._unsent: list[bytes] = []
        self._under_way = 0
        self._lost = 0
        self._epoch = b""
        self._known: OrderedDict[int, Exchange] = OrderedDict()

    def add(self, exchange: Exchange) -> None:
        if self._under_way >= _MOST_UNDER_WAY:
            self._lost += 1
            return
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._send)
        self._under_way += 1
        self._unsent.append(to_json(exchange))

    def _send(self) -> None:
        """Send what was added in this turn of the event loop."""
        sent, self._unsent = self._unsent, []
        lost, self._lost = self._lost, 0

        def done(added: bool) -> None:
            self._under_way -= len(sent)
            if not added:
                self._lost += lost + len(sent)

        self._add.post(done, *self._bounds, lost, *sent)
        self._link.flush()

    async def exchanges(self) -> Sequence[Exchange]:
        await self._refresh()
        return list(self._known.values())

    async def dropped(self) -> int:
        return await self._refresh() + self._lost

    async def clear(self, selection: Selection | None = None) -> int:
        if selection is None:
            self._lost = 0
            return int(await self._clear())
        await self._refresh()
        meant = [place for place, exchange in self._known.items() if selection(exchange)]
        return int(await self._remove(*meant)) if meant else 0

    async def _refresh(self) -> int:
        """Read what is new, and forget what is gone; how many were dropped."""
        # Whoever asks may have had a reply whose exchange is on its way from another process.
        await asyncio.sleep(_ON_ITS_WAY)
        while True:
            last = next(reversed(self._known), 0)
            epoch, dropped, first, entries = await self._read(last, _AT_ONCE)
            if epoch != self._epoch:
                # Something in the middle is gone: all is read again.
                self._epoch = epoch
                self._known.clear()
                continue
            for entry in entries:
                place, exchange = _parsed(entry)
                # Somebody else here may have read it meanwhile.
                if place > next(reversed(self._known), 0):
                    self._known[place] = exchange
            while self._known and next(iter(self._known)) < first:
                self._known.popitem(last=False)
            if len(entries) < _AT_ONCE:
                return int(dropped)


def _parsed(entry: list[Any]) -> tuple[int, Exchange]:
    id, (_, document) = entry
    return int(id.partition(b"-")[0]), from_json(Exchange, document)


ADD = """
local stream, state = KEYS[1] .. 'journal', KEYS[1] .. 'journal-state'
local place = redis.call('HINCRBY', state, 'place', #ARGV - 3) - (#ARGV - 3)
local bytes, dropped = tonumber(redis.call('HGET', state, 'bytes') or 0), 0
for i = 4, #ARGV do
  redis.call('XADD', stream, place + i - 3 .. '-0', 'e', ARGV[i])
  bytes = bytes + #ARGV[i]
end
local length = redis.call('XLEN', stream)
local last
while length > 0 and (length > tonumber(ARGV[1]) or bytes > tonumber(ARGV[2])) do
  local many = math.max(length - ARGV[1], 1)
  local from = last and '(' .. last or '-'
  for _, entry in ipairs(redis.call('XRANGE', stream, from, '+', 'COUNT', many)) do
    last, length, bytes, dropped = entry[1], length - 1, bytes - #entry[2][2], dropped + 1
  end
end
if last then redis.call('XTRIM', stream, 'MAXLEN', length) end
redis.call('HSET', state, 'bytes', bytes)
dropped = dropped + ARGV[3]
if dropped > 0 then redis.call('HINCRBY', state, 'dropped', dropped) end
return 1
"""
"""ARGV: most exchanges, most bytes, how many were dropped on the way, the exchanges."""

READ = """
local stream = KEYS[1] .. 'journal'
local state = redis.call('HMGET', KEYS[1] .. 'journal-state', 'epoch', 'dropped', 'place')
local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
local place = first and string.match(first[1], '^%d+') or (state[3] or 0) + 1
local after = '(' .. ARGV[1] .. '-0'
return {
  state[1] or '0', tonumber(state[2] or 0), tonumber(place),
  redis.call('XRANGE', stream, after, '+', 'COUNT', ARGV[2])
}
"""
"""ARGV: the last place that the caller knows, most exchanges. The epoch, which changes when exchanges are cleared; how
many were dropped; the first place; the exchanges after the caller's."""

CLEAR = """
local count = redis.call('XLEN', KEYS[1] .. 'journal')
redis.call('DEL', KEYS[1] .. 'journal')
redis.call('HINCRBY', KEYS[1] .. 'journal-state', 'epoch', 1)
redis.call('HDEL', KEYS[1] .. 'journal-state', 'bytes', 'dropped')
return count
"""
"""How many there were."""

REMOVE = """
local stream, state, count = KEYS[1] .. 'journal', KEYS[1] .. 'journal-state', 0
for _, place in ipairs(ARGV) do
  local entry = redis.call('XRANGE', stream, place .. '-0', place .. '-0')[1]
  if entry then
    redis.call('XDEL', stream, entry[1])
    redis.call('HINCRBY', state, 'bytes', -#entry[2][2])
    count = count + 1
  end
end
redis.call('HINCRBY', state, 'epoch', 1)
return count
"""
"""ARGV: places. How many were there."""
