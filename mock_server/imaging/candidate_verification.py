"""Candidate verification: does the sent picture show this reference, text by text?

Every declared text must match, and where none is declared the whole picture; last come the colours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.colours import are_alike, distance, palette
from mock_server.imaging.comparison import MARGIN, Comparison, compare_text
from mock_server.imaging.decode import Picture
from mock_server.imaging.fingerprint import Fingerprint, Patch
from mock_server.imaging.geometry import Frame, Orientation, Placement, scaling
from mock_server.imaging.plane_alignment import TextPlace, in_perspective
from mock_server.imaging.reference_pictures import ReferenceImage
from mock_server.imaging.registration import Pyramid
from mock_server.imaging.undeclared_comparison import PART_LIMIT
from mock_server.imaging.whole_image import compare_whole

# Highest score of a match of a declared text: with at least SURE_CHARACTER pixels per character in the sent picture,
# and with fewer. `docs/matching.md` says how they were found.
LIMIT = 0.0
_LIMIT_SMALL = -0.2
# Pixels per character in the sent picture: enough to be sure, the least for a declared text, the least for a line
# within its box.
SURE_CHARACTER = 8.0
MIN_CHARACTER = 5.0
_MIN_CHARACTER_DETECTED = 3.0
# Below this share of a reference's resolution, a declared text is compared with the sent picture at full size.
_FULL_SIZE_BELOW = 0.95
# Share of a declared text's height and width that must lie inside the sent picture, and how much of a character may be
# missing: the missing part may be the one that differs. A line within a box may have been too long from the start.
_MIN_VISIBLE = 0.84
_MAX_MISSING_CHARACTER = 0.5
_MIN_VISIBLE_DETECTED = 0.6
# Mean colour difference, in grey levels, that counts as much as one point of score when matches are ranked.
_LEVELS_PER_POINT = 20.0
# Score of a candidate that could not be compared.
_NOT_COMPARED = 9.0


class QueryView:
    """The sent picture, turned so that a reference in this orientation stands upright in it."""

    def __init__(self, picture: Picture, orientation: Orientation) -> None:
        self.picture = picture
        self.orientation = orientation
        self.small = Pyramid(orientation.inverse.apply_to_image(picture.small))

    @property
    def is_upright(self) -> bool:
        """Whether the picture stands as it was sent."""
        return self.orientation is Orientation.UPRIGHT

    @cached_property
    def image(self) -> Image.Image:
        """The grey working copy."""
        return self.orientation.inverse.apply_to_image(self.picture.working)

    def enlarged(self, frame: Frame) -> Frame:
        """A frame of the small copy, in pixels of the working copy."""
        small = self.small.image
        return frame.scaled(self.image.width / small.width, self.image.height / small.height)

    def full_size(self) -> tuple[Image.Image, float]:
        """The picture in grey at full size, and how many times as fine as the working copy it is."""
        if self.picture.zoom == 1.0:
            return self.image, 1.0
        image, zoom = self.picture.at(1.0)
        return self.orientation.inverse.apply_to_image(image), zoom / self.picture.zoom

    def palette(self, frame: Frame) -> NDArray[np.uint8]:
        """The colours of a frame of the working copy."""
        colours = self._colours
        return palette(colours, frame.scaled(colours.width / self.image.width, colours.height / self.image.height))

    @cached_property
    def _colours(self) -> Image.Image:
        return self.orientation.inverse.apply_to_image(self.picture.preview)

    def placement(self, frame: Frame, reference_size: tuple[int, int], texts: Sequence[TextPlace] = ()) -> Placement:
        """Where a reference of this size lies in the sent picture, given its frame in the working copy.

        `texts`: where its texts lie there, if they are in perspective.
        """
        zoom = self.picture.zoom
        upright = (self.image.width / zoom, self.image.height / zoom)
        sent = self.orientation.apply_to_frame(frame.scaled(1 / zoom, 1 / zoom), upright)
        turned = self.orientation.apply_to_size(reference_size)
        scale = (sent.width / turned[0], sent.height / turned[1])
        level = Placement(reference_size, self.picture.size, self.orientation, scale, (sent.left, sent.top))
        return in_perspective(level, [text.mapped(scaling(1 / zoom)) for text in texts]) if self.is_upright else level


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a candidate matches: `reason` is None if it does, else one of those of `ImageNearMiss`.

    In pixels of the working copy: `frame`, where the reference lies; `difference`, the place that decided; `texts`,
    the declared texts, where one of them lies in perspective.
    """

    score: float
    limit: float
    frame: Frame
    reason: str | None = None
    difference: Frame | None = None
    colour_distance: float = 0.0
    texts: tuple[TextPlace, ...] = ()

    @property
    def excess(self) -> float:
        """The score above its limit, which makes verdicts with different limits comparable."""
        return self.score - self.limit

    @property
    def rank(self) -> float:
        """What orders matches: the excess and the colour distance, lowest first."""
        return self.excess + self.colour_distance / _LEVELS_PER_POINT


class TextView(Protocol):
    """A grey picture in which a reference stands upright."""

    @property
    def image(self) -> Image.Image: ...

    def full_size(self) -> tuple[Image.Image, float]:
        """The same at full size, and how many times as fine it is."""


def verify(reference: Fingerprint, image: ReferenceImage, query: QueryView, frame: Frame) -> Verdict:
    """Compare a reference with `frame` of the working copy."""
    is_declared = reference.is_declared
    verdict = verify_texts(reference, image, query, frame) if is_declared else _verify_whole(query, frame, image)
    return verdict if verdict.reason else _verify_colours(verdict, reference, query)


def verify_texts(
    reference: Fingerprint, image: ReferenceImage, view: TextView, frame: Frame, stricter: float = 0.0
) -> Verdict:
    """Compare the declared texts of a reference with `frame` of a view that need not show the rest of it.

    `stricter`: how much lower the limits are. The verdict is that with the highest excess, or the first that differs.
    """
    verdicts: list[Verdict] = []
    for patch in reference.patches:
        verdict = _verify_text(patch, view, frame, image, stricter)
        if verdict is None:
            continue
        if verdict.reason:
            verdicts = [verdict]
            break
        verdicts.append(verdict)
    texts = tuple(text for verdict in verdicts for text in verdict.texts)
    worst = max(verdicts, key=lambda verdict: verdict.excess)
    return replace(worst, texts=texts if any(text.is_in_perspective for text in texts) else ())


def _verify_text(
    patch: Patch, query: TextView, frame: Frame, reference: ReferenceImage, stricter: float
) -> Verdict | None:
    """The verdict on one text; None where too little of it is visible and the others decide."""
    text_frame = frame.part(patch.frame)
    resolution = text_frame.width / patch.shape[1]
    image, finer = query.image, 1.0
    if resolution < _FULL_SIZE_BELOW and patch.is_declared:
        image, finer = query.full_size()
    pitch = patch.pitch * min(1.0, resolution * finer)
    is_too_small = pitch < (MIN_CHARACTER if patch.is_declared else _MIN_CHARACTER_DETECTED)
    if is_too_small and not patch.is_declared:
        return None
    image_frame = text_frame.scaled(finer, finer)
    limit = (LIMIT if pitch >= SURE_CHARACTER else _LIMIT_SMALL) - stricter
    grey, wanted = Image.fromarray(patch.pixels), None if is_too_small else limit
    # Colours are read only where they may decide, since that decodes the reference.
    colours = partial(_colours_of, patch, reference)
    result = compare_text(grey, patch.character, image, image_frame, _min_visible(patch), wanted, colours)
    if result is None:
        return Verdict(_NOT_COMPARED, limit, frame, "cut_off") if patch.is_declared else None
    difference = _around_strongest(result, text_frame)
    if is_too_small:
        return Verdict(result.score, limit, frame, "too_small", difference)
    reason = None if result.score <= limit else "other_text"
    texts = (_place(patch, result, finer),) if patch.is_declared else ()
    return Verdict(result.score, limit, _corrected(frame, text_frame, result, finer), reason, difference, texts=texts)


def _place(patch: Patch, result: Comparison, finer: float) -> TextPlace:
    corners = result.corners or result.frame.corners
    return TextPlace(patch.frame, tuple((x / finer, y / finer) for x, y in corners), result.corners is not None)


def _min_visible(patch: Patch) -> tuple[float, float]:
    """Shares of a text's height and width that must be visible."""
    if not patch.is_declared:
        return _MIN_VISIBLE_DETECTED, _MIN_VISIBLE_DETECTED
    height, width = patch.shape
    may_be_missing = (MARGIN * height + _MAX_MISSING_CHARACTER * patch.pitch) / width
    return _MIN_VISIBLE, max(_MIN_VISIBLE, 1 - may_be_missing)


def _colours_of(patch: Patch, reference: ReferenceImage) -> Image.Image | None:
    """The patch in RGB, where the reference can still be read."""
    if reference.colours is None:
        return None
    width, height = reference.colours.size
    return reference.part(patch.frame.scaled(width, height).edges(width, height), patch.shape[::-1])


def _verify_colours(verdict: Verdict, reference: Fingerprint, query: QueryView) -> Verdict:
    """The verdict with the colours compared; last, because a JPEG has to be decoded once more for them."""
    colours = query.palette(verdict.frame)
    reason = None if are_alike(reference.palette, colours) else "other_colours"
    return replace(verdict, reason=reason, colour_distance=distance(reference.palette, colours))


def _verify_whole(query: QueryView, frame: Frame, reference: ReferenceImage) -> Verdict:
    if reference.grey is None:
        return Verdict(_NOT_COMPARED, PART_LIMIT, frame, "unreadable")
    result = compare_whole(reference.grey, reference.lines, reference.part, query.image, frame)
    if result is None:
        return Verdict(_NOT_COMPARED, PART_LIMIT, frame, "other_scene")
    reason = ("other_text" if result.is_line else "other_detail") if result.score > PART_LIMIT else None
    return Verdict(result.score, PART_LIMIT, result.frame, reason, _around_strongest(result, frame))


def _around_strongest(result: Comparison, part: Frame) -> Frame:
    """A square of two characters around the strongest difference in a compared part."""
    side = 2 * result.character
    x, y = part.left + result.strongest[0] * part.width, part.top + result.strongest[1] * part.height
    return Frame(x - side / 2, y - side / 2, side, side)


def _corrected(frame: Frame, part: Frame, result: Comparison, finer: float) -> Frame:
    """The frame of the reference, shifted as the comparison shifted `part` of it: that one saw more pixels."""
    x = result.frame.left / finer - part.left + (result.frame.width / finer - part.width) / 2
    y = result.frame.top / finer - part.top + (result.frame.height / finer - part.height) / 2
    return Frame(frame.left + x, frame.top + y, frame.width, frame.height)
