"""A `Store` in Redis or Valkey. The server runs each Lua script as a whole, so each is atomic.

Every script takes one key, the prefix of all names. These names lie below it:

    accounts                    hash: key to "VERSION:PLACE:JSON"; each change of an account gives it a new version
    versions                    counter: the last version or place
    used:PERIOD:KEY             hash: "BILLING/PRODUCT" to units spent; expires if there is a period
    hits:KEY                    list: times of the latest requests, oldest first; expires
    positions:SCENARIO          hash: key to position in the scenario's sequence
    counted, periods, sequences sets: the keys, periods and scenarios that have a counter
    version                     the version of the clock and the runtime scenarios, see `redis_coordination`
"""

from collections.abc import Mapping

from mock_server.core.account import Account
from mock_server.core.model import Outcome
from mock_server.core.redis_state.redis_client import Argument, RedisClient
from mock_server.core.redis_state.redis_coordination import RedisCoordination
from mock_server.core.serialization import from_json, to_json
from mock_server.core.store import Admission, Check, Meter

_MAX_CACHED_ACCOUNTS = 10_000


class RedisStore:
    """A `Store` in Redis or Valkey, shared by all processes that use the same URL.

    Accounts are cached with their version. `enter` checks the version on the server, so it never uses an old account.
    """

    def __init__(self, client: RedisClient, coordination: RedisCoordination | None = None) -> None:
        self._client = client
        self._coordination = coordination
        self._cache: dict[str, tuple[bytes, Account]] = {}
        self._put_account = client.script(PUT_ACCOUNT)
        self._remove_account = client.script(REMOVE_ACCOUNT)
        self._enter = client.script(ENTER)
        self._spend = client.script(SPEND)
        self._set_used = client.script(SET_USED)
        self._advance = client.script(ADVANCE)
        self._set_position = client.script(SET_POSITION)
        self._clear_positions = client.script(CLEAR_POSITIONS)
        self._reset = client.script(RESET)

    async def account(self, key: str) -> Account | None:
        entry = await self._client.command("HGET", self._name("accounts"), _encode(key))
        return None if entry is None else _parse_entry(entry)[2]

    async def accounts(self) -> list[Account]:
        entries = map(_parse_entry, await self._client.command("HVALS", self._name("accounts")))
        return [account for _, _, account in sorted(entries, key=lambda entry: entry[1])]

    async def put_account(
        self, account: Account, *, replace: bool = True, begin: Mapping[Meter, int] | None = None
    ) -> bool:
        counters: list[Argument] = []
        for meter, units in (begin or {}).items():
            counters += [meter.period, _field(meter), units]
        document = to_json(account)
        return bool(await self._put_account(_encode(account.key), document, int(replace), *counters))

    async def remove_account(self, key: str) -> bool:
        return bool(await self._remove_account(_encode(key)))

    async def enter(self, key: str, check: Check) -> Admission | Outcome | None:
        version, account = self._cache.get(key, (b"", None))
        while True:
            admission = check(account) if account else None
            reply = await self._enter(*self._entry_arguments(key, version, admission))
            if isinstance(reply, list):
                if not isinstance(admission, Admission):
                    return admission
                admission.used, wait = (*reply, None)[:2]
                admission.wait = None if wait is None else float(wait)
                return admission
            if reply == b"unknown":
                self._cache.pop(key, None)
                return None
            if reply == b"outdated" and self._coordination:
                await self._coordination.refresh()
            else:
                version, _, account = _parse_entry(reply)
                self._cache_account(key, version, account)

    def _entry_arguments(self, key: str, version: bytes, admission: Admission | Outcome | None) -> tuple[Argument, ...]:
        known = _encode(key), version, self._coordination.version if self._coordination else b""
        if not isinstance(admission, Admission):
            return known
        meter, rate = admission.meter, admission.rate
        window = () if rate is None else (rate.amount, rate.seconds, admission.now)
        return *known, meter.period, _field(meter), *window

    def _cache_account(self, key: str, version: bytes, account: Account) -> None:
        self._cache.pop(key, None)
        if len(self._cache) >= _MAX_CACHED_ACCOUNTS:
            self._cache.pop(next(iter(self._cache)))
        self._cache[key] = version, account

    async def used(self, meter: Meter) -> int:
        name = self._name(f"used:{meter.period}:").encode() + _encode(meter.key)
        return int(await self._client.command("HGET", name, _field(meter)) or 0)

    async def set_used(self, meter: Meter, units: int) -> None:
        await self._set_used(_encode(meter.key), meter.period, _field(meter), units)

    async def spend(self, meter: Meter, limit: int | None) -> int | None:
        wanted = "" if limit is None else limit
        used: int | None = await self._spend(_encode(meter.key), meter.period, _field(meter), wanted)
        return used

    async def advance(self, key: str, scenario: str) -> int:
        return int(await self._advance(_encode(key), scenario))

    async def set_position(self, key: str, scenario: str, position: int) -> None:
        await self._set_position(_encode(key), scenario, position)

    async def positions(self, scenario: str) -> Mapping[str, int]:
        found = await self._client.command("HGETALL", self._name(f"positions:{scenario}"))
        return {key.decode("utf-8", "surrogateescape"): int(value) for key, value in found.items()}

    async def clear_positions(self, scenario: str) -> None:
        await self._clear_positions(scenario)

    async def reset(self, key: str | None = None) -> None:
        await self._reset(*(() if key is None else (_encode(key),)))

    async def close(self) -> None:
        await self._client.close()

    def _name(self, name: str) -> str:
        return self._client.prefix + name


def _encode(key: str) -> bytes:
    # A client can send a key of any bytes. Bytes that are not UTF-8 arrive as lone surrogates.
    return key.encode("utf-8", "surrogateescape")


def _field(meter: Meter) -> str:
    return f"{meter.billing}/{meter.product}"


def _parse_entry(entry: bytes) -> tuple[bytes, int, Account]:
    """Version, place and account."""
    version, place, document = entry.split(b":", 2)
    return version, int(place), from_json(Account, document)


_USED = """
local function used_name(prefix, period, key) return prefix .. 'used:' .. period .. ':' .. key end
local function remember(prefix, period, key)
  redis.call('SADD', prefix .. 'counted', key)
  redis.call('SADD', prefix .. 'periods', period)
  if period ~= '' then redis.call('EXPIRE', used_name(prefix, period, key), 8640000) end
end
"""

_HIT = """
local function hit(prefix, key, amount, seconds, at)
  local name, now = prefix .. 'hits:' .. key, tonumber(at)
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
  redis.call('DEL', prefix .. 'hits:' .. key)
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
local prefix, key, period, field, limit = KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local name = used_name(prefix, period, key)
if limit and tonumber(redis.call('HGET', name, field) or 0) >= limit then return false end
local used = redis.call('HINCRBY', name, field, 1)
if used == 1 then remember(prefix, period, key) end
return used
"""
)
"""ARGV: key, period, field, limit (empty: none). Returns the new count, or nil if nothing was left."""

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
