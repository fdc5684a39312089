"""The index of known pictures: which of them is this one?

Cheapest first: the very bytes, the very pixels, then by look: a coarse search over all scenes, registration
of the few best, and a close comparison of what is to be read.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
import xxhash
from PIL import Image

from mock_server.errors import ImageError
from mock_server.imaging.answers import Collision, Found, Nearest, Search, Stage, TooSmall
from mock_server.imaging.closeup import LEAST_CELL, LIMIT, Sight, Verdict, judge
from mock_server.imaging.decode import Picture, decode
from mock_server.imaging.explain import Explanation, explained, side_by_side
from mock_server.imaging.fingerprint import Fingerprint, Reference, Region
from mock_server.imaging.formats import Bytes
from mock_server.imaging.geometry import Box, Placement
from mock_server.imaging.library import Entry, load, read
from mock_server.imaging.opening import DEFAULT_MAX_PIXELS
from mock_server.imaging.recent import Recent
from mock_server.imaging.registration import Frame, Registration, mosaic, register, sample
from mock_server.imaging.scenes import INVERSE, TURNS, Candidate, Scene, Scenes
from mock_server.imaging.views import turned_frame, views

__all__ = ["Collision", "Found", "ImageIndex", "Nearest", "Reference", "Region", "Search", "TooSmall"]

# How many scenes of the coarse search, and how many pictures of one scene, are looked at closely.
_SCENES = 8
_MEMBERS = 6
_MEMBERS_WHOLE = 3
# Correlation from which on two registered mosaics show one scene.
_SCENE = 0.85
_STRETCH = 1.1
_WHOLES = 16
_TWIN_RANKS = 1.0
# How many scenes are looked at again in another turn, and how alike their thumbnails must be for that.
_TURNED_SCENES = 2
_TURNED = 0.85
# Thumbnails of one picture, however changed, lose no more likeness than this against another's.
_BEHIND = 0.05


class ImageIndex:
    """Immutable; queries may run in several threads at once."""

    def __init__(self, entries: Iterable[Entry], max_pixels: int = DEFAULT_MAX_PIXELS) -> None:
        self._entries = tuple(entries)
        self._max_pixels = max_pixels
        self._recent: Recent[bytes, Search] = Recent()
        self._wholes: Recent[int, Image.Image] = Recent(_WHOLES)
        self._by_content: dict[bytes, list[Entry]] = defaultdict(list)
        self._by_pixels: dict[bytes, list[Entry]] = defaultdict(list)
        for entry in self._entries:
            self._by_content[entry.print.content].append(entry)
            self._by_pixels[entry.print.pixels].append(entry)
        self._prints = tuple(entry.print for entry in self._entries)
        self._scenes = Scenes(self._prints)

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

    def find_known(self, data: Bytes) -> Search | None:
        """The answer where it needs no decoding: bytes of the index, or asked for lately. Never blocks."""
        return self._known(xxhash.xxh3_128_digest(data))

    def find(self, data: Bytes, decoded: Callable[[Picture], None] | None = None) -> Search:
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
        for scene in self._scenes.all:
            pairs += [twins for pair in scene.twins() if (twins := self._collision(scene, *pair))]
        return tuple(pairs)

    def _collision(self, scene: Scene, known: int, sent: int) -> Collision | None:
        """Whether one member of a scene would be taken for another, were it sent."""
        entry, other = self._entries[known], self._entries[sent]
        if entry.print.pixels == other.print.pixels:
            return None
        picture = decode(read(other.reference), max_pixels=self._max_pixels)
        sight = Sight(picture, 1)
        upright = Candidate(scene, 1, entry.print.views[0].frame, views(picture.small)[0].frame, 1.0)
        registered = register(entry.print.mosaic, sight.small, _guess(upright, sight))
        if registered is None:
            return None
        verdict = self._verdict(known, registered, sight)
        if verdict.reason is not None:
            return None
        return Collision(entry.reference.id, other.reference.id, verdict.score)

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
        if search.found:
            best = search.found[0]
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

    def _known(self, content: bytes) -> Search | None:
        return self._same_bytes(content) or self._recent.get(content)

    def _same_bytes(self, content: bytes) -> Search | None:
        entries = self._by_content.get(content)
        return Search(entries[0].print.facts, self._exact(entries, "sha256")) if entries else None

    def _by_pixels_or_look(self, picture: Picture, *, thorough: bool = False) -> Search:
        # A JPEG is decoded in grey and reduced; all its pixels are only worth the time where looks decide
        # nothing.
        lossless = picture.facts.format not in ("JPEG", "MPO")
        if (lossless or picture.facts.blank) and (entries := self._by_pixels.get(picture.pixels())):
            return Search(picture.facts, self._exact(entries, "pixels"))
        return Search(picture.facts) if picture.facts.blank else self._by_look(picture, thorough)

    def _exact(self, entries: list[Entry], stage: Stage) -> tuple[Found, ...]:
        """All references with the same bytes or pixels, those of `stage` first."""
        found = [_exactly(entry, stage) for entry in entries]
        found += [
            _exactly(entry, "pixels")
            for entry in self._by_pixels[entries[0].print.pixels]
            if entry not in entries
        ]
        return tuple(found)

    def _by_look(self, picture: Picture, thorough: bool) -> Search:
        seen = self._scenes.compared(views(picture.small))
        sights: dict[int, Sight] = {}
        behind = 2.0 if thorough else _BEHIND
        found, nearest = self._looked_at(seen.candidates(_SCENES), picture, sights, behind)
        if not found:
            # Much of what is photographed is as good as symmetric: from afar it looks upright when it is turned.
            turned = seen.candidates(_TURNED_SCENES, turns=TURNS[1:], least=_TURNED)
            found, more = self._looked_at(turned, picture, sights, behind)
            nearest += more
        # Others that pass are the same picture kept twice only where they pass about as well as the best.
        least = min((rank for rank, _ in found), default=0.0) + _TWIN_RANKS
        return Search(
            picture.facts,
            tuple(hit for rank, hit in sorted(found, key=lambda pair: pair[0]) if rank <= least),
            _three_nearest(nearest),
        )

    def _looked_at(
        self, candidates: Iterable[Candidate], picture: Picture, sights: dict[int, Sight], behind: float
    ) -> tuple[list[tuple[float, Found]], list[tuple[float, Nearest]]]:
        """What matches among the candidates and what does not, each with what it is ordered by.

        Once one matches, those that looked less alike by more than `behind` are not looked at.
        """
        found: list[tuple[float, Found]] = []
        nearest: list[tuple[float, Nearest]] = []
        least = -1.0
        for candidate in candidates:
            if candidate.likeness < least:
                break
            sight = sights.setdefault(candidate.orientation, Sight(picture, candidate.orientation))
            for entry, verdict in self._judged(candidate, sight):
                if verdict.reason is None:
                    found.append((verdict.rank, self._hit(entry, verdict, sight)))
                    least = max(least, candidate.likeness - behind)
                else:
                    nearest.append((verdict.excess, _miss(entry, verdict, sight)))
        return found, nearest

    def _judged(self, candidate: Candidate, sight: Sight) -> list[tuple[Entry, Verdict]]:
        scene = candidate.scene
        leader = self._entries[scene.members[0]]
        whole = Frame(0, 0, *sight.small.image.size)
        registered = register(leader.print.mosaic, sight.small, _guess(candidate, sight), whole)
        if registered is None:
            return []
        side = leader.print.mosaic.shape[0]
        seen = sample(sight.small.image, registered.frame, side, side) if len(scene.members) > 1 else None
        most = _MEMBERS if leader.print.declared else _MEMBERS_WHOLE
        places = scene.ranked(seen, leader.print.mosaic, most) if seen else scene.members[:1]
        judged: list[tuple[Entry, Verdict]] = []
        for place in places:
            entry = self._entries[place]
            # Members differ in their texts: registering each anew undoes what the leader's text has pulled
            # askew.
            own = (
                registered if entry is leader else register(entry.print.mosaic, sight.small, registered.frame)
            )
            if own is not None:
                verdict = self._verdict(place, own, sight)
                # They come best first: behind one that matches, the first that does not ends the search.
                if verdict.reason is not None and judged and judged[-1][1].reason is None:
                    return [*judged, (entry, verdict)]
                judged.append((entry, verdict))
        return judged

    def _verdict(self, place: int, registered: Registration, sight: Sight) -> Verdict:
        known = self._entries[place].print
        frame = sight.enlarged(registered.frame)
        if registered.correlation < _SCENE or not _even_scale(frame, known):
            return Verdict(9.0 - registered.correlation, LIMIT, frame, "other_scene")
        return judge(known, sight, frame, partial(self._whole, place))

    def _whole(self, place: int) -> Image.Image | None:
        """The grey copy of a known picture, read again from its source; None where that is gone."""
        image = self._wholes.get(place)
        if image is None:
            try:
                image = decode(read(self._entries[place].reference), max_pixels=self._max_pixels).working
            except (OSError, ImageError):
                return None
            self._wholes.put(place, image)
        return image

    def _hit(self, entry: Entry, verdict: Verdict, sight: Sight) -> Found:
        placement = sight.placement(verdict.frame, entry.print.size)
        picture = sight.picture
        # To decode all of a JPEG's pixels is only worth the time where even the mosaic is the same.
        identical = (
            entry.print.size == picture.size
            and np.array_equal(entry.print.mosaic, mosaic(picture.small))
            and entry.print.pixels == picture.pixels()
        )
        return Found(
            entry.reference.id,
            "pixels" if identical else "perceptual",
            verdict.score,
            verdict.limit,
            placement,
        )


def _guess(candidate: Candidate, sight: Sight) -> Frame:
    """Where the whole known picture lies in the small copy, if its view falls on the view that was seen."""
    seen = turned_frame(candidate.seen, INVERSE[candidate.orientation])
    known = candidate.known
    wide, high = seen.width / known.width, seen.height / known.height
    frame = Frame(seen.left - known.left * wide, seen.top - known.top * high, wide, high)
    return frame.scaled(*sight.small.image.size)


def _even_scale(frame: Frame, known: Fingerprint) -> bool:
    stretch = (frame.width / known.size[0]) / (frame.height / known.size[1])
    return 1 / _STRETCH < stretch < _STRETCH


def _miss(entry: Entry, verdict: Verdict, sight: Sight) -> Nearest:
    region = None
    if verdict.differs:
        # `differs` is a part of the working copy: as a picture of its own, it lies where a placement puts it.
        placed = sight.placement(verdict.differs, (1, 1))
        region = placed.map(Box(0, 0, 1, 1))
    return Nearest(entry.reference.id, verdict.score, verdict.limit, verdict.reason or "", region)


def _three_nearest(nearest: list[tuple[float, Nearest]]) -> tuple[Nearest, ...]:
    """The best verdict on each picture, of the three that came nearest."""
    best: dict[str, Nearest] = {}
    for _, near in sorted(nearest, key=lambda pair: pair[0]):
        best.setdefault(near.id, near)
    return tuple(best.values())[:3]


def _exactly(entry: Entry, stage: Stage) -> Found:
    size = entry.print.size
    return Found(entry.reference.id, stage, 0.0, 0.0, Placement(size, size))
