-- The atomic acts of `RedisStore`, which also documents the names. `RedisClient` makes a script of each function and the
-- lines above the first one. KEYS[1] is the prefix of all names, ARGV has the arguments.

local prefix = KEYS[1]
local acts = {}

local function used_name(period, key) return prefix .. 'used:' .. period .. ':' .. key end

local function remember(period, key)
  redis.call('SADD', prefix .. 'counted', key)
  redis.call('SADD', prefix .. 'periods', period)
  if period ~= '' then redis.call('EXPIRE', used_name(period, key), 8640000) end
end

-- Returns the new count, or false if nothing was left.
local function spend(key, period, field, limit)
  local counter = used_name(period, key)
  if limit and tonumber(redis.call('HGET', counter, field) or 0) >= limit then return false end
  local used = redis.call('HINCRBY', counter, field, 1)
  if used == 1 then remember(period, key) end
  return used
end

local function delete_counts(key)
  redis.call('DEL', prefix .. 'hits:' .. key, prefix .. 'once:' .. key)
  for _, period in ipairs(redis.call('SMEMBERS', prefix .. 'periods')) do
    redis.call('DEL', used_name(period, key))
  end
  redis.call('SREM', prefix .. 'counted', key)
end

local function delete_all_of(key)
  delete_counts(key)
  for _, scenario in ipairs(redis.call('SMEMBERS', prefix .. 'sequences')) do
    redis.call('HDEL', prefix .. 'positions:' .. scenario, key)
  end
end

-- Arguments: key, JSON, whether to replace (0 or 1), then period, field and units of each counter of a new account.
-- Returns 1, or 0 if the account exists and is not replaced.
function acts.put_account()
  local key, document, replace = ARGV[1], ARGV[2], ARGV[3]
  local entry = redis.call('HGET', prefix .. 'accounts', key)
  if entry and replace == '0' then return 0 end
  local version = redis.call('INCR', prefix .. 'versions')
  local place = version
  if entry then
    place = string.match(entry, '^%d+:(%d+):')
  else
    for i = 4, #ARGV, 3 do
      redis.call('HSET', used_name(ARGV[i], key), ARGV[i + 1], ARGV[i + 2])
      remember(ARGV[i], key)
    end
  end
  redis.call('HSET', prefix .. 'accounts', key, version .. ':' .. place .. ':' .. document)
  return 1
end

-- Arguments: key. Returns 1, or 0 if there was no account.
function acts.remove_account()
  delete_all_of(ARGV[1])
  return redis.call('HDEL', prefix .. 'accounts', ARGV[1])
end

-- Arguments: key, the version of the account that the caller knows, the version of clock and runtime scenarios that the
-- caller has (empty: any); if the caller admits the account, the meter's period and field; if there is a rate, its
-- amount, its seconds, the time, and the seconds by which a request may come late. Returns the units used and the
-- seconds to wait (nil: none). If something has changed, nothing is counted, and the reply is "outdated" (clock or
-- runtime scenarios), "unknown" (no account) or the new account.
function acts.enter()
  -- Count one request in a sliding window. Returns the seconds to wait, or false if the request is admitted.
  local function hit(key, amount, seconds, at, late)
    local hits, now = prefix .. 'hits:' .. key, tonumber(at)
    local last = redis.call('LINDEX', hits, -1)
    if last and now < tonumber(last) and tonumber(last) < now + late then
      at, now = last, tonumber(last)
    end
    local first = tonumber(redis.call('LINDEX', hits, -amount) or nil)
    if first and first > now - seconds and first <= now then
      return string.format('%.17g', first + seconds - now)
    end
    if redis.call('RPUSH', hits, at) == 1 then redis.call('SADD', prefix .. 'counted', key) end
    redis.call('LTRIM', hits, -amount, -1)
    redis.call('EXPIRE', hits, math.ceil(seconds) + 86400)
    return false
  end

  local key, version, shared = ARGV[1], ARGV[2], ARGV[3]
  if shared ~= '' and redis.call('GET', prefix .. 'version') ~= shared then return 'outdated' end
  local entry = redis.call('HGET', prefix .. 'accounts', key)
  if not entry then return 'unknown' end
  if string.sub(entry, 1, #version + 1) ~= version .. ':' then return entry end
  if #ARGV == 3 then return {0} end
  local used = tonumber(redis.call('HGET', used_name(ARGV[4], key), ARGV[5]) or 0)
  if #ARGV == 5 then return {used} end
  return {used, hit(key, tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8], tonumber(ARGV[9]))}
end

-- Arguments: key, period, field, limit (empty: none); for a unit that is spent once, its text and how many texts are
-- kept. Returns the new count, 0 if the text is known, or nil if nothing was left.
function acts.spend()
  local key, period, once = ARGV[1], ARGV[2], ARGV[5]
  local texts = prefix .. 'once:' .. key
  if once and redis.call('ZSCORE', texts, once) then return 0 end
  local used = spend(key, period, ARGV[3], tonumber(ARGV[4]))
  if used and once then
    remember(period, key)
    local last = redis.call('ZREVRANGE', texts, 0, 0, 'WITHSCORES')
    redis.call('ZADD', texts, tonumber(last[2] or 0) + 1, once)
    redis.call('ZREMRANGEBYRANK', texts, 0, -1 - tonumber(ARGV[6]))
    redis.call('EXPIRE', texts, 8640000)
  end
  return used
end

-- Arguments: key, period, field, units.
function acts.set_used()
  redis.call('HSET', used_name(ARGV[2], ARGV[1]), ARGV[3], ARGV[4])
  remember(ARGV[2], ARGV[1])
  return 1
end

-- Arguments: key, scenario. Returns the position before.
function acts.advance()
  local key, scenario = ARGV[1], ARGV[2]
  local position = redis.call('HINCRBY', prefix .. 'positions:' .. scenario, key, 1)
  if position == 1 then redis.call('SADD', prefix .. 'sequences', scenario) end
  return position - 1
end

-- Arguments: key, scenario, position.
function acts.set_position()
  redis.call('HSET', prefix .. 'positions:' .. ARGV[2], ARGV[1], ARGV[3])
  redis.call('SADD', prefix .. 'sequences', ARGV[2])
  return 1
end

-- Arguments: scenario.
function acts.clear_positions()
  redis.call('DEL', prefix .. 'positions:' .. ARGV[1])
  redis.call('SREM', prefix .. 'sequences', ARGV[1])
  return 1
end

-- Arguments: a key, or nothing for all keys.
function acts.reset()
  if ARGV[1] then
    delete_all_of(ARGV[1])
    return 1
  end
  for _, key in ipairs(redis.call('SMEMBERS', prefix .. 'counted')) do delete_counts(key) end
  for _, scenario in ipairs(redis.call('SMEMBERS', prefix .. 'sequences')) do
    redis.call('DEL', prefix .. 'positions:' .. scenario)
  end
  redis.call('DEL', prefix .. 'periods', prefix .. 'sequences')
  return 1
end

return acts
