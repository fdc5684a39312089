"""Which of the known pictures a sent one looks like.

A coarse search over all scenes, registration of the few best, and a close comparison of what is to be read.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, partial

import numpy as np
from PIL import Image

from mock_server.errors import ImageError
from mock_server.imaging.build_index import Entry, read
from mock_server.imaging.candidate_verification import LIMIT, Sight, Verdict, judge
from mock_server.imaging.decode import Picture, decode, grey_copy
from mock_server.imaging.fingerprint import Fingerprint
from mock_server.imaging.geometry import Box
from mock_server.imaging.lru import Recent
from mock_server.imaging.registration import Frame, Registration, mosaic, register, sample
from mock_server.imaging.results import Collision, ImageMatch, ImageNearMiss, SearchResult
from mock_server.imaging.retrieval import INVERSE, TURNS, Candidate, Scene, Scenes
from mock_server.imaging.thumbnails import turned_frame, views
from mock_server.imaging.whole_image import Original

# How many scenes of the coarse search, and how many pictures of one scene, are looked at closely.
_SCENES = 8
# More of them where many look almost as much like the picture as the first: labels on plain ground.
_CROWD = 24
_CROWDED = 0.03
_MEMBERS = 6
_MEMBERS_WHOLE = 3
# Of a scene whose leader lies nowhere in the picture; what is like it from afar may still be in it.
_MEMBERS_UNLED = 2
# Correlation from which on two registered mosaics show one scene.
_SCENE = 0.85
_STRETCH = 1.1
_GREYS = 16
_TWIN_RANKS = 1.0
# How many scenes are looked at again in another turn, and how alike their thumbnails must be for that.
_TURNED_SCENES = 2
_TURNED = 0.85
# Thumbnails of one picture, however changed, lose no more likeness than this against another's.
_BEHIND = 0.05


class PerceptualSearch:
    """Immutable; queries may run in several threads at once."""

    def __init__(self, entries: Sequence[Entry], max_pixels: int) -> None:
        self._entries = entries
        self._max_pixels = max_pixels
        self._greys: Recent[int, Image.Image] = Recent(_GREYS)
        self._scenes = Scenes(tuple(entry.print for entry in entries))

    def find(self, picture: Picture, *, thorough: bool = False) -> SearchResult:
        """What the picture looks like. `thorough`: also what comes nearest to it behind a match."""
        seen = self._scenes.compared(views(picture.small))
        sights: dict[int, Sight] = {}
        behind = 2.0 if thorough else _BEHIND
        found, nearest = self._looked_at(_likeliest(seen.candidates(_CROWD)), picture, sights, behind)
        if not found:
            # Much of what is photographed is as good as symmetric: from afar it looks upright when it is turned.
            turned = seen.candidates(_TURNED_SCENES, turns=TURNS[1:], least=_TURNED)
            found, more = self._looked_at(turned, picture, sights, behind)
            nearest += more
        # Others that pass are the same picture kept twice only where they pass about as well as the best.
        least = min((rank for rank, _ in found), default=0.0) + _TWIN_RANKS
        return SearchResult(
            picture.facts,
            tuple(hit for rank, hit in sorted(found, key=lambda pair: pair[0]) if rank <= least),
            _three_nearest(nearest),
        )

    def collisions(self) -> list[Collision]:
        """Pairs that look the same, though their pixels differ: one picture encoded twice."""
        pairs = [(scene, *pair) for scene in self._scenes.all for pair in scene.twins()]
        return [twins for pair in pairs if (twins := self._collision(*pair))]

    def _looked_at(
        self, candidates: Iterable[Candidate], picture: Picture, sights: dict[int, Sight], behind: float
    ) -> tuple[list[tuple[float, ImageMatch]], list[tuple[float, ImageNearMiss]]]:
        """What matches among the candidates and what does not, each with what it is ordered by.

        Once one matches, those that looked less alike by more than `behind` are not looked at.
        """
        found: list[tuple[float, ImageMatch]] = []
        nearest: list[tuple[float, ImageNearMiss]] = []
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
        judged: list[tuple[Entry, Verdict]] = []
        for place, registered in self._registered(candidate, sight):
            entry, verdict = self._entries[place], self._verdict(place, registered, sight)
            # They come best first: behind one that matches, the first that does not ends the search.
            if verdict.reason is not None and judged and judged[-1][1].reason is None:
                return [*judged, (entry, verdict)]
            judged.append((entry, verdict))
        return judged

    def _registered(self, candidate: Candidate, sight: Sight) -> Iterator[tuple[int, Registration]]:
        """The members of a scene that come into question, the likeliest first, and where they lie."""
        leader, *others = candidate.scene.members
        known = self._entries[leader].print
        guess, whole = _guess(candidate, sight), Frame(0, 0, *sight.small.image.size)
        led = register(known.mosaic, sight.small, guess, whole)
        if not others:
            if led is not None:
                yield leader, led
            return
        most = _MEMBERS_UNLED if led is None else _MEMBERS if known.declared else _MEMBERS_WHOLE
        # Where the leader's text has pulled its frame askew, the others lie where they were guessed to.
        starts = tuple(dict.fromkeys((guess, whole) if led is None else (led.frame, guess, whole)))
        side = known.mosaic.shape[0]
        looks = [seen for start in starts if (seen := sample(sight.small.image, start, side, side))]
        for place in candidate.scene.ranked(looks, side, most) if looks else (leader,):
            # Members differ in their texts: registering each anew undoes what the leader's text has pulled askew.
            cells = self._entries[place].print.mosaic
            own = led if place == leader else register(cells, sight.small, *starts)
            if own is not None:
                yield place, own

    def _verdict(self, place: int, registered: Registration, sight: Sight) -> Verdict:
        known = self._entries[place].print
        frame = sight.enlarged(registered.frame)
        if registered.correlation < _SCENE or not _even_scale(frame, known):
            return Verdict(9.0 - registered.correlation, LIMIT, frame, "other_scene")
        return judge(known, sight, frame, cache(partial(self._original, place)))

    def _original(self, place: int) -> Original | None:
        """A known picture, read again from its source; None where that is gone."""
        grey = self._greys.get(place)
        if grey is None:
            try:
                grey = grey_copy(read(self._entries[place].reference), max_pixels=self._max_pixels)
            except (OSError, ImageError):
                return None
            self._greys.put(place, grey)
        return Original(grey, partial(self._colours, place))

    def _colours(self, place: int) -> Image.Image | None:
        try:
            picture = decode(read(self._entries[place].reference), max_pixels=self._max_pixels)
            return picture.working_colours()
        except (OSError, ImageError):
            return None

    def _hit(self, entry: Entry, verdict: Verdict, sight: Sight) -> ImageMatch:
        placement = sight.placement(verdict.frame, entry.print.size)
        picture = sight.picture
        # To decode all of a JPEG's pixels is only worth the time where even the mosaic is the same.
        identical = (
            entry.print.size == picture.size
            and np.array_equal(entry.print.mosaic, mosaic(picture.small))
            and entry.print.pixels == picture.pixels()
        )
        return ImageMatch(
            entry.reference.id,
            "pixels" if identical else "perceptual",
            verdict.score,
            verdict.limit,
            placement,
        )

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


def _likeliest(candidates: list[Candidate]) -> list[Candidate]:
    """The first few, and those that look almost as likely as the first."""
    return [
        candidate
        for place, candidate in enumerate(candidates)
        if place < _SCENES or candidate.likeness > candidates[0].likeness - _CROWDED
    ]


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


def _miss(entry: Entry, verdict: Verdict, sight: Sight) -> ImageNearMiss:
    region = None
    if verdict.differs:
        # `differs` is a part of the working copy: as a picture of its own, it lies where a placement puts it.
        placed = sight.placement(verdict.differs, (1, 1))
        region = placed.map(Box(0, 0, 1, 1))
    return ImageNearMiss(entry.reference.id, verdict.score, verdict.limit, verdict.reason or "", region)


def _three_nearest(nearest: list[tuple[float, ImageNearMiss]]) -> tuple[ImageNearMiss, ...]:
    """The best verdict on each picture, of the three that came nearest."""
    best: dict[str, ImageNearMiss] = {}
    for _, near in sorted(nearest, key=lambda pair: pair[0]):
        best.setdefault(near.id, near)
    return tuple(best.values())[:3]
