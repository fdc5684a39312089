"""The scenarios that a request nearly matched, and why they did not match."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import nsmallest

from mock_server.core.conditions import Query, failed_conditions, specificity
from mock_server.core.matching import Scenarios
from mock_server.core.scenario import Scenario
from mock_server.imaging.geometry import Box
from mock_server.imaging.results import ImageMatch, ImageNearMiss

MOST = 3

# Kinds of near misses, the nearest first.
_SAME_PICTURE, _SIMILAR_PICTURE, _RULE_IN_PART, _OTHER_SCENE, _RULE, _NO_PICTURE = range(6)

_Rank = tuple[int, int, float]
_Pictures = Mapping[str, ImageMatch | ImageNearMiss]


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A scenario that did not match: the conditions that failed and, if it has a picture, how similar that is.

    `distance` and `limit` are those of the image index: a picture is recognised if its distance is at most the limit.
    Both are None if the scenario has no picture, or none that is similar. `region` is where the pictures differ, in
    pixels of the one that was sent. `reason` is the word of the image index for the difference.
    """

    scenario: str
    failed: tuple[str, ...]
    distance: float | None = None
    limit: float | None = None
    region: Box | None = None
    reason: str | None = None


def near_misses(query: Query, scenarios: Scenarios, *, most: int = MOST) -> list[NearMiss]:
    """The nearest scenarios, nearest first.

    The order: scenarios whose picture was sent but with other conditions that failed; those whose picture differs in
    its text or colours; those without a picture, some of whose conditions hold; those with a picture of another scene.
    """
    ranked = nsmallest(most, _ranked_misses(query, scenarios), key=lambda pair: pair[0])
    return [miss for _, miss in ranked]


def _ranked_misses(query: Query, scenarios: Scenarios) -> Iterator[tuple[_Rank, NearMiss]]:
    pictures: dict[str, ImageMatch | ImageNearMiss] = {}
    if query.search is not None:
        pictures = {one.id: one for one in query.search.near_misses}
        pictures |= {one.id: one for one in query.search.matches}
    for scenario in scenarios.by_name.values():
        failed = tuple(failed_conditions(scenario.when, query))
        if not failed:
            continue
        if scenario.when.images:
            miss = _with_picture(scenario, failed, pictures)
            beyond = (
                miss.distance - miss.limit if miss.distance is not None and miss.limit is not None else 0.0
            )
            yield (_picture_kind(miss), len(failed), beyond), miss
        else:
            hold = specificity(scenario.when) - len(failed)
            yield (_RULE_IN_PART if hold > 0 else _RULE, len(failed), -hold), NearMiss(scenario.name, failed)


def _with_picture(scenario: Scenario, failed: tuple[str, ...], pictures: _Pictures) -> NearMiss:
    closest = min(
        (pictures[image] for image in scenario.when.images if image in pictures),
        key=lambda one: (isinstance(one, ImageNearMiss), one.score),
        default=None,
    )
    match closest:
        case None:
            return NearMiss(scenario.name, failed)
        case ImageMatch():
            return NearMiss(scenario.name, failed, closest.score, closest.limit)
        case ImageNearMiss():
            return NearMiss(
                scenario.name, failed, closest.score, closest.limit, closest.region, closest.reason
            )


def _picture_kind(miss: NearMiss) -> int:
    if "image" not in miss.failed:
        return _SAME_PICTURE
    if miss.distance is None:
        return _NO_PICTURE
    return _OTHER_SCENE if miss.reason == "other_scene" else _SIMILAR_PICTURE
