"""Where counters live. A store offers atomic acts only, so nothing is checked first and changed later.

`MemoryStore` serves one process. A shared store (see `redis_state`) offers the same acts to several processes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from mock_server.core.account import Account
from mock_server.core.model import Billing, Outcome, Product
from mock_server.core.rate_limit import Rate, Windows

MAX_SPENT_ONCE = 10_000
"""How many texts of `spend` are remembered for a key. The oldest are forgotten first."""


class Meter(NamedTuple):
    """One counter of units: of a key, for a product or for all (None), in a period ("" if units never come back)."""

    key: str
    billing: Billing
    product: Product | None
    period: str = ""


@dataclass(slots=True)
class Admission:
    """A request that an account may make: the meter it draws on and how far that may go (None: no limit).

    `now` is the time of the request (Unix). The store fills in the units that are `used`, and the seconds to `wait` if
    the rate is exceeded. Admissions of one key with the same text in `once` are charged once. `charged` are the units
    that were spent for it. `is_paid`: the request carries its own payment, and uses no units.
    """

    account: Account
    meter: Meter
    limit: int | None = None
    rate: Rate | None = None
    now: float = 0.0
    used: int = 0
    wait: float | None = None
    once: str = ""
    charged: int = 0
    is_paid: bool = False

    @property
    def has_allowance(self) -> bool:
        """Whether a unit was left when the request was admitted."""
        return self.limit is None or self.used < self.limit


Check = Callable[[Account], Admission | Outcome]
"""Admits a request of an account, or refuses it before anything is counted. May be called more than once."""


class Store(Protocol):
    """The acts that the rules are built from. Each is atomic, also between processes if the store is shared.

    Every act raises StoreUnavailableError if a shared store does not answer.
    """

    async def account(self, key: str) -> Account | None:
        """The account of a key."""

    async def accounts(self) -> list[Account]:
        """All accounts, in the order they were added."""

    async def put_account(
        self, account: Account, *, replace: bool = True, begin: Mapping[Meter, int] | None = None
    ) -> bool:
        """Add or replace an account. False if it exists and `replace` is off.

        The counters of a new account begin with the units in `begin`. Those of an existing account do not change.
        """

    async def remove_account(self, key: str) -> bool:
        """Remove an account and everything that was counted for its key. False if there was none."""

    async def enter(self, key: str, check: Check) -> Admission | Outcome | None:
        """Apply `check` to the account of a key, and count an admitted request against its rate.

        None if the key has no account.
        """

    async def used(self, meter: Meter) -> int:
        """How many units are spent."""

    async def set_used(self, meter: Meter, units: int) -> None:
        """Set how many units are spent."""

    async def spend(self, meter: Meter, limit: int | None, once: str = "") -> int | None:
        """Spend one unit unless `limit` are spent. The new count, or None if nothing was left.

        With a text in `once`, 0 if the meter's key has spent a unit with this text: nothing is spent then. A key's
        latest 10,000 texts are remembered.
        """

    async def was_spent(self, key: str, once: str) -> bool:
        """Whether the key has spent a unit with this text."""

    async def advance(self, key: str, scenario: str) -> int:
        """Step forward in a key's sequence of a scenario (its id). The position before the step, from 0."""

    async def set_position(self, key: str, scenario: str, position: int) -> None:
        """Set a key's position in a scenario's sequence."""

    async def positions(self, scenario: str) -> Mapping[str, int]:
        """Each key's position in a scenario's sequence."""

    async def clear_positions(self, scenario: str) -> None:
        """Put every key back to the beginning of a scenario's sequence."""

    async def reset(self, key: str | None = None) -> None:
        """Delete counters, windows and positions (not accounts), of one key or of all."""

    async def close(self) -> None:
        """Release what the store holds open. It may be used again."""


class MemoryStore:
    """A `Store` in the memory of this process. No act waits for anything, so each is atomic on the event loop."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._used: dict[Meter, int] = {}
        self._windows = Windows()
        self._positions: dict[tuple[str, str], int] = {}
        self._spent_once: dict[str, dict[str, None]] = {}

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

    async def enter(self, key: str, check: Check) -> Admission | Outcome | None:
        account = await self.account(key)
        admission = check(account) if account else None
        if not isinstance(admission, Admission):
            return admission
        if admission.rate:
            admission.wait = self._windows.hit(key, admission.rate, admission.now)
        admission.used = await self.used(admission.meter)
        return admission

    async def used(self, meter: Meter) -> int:
        return self._used.get(meter, 0)

    async def set_used(self, meter: Meter, units: int) -> None:
        self._used[meter] = units

    async def spend(self, meter: Meter, limit: int | None, once: str = "") -> int | None:
        if once and await self.was_spent(meter.key, once):
            return 0
        used = await self.used(meter)
        if limit is not None and used >= limit:
            return None
        self._used[meter] = used + 1
        if once:
            texts = self._spent_once.setdefault(meter.key, {})
            texts[once] = None
            if len(texts) > MAX_SPENT_ONCE:
                del texts[next(iter(texts))]
        return used + 1

    async def was_spent(self, key: str, once: str) -> bool:
        return once in self._spent_once.get(key, ())

    async def advance(self, key: str, scenario: str) -> int:
        position = self._positions.get((key, scenario), 0)
        self._positions[key, scenario] = position + 1
        return position

    async def set_position(self, key: str, scenario: str, position: int) -> None:
        self._positions[key, scenario] = position

    async def positions(self, scenario: str) -> Mapping[str, int]:
        return {key: position for (key, name), position in self._positions.items() if name == scenario}

    async def clear_positions(self, scenario: str) -> None:
        self._positions = {place: value for place, value in self._positions.items() if place[1] != scenario}

    async def reset(self, key: str | None = None) -> None:
        self._windows.reset(key)
        if key is None:
            self._used.clear()
            self._positions.clear()
            self._spent_once.clear()
            return
        self._spent_once.pop(key, None)
        self._used = {meter: units for meter, units in self._used.items() if meter.key != key}
        self._positions = {place: value for place, value in self._positions.items() if place[0] != key}

    async def close(self) -> None:
        """Nothing to release."""


class DryRunStore(MemoryStore):
    """A `Store` for dry runs: requests read from another store, and never write to it.

    `guest` is an account that only this store has. Rates do not refuse: they depend on the time of the real request.
    """

    def __init__(self, store: Store, *, guest: Account | None = None) -> None:
        super().__init__()
        self._store = store
        self._guest = guest

    async def account(self, key: str) -> Account | None:
        return self._guest if self._guest and key == self._guest.key else await self._store.account(key)

    async def used(self, meter: Meter) -> int:
        return await self._store.used(meter)

    async def was_spent(self, key: str, once: str) -> bool:
        return await self._store.was_spent(key, once)

    async def advance(self, key: str, scenario: str) -> int:
        return (await self._store.positions(scenario)).get(key, 0)
