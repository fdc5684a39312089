"""The request story: who asks, what is asked, is it paid for, what happens, what does it cost.

`Reader.read` is that story from top to bottom. It decides in neutral words; the provider that asked renders them.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from mock_server.core import faults, forcing, troubles
from mock_server.core.account import Account
from mock_server.core.accounts import Accounts
from mock_server.core.fixture_set import Unmatched
from mock_server.core.library import Library
from mock_server.core.matching import Asked, Match
from mock_server.core.model import (
    NO_FAULT,
    FaultPlan,
    MatchKind,
    Outcome,
    OutcomeName,
    Product,
    Reading,
    ReadRequest,
)
from mock_server.core.pictures import Looked, Pictures
from mock_server.core.provider import Provider, Traits
from mock_server.core.readings import placed
from mock_server.core.scenario import Step
from mock_server.core.sequence import counts_requests, is_drawn, step_at
from mock_server.core.store import Store
from mock_server.core.synthesis import synthesize
from mock_server.imaging.index import Search

_RECOGNITIONS = frozenset({OutcomeName.READ, OutcomeName.NOTHING_FOUND, OutcomeName.NO_TEXT})
"""What recognition itself may come to. Anything else that a client forces happens before a picture is looked at."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the settings and `mock.yaml` decide for all requests."""

    unmatched: Unmatched = Unmatched.SYNTHESIZE
    forcing: bool = True
    seed: int = 0


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
    search: Search | None = None
    forced: str | None = None
    notes: tuple[str, ...] = ()
    decided: bool = True


@dataclass(frozen=True, slots=True)
class _Recognised:
    """What recognition came to, before it is charged."""

    outcome: Outcome
    plan: FaultPlan = NO_FAULT
    scenario: str | None = None
    match: MatchKind = MatchKind.NONE
    decided: bool = True


class Reader:
    """Answers requests from the library that is being served. `library` may be swapped between two requests."""

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
        self._store = store
        self._pictures = pictures
        self._drawn = 0

    async def read(self, request: ReadRequest, provider: Provider) -> Decision:
        """Decide what happens to one request.

        Raises UnknownPreferenceError when the client forces what does not exist. Nothing is decided when no
        scenario knows the picture and the policy is to say so.
        """
        library, traits = self.library, provider.traits

        # Who asks?
        admitted = await self._accounts.admit(request.key, request.product, traits.billing)
        if isinstance(admitted, Outcome):
            return Decision(admitted)
        account = admitted

        # Does the client say what is to happen?
        forced = self._forced(request, provider, library)
        if forced and forced.outcome and forced.outcome not in _RECOGNITIONS:
            outcome = await self._refused(forced.outcome, account, request, traits)
            return Decision(outcome, account=account.name, forced=forced.by)

        # What is asked?
        looked = (
            Looked(problem=request.problem)
            if request.problem
            else await self._pictures.look(request, library)
        )
        decision = Decision(
            Outcome(OutcomeName.READ),
            account=account.name,
            search=looked.search,
            forced=forced.by if forced else None,
            notes=(looked.note,) if looked.note else (),
        )
        asked = Asked(request, account.name, looked.search)
        match = _forced_match(forced, asked, library) or _unless_unreadable(looked, asked, library)
        if match is None and looked.problem and not (forced and forced.outcome):
            problem = looked.problem
            return replace(
                decision, outcome=Outcome(problem.outcome, detail=problem.detail, variant=problem.variant)
            )

        # Is it paid for?
        if exhausted := await self._accounts.exhausted(account, request.product, traits.billing):
            return replace(decision, outcome=exhausted)

        # What happens?
        only = forced.outcome if forced else None
        recognised = await self._recognise(asked, match, only, traits, account, library)
        decision = replace(
            decision,
            outcome=recognised.outcome,
            plan=recognised.plan,
            scenario=recognised.scenario,
            match=recognised.match,
            decided=recognised.decided,
        )
        if not decision.decided:
            return decision

        # What does it cost?
        charged = library.fixtures.defaults.charge.get(traits.name) or library.fixtures.defaults.charge.get(
            "*"
        )
        if recognised.outcome.name not in (traits.charged if charged is None else charged):
            return decision
        if taken := await self._accounts.charge(account, request.product, traits.billing):
            return replace(decision, outcome=taken, plan=NO_FAULT)
        return replace(decision, charged=1)

    async def _refused(
        self, name: OutcomeName, account: Account, request: ReadRequest, traits: Traits
    ) -> Outcome:
        wait = 1.0 if name is OutcomeName.RATE_LIMITED else None
        return await self._accounts.refusal(account, request.product, traits.billing, name, retry_after=wait)

    def _forced(self, request: ReadRequest, provider: Provider, library: Library) -> forcing.Forced | None:
        if not self.policy.forcing:
            return None
        return forcing.find(
            request,
            library.scenarios.by_name,
            lambda status: provider.outcome_of_status(status, request.product),
        )

    async def _recognise(
        self,
        asked: Asked,
        match: Match | None,
        only: OutcomeName | None,
        traits: Traits,
        account: Account,
        library: Library,
    ) -> _Recognised:
        if match is None:
            return self._unmatched(asked, only, traits, library)
        scenario = match.scenario
        position, default_delay = 0, library.fixtures.defaults.delay
        if only is None and (counts_requests(scenario) or is_drawn(default_delay)):
            position = await self._store.advance(account.key, scenario.name)
        step = step_at(scenario, position) if only is None else Step(only)
        reading = placed(scenario.reading, match.placement, _size(asked))
        delay, plan = step.delay or default_delay, NO_FAULT
        if step.trouble or step.fault or delay:
            rng = random.Random(f"{self.policy.seed}/{account.key}/{scenario.name}/{position}")
            if step.trouble:
                reading = troubles.apply(reading, step.trouble, facts=asked.facts, rng=rng)
            plan = faults.plan(delay, step.fault, rng)
        outcome = await self._played(step, reading, asked, account, traits, library)
        return _Recognised(outcome, plan, scenario.name, match.kind)

    async def _played(
        self, step: Step, reading: Reading, asked: Asked, account: Account, traits: Traits, library: Library
    ) -> Outcome:
        request = asked.request
        name = step.outcome
        if name is OutcomeName.READ:
            name = _what_is_read(reading, request.product, traits)
        if name in _RECOGNITIONS:
            outcome = Outcome(name, reading=reading)
        else:
            outcome = await self._refused(name, account, request, traits)
        return replace(
            outcome,
            message=step.message,
            variant=step.variant or _default_variant(library, traits, name),
            headers=step.headers,
            digest=_digest(asked),
        )

    def _unmatched(
        self, asked: Asked, only: OutcomeName | None, traits: Traits, library: Library
    ) -> _Recognised:
        unmatched, request = self.policy.unmatched, asked.request
        if unmatched is Unmatched.ERROR and only is None:
            return _Recognised(Outcome(OutcomeName.NOTHING_FOUND), decided=False)
        reading, kind = Reading(), MatchKind.NONE
        if unmatched is Unmatched.SYNTHESIZE or only is OutcomeName.READ:
            reading, kind = _synthesized(asked), MatchKind.SYNTHESIZED
        name = only or OutcomeName.READ
        if name is OutcomeName.READ:
            name = _what_is_read(reading, request.product, traits)
            if unmatched is Unmatched.NOTHING_FOUND and only is None:
                name = OutcomeName.NOTHING_FOUND
        outcome = Outcome(
            name, reading=reading, variant=_default_variant(library, traits, name), digest=_digest(asked)
        )
        return _Recognised(outcome, self._default_plan(library), match=kind)

    def _default_plan(self, library: Library) -> FaultPlan:
        delay = library.fixtures.defaults.delay
        if delay is None:
            return NO_FAULT
        self._drawn += 1
        return faults.plan(delay, None, random.Random(f"{self.policy.seed}//{self._drawn}"))


def _forced_match(forced: forcing.Forced | None, asked: Asked, library: Library) -> Match | None:
    if forced is None or forced.scenario is None:
        return None
    scenario = library.scenarios.by_name[forced.scenario]
    for found in asked.search.found if asked.search else ():
        if found.id in scenario.when.images:
            return Match(scenario, MatchKind(found.stage), found.placement)
    return Match(scenario, MatchKind.RULE)


def _unless_unreadable(looked: Looked, asked: Asked, library: Library) -> Match | None:
    # A picture that cannot be had may still be known by its URL; a request that cannot be read is known by nothing.
    if looked.problem and asked.request.url is None:
        return None
    return library.scenarios.find(asked)


def _what_is_read(reading: Reading, product: Product, traits: Traits) -> OutcomeName:
    if product is Product.PLATE:
        return OutcomeName.READ if reading.plates else OutcomeName.NOTHING_FOUND
    if reading.vin or (reading.text and traits.free_text):
        return OutcomeName.READ
    return OutcomeName.NOTHING_FOUND if reading.text or reading.plates else OutcomeName.NO_TEXT


def _synthesized(asked: Asked) -> Reading:
    facts, product = asked.facts, asked.request.product
    if facts is None:
        return placed(synthesize(asked.request.url or "", 1280, 960, product), None, None)
    if facts.blank:
        return Reading()
    return placed(synthesize(facts.sha256, facts.width, facts.height, product), None, _size(asked))


def _size(asked: Asked) -> tuple[int, int] | None:
    return (asked.facts.width, asked.facts.height) if asked.facts else None


def _default_variant(library: Library, traits: Traits, name: OutcomeName) -> str | None:
    configured: Mapping[OutcomeName, str] = library.fixtures.defaults.variants.get(traits.name, {})
    known = traits.variants.get(name)
    return configured.get(name) or (known[0] if known else None)


def _digest(asked: Asked) -> str:
    return asked.facts.sha256 if asked.facts else sha256((asked.request.url or "").encode()).hexdigest()
