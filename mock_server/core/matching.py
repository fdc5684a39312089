"""Finds the scenario for a request.

Among the scenarios whose conditions all hold, the winner is decided by, in this order: priority (1 wins over 9), the
number of conditions, run time before files, how exactly the picture was recognised, how similar it is, the order of the
files.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mock_server.core.conditions import Given, Query, given_conditions
from mock_server.core.model import MatchKind
from mock_server.core.scenario import Scenario
from mock_server.imaging.geometry import Placement

_EXACTNESS = {MatchKind.SHA256: 0, MatchKind.PIXELS: 1, MatchKind.URL: 1, MatchKind.RULE: 1, MatchKind.PERCEPTUAL: 2}


@dataclass(frozen=True, slots=True)
class Match:
    """A scenario for a request, how it was found, and the placement of its picture in the one that was sent.

    `place` is the rank of its picture among those that were recognised, 0 for the most similar one.
    """

    scenario: Scenario
    kind: MatchKind
    placement: Placement | None = None
    place: int = 0


class Scenarios:
    """The scenarios of a library, indexed so that a request is compared only with those that could match."""

    def __init__(self, scenarios: Iterable[Scenario]) -> None:
        self.by_id: dict[str, Scenario] = {}
        self.by_name: dict[str, dict[str | None, Scenario]] = {}
        self._by_image: dict[str, list[Scenario]] = {}
        self._by_digest: dict[str, list[Scenario]] = {}
        self._others: list[Scenario] = []
        self._given: dict[str, list[Given]] = {}
        self._specificity: dict[str, int] = {}
        for scenario in scenarios:
            self._add(scenario)

    def _add(self, scenario: Scenario) -> None:
        when, given = scenario.when, given_conditions(scenario.when)
        id = scenario.id
        self.by_id[id] = scenario
        self.by_name.setdefault(scenario.name, {})[when.key] = scenario
        self._specificity[id] = len(given)
        # The index has found the picture, so that condition need not be tested again.
        self._given[id] = [one for one in given if one[0].name != "image"]
        for image in when.images:
            self._by_image.setdefault(image, []).append(scenario)
        if when.images:
            return
        if when.sha256:
            self._by_digest.setdefault(when.sha256, []).append(scenario)
        else:
            self._others.append(scenario)

    def find(self, query: Query) -> Match | None:
        """The scenario that applies to a request, if any does."""
        return min(self._matching(query), key=self._rank, default=None)

    def matches(self, query: Query) -> list[Match]:
        """All scenarios that match a request, the one that applies first."""
        return sorted(self._matching(query), key=self._rank)

    def named(self, name: str, key: str | None) -> Scenario:
        """The scenario of that name for a key: the one bound to the key, else to no key, else to another key.

        Raises KeyError.
        """
        by_key = self.by_name[name]
        return by_key.get(key) or by_key.get(None) or next(iter(by_key.values()))

    def of_image(self, image: str) -> list[Scenario]:
        """The scenarios that name a picture."""
        return self._by_image.get(image, [])

    def _matching(self, query: Query) -> Iterator[Match]:
        for match in self._candidates(query):
            given = self._given[match.scenario.id]
            if all(condition.test(value, query) for condition, value in given):
                yield match

    def _candidates(self, query: Query) -> Iterator[Match]:
        if query.search is not None:
            for place, found in enumerate(query.search.matches):
                for scenario in self._by_image.get(found.id, ()):
                    yield Match(scenario, MatchKind(found.method), found.placement, place)
            for scenario in self._by_digest.get(query.search.facts.sha256, ()):
                yield Match(scenario, MatchKind.SHA256)
        for scenario in self._others:
            yield Match(scenario, MatchKind.URL if scenario.when.url else MatchKind.RULE)

    def _rank(self, match: Match) -> tuple[int, int, bool, int, int, int]:
        scenario = match.scenario
        is_from_file = scenario.order >= 0
        return (
            scenario.priority,
            -self._specificity[scenario.id],
            is_from_file,
            _EXACTNESS[match.kind],
            match.place,
            scenario.order,
        )
