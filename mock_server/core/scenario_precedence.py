"""Which of several scenarios that hold answers a request, and by which rule each of the others loses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mock_server.core.model import MatchKind
from mock_server.core.scenario import Scenario
from mock_server.imaging.geometry import Placement

_EXACTNESS = {MatchKind.SHA256: 0, MatchKind.PIXELS: 1, MatchKind.URL: 1, MatchKind.RULE: 1, MatchKind.PERCEPTUAL: 2}


@dataclass(slots=True)
class Match:
    """A scenario for a request, how it was found, and the placement of its picture in the one that was sent.

    `place` is the rank of its picture among those that were recognised, 0 for the most similar one. `conditions` is
    the number of its conditions.
    """

    scenario: Scenario
    kind: MatchKind
    placement: Placement | None = None
    place: int = 0
    conditions: int = 0


class Rule(StrEnum):
    """The rules of precedence, in their order. The first rule that distinguishes two scenarios decides."""

    PRIORITY = "priority"
    ERROR_BINDING = "error_binding"
    MORE_CONDITIONS = "more_conditions"
    RUNTIME = "runtime"
    PICTURE_DISTANCE = "picture_distance"
    ORDER = "order"

    @property
    def why_lost(self) -> str:
        """Why a scenario loses by this rule."""
        return _WHY_LOST[self]


_WHY_LOST = {
    Rule.PRIORITY: "its priority is lower",
    Rule.ERROR_BINDING: "an error that is bound by file name, URL, header, key or account comes before a picture",
    Rule.MORE_CONDITIONS: "it has fewer conditions",
    Rule.RUNTIME: "it comes from a file, the winner was added at run time",
    Rule.PICTURE_DISTANCE: "its picture is less similar",
    Rule.ORDER: "it comes later",
}

Rank = tuple[int, int, int, tuple[int, int], int]
"""One value for each rule but ERROR_BINDING; the smallest rank comes first."""

_RANKED = tuple(rule for rule in Rule if rule is not Rule.ERROR_BINDING)


def in_order(matches: Iterable[Match]) -> list[Match]:
    """The matches of one request, the one that applies first.

    If a picture would apply, a bound error of the same priority takes its place.
    """
    found = list(matches)
    if len(found) < 2:
        return found
    found.sort(key=rank)
    first = found[0].scenario
    if gives_way(first):
        error = next((one for one in found if takes_place(one.scenario, first)), None)
        if error is not None:
            found.remove(error)
            found.insert(0, error)
    return found


def losers(ordered: Sequence[Match]) -> list[tuple[Match, Rule]]:
    """The matches after the first one, each with the rule by which it loses. A scenario is listed once."""
    seen = {ordered[0].scenario.id}
    lost: list[tuple[Match, Rule]] = []
    for match in ordered[1:]:
        if match.scenario.id not in seen:
            seen.add(match.scenario.id)
            lost.append((match, _rule_against(ordered, match)))
    return lost


def _rule_against(ordered: Sequence[Match], match: Match) -> Rule:
    winner = ordered[0]
    if takes_place(winner.scenario, match.scenario):
        return Rule.ERROR_BINDING
    if rank(match) < rank(winner):
        # The winner has taken the place of a picture, which comes before this scenario.
        winner = ordered[1]
    pairs = zip(_RANKED, rank(winner), rank(match), strict=True)
    return next((rule for rule, best, own in pairs if best != own), Rule.ORDER)


def gives_way(scenario: Scenario) -> bool:
    """Whether a bound error takes the place of a scenario: it has a picture, and is no bound error itself."""
    return bool(scenario.when.images or scenario.when.sha256) and not scenario.is_bound_error


def takes_place(error: Scenario, scenario: Scenario) -> bool:
    """Whether `error` applies instead of `scenario`, regardless of the number of their conditions."""
    return error.is_bound_error and error.priority == scenario.priority and gives_way(scenario)


def rank(match: Match) -> Rank:
    """The place of a match by all rules but ERROR_BINDING."""
    scenario = match.scenario
    exactness = _EXACTNESS[match.kind], match.place
    return scenario.priority, -match.conditions, scenario.layer, exactness, scenario.order
