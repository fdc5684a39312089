"""The acts of the shared journal as Redis scripts.

Every script takes one key, the prefix of all names. Below it lie:

    journal           list: blocks of exchanges, oldest first; a block is the number of exchanges, then each of them, in
                      lines
    journal-state     hash: "count" and "bytes" of all; how many blocks are "gone", how many exchanges "dropped";
                      the "epoch"

A block is pushed by a command of its own just before the script that counts it: whatever passes through a script is
read byte by byte. Places count all blocks from 1. In another epoch they are others: all that was read before is to be
read again. The journal may be a sixteenth longer than it should be, which spares trimming it each time; what is too
much of it is dropped all the same, and shown to nobody.
"""

LIST = b"journal"

_TRIM = """
local function lines_of(block)
  local lines = {}
  for line in string.gmatch(block, '[^\\n]+') do lines[#lines + 1] = line end
  return lines
end
local function block_of(lines)
  if #lines == 0 then return '' end
  return #lines .. '\\n' .. table.concat(lines, '\\n')
end
local function latest(lines, count, bytes, most, most_bytes)
  local kept = {}
  for i = #lines, 2, -1 do
    bytes = bytes + #lines[i] + 1
    if count + #kept >= most or bytes + #tostring(#kept + 1) > most_bytes then break end
    table.insert(kept, 1, lines[i])
  end
  return kept
end
local function trim(list, state, count, bytes, most, most_bytes)
  local before, gone = count, 0
  while count > most or bytes > most_bytes do
    local block = redis.call('LPOP', list)
    if not block then
      count, bytes = 0, 0
      break
    end
    count, bytes = count - string.match(block, '^%d+'), bytes - #block
    local kept = {}
    if count < most and bytes < most_bytes then
      kept = latest(lines_of(block), count, bytes, most, most_bytes)
    end
    if #kept > 0 then
      block = block_of(kept)
      redis.call('LPUSH', list, block)
      count, bytes = count + #kept, bytes + #block
    else
      gone = gone + 1
    end
  end
  if count < before then
    redis.call('HSET', state, 'count', count, 'bytes', bytes)
    redis.call('HINCRBY', state, 'gone', gone)
    redis.call('HINCRBY', state, 'dropped', before - count)
  end
  return count, bytes
end
"""

ADD_EXCHANGES = (
    _TRIM
    + """
local function add_exchanges(prefix, at)
  local list, state = prefix .. 'journal', prefix .. 'journal-state'
  local most, most_bytes, lost, added = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), ARGV[at + 2], tonumber(ARGV[at + 4])
  local count = redis.call('HINCRBY', state, 'count', added)
  local bytes = redis.call('HINCRBY', state, 'bytes', ARGV[at + 5])
  if count == added then redis.call('HSETNX', state, 'epoch', ARGV[at + 3]) end
  if lost ~= '0' then redis.call('HINCRBY', state, 'dropped', lost) end
  if count > most + most / 16 or bytes > most_bytes then trim(list, state, count, bytes, most, most_bytes) end
end
"""
)
"""From a place in ARGV on: most exchanges, most bytes, how many were lost on the way, an epoch in case there is none,
how many exchanges there are in the block that was just pushed, and its bytes."""

READ = """
local list = KEYS[1] .. 'journal'
local state = redis.call('HMGET', KEYS[1] .. 'journal-state', 'epoch', 'dropped', 'gone', 'count')
local gone, count, from = tonumber(state[3] or 0), tonumber(state[4] or 0), 0
local over = math.max(count - ARGV[4], 0)
if state[1] == ARGV[1] then from = math.max(ARGV[2] - gone, 0) end
return {
  state[1] or '', (state[2] or 0) + over, count - over, gone + 1, gone + from + 1,
  redis.call('LRANGE', list, from, from + ARGV[3] - 1)
}
"""
"""ARGV: the epoch and the last place that the caller knows, how many blocks to read, most exchanges. The epoch; how
many exchanges were dropped; how many there are: the latest; the first place; the place from which on blocks follow:
after the caller's, or the first in another epoch; these."""

CLEAR = """
local count = redis.call('HGET', KEYS[1] .. 'journal-state', 'count') or 0
redis.call('DEL', KEYS[1] .. 'journal', KEYS[1] .. 'journal-state')
return math.min(count, ARGV[1])
"""
"""ARGV: most exchanges. How many there were."""

REMOVE = (
    _TRIM
    + """
local list, name = KEYS[1] .. 'journal', KEYS[1] .. 'journal-state'
local state, removed = redis.call('HMGET', name, 'epoch', 'count', 'bytes'), 0
if state[1] ~= ARGV[1] then return false end
-- What is dropped for being too many does not come back for there being fewer.
local count, bytes = trim(list, name, tonumber(state[2]), tonumber(state[3]), tonumber(ARGV[3]), math.huge)
local gone = tonumber(redis.call('HGET', name, 'gone') or 0)
for i = 4, #ARGV, 2 do
  local at = ARGV[i] - gone - 1
  local block = at >= 0 and redis.call('LINDEX', list, at)
  if block then
    local lines, kept, meant = lines_of(block), {}, {}
    for place in string.gmatch(ARGV[i + 1], '%d+') do meant[#lines + 1 - place] = true end
    for place = 2, #lines do
      if not meant[place] then kept[#kept + 1] = lines[place] end
    end
    removed = removed + #lines - 1 - #kept
    local rest = block_of(kept)
    bytes = bytes + #rest - #block
    redis.call('LSET', list, at, rest)
  end
end
redis.call('LREM', list, 0, '')
redis.call('HSET', name, 'count', count - removed, 'bytes', bytes, 'epoch', ARGV[2])
return removed
"""
)
"""ARGV: the epoch that the caller knows, another one, most exchanges; places of blocks, each with the places of
exchanges in it, counted from its end (for it is shortened from its beginning). How many were there; nil where the epoch
was another."""
