"""Who may ask, how often, and what it costs: the rules over an account's key, standing, allowance and rate.

The order of checks is key, standing, plan, rate; allowance is looked at later, once a request is known to be
readable, and a unit is spent in one atomic act.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

from mock_server.core.account import Account, AccountStatus, Quota, QuotaPeriod
from mock_server.core.clock import Clock
from mock_server.core.model import Outcome, OutcomeName, Product, Usage
from mock_server.core.provider_traits import Billing
from mock_server.core.store import Foreseen, Meter, Rate, Store, Terms
from mock_server.errors import OutdatedError

_STAGED_LIMIT = 1000
"""The limit that is told where an unlimited account is refused all the same: clients expect numbers."""

_NO_LIMIT = Quota()
_DAY = 86_400  # seconds

_REFUSED_STANDING = {
    AccountStatus.INACTIVE: OutcomeName.INACTIVE_ACCOUNT,
    AccountStatus.DISABLED: OutcomeName.UNKNOWN_KEY,
    AccountStatus.BLOCKED: OutcomeName.BLOCKED_KEY,
}


@lru_cache(maxsize=256)
def parse_rate(text: str) -> Rate:
    """A rate such as "5/second", "100/2 minutes" or "10 per hour". Raises ValueError."""
    # Imported where a rate is met: it takes as long as a good part of the start, and most servers meet none.
    from limits import parse_many

    rates = parse_many(text)
    if len(rates) != 1 or rates[0].get_expiry() < 1:
        raise ValueError(f"{text!r} is no rate")
    return Rate(rates[0].amount, rates[0].get_expiry())


def _month(today: datetime) -> str:
    return f"{today.month}/{today.year}"


@lru_cache(maxsize=16)
def _period_of(day: int) -> str:
    """The month of a day that is counted from 1970; remembered, for every request asks."""
    first = datetime.fromtimestamp(day * _DAY, UTC)
    return f"{first.year}-{first.month:02}"


@dataclass(frozen=True, slots=True)
class Admitted:
    """An account that may go on with its request, and what was spent when it began; `limit` None: no end.

    One that is merely `foreseen` may go on as long as nothing is done that cannot be done again.
    """

    account: Account
    meter: Meter
    limit: int | None
    used: int
    foreseen: Foreseen | None = None

    def be_sure(self) -> None:
        """Raise OutdatedError where this is merely foreseen."""
        if self.foreseen is not None:
            raise OutdatedError("foreseen, and not asked for")


class Accounts:
    """The rules, over a store that counts and a clock that tells the period."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def admit(self, key: str | None, product: Product, billing: Billing) -> Admitted | Outcome:
        """The account that may go on, or the outcome that refuses it."""
        if not key:
            return Outcome(OutcomeName.MISSING_KEY)

        def terms(account: Account) -> Terms | None:
            if _refused_at_the_door(account, product):
                return None
            rate = parse_rate(account.rate_limit) if account.rate_limit is not None else None
            return Terms(self._meter(account, product, billing)[0], rate, self._clock.now())

        entry = await self._store.enter(key, terms)
        if entry is None:
            return Outcome(OutcomeName.UNKNOWN_KEY)
        account = entry.account
        if refused := _refused_at_the_door(account, product):
            return refused
        if entry.wait is not None:
            return await self.refusal(
                account, product, billing, OutcomeName.RATE_LIMITED, retry_after=entry.wait
            )
        return Admitted(account, *self._meter(account, product, billing), entry.used)

    def foresee(self, key: str | None, product: Product, billing: Billing) -> Admitted | None:
        """The account that is most likely to go on, without asking; None where that cannot be told."""
        foreseen = self._store.foreseen(key) if key else None
        if foreseen is None:
            return None
        account = foreseen.account
        if account.rate_limit is not None or _refused_at_the_door(account, product):
            return None
        return Admitted(account, *self._meter(account, product, billing), 0, foreseen)

    async def usage(self, account: Account, product: Product, billing: Billing) -> Usage:
        """What is spent of the allowance that this kind of billing draws on, with overage or without."""
        meter, _ = self._meter(account, product, billing)
        if billing is Billing.CREDITS:
            return Usage(await self._store.used(meter), account.credits.get(product))
        return Usage(await self._store.used(meter), account.quota.get(product, _NO_LIMIT).limit)

    async def exhausted(self, admitted: Admitted, product: Product, billing: Billing) -> Outcome | None:
        """The refusal, when nothing was left as the request began."""
        if admitted.limit is None or admitted.used < admitted.limit:
            return None
        return await self.refusal(admitted.account, product, billing, OutcomeName.OUT_OF_CREDITS)

    async def charge(self, admitted: Admitted, product: Product, billing: Billing) -> Outcome | None:
        """Spend one unit in one atomic act; the refusal, when another request took the last one.

        Raises OutdatedError where the account was foreseen, and not as it is, or has nothing left.
        """
        if admitted.foreseen is not None:
            if await self._store.spend_foreseen(admitted.meter, admitted.limit, admitted.foreseen) is None:
                raise OutdatedError("nothing is left")
            return None
        if await self._store.spend(admitted.meter, admitted.limit) is not None:
            return None
        return await self.refusal(admitted.account, product, billing, OutcomeName.OUT_OF_CREDITS)

    async def staged(
        self, account: Account, product: Product, billing: Billing, name: OutcomeName
    ) -> Outcome:
        """An outcome that a scenario or the client asks for, as if the account had earned it."""
        if name is OutcomeName.RATE_LIMITED:
            return await self.refusal(account, product, billing, name, retry_after=1.0)
        outcome = await self.refusal(account, product, billing, name)
        if name is OutcomeName.OUT_OF_CREDITS and outcome.usage:
            limit = outcome.usage.limit or 0
            return replace(outcome, usage=Usage(max(limit, outcome.usage.current), limit))
        return outcome

    async def refusal(
        self,
        account: Account,
        product: Product,
        billing: Billing,
        name: OutcomeName,
        *,
        retry_after: float | None = None,
    ) -> Outcome:
        """An outcome that tells how much is used, of what, in which period."""
        usage = await self.usage(account, product, billing)
        return Outcome(
            name,
            usage=Usage(_STAGED_LIMIT, _STAGED_LIMIT) if usage.limit is None else usage,
            tier=account.tier,
            retry_after=retry_after,
            period=_month(self._clock.today()),
        )

    def _meter(self, account: Account, product: Product, billing: Billing) -> tuple[Meter, int | None]:
        if billing is Billing.CREDITS:
            return Meter(account.key, "credits", product), account.credits.get(product)
        quota = account.quota.get(product, _NO_LIMIT)
        limit = None if account.overage else quota.limit
        return Meter(account.key, "quota", product, self._period(account)), limit

    def _period(self, account: Account) -> str:
        if account.quota_period is QuotaPeriod.NEVER:
            return ""
        return _period_of(int(self._clock.now() // _DAY))

    # What the control plane does with accounts

    async def declare(self, accounts: Iterable[Account]) -> None:
        """Add the accounts of a fixtures directory; one that exists keeps its counts."""
        for account in accounts:
            await self._store.put_account(account, begin=self._begin(account))

    async def redeclare(self, before: Iterable[Account], now: Sequence[Account]) -> None:
        """Declare accounts anew, and forget those that are declared no more."""
        kept = {account.key for account in now}
        for account in before:
            if account.key not in kept:
                await self._store.remove_account(account.key)
        await self.declare(now)

    async def create(self, account: Account) -> bool:
        """Add one account; False when its key is taken."""
        return await self._store.put_account(account, replace=False, begin=self._begin(account))

    async def restore(self, account: Account) -> None:
        """Put an account back as it is given, its counts where it says they begin."""
        await self._store.put_account(account)
        for meter, units in self._begin(account).items():
            await self._store.set_used(meter, units)

    async def set_used(self, account: Account, product: Product, billing: Billing, units: int) -> None:
        """Set how many units are spent."""
        await self._store.set_used(self._meter(account, product, billing)[0], units)

    def _begin(self, account: Account) -> dict[Meter, int]:
        return {
            self._meter(account, product, Billing.QUOTA)[0]: quota.used
            for product, quota in account.quota.items()
            if quota.used
        }


def _refused_at_the_door(account: Account, product: Product) -> Outcome | None:
    if account.status in _REFUSED_STANDING:
        return Outcome(_REFUSED_STANDING[account.status], detail=f"account is {account.status}")
    if product not in account.plans:
        return Outcome(OutcomeName.PLAN_EXCLUDED, tier=account.tier)
    return None
