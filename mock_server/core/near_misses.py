"""The scenarios that a request nearly met, and what kept each from applying."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import nsmallest

from mock_server.core.matching import Query, Scenarios, failed_conditions, specificity
from mock_server.core.scenario import Scenario
from mock_server.imaging.geometry import Box
from mock_server.imaging.results import ImageMatch, ImageNearMiss

MOST = 3
_WITHOUT_PICTURE = "image"

_Rank = tuple[int, int, float]
_PICTURE, _ALIKE, _RULE, _OTHER_SCENE, _RULE_APART, _PICTURE_NOWHERE = range(6)


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A scenario that did not apply: the conditions that failed and, where it names a picture, how far off that is.

    `distance` and `limit` are those of the matcher: a picture is recognised where its distance is at most the
    limit. They are None for a scenario that names no picture, or whose picture is nowhere near. `region`
    is where the pictures differ, in pixels of the one that was sent; `reason` is the matcher's word for it.
    """

    scenario: str
    failed: tuple[str, ...]
    distance: float | None = None
    limit: float | None = None
    region: Box | None = None
    reason: str | None = None


def near_misses(query: Query, scenarios: Scenarios, *, most: int = MOST) -> list[NearMiss]:
    """The nearest scenarios, nearest first.

    Nearest is one whose picture was sent, where other conditions failed; then one whose picture looks alike but for
    its text; then one without a picture, some of whose conditions hold; then pictures of other scenes.
    """
    ranked = nsmallest(most, _misses(query, scenarios), key=lambda pair: pair[0])
    return [miss for _, miss in ranked]


def _misses(query: Query, scenarios: Scenarios) -> Iterator[tuple[_Rank, NearMiss]]:
    near: dict[str, ImageMatch | ImageNearMiss] = {}
    if query.search is not None:
        near = {near.id: near for near in query.search.near_misses}
        near |= {found.id: found for found in query.search.matches}
    for scenario in scenarios.by_name.values():
        failed = failed_conditions(scenario.when, query)
        if not scenario.when.images:
            if failed:
                hold = specificity(scenario.when) - len(failed)
                yield (
                    (_RULE if hold > 0 else _RULE_APART, len(failed), -hold),
                    NearMiss(scenario.name, tuple(failed)),
                )
            continue
        miss = _of_picture(scenario, failed, near)
        if miss.failed:
            yield (_kind(miss), len(miss.failed), _beyond(miss)), miss


def _of_picture(
    scenario: Scenario, failed: list[str], near: Mapping[str, ImageMatch | ImageNearMiss]
) -> NearMiss:
    closest = min(
        (near[image] for image in scenario.when.images if image in near),
        key=lambda one: (isinstance(one, ImageNearMiss), one.score),
        default=None,
    )
    if closest is None:
        return NearMiss(scenario.name, (_WITHOUT_PICTURE, *failed))
    if isinstance(closest, ImageMatch):
        return NearMiss(scenario.name, tuple(failed), closest.score, closest.limit)
    return NearMiss(
        scenario.name,
        (_WITHOUT_PICTURE, *failed),
        closest.score,
        closest.limit,
        closest.region,
        closest.reason,
    )


def _kind(miss: NearMiss) -> int:
    if _WITHOUT_PICTURE not in miss.failed:
        return _PICTURE
    if miss.distance is None:
        return _PICTURE_NOWHERE
    return _OTHER_SCENE if miss.reason == "other_scene" else _ALIKE


def _beyond(miss: NearMiss) -> float:
    return 0.0 if miss.distance is None or miss.limit is None else miss.distance - miss.limit
