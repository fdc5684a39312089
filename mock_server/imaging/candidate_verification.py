"""Is this the picture? One known picture against one place in the sent one, text by text."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.colours import alike, distance, palette
from mock_server.imaging.comparison import HOPELESS, RIM, Comparison, compare
from mock_server.imaging.decode import Picture
from mock_server.imaging.fingerprint import Fingerprint, Patch
from mock_server.imaging.geometry import Placement
from mock_server.imaging.local_difference import LIMIT as PLACE_LIMIT
from mock_server.imaging.local_difference import Known, compare_place
from mock_server.imaging.pixel_transforms import turned
from mock_server.imaging.registration import Frame, Pyramid
from mock_server.imaging.retrieval import INVERSE
from mock_server.imaging.whole_image import Original, compare_whole

# Limits of the score, by what is compared; docs/matching.md says how they were found.
LIMIT = 0.0
_LIMIT_SMALL = -0.2

# Pixels to one character in the sent picture: from here on as sure as can be, and below this not at all.
SURE_CELL = 8.0
LEAST_CELL = 5.0
_LEAST_CELL_FOUND = 3.0
# So many levels of colour weigh as much as one point of score.
_LEVELS_PER_POINT = 20.0
# A declared region must lie inside the sent picture by this share of either axis, and may lack no more of its text than
# this part of a character: what is cut off might be what differs. A line that was only found may have been too long to
# begin with.
_WITHIN = 0.84
_LACKING = 0.5
_WITHIN_FOUND = 0.6


class Sight:
    """The sent picture, turned back to how the known one stands."""

    def __init__(self, picture: Picture, orientation: int) -> None:
        self.picture = picture
        self.orientation = orientation
        self.small = Pyramid(turned(picture.small, INVERSE[orientation]))

    @cached_property
    def image(self) -> Image.Image:
        """The working copy."""
        return turned(self.picture.working, INVERSE[self.orientation])

    def enlarged(self, frame: Frame) -> Frame:
        """A frame of the small copy, in pixels of the working one."""
        small = self.small.image
        return frame.scaled(self.image.width / small.width, self.image.height / small.height)

    def fine(self) -> tuple[Image.Image, float]:
        """The finest copy there is, and how many times as fine as the working one it is."""
        if self.picture.zoom == 1.0:
            return self.image, 1.0
        image, reached = self.picture.at(1.0)
        return turned(image, INVERSE[self.orientation]), reached / self.picture.zoom

    def palette(self, frame: Frame) -> NDArray[np.uint8]:
        """The colours of a frame of the working copy."""
        colours = turned(self._colours, INVERSE[self.orientation])
        across, down = colours.width / self.image.width, colours.height / self.image.height
        return palette(colours, frame.scaled(across, down))

    @cached_property
    def _colours(self) -> Image.Image:
        return self.picture.colours()

    def placement(self, frame: Frame, known: tuple[int, int]) -> Placement:
        """Where a known picture of this size lies in the sent one, `frame` being its place in the working
        copy."""
        zoom = self.picture.zoom
        width, height = self.image.width / zoom, self.image.height / zoom
        x, y = frame.left / zoom, frame.top / zoom
        wide, high = frame.width / zoom, frame.height / zoom
        if self.orientation in (2, 3, 7, 8):
            x = width - wide - x
        if self.orientation in (3, 4, 6, 7):
            y = height - high - y
        scale, shift = (wide / known[0], high / known[1]), (x, y)
        if self.orientation >= 5:
            scale, shift = scale[::-1], shift[::-1]
        return Placement(known, self.picture.size, self.orientation, scale, shift)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` None: it is the picture. `frame`: where it lies; `differs`: what decided, in the working
    copy."""

    score: float
    limit: float
    frame: Frame
    reason: str | None = None
    differs: Frame | None = None
    distance: float = 0.0

    @property
    def excess(self) -> float:
        """How far the score is above its limit: what verdicts under different limits are compared by."""
        return self.score - self.limit

    @property
    def rank(self) -> float:
        """What orders the pictures that match: their excess, and how far their colours are off."""
        return self.excess + self.distance / _LEVELS_PER_POINT


def judge(known: Fingerprint, sight: Sight, frame: Frame, original: Callable[[], Original | None]) -> Verdict:
    """Compare a known picture with `frame` of the working copy; `original` reads it again, if it can.

    All declared regions and found lines must agree, and where nothing is declared so must all the rest.
    """
    verdicts = []
    for patch in known.patches:
        verdict = _one_text(patch, known.declared, sight, frame, original)
        if verdict is not None:
            verdicts.append(verdict)
            if verdict.reason:
                return verdict
    if not known.declared:
        verdicts.append(_all_else(sight, frame, original))
    worst = max(verdicts, key=lambda verdict: verdict.excess)
    return worst if worst.reason else _coloured(worst, known, sight)


def _one_text(
    patch: Patch, told: bool, sight: Sight, frame: Frame, original: Callable[[], Original | None]
) -> Verdict | None:
    """One region, `told` if any was declared; None where too little of it is seen and it need not be judged."""
    place = frame.part(patch.frame.left, patch.frame.top, patch.frame.width, patch.frame.height)
    shared = place.width / patch.pixels.shape[1]
    image, finer = sight.fine() if shared < 0.95 and patch.declared else (sight.image, 1.0)
    cell = patch.cell * min(1.0, shared * finer)
    too_small = cell < (LEAST_CELL if patch.declared else _LEAST_CELL_FOUND)
    if too_small and patch.rank > (0 if told else 1):
        return None
    known, there = Image.fromarray(patch.pixels), place.scaled(finer, finer)
    if told and patch.rank <= 1:
        limit = LIMIT if cell >= SURE_CELL else _LIMIT_SMALL
        result = compare(known, patch.letter, image, there, _within(patch))
        # Colours cost another look at the known picture, so it is taken only where they may decide.
        if result is not None and limit < result.score < HOPELESS and not too_small:
            colours = _coloured_part(patch, original())
            result = compare(known, patch.letter, image, there, _within(patch), colours)
    else:
        limit = PLACE_LIMIT
        part = Known(known, patch.cell, lambda: _coloured_part(patch, original()))
        result = compare_place(part, image, there, _WITHIN_FOUND)
    if result is None:
        return Verdict(9.0, limit, frame, "cut_off") if patch.declared else None
    differs = _around(result, place)
    if too_small:
        return Verdict(result.score, limit, frame, "too_small", differs)
    reason = None if result.score <= limit else "other_text"
    return Verdict(result.score, limit, _shifted(frame, place, result, finer), reason, differs)


def _within(patch: Patch) -> tuple[float, float]:
    """What of a text's height and width must be seen."""
    if not patch.declared:
        return _WITHIN_FOUND, _WITHIN_FOUND
    high, wide = patch.pixels.shape
    return _WITHIN, max(_WITHIN, 1 - (RIM * high + _LACKING * patch.cell) / wide)


def _coloured_part(patch: Patch, original: Original | None) -> Image.Image | None:
    if original is None:
        return None
    (wide, high), part = original.grey.size, patch.frame
    box = (
        part.left * wide,
        part.top * high,
        (part.left + part.width) * wide,
        (part.top + part.height) * high,
    )
    return original.part(box, patch.pixels.shape[::-1])


def _coloured(verdict: Verdict, known: Fingerprint, sight: Sight) -> Verdict:
    """The verdict, if the colours allow it: asked last, since a JPEG has to be decoded once more for them."""
    seen = sight.palette(verdict.frame)
    reason = None if alike(known.palette, seen) else "other_colours"
    return replace(verdict, reason=reason, distance=distance(known.palette, seen))


def _all_else(sight: Sight, frame: Frame, original: Callable[[], Original | None]) -> Verdict:
    known = original()
    if known is None:
        return Verdict(9.0, PLACE_LIMIT, frame, "unreadable")
    result = compare_whole(known, sight.image, frame)
    if result is None:
        return Verdict(9.0, PLACE_LIMIT, frame, "other_scene")
    reason = None if result.score <= PLACE_LIMIT else "other_detail"
    return Verdict(result.score, PLACE_LIMIT, result.frame, reason, _around(result, frame))


def _around(result: Comparison, place: Frame) -> Frame:
    """A square of two characters around where a comparison found most to differ."""
    side = 2 * result.cell
    return Frame(
        place.left + result.hottest[0] * place.width - side / 2,
        place.top + result.hottest[1] * place.height - side / 2,
        side,
        side,
    )


def _shifted(frame: Frame, place: Frame, result: Comparison, finer: float) -> Frame:
    """The whole frame, moved as the close comparison moved its part: that saw more pixels."""
    x = result.frame.left / finer - place.left + (result.frame.width / finer - place.width) / 2
    y = result.frame.top / finer - place.top + (result.frame.height / finer - place.height) / 2
    return Frame(frame.left + x, frame.top + y, frame.width, frame.height)
