"""The rules of accounts: which requests are admitted, how often, and what they cost.

The checks run in this order: key, status, plan, rate. The allowance is checked later, when the request is known to
be readable. A unit is spent in one atomic act.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256

from mock_server.core.account import Account, AccountStatus, Quota, QuotaPeriod
from mock_server.core.clock import Clock
from mock_server.core.model import Billing, Outcome, OutcomeName, Product, Usage
from mock_server.core.rate_limit import parse_rate
from mock_server.core.store import Admission, Meter, Store

_SIMULATED_LIMIT = 1000
"""The limit in a simulated refusal of an unlimited account. Clients expect a number."""

_UNLIMITED = Quota()
_DAY = 24 * 60 * 60  # seconds

_NO_KEY = "the request has no key"
_UNKNOWN_KEY = "no account has this key"

_PAYER = Account("pay-per-call", "")
"""Stands for the account of requests that carry their own payment."""

_STATUS_REFUSALS = {
    AccountStatus.INACTIVE: OutcomeName.INACTIVE_ACCOUNT,
    AccountStatus.DISABLED: OutcomeName.UNKNOWN_KEY,
    AccountStatus.BLOCKED: OutcomeName.BLOCKED_KEY,
}


def _status_refusal(account: Account) -> Outcome | None:
    name = _STATUS_REFUSALS.get(account.status)
    return Outcome(name, detail=f"the account {account.name} is {account.status}") if name else None


@lru_cache(maxsize=256)
def _month(day: float) -> str:
    """The month of a day, such as "2026-11". Days are counted from 1970."""
    date = datetime.fromtimestamp(day * _DAY, UTC)
    return f"{date.year}-{date.month:02}"


class Accounts:
    """The rules of accounts, over a store that counts and a clock that gives the time."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def admit(
        self, key: str | None, product: Product, billing: Billing, *, once: str = ""
    ) -> Admission | Outcome:
        """Admit a request, or return the outcome that refuses it. Raises StoreUnavailableError.

        If the account is a wallet, requests with the same text in `once` (an Idempotency-Key) are charged once.
        """
        if not key:
            return Outcome(OutcomeName.MISSING_KEY, detail=_NO_KEY)

        def check(account: Account) -> Admission | Outcome:
            if refusal := _status_refusal(account):
                return refusal
            if product not in account.plans:
                detail = f"the plans of the account {account.name} do not include {product}"
                return Outcome(OutcomeName.PLAN_EXCLUDED, tier=account.tier, detail=detail)
            rate = parse_rate(account.rate_limit) if account.rate_limit is not None else None
            return Admission(account, *self._meter(account, product, billing), rate, self._clock.now())

        admission = await self._store.enter(key, check)
        if admission is None:
            return Outcome(OutcomeName.UNKNOWN_KEY, detail=_UNKNOWN_KEY)
        if isinstance(admission, Admission) and admission.wait is not None:
            refusal = await self._refuse(admission, OutcomeName.RATE_LIMITED, retry_after=admission.wait)
            account = admission.account
            refusal.detail = f"the account {account.name} may make {account.rate_limit} requests"
            return refusal
        if once and isinstance(admission, Admission) and admission.account.wallet:
            # A client's text can be long; its digest is enough to compare it.
            admission.once = sha256(once.encode("utf-8", "replace")).hexdigest()
        return admission

    async def admit_payer(self, product: Product, billing: Billing) -> Admission:
        """Admit a request that carries its own payment and has no account. Raises StoreUnavailableError."""
        # No account has an empty key. A shared store applies the changes of other processes at this call.
        await self._store.enter("", lambda account: Outcome(OutcomeName.UNKNOWN_KEY))
        return Admission(_PAYER, *self._meter(_PAYER, product, billing), now=self._clock.now(), is_paid=True)

    async def identify(self, key: str | None) -> Account | Outcome:
        """The account of a key, or the outcome that refuses it. Nothing is counted. Raises StoreUnavailableError."""
        if not key:
            return Outcome(OutcomeName.MISSING_KEY, detail=_NO_KEY)
        account = await self._store.account(key)
        if account is None:
            return Outcome(OutcomeName.UNKNOWN_KEY, detail=_UNKNOWN_KEY)
        return _status_refusal(account) or account

    async def check_allowance(self, admission: Admission) -> Outcome | None:
        """The refusal, if nothing was left when the request was admitted, and the request was not charged before."""
        if admission.has_allowance:
            return None
        if admission.once and await self._store.was_spent(admission.meter.key, admission.once):
            return None
        return await self.out_of_credits(admission)

    async def charge(self, admission: Admission) -> bool:
        """Spend one unit in one atomic act. False if another request has taken the last unit."""
        used = await self._store.spend(admission.meter, admission.limit, admission.once)
        admission.charged = 1 if used else 0
        return used is not None

    async def simulate_refusal(self, admission: Admission, name: OutcomeName) -> Outcome:
        """An outcome that a scenario or the client chooses, as if the account had caused it."""
        if name is OutcomeName.RATE_LIMITED:
            return await self._refuse(admission, name, retry_after=1.0)
        outcome = await self._refuse(admission, name)
        if name is OutcomeName.OUT_OF_CREDITS and outcome.usage:
            limit = outcome.usage.limit or 0
            return replace(outcome, usage=Usage(max(limit, outcome.usage.current), limit))
        return outcome

    async def out_of_credits(self, admission: Admission) -> Outcome:
        """The refusal of a request for which no unit is left."""
        refusal = await self._refuse(admission, OutcomeName.OUT_OF_CREDITS)
        meter, period = admission.meter, f" in {admission.meter.period}" if admission.meter.period else ""
        allowance = f"{meter.billing} for {meter.product}{period}" if meter.product else f"shared {meter.billing}"
        refusal.detail = f"the account {admission.account.name} has used all {admission.limit} units of its {allowance}"
        return refusal

    async def _refuse(self, admission: Admission, name: OutcomeName, *, retry_after: float | None = None) -> Outcome:
        account, meter = admission.account, admission.meter
        usage = await self._usage(account, meter)
        today = self._clock.today()
        return Outcome(
            name,
            usage=Usage(_SIMULATED_LIMIT, _SIMULATED_LIMIT) if usage.limit is None else usage,
            tier=account.tier,
            retry_after=retry_after,
            period=f"{today.month}/{today.year}",
        )

    async def usage(self, account: Account, product: Product, billing: Billing) -> Usage:
        """The units used and the limit. Overage does not change the limit that is shown."""
        return await self._usage(account, self._meter(account, product, billing)[0])

    async def _usage(self, account: Account, meter: Meter) -> Usage:
        if meter.billing is Billing.CREDITS:
            limit = account.credits.get(meter.product) if meter.product else None
        else:
            quota = account.quota.get(meter.product) if meter.product else account.shared_quota
            limit = (quota or _UNLIMITED).limit
        return Usage(await self._store.used(meter), limit)

    def _meter(self, account: Account, product: Product, billing: Billing) -> tuple[Meter, int | None]:
        """The counter that a request draws on, and how far it may go."""
        if billing is Billing.CREDITS:
            return Meter(account.key, billing, product), account.credits.get(product)
        if account.shared_quota:
            return Meter(account.key, billing, None), account.shared_quota.limit
        limit = None if account.overage else account.quota.get(product, _UNLIMITED).limit
        period = _month(self._clock.now() // _DAY) if account.quota_period is QuotaPeriod.MONTH else ""
        return Meter(account.key, billing, product, period), limit

    # Changes by the fixtures and the admin API

    async def declare(self, accounts: Iterable[Account]) -> None:
        """Add the accounts of a fixtures directory. An account that exists keeps its counts."""
        for account in accounts:
            await self._store.put_account(account, begin=self._initial_counts(account))

    async def redeclare(self, before: Iterable[Account], now: Sequence[Account]) -> None:
        """Declare accounts again, and remove those that are no longer declared."""
        declared = {account.key for account in now}
        for account in before:
            if account.key not in declared:
                await self._store.remove_account(account.key)
        await self.declare(now)

    async def create(self, account: Account) -> bool:
        """Add one account. False if its key is taken."""
        return await self._store.put_account(account, replace=False, begin=self._initial_counts(account))

    async def restore(self, account: Account) -> None:
        """Replace an account and set its counts to their initial values."""
        await self._store.put_account(account)
        for meter, units in self._initial_counts(account).items():
            await self._store.set_used(meter, units)

    async def set_used(self, account: Account, product: Product, billing: Billing, units: int) -> None:
        """Set how many units are spent."""
        await self._store.set_used(self._meter(account, product, billing)[0], units)

    def _initial_counts(self, account: Account) -> dict[Meter, int]:
        if account.shared_quota:
            return {self._meter(account, Product.PLATE, Billing.QUOTA)[0]: account.shared_quota.used}
        return {
            self._meter(account, product, Billing.QUOTA)[0]: quota.used
            for product, quota in account.quota.items()
            if quota.used
        }
