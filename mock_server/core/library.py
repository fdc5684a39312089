"""The library that is served: scenarios, the index of their pictures, the gallery. It is replaced, never changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self, Union

from mock_server.core.fixture_set import FixtureSet
from mock_server.core.matching import Scenarios
from mock_server.core.scenario import Scenario
from mock_server.imaging.lazy_index import LazyIndex
from mock_server.imaging.results import SearchResult

if TYPE_CHECKING:
    from mock_server.imaging.index import ImageIndex, Reference

Index = Union["ImageIndex", LazyIndex]


@dataclass(frozen=True, slots=True)
class Library:
    """A fixture set, indexed for requests. A request uses one library from beginning to end."""

    fixtures: FixtureSet
    index: Index
    scenarios: Scenarios
    gallery: Mapping[str, Path | bytes] = field(default_factory=dict)
    searches: dict[str, SearchResult] = field(default_factory=dict, compare=False)
    """Cached searches for pictures of the gallery, by their names."""

    @classmethod
    def of(cls, fixtures: FixtureSet, index: Index) -> Self:
        """The library of a fixture set and its index."""
        shown = {**fixtures.unnamed, **fixtures.images}
        gallery = {gallery_name(image): source for image, source in shown.items()}
        return cls(fixtures, index, Scenarios(fixtures.scenarios), gallery)

    def changed(self, *, removed: Scenario | None, added: Scenario | None) -> Self:
        """A copy with one scenario less, one more, or both, and with the same pictures."""
        scenarios = self.fixtures.scenarios
        if removed is not None:
            scenarios = tuple(scenario for scenario in scenarios if scenario is not removed)
        if added is not None:
            scenarios = (added, *scenarios)
        fixtures = replace(self.fixtures, scenarios=scenarios)
        return replace(self, fixtures=fixtures, scenarios=self.scenarios.changed(removed=removed, added=added))

    def picture(self, name: str) -> bytes | None:
        """The bytes of a gallery picture. `name` is a dictionary key and never becomes a path."""
        source = self.gallery.get(name)
        try:
            return source.read_bytes() if isinstance(source, Path) else source
        except OSError:
            # The file was deleted after the set was loaded.
            return None


def gallery_name(image: str) -> str:
    """The name under `/images/` of a picture: its path below the fixtures directory, without `images/`."""
    return image.removeprefix("images/")


def references_of(fixtures: FixtureSet) -> "list[Reference]":
    """The pictures of a set, each with the boxes of its readings: the regions that distinguish similar pictures.

    If a scenario has several pictures, its boxes belong to the first one.
    """
    # Imported late: the start does not need the index.
    from mock_server.imaging.index import Reference, Region

    regions: dict[str, dict[Region, None]] = {image: {} for image in fixtures.images}
    for scenario in fixtures.scenarios:
        for image in scenario.when.images[:1]:
            for text, box in scenario.reading.boxes():
                regions[image][Region(box, sum(map(str.isalnum, text)))] = None
    return [Reference(image, source, tuple(regions[image])) for image, source in fixtures.images.items()]
