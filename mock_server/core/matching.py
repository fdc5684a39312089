"""Finds the scenarios whose conditions all hold for a request. `scenario_precedence` decides which of them answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mock_server.core.conditions import Conditions, Given, Query, given_conditions
from mock_server.core.model import MatchKind
from mock_server.core.scenario import Scenario
from mock_server.core.scenario_precedence import Match, in_order
from mock_server.imaging.geometry import Placement

_KINDS = {kind.value: kind for kind in MatchKind}
_Anchor = tuple[str, str]
_RULE: _Anchor = ("rule", "")


@dataclass(frozen=True, slots=True)
class _GivenConditions:
    """The conditions of a scenario: how many there are, and those that the index has not tested."""

    count: int
    untested: tuple[Given, ...]

    def hold(self, query: Query) -> bool:
        """Whether a request meets them."""
        for condition, value in self.untested:  # noqa: SIM110 -- `all()` costs more than most of the tests
            if not condition.test(value, query):
                return False
        return True


class Scenarios:
    """The scenarios of a library, indexed so that a request is compared only with those that could match.

    The index leads from a picture, a digest or neither to the scenarios of each key (None: bound to no key).
    """

    def __init__(self, scenarios: Iterable[Scenario] = ()) -> None:
        self.by_id: dict[str, Scenario] = {}
        self.by_name: dict[str, dict[str | None, Scenario]] = {}
        self._index: dict[_Anchor, dict[str | None, list[Scenario]]] = {}
        self._given: dict[str, _GivenConditions] = {}
        for scenario in scenarios:
            self._add(scenario)

    def changed(self, *, removed: Scenario | None, added: Scenario | None) -> "Scenarios":
        """A copy with one scenario less, one more, or both. It shares everything that these two do not concern."""
        copy = Scenarios()
        copy.by_id, copy.by_name = dict(self.by_id), dict(self.by_name)
        copy._index, copy._given = dict(self._index), dict(self._given)
        if removed is not None:
            copy._unshare(removed)
            copy._remove(removed)
        if added is not None:
            copy._unshare(added)
            copy._add(added)
        return copy

    def _add(self, scenario: Scenario) -> None:
        when = scenario.when
        self.by_id[scenario.id] = scenario
        self.by_name.setdefault(scenario.name, {})[when.key] = scenario
        self._given[scenario.id] = _given(when)
        for anchor in _anchors(when):
            self._index.setdefault(anchor, {}).setdefault(when.key, []).append(scenario)

    def _remove(self, scenario: Scenario) -> None:
        when = scenario.when
        del self.by_id[scenario.id], self._given[scenario.id], self.by_name[scenario.name][when.key]
        if not self.by_name[scenario.name]:
            del self.by_name[scenario.name]
        for anchor in _anchors(when):
            self._index[anchor][when.key] = [one for one in self._index[anchor][when.key] if one is not scenario]

    def _unshare(self, scenario: Scenario) -> None:
        """Copy the parts that adding or removing a scenario changes."""
        name, key = scenario.name, scenario.when.key
        self.by_name[name] = dict(self.by_name.get(name, {}))
        for anchor in _anchors(scenario.when):
            by_key = self._index[anchor] = dict(self._index.get(anchor, {}))
            by_key[key] = list(by_key.get(key, ()))

    def in_order(self) -> list[Scenario]:
        """All scenarios: runtime scenarios in the order they were added, then those of the files, overlays first."""
        return sorted(self.by_id.values(), key=lambda scenario: (scenario.layer, abs(scenario.order)))

    def matches(self, query: Query) -> list[Match]:
        """All scenarios that match a request, the one that applies first."""
        found: list[Match] = []
        if query.search is not None:
            for place, image in enumerate(query.search.matches):
                found += self._found_at(("image", image.id), query, _KINDS[image.method], image.placement, place)
            found += self._found_at(("sha256", query.search.facts.sha256), query, MatchKind.SHA256)
        return in_order(found + self._found_at(_RULE, query))

    def named(self, name: str, key: str | None) -> Scenario:
        """The scenario of that name for a key: the one bound to the key, else to no key, else to another key.

        Raises KeyError.
        """
        by_key = self.by_name[name]
        return by_key.get(key) or by_key.get(None) or next(iter(by_key.values()))

    def of_image(self, image: str) -> list[Scenario]:
        """The scenarios that name a picture."""
        by_key = self._index.get(("image", image), {})
        return [scenario for scenarios in by_key.values() for scenario in scenarios]

    def _found_at(
        self,
        anchor: _Anchor,
        query: Query,
        kind: MatchKind | None = None,
        placement: Placement | None = None,
        place: int = 0,
    ) -> list[Match]:
        """The scenarios below one anchor that match a request. Without a `kind`, it is that of a rule."""
        found = []
        for scenario in self._indexed(anchor, query.request.key):
            given = self._given[scenario.id]
            if given.hold(query):
                own_kind = kind or (MatchKind.URL if scenario.when.url else MatchKind.RULE)
                found.append(Match(scenario, own_kind, placement, place, given.count))
        return found

    def _indexed(self, anchor: _Anchor, key: str | None) -> Sequence[Scenario]:
        by_key = self._index.get(anchor)
        if by_key is None:
            return ()
        unbound = by_key.get(None, ())
        return unbound if key is None or key not in by_key else [*unbound, *by_key[key]]


def _given(when: Conditions) -> _GivenConditions:
    given = given_conditions(when)
    anchor = _anchors(when)[0][0]
    return _GivenConditions(len(given), tuple(each for each in given if each[0].name != anchor))


def _anchors(when: Conditions) -> list[_Anchor]:
    """Where a scenario is in the index."""
    if when.images:
        return [("image", image) for image in when.images]
    return [("sha256", when.sha256)] if when.sha256 else [_RULE]
