"""An account: an API key with its standing, its allowances and its rate limit. Plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mock_server.core.model import Product


class AccountStatus(StrEnum):
    """The standing of an account."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DISABLED = "disabled"
    BLOCKED = "blocked"


class QuotaPeriod(StrEnum):
    """When used quota comes back: with the calendar month (UTC), or never (trials)."""

    MONTH = "month"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Quota:
    """Requests a period for one product; `limit` None means unlimited. `used` is where the count begins."""

    limit: int | None = None
    used: int = 0


def _no_credits_limit() -> dict[Product, int | None]:
    return dict.fromkeys(Product)


def _no_quota_limit() -> dict[Product, Quota]:
    return {product: Quota() for product in Product}


@dataclass(frozen=True, slots=True)
class Account:
    """An account. `credits` are prepaid units a product, None unlimited; `rate_limit` is "N/second".

    `declared` is what it was made as, where it was changed or created at run time: a reset goes back to that.
    """

    name: str
    key: str
    status: AccountStatus = AccountStatus.ACTIVE
    plans: frozenset[Product] = frozenset(Product)
    credits: Mapping[Product, int | None] = field(default_factory=_no_credits_limit)
    quota: Mapping[Product, Quota] = field(default_factory=_no_quota_limit)
    tier: str = "standard"
    overage: bool = False
    quota_period: QuotaPeriod = QuotaPeriod.MONTH
    rate_limit: str | None = None
    declared: "Account | None" = field(default=None, repr=False, compare=False)
