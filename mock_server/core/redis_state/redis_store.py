"""A `Store` in Redis or Valkey."""

import contextlib
from collections.abc import Mapping
from dataclasses import replace as with_changes
from typing import Any, Protocol

from mock_server.core.account import Account
from mock_server.core.model import Outcome
from mock_server.core.redis_state import redis_scripts
from mock_server.core.redis_state.batches import ANYHOW, Batches
from mock_server.core.redis_state.link import Argument, Link
from mock_server.core.redis_state.script import Script
from mock_server.core.serialization import from_json, to_json
from mock_server.core.store import Admission, Check, Meter, Rate
from mock_server.errors import StoreUnavailableError

_KNOWN_ACCOUNTS = 10_000


class Coordination(Protocol):
    """What all processes agree on, as far as this one has it."""

    @property
    def version(self) -> bytes: ...

    async def refresh(self) -> None:
        """Take over what others have changed."""
        ...


class RedisStore:
    """A `Store` in Redis or Valkey, shared by all that use the same URL."""

    def __init__(self, link: Link, batches: Batches | None = None) -> None:
        self._link = link
        self._batches = batches or Batches(link)
        self._known: dict[str, tuple[bytes, Account]] = {}
        self._world: Coordination | None = None
        self._put_account = Script(link, redis_scripts.PUT_ACCOUNT)
        self._remove_account = Script(link, redis_scripts.REMOVE_ACCOUNT)
        self._enter = Script(link, redis_scripts.ENTER)
        self._hit = Script(link, redis_scripts.HIT)
        self._set_used = Script(link, redis_scripts.SET_USED)
        self._advance = Script(link, redis_scripts.ADVANCE)
        self._set_position = Script(link, redis_scripts.SET_POSITION)
        self._reset = Script(link, redis_scripts.RESET)

    def follow(self, world: Coordination) -> None:
        """Let nobody enter before this process has what all agreed on."""
        self._world = world

    async def account(self, key: str) -> Account | None:
        entry = await self._link.command("HGET", b"accounts", _text(key))
        return None if entry is None else _parsed(entry)[2]

    async def accounts(self) -> list[Account]:
        entries = map(_parsed, await self._link.command("HVALS", b"accounts"))
        return [account for _, _, account in sorted(entries, key=lambda entry: entry[1])]

    async def put_account(
        self, account: Account, *, replace: bool = True, begin: Mapping[Meter, int] | None = None
    ) -> bool:
        counters: list[Argument] = []
        for meter, units in (begin or {}).items():
            counters += [meter.period, _field(meter), units]
        document = to_json(account)
        return bool(await self._put_account(_text(account.key), document, int(replace), *counters))

    async def remove_account(self, key: str) -> bool:
        return bool(await self._remove_account(_text(key)))

    async def enter(self, key: str, check: Check) -> Admission | Outcome | None:
        version, account = self._known.get(key, (b"", None))
        while True:
            admission = check(account) if account else None
            reply = await self._let_in(key, version, admission)
            if admission is not None and isinstance(reply, (int, list)):
                used, wait = (reply, None) if isinstance(reply, int) else (reply[0], float(reply[1]))
                return (
                    with_changes(admission, used=used, wait=wait)
                    if isinstance(admission, Admission)
                    else admission
                )
            if self._world and reply == b"world":
                await self._world.refresh()
                continue
            self._known.pop(key, None)
            if reply == b"unknown":
                return None
            version, _, account = _parsed(reply)
            if len(self._known) >= _KNOWN_ACCOUNTS:
                self._known.pop(next(iter(self._known)))
            self._known[key] = version, account

    async def _let_in(self, key: str, version: bytes, admission: Admission | Outcome | None) -> Any:
        world = self._world.version if self._world else b""
        if not isinstance(admission, Admission):
            return await self._enter(_text(key), version, world)
        measure = admission.meter.period, _field(admission.meter)
        if admission.rate is None:
            return await self._batches.enter(_text(key), *measure, (version, world))
        window = admission.rate.amount, admission.rate.seconds, admission.now
        return await self._enter(_text(key), version, world, *measure, *window)

    async def used(self, meter: Meter) -> int:
        name = b"used:%b:%b" % (meter.period.encode(), _text(meter.key))
        return int(await self._link.command("HGET", name, _field(meter)) or 0)

    async def set_used(self, meter: Meter, units: int) -> None:
        await self._set_used(_text(meter.key), meter.period, _field(meter), units)

    async def spend(self, meter: Meter, limit: int | None) -> int | None:
        return await self._batches.spend(_text(meter.key), meter.period, _field(meter), limit, ANYHOW)

    async def hit(self, key: str, rate: Rate, now: float) -> float | None:
        wait = await self._hit(_text(key), rate.amount, rate.seconds, now)
        return None if wait is None else float(wait)

    async def advance(self, key: str, scenario: str) -> int:
        return int(await self._advance(_text(key), scenario))

    async def set_position(self, key: str, scenario: str, position: int) -> None:
        await self._set_position(_text(key), scenario, position)

    async def positions(self, scenario: str) -> Mapping[str, int]:
        found = iter(await self._link.command("HGETALL", b"positions:" + scenario.encode()))
        return {
            key.decode("utf-8", "surrogateescape"): int(value)
            for key, value in zip(found, found, strict=True)
        }

    async def reset(self, key: str | None = None) -> None:
        await self._reset(*(() if key is None else (_text(key),)))

    async def close(self) -> None:
        if self._link.is_open:
            # What was journalled last may still wait for its turn.
            with contextlib.suppress(StoreUnavailableError):
                await self._batches.departed()
                await self._link.call(("PING",))
        await self._link.close()


def _text(key: str) -> bytes:
    # Clients send keys of any bytes; those that are no text have been read as lone surrogates.
    return key.encode("utf-8", "surrogateescape")


def _field(meter: Meter) -> str:
    return f"{meter.billing}/{meter.product}"


def _parsed(entry: bytes) -> tuple[bytes, int, Account]:
    version, place, document = entry.split(b":", 2)
    return version, int(place), from_json(Account, document)
