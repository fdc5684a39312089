"""`/accounts`: API keys with their status, balances and limits."""

import secrets
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any
from urllib.parse import quote

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from mock_server.admin.control import Control
from mock_server.admin.models import AccountList
from mock_server.admin.operation import Operations, created, in_turns
from mock_server.admin.validation import MAX_KEY, as_text, mistake, read_object
from mock_server.client_models import Account as AccountView
from mock_server.client_models import QuotaView
from mock_server.core.account import Account, Quota, QuotaPeriod
from mock_server.core.exchange import document_json
from mock_server.core.model import Billing, Product
from mock_server.core.redaction import redacted
from mock_server.errors import ConflictError, NotFoundError
from mock_server.scenarios.source import pointer

OPERATIONS = Operations()

_SHARED = "shared"
_SIMPLE_FIELDS = tuple(
    field.name for field in fields(Account) if field.name not in ("key", "credits", "quota", "shared_quota", "declared")
)


@OPERATIONS("GET", "/accounts")
async def list_accounts(control: Control, request: Request) -> bytes:
    views = [await _view(control, account) async for account in in_turns(await control.store.accounts())]
    return await anyio.to_thread.run_sync(document_json, AccountList(views))


@OPERATIONS("POST", "/accounts")
async def create_account(control: Control, request: Request) -> Response:
    document = _declared(await read_object(request, is_optional=True))
    account = await anyio.to_thread.run_sync(_parse, document, f"account-{secrets.token_hex(4)}")
    if not account.key.isprintable() or account.key != account.key.strip():
        raise mistake("/key", "expected a key of printable characters, without spaces around it")
    account = replace(account, declared=account)
    if not await control.accounts.create(account):
        raise ConflictError(f"An account with this key ({redacted(account.key)}) exists already.")
    await control.note_change(account.key)
    return created(request, f"/accounts/{quote(account.key, safe='')}", await _view(control, account))


@OPERATIONS("GET", "/accounts/{key}")
async def get_account(control: Control, request: Request) -> AccountView:
    return await _view(control, await _find(control, request.path_params["key"]))


@OPERATIONS("PATCH", "/accounts/{key}")
async def change_account(control: Control, request: Request) -> AccountView:
    document = _declared(await read_object(request))
    async with control.coordination.changing():
        account = await _find(control, request.path_params["key"])
        account, counts = await _changed(control, account, document)
        await control.store.put_account(account)
        for product, used in counts.items():
            await control.accounts.set_used(account, product, Billing.QUOTA, used)
        await control.note_change(account.key)
        return await _view(control, account)


@OPERATIONS("DELETE", "/accounts/{key}")
async def delete_account(control: Control, request: Request) -> None:
    key = request.path_params["key"]
    if not await control.store.remove_account(key):
        raise _not_found(key)
    await control.note_change(key)


async def _find(control: Control, key: str) -> Account:
    account = await control.store.account(key)
    if account is None:
        raise _not_found(key)
    return account


def _not_found(key: str) -> NotFoundError:
    return NotFoundError(f"No account has this key ({redacted(key)}).")


async def _view(control: Control, account: Account) -> AccountView:
    credits: dict[str, int | None] = {}
    quota: dict[str, QuotaView] = {}
    for product in Product:
        credits[product.value] = (await control.accounts.usage(account, product, Billing.CREDITS)).remaining
        usage = await control.accounts.usage(account, product, Billing.QUOTA)
        quota[product.value] = QuotaView(usage.current, usage.limit, usage.remaining)
    if account.shared_quota:
        quota[_SHARED] = quota[Product.PLATE.value]
    same = {name: getattr(account, name) for name in _SIMPLE_FIELDS}
    if account.shared_quota:
        same["quota_period"] = QuotaPeriod.NEVER
    plans = tuple(product.value for product in Product if product in account.plans)
    return AccountView(**same | {"key": account.key, "plans": plans, "credits": credits, "quota": quota})


def _parse(document: Mapping[str, Any], name: str) -> Account:
    # Imported here because the models of fixture files take long to import.
    from mock_server.scenarios.mock_reader import parse_account

    account = parse_account(document, name=name, new_key=lambda: f"key-{secrets.token_hex(16)}")
    for field in ("key", "name", "tier"):
        as_text(getattr(account, field), pointer(field), max_length=MAX_KEY)
    return account


def _declared(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document in the form of `mock.yaml`. A quota may also have the form in which it is sent."""
    quota = given.get("quota")
    if not isinstance(quota, Mapping):
        return given
    if _is_sent(quota.get(_SHARED)):
        # Where there is a shared quota, the quota of each product is sent too, with the same counts.
        quota = {name: one for name, one in quota.items() if name == _SHARED or not _is_sent(one)}
    return {**given, "quota": {product: _declared_quota(one) for product, one in quota.items()}}


def _is_sent(quota: object) -> bool:
    return isinstance(quota, Mapping) and "current" in quota


def _declared_quota(quota: object) -> object:
    if not isinstance(quota, Mapping) or not _is_sent(quota):
        return quota
    others = {name: value for name, value in quota.items() if name not in ("current", "remaining")}
    return {"used": quota["current"], **others}


async def _changed(
    control: Control, account: Account, changes: Mapping[str, Any]
) -> tuple[Account, dict[Product, int]]:
    """The account after a change, and the new counts of its quotas. A document with a mistake changes nothing."""
    if changes.get("key", account.key) != account.key:
        raise mistake("/key", "the key of an account cannot be changed", "create another account")
    wanted = await anyio.to_thread.run_sync(_parse, {**changes, "key": account.key}, account.name)
    simple = {
        name: getattr(wanted, name)
        for name in _SIMPLE_FIELDS
        if name in changes and (changes[name] is not None or name == "rate_limit")
    }
    credits = dict(account.credits)
    for product in _products(changes.get("credits")):
        balance = wanted.credits[product]
        spent = (await control.accounts.usage(account, product, Billing.CREDITS)).current
        # An account stores how many units were bought.
        credits[product] = None if balance is None else spent + balance
    declared = account.declared or account
    account, counts = _with_quota(account, wanted, changes.get("quota"))
    return replace(account, declared=declared, credits=credits, **simple), counts


def _with_quota(account: Account, wanted: Account, document: object) -> tuple[Account, dict[Product, int]]:
    """The account with its quota changed, and the new counts."""
    if wanted.shared_quota and isinstance(document, Mapping):
        quota, used = _changed_quota(account.shared_quota or Quota(), wanted.shared_quota, document[_SHARED])
        return replace(account, shared_quota=quota), {} if used is None else {Product.PLATE: used}
    quotas, counts = dict(account.quota), {}
    for product in (products := _products(document)):
        given = document.get(product) if isinstance(document, Mapping) else document
        quotas[product], used = _changed_quota(quotas.get(product, Quota()), wanted.quota[product], given)
        if used is not None:
            counts[product] = used
    return replace(account, quota=quotas, shared_quota=None if products else account.shared_quota), counts


def _changed_quota(old: Quota, new: Quota, given: object) -> tuple[Quota, int | None]:
    """A quota with the fields that are given, and its new count if one is given."""
    names = set(given) if isinstance(given, Mapping) else {"limit"}
    return Quota(new.limit if "limit" in names else old.limit, old.used), new.used if "used" in names else None


def _products(document: object) -> list[Product]:
    """The products for which a document gives a value. A single value is for all products."""
    if document is None:
        return []
    if isinstance(document, Mapping):
        return [product for product in Product if document.get(product.value) is not None]
    return list(Product)
