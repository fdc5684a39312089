"""The story of a request: admit the account, look up the picture, find and play a scenario, charge.

An override, the client or chaos may decide in place of the scenarios that match.
"""

from collections.abc import Mapping

from mock_server.core import forcing
from mock_server.core.account import Account
from mock_server.core.accounts import Accounts
from mock_server.core.charging import Cost, is_charged
from mock_server.core.conditions import Query
from mock_server.core.decision import Case, Decision, Policy, Unmatched
from mock_server.core.forcing import ForcedResult
from mock_server.core.library import Library
from mock_server.core.model import (
    NO_FAULT,
    PICTURE_OUTCOMES,
    Fault,
    FaultPlan,
    Outcome,
    OutcomeName,
    ReadRequest,
    Traits,
)
from mock_server.core.overrides import Overrides
from mock_server.core.pictures import Pictures
from mock_server.core.scenario_player import ScenarioPlayer
from mock_server.core.sequence import CHAOS, pick
from mock_server.core.store import Admission, Store

_FAULTS = frozenset(Fault)


class RequestPipeline:
    """Decides about requests. `library` and `policy` may be replaced; a running request keeps those it began with."""

    def __init__(
        self,
        library: Library,
        *,
        accounts: Accounts,
        store: Store,
        pictures: Pictures,
        policy: Policy | None = None,
        overrides: Overrides | None = None,
    ) -> None:
        self.library = library
        self.policy = policy or Policy()
        self.overrides = overrides or Overrides()
        self._store = store
        self._accounts = accounts
        self._pictures = pictures
        self._player = ScenarioPlayer(accounts, store)

    async def decide(self, request: ReadRequest, traits: Traits) -> Decision | Unmatched:
        """Decide what happens to one request. What it costs is still to be charged: see `charge`.

        Raises UnknownPreferenceError if the client forces something that does not exist, ClientDisconnectedError if it
        has left before its picture had its turn, and StoreUnavailableError.
        """
        admission = await self._admit(request, traits)
        # `_admit` has applied changes made by other processes, so read the library only now.
        library = self.library
        if isinstance(admission, Outcome):
            return Decision(_choose_variant(admission, library, traits))
        forced = await self._force(request, traits, library, admission)
        decision = await self._decide(request, traits, library, admission, forced)
        if isinstance(decision, Decision):
            _choose_variant(decision.outcome, library, traits, forced)
            if forced and forced.fault:
                decision.plan = FaultPlan(decision.plan.delay, fault=forced.fault)
        return decision

    async def check_key(self, key: str | None) -> Account | Outcome:
        """The account of a key, or the outcome that refuses the key. Raises StoreUnavailableError."""
        return await self._accounts.identify(key)

    async def _admit(self, request: ReadRequest, traits: Traits) -> Admission | Outcome:
        """Admit the request of an account, or a request that carries its own payment."""
        if not request.key and self.policy.pay_per_call and traits.takes_payments:
            if request.has_payment:
                return await self._accounts.admit_payer(request.product, traits.billing)
            return Outcome(OutcomeName.PAYMENT_REQUIRED, detail="the request has neither a key nor a payment")
        admission = await self._accounts.admit(request.key, request.product, traits.billing, once=request.once)
        if isinstance(admission, Outcome) and admission.name is OutcomeName.MISSING_KEY and request.no_key:
            admission.detail = request.no_key
        return admission

    async def _force(
        self, request: ReadRequest, traits: Traits, library: Library, admission: Admission
    ) -> ForcedResult | None:
        """What decides in place of the scenarios that match: an override, the client or chaos, the first that does."""
        # An account without an allowance does not use an override up.
        if self.overrides.is_active and admission.has_allowance:
            override = await self.overrides.take(request, self._store, seed=self.policy.seed)
            if override is not None:
                return ForcedResult(override=override)
        if self.policy.forcing:
            statuses = traits.statuses.get(request.product, {})
            forced = forcing.find(request, library.scenarios.by_name, statuses)
            if forced is not None:
                return forced
        chances = library.fixtures.defaults.chaos
        if not chances or self.overrides.is_chaos_paused:
            return None
        return await self._meet_chaos(chances, admission.account.key)

    async def _meet_chaos(self, chances: Mapping[str, float], key: str) -> ForcedResult | None:
        count = await self._store.advance(key, CHAOS)
        name = pick(chances, self.policy.seed, key, CHAOS, count)
        if name is None:
            return None
        by = f"chaos {name}"
        return ForcedResult(by, fault=Fault(name)) if name in _FAULTS else ForcedResult(by, outcome=OutcomeName(name))

    async def _decide(
        self, request: ReadRequest, traits: Traits, library: Library, admission: Admission, forced: ForcedResult | None
    ) -> Decision | Unmatched:
        if forced and forced.outcome and forced.outcome not in PICTURE_OUTCOMES:
            outcome = await self._accounts.simulate_refusal(admission, forced.outcome)
            decision = Decision(outcome, account=admission.account.name, forced=forced.by)
            return _with_cost(decision, traits, library, admission, forced)

        lookup = await self._pictures.look_up(request, library)
        query = Query(request, admission.account.name, lookup.search)
        case = Case(query, lookup, admission, traits, library, self.policy, forced)

        match = case.match()
        if match is None and (problem := case.problem):
            decision = case.decide(Outcome(problem.outcome, detail=problem.detail, variant=problem.variant))
            return _with_cost(decision, traits, library, admission, forced)
        if not admission.has_allowance and (refusal := await self._accounts.check_allowance(admission)):
            return case.decide(refusal)

        played = await self._player.play(case, match)
        if isinstance(played, Unmatched):
            return played
        return _with_cost(played, traits, library, admission, forced)

    async def charge(self, decision: Decision) -> bool:
        """Charge what a decision costs. False if another request has taken the last unit: `refuse` it then.

        Raises StoreUnavailableError.
        """
        if decision.cost is not None:
            if not await self._accounts.charge(decision.cost.admission):
                return False
            decision.charged, decision.cost = decision.cost.admission.charged, None
        return True

    async def refuse(self, decision: Decision) -> None:
        """Turn a decision that could not be charged into the refusal. Raises StoreUnavailableError."""
        cost, decision.cost = decision.cost, None
        if cost is None:
            return
        refusal = await self._accounts.out_of_credits(cost.admission)
        decision.outcome = _choose_variant(refusal, cost.library, cost.traits, cost.forced)
        decision.plan = FaultPlan(fault=cost.forced.fault) if cost.forced else NO_FAULT
        decision.charged = 0


def _with_cost(
    decision: Decision, traits: Traits, library: Library, admission: Admission, forced: ForcedResult | None
) -> Decision:
    """The decision, with its cost if it costs a unit."""
    _choose_variant(decision.outcome, library, traits, forced)
    if not admission.is_paid and is_charged(decision.outcome, library, traits):
        decision.charged, decision.cost = 1, Cost(admission, traits, library, forced)
    return decision


def _choose_variant(outcome: Outcome, library: Library, traits: Traits, forced: ForcedResult | None = None) -> Outcome:
    """Set the outcome's variant if it has none: the one in `mock.yaml`, or the first one of the provider."""
    variants = traits.variants.get(outcome.name)
    if outcome.variant or not variants:
        return outcome
    configured = library.fixtures.defaults.variants.get(traits.name, {}).get(outcome.name)
    # The variant in `mock.yaml` may have another status than the client forces. The first one has the right status.
    if forced and forced.status is not None:
        configured = None
    outcome.variant = configured or variants[0]
    return outcome
