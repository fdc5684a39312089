"""Where counters live. A store offers atomic acts only: nothing is checked first and changed later.

`MemoryStore` serves one process. A shared store (see `redis_state`) offers the same acts to several.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from mock_server.core.account import Account


class Meter(NamedTuple):
    """One counter of units: of a key, for a product, in a period ("" where units never come back)."""

    key: str
    kind: str
    product: str
    period: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `amount` requests in any `seconds`."""

    amount: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Terms:
    """By what an account's request is measured: the meter it draws on, the rate it keeps to, the time (Unix)."""

    meter: Meter
    rate: Rate | None
    now: float


@dataclass(frozen=True, slots=True)
class Entry:
    """An account that asks: the units of its meter that are spent, and the seconds to wait where it asks too often."""

    account: Account
    used: int = 0
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class Foreseen:
    """An account as this process last saw it; `as_of` tells the store what else it then saw."""

    account: Account
    as_of: Any


class Store(Protocol):
    """The acts that rules are built from. Each is atomic, also between processes where the store is shared.

    Every act raises StoreUnavailableError where a shared store does not answer.
    """

    async def account(self, key: str) -> Account | None:
        """The account of a key."""
        ...

    async def accounts(self) -> list[Account]:
        """All accounts, in the order they were added."""
        ...

    async def put_account(
        self, account: Account, *, replace: bool = True, begin: Mapping[Meter, int] | None = None
    ) -> bool:
        """Add or replace an account; False when it exists and `replace` is off.

        The counters of an account that is new begin with the units in `begin`; those of one that exists stay.
        """
        ...

    async def remove_account(self, key: str) -> bool:
        """Forget an account and all that was counted for its key; False when there was none."""
        ...

    async def enter(self, key: str, terms: Callable[[Account], Terms | None]) -> Entry | None:
        """The account of a key as it begins a request, counted against its rate; None when there is none.

        `terms` says by what the account is measured: None where it is refused and nothing is to be counted.
        It may be asked more than once.
        """
        ...

    def foreseen(self, key: str) -> Foreseen | None:
        """The account of a key as it most likely is, without asking; None where asking costs nothing, or must be.

        Whoever goes on with it spends by `spend_foreseen`, or asks in the end.
        """
        ...

    async def used(self, meter: Meter) -> int:
        """How many units are spent."""
        ...

    async def set_used(self, meter: Meter, units: int) -> None:
        """Set how many units are spent."""
        ...

    async def spend(self, meter: Meter, limit: int | None) -> int | None:
        """Spend one unit unless `limit` are spent; the new count, or None when nothing was left."""
        ...

    def spend_foreseen(self, meter: Meter, limit: int | None, foreseen: Foreseen) -> Awaitable[int | None]:
        """The same, if all is as foreseen. Raises OutdatedError where it is not; then nothing is spent."""
        ...

    async def hit(self, key: str, rate: Rate, now: float) -> float | None:
        """Count one request in a sliding window; None if admitted, else seconds to wait."""
        ...

    async def advance(self, key: str, scenario: str) -> int:
        """Step forward in a key's sequence of a scenario; the position before the step, from 0."""
        ...

    async def set_position(self, key: str, scenario: str, position: int) -> None:
        """Set a key's position in a scenario's sequence."""
        ...

    async def positions(self, scenario: str) -> Mapping[str, int]:
        """Each key's position in a scenario's sequence."""
        ...

    async def reset(self, key: str | None = None) -> None:
        """Forget counters, windows and positions (not accounts), of one key or of all."""
        ...

    async def close(self) -> None:
        """Let go of what the store holds open. It may be used again."""
        ...


class MemoryStore:
    """A `Store` in the memory of this process. No act awaits anything, so each is atomic on the event loop."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._used: dict[Meter, int] = {}
        self._hits: dict[str, deque[float]] = {}
        self._positions: dict[tuple[str, str], int] = {}

    async def account(self, key: str) -> Account | None:
        return self._accounts.get(key)

    async def accounts(self) -> list[Account]:
        return list(self._accounts.values())

    async def put_account(
        self, account: Account, *, replace: bool = True, begin: Mapping[Meter, int] | None = None
    ) -> bool:
        known = account.key in self._accounts
        if known and not replace:
            return False
        self._accounts[account.key] = account
        if not known and begin:
            self._used.update(begin)
        return True

    async def remove_account(self, key: str) -> bool:
        await self.reset(key)
        return self._accounts.pop(key, None) is not None

    async def enter(self, key: str, terms: Callable[[Account], Terms | None]) -> Entry | None:
        account = self._accounts.get(key)
        if account is None:
            return None
        measured = terms(account)
        if measured is None:
            return Entry(account)
        wait = self._hit(key, measured.rate, measured.now) if measured.rate else None
        return Entry(account, self._used.get(measured.meter, 0), wait)

    def foreseen(self, key: str) -> Foreseen | None:
        """Nothing has to be foreseen here."""
        return None

    async def used(self, meter: Meter) -> int:
        return self._used.get(meter, 0)

    async def set_used(self, meter: Meter, units: int) -> None:
        self._used[meter] = units

    async def spend(self, meter: Meter, limit: int | None) -> int | None:
        used = self._used.get(meter, 0)
        if limit is not None and used >= limit:
            return None
        self._used[meter] = used + 1
        return used + 1

    async def spend_foreseen(self, meter: Meter, limit: int | None, foreseen: Foreseen) -> int | None:
        return await self.spend(meter, limit)

    async def hit(self, key: str, rate: Rate, now: float) -> float | None:
        return self._hit(key, rate, now)

    def _hit(self, key: str, rate: Rate, now: float) -> float | None:
        hits = self._hits.get(key)
        if hits is None or hits.maxlen != rate.amount:
            # The rate of an account may be changed; what it did lately still counts.
            hits = self._hits[key] = deque(hits or (), maxlen=rate.amount)
        if len(hits) < rate.amount or hits[0] <= now - rate.seconds or hits[0] > now:
            # A first hit in the future means that the clock was set back since: it no longer counts.
            hits.append(now)
            return None
        return hits[0] + rate.seconds - now

    async def advance(self, key: str, scenario: str) -> int:
        position = self._positions.get((key, scenario), 0)
        self._positions[key, scenario] = position + 1
        return position

    async def set_position(self, key: str, scenario: str, position: int) -> None:
        self._positions[key, scenario] = position

    async def positions(self, scenario: str) -> Mapping[str, int]:
        return {key: position for (key, name), position in self._positions.items() if name == scenario}

    async def reset(self, key: str | None = None) -> None:
        if key is None:
            self._used.clear()
            self._hits.clear()
            self._positions.clear()
            return
        self._hits.pop(key, None)
        self._used = {meter: units for meter, units in self._used.items() if meter.key != key}
        self._positions = {place: value for place, value in self._positions.items() if place[0] != key}

    async def close(self) -> None:
        """Nothing is held open."""
