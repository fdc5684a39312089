"""The acts of the shared store as Redis scripts: each runs as one, whoever else asks at the same time.

Every script takes one key, the prefix of all names. Below it lie:

    accounts                    hash: key to "VERSION:PLACE:JSON"; the version changes with each change of the account
    versions                    counter: versions and places given so far
    used:PERIOD:KEY             hash: "KIND/PRODUCT" to units spent; expires where there is a period
    hits:KEY                    list: times of the latest requests, oldest first; expires
    positions:SCENARIO          hash: key to position in the scenario's sequence
    counted, periods, sequences sets: the keys, periods and scenarios under which something was counted
"""

USED_NAME = """
local function used_name(prefix, period, key) return prefix .. 'used:' .. period .. ':' .. key end
local function counted(prefix, period, key, name)
  redis.call('SADD', prefix .. 'counted', key)
  redis.call('SADD', prefix .. 'periods', period)
  if period ~= '' then redis.call('EXPIRE', name, 8640000) end
end
"""

_HIT = """
local function hit(prefix, key, amount, seconds, at)
  local name, now = prefix .. 'hits:' .. key, tonumber(at)
  local first = tonumber(redis.call('LINDEX', name, -amount) or nil)
  if first and first > now - seconds and first <= now then
    return string.format('%.17g', first + seconds - now)
  end
  if redis.call('RPUSH', name, at) == 1 then
    redis.call('SADD', prefix .. 'counted', key)
  end
  redis.call('LTRIM', name, -amount, -1)
  redis.call('EXPIRE', name, math.ceil(seconds) + 86400)
  return false
end
"""

_FORGET = """
local function forget_counts(prefix, key)
  redis.call('DEL', prefix .. 'hits:' .. key)
  for _, period in ipairs(redis.call('SMEMBERS', prefix .. 'periods')) do
    redis.call('DEL', prefix .. 'used:' .. period .. ':' .. key)
  end
  redis.call('SREM', prefix .. 'counted', key)
end
local function forget(prefix, key)
  forget_counts(prefix, key)
  for _, scenario in ipairs(redis.call('SMEMBERS', prefix .. 'sequences')) do
    redis.call('HDEL', prefix .. 'positions:' .. scenario, key)
  end
end
"""

PUT_ACCOUNT = (
    USED_NAME
    + """
local prefix, key, document, replace = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local entry = redis.call('HGET', prefix .. 'accounts', key)
if entry and replace == '0' then return 0 end
local version = redis.call('INCR', prefix .. 'versions')
local place = version
if entry then
  local known
  place, known = string.match(entry, '^%d+:(%d+):(.*)$')
  if known == document then return 1 end
else
  for i = 4, #ARGV, 3 do
    local name = used_name(prefix, ARGV[i], key)
    redis.call('HSET', name, ARGV[i + 1], ARGV[i + 2])
    counted(prefix, ARGV[i], key, name)
  end
end
redis.call('HSET', prefix .. 'accounts', key, version .. ':' .. place .. ':' .. document)
return 1
"""
)
"""ARGV: key, JSON, whether to replace, then period, field and units of each counter that a new account begins with.
1, or 0 where the account exists."""

REMOVE_ACCOUNT = (
    _FORGET
    + """
forget(KEYS[1], ARGV[1])
return redis.call('HDEL', KEYS[1] .. 'accounts', ARGV[1])
"""
)
"""ARGV: key. 1, or 0 where there was no account."""

ENTER = (
    _HIT
    + """
local prefix, key, version, world = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
if world ~= '' and redis.call('GET', prefix .. 'version') ~= world then return 'world' end
local entry = redis.call('HGET', prefix .. 'accounts', key)
if not entry then return 'unknown' end
if string.sub(entry, 1, #version + 1) ~= version .. ':' then return entry end
if #ARGV == 3 then return 0 end
local used = tonumber(redis.call('HGET', prefix .. 'used:' .. ARGV[4] .. ':' .. key, ARGV[5]) or 0)
local wait = hit(prefix, key, tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8])
if wait then return {used, wait} end
return used
"""
)
"""ARGV: key, version of the account that the caller knows, version of the world that it knows, if any; if the account
is to be measured, period and field, amount, seconds, now. The units spent, or what is
different: "world", "unknown" or the account's entry (and nothing was counted), or the units spent and the seconds to
wait."""

HIT = _HIT + "return hit(KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4])"
"""ARGV: key, amount, seconds, now. The seconds to wait, or nil where the request is admitted."""

SET_USED = (
    USED_NAME
    + """
local name = used_name(KEYS[1], ARGV[2], ARGV[1])
redis.call('HSET', name, ARGV[3], ARGV[4])
counted(KEYS[1], ARGV[2], ARGV[1], name)
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
"""ARGV: key, scenario. The position before."""

SET_POSITION = """
redis.call('HSET', KEYS[1] .. 'positions:' .. ARGV[2], ARGV[1], ARGV[3])
redis.call('SADD', KEYS[1] .. 'sequences', ARGV[2])
return 1
"""
"""ARGV: key, scenario, position."""

RESET = (
    _FORGET
    + """
local prefix, key = KEYS[1], ARGV[1]
if key then forget(prefix, key) return 1 end
for _, each in ipairs(redis.call('SMEMBERS', prefix .. 'counted')) do forget_counts(prefix, each) end
for _, scenario in ipairs(redis.call('SMEMBERS', prefix .. 'sequences')) do
  redis.call('DEL', prefix .. 'positions:' .. scenario)
end
redis.call('DEL', prefix .. 'periods', prefix .. 'sequences')
return 1
"""
)
"""ARGV: a key, or nothing for all."""
