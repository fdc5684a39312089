"""The request story: who asks, what is asked, is it paid for, what happens, what does it cost.

`Reader` is that story from top to bottom. It decides in neutral words; the provider that asked renders them.
"""

import contextlib
from dataclasses import dataclass, replace

from mock_server.core import forcing
from mock_server.core.accounts import Accounts, Admitted
from mock_server.core.library import Library
from mock_server.core.model import NO_FAULT, FaultPlan, MatchKind, Outcome, OutcomeName, ReadRequest
from mock_server.core.pictures import Looked, Pictures
from mock_server.core.provider_traits import Traits
from mock_server.core.scenario_player import (
    PICTURE_OUTCOMES,
    Case,
    Policy,
    ScenarioPlayer,
    default_variant,
    has_side_effects,
)
from mock_server.core.store import Store
from mock_server.errors import OutdatedError, UnknownPreferenceError
from mock_server.imaging.results import SearchResult

__all__ = ["Decision", "Policy", "Reader"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about a request, and all that the journal tells about why.

    `decided` is off where the mock itself answers, because nothing could be decided.
    """

    outcome: Outcome
    plan: FaultPlan = NO_FAULT
    scenario: str | None = None
    match: MatchKind = MatchKind.NONE
    account: str | None = None
    charged: int = 0
    search: SearchResult | None = None
    forced: str | None = None
    notes: tuple[str, ...] = ()
    decided: bool = True


class Reader:
    """Answers requests from the library that is being served; `library` and `policy` may be swapped between two."""

    def __init__(
        self,
        library: Library,
        *,
        accounts: Accounts,
        store: Store,
        pictures: Pictures,
        policy: Policy | None = None,
    ) -> None:
        self.library = library
        self.policy = policy or Policy()
        self._accounts = accounts
        self._pictures = pictures
        self._recogniser = ScenarioPlayer(accounts, store)

    async def read(self, request: ReadRequest, traits: Traits) -> Decision:
        """Decide what happens to one request.

        Raises UnknownPreferenceError when the client forces what does not exist. Nothing is decided when no
        scenario knows the picture and the policy is to say so.
        """
        # Who asks? Most likely who it was the last time: that is made sure of when a unit is spent.
        foreseen = self._accounts.foresee(request.key, request.product, traits.billing)
        if foreseen is not None:
            library = self.library
            with contextlib.suppress(OutdatedError, UnknownPreferenceError):
                return _varied(await self._decide(request, traits, library, foreseen), library, traits)
        admitted = await self._accounts.admit(request.key, request.product, traits.billing)

        # Whoever is let in meets what is served from now on: what others have changed was taken over at the door.
        library = self.library
        decision = (
            Decision(admitted)
            if isinstance(admitted, Outcome)
            else await self._decide(request, traits, library, admitted)
        )
        return _varied(decision, library, traits)

    async def _decide(
        self, request: ReadRequest, traits: Traits, library: Library, admitted: Admitted
    ) -> Decision:
        account = admitted.account

        # Does the client say what is to happen?
        forced = self._forced(request, traits, library)
        by = forced.by if forced else None
        if forced and forced.outcome and forced.outcome not in PICTURE_OUTCOMES:
            admitted.be_sure()
            outcome = await self._accounts.staged(account, request.product, traits.billing, forced.outcome)
            return Decision(outcome, account=account.name, forced=by)

        # What is asked?
        looked = await self._look(request, library, admitted)
        case = Case(request, account, traits, library, looked, self.policy, forced)
        notes = (looked.note,) if looked.note else ()
        match = case.match()
        if match is None and (problem := case.problem()):
            admitted.be_sure()
            outcome = Outcome(problem.outcome, detail=problem.detail, variant=problem.variant)
            return Decision(outcome, account=account.name, search=looked.search, forced=by, notes=notes)

        # Is it paid for?
        exhausted = await self._accounts.exhausted(admitted, request.product, traits.billing)
        if exhausted is not None:
            return Decision(exhausted, account=account.name, search=looked.search, forced=by, notes=notes)

        # What happens?
        if admitted.foreseen and has_side_effects(case, match):
            admitted.be_sure()
        recognised = await self._recogniser.recognise(case, match)
        outcome, plan, charged = recognised.outcome, recognised.plan, 0

        # What does it cost?
        if recognised.decided and outcome.name in _charged(case):
            taken = await self._accounts.charge(admitted, request.product, traits.billing)
            outcome, plan, charged = (outcome, plan, 1) if taken is None else (taken, NO_FAULT, 0)
        else:
            admitted.be_sure()
        return Decision(
            outcome,
            plan,
            recognised.scenario,
            recognised.match,
            account.name,
            charged,
            looked.search,
            by,
            notes,
            recognised.decided,
        )

    async def _look(self, request: ReadRequest, library: Library, admitted: Admitted) -> Looked:
        if request.problem:
            return Looked(problem=request.problem)
        if admitted.foreseen and not self._pictures.is_here(request, library):
            admitted.be_sure()
        return await self._pictures.look(request, library)

    def _forced(self, request: ReadRequest, traits: Traits, library: Library) -> forcing.Forced | None:
        if not self.policy.forcing:
            return None
        return forcing.find(
            request,
            library.scenarios.by_name,
            lambda status: traits.outcome_of_status(status, request.product),
        )


def _varied(decision: Decision, library: Library, traits: Traits) -> Decision:
    outcome = decision.outcome
    variant = outcome.variant or default_variant(library, traits, outcome.name)
    if variant == outcome.variant:
        return decision
    return replace(decision, outcome=replace(outcome, variant=variant))


def _charged(case: Case) -> frozenset[OutcomeName]:
    configured = case.library.fixtures.defaults.charge
    if not configured:
        return case.traits.charged
    return configured.get(case.traits.name, configured.get("*", case.traits.charged))
