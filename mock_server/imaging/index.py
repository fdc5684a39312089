"""The index of known pictures: which of them is this one?

Cheapest first: the very bytes, the very pixels, then by look: a coarse search over all thumbnails,
registration of the few best, and a close comparison of what is to be read.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

import numpy as np
import xxhash
from numpy.typing import NDArray
from PIL import Image

from mock_server.errors import ImageError
from mock_server.imaging.comparison import Comparison, compare
from mock_server.imaging.decode import DEFAULT_MAX_PIXELS, Picture, PictureFacts, decode, turned
from mock_server.imaging.fingerprint import (
    Fingerprint,
    Patch,
    Reference,
    Region,
    fingerprint,
    views,
    whole_patch,
)
from mock_server.imaging.formats import Bytes
from mock_server.imaging.geometry import Box, Placement
from mock_server.imaging.recent import Recent
from mock_server.imaging.registration import Frame, register

__all__ = ["Collision", "Found", "ImageIndex", "Nearest", "Reference", "Region", "Search", "TooSmall"]

Stage = Literal["sha256", "pixels", "perceptual"]

# How many candidates of the coarse search are looked at closely.
_CANDIDATES = 8
_COARSE = 0.5
_SCENE = 0.85
_LIMIT = -2.0
_SMALL_LIMIT = -2.5
_SURE_CELL = 8.0
_LEAST_CELL = 5.0
_STRETCH = 1.1
_INVERSE = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}


@dataclass(frozen=True, slots=True)
class Found:
    """A reference that the sent picture shows; the lower the score, the surer."""

    id: str
    stage: Stage
    score: float
    limit: float
    placement: Placement


@dataclass(frozen=True, slots=True)
class Nearest:
    """A reference that came near and is not it; `region`: where they differ, in pixels of the sent
    picture."""

    id: str
    score: float
    limit: float
    reason: str
    region: Box | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """What was found for one picture, best first, and what came nearest."""

    facts: PictureFacts
    found: tuple[Found, ...] = ()
    nearest: tuple[Nearest, ...] = ()


@dataclass(frozen=True, slots=True)
class Collision:
    """Two references that no picture could tell apart."""

    a: str
    b: str
    score: float


@dataclass(frozen=True, slots=True)
class TooSmall:
    """A reference whose own text has too few pixels to a character; `cell` is their number."""

    id: str
    box: Box
    cell: float


@dataclass(frozen=True, slots=True)
class _Entry:
    reference: Reference
    facts: PictureFacts
    print: Fingerprint


class ImageIndex:
    """Immutable; queries may run in several threads at once."""

    def __init__(self, entries: Iterable[_Entry], max_pixels: int = DEFAULT_MAX_PIXELS) -> None:
        self._entries = tuple(entries)
        self._max_pixels = max_pixels
        self._recent: Recent[Search] = Recent()
        self._by_sha: dict[str, list[_Entry]] = defaultdict(list)
        self._by_pixels: dict[bytes, list[_Entry]] = defaultdict(list)
        rows: list[NDArray[np.float32]] = []
        self._rows: list[tuple[int, Frame]] = []
        for number, entry in enumerate(self._entries):
            self._by_sha[entry.print.sha256].append(entry)
            self._by_pixels[entry.print.pixels].append(entry)
            for view in () if entry.print.blank else entry.print.views:
                rows.append(view.thumb.ravel())
                self._rows.append((number, view.frame))
        self._thumbs = np.stack(rows) if rows else np.zeros((0, 256), np.float32)
        self._owners = np.array([number for number, _ in self._rows], dtype=np.intp)

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
        """Read and index all pictures; an ImageError carries the id of its picture as a note and as
        `.reference`."""
        wanted = list(references)
        done: list[_Entry] = []
        with ThreadPoolExecutor(workers) as pool:
            for entry in pool.map(lambda reference: _entry(reference, max_pixels), wanted):
                done.append(entry)
                if progress:
                    progress(len(done), len(wanted))
        return cls(done, max_pixels)

    def updated(
        self,
        references: Iterable[Reference],
        *,
        cache: Path | None = None,
        progress: Callable[[int, int], None] | None = None,
        workers: int | None = None,
    ) -> Self:
        """The index of a new list of references."""
        return type(self).build(
            references, cache=cache, max_pixels=self._max_pixels, progress=progress, workers=workers
        )

    def __len__(self) -> int:
        return len(self._entries)

    def find_known(self, data: Bytes) -> Search | None:
        """The answer where it needs no decoding: bytes of the index or asked for lately. Never blocks."""
        key = xxhash.xxh3_128_digest(data)
        return self._recent.get(key)

    def find(self, data: Bytes) -> Search:
        """Which references `data` shows; raises the errors of `ImageError`."""
        key = xxhash.xxh3_128_digest(data)
        known = self._recent.get(key)
        if known is None:
            known = self._searched(data)
            self._recent.put(key, known)
        return known

    def collisions(self) -> tuple[Collision, ...]:
        """Pairs that no query could tell apart."""
        pairs = []
        for entries in self._by_pixels.values():
            first, *others = entries
            pairs += [Collision(first.reference.id, other.reference.id, 0.0) for other in others]
        return tuple(pairs)

    def too_small(self) -> tuple[TooSmall, ...]:
        """References whose text cannot be told from a neighbour's."""
        return tuple(
            TooSmall(entry.reference.id, region.box, region.cell())
            for entry in self._entries
            for region in entry.reference.regions
            if region.cell() < _LEAST_CELL
        )

    def _searched(self, data: Bytes) -> Search:
        sha256 = hashlib.sha256(data).hexdigest()
        if entries := self._by_sha.get(sha256):
            return Search(entries[0].facts, tuple(_exact(entry, "sha256") for entry in entries))
        picture = decode(data, max_pixels=self._max_pixels, sha256=sha256)
        if (picture.facts.format not in ("JPEG", "MPO") or picture.facts.blank) and (
            entries := self._by_pixels.get(picture.pixels())
        ):
            return Search(picture.facts, tuple(_exact(entry, "pixels") for entry in entries))
        if picture.facts.blank:
            return Search(picture.facts)
        return self._by_look(picture)

    def _by_look(self, picture: Picture) -> Search:
        found: list[tuple[float, Found]] = []
        nearest: list[tuple[float, Nearest]] = []
        for entry, orientation, start in self._candidates(picture):
            result = _looked_at(entry, picture, orientation, start)
            if isinstance(result, Found):
                found.append((result.score, result))
            else:
                nearest.append((result.score, result))
        found.sort(key=lambda pair: pair[0])
        nearest.sort(key=lambda pair: pair[0])
        first = found[0][1] if found else None
        if first and _same_pixels(self._entry_of(first.id), picture):
            found[0] = (found[0][0], replace(first, stage="pixels"))
        return Search(picture.facts, tuple(hit for _, hit in found), tuple(near for _, near in nearest[:3]))

    def _entry_of(self, id: str) -> _Entry:
        return next(entry for entry in self._entries if entry.reference.id == id)

    def _candidates(self, picture: Picture) -> list[tuple[_Entry, int, Frame]]:
        """The references whose thumbnails are most alike, with the turn and a first guess of their frame."""
        if not len(self._thumbs):
            return []
        queries = [
            (view, orientation, turned_grid(view.thumb, _INVERSE[orientation]).ravel())
            for view in views(picture.small)
            for orientation in range(1, 9)
        ]
        alike = np.stack([thumb for _, _, thumb in queries]) @ self._thumbs.T
        alike[[orientation == 1 for _, orientation, _ in queries]] += 0.02
        best = alike.max(axis=0)
        order = np.argsort(-best)[: 4 * _CANDIDATES]
        chosen: dict[int, tuple[_Entry, int, Frame]] = {}
        for row in order:
            number, known = self._rows[row]
            if number in chosen or best[row] < _COARSE or len(chosen) >= _CANDIDATES:
                continue
            view, orientation, _ = queries[int(np.argmax(alike[:, row]))]
            start = _guess(view.frame, known, orientation, picture)
            chosen[number] = (self._entries[number], orientation, start)
        return list(chosen.values())


def _guess(seen: Frame, known: Frame, orientation: int, picture: Picture) -> Frame:
    """Where the whole known picture must lie so that its part `known` falls on the part `seen` of the sent
    one."""
    width, height = picture.working.size
    corners = turned_box(
        (seen.left, seen.top, seen.left + seen.width, seen.top + seen.height), _INVERSE[orientation]
    )
    if orientation >= 5:
        width, height = height, width
    left, top = corners[0] * width, corners[1] * height
    wide, high = (corners[2] - corners[0]) * width, (corners[3] - corners[1]) * height
    return Frame(
        left - known.left / known.width * wide,
        top - known.top / known.height * high,
        wide / known.width,
        high / known.height,
    )


def turned_box(box: tuple[float, float, float, float], orientation: int) -> tuple[float, float, float, float]:
    """A box in fractions of a picture, in fractions of that picture turned."""
    left, top, right, bottom = box
    if orientation >= 5:
        left, top, right, bottom = top, left, bottom, right
    if orientation in (2, 3, 6, 7):
        left, right = 1 - right, 1 - left
    if orientation in (3, 4, 7, 8):
        top, bottom = 1 - bottom, 1 - top
    return left, top, right, bottom


def turned_grid(grid: NDArray[np.float32], orientation: int) -> NDArray[np.float32]:
    """A grid turned as EXIF `orientation` says."""
    if orientation >= 5:
        grid = grid.T
    if orientation in (2, 3, 6, 7):
        grid = grid[:, ::-1]
    if orientation in (3, 4, 7, 8):
        grid = grid[::-1]
    return grid


def _looked_at(entry: _Entry, picture: Picture, orientation: int, start: Frame) -> Found | Nearest:
    image = turned(picture.working, _INVERSE[orientation])
    small = turned(picture.small, _INVERSE[orientation])
    shrink = (small.width / image.width, small.height / image.height)
    scene = register(entry.print.mosaic, small, start.scaled(*shrink))
    id = entry.reference.id
    if scene is None or scene.correlation < _SCENE or not _even_scale(scene.frame, entry, small):
        return Nearest(id, 9.0 - (scene.correlation if scene else 0.0), _LIMIT, "other_scene")
    frame = scene.frame.scaled(1 / shrink[0], 1 / shrink[1])
    worst, limit = _worst(entry, image, frame)
    placement = _placement(entry, picture, orientation, frame)
    if worst is None:
        return Nearest(id, 8.0, _LIMIT, "other_scene")
    if limit is None:
        return Nearest(id, worst.score, _SMALL_LIMIT, "too_small")
    if worst.score > limit:
        return Nearest(id, worst.score, limit, "other_text")
    return Found(id, "perceptual", worst.score, limit, placement)


def _worst(entry: _Entry, image: Image.Image, frame: Frame) -> tuple[Comparison | None, float | None]:
    """The region that differs most, and the limit that holds for it; no limit where it is too small."""
    worst: Comparison | None = None
    limit: float | None = _LIMIT
    for patch in entry.print.patches or (_whole(entry.reference),):
        wide, high = frame.width / entry.print.size[0], frame.height / entry.print.size[1]
        place = Frame(
            frame.left + patch.frame.left * wide,
            frame.top + patch.frame.top * high,
            patch.frame.width * wide,
            patch.frame.height * high,
        )
        result = compare(patch.image(), patch.cell, image, place)
        if result is None:
            return None, None
        if worst is None or result.score > worst.score:
            worst = result
        if patch.box is not None and result.cell < _SURE_CELL:
            limit = None if result.cell < _LEAST_CELL or limit is None else _SMALL_LIMIT
    return worst, limit


def _even_scale(frame: Frame, entry: _Entry, image: Image.Image) -> bool:
    stretch = (frame.width / entry.print.size[0]) / (frame.height / entry.print.size[1])
    return 1 / _STRETCH < stretch < _STRETCH


def _placement(entry: _Entry, picture: Picture, orientation: int, frame: Frame) -> Placement:
    width, height = entry.print.size
    sent = picture.size
    sent_turned = (sent[1], sent[0]) if orientation >= 5 else sent
    scale_x, scale_y = frame.width / picture.zoom / width, frame.height / picture.zoom / height
    x, y = frame.left / picture.zoom, frame.top / picture.zoom
    if orientation in (2, 3, 7, 8):
        x = sent_turned[0] - frame.width / picture.zoom - x
    if orientation in (3, 4, 6, 7):
        y = sent_turned[1] - frame.height / picture.zoom - y
    if orientation >= 5:
        scale_x, scale_y, x, y = scale_y, scale_x, y, x
    return Placement((width, height), sent, orientation, (scale_x, scale_y), (x, y))


def _same_pixels(entry: _Entry, picture: Picture) -> bool:
    return entry.print.size == picture.size and entry.print.pixels == picture.pixels()


def _exact(entry: _Entry, stage: Stage) -> Found:
    size = entry.print.size
    return Found(entry.reference.id, stage, 0.0, 0.0, Placement(size, size))


def _read(reference: Reference) -> bytes:
    return reference.source if isinstance(reference.source, bytes) else reference.source.read_bytes()


def _entry(reference: Reference, max_pixels: int) -> _Entry:
    try:
        picture = decode(_read(reference), max_pixels=max_pixels)
        return _Entry(reference, picture.facts, fingerprint(picture, reference.regions))
    except ImageError as error:
        error.add_note(f"picture: {reference.id}")
        raise


def _whole(reference: Reference) -> Patch:
    return whole_patch(decode(_read(reference)))
