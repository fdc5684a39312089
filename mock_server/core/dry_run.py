"""A store for dry runs: it answers as the real store would, and changes nothing."""

from collections.abc import Mapping
from dataclasses import replace as with_changes

from mock_server.core.account import Account
from mock_server.core.model import Outcome
from mock_server.core.store import Admission, Check, Meter, Store


class DryRunStore:
    """A `Store` that reads from another one and never writes to it. `guest` is an account that only this one has."""

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

    async def enter(self, key: str, check: Check) -> Admission | Outcome | None:
        """Rate limits are not checked, because they depend on the time of the real request."""
        account = await self.account(key)
        admission = check(account) if account else None
        if not isinstance(admission, Admission):
            return admission
        return with_changes(admission, used=await self.used(admission.meter))

    async def used(self, meter: Meter) -> int:
        return await self._store.used(meter)

    async def set_used(self, meter: Meter, units: int) -> None:
        """Nothing is set."""

    async def spend(self, meter: Meter, limit: int | None) -> int | None:
        used = await self._store.used(meter)
        return None if limit is not None and used >= limit else used + 1

    async def advance(self, key: str, scenario: str) -> int:
        return (await self._store.positions(scenario)).get(key, 0)

    async def set_position(self, key: str, scenario: str, position: int) -> None:
        """Nothing is set."""

    async def positions(self, scenario: str) -> Mapping[str, int]:
        return await self._store.positions(scenario)

    async def reset(self, key: str | None = None) -> None:
        """Nothing is reset."""

    async def close(self) -> None:
        """The real store stays open."""
