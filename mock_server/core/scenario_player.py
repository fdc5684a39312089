"""What becomes of a picture that may be read: a scenario's next step, or what is made up for an unknown one."""

import random
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256

from mock_server.core import fault_plan, misreads
from mock_server.core.account import Account
from mock_server.core.accounts import Accounts
from mock_server.core.complete_reading import NOMINAL_SIZE, placed
from mock_server.core.fabricated_reading import synthesize
from mock_server.core.fixture_set import Unmatched
from mock_server.core.forcing import Forced
from mock_server.core.library import Library
from mock_server.core.matching import KINDS, Asked, Match
from mock_server.core.model import (
    NO_FAULT,
    FaultPlan,
    MatchKind,
    Outcome,
    OutcomeName,
    Problem,
    Product,
    Reading,
    ReadRequest,
)
from mock_server.core.pictures import Looked
from mock_server.core.provider_traits import Traits
from mock_server.core.scenario import Step
from mock_server.core.sequence import counts_requests, is_drawn, step_at
from mock_server.core.store import Store

PICTURE_OUTCOMES = frozenset({OutcomeName.READ, OutcomeName.NOTHING_FOUND, OutcomeName.NO_TEXT})
"""What recognition itself may come to. Anything else that a client forces happens before a picture is looked at."""


_SILENT = Reading()


@dataclass(frozen=True, slots=True)
class Policy:
    """What the settings and `mock.yaml` decide for all requests."""

    unmatched: Unmatched = Unmatched.SYNTHESIZE
    forcing: bool = True
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """An admitted request with all that is known of it."""

    request: ReadRequest
    account: Account
    traits: Traits
    library: Library
    looked: Looked
    policy: Policy
    forced: Forced | None = None

    @property
    def only(self) -> OutcomeName | None:
        """The one outcome that the client wants to see."""
        return self.forced.outcome if self.forced else None

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the picture, None where nobody saw it."""
        search = self.looked.search
        return (search.facts.width, search.facts.height) if search else None

    @property
    def digest(self) -> str:
        """SHA-256 of the picture in hex, or of its URL where nobody saw it."""
        search = self.looked.search
        return search.facts.sha256 if search else sha256((self.request.url or "").encode()).hexdigest()

    def variant(self, name: OutcomeName) -> str | None:
        """The variant of an outcome where no scenario names one.

        `mock.yaml` may choose one with another status; a client that asks for a status gets the first, which has it.
        """
        if self.forced and self.forced.status is not None:
            return next(iter(self.traits.variants.get(name, ())), None)
        return default_variant(self.library, self.traits, name)

    def problem(self) -> Problem | None:
        """Why there is nothing to read; a client that wants to see an outcome sees it all the same."""
        return None if self.only else self.looked.problem

    def match(self) -> Match | None:
        """The scenario that the client forces, or else the one that applies."""
        if self.forced and self.forced.scenario:
            return self._forced_match(self.forced.scenario)
        # A picture that cannot be had may still be known by its URL; a broken request is known by nothing.
        if self.looked.problem and self.request.url is None:
            return None
        return self.library.scenarios.find(self.asked)

    @property
    def asked(self) -> Asked:
        """The request as conditions see it."""
        return Asked(self.request, self.account.name, self.looked.search)

    def _forced_match(self, name: str) -> Match:
        scenario = self.library.scenarios.by_name[name]
        for found in self.looked.search.matches if self.looked.search else ():
            if found.id in scenario.when.images:
                return Match(scenario, KINDS[found.method], found.placement)
        return Match(scenario, MatchKind.RULE)


@dataclass(frozen=True, slots=True)
class Recognised:
    """What recognition came to, before it is charged; `decided` is off where an unknown picture is an error."""

    outcome: Outcome
    plan: FaultPlan = NO_FAULT
    scenario: str | None = None
    match: MatchKind = MatchKind.NONE
    decided: bool = True


class ScenarioPlayer:
    """Plays scenarios, and makes up readings where there is none."""

    def __init__(self, accounts: Accounts, store: Store) -> None:
        self._accounts = accounts
        self._store = store
        self._drawn = 0

    async def recognise(self, case: Case, match: Match | None) -> Recognised:
        """What becomes of a case."""
        if match is None:
            return self._unmatched(case)
        scenario = match.scenario
        position, default_delay = 0, case.library.fixtures.defaults.delay
        if has_side_effects(case, match):
            position = await self._store.advance(case.account.key, scenario.name)
        step = Step(case.only) if case.only else step_at(scenario, position)
        reading = _truth(case, match)
        delay, plan = step.delay or default_delay, NO_FAULT
        if step.trouble or step.fault or delay:
            rng = random.Random(f"{case.policy.seed}/{case.account.key}/{scenario.name}/{position}")
            if step.trouble:
                facts = case.looked.search.facts if case.looked.search else None
                reading = misreads.apply(reading, step.trouble, facts=facts, rng=rng)
            plan = fault_plan.plan(delay, step.fault, rng)
        return Recognised(await self._played(case, step, reading), plan, scenario.name, match.kind)

    async def _played(self, case: Case, step: Step, reading: Reading) -> Outcome:
        name = step.outcome
        if name is OutcomeName.READ:
            name, reading = _read(case, reading)
        elif name is OutcomeName.NO_TEXT and case.request.product is Product.PLATE:
            # Plates are looked for, not texts: a picture without any is one without a plate.
            name = OutcomeName.NOTHING_FOUND
        variant = step.variant or case.variant(name)
        if name in PICTURE_OUTCOMES:
            return Outcome(name, reading, step.message, variant, step.headers, digest=case.digest)
        outcome = await self._accounts.staged(case.account, case.request.product, case.traits.billing, name)
        return replace(outcome, message=step.message, variant=variant, headers=step.headers)

    def _unmatched(self, case: Case) -> Recognised:
        unmatched = case.policy.unmatched
        if unmatched is Unmatched.ERROR and case.only is None:
            return Recognised(Outcome(OutcomeName.NOTHING_FOUND), decided=False)
        made_up = case.only is None and unmatched is Unmatched.SYNTHESIZE
        if made_up or case.only is OutcomeName.READ:
            name, reading = _read(case, _synthesized(case))
            kind = MatchKind.SYNTHESIZED
        else:
            reading, kind = Reading(), MatchKind.NONE
            name = case.only or OutcomeName.NOTHING_FOUND
        outcome = Outcome(name, reading, variant=case.variant(name), digest=case.digest)
        return Recognised(outcome, self._default_plan(case), match=kind)

    def _default_plan(self, case: Case) -> FaultPlan:
        delay = case.library.fixtures.defaults.delay
        if delay is None:
            return NO_FAULT
        self._drawn += 1
        return fault_plan.plan(delay, None, random.Random(f"{case.policy.seed}//{self._drawn}"))


def has_side_effects(case: Case, match: Match | None) -> bool:
    """Whether deciding a case moves something on, such as the position in a sequence."""
    delay = case.library.fixtures.defaults.delay
    if match is None:
        return delay is not None
    return case.only is None and (counts_requests(match.scenario) or is_drawn(delay))


def _truth(case: Case, match: Match) -> Reading:
    """What the picture shows. A scenario may leave that to others and say only what happens."""
    if not match.scenario.reading.silent:
        return placed(match.scenario.reading, match.placement, case.size)
    for other in case.library.scenarios.matches(case.asked):
        if not other.scenario.reading.silent:
            return placed(other.scenario.reading, other.placement, case.size)
    return _synthesized(case) if case.policy.unmatched is Unmatched.SYNTHESIZE else _SILENT


def _read(case: Case, reading: Reading) -> tuple[OutcomeName, Reading]:
    """What comes of looking for the truth about a picture, and what is read then."""
    name = _what_is_read(reading, case.request.product, case.traits)
    if case.only is OutcomeName.READ and name is not OutcomeName.READ:
        # A client that wants to see a reading sees one, whatever the picture shows.
        return OutcomeName.READ, _made_up(case.digest, case.size or NOMINAL_SIZE, case.request.product)
    return name, reading


def _what_is_read(reading: Reading, product: Product, traits: Traits) -> OutcomeName:
    if product is Product.PLATE:
        return OutcomeName.READ if reading.plates else OutcomeName.NOTHING_FOUND
    if reading.vin or (reading.text and traits.free_text):
        return OutcomeName.READ
    return OutcomeName.NOTHING_FOUND if reading.text or reading.plates else OutcomeName.NO_TEXT


def _synthesized(case: Case) -> Reading:
    search = case.looked.search
    if search and search.facts.blank:
        return Reading()
    return _made_up(case.digest, case.size or NOMINAL_SIZE, case.request.product)


@lru_cache(maxsize=1024)
def _made_up(digest: str, size: tuple[int, int], product: Product) -> Reading:
    return placed(synthesize(digest, *size, product), None, size)


def default_variant(library: Library, traits: Traits, name: OutcomeName) -> str | None:
    """The variant of an outcome where no scenario names one: as `mock.yaml` says, or the first that there is."""
    configured = library.fixtures.defaults.variants.get(traits.name)
    known = traits.variants.get(name)
    return (configured.get(name) if configured else None) or (known[0] if known else None)
