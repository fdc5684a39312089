"""The index of known pictures: which of them is this one?

Cheapest first: the very bytes, the very pixels, then by look.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

import xxhash

from mock_server.imaging.build_index import Entry, load, read
from mock_server.imaging.candidate_verification import LEAST_CELL
from mock_server.imaging.decode import Picture, decode
from mock_server.imaging.explanation import Explanation, explained, side_by_side
from mock_server.imaging.fingerprint import Reference, Region
from mock_server.imaging.formats import Bytes
from mock_server.imaging.geometry import Box, Placement
from mock_server.imaging.lru import Recent
from mock_server.imaging.open_image import DEFAULT_MAX_PIXELS
from mock_server.imaging.perceptual_search import PerceptualSearch
from mock_server.imaging.results import (
    Collision,
    ImageMatch,
    ImageNearMiss,
    MatchMethod,
    SearchResult,
    TooSmall,
)

__all__ = [
    "Collision",
    "ImageIndex",
    "ImageMatch",
    "ImageNearMiss",
    "Reference",
    "Region",
    "SearchResult",
    "TooSmall",
]


class ImageIndex:
    """Immutable; queries may run in several threads at once."""

    def __init__(self, entries: Iterable[Entry], max_pixels: int = DEFAULT_MAX_PIXELS) -> None:
        self._entries = tuple(entries)
        self._max_pixels = max_pixels
        self._recent: Recent[bytes, SearchResult] = Recent()
        self._by_content: dict[bytes, list[Entry]] = defaultdict(list)
        self._by_pixels: dict[bytes, list[Entry]] = defaultdict(list)
        for entry in self._entries:
            self._by_content[entry.print.content].append(entry)
            self._by_pixels[entry.print.pixels].append(entry)
        self._looks = PerceptualSearch(self._entries, max_pixels)

    @classmethod
    def build(
        cls,
        references: Iterable[Reference],
        *,
        cache: Path | None = None,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        progress: Callable[[int, int], None] | None = None,
        workers: int | None = None,
    ) -> Self:
        """Read and index all pictures; the ImageError of one that cannot be read has its id as a note.

        `cache`: a directory in which fingerprints are kept between runs. `progress` is told how many of how
        many."""
        return cls(load(references, {}, cache, max_pixels, progress, workers), max_pixels)

    def updated(
        self,
        references: Iterable[Reference],
        *,
        cache: Path | None = None,
        progress: Callable[[int, int], None] | None = None,
        workers: int | None = None,
    ) -> Self:
        """The index of a new list of references; those that are as they were are not read again."""
        known = {entry.key: entry for entry in self._entries}
        return type(self)(
            load(references, known, cache, self._max_pixels, progress, workers), self._max_pixels
        )

    def __len__(self) -> int:
        return len(self._entries)

    def find_known(self, data: Bytes) -> SearchResult | None:
        """The answer where it needs no decoding: bytes of the index, or asked for lately. Never blocks."""
        return self._known(xxhash.xxh3_128_digest(data))

    def find(self, data: Bytes, decoded: Callable[[Picture], None] | None = None) -> SearchResult:
        """Which references `data` shows; raises the errors of `ImageError`.

        `decoded` is given the picture where it had to be decoded.
        """
        key = xxhash.xxh3_128_digest(data)
        search = self._known(key)
        if search is None:
            picture = decode(data, max_pixels=self._max_pixels)
            search = self._by_pixels_or_look(picture)
            if decoded is not None:
                decoded(picture)
            self._recent.put(key, search)
        return search

    def collisions(self) -> tuple[Collision, ...]:
        """Pairs that no query could tell apart: the same pixels, or one picture encoded twice."""
        pairs = []
        for entries in self._by_pixels.values():
            first, *others = entries
            pairs += [Collision(first.reference.id, other.reference.id, 0.0) for other in others]
        return (*pairs, *self._looks.collisions())

    def too_small(self) -> tuple[TooSmall, ...]:
        """References whose text cannot be told from a neighbour's."""
        return tuple(
            TooSmall(entry.reference.id, region.box, region.cell())
            for entry in self._entries
            for region in entry.reference.regions
            if region.cell() < LEAST_CELL
        )

    def explain(self, data: Bytes) -> Explanation:
        """What `find` says, with the places that decided it; raises the errors of `ImageError`."""
        search = self._same_bytes(xxhash.xxh3_128_digest(data))
        if search is None:
            search = self._by_pixels_or_look(decode(data, max_pixels=self._max_pixels), thorough=True)
        regions: tuple[Box, ...] = ()
        if search.matches:
            best = search.matches[0]
            regions = tuple(best.placement.map(region.box) for region in self._reference(best.id).regions)
        return explained(search, regions)

    def explanation_picture(self, explanation: Explanation, data: Bytes) -> bytes:
        """A PNG of the sent picture beside the known one it matches or comes nearest to, their regions
        marked."""
        if explanation.id is None:
            return side_by_side(explanation, data, None, max_pixels=self._max_pixels)
        reference = self._reference(explanation.id)
        boxes = tuple(region.box for region in reference.regions)
        return side_by_side(explanation, data, read(reference), boxes, max_pixels=self._max_pixels)

    def _reference(self, id: str) -> Reference:
        return next(entry.reference for entry in self._entries if entry.reference.id == id)

    def _known(self, content: bytes) -> SearchResult | None:
        return self._same_bytes(content) or self._recent.get(content)

    def _same_bytes(self, content: bytes) -> SearchResult | None:
        entries = self._by_content.get(content)
        return SearchResult(entries[0].print.facts, self._exact(entries, "sha256")) if entries else None

    def _by_pixels_or_look(self, picture: Picture, *, thorough: bool = False) -> SearchResult:
        # A JPEG is decoded in grey and reduced; all its pixels are only worth the time where looks decide
        # nothing.
        lossless = picture.facts.format not in ("JPEG", "MPO")
        if (lossless or picture.facts.blank) and (entries := self._by_pixels.get(picture.pixels())):
            return SearchResult(picture.facts, self._exact(entries, "pixels"))
        return (
            SearchResult(picture.facts)
            if picture.facts.blank
            else self._looks.find(picture, thorough=thorough)
        )

    def _exact(self, entries: list[Entry], stage: MatchMethod) -> tuple[ImageMatch, ...]:
        """All references with the same bytes or pixels, those of `stage` first."""
        found = [_exactly(entry, stage) for entry in entries]
        found += [
            _exactly(entry, "pixels")
            for entry in self._by_pixels[entries[0].print.pixels]
            if entry not in entries
        ]
        return tuple(found)


def _exactly(entry: Entry, stage: MatchMethod) -> ImageMatch:
    size = entry.print.size
    return ImageMatch(entry.reference.id, stage, 0.0, 0.0, Placement(size, size))
