"""The rules of accounts: admission, rate, allowance, charge."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from mock_server.core.account import Account, AccountStatus, Quota, QuotaPeriod
from mock_server.core.accounts import Accounts
from mock_server.core.clock import Clock
from mock_server.core.model import Billing, Outcome, OutcomeName, Product, Usage
from mock_server.core.store import Admission, MemoryStore

PLATE, VIN = Product.PLATE, Product.VIN
CREDITS, QUOTA = Billing.CREDITS, Billing.QUOTA
MONTH = 31 * 86_400.0


@pytest.fixture
def clock() -> Clock:
    """The first of January 2026."""
    clock = Clock()
    clock.freeze(1_767_225_600.0)
    return clock


@pytest.fixture
def accounts(clock: Clock) -> Accounts:
    """No account yet."""
    return Accounts(MemoryStore(), clock)


def created(accounts: Accounts, **facts: Any) -> Account:
    """An account under the key `k`."""
    account = Account("name", "k", **facts)

    assert asyncio.run(accounts.create(account))
    return account


def admit(
    accounts: Accounts, key: str | None = "k", product: Product = PLATE, billing: Billing = CREDITS
) -> Admission | Outcome:
    """The admission of a request, or its refusal."""
    return asyncio.run(accounts.admit(key, product, billing))


def spend(accounts: Accounts, product: Product = PLATE, billing: Billing = CREDITS) -> OutcomeName | None:
    """One whole request: the outcome that refuses it, or None."""
    admission = admit(accounts, "k", product, billing)
    if isinstance(admission, Outcome):
        return admission.name
    if refusal := asyncio.run(accounts.check_allowance(admission)):
        return refusal.name
    return None if asyncio.run(accounts.charge(admission)) else OutcomeName.OUT_OF_CREDITS


@pytest.mark.parametrize(
    ("facts", "key", "product", "name"),
    [
        ({}, None, PLATE, OutcomeName.MISSING_KEY),
        ({}, "", PLATE, OutcomeName.MISSING_KEY),
        ({}, "other", PLATE, OutcomeName.UNKNOWN_KEY),
        ({}, "K", PLATE, OutcomeName.UNKNOWN_KEY),
        ({"status": AccountStatus.INACTIVE}, "k", PLATE, OutcomeName.INACTIVE_ACCOUNT),
        ({"status": AccountStatus.DISABLED}, "k", PLATE, OutcomeName.UNKNOWN_KEY),
        ({"status": AccountStatus.BLOCKED}, "k", PLATE, OutcomeName.BLOCKED_KEY),
        ({"plans": frozenset({VIN})}, "k", PLATE, OutcomeName.PLAN_EXCLUDED),
        ({"plans": frozenset()}, "k", VIN, OutcomeName.PLAN_EXCLUDED),
        # The status is checked before the plan, the plan before the rate.
        ({"plans": frozenset(), "status": AccountStatus.BLOCKED}, "k", VIN, OutcomeName.BLOCKED_KEY),
    ],
)
def test_refused_before_the_request_is_read(
    accounts: Accounts, facts: dict[str, Any], key: str | None, product: Product, name: OutcomeName
) -> None:
    """Each reason for a refusal, in the order of the checks."""
    created(accounts, **facts)
    outcome = admit(accounts, key, product)

    assert isinstance(outcome, Outcome)
    assert outcome.name is name


def test_an_active_account_is_admitted(accounts: Accounts) -> None:
    """By default an account has both products and no limit."""
    account = created(accounts)

    for product in Product:
        for billing in Billing:
            admission = admit(accounts, product=product, billing=billing)

            assert isinstance(admission, Admission)
            assert (admission.account, admission.limit) == (account, None)


@pytest.mark.parametrize(
    ("facts", "billing"),
    [({"credits": {PLATE: 2, VIN: 1}}, CREDITS), ({"quota": {PLATE: Quota(2), VIN: Quota(3, used=2)}}, QUOTA)],
)
def test_units_run_out_by_product(accounts: Accounts, facts: dict[str, Any], billing: Billing) -> None:
    """Each product has its own units. Units that are used at the start count."""
    created(accounts, **facts)
    plates = [spend(accounts, PLATE, billing) for _ in range(3)]
    vins = [spend(accounts, VIN, billing) for _ in range(2)]

    assert plates == [None, None, OutcomeName.OUT_OF_CREDITS]
    assert vins == [None, OutcomeName.OUT_OF_CREDITS]


def test_credits_and_quota_are_counted_apart(accounts: Accounts) -> None:
    """Spending credits does not change the quota."""
    created(accounts, credits={PLATE: 1, VIN: 1}, quota={PLATE: Quota(1), VIN: Quota(1)})

    assert [spend(accounts, PLATE, CREDITS), spend(accounts, PLATE, QUOTA)] == [None, None]
    assert spend(accounts, PLATE, CREDITS) is OutcomeName.OUT_OF_CREDITS


@pytest.mark.parametrize(
    ("period", "after"), [(QuotaPeriod.MONTH, None), (QuotaPeriod.NEVER, OutcomeName.OUT_OF_CREDITS)]
)
def test_quota_is_renewed_with_the_month_or_never(
    accounts: Accounts, clock: Clock, period: QuotaPeriod, after: OutcomeName | None
) -> None:
    """A monthly volume is renewed, a trial volume is not."""
    created(accounts, quota={PLATE: Quota(5, used=5), VIN: Quota()}, quota_period=period)

    assert spend(accounts, PLATE, QUOTA) is OutcomeName.OUT_OF_CREDITS

    clock.advance(MONTH)

    assert spend(accounts, PLATE, QUOTA) is after


def test_credits_are_never_renewed(accounts: Accounts, clock: Clock) -> None:
    """A new month brings no new credits."""
    created(accounts, credits={PLATE: 1, VIN: 1})
    spend(accounts)
    clock.advance(MONTH)

    assert spend(accounts) is OutcomeName.OUT_OF_CREDITS


def test_overage_is_never_refused_but_counted(accounts: Accounts) -> None:
    """With overage there is no limit, and the usage is still counted."""
    account = created(accounts, quota={PLATE: Quota(1), VIN: Quota()}, overage=True)

    assert [spend(accounts, PLATE, QUOTA) for _ in range(3)] == [None] * 3
    assert asyncio.run(accounts.usage(account, PLATE, QUOTA)) == Usage(3, 1)


def test_rate(accounts: Accounts, clock: Clock) -> None:
    """A request over the rate is refused with the seconds to wait. Refused requests do not count."""
    created(accounts, rate_limit="2/second")
    first, second = admit(accounts), admit(accounts)
    clock.advance(0.25)
    third = admit(accounts)

    assert isinstance(first, Admission)
    assert isinstance(second, Admission)
    assert isinstance(third, Outcome)
    assert (third.name, third.retry_after) == (OutcomeName.RATE_LIMITED, 0.75)

    clock.advance(0.75)

    assert isinstance(admit(accounts), Admission)


@pytest.mark.parametrize(
    ("quota", "name", "usage"),
    [
        (Quota(10, used=4), OutcomeName.RATE_LIMITED, Usage(4, 10)),
        (Quota(10, used=4), OutcomeName.OUT_OF_CREDITS, Usage(10, 10)),
        (Quota(10, used=12), OutcomeName.OUT_OF_CREDITS, Usage(12, 10)),
        (Quota(0), OutcomeName.OUT_OF_CREDITS, Usage(0, 0)),
        (Quota(), OutcomeName.OUT_OF_CREDITS, Usage(1000, 1000)),
        (Quota(), OutcomeName.RATE_LIMITED, Usage(1000, 1000)),
    ],
)
def test_simulated_refusals_have_usage_in_numbers(
    accounts: Accounts, quota: Quota, name: OutcomeName, usage: Usage
) -> None:
    """A forced refusal looks like a real one: it has numbers, and nothing is left if the units are used up."""
    created(accounts, quota={PLATE: quota, VIN: quota}, tier="gold")
    admission = admit(accounts, billing=QUOTA)
    assert isinstance(admission, Admission)
    outcome = asyncio.run(accounts.simulate_refusal(admission, name))

    assert (outcome.name, outcome.usage, outcome.tier, outcome.period) == (name, usage, "gold", "1/2026")


def test_declaring_again_keeps_what_is_spent(accounts: Accounts) -> None:
    """Reloaded fixtures change an account, not its counts."""
    account = created(accounts, credits={PLATE: 2, VIN: 2})
    spend(accounts)
    asyncio.run(accounts.declare([replace(account, credits={PLATE: 1, VIN: 1})]))

    assert spend(accounts) is OutcomeName.OUT_OF_CREDITS


def test_a_key_is_created_once(accounts: Accounts) -> None:
    """A second account with the same key is not created."""
    account = created(accounts)

    assert not asyncio.run(accounts.create(account))
