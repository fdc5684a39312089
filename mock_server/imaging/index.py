"""The image index: which reference pictures does a sent picture show?

In order of cost: by the bytes, by the pixels, then by perceptual search.
"""

import operator
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Lock
from typing import Self

import xxhash

from mock_server import tuning
from mock_server.imaging.build_index import Entry, build_entries
from mock_server.imaging.candidate_verification import MIN_CHARACTER, SURE_CHARACTER
from mock_server.imaging.decode import Picture, decode
from mock_server.imaging.explanation import Explanation, side_by_side
from mock_server.imaging.fingerprint import FAINT_CONTRAST
from mock_server.imaging.geometry import Placement
from mock_server.imaging.open_image import DEFAULT_MAX_PIXELS
from mock_server.imaging.perceptual_search import PerceptualSearch
from mock_server.imaging.reference_pictures import ReferencePictures
from mock_server.imaging.results import (
    Bytes,
    Collision,
    ImageMatch,
    ImageNearMiss,
    MatchMethod,
    Reference,
    Region,
    SearchResult,
    TooFaint,
    TooSmall,
)

__all__ = ["ImageIndex", "ImageMatch", "ImageNearMiss", "Reference", "Region", "SearchResult"]

# How many results are kept, of the pictures sent last: a test suite sends the same picture many times.
_RECENT_RESULTS = 4096
# After reading so many fingerprints, the memory that glibc keeps of them is returned to the system: 7 KB for each.
_TRIM_AFTER = 1000

Opened = Callable[..., AbstractContextManager[Picture]]
"""Takes bytes and `max_pixels`, and returns a context with the decoded picture."""


class ImageIndex:
    """An index of references. It never changes; searches may run in several threads at once."""

    def __init__(self, entries: Iterable[Entry], max_pixels: int = DEFAULT_MAX_PIXELS) -> None:
        self._entries = tuple(entries)
        self._max_pixels = max_pixels
        # An LRU cache by hand: `functools.lru_cache` cannot be asked for a result without computing it.
        self._recent: OrderedDict[bytes, SearchResult] = OrderedDict()
        self._recent_lock = Lock()
        self._exact: dict[bytes, SearchResult] = {}  # results for the bytes of references, as they are asked for
        self._by_content: dict[bytes, list[Entry]] = defaultdict(list)
        self._by_pixels: dict[bytes, list[Entry]] = defaultdict(list)
        for entry in self._entries:
            self._by_content[entry.fingerprint.content].append(entry)
            self._by_pixels[entry.fingerprint.pixels].append(entry)
        pictures = ReferencePictures(self._entries, max_pixels)
        for jpeg, copy in pictures.lossless_copies():
            # Found by the digest of all pixels, and with the copy by the JPEG's bytes.
            self._by_pixels[self._entries[copy].fingerprint.pixels].append(self._entries[jpeg])
            self._by_pixels[self._entries[jpeg].fingerprint.pixels].append(self._entries[copy])
        self._perceptual = PerceptualSearch(self._entries, pictures)

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

        `cache`: a directory in which fingerprints are stored between runs. `progress` is called with the number of
        pictures done and the number of all.
        """
        index = cls(build_entries(references, {}, cache, max_pixels, progress, workers), max_pixels)
        if len(index) >= _TRIM_AFTER:
            tuning.return_freed_memory()
        return index

    def updated(
        self,
        references: Iterable[Reference],
        *,
        cache: Path | None = None,
        progress: Callable[[int, int], None] | None = None,
        workers: int | None = None,
    ) -> Self:
        """An index of a new list of references; those that have not changed are not read again.

        This index itself if none has changed.
        """
        known = {entry.key: entry for entry in self._entries}
        entries = build_entries(references, known, cache, self._max_pixels, progress, workers)
        is_same = len(entries) == len(self) and all(map(operator.is_, entries, self._entries))
        return self if is_same else type(self)(entries, self._max_pixels)

    def __len__(self) -> int:
        return len(self._entries)

    def find_known(self, data: Bytes) -> SearchResult | None:
        """The result for bytes of the index, or for bytes searched recently. It decodes nothing and never blocks."""
        content = xxhash.xxh3_128_digest(data)
        result = self._find_content(content)
        if result is None:
            with self._recent_lock:
                result = self._recent.get(content)
                if result is not None:
                    self._recent.move_to_end(content)
        return result

    def find(
        self, data: Bytes, decoded: Callable[[Picture], None] | None = None, opened: Opened | None = None
    ) -> SearchResult:
        """Which references `data` shows; raises the errors of `ImageError`.

        `decoded` is called with the picture if it had to be decoded. `opened` is a context in which it is decoded: one
        of `decoding_process`.
        """
        result = self.find_known(data)
        if result is None:
            with (opened or _decoded_here)(data, max_pixels=self._max_pixels) as picture:
                result = self._search(picture)
                if decoded is not None:
                    decoded(picture)
            with self._recent_lock:
                self._recent[xxhash.xxh3_128_digest(data)] = result
                if len(self._recent) > _RECENT_RESULTS:
                    self._recent.popitem(last=False)
        return result

    def collisions(self) -> tuple[Collision, ...]:
        """Pairs of references that no search could tell apart: the same pixels, or one picture encoded twice."""
        same = [
            Collision(first.reference.id, other.reference.id, 0.0)
            for first, *others in self._by_pixels.values()
            for other in others
        ]
        known = {frozenset((one.a, one.b)) for one in same}
        unique = {frozenset((one.a, one.b)): one for one in reversed(same)}
        others = (one for one in self._perceptual.collisions() if frozenset((one.a, one.b)) not in known)
        return (*reversed(unique.values()), *others)

    def too_small(self) -> tuple[TooSmall, ...]:
        """References with a declared text that is too small to tell it surely from a similar one."""
        return tuple(
            TooSmall(entry.reference.id, region.box, pitch, pitch < MIN_CHARACTER)
            for entry in self._entries
            for region in entry.reference.regions
            if (pitch := _pitch(entry, region)) < SURE_CHARACTER
        )

    def too_faint(self) -> tuple[TooFaint, ...]:
        """References with a declared text, not too small, of so little contrast that noise can hide its strokes."""
        return tuple(
            TooFaint(entry.reference.id, region.box, contrast)
            for entry in self._entries
            if not entry.fingerprint.facts.blank
            for region in entry.reference.regions
            if _pitch(entry, region) >= SURE_CHARACTER
            and (contrast := entry.fingerprint.contrast_at(region.box)) < FAINT_CONTRAST
        )

    def explain(self, data: Bytes) -> Explanation:
        """The result of `find` with the places that decided it; raises the errors of `ImageError`."""
        result = self.find(data)
        nearest = Explanation(result).nearest
        ids = {entry.reference.id: entry.reference for entry in self._entries}
        return Explanation(result, ids[nearest.id] if nearest else None)

    def explanation_picture(self, explanation: Explanation, data: Bytes) -> bytes:
        """A PNG of the sent picture beside the reference that matches or is nearest, their regions marked."""
        return side_by_side(explanation, data, self._max_pixels)

    def _find_content(self, content: bytes) -> SearchResult | None:
        result = self._exact.get(content)
        if result is None and (entries := self._by_content.get(content)):
            result = SearchResult(entries[0].fingerprint.facts, self._same(entries, "sha256"))
            self._exact[content] = result
        return result

    def _search(self, picture: Picture) -> SearchResult:
        # All pixels of a JPEG would have to be decoded for the digest: the perceptual search needs fewer, and finds it.
        is_lossless = picture.facts.format not in ("JPEG", "MPO")
        if (is_lossless or picture.facts.blank) and (entries := self._by_pixels.get(picture.pixels())):
            return SearchResult(picture.facts, self._same(entries, "pixels"))
        if picture.facts.blank:
            return SearchResult(picture.facts)
        return self._perceptual.find(picture)

    def _same(self, entries: list[Entry], method: MatchMethod) -> tuple[ImageMatch, ...]:
        """Matches of these entries by `method`, then of others with the same pixels."""
        others = [entry for entry in self._by_pixels[entries[0].fingerprint.pixels] if entry not in entries]
        return (*(_identical(entry, method) for entry in entries), *(_identical(entry, "pixels") for entry in others))


@contextmanager
def _decoded_here(data: Bytes, *, max_pixels: int) -> Iterator[Picture]:
    yield decode(data, max_pixels=max_pixels)


def _pitch(entry: Entry, region: Region) -> float:
    """Pixels per character as they were measured, or as the box gives them where no text shows."""
    return entry.fingerprint.pitch_at(region.box) or region.pitch(1)


def _identical(entry: Entry, method: MatchMethod) -> ImageMatch:
    size = entry.fingerprint.size
    return ImageMatch(entry.reference.id, method, 0.0, 0.0, Placement(size, size))
