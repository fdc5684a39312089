"""A `Store` in Redis or Valkey. The server runs each act of `lua/store.lua` as a whole, so each is atomic.

Below the prefix of all names:

    accounts                    hash: key to "VERSION:PLACE:JSON"; each change of an account gives it a new version
    versions                    counter: the last version or place
    used:PERIOD:KEY             hash: "BILLING/PRODUCT" to units spent; expires if there is a period
    once:KEY                    sorted set: texts of `spend`, oldest first; expires
    hits:KEY                    list: times of the latest requests, oldest first; expires
    positions:SCENARIO          hash: key to position in the scenario's sequence
    counted, periods, sequences sets: the keys, periods and scenarios that have a counter
    version                     the version of the clock and the runtime scenarios, see `redis_coordination`
"""

from collections.abc import Mapping, Sequence

from mock_server.core.account import Account
from mock_server.core.model import Outcome
from mock_server.core.rate_limit import LATE_SECONDS
from mock_server.core.redis_state.redis_client import Argument, RedisClient
from mock_server.core.redis_state.redis_coordination import RedisCoordination
from mock_server.core.serialization import from_json, to_json
from mock_server.core.store import MAX_SPENT_ONCE, Admission, Check, Meter

_MAX_CACHED_ACCOUNTS = 10_000


class RedisStore:
    """A `Store` in Redis or Valkey, shared by all processes that use the same URL.

    Accounts are cached with their version. `enter` checks the version on the server, so it never uses an old account.
    """

    def __init__(self, client: RedisClient, coordination: RedisCoordination | None = None) -> None:
        self._client = client
        self._coordination = coordination
        self._cache: dict[str, tuple[bytes, Account]] = {}
        self._act = client.acts("store")

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
        return bool(await self._act("put_account", _encode(account.key), document, int(replace), *counters))

    async def remove_account(self, key: str) -> bool:
        return bool(await self._act("remove_account", _encode(key)))

    async def enter(self, key: str, check: Check) -> Admission | Outcome | None:
        version, account = self._cache.get(key, (b"", None))
        while True:
            admission = check(account) if account else None
            reply = await self._act("enter", *self._entry_arguments(key, version, admission))
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
        window = () if rate is None else (rate.amount, rate.seconds, admission.now, LATE_SECONDS)
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
        await self._act("set_used", _encode(meter.key), meter.period, _field(meter), units)

    async def spend(self, meter: Meter, limit: int | None, once: str = "") -> int | None:
        wanted = "" if limit is None else limit
        text = (once, MAX_SPENT_ONCE) if once else ()
        used: int | None = await self._act("spend", _encode(meter.key), meter.period, _field(meter), wanted, *text)
        return used

    def charging(self, admission: Admission) -> Sequence[Argument]:
        """What `RedisJournal.charge_and_add` takes to spend the unit that an admitted request costs."""
        meter, limit = admission.meter, admission.limit
        return _encode(meter.key), meter.period, _field(meter), "" if limit is None else limit

    async def was_spent(self, key: str, once: str) -> bool:
        return await self._client.command("ZSCORE", self._name("once:").encode() + _encode(key), once) is not None

    async def advance(self, key: str, scenario: str) -> int:
        return int(await self._act("advance", _encode(key), scenario))

    async def set_position(self, key: str, scenario: str, position: int) -> None:
        await self._act("set_position", _encode(key), scenario, position)

    async def positions(self, scenario: str) -> Mapping[str, int]:
        found = await self._client.command("HGETALL", self._name(f"positions:{scenario}"))
        return {
            key.decode("utf-8", "surrogateescape"): int(value)
            for key, value in zip(found[::2], found[1::2], strict=True)
        }

    async def clear_positions(self, scenario: str) -> None:
        await self._act("clear_positions", scenario)

    async def reset(self, key: str | None = None) -> None:
        await self._act("reset", *(() if key is None else (_encode(key),)))

    async def close(self) -> None:
        await self._client.close()

    def _name(self, name: str) -> str:
        return self._client.prefix + name


def _encode(key: str) -> bytes:
    # A client can send a key of any bytes. Bytes that are not UTF-8 arrive as lone surrogates.
    return key.encode("utf-8", "surrogateescape")


def _field(meter: Meter) -> str:
    return f"{meter.billing}/{meter.product or 'shared'}"


def _parse_entry(entry: bytes) -> tuple[bytes, int, Account]:
    """Version, place and account."""
    version, place, document = entry.split(b":", 2)
    return version, int(place), from_json(Account, document)
