"""A request on its way to a decision, and the decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from mock_server.core.charging import Cost
from mock_server.core.conditions import Query, given_conditions
from mock_server.core.exchange import Loser
from mock_server.core.forcing import ForcedResult
from mock_server.core.library import Library, UnmatchedPolicy
from mock_server.core.model import NO_FAULT, FaultPlan, MatchKind, Outcome, OutcomeName, Problem, ReadRequest, Traits
from mock_server.core.pictures import Lookup
from mock_server.core.scenario_precedence import Match, losers
from mock_server.core.store import Admission
from mock_server.imaging.results import SearchResult

_MOST_LOSERS = 5


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that hold for all requests.

    `reads_unfetched`: a picture behind a URL that may not be fetched is an unknown picture, not a mistake.
    `pay_per_call`: a request without a key is asked for a payment, where the provider takes one.
    """

    unmatched: UnmatchedPolicy = UnmatchedPolicy.SYNTHESIZE
    forcing: bool = True
    seed: int = 0
    reads_unfetched: bool = True
    pay_per_call: bool = False


@dataclass(slots=True)
class Decision:
    """The outcome of a request, and the facts that explain it in the journal.

    `charged` is the number of units spent; `cost` is set until that has happened. `forced` says what forced the
    outcome. `losers` are the other scenarios that held.
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
    losers: tuple[Loser, ...] = ()
    cost: Cost | None = None


@dataclass(slots=True)
class Unmatched:
    """No scenario matches, and the policy makes that an error: no provider answers, but the mock itself."""

    account: str
    search: SearchResult | None = None
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Case:
    """An admitted request with everything that its decision depends on."""

    query: Query
    lookup: Lookup
    admission: Admission
    traits: Traits
    library: Library
    policy: Policy
    forced: ForcedResult | None = None
    losers: tuple[Loser, ...] = ()

    @property
    def request(self) -> ReadRequest:
        return self.query.request

    @property
    def forced_outcome(self) -> OutcomeName | None:
        return self.forced.outcome if self.forced else None

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the picture, None if there is only a URL."""
        facts = self.query.facts
        return (facts.width, facts.height) if facts else None

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the picture, or of its URL if there is only a URL."""
        facts = self.query.facts
        return facts.sha256 if facts else sha256((self.request.url or "").encode()).hexdigest()

    @property
    def problem(self) -> Problem | None:
        """Why the picture cannot be read. A forced outcome needs no readable picture."""
        return None if self.forced_outcome or self.unfetched else self.lookup.problem

    @property
    def unfetched(self) -> str | None:
        """Why the picture was not fetched, if it is an unknown picture for that reason."""
        is_unknown = self.lookup.is_unfetched and self.policy.reads_unfetched
        return self.lookup.problem.detail if is_unknown and self.lookup.problem else None

    def match(self) -> Match | None:
        """The override, the forced scenario, or the scenario that applies. The others that held become `losers`."""
        if self.forced and self.forced.override:
            return Match(self.forced.override, MatchKind.RULE)
        if self.forced and self.forced.scenario:
            return self._forced_match(self.forced.scenario)
        # A picture that cannot be fetched can still match by its URL. A broken request matches nothing.
        if self.lookup.problem and self.request.url is None:
            return None
        found = self.library.scenarios.matches(self.query)
        if len(found) > 1:
            self.losers = losers_of(found)
        return found[0] if found else None

    def _forced_match(self, name: str) -> Match:
        scenario = self.library.scenarios.named(name, self.request.key)
        for found in self.query.search.matches if self.query.search else ():
            if found.id in scenario.when.images:
                return Match(scenario, MatchKind(found.method), found.placement)
        return Match(scenario, MatchKind.RULE)

    def decide(
        self,
        outcome: Outcome,
        plan: FaultPlan = NO_FAULT,
        scenario: str | None = None,
        match: MatchKind = MatchKind.NONE,
    ) -> Decision:
        """A decision about this request. Nothing is charged yet."""
        return Decision(
            outcome,
            plan,
            scenario,
            match,
            account=self.query.account,
            search=self.query.search,
            forced=(self.forced.by or None) if self.forced else None,
            notes=self.lookup.notes,
            losers=self.losers if scenario else (),
        )

    def unmatched(self) -> Unmatched:
        """No decision: no scenario matches this request."""
        return Unmatched(self.query.account, self.query.search, self.lookup.notes)


def losers_of(ordered: Sequence[Match]) -> tuple[Loser, ...]:
    """The first few matches after the one that applies, for the journal."""
    return tuple(
        Loser(
            match.scenario.name,
            tuple(condition.name for condition, _ in given_conditions(match.scenario.when)),
            rule,
            rule.why_lost,
        )
        for match, rule in losers(ordered)[:_MOST_LOSERS]
    )
