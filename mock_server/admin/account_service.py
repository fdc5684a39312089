"""Accounts as tests see and set them: with live balances, apart from one another, back to what they were."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mock_server.admin.input_errors import as_object, mistake
from mock_server.core.account import Account, Quota
from mock_server.core.accounts import Accounts
from mock_server.core.coordination import Coordination
from mock_server.core.journal import redacted
from mock_server.core.live_scenarios import LiveScenarios
from mock_server.core.model import Product, Usage
from mock_server.core.provider_traits import Billing
from mock_server.core.store import Store
from mock_server.errors import ConflictError, NotFoundError

UNLIMITED = "unlimited"

Document = Mapping[str, Any]


class AccountControl:
    """The accounts of the store, as documents."""

    def __init__(self, accounts: Accounts, store: Store, stage: LiveScenarios, world: Coordination) -> None:
        self._accounts = accounts
        self._store = store
        self._stage = stage
        self._world = world

    async def all(self) -> list[dict[str, Any]]:
        """All accounts, in the order they were added."""
        return [await self._shown(account) for account in await self._store.accounts()]

    async def get(self, key: str) -> dict[str, Any]:
        """One account. Raises NotFoundError."""
        return await self._shown(await self._known(key))

    async def create(self, document: object) -> dict[str, Any]:
        """Add an account; its key is made up where none is given. Raises FixturesError and ConflictError."""
        name = f"account-{secrets.token_hex(4)}"
        account = _parsed(_as_declared(document), name)
        if not account.key.isprintable() or account.key != account.key.strip():
            raise mistake("/key", "a key of printable characters, without spaces around it, is wanted")
        account = replace(account, declared=account)
        if not await self._accounts.create(account):
            raise ConflictError(f"An account with this key ({redacted(account.key)}) exists already.")
        return await self._shown(account)

    async def change(self, key: str, document: object) -> dict[str, Any]:
        """Set what `document` names and leave the rest. Raises FixturesError and NotFoundError."""
        async with self._world.changing():
            return await self._changed(key, _as_declared(document))

    async def _changed(self, key: str, changes: Document) -> dict[str, Any]:
        account = await self._known(key)
        if changes.get("key", key) != key:
            raise mistake("/key", "the key of an account cannot be changed", "create another account")
        # The whole document is checked first: a mistake in it changes nothing.
        wanted = _parsed({**changes, "key": key}, account.name)
        simple = {
            name: getattr(wanted, name)
            for name in ("name", "status", "plans", "tier", "overage", "quota_period", "rate_limit")
            if name in changes and (changes[name] is not None or name == "rate_limit")
        }
        account = replace(account, declared=account.declared or account, **simple)
        account = await self._with_credits(account, wanted, _named(changes.get("credits")))
        account, counts = self._with_quota(account, wanted, changes.get("quota"))
        await self._store.put_account(account)
        for product, used in counts.items():
            await self._accounts.set_used(account, product, Billing.QUOTA, used)
        return await self._shown(account)

    async def remove(self, key: str) -> None:
        """Forget an account and its counts. Raises NotFoundError."""
        if not await self._store.remove_account(key):
            raise _no_account(key)

    async def reset(self, key: str) -> None:
        """One account as it was declared or created, its counters, windows and sequences at their beginning."""
        account = await self._store.account(key)
        await self._store.reset(key)
        from_file = next((one for one in self._stage.files.accounts if one.key == key), None)
        if declared := from_file or (account and account.declared) or account:
            await self._accounts.restore(declared)

    async def reset_all(self) -> None:
        """Back to the accounts of the files."""
        files = {account.key for account in self._stage.files.accounts}
        for account in await self._store.accounts():
            if account.key not in files:
                await self._store.remove_account(account.key)
        await self._store.reset()
        for account in self._stage.files.accounts:
            await self._accounts.restore(account)

    async def _known(self, key: str) -> Account:
        account = await self._store.account(key)
        if account is None:
            raise _no_account(key)
        return account

    async def _with_credits(self, account: Account, wanted: Account, products: list[Product]) -> Account:
        """A balance is set by what was bought: so many units more than are spent."""
        bought = dict(account.credits)
        for product in products:
            balance = wanted.credits[product]
            spent = (await self._accounts.usage(account, product, Billing.CREDITS)).current
            bought[product] = None if balance is None else spent + balance
        return replace(account, credits=bought)

    def _with_quota(
        self, account: Account, wanted: Account, document: object
    ) -> tuple[Account, dict[Product, int]]:
        quotas, counts = dict(account.quota), {}
        for product in _named(document):
            given = document.get(product) if isinstance(document, Mapping) else document
            names = set(given) if isinstance(given, Mapping) else {"limit"}
            asked, before = wanted.quota[product], quotas.get(product, Quota())
            quotas[product] = Quota(asked.limit if "limit" in names else before.limit, before.used)
            if "used" in names:
                counts[product] = asked.used
        return replace(account, quota=quotas), counts

    async def _shown(self, account: Account) -> dict[str, Any]:
        credits = {
            product: await self._accounts.usage(account, product, Billing.CREDITS) for product in Product
        }
        quota = {product: await self._accounts.usage(account, product, Billing.QUOTA) for product in Product}
        return {
            "key": account.key,
            "name": account.name,
            "status": account.status.value,
            "plans": [product.value for product in Product if product in account.plans],
            "credits": {product.value: _units(usage.remaining) for product, usage in credits.items()},
            "quota": {product.value: _quota(usage) for product, usage in quota.items()},
            "quota_period": account.quota_period.value,
            "tier": account.tier,
            "overage": account.overage,
            "rate_limit": account.rate_limit,
        }


def _as_declared(document: object) -> Document:
    """A document as files have it; a quota may also be given as it is shown, so that what was read can be sent back."""
    given = as_object(document)
    quota = given.get("quota")
    if not isinstance(quota, Mapping):
        return given
    return {**given, "quota": {product: _quota_as_declared(one) for product, one in quota.items()}}


def _quota_as_declared(quota: object) -> object:
    if not isinstance(quota, Mapping) or "current" not in quota:
        return quota
    return {"used": quota["current"]} | {
        name: value for name, value in quota.items() if name not in ("current", "remaining")
    }


def _named(document: object) -> list[Product]:
    """The products that a part of a document speaks of: one value stands for all."""
    if document is None:
        return []
    if isinstance(document, Mapping):
        return [product for product in Product if document.get(product.value) is not None]
    return list(Product)


def _units(units: int | None) -> int | str:
    return UNLIMITED if units is None else units


def _quota(usage: Usage) -> dict[str, int | str]:
    return {"current": usage.current, "limit": _units(usage.limit), "remaining": _units(usage.remaining)}


def _parsed(document: Document, name: str) -> Account:
    # Loaded when asked for: the models that check documents take a good part of a start.
    from mock_server.scenarios.mock_reader import parse_account

    return parse_account(document, name=name, new_key=_new_key)


def _new_key() -> str:
    return f"key-{secrets.token_hex(16)}"


def _no_account(key: str) -> NotFoundError:
    return NotFoundError(f"No account has this key ({redacted(key)}).")
