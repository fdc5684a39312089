"""The acts of the shared journal as Redis scripts.

Every script takes one key, the prefix of all names. Below it lie:

    exchanges           list: exchanges, oldest first
    exchanges-state     hash: "first", the place of the oldest; "bytes" of all; how many were "dropped"; the "epoch"

Places count all exchanges from 1. In another epoch they are others: all that was read before is to be read again.
"""

ADD_EXCHANGES = """
local function add_exchanges(prefix, at)
  local list, name = prefix .. 'exchanges', prefix .. 'exchanges-state'
  local state = redis.call('HMGET', name, 'first', 'bytes', 'dropped', 'epoch')
  local bytes, gone = tonumber(state[2] or 0), 0
  local most, most_bytes, lost = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  for i = at + 4, #ARGV do bytes = bytes + #ARGV[i] end
  local length = redis.call('RPUSH', list, unpack(ARGV, at + 4))
  while gone < length and (length - gone > most or bytes > most_bytes) do
    local many = math.max(length - gone - most, 1)
    for _, exchange in ipairs(redis.call('LRANGE', list, gone, gone + many - 1)) do
      bytes = bytes - #exchange
    end
    gone = gone + many
  end
  if gone > 0 then redis.call('LTRIM', list, gone, -1) end
  redis.call('HMSET', name, 'first', (state[1] or 1) + gone, 'bytes', bytes,
    'dropped', (state[3] or 0) + gone + lost, 'epoch', state[4] or ARGV[at + 3])
end
"""
"""From a place in ARGV on: most exchanges, most bytes, how many were lost on the way, an epoch in case there is none,
the exchanges (at least one)."""

READ = """
local list = KEYS[1] .. 'exchanges'
local state = redis.call('HMGET', KEYS[1] .. 'exchanges-state', 'epoch', 'dropped', 'first')
local first = tonumber(state[3] or 1)
local from = state[1] == ARGV[1] and math.max(ARGV[2] + 1 - first, 0) or 0
return {
  state[1] or '', tonumber(state[2] or 0), first, first + from,
  redis.call('LRANGE', list, from, from + ARGV[3] - 1)
}
"""
"""ARGV: the epoch and the last place that the caller knows, most exchanges. The epoch; how many were dropped; the
first place; the place from which on exchanges follow: after the caller's, or the first in another epoch; these."""

CLEAR = """
local count = redis.call('LLEN', KEYS[1] .. 'exchanges')
redis.call('DEL', KEYS[1] .. 'exchanges', KEYS[1] .. 'exchanges-state')
return count
"""
"""How many there were."""

REMOVE = """
local list, name = KEYS[1] .. 'exchanges', KEYS[1] .. 'exchanges-state'
local state = redis.call('HMGET', name, 'epoch', 'first', 'bytes')
if state[1] ~= ARGV[1] then return false end
local bytes, count = tonumber(state[3]), 0
for i = 3, #ARGV do
  local at = ARGV[i] - state[2]
  local exchange = at >= 0 and redis.call('LINDEX', list, at)
  if exchange then
    redis.call('LSET', list, at, '')
    bytes = bytes - #exchange
    count = count + 1
  end
end
redis.call('LREM', list, 0, '')
redis.call('HMSET', name, 'epoch', ARGV[2], 'bytes', bytes)
return count
"""
"""ARGV: the epoch that the caller knows, another one, places. How many were there; nil where the epoch was another."""
