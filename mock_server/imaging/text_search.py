"""Finds declared texts in a part of a picture, turned, squashed or pasted into another one: the text decides.

Keypoints say where a reference's text would lie; the text is compared there, straightened. What surrounds it only has
to agree as far as the sent picture shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mock_server.imaging.anchors import KeypointPool
from mock_server.imaging.build_index import Entry
from mock_server.imaging.candidate_verification import QueryView, Verdict, verify_texts
from mock_server.imaging.decode import Picture
from mock_server.imaging.geometry import Affine
from mock_server.imaging.keypoint_index import KeypointIndex
from mock_server.imaging.keypoints import first_reduction
from mock_server.imaging.rectified_view import RectifiedView
from mock_server.imaging.reference_pictures import ReferenceImage, ReferencePictures
from mock_server.imaging.surroundings import have_like_colours, look_alike

# How many anchors are looked at, and how many of them are compared.
_LOCATED = 8
_COMPARED = 4
# Least correlation of a text with what is at its place, once the two are aligned, that is worth comparing.
_MIN_CORRELATION = 0.65
# Further texts that are compared at the place of one.
_INSTEAD = 4
# How much lower the limits of scores are here: a straightened text has less detail to tell a changed stroke by.
_STRICTER = 0.3


@dataclass(frozen=True, slots=True)
class Found:
    """The position of a reference in the index, the verdict on it, and the view in which it was compared."""

    position: int
    verdict: Verdict
    view: QueryView | RectifiedView


class TextSearch:
    """A search for declared texts over the fingerprints of an index. Immutable."""

    def __init__(self, entries: Sequence[Entry], pictures: ReferencePictures) -> None:
        self._entries, self._pictures = entries, pictures
        self._keypoints = KeypointIndex(KeypointPool.of([entry.fingerprint.anchors for entry in entries]))

    def find(self, picture: Picture) -> list[Found]:
        """The likeliest references, whether they match or not."""
        found: dict[int, Found] = {}
        compared = 0
        size = picture.working_size
        for located in self._keypoints.locate(picture.reduced_working(first_reduction(size)), _LOCATED, size):
            if located.position in found or compared == _COMPARED:
                continue
            view = self._view(picture, located.position, located.affine)
            if view is None:
                continue
            compared += 1
            found[located.position] = self._compare(located.position, view)
            aligned = replace(located, affine=view.in_working_copy)
            for other in self._keypoints.look_alikes(picture.working, aligned, _INSTEAD):
                if other.position not in found:
                    one = self.compare_at(picture, other.position, other.affine)
                    found |= {other.position: one} if one is not None else {}
        return list(found.values())

    def compare_at(self, picture: Picture, position: int, affine: Affine, least_move: float = 0.0) -> Found | None:
        """Compare a reference where `affine`, found in another way, maps it to the working copy.

        None where no text is declared, where its corners lie within `least_move` pixels of where they would, or where
        something else is shown.
        """
        view = self._view(picture, position, affine, least_move)
        return None if view is None or view.moved < least_move else self._compare(position, view)

    def _view(self, picture: Picture, position: int, affine: Affine, least_move: float = 0.0) -> RectifiedView | None:
        """The picture straightened for a reference; None if that has no declared text, or something else is shown."""
        reference = self._entries[position].fingerprint
        view = RectifiedView(picture, reference, affine, least_move) if reference.is_declared else None
        return view if view is not None and view.correlation >= _MIN_CORRELATION else None

    def _compare(self, position: int, view: RectifiedView) -> Found:
        reference, picture = self._entries[position].fingerprint, view.picture
        verdict = verify_texts(reference, ReferenceImage(self._pictures, position), view, view.frame, _STRICTER)
        if verdict.reason is None:
            affine = view.to_sent(verdict.frame, reference.size)
            if not look_alike(reference, picture, affine):
                verdict = replace(verdict, reason="other_surroundings")
            elif not have_like_colours(reference, picture, affine):
                verdict = replace(verdict, reason="other_colours")
        return Found(position, verdict, view)
