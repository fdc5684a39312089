"""The scenarios that match, could match or nearly match a request, when only some facts about it are known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mock_server.core.conditions import Given, Query, given_conditions
from mock_server.core.model import MatchKind
from mock_server.core.scenario import Scenario
from mock_server.core.scenario_precedence import Match, Rule, in_order, losers

_PICTURE_CONDITIONS = ("image", "sha256")


@dataclass(frozen=True, slots=True)
class Contender:
    """A scenario with the conditions that the known facts meet, those that they do not meet, and the undecided ones.

    `lost_by` is the rule by which it loses against the scenario that answers; None if it answers, or would if the
    undecided conditions held.
    """

    match: Match
    held: tuple[str, ...]
    failed: tuple[str, ...]
    undecided: tuple[Given, ...]
    lost_by: Rule | None = None

    @property
    def is_unconditional(self) -> bool:
        """Whether it holds for every request."""
        return not (self.held or self.failed or self.undecided)

    @property
    def has_picture(self) -> bool:
        """Whether the picture is one of its own."""
        return any(name in self.held for name in _PICTURE_CONDITIONS)


def contenders(scenarios: Sequence[Scenario], query: Query, is_known: Callable[[str], bool]) -> list[Contender]:
    """The scenarios with a condition that is known to hold, or without conditions: first those that answer or could
    answer, then those that lose, then those that fail.

    `is_known` returns whether a condition of that name can be decided.
    """
    found = [
        one
        for one in (_examine(scenario, query, is_known) for scenario in scenarios)
        if one.held or one.is_unconditional
    ]
    holding = [one for one in found if not one.failed]
    decided = [one.match for one in holding if not one.undecided]
    ordered = in_order(one.match for one in holding)
    ranked = [
        replace(one, lost_by=_lost_by(one.match, decided))
        for one in sorted(holding, key=lambda one: ordered.index(one.match))
    ]
    return [*sorted(ranked, key=lambda one: one.lost_by is not None), *(one for one in found if one.failed)]


def _examine(scenario: Scenario, query: Query, is_known: Callable[[str], bool]) -> Contender:
    given = given_conditions(scenario.when)
    known = [(condition, value) for condition, value in given if is_known(condition.name)]
    held = tuple(condition.name for condition, value in known if condition.test(value, query))
    failed = tuple(condition.name for condition, value in known if condition.name not in held)
    undecided = tuple(pair for pair in given if pair not in known)
    return Contender(_match(scenario, query, len(given)), held, failed, undecided)


def _match(scenario: Scenario, query: Query, conditions: int) -> Match:
    when = scenario.when
    for place, found in enumerate(query.search.matches if query.search else ()):
        if found.id in when.images:
            return Match(scenario, MatchKind(found.method), found.placement, place, conditions)
    if when.sha256:
        return Match(scenario, MatchKind.SHA256, None, 0, conditions)
    return Match(scenario, MatchKind.URL if when.url else MatchKind.RULE, None, 0, conditions)


def _lost_by(match: Match, decided: Sequence[Match]) -> Rule | None:
    """The rule by which a match loses against the best of those that certainly hold."""
    ordered = in_order([*decided, match])
    return next((rule for lost, rule in losers(ordered) if lost.scenario.id == match.scenario.id), None)
