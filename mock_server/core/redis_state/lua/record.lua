-- The atomic acts that record a finished call: they charge it, add the exchange to the journal and count the call for the
-- rehearsal. `RedisJournal` and `RedisRehearsal` document the names. `RedisClient` makes a script of each function and the
-- lines above the first one, in `store.lua` and here. KEYS[1] is the prefix of all names, ARGV has the arguments.

local stream, journal, p = KEYS[1] .. 'journal', KEYS[1] .. 'journal-state', KEYS[1] .. 'report-'
local acts = {}

local function add_exchange(max_count, max_bytes, dropped, row)
  redis.call('XADD', stream, '*', 'row', row)
  local bytes, count = redis.call('HINCRBY', journal, 'bytes', #row), redis.call('XLEN', stream)
  if count > max_count or bytes > max_bytes then
    -- A thousandth at a time: to drop one exchange takes as long as to add one.
    local most = max_count - math.floor(max_count / 1000)
    while count > most or (bytes > max_bytes and count > 0) do
      for _, oldest in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', math.max(count - most, 1))) do
        bytes, count, dropped = bytes - #oldest[2][2], count - 1, dropped + 1
      end
      redis.call('XTRIM', stream, 'MAXLEN', count)
    end
    redis.call('HSET', journal, 'bytes', bytes)
  end
  if dropped > 0 then redis.call('HINCRBY', journal, 'dropped', dropped) end
end

local function count(id, first)
  while first < #ARGV do
    local size, at = 'size-' .. ARGV[first], first + 2
    local widest = at + 2 * tonumber(ARGV[first + 1])
    local is_new = redis.call('HINCRBY', p .. 'counts', ARGV[at], 1) == 1
    while is_new and at < widest do
      if tonumber(redis.call('HGET', p .. 'state', size) or 0) < tonumber(ARGV[at + 1]) then
        redis.call('HINCRBY', p .. 'state', size, 1)
        break
      end
      redis.call('HDEL', p .. 'counts', ARGV[at])
      at = at + 2
      is_new = redis.call('HINCRBY', p .. 'counts', ARGV[at], 1) == 1
    end
    if is_new then redis.call('HSETNX', p .. 'first', ARGV[at], id) end
    first = widest + 1
  end
end

local function keep_call(most, most_of_key, key, call)
  local number = redis.call('HINCRBY', p .. 'state', 'number', 1)
  local length = redis.call('RPUSH', p .. 'calls:' .. key, string.format('%d:%s', number, call))
  redis.call('ZADD', p .. 'keys', number, key)
  local kept, dropped = redis.call('HINCRBY', p .. 'state', 'kept', 1), 0
  if length > most_of_key then
    dropped = math.floor(most_of_key / 4)
    redis.call('LTRIM', p .. 'calls:' .. key, dropped, -1)
  end
  while kept - dropped > most do
    local oldest = redis.call('ZRANGE', p .. 'keys', 0, 0)[1]
    dropped = dropped + redis.call('LLEN', p .. 'calls:' .. oldest)
    redis.call('DEL', p .. 'calls:' .. oldest)
    redis.call('ZREM', p .. 'keys', oldest)
  end
  if dropped > 0 then
    redis.call('HINCRBY', p .. 'state', 'kept', -dropped)
    redis.call('HINCRBY', p .. 'state', 'dropped', dropped)
  end
end

-- Adds the exchange and counts the call; their arguments follow the first `at` ones.
local function add(at)
  add_exchange(tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), ARGV[at + 4])
  if #ARGV > at + 4 then
    redis.call('HSETNX', p .. 'state', 'since', ARGV[at + 8])
    count(ARGV[at + 7], at + 11)
    if ARGV[at + 10] ~= '' then
      keep_call(tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6]), ARGV[at + 9], ARGV[at + 10])
    end
  end
  return 1
end

-- ARGV: most exchanges, most bytes, how many exchanges were lost before, the exchange; if the call is counted, the most
-- calls that are kept, the same of one key, the id of the request, the time, the key (hash), the call or nothing; then,
-- for each thing that is counted, its kind, the number of narrow counters, each of these followed by its limit, and the
-- widest counter.
function acts.add()
  return add(0)
end

-- ARGV: key, period, field, limit (empty: none) of the unit that the call costs; then those of `add`. Returns nil, and
-- adds nothing, if no unit was left.
function acts.charge_and_add()
  return spend(ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])) and add(4)
end

return acts
