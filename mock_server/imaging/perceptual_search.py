"""Perceptual search: which references the sent picture looks like.

Retrieval of candidate clusters by thumbnail, registration of the best ones, verification of their members text by text.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from PIL import Image

from mock_server.imaging.bars import has_own_bar, rows_between_bars
from mock_server.imaging.build_index import Entry
from mock_server.imaging.candidate_verification import LIMIT, QueryView, Verdict, verify
from mock_server.imaging.covers import SMALLEST
from mock_server.imaging.decode import Picture
from mock_server.imaging.fingerprint import Fingerprint
from mock_server.imaging.geometry import Affine, Box, Frame, Orientation
from mock_server.imaging.lucas_kanade import Alignment, sample
from mock_server.imaging.reference_pictures import ReferenceImage, ReferencePictures, may_be_equal
from mock_server.imaging.registration import MOSAIC, mosaic, register
from mock_server.imaging.results import Collision, ImageMatch, ImageNearMiss, SearchResult
from mock_server.imaging.retrieval import ORIENTATIONS, Candidate, ClusterIndex
from mock_server.imaging.text_search import Found, TextSearch
from mock_server.imaging.thumbnails import query_thumbnails

# How many candidates are verified: more cost time; fewer miss references after a strong change. Clusters, and further
# ones whose similarity is at least this and within this distance of the best: labels on plain ground look alike.
_CLUSTERS = 8
_MAX_CLUSTERS = 24
_SIMILAR = 0.9
_SIMILAR_TO_BEST = 0.03
# Members of one cluster: with declared texts, without, and where the representative could not be registered.
_MEMBERS = 6
_MEMBERS_UNDECLARED = 3
_MEMBERS_UNREGISTERED = 2
# Where nothing matched: how many clusters are tried in other orientations, and the similarity that they need.
_CLUSTERS_TURNED = 2
_MIN_SIMILARITY_TURNED = 0.85
# After a match, candidates less similar than it by this much are skipped; a change of the picture costs no candidate
# more similarity than that in comparison with another one.
_BEHIND_MATCH = 0.05
# The same scene has this correlation of the registered mosaics, and at most this ratio of the two axes' scales.
_MIN_CORRELATION = 0.85
_MAX_STRETCH = 1.1
# Matches whose rank is within this of the best are the same picture, stored twice.
_SAME_RANK = 1.0
# Nearly found pictures that are straightened and compared again, and how far above its limit their score may be.
_STRAIGHTENED = 2
_MAX_EXCESS_STRAIGHTENED = 3.4
# A match whose score is less than this below its limit is compared again, straightened.
_SURE = 1.0
# Two references whose score is at most this much above the limit are not told apart in every copy of them.
_BARELY_APART = 0.5
# A match is placed anew if that moves a corner of its texts by so many pixels of the working copy.
_MIN_MOVE = 0.7


class PerceptualSearch:
    """A search over the fingerprints of an index. Immutable; searches may run in several threads at once."""

    def __init__(self, entries: Sequence[Entry], pictures: ReferencePictures) -> None:
        self._entries = entries
        self._clusters = ClusterIndex(tuple(entry.fingerprint for entry in entries))
        self._pictures = pictures
        self._texts = TextSearch(entries, pictures)

    def find(self, picture: Picture) -> SearchResult:
        """What the picture looks like."""
        result = self._find(picture)
        for rows in () if result.matches or picture.full_zoom < 1 else rows_between_bars(picture.small):
            if matches := self._find_between(picture, rows):
                return replace(result, matches=matches)
        return result

    def _find_between(self, picture: Picture, rows: tuple[float, float]) -> tuple[ImageMatch, ...]:
        """The matches of the part between bars that were laid over the picture."""
        top, bottom = (round(share * picture.size[1]) for share in rows)
        inside = self._find(picture.between(top, bottom)).matches
        moved = (replace(one, placement=one.placement.moved_down(top, picture.size)) for one in inside)
        return tuple(one for one in moved if not self._has_own_bar(one, picture.small, rows))

    def _has_own_bar(self, match: ImageMatch, sent: Image.Image, rows: tuple[float, float]) -> bool:
        position = next(place for place, entry in enumerate(self._entries) if entry.reference.id == match.id)
        grey = self._pictures.grey(position)
        is_turned = match.placement.orientation is not Orientation.UPRIGHT
        return is_turned or grey is None or has_own_bar(grey, sent, rows)

    def _find(self, picture: Picture) -> SearchResult:
        similarities = self._clusters.similarities(query_thumbnails(picture.small))
        views: dict[Orientation, QueryView] = {}
        found = self._verify_all(_likeliest(similarities.candidates(_MAX_CLUSTERS)), picture, views)
        if all(one.verdict.reason for one in found):
            # Many photographs are nearly symmetric, so that a turned one looks upright to the coarse search.
            turned = similarities.candidates(
                _CLUSTERS_TURNED, orientations=ORIENTATIONS[1:], least=_MIN_SIMILARITY_TURNED
            )
            found += self._verify_all(turned, picture, views)
        found = [self._confirmed(one) for one in found]
        if all(one.verdict.reason for one in found):
            texts = self._straightened(_sorted(found))
            if all(one.verdict.reason for one in texts):
                texts += self._texts.find(picture)
            found += texts
        matches = sorted((one for one in found if one.verdict.reason is None), key=lambda one: one.verdict.rank)
        same = (one for one in matches if one.verdict.rank <= matches[0].verdict.rank + _SAME_RANK)
        return SearchResult(
            picture.facts,
            tuple(self._match(self._levelled(one)) for one in same),
            self._three_nearest(one for one in _sorted(found) if one.verdict.reason),
        )

    def _compared_again(self, found: Found, least_move: float = 0.0) -> Found | None:
        """The same compared with the picture straightened; None where that cannot be, or as in `compare_at`."""
        if not isinstance(found.view, QueryView) or not found.view.is_upright:
            return None
        affine = _affine(found.verdict.frame, self._entries[found.position])
        return self._texts.compare_at(found.view.picture, found.position, affine, least_move)

    def _straightened(self, misses: Iterable[Found]) -> list[Found]:
        """References that were nearly found, compared once more."""
        texts: list[Found] = []
        for miss in misses:
            is_squashed = miss.verdict.reason == "other_scene" and miss.verdict.score <= 9.0 - _MIN_CORRELATION
            is_near = miss.verdict.excess < _MAX_EXCESS_STRAIGHTENED or is_squashed
            if len(texts) < _STRAIGHTENED and is_near and (text := self._compared_again(miss)):
                texts.append(text)
        return texts

    def _confirmed(self, found: Found) -> Found:
        """A match whose score is close to its limit is compared once more.

        A turn or a shear leaves a residual on each stroke, among which a changed one would not stand out.
        """
        is_close = found.verdict.reason is None and found.verdict.excess > -_SURE
        return (self._compared_again(found) if is_close else None) or found

    def _levelled(self, match: Found) -> Found:
        """A match, placed anew where its text lies otherwise than its scene: turned or sheared.

        Where the text was found in perspective, that says where it lies.
        """
        again = None if match.verdict.texts else self._compared_again(match, _MIN_MOVE)
        return again if again is not None and again.verdict.reason is None else match

    def collisions(self) -> list[Collision]:
        """Pairs of references that look the same, though their pixels differ: one picture encoded twice."""
        clusters = self._clusters.clusters
        pairs = [pair for cluster in clusters for pair in cluster.similar_pairs()]
        return [collision for pair in pairs if (collision := self._collision(*pair))]

    def _verify_all(
        self, candidates: Iterable[Candidate], picture: Picture, views: dict[Orientation, QueryView]
    ) -> list[Found]:
        """Verify candidates, the most similar first; after a match, skip those that are much less similar."""
        found: list[Found] = []
        least = -1.0
        for candidate in candidates:
            if candidate.similarity < least:
                break
            if candidate.orientation not in views:
                views[candidate.orientation] = QueryView(picture, candidate.orientation)
            members = self._verify_members(candidate, views[candidate.orientation])
            found += members
            if any(one.verdict.reason is None for one in members):
                least = max(least, candidate.similarity - _BEHIND_MATCH)
        return found

    def _verify_members(self, candidate: Candidate, view: QueryView) -> list[Found]:
        found: list[Found] = []
        for position, registration in self._registered_members(candidate, view):
            found.append(Found(position, self._verdict(position, registration, view), view))
            # Members come best first: after a match, the first one that does not match ends the search.
            if found[-1].verdict.reason and any(one.verdict.reason is None for one in found):
                break
        return found

    def _registered_members(self, candidate: Candidate, view: QueryView) -> Iterator[tuple[int, Alignment]]:
        """The likeliest members of a cluster with their registration, best first."""
        cluster, small = candidate.cluster, view.small.image
        reference = self._entries[cluster.representative].fingerprint
        start = _start_frame(candidate.reference_frame, candidate.query_frame, view)
        whole = Frame(0, 0, *small.size)
        may_be_covered = not reference.is_declared and min(*reference.size, *view.picture.size) >= SMALLEST
        registration = register(reference.mosaic, view.small, start, whole, may_be_covered=may_be_covered)
        if len(cluster.members) == 1:
            if registration is not None:
                yield cluster.representative, registration
            return
        count = _MEMBERS if reference.is_declared else _MEMBERS_UNDECLARED
        # The representative's own text can pull its frame askew, so the others also start from where it was expected.
        starts = (registration.frame, start, whole) if registration else (start, whole)
        samples = [one for frame in dict.fromkeys(starts) if (one := sample(small, frame, MOSAIC, MOSAIC))]
        if registration is None:
            count = _MEMBERS_UNREGISTERED
        for position in cluster.ranked(samples, count) if samples else (cluster.representative,):
            own = registration
            if position != cluster.representative:
                known = self._entries[position].fingerprint.mosaic
                own = register(known, view.small, *starts, may_be_covered=may_be_covered)
            if own is not None:
                yield position, own

    def _verdict(self, position: int, registration: Alignment, view: QueryView) -> Verdict:
        reference = self._entries[position].fingerprint
        frame = view.enlarged(registration.frame)
        if registration.correlation < _MIN_CORRELATION or not _has_even_scale(frame, reference):
            return Verdict(9.0 - registration.correlation, LIMIT, frame, "other_scene")
        return verify(reference, ReferenceImage(self._pictures, position), view, frame)

    def _match(self, found: Found) -> ImageMatch:
        entry, verdict, view = self._entries[found.position], found.verdict, found.view
        return ImageMatch(
            entry.reference.id,
            "pixels" if self._has_same_pixels(found.position, view.picture) else "perceptual",
            verdict.score,
            verdict.limit,
            view.placement(verdict.frame, entry.fingerprint.size, verdict.texts),
        )

    def _has_same_pixels(self, position: int, picture: Picture) -> bool:
        """Whether all pixels are the same. They are decoded only where the reduced copies are equal."""
        reference = self._entries[position].fingerprint
        is_near = reference.size == picture.size and may_be_equal(
            reference, mosaic(picture.small), picture.facts.format
        )
        return is_near and self._pictures.pixels(position) == picture.pixels()

    def _three_nearest(self, misses: Iterable[Found]) -> tuple[ImageNearMiss, ...]:
        """The best near miss of each reference, of the first three."""
        best: dict[str, ImageNearMiss] = {}
        for miss in misses:
            near_miss = _near_miss(self._entries[miss.position], miss)
            best.setdefault(near_miss.id, near_miss)
        return tuple(best.values())[:3]

    def _collision(self, first: int, second: int) -> Collision | None:
        """The collision of two members of a cluster, if a search for the second would find the first, or nearly."""
        entry, other = self._entries[first], self._entries[second]
        if entry.fingerprint.pixels == other.fingerprint.pixels:
            return None
        picture = self._pictures.decoded(second)
        view = QueryView(picture, Orientation.UPRIGHT)
        frames = entry.fingerprint.thumbnails[0].frame, query_thumbnails(picture.small)[0].frame
        registration = register(entry.fingerprint.mosaic, view.small, _start_frame(*frames, view))
        if registration is None:
            return None
        verdict = self._verdict(first, registration, view)
        is_told_apart = verdict.reason is not None and verdict.excess > _BARELY_APART
        return None if is_told_apart else Collision(entry.reference.id, other.reference.id, verdict.score)


def _affine(frame: Frame, entry: Entry) -> Affine:
    """The map from a reference's upright pixels to a picture in which it has this frame."""
    width, height = entry.fingerprint.size
    return Affine(frame.width / width, 0, frame.left, 0, frame.height / height, frame.top)


def _likeliest(candidates: list[Candidate]) -> list[Candidate]:
    """The first few candidates, and those that are almost as similar as the first."""
    return [
        candidate
        for place, candidate in enumerate(candidates)
        if place < _CLUSTERS or candidate.similarity > max(_SIMILAR, candidates[0].similarity - _SIMILAR_TO_BEST)
    ]


def _start_frame(reference: Frame, sent: Frame, view: QueryView) -> Frame:
    """The frame of the whole reference in the small copy, if the part `reference` of it is `sent` of the picture."""
    query = view.orientation.inverse.apply_to_frame(sent)
    width, height = query.width / reference.width, query.height / reference.height
    frame = Frame(query.left - reference.left * width, query.top - reference.top * height, width, height)
    return frame.scaled(*view.small.image.size)


def _has_even_scale(frame: Frame, reference: Fingerprint) -> bool:
    stretch = (frame.width / reference.size[0]) / (frame.height / reference.size[1])
    return 1 / _MAX_STRETCH < stretch < _MAX_STRETCH


def _sorted(found: Iterable[Found]) -> list[Found]:
    """The nearest to their limits first."""
    return sorted(found, key=lambda one: one.verdict.excess)


def _near_miss(entry: Entry, miss: Found) -> ImageNearMiss:
    verdict, region = miss.verdict, None
    if verdict.difference:
        # A placement maps boxes of a picture; the unit box of a picture of one pixel stands for the whole frame.
        region = miss.view.placement(verdict.difference, (1, 1)).map(Box(0, 0, 1, 1))
    return ImageNearMiss(entry.reference.id, verdict.score, verdict.limit, verdict.reason or "", region)
