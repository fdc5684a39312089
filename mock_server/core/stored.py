"""The forms in which values are kept outside this process: JSON, the same for every process that reads them."""

from typing import Any

import orjson

from mock_server.core.account import Account, AccountStatus, Quota, QuotaPeriod
from mock_server.core.model import Product


def account_to_json(account: Account) -> bytes:
    """An account as JSON, the same bytes for the same account."""
    return orjson.dumps(_document(account), option=orjson.OPT_SORT_KEYS)


def account_from_json(data: bytes) -> Account:
    """The account that `account_to_json` wrote."""
    return _account(orjson.loads(data))


def _document(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "key": account.key,
        "status": account.status.value,
        "plans": sorted(plan.value for plan in account.plans),
        "credits": {product.value: units for product, units in account.credits.items()},
        "quota": {product.value: [quota.limit, quota.used] for product, quota in account.quota.items()},
        "tier": account.tier,
        "overage": account.overage,
        "quota_period": account.quota_period.value,
        "rate_limit": account.rate_limit,
        "declared": _document(account.declared) if account.declared else None,
    }


def _account(document: dict[str, Any]) -> Account:
    return Account(
        name=document["name"],
        key=document["key"],
        status=AccountStatus(document["status"]),
        plans=frozenset(map(Product, document["plans"])),
        credits={Product(product): units for product, units in document["credits"].items()},
        quota={Product(product): Quota(limit, used) for product, (limit, used) in document["quota"].items()},
        tier=document["tier"],
        overage=document["overage"],
        quota_period=QuotaPeriod(document["quota_period"]),
        rate_limit=document["rate_limit"],
        declared=_account(document["declared"]) if document["declared"] else None,
    )
