-- The atomic acts of `RedisJournal`, which also documents the names. `RedisClient` makes a script of each function and the
-- lines above the first one. KEYS[1] is the prefix of all names, ARGV has the arguments.

local stream, state = KEYS[1] .. 'journal', KEYS[1] .. 'journal-state'
local acts = {}

local function oldest() return redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1] end

-- ARGV: the generation and the last id that the caller knows, how many exchanges to read. Returns the generation,
-- the number of dropped exchanges, the first id, and the exchanges from the last id on, or all if the generation is new.
function acts.read()
  local generation, from = redis.call('HGET', state, 'generation') or '', '-'
  if generation == ARGV[1] then from = ARGV[2] end
  local first = oldest()
  return {
    generation, tonumber(redis.call('HGET', state, 'dropped') or 0), first and first[1] or '',
    redis.call('XRANGE', stream, from, '+', 'COUNT', ARGV[3])
  }
end

-- Returns how many exchanges there were.
function acts.clear()
  local count = redis.call('XLEN', stream)
  redis.call('XTRIM', stream, 'MAXLEN', 0)
  redis.call('HDEL', state, 'bytes', 'dropped')
  redis.call('HINCRBY', state, 'generation', 1)
  return count
end

-- ARGV: ids of exchanges. Returns how many of them were there.
function acts.remove()
  local removed, bytes = 0, 0
  for _, id in ipairs(ARGV) do
    local found = redis.call('XRANGE', stream, id, id)[1]
    if found then
      redis.call('XDEL', stream, id)
      removed, bytes = removed + 1, bytes + #found[2][2]
    end
  end
  -- Redis refuses "-0", the text of the negative of 0.
  redis.call('HINCRBY', state, 'bytes', 0 - bytes)
  redis.call('HINCRBY', state, 'generation', 1)
  return removed
end

return acts
