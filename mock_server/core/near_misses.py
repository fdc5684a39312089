"""The scenarios that a request nearly matched, and why they did not match."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from heapq import nsmallest

from mock_server.core.conditions import Query, compared_conditions
from mock_server.core.exchange import ScenarioMiss, region_of
from mock_server.core.scenario import Scenario
from mock_server.imaging.results import ImageMatch, ImageNearMiss

_MOST = 3

# Kinds of near misses, the nearest first.
_SAME_PICTURE, _SIMILAR_PICTURE, _RULE_IN_PART, _OTHER_SCENE, _RULE, _NO_PICTURE = range(6)

_Rank = tuple[int, int, float]
_Pictures = Mapping[str, ImageMatch | ImageNearMiss]


def near_misses(query: Query, scenarios: Sequence[Scenario], *, only_close: bool = False) -> list[ScenarioMiss]:
    """The nearest scenarios, nearest first; `only_close`: those that share the picture or a condition.

    The order: scenarios whose picture was sent but with other conditions that failed; those whose picture differs in
    its text or colours; those without a picture, some of whose conditions hold; those with a picture of another scene.
    """
    farthest = _RULE_IN_PART if only_close else _NO_PICTURE
    close = (pair for pair in _ranked_misses(query, scenarios) if pair[0][0] <= farthest)
    ranked = nsmallest(_MOST, close, key=lambda pair: pair[0])
    return [miss for _, miss in ranked]


def _ranked_misses(query: Query, scenarios: Sequence[Scenario]) -> Iterator[tuple[_Rank, ScenarioMiss]]:
    pictures: dict[str, ImageMatch | ImageNearMiss] = {}
    if query.search is not None:
        pictures = {one.id: one for one in query.search.near_misses}
        pictures |= {one.id: one for one in query.search.matches}
    for scenario in scenarios:
        held, failed = compared_conditions(scenario.when, query)
        if not failed:
            continue
        miss = ScenarioMiss(scenario.name, tuple(failed), tuple(held))
        if scenario.when.images:
            miss = _with_picture(scenario, miss, pictures)
            beyond = miss.distance - miss.limit if miss.distance is not None and miss.limit is not None else 0.0
            yield (_picture_kind(miss), len(failed), beyond), miss
        else:
            yield (_RULE_IN_PART if held else _RULE, len(failed), -len(held)), miss


def _with_picture(scenario: Scenario, miss: ScenarioMiss, pictures: _Pictures) -> ScenarioMiss:
    closest = min(
        (pictures[image] for image in scenario.when.images if image in pictures),
        key=lambda one: (isinstance(one, ImageNearMiss), one.score),
        default=None,
    )
    if closest is None:
        return miss
    miss = replace(miss, distance=round(closest.score, 4), limit=closest.limit)
    if isinstance(closest, ImageMatch):
        return miss
    return replace(miss, region=region_of(closest.region), reason=closest.reason)


def _picture_kind(miss: ScenarioMiss) -> int:
    if "image" not in miss.failed:
        return _SAME_PICTURE
    if miss.distance is None:
        return _NO_PICTURE
    return _OTHER_SCENE if miss.reason == "other_scene" else _SIMILAR_PICTURE
