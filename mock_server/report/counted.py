"""What a running mock knows for its report: what was counted, and which replies its accounts and settings allow.

Several of these, from servers side by side, become one report.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mock_server.core.account import Account, AccountStatus
from mock_server.core.library import Library
from mock_server.core.model import Billing, OutcomeName, Product
from mock_server.core.rehearsal import Tally
from mock_server.providers.provider import Provider


@dataclass(frozen=True, slots=True)
class Need:
    """What the accounts and settings lack for an outcome of a product."""

    provider: str
    product: str
    outcome: str
    text: str


@dataclass(frozen=True, slots=True)
class Counted:
    """One mock. `scenarios` are the names of those that can answer. `now` is Unix time by its clock."""

    tally: Tally
    now: float
    scenarios: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    rules_off: tuple[str, ...] = ()


def needs_of(
    providers: Iterable[Provider], accounts: Iterable[Account], library: Library, *, pays_per_call: bool
) -> Iterator[Need]:
    """The outcomes that no account, no setting and no scenario gives."""
    accounts = tuple(accounts)
    by_scenarios = {
        (step.outcome.value, scenario.when.provider, scenario.when.product)
        for scenario in library.scenarios.by_id.values()
        for step in scenario.steps
    }
    chaos = set(library.fixtures.defaults.chaos)
    for provider in providers:
        for product in provider.products:
            for outcome, text in _lacking(provider, product, accounts, pays_per_call=pays_per_call).items():
                can_play = any(
                    name == outcome and by in (None, provider.name) and of in (None, product)
                    for name, by, of in by_scenarios
                )
                if not can_play and outcome.value not in chaos:
                    yield Need(provider.name, product.value, outcome.value, text)


def _lacking(
    provider: Provider, product: Product, accounts: tuple[Account, ...], *, pays_per_call: bool
) -> Mapping[OutcomeName, str]:
    traits = provider.traits
    asks_payment = pays_per_call and traits.takes_payments
    units = traits.billing.value
    checks = {
        OutcomeName.PAYMENT_REQUIRED: (asks_payment, "the setting x402 is off"),
        OutcomeName.MISSING_KEY: (not asks_payment, "with x402, calls without a key are asked for a payment"),
        OutcomeName.INACTIVE_ACCOUNT: (
            any(account.status is AccountStatus.INACTIVE for account in accounts),
            "no account is inactive",
        ),
        OutcomeName.BLOCKED_KEY: (
            any(account.status is AccountStatus.BLOCKED for account in accounts),
            "no account is blocked",
        ),
        OutcomeName.PLAN_EXCLUDED: (
            any(product not in account.plans for account in accounts),
            f"every account has the product {product} in its plans",
        ),
        OutcomeName.OUT_OF_CREDITS: (
            any(_has_limit(account, product, traits.billing) for account in accounts),
            f"no account has a limit of {units} for {product}",
        ),
        OutcomeName.RATE_LIMITED: (
            any(account.rate_limit is not None for account in accounts),
            "no account has a rate limit",
        ),
    }
    return {name: text for name, (is_possible, text) in checks.items() if not is_possible}


def _has_limit(account: Account, product: Product, billing: Billing) -> bool:
    if billing is Billing.CREDITS:
        return account.credits.get(product) is not None
    if account.shared_quota:
        return account.shared_quota.limit is not None
    return not account.overage and account.quota[product].limit is not None
