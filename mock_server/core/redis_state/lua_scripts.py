"""The Lua scripts of `RedisStore`, which also documents the names. Each takes one key, the prefix of all names."""

from mock_server.core.store import LATE_SECONDS

_USED = """
local function used_name(prefix, period, key) return prefix .. 'used:' .. period .. ':' .. key end
local function remember(prefix, period, key)
  redis.call('SADD', prefix .. 'counted', key)
  redis.call('SADD', prefix .. 'periods', period)
  if period ~= '' then redis.call('EXPIRE', used_name(prefix, period, key), 8640000) end
end
"""

_HIT = f"""
local function hit(prefix, key, amount, seconds, at)
  local name, now = prefix .. 'hits:' .. key, tonumber(at)
  local last = redis.call('LINDEX', name, -1)
  if last and now < tonumber(last) and tonumber(last) < now + {LATE_SECONDS} then
    at, now = last, tonumber(last)
  end
  local first = tonumber(redis.call('LINDEX', name, -amount) or nil)
  if first and first > now - seconds and first <= now then
    return string.format('%.17g', first + seconds - now)
  end
  if redis.call('RPUSH', name, at) == 1 then redis.call('SADD', prefix .. 'counted', key) end
  redis.call('LTRIM', name, -amount, -1)
  redis.call('EXPIRE', name, math.ceil(seconds) + 86400)
  return false
end
"""

_DELETE_COUNTS = """
local function delete_counts(prefix, key)
  redis.call('DEL', prefix .. 'hits:' .. key, prefix .. 'once:' .. key)
  for _, period in ipairs(redis.call('SMEMBERS', prefix .. 'periods')) do
    redis.call('DEL', prefix .. 'used:' .. period .. ':' .. key)
  end
  redis.call('SREM', prefix .. 'counted', key)
end
local function delete_all_of(prefix, key)
  delete_counts(prefix, key)
  for _, scenario in ipairs(redis.call('SMEMBERS', prefix .. 'sequences')) do
    redis.call('HDEL', prefix .. 'positions:' .. scenario, key)
  end
end
"""

PUT_ACCOUNT = (
    _USED
    + """
local prefix, key, document, replace = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local entry = redis.call('HGET', prefix .. 'accounts', key)
if entry and replace == '0' then return 0 end
local version = redis.call('INCR', prefix .. 'versions')
local place = version
if entry then
  place = string.match(entry, '^%d+:(%d+):')
else
  for i = 4, #ARGV, 3 do
    redis.call('HSET', used_name(prefix, ARGV[i], key), ARGV[i + 1], ARGV[i + 2])
    remember(prefix, ARGV[i], key)
  end
end
redis.call('HSET', prefix .. 'accounts', key, version .. ':' .. place .. ':' .. document)
return 1
"""
)
"""ARGV: key, JSON, whether to replace (0 or 1), then period, field and units of each counter of a new account.
Returns 1, or 0 if the account exists and is not replaced."""

REMOVE_ACCOUNT = (
    _DELETE_COUNTS
    + """
delete_all_of(KEYS[1], ARGV[1])
return redis.call('HDEL', KEYS[1] .. 'accounts', ARGV[1])
"""
)
"""ARGV: key. Returns 1, or 0 if there was no account."""

ENTER = (
    _HIT
    + """
local prefix, key, version, shared = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
if shared ~= '' and redis.call('GET', prefix .. 'version') ~= shared then return 'outdated' end
local entry = redis.call('HGET', prefix .. 'accounts', key)
if not entry then return 'unknown' end
if string.sub(entry, 1, #version + 1) ~= version .. ':' then return entry end
if #ARGV == 3 then return {0} end
local used = tonumber(redis.call('HGET', prefix .. 'used:' .. ARGV[4] .. ':' .. key, ARGV[5]) or 0)
if #ARGV == 5 then return {used} end
return {used, hit(prefix, key, tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8])}
"""
)
"""ARGV: key, the version of the account that the caller knows, the version of clock and runtime scenarios that the
caller has (empty: any); if the caller admits the account, the meter's period and field; if there is a rate, its amount,
its seconds and the time. Returns the units used and the seconds to wait (nil: none). If something has changed, nothing
is counted, and the reply is "outdated" (clock or runtime scenarios), "unknown" (no account) or the new account."""

SPEND = (
    _USED
    + """
local prefix, key, period, field, limit, once = KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local name, texts = used_name(prefix, period, key), prefix .. 'once:' .. key
if once and redis.call('ZSCORE', texts, once) then return 0 end
if limit and tonumber(redis.call('HGET', name, field) or 0) >= limit then return false end
local used = redis.call('HINCRBY', name, field, 1)
if used == 1 or once then remember(prefix, period, key) end
if once then
  local last = redis.call('ZREVRANGE', texts, 0, 0, 'WITHSCORES')
  redis.call('ZADD', texts, tonumber(last[2] or 0) + 1, once)
  redis.call('ZREMRANGEBYRANK', texts, 0, -1 - tonumber(ARGV[6]))
  redis.call('EXPIRE', texts, 8640000)
end
return used
"""
)
"""ARGV: key, period, field, limit (empty: none); for a unit that is spent once, its text and how many texts are kept.
Returns the new count, 0 if the text is known, or nil if nothing was left."""

SET_USED = (
    _USED
    + """
redis.call('HSET', used_name(KEYS[1], ARGV[2], ARGV[1]), ARGV[3], ARGV[4])
remember(KEYS[1], ARGV[2], ARGV[1])
return 1
"""
)
"""ARGV: key, period, field, units."""

ADVANCE = """
local prefix, key, scenario = KEYS[1], ARGV[1], ARGV[2]
local position = redis.call('HINCRBY', prefix .. 'positions:' .. scenario, key, 1)
if position == 1 then redis.call('SADD', prefix .. 'sequences', scenario) end
return position - 1
"""
"""ARGV: key, scenario. Returns the position before."""

SET_POSITION = """
redis.call('HSET', KEYS[1] .. 'positions:' .. ARGV[2], ARGV[1], ARGV[3])
redis.call('SADD', KEYS[1] .. 'sequences', ARGV[2])
return 1
"""
"""ARGV: key, scenario, position."""

CLEAR_POSITIONS = """
redis.call('DEL', KEYS[1] .. 'positions:' .. ARGV[1])
redis.call('SREM', KEYS[1] .. 'sequences', ARGV[1])
return 1
"""
"""ARGV: scenario."""

RESET = (
    _DELETE_COUNTS
    + """
local prefix, key = KEYS[1], ARGV[1]
if key then delete_all_of(prefix, key) return 1 end
for _, each in ipairs(redis.call('SMEMBERS', prefix .. 'counted')) do delete_counts(prefix, each) end
for _, scenario in ipairs(redis.call('SMEMBERS', prefix .. 'sequences')) do
  redis.call('DEL', prefix .. 'positions:' .. scenario)
end
redis.call('DEL', prefix .. 'periods', prefix .. 'sequences')
return 1
"""
)
"""ARGV: a key, or nothing for all keys."""
