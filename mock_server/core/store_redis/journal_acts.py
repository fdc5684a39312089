"""The acts of the shared journal as Redis scripts.

Every script takes one key, the prefix of all names. Below it lie:

    exchanges           list: exchanges, oldest first
    exchanges-state     hash: "bytes" of all; how many are "gone" and how many "dropped"; the "epoch"

Places count all exchanges from 1. In another epoch they are others: all that was read before is to be read again.
The list may be a sixteenth longer than it should be, which spares trimming it each time; what is too much of it is
dropped all the same, and shown to nobody.
"""

_TRIM = """
local function trim(list, state, length, bytes, most, most_bytes)
  local gone = 0
  while gone < length and (length - gone > most or bytes > most_bytes) do
    local many = math.max(length - gone - most, 1)
    for _, exchange in ipairs(redis.call('LRANGE', list, gone, gone + many - 1)) do
      bytes = bytes - #exchange
    end
    gone = gone + many
  end
  redis.call('LTRIM', list, gone, -1)
  redis.call('HSET', state, 'bytes', bytes)
  redis.call('HINCRBY', state, 'gone', gone)
  redis.call('HINCRBY', state, 'dropped', gone)
end
"""

ADD_EXCHANGES = (
    _TRIM
    + """
local function add_exchanges(prefix, at)
  local list, state = prefix .. 'exchanges', prefix .. 'exchanges-state'
  local most, most_bytes, lost, added = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), 0
  for i = at + 4, #ARGV do added = added + #ARGV[i] end
  local length = redis.call('RPUSH', list, unpack(ARGV, at + 4))
  local bytes = redis.call('HINCRBY', state, 'bytes', added)
  if length == #ARGV - at - 3 then redis.call('HSETNX', state, 'epoch', ARGV[at + 3]) end
  if lost > 0 then redis.call('HINCRBY', state, 'dropped', lost) end
  if length > most + most / 16 or bytes > most_bytes then
    trim(list, state, length, bytes, most, most_bytes)
  end
end
"""
)
"""From a place in ARGV on: most exchanges, most bytes, how many were lost on the way, an epoch in case there is none,
the exchanges (at least one)."""

READ = """
local list = KEYS[1] .. 'exchanges'
local state = redis.call('HMGET', KEYS[1] .. 'exchanges-state', 'epoch', 'dropped', 'gone')
local gone, over = tonumber(state[3] or 0), math.max(redis.call('LLEN', list) - ARGV[4], 0)
local from = over
if state[1] == ARGV[1] then from = math.max(ARGV[2] - gone, over) end
return {
  state[1] or '', (state[2] or 0) + over, gone + over + 1, gone + from + 1,
  redis.call('LRANGE', list, from, from + ARGV[3] - 1)
}
"""
"""ARGV: the epoch and the last place that the caller knows, how many to read, most exchanges. The epoch; how many were
dropped; the first place; the place from which on exchanges follow: after the caller's, or the first in another epoch;
these."""

CLEAR = """
local count = redis.call('LLEN', KEYS[1] .. 'exchanges')
redis.call('DEL', KEYS[1] .. 'exchanges', KEYS[1] .. 'exchanges-state')
return math.min(count, ARGV[1])
"""
"""ARGV: most exchanges. How many there were."""

REMOVE = (
    _TRIM
    + """
local list, name = KEYS[1] .. 'exchanges', KEYS[1] .. 'exchanges-state'
local state, count = redis.call('HMGET', name, 'epoch', 'gone', 'bytes'), 0
if state[1] ~= ARGV[1] then return false end
local bytes, gone = tonumber(state[3]), tonumber(state[2] or 0)
for i = 4, #ARGV do
  local at = ARGV[i] - gone - 1
  local exchange = at >= 0 and redis.call('LINDEX', list, at)
  if exchange then
    redis.call('LSET', list, at, '')
    bytes = bytes - #exchange
    count = count + 1
  end
end
-- What is dropped for being too many does not come back for there being fewer.
trim(list, name, redis.call('LLEN', list), bytes, tonumber(ARGV[3]), math.huge)
redis.call('LREM', list, 0, '')
redis.call('HSET', name, 'epoch', ARGV[2])
return count
"""
)
"""ARGV: the epoch that the caller knows, another one, most exchanges, places. How many were there; nil where the epoch
was another."""
