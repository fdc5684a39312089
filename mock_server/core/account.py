"""An account: an API key with its status, its allowances and its rate limit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from mock_server.core import field_types as types
from mock_server.core.field_types import Written, described, expected
from mock_server.core.model import Product


class AccountStatus(StrEnum):
    """The status of an account."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DISABLED = "disabled"
    BLOCKED = "blocked"


class QuotaPeriod(StrEnum):
    """When used quota is renewed: with the calendar month (UTC), or never (trials)."""

    MONTH = "month"
    NEVER = "never"


def _allowance(value: object) -> int | None:
    text = types.scalar_text(value)
    if text == _UNLIMITED:
        return None
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 15:
        raise expected(f"a whole number, 0 or more, or {_UNLIMITED}")
    return int(text)


_UNLIMITED = "unlimited"
ALLOWANCE = types.Scalar(
    _allowance, {"type": ["integer", "string"], "minimum": 0, "pattern": f"^([0-9]{{1,15}}|{_UNLIMITED})$"}
)
Allowance = Annotated[int | None, ALLOWANCE]
"""A number of units; None: unlimited."""


@dataclass(frozen=True, slots=True)
class Quota(Written):
    """The requests of one period for one product."""

    limit: Allowance = described("Number or unlimited.", None)
    used: Annotated[int, types.whole_number(0)] = described("The number of requests that are used already.", 0)


@dataclass(frozen=True, slots=True)
class Account:
    """An account. `credits` are prepaid units for each product (None: unlimited), `rate_limit` is "N/second".

    `shared_quota` is one quota for all products together. It replaces `quota`, is never renewed, and has no overage.
    `wallet`: requests with the same text in `ReadRequest.once` are charged once.
    `declared` is the original account if this one was changed or created at run time. A reset restores it.
    """

    name: str
    key: str
    status: AccountStatus = AccountStatus.ACTIVE
    plans: frozenset[Product] = frozenset(Product)
    credits: Mapping[Product, int | None] = field(default_factory=lambda: dict.fromkeys(Product))
    quota: Mapping[Product, Quota] = field(default_factory=lambda: dict.fromkeys(Product, Quota()))
    tier: str = "standard"
    overage: bool = False
    quota_period: QuotaPeriod = QuotaPeriod.MONTH
    rate_limit: str | None = None
    shared_quota: Quota | None = None
    wallet: bool = False
    declared: "Account | None" = field(default=None, repr=False, compare=False)
