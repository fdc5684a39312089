"""The keypoints of all references in a few arrays, which hold each of them once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mock_server.imaging.anchors import Anchor, pixel_sizes, places
from mock_server.imaging.lucas_kanade import Floats


@dataclass(frozen=True, slots=True)
class KeypointPool:
    """The anchors of all references, whose arrays are parts of those of the pool.

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
        starts = np.cumsum([0, *(len(anchor.codes) for anchor in anchors)])
        codes = np.concatenate([np.zeros(0, np.uint64), *(anchor.codes for anchor in anchors)])
        offsets = np.concatenate([np.zeros((0, 2), np.int16), *(anchor.offsets for anchor in anchors)])
        levels = np.concatenate([np.zeros(0, np.uint8), *(anchor.levels for anchor in anchors)])
        return cls(
            tuple(
                replace(anchor, codes=codes[first:last], offsets=offsets[first:last], levels=levels[first:last])
                for anchor, first, last in zip(anchors, starts.tolist(), starts[1:].tolist(), strict=False)
            ),
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
