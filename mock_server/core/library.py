"""The set that is being served: scenarios, the index of their pictures, the gallery. Swapped whole, never changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from mock_server.core.fixture_set import FixtureSet
from mock_server.core.matching import Scenarios
from mock_server.imaging.index import ImageIndex


@dataclass(frozen=True, slots=True)
class Library:
    """A fixture set made ready to answer. A request that began with one finishes with it."""

    fixtures: FixtureSet
    index: ImageIndex
    scenarios: Scenarios
    gallery: Mapping[str, Path | bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, fixtures: FixtureSet, index: ImageIndex) -> Self:
        """Arrange a set and its index for answering."""
        gallery = {gallery_name(image): source for image, source in fixtures.images.items()}
        return cls(fixtures, index, Scenarios(fixtures.scenarios), gallery)

    def picture(self, name: str) -> bytes | None:
        """The bytes of a picture of the gallery. `name` is only looked up, never made into a path."""
        source = self.gallery.get(name)
        return source.read_bytes() if isinstance(source, Path) else source


def gallery_name(image: str) -> str:
    """The name under `/images/` of a picture: its path below the fixtures directory, without `images/`."""
    return image.removeprefix("images/")
