"""Finds declared texts in a part of a picture, turned, squashed or pasted into another one: the text decides.

Keypoints say where a reference's text would lie; the text is compared there, straightened. What surrounds it only has
to agree as far as the sent picture shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mock_server.imaging.build_index import Entry
from mock_server.imaging.candidate_verification import Verdict, verify_texts
from mock_server.imaging.decode import Picture
from mock_server.imaging.geometry import Affine
from mock_server.imaging.keypoint_index import KeypointIndex, Located
from mock_server.imaging.rectified_view import RectifiedView
from mock_server.imaging.reference_image import ReferenceImages
from mock_server.imaging.surroundings import have_like_colours, look_alike

# How many anchors are looked at, and how many of them are compared.
_LOCATED = 8
_COMPARED = 4
# Least correlation of the small copies of two texts that are worth comparing.
_MIN_SIMILARITY = 0.5
# Further texts that are compared at the place of one: those that correlate most, and at least as much as this less.
_INSTEAD = 4
_BEHIND = 0.04
# How much lower the limits of scores are here: a straightened text has less detail to tell a changed stroke by.
_STRICTER = 0.3


@dataclass(frozen=True, slots=True)
class FoundText:
    """The position of a reference in the index, the verdict on it, and the view in which it was compared."""

    position: int
    verdict: Verdict
    view: RectifiedView


class TextSearch:
    """A search for declared texts over the fingerprints of an index. Immutable."""

    def __init__(self, entries: Sequence[Entry], images: ReferenceImages) -> None:
        self._entries = entries
        self._images = images
        self._keypoints = KeypointIndex([entry.fingerprint for entry in entries])

    def find(self, picture: Picture) -> list[FoundText]:
        """The likeliest references, whether they match or not."""
        found: dict[int, FoundText] = {}
        compared = 0
        for located in self._keypoints.locate(picture.working, _LOCATED):
            if located.position in found or compared == _COMPARED:
                continue
            similar = self._keypoints.similarities(picture.working, located)
            own = float(similar[self._keypoints.anchor_number(located)])
            if max(own, 0.0) < _MIN_SIMILARITY:
                continue
            compared += 1
            least = max(own, float(similar.max())) - _BEHIND
            # Where many references show one scene, keypoints do not say which of them it is; the text does.
            self._add(found, picture, located)
            for anchor in np.argsort(-similar, kind="stable")[:_INSTEAD].tolist():
                other = self._keypoints.instead(located, anchor)
                if similar[anchor] >= least and other.position not in found:
                    self._add(found, picture, other)
        return list(found.values())

    def compare_at(self, picture: Picture, position: int, affine: Affine, least_move: float = 0.0) -> FoundText | None:
        """Compare a reference where `affine`, found in another way, maps it to the working copy.

        None where no text is declared, or where its corners lie within `least_move` pixels of where they would.
        """
        reference = self._entries[position].fingerprint
        if not reference.is_declared:
            return None
        view = RectifiedView(picture, reference, affine)
        if view.moved < least_move:
            return None
        verdict = verify_texts(reference, self._images(position), view, view.frame)
        verdict = replace(verdict, limit=verdict.limit - _STRICTER)
        if verdict.reason is None and verdict.excess > 0:
            verdict = replace(verdict, reason="other_text")
        if verdict.reason is None:
            affine = view.to_sent(verdict.frame, reference.size)
            zoom = picture.zoom
            if not look_alike(reference, picture.working, Affine(zoom, 0, 0, 0, zoom, 0).after(affine)):
                verdict = replace(verdict, reason="other_surroundings")
            elif not have_like_colours(reference, picture, affine):
                verdict = replace(verdict, reason="other_colours")
        return FoundText(position, verdict, view)

    def _add(self, found: dict[int, FoundText], picture: Picture, located: Located) -> None:
        """Compare one reference, unless it was found to match."""
        earlier = found.get(located.position)
        if earlier is None or earlier.verdict.reason is not None:
            one = self.compare_at(picture, located.position, located.affine)
            if one is not None and (earlier is None or one.verdict.excess < earlier.verdict.excess):
                found[located.position] = one
