"""Anchors: the keypoints on and around a declared text, by which it is found in any part of any picture.

The finest level shows single characters, each further one a wider neighbourhood at a lower resolution, the last one the
whole picture. All of them lie close around the text, so a crop that shows the text shows most of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.array_store import StoredArray, in_memory
from mock_server.imaging.geometry import Box, Frame
from mock_server.imaging.keypoints import LEVEL_RATIO, DetectedKeypoints, describe, detect
from mock_server.imaging.lucas_kanade import Floats
from mock_server.imaging.pixel_transforms import Grey

# Size of a character (the square root of its area) on the finest level, in pixels, and how much a small text is
# enlarged for that.
_FINEST_CHARACTER = 34.0
_MAX_ENLARGED = 2.5
# Pixels around the text on every level.
_AROUND = 64
# Keypoints of a level at most, on the text and around it each.
_COUNT = 12
# Levels at most, and the shorter side of the last one.
_LEVELS = 14
_MIN_SIDE = 28
# Texts of one picture that have anchors.
MAX_ANCHORS = 6
# (width, height) in pixels of the copy of a text, by which the references that show the same scene are ranked.
GLYPHS = (48, 12)


# The size of a pixel of each level, of those of the finest one.
_RATIOS: Floats = np.float32(LEVEL_RATIO) ** np.arange(256, dtype=np.float32)
# Steps of an offset for each pixel of its level.
_OFFSET_STEPS = 32
# A stored keypoint: its level, 0 the finest; x and y from the middle of the text, in steps of the level's pixels; its
# description.
KEYPOINT = np.dtype([("level", np.uint8), ("offset", np.int16, 2), ("code", np.uint64)])


@dataclass(frozen=True, slots=True)
class Anchor:
    """The keypoints around one declared text.

    `frame`: the text's box, in upright pixels. `finest`: the size of a pixel of the finest level, in these.
    `keypoints`: of the kind `KEYPOINT`. `stored_glyphs`: a small grey copy of the box.
    """

    frame: Frame
    finest: float
    keypoints: StoredArray
    stored_glyphs: StoredArray

    @property
    def glyphs(self) -> Grey:
        """The small grey copy; it may be read from a file."""
        return self.stored_glyphs.read()

    @property
    def middle(self) -> tuple[float, float]:
        """The middle of the text in upright pixels."""
        return self.frame.left + self.frame.width / 2, self.frame.top + self.frame.height / 2


def pixel_sizes(finest: Floats | float, levels: NDArray[np.uint8]) -> Floats:
    """Sizes of a pixel of these levels."""
    sizes: Floats = _RATIOS[levels] * finest
    return sizes


def places(offsets: NDArray[np.int16], sizes: Floats) -> Floats:
    """Offsets along one axis in pixels of the picture; `sizes`: of a pixel of each one's level."""
    return offsets * (sizes / np.float32(_OFFSET_STEPS))


def anchor(working: Image.Image, zoom: float, box: Box, characters: int) -> Anchor:
    """The anchor of a box in upright pixels, made of a grey copy with this zoom."""
    text = box.frame.scaled(zoom, zoom)
    left, top, right, bottom = text.left, text.top, text.left + text.width, text.top + text.height
    scale = min(_MAX_ENLARGED, _FINEST_CHARACTER / character_size(box, characters) / zoom)
    finest = 1 / (scale * zoom)
    found: list[DetectedKeypoints] = []
    source, reduced = working, 1
    for _ in range(_LEVELS):
        around = _AROUND / scale
        part = (
            max(0, round(left - around)),
            max(0, round(top - around)),
            min(working.width, round(right + around)),
            min(working.height, round(bottom + around)),
        )
        size = (round((part[2] - part[0]) * scale), round((part[3] - part[1]) * scale))
        if min(size) < _MIN_SIDE and found:
            break
        if 2 * scale * reduced <= 1:
            source, reduced = source.reduce(2), 2 * reduced
        edges = (
            part[0] / reduced,
            part[1] / reduced,
            min(source.width, part[2] / reduced),
            min(source.height, part[3] / reduced),
        )
        level = source.resize((max(1, size[0]), max(1, size[1])), Image.Resampling.BILINEAR, box=edges)
        found.append(detect(level, _COUNT, part, text))
        if part == (0, 0, *working.size) and min(size) < 2 * _MIN_SIDE:
            break
        scale /= LEVEL_RATIO
    glyphs: Grey = np.asarray(working.resize(GLYPHS, Image.Resampling.BILINEAR, box=text.edges(*working.size)))
    keypoints = describe(found)
    levels = np.repeat(np.arange(len(found), dtype=np.uint8), [len(level.points) for level in found])
    sizes = pixel_sizes(finest, levels)
    middle = np.array([left + right, top + bottom], np.float32) / 2
    steps = (keypoints.points[:, :2] - middle) / np.float32(zoom) / sizes[:, None] * _OFFSET_STEPS
    limits = np.iinfo(np.int16)
    stored = np.empty(len(levels), KEYPOINT)
    stored["level"], stored["code"] = levels, keypoints.codes()
    stored["offset"] = steps.round().clip(limits.min, limits.max)
    return Anchor(box.frame, finest, in_memory(stored), in_memory(glyphs))


def character_size(box: Box, characters: int) -> float:
    """The square root of the area that a character takes of its box."""
    return float(np.sqrt(box.width * box.height / (characters or 7)))


@dataclass(frozen=True, slots=True)
class KeypointPool:
    """The anchors of all references, and their keypoints in a few arrays.

    `owners`: the position of each anchor's reference in the index, and its number in that. `starts`: the number of each
    anchor's first keypoint, and one past the last.
    """

    anchors: tuple[Anchor, ...]
    owners: tuple[tuple[int, int], ...]
    starts: NDArray[np.int64]
    codes: NDArray[np.uint64]
    offsets: NDArray[np.int16]
    levels: NDArray[np.uint8]
    middles: Floats
    finest: Floats

    @classmethod
    def of(cls, anchors_of: Sequence[tuple[Anchor, ...]]) -> Self:
        """The pool of the anchors of each reference."""
        anchors = [anchor for some in anchors_of for anchor in some]
        starts = np.cumsum([0, *(anchor.keypoints.shape[0] for anchor in anchors)])
        count = int(starts[-1])
        codes, offsets, levels = np.empty(count, np.uint64), np.empty((count, 2), np.int16), np.empty(count, np.uint8)
        for anchor, first, last in zip(anchors, starts.tolist(), starts[1:].tolist(), strict=False):
            keypoints = anchor.keypoints.read()
            codes[first:last], offsets[first:last] = keypoints["code"], keypoints["offset"]
            levels[first:last] = keypoints["level"]
        return cls(
            tuple(anchors),
            tuple((position, number) for position, some in enumerate(anchors_of) for number in range(len(some))),
            starts,
            codes,
            offsets,
            levels,
            np.array([anchor.middle for anchor in anchors], np.float32).reshape(-1, 2),
            np.array([anchor.finest for anchor in anchors], np.float32),
        )

    def points(self, keypoints: NDArray[np.int64], anchors: NDArray[np.int64]) -> Floats:
        """x, y and size of a pixel of keypoints, in upright pixels; `anchors`: the numbers of their anchors."""
        # One coordinate after the other: numpy is several times as slow with rows of two or three values.
        points = np.empty((3, len(keypoints)), np.float32)
        points[2] = pixel_sizes(self.finest[anchors], self.levels[keypoints])
        for axis in (0, 1):
            points[axis] = self.middles[:, axis][anchors]
            points[axis] += places(self.offsets[:, axis][keypoints], points[2])
        return points.T
