-- The atomic acts of `RedisCoordination`, which also documents the names. `RedisClient` makes a script of each function and the
-- lines above the first one. KEYS[1] is the prefix of all names, ARGV has the arguments.

local prefix = KEYS[1]
local acts = {}

-- Arguments: a random epoch. Does nothing if there is a version.
function acts.initialize()
  if redis.call('SETNX', prefix .. 'version', ARGV[1] .. ':0') == 1 then
    redis.call('DEL', prefix .. 'settings', prefix .. 'scenarios', prefix .. 'changes')
  end
  return 1
end

-- Arguments: the version that the caller has. Returns the version, the settings, whether all scenarios follow or those
-- that have changed (1 or 0), their ids and their documents (nil: removed). Returns nothing if there is no version.
function acts.read()
  local ids, documents = {}, {}
  local version = redis.call('GET', prefix .. 'version')
  if not version then return {} end
  local epoch, number = string.match(version, '^(.*):(%d+)$')
  local known_epoch, known = string.match(ARGV[1], '^(.*):(%d+)$')
  local is_known = known_epoch == epoch and number - known <= redis.call('LLEN', prefix .. 'changes')
  if not is_known then
    ids = redis.call('HKEYS', prefix .. 'scenarios')
  elseif number ~= known then
    ids = redis.call('LRANGE', prefix .. 'changes', known - number, -1)
  end
  for i, id in ipairs(ids) do documents[i] = redis.call('HGET', prefix .. 'scenarios', id) end
  return {version, redis.call('GET', prefix .. 'settings') or '{}', is_known and 0 or 1, ids, documents}
end

-- Arguments: the lock's token, the settings, then the id and the document (empty: removed) of each changed scenario.
-- Returns the new version, or nil if the lock was lost.
function acts.publish()
  if redis.call('GET', prefix .. 'lock') ~= ARGV[1] then return false end
  local epoch, number = string.match(redis.call('GET', prefix .. 'version'), '^(.*):(%d+)$')
  local ids = {}
  for i = 3, #ARGV, 2 do
    if ARGV[i + 1] == '' then
      redis.call('HDEL', prefix .. 'scenarios', ARGV[i])
    else
      redis.call('HSET', prefix .. 'scenarios', ARGV[i], ARGV[i + 1])
    end
    ids[#ids + 1] = ARGV[i]
  end
  if #ids == 0 then ids = {''} end
  for _, id in ipairs(ids) do redis.call('RPUSH', prefix .. 'changes', id) end
  redis.call('LTRIM', prefix .. 'changes', -1000, -1)
  redis.call('SET', prefix .. 'settings', ARGV[2])
  local version = string.format('%s:%d', epoch, number + #ids)
  redis.call('SET', prefix .. 'version', version)
  return version
end

-- Arguments: the lock's token.
function acts.release()
  if redis.call('GET', prefix .. 'lock') == ARGV[1] then redis.call('DEL', prefix .. 'lock') end
  return 1
end

return acts
