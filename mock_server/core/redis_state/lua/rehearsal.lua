-- The atomic acts of `RedisRehearsal`, which also documents the names. `RedisClient` makes a script of each function and the
-- lines above the first one. KEYS[1] is the prefix of all names, ARGV has the arguments.

local p = KEYS[1] .. 'report-'
local acts = {}

-- ARGV: the most marks that are kept, the mark.
function acts.mark()
  local number = redis.call('HINCRBY', p .. 'state', 'number', 1)
  redis.call('RPUSH', p .. 'marks', string.format('%d:%s', number, ARGV[2]))
  redis.call('LTRIM', p .. 'marks', -tonumber(ARGV[1]), -1)
  return 1
end

-- ARGV: the most calls that are kept, the id of a call.
function acts.client_left()
  if redis.call('SCARD', p .. 'left') < tonumber(ARGV[1]) then redis.call('SADD', p .. 'left', ARGV[2]) end
  return 1
end

function acts.read()
  local calls = {}
  for _, key in ipairs(redis.call('ZRANGE', p .. 'keys', 0, -1)) do
    for _, row in ipairs(redis.call('LRANGE', p .. 'calls:' .. key, 0, -1)) do calls[#calls + 1] = row end
  end
  return {
    redis.call('HGETALL', p .. 'counts'), redis.call('HGETALL', p .. 'first'), calls,
    redis.call('LRANGE', p .. 'marks', 0, -1), redis.call('SMEMBERS', p .. 'left'),
    redis.call('HMGET', p .. 'state', 'since', 'dropped')
  }
end

-- ARGV: the time, and the key (hash) or `*` for everything.
function acts.clear()
  local key = ARGV[2]
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
end

return acts
