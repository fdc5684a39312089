"""Which scenario a request meets, and why not the others.

Among the scenarios whose conditions all hold, priority 1 wins over 9; then the one with more conditions; then the
one that was added at run time; then the one that knows the picture exactly over the one that merely recognises
it; then the one whose picture is more like it; then the order of the files.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase

from mock_server.core.model import MatchKind, ReadRequest
from mock_server.core.scenario import Conditions, ImageProperties, Scenario
from mock_server.imaging.geometry import Placement
from mock_server.imaging.results import PictureFacts, SearchResult

_EXACTNESS = {
    MatchKind.SHA256: 0,
    MatchKind.PIXELS: 1,
    MatchKind.URL: 1,
    MatchKind.RULE: 1,
    MatchKind.PERCEPTUAL: 2,
}


@dataclass(frozen=True, slots=True)
class Match:
    """The scenario that applies, how it was found, and where its picture lies in the one that was sent.

    `place` is that of its picture among those that were found, the likest being 0.
    """

    scenario: Scenario
    kind: MatchKind
    placement: Placement | None = None
    place: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """A request as conditions see it: what was asked, by which account, and what is known of the picture."""

    request: ReadRequest
    account: str
    search: SearchResult | None = None

    @property
    def facts(self) -> PictureFacts | None:
        return self.search.facts if self.search else None


class Scenarios:
    """The scenarios of one set, arranged so that a request looks only at those that could apply."""

    def __init__(self, scenarios: Iterable[Scenario]) -> None:
        self.by_name: dict[str, Scenario] = {}
        self._by_image: dict[str, list[Scenario]] = {}
        self._by_digest: dict[str, list[Scenario]] = {}
        self._others: list[Scenario] = []
        self._of_picture_alone: set[str] = set()
        for scenario in scenarios:
            self.by_name[scenario.name] = scenario
            for image in scenario.when.images:
                self._by_image.setdefault(image, []).append(scenario)
            if scenario.when.images:
                if specificity(scenario.when) == 1:
                    self._of_picture_alone.add(scenario.name)
                continue
            if scenario.when.sha256:
                self._by_digest.setdefault(scenario.when.sha256, []).append(scenario)
            else:
                self._others.append(scenario)

    def find(self, query: Query) -> Match | None:
        """The scenario that applies to a request, if any does."""
        found = list(self._matching(query))
        return min(found, key=_rank) if len(found) > 1 else next(iter(found), None)

    def matches(self, query: Query) -> list[Match]:
        """All scenarios whose conditions a request meets, the one that applies first."""
        return sorted(self._matching(query), key=_rank)

    def _matching(self, query: Query) -> Iterator[Match]:
        for match in self._candidates(query):
            scenario = match.scenario
            if scenario.name in self._of_picture_alone or not failed_conditions(scenario.when, query):
                yield match

    def of_image(self, image: str) -> list[Scenario]:
        """The scenarios that name a picture."""
        return self._by_image.get(image, [])

    def _candidates(self, query: Query) -> Iterable[Match]:
        if query.search is not None:
            for place, found in enumerate(query.search.matches):
                for scenario in self._by_image.get(found.id, ()):
                    yield Match(scenario, MatchKind(found.method), found.placement, place)
            for scenario in self._by_digest.get(query.search.facts.sha256, ()):
                yield Match(scenario, MatchKind.SHA256)
        for scenario in self._others:
            yield Match(scenario, MatchKind.URL if scenario.when.url else MatchKind.RULE)


def specificity(when: Conditions) -> int:
    """How many conditions a scenario gives; each header and each property counts."""
    single = (
        when.sha256,
        when.url,
        when.filename,
        when.key,
        when.account,
        when.provider,
        when.product,
        when.language,
    )
    given = sum(condition is not None for condition in single) + bool(when.images) + len(when.header)
    return given + _properties_given(when.properties)


def failed_conditions(when: Conditions, query: Query) -> list[str]:
    """The names of the conditions, other than the picture itself, that a request does not meet."""
    request = query.request
    checks: Mapping[str, bool] = {
        "sha256": when.sha256 is None or (query.facts is not None and query.facts.sha256 == when.sha256),
        "url": _glob(when.url, request.url),
        "filename": _glob(when.filename, request.filename),
        "key": when.key is None or when.key == request.key,
        "account": when.account is None or when.account == query.account,
        "provider": when.provider is None or when.provider == request.provider,
        "product": when.product is None or when.product == request.product,
        "language": when.language is None or when.language.lower() == request.language.lower(),
    }
    failed = [name for name, holds in checks.items() if not holds]
    failed += [
        f"header {name}"
        for name, glob in when.header.items()
        if not _glob(glob, request.headers.get(name.lower()))
    ]
    return failed + _failed_properties(when.properties, query.facts)


def _rank(match: Match) -> tuple[int, int, bool, int, int, int]:
    scenario = match.scenario
    exactness, from_file = _EXACTNESS[match.kind], scenario.order >= 0
    return scenario.priority, -specificity(scenario.when), from_file, exactness, match.place, scenario.order


def _glob(pattern: str | None, value: str | None) -> bool:
    return pattern is None or (value is not None and fnmatchcase(value, pattern))


def _properties_given(properties: ImageProperties | None) -> int:
    if properties is None:
        return 0
    return sum(getattr(properties, field.name) is not None for field in fields(properties))


def _failed_properties(wanted: ImageProperties | None, facts: PictureFacts | None) -> list[str]:
    if wanted is None:
        return []
    if facts is None:
        return ["properties"]
    checks = {
        "format": wanted.format is None or wanted.format.upper() == facts.format,
        "min_width": wanted.min_width is None or facts.width >= wanted.min_width,
        "max_width": wanted.max_width is None or facts.width <= wanted.max_width,
        "min_height": wanted.min_height is None or facts.height >= wanted.min_height,
        "max_height": wanted.max_height is None or facts.height <= wanted.max_height,
        "min_bytes": wanted.min_bytes is None or facts.byte_count >= wanted.min_bytes,
        "max_bytes": wanted.max_bytes is None or facts.byte_count <= wanted.max_bytes,
        "blank": wanted.blank is None or facts.blank is wanted.blank,
    }
    return [f"properties.{name}" for name, holds in checks.items() if not holds]
