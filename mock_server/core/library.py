"""The content of a fixtures directory, and the library that is served: the content with the index of its pictures.

A library is replaced, never changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Self, Union

from mock_server.core.account import Account
from mock_server.core.delay import Delay
from mock_server.core.matching import Scenarios
from mock_server.core.model import OutcomeName
from mock_server.core.scenario import Scenario
from mock_server.imaging.lazy_index import LazyIndex
from mock_server.imaging.results import SearchResult
from mock_server.suggest import many

if TYPE_CHECKING:
    from mock_server.imaging.index import ImageIndex, Reference


class UnmatchedPolicy(StrEnum):
    """What happens to a picture without a scenario."""

    SYNTHESIZE = "synthesize"
    NOTHING_FOUND = "nothing_found"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Defaults:
    """The defaults in `mock.yaml`. None means that it has no such field.

    `charge`: provider name (or "*") to the outcomes that cost a unit. `variants`: provider name to outcome to the
    variant that is used if a scenario names none. `chaos`: outcomes and faults that any request may meet, with their
    chances, 0 to 1.
    """

    unmatched: UnmatchedPolicy | None = None
    strict: bool | None = None
    delay: Delay | None = None
    charge: Mapping[str, frozenset[str]] = field(default_factory=dict)
    variants: Mapping[str, Mapping[OutcomeName, str]] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    chaos: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FixtureSet:
    """A loaded fixtures directory. `images` maps the id of a picture (its path below the directory) to its file.

    A picture that was added at run time has its bytes instead of a path. `unnamed` are pictures in `images/` that no
    scenario names: they are in the gallery, and no request matches them.
    """

    root: Path | None = None
    scenarios: tuple[Scenario, ...] = ()
    accounts: tuple[Account, ...] = ()
    defaults: Defaults = Defaults()
    images: Mapping[str, Path | bytes] = field(default_factory=dict)
    unnamed: Mapping[str, Path] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """What is in it, as users read it: "1 scenario, 2 pictures"."""
        return f"{many(len(self.scenarios), 'scenario')}, {many(len(self.images), 'picture')}"


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
