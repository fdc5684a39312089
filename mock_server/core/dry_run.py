"""A look at what would happen, with nothing spent, counted or moved on."""

from collections.abc import Callable, Mapping

from mock_server.core.account import Account
from mock_server.core.store import Entry, Foreseen, Meter, Rate, Store, Terms


class DryRunStore:
    """A `Store` that tells what another one would answer and leaves it as it is. `guest` is known here alone."""

    def __init__(self, store: Store, *, guest: Account | None = None) -> None:
        self._store = store
        self._guest = guest

    async def account(self, key: str) -> Account | None:
        if self._guest is not None and key == self._guest.key:
            return self._guest
        return await self._store.account(key)

    async def accounts(self) -> list[Account]:
        return await self._store.accounts()

    async def put_account(
        self, account: Account, *, replace: bool = True, begin: Mapping[Meter, int] | None = None
    ) -> bool:
        return replace or await self._store.account(account.key) is None

    async def remove_account(self, key: str) -> bool:
        return await self._store.account(key) is not None

    async def enter(self, key: str, terms: Callable[[Account], Terms | None]) -> Entry | None:
        """Rate limits are not looked at: they depend on when the real request comes."""
        account = await self.account(key)
        if account is None:
            return None
        measured = terms(account)
        return Entry(account, await self.used(measured.meter) if measured else 0)

    def foreseen(self, key: str) -> Foreseen | None:
        """A preview always asks."""
        return None

    async def used(self, meter: Meter) -> int:
        return await self._store.used(meter)

    async def set_used(self, meter: Meter, units: int) -> None:
        """Nothing is set."""

    async def spend(self, meter: Meter, limit: int | None) -> int | None:
        used = await self._store.used(meter)
        return None if limit is not None and used >= limit else used + 1

    async def spend_foreseen(self, meter: Meter, limit: int | None, foreseen: Foreseen) -> int | None:
        return await self.spend(meter, limit)

    async def hit(self, key: str, rate: Rate, now: float) -> float | None:
        """Nothing is counted, so everybody is admitted."""
        return None

    async def advance(self, key: str, scenario: str) -> int:
        return (await self._store.positions(scenario)).get(key, 0)

    async def set_position(self, key: str, scenario: str, position: int) -> None:
        """Nothing is set."""

    async def positions(self, scenario: str) -> Mapping[str, int]:
        return await self._store.positions(scenario)

    async def reset(self, key: str | None = None) -> None:
        """Nothing is reset."""

    async def close(self) -> None:
        """The other store stays open."""
