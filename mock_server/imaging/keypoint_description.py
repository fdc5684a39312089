"""Descriptions of keypoints: 64 signs that are alike wherever the same place is shown.

The gradients around a place are pooled over 4 x 4 cells in four directions, and projected on 64 axes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mock_server.imaging.lucas_kanade import Floats

# A description pools over blocks of this many pixels a side; each of its 4 x 4 cells has 2 x 2 of the 5 x 5 blocks.
_BLOCK = 4
_BLOCKS = 5
# Half the side of what is described, in pixels, and the side of what its gradients are computed from.
REACH = _BLOCK * _BLOCKS // 2
SIDE = 2 * REACH + 2

BITS = 64
"""Bits of a description."""


@dataclass(frozen=True, slots=True)
class DetectedKeypoints:
    """`points`: x, y and the size of a pixel of the keypoint's level. `patches`: the smoothed pixels around each."""

    points: Floats
    patches: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class DescribedKeypoints:
    """`points`: as above. `values`: of shape (keypoints, BITS).

    The signs of the values are the descriptions; the larger a value, the surer its sign.
    """

    points: Floats
    values: Floats

    def codes(self) -> NDArray[np.uint64]:
        """The signs of the values, as one number for each keypoint."""
        return np.packbits(self.values > 0, axis=1, bitorder="little").view(np.uint64).ravel()


def describe(levels: Sequence[DetectedKeypoints]) -> DescribedKeypoints:
    """The keypoints of all levels with the projections of the pooled gradients around them."""
    # Places last: one operation then runs over all of them.
    patches = np.concatenate([NO_KEYPOINTS.patches, *(level.patches for level in levels)]).transpose(1, 2, 0).copy()
    across = patches[1:-1, 2:] - patches[1:-1, :-2]
    down = patches[2:, 1:-1] - patches[:-2, 1:-1]
    blocks = np.empty((2, 2, _BLOCKS, _BLOCKS, patches.shape[2]), np.float32)
    for (rising, falling), gradients in zip(blocks, (across, down), strict=True):
        rising[:] = _pooled(np.maximum(gradients, 0))
        falling[:] = _pooled(np.maximum(-gradients, 0))
    # Cells overlap by half: each is the mean of 2 x 2 blocks.
    pairs = blocks[..., 1:, :] + blocks[..., :-1, :]
    values = np.sqrt((pairs[:, :, 1:] + pairs[:, :, :-1]).reshape(BITS, -1))
    values -= values.mean(axis=0)
    values /= np.maximum(np.linalg.norm(values, axis=0), 1e-3)
    points = np.concatenate([NO_KEYPOINTS.points, *(level.points for level in levels)])
    return DescribedKeypoints(points, values.T @ _PROJECTION)


def _pooled(gradients: NDArray[np.int16]) -> NDArray[np.uint16]:
    """The sums over blocks; a block's 16 gradients of at most 9 x 255 fit into 16 bits."""
    blocks = gradients.view(np.uint16).reshape(_BLOCKS, _BLOCK, _BLOCKS, _BLOCK, -1)
    sums: NDArray[np.uint16] = blocks.sum(axis=(1, 3), dtype=np.uint16)
    return sums


def _hadamard(size: int) -> NDArray[np.float32]:
    matrix = np.ones((1, 1), np.float32)
    while len(matrix) < size:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix / np.float32(np.sqrt(size))


# Orthogonal: a Hadamard matrix with the signs of its rows from a fixed sequence, so that each bit depends on all cells.
_SIGNS = np.where(np.frombuffer(bytes((37 * n * n + 11 * n + n // 7) % 251 for n in range(BITS)), np.uint8) % 2, 1, -1)
_PROJECTION = (_SIGNS[:, None] * _hadamard(BITS)).astype(np.float32)

NO_KEYPOINTS = DetectedKeypoints(np.zeros((0, 3), np.float32), np.zeros((0, SIDE, SIDE), np.int16))
