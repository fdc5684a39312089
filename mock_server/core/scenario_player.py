"""What happens to a picture that may be read: the next step of its scenario, or a reading that is made up."""

import random
from functools import lru_cache

from mock_server.core.accounts import Accounts
from mock_server.core.complete_reading import NOMINAL_SIZE, complete
from mock_server.core.decision import Case, Decision, Unmatched
from mock_server.core.delay import draw_plan, is_random
from mock_server.core.library import UnmatchedPolicy
from mock_server.core.model import NO_FAULT, PICTURE_OUTCOMES, FaultPlan, MatchKind, Outcome, OutcomeName, Product
from mock_server.core.reading import Reading
from mock_server.core.scenario import Scenario, Step
from mock_server.core.scenario_precedence import Match
from mock_server.core.sequence import Sequences, step_at
from mock_server.core.store import Store

_EMPTY = Reading()


class ScenarioPlayer:
    """Plays scenarios, and makes up readings for pictures without one."""

    def __init__(self, accounts: Accounts, store: Store) -> None:
        self._accounts = accounts
        self._store = store
        self._default_delays = 0
        self._sequences = Sequences()

    async def play(self, case: Case, match: Match | None) -> Decision | Unmatched:
        """The decision about a case, before it is charged."""
        if match is None:
            return self._play_without_scenario(case)
        scenario, default_delay = match.scenario, case.library.fixtures.defaults.delay
        position, forced = 0, case.forced_outcome
        if forced is None and (scenario.counts_requests or is_random(default_delay)):
            position = await self._store.advance(case.admission.account.key, scenario.id)
        step = Step(forced) if forced else self._step(case, scenario, position)
        reading, plan = _true_reading(case, match), NO_FAULT
        is_made_up = reading is None
        if reading is None:
            reading = _fabricated_reading(case)
        delay = step.delay or default_delay
        if step.trouble or step.fault or delay:
            key = case.admission.account.key
            rng = random.Random(f"{case.policy.seed}/{key}/{scenario.name}/{position}")
            if step.trouble:
                from mock_server.core import misreads  # the start does not need it

                reading = misreads.apply(reading, step.trouble, facts=case.query.facts, rng=rng)
            plan = draw_plan(delay, step.fault, rng)
        outcome = await self._outcome(case, step, reading)
        # A forced reading is made up if the scenario has none for this product.
        outcome.is_made_up = outcome.label == OutcomeName.READ and (is_made_up or outcome.reading is not reading)
        return case.decide(outcome, plan, scenario.name, match.kind)

    def _step(self, case: Case, scenario: Scenario, position: int) -> Step:
        if not scenario.counts_requests or not scenario.has_chance:
            return step_at(scenario, position)
        return self._sequences.step(scenario, position, key=case.admission.account.key, seed=case.policy.seed)

    async def _outcome(self, case: Case, step: Step, reading: Reading) -> Outcome:
        if step.reply:
            return Outcome(step.outcome, reply=step.reply)
        name, detail = step.outcome, None
        if name is OutcomeName.READ:
            name, reading = _recognize(case, reading)
            if name is not OutcomeName.READ:
                detail = f"the reading of the scenario has no {case.request.product}"
        elif name is OutcomeName.NO_TEXT and case.request.product is Product.PLATE:
            # Plate recognition does not distinguish a picture without text from one without a plate.
            name = OutcomeName.NOTHING_FOUND
        if name in PICTURE_OUTCOMES:
            outcome = Outcome(name, reading, digest=case.digest, detail=detail)
        else:
            outcome = await self._accounts.simulate_refusal(case.admission, name)
        outcome.message, outcome.variant, outcome.headers = step.message, step.variant, step.headers
        outcome.omit, outcome.add = step.omit, step.add
        return outcome

    def _play_without_scenario(self, case: Case) -> Decision | Unmatched:
        unmatched, forced = case.policy.unmatched, case.forced_outcome
        if unmatched is UnmatchedPolicy.ERROR and forced is None:
            return case.unmatched()
        fabricated = forced is None and unmatched is UnmatchedPolicy.SYNTHESIZE
        if fabricated or forced is OutcomeName.READ:
            name, reading = _recognize(case, _fabricated_reading(case))
            kind, detail = MatchKind.SYNTHESIZED, None if name is OutcomeName.READ else "the picture is blank"
        else:
            name, reading, kind = forced or OutcomeName.NOTHING_FOUND, _EMPTY, MatchKind.NONE
            detail = None if forced else "no scenario matches the picture"
        if case.unfetched and forced is None:
            detail = f"{case.unfetched}; {detail or 'the reading is made up from the URL'}"
        is_made_up = name is OutcomeName.READ
        outcome = Outcome(name, reading, digest=case.digest, detail=detail, is_made_up=is_made_up)
        return case.decide(outcome, self._default_plan(case), match=kind)

    def _default_plan(self, case: Case) -> FaultPlan:
        delay = case.library.fixtures.defaults.delay
        if delay is None:
            return NO_FAULT
        self._default_delays += 1
        rng = random.Random(f"{case.policy.seed}//{self._default_delays}")
        return draw_plan(delay, None, rng)


def _true_reading(case: Case, match: Match) -> Reading | None:
    """What the picture shows. A scenario without a reading takes that of the next scenario that matches.

    None if no scenario says it, and the reading has to be made up.
    """
    if not match.scenario.reading.is_empty:
        return complete(match.scenario.reading, match.placement, case.size)
    for other in case.library.scenarios.matches(case.query):
        if not other.scenario.reading.is_empty:
            return complete(other.scenario.reading, other.placement, case.size)
    return None if case.policy.unmatched is UnmatchedPolicy.SYNTHESIZE else _EMPTY


def _recognize(case: Case, reading: Reading) -> tuple[OutcomeName, Reading]:
    """The outcome of recognising the product in a picture that shows `reading`, and what is read."""
    name = _recognition_outcome(reading, case.request.product, free_text=case.traits.free_text)
    if name is not OutcomeName.READ and case.forced_outcome is OutcomeName.READ:
        # The client forces a reading, whatever the picture shows.
        return OutcomeName.READ, _fabricate(case.digest, case.size or NOMINAL_SIZE, case.request.product)
    return name, reading


def _recognition_outcome(reading: Reading, product: Product, *, free_text: bool) -> OutcomeName:
    if product is Product.PLATE:
        return OutcomeName.READ if reading.plates else OutcomeName.NOTHING_FOUND
    if reading.vin or (free_text and (reading.text or reading.plates)):
        return OutcomeName.READ
    return OutcomeName.NOTHING_FOUND if reading.text or reading.plates else OutcomeName.NO_TEXT


def _fabricated_reading(case: Case) -> Reading:
    if case.query.facts and case.query.facts.blank:
        return _EMPTY
    return _fabricate(case.digest, case.size or NOMINAL_SIZE, case.request.product)


@lru_cache(maxsize=1024)
def _fabricate(digest: str, size: tuple[int, int], product: Product) -> Reading:
    from mock_server.core.fabricated_reading import fabricate  # the start does not need it

    return complete(fabricate(digest, *size, product), None, size)
