"""Keypoints: small distinctive places of a grey picture, found and described alike at any size of the picture.

They find a picture again of which only a part is sent, or which is only a part of what is sent. A place is a blob or
a corner: the Hessian's determinant is largest there. It is described by 64 signs, which are alike wherever the same
place is shown: the gradients around it are pooled over 4 x 4 cells in four directions, and projected on 64 axes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.geometry import Frame
from mock_server.imaging.lucas_kanade import Floats

# Ratio of the sizes of two neighbouring levels. Two pictures of any sizes then have levels within 1.13 of each other.
LEVEL_RATIO = 2 ** (1 / 3)
# The same of a sent picture: the references' levels are dense enough for both.
_SENT_RATIO = LEVEL_RATIO**2
# The step of the second differences, in pixels.
_STEP = 2
# Rows whose differences are computed at once: they stay in the processor's cache.
_BAND = 64
# Side in pixels of the squares of which each has one keypoint at most.
_SQUARE = 6
# Pixels at the edges in which no keypoint lies.
_EDGE = 4
# Least determinant of a keypoint; of sums of nine grey levels, to the second power.
_MIN_RESPONSE = 20.0 * 81
# How many squares, the strongest, are searched for a peak, for each keypoint that is wanted.
_EXAMINED = 3

# A sent picture: pixels of the first copy that is searched at most, the longer side at least to which a small picture
# is enlarged, and by how much at most.
_PIXELS = 480_000
_LEAST_SIDE = 400
_MAX_ENLARGED = 4.0
# Keypoints of one of its levels at most, and the shorter side of the last level.
_COUNT = 120
_MIN_SIDE = 16

# A description pools over blocks of this many pixels a side; each of its 4 x 4 cells has 2 x 2 of the 5 x 5 blocks.
_BLOCK = 4
_BLOCKS = 5
# Half the side of what is described, in pixels, and the side of what its gradients are computed from.
REACH = _BLOCK * _BLOCKS // 2
SIDE = 2 * REACH + 2

BITS = 64
"""Bits of a description."""

_Number = TypeVar("_Number", np.int16, np.float32)


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


def first_reduction(size: tuple[int, int]) -> int:
    """The whole number by which a picture of this size is reduced for the first level."""
    return max(1, int(np.ceil(np.sqrt(size[0] * size[1] / _PIXELS))))


def all_keypoints(image: Image.Image, size: tuple[int, int] | None = None) -> DescribedKeypoints:
    """The keypoints of all levels of a grey picture, in pixels of it.

    `size`: of the picture, where `image` is a copy of it that is reduced already.
    """
    whole = size or image.size
    # Reduced by a whole number, which is several times as fast as any other way to a smaller copy.
    level = image.reduce(max(1, first_reduction(whole) * image.width // whole[0]))
    scale = level.width / whole[0]
    if max(whole) < _LEAST_SIDE:
        scale = min(_LEAST_SIDE / max(whole), _MAX_ENLARGED, float(np.sqrt(_PIXELS / (whole[0] * whole[1]))))
    found: list[DetectedKeypoints] = []
    while min(whole) * scale >= _MIN_SIDE:
        level_size = (max(1, round(whole[0] * scale)), max(1, round(whole[1] * scale)))
        level = level.resize(level_size, Image.Resampling.BILINEAR) if level_size != level.size else level
        found.append(detect(level, _COUNT, (0, 0, *whole)))
        scale /= _SENT_RATIO
    return describe(found)


def detect(
    level: Image.Image, count: int, part: tuple[int, int, int, int], inner: Frame | None = None
) -> DetectedKeypoints:
    """The `count` strongest keypoints of a level that is a copy of a part of a picture, in pixels of the picture.

    `inner`: a frame of the picture in which as many are found as in the rest.
    """
    smooth = _smoothed(level)
    if min(smooth.shape) <= 2 * (_EDGE + _STEP) + _SQUARE:
        return NO_KEYPOINTS
    left, top, right, bottom = part
    x_step, y_step = (right - left) / level.width, (bottom - top) / level.height
    response = _determinants(smooth)
    largest, rows, columns = _squares(response)
    groups = [np.arange(len(largest))]
    if inner is not None:
        across = left + (_SQUARE * (columns + 0.5) + _EDGE) * x_step - inner.left
        down = top + (_SQUARE * (rows + 0.5) + _EDGE) * y_step - inner.top
        is_inner = (across >= 0) & (across < inner.width) & (down >= 0) & (down < inner.height)
        groups = [np.flatnonzero(is_inner), np.flatnonzero(~is_inner)]
    found = [_strongest_peaks(response, largest[some], rows[some], columns[some], count) for some in groups]
    x, y = (np.concatenate(places) for places in zip(*found, strict=True))
    points = np.empty((len(x), 3), np.float32)
    points[:, 0] = left + (x + 0.5) * x_step
    points[:, 1] = top + (y + 0.5) * y_step
    points[:, 2] = np.sqrt(x_step * y_step)
    return DetectedKeypoints(points, _surroundings(smooth, x, y))


def _smoothed(level: Image.Image) -> NDArray[np.int16]:
    """The sums of the 3 x 3 pixels around each pixel; those at the edges are repeated."""
    pixels = np.pad(np.asarray(level, dtype=np.int16), 1, mode="edge")
    rows = pixels[:-2] + pixels[1:-1]
    rows += pixels[2:]
    smooth: NDArray[np.int16] = rows[:, :-2] + rows[:, 1:-1]
    smooth += rows[:, 2:]
    return smooth


def _squares(response: Floats) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp]]:
    """The largest determinants of the squares that may have a keypoint, and the rows and columns of the squares."""
    rows, columns = ((side - 2 * (_EDGE - _STEP)) // _SQUARE for side in response.shape)
    first = _EDGE - _STEP
    inner = response[first : first + rows * _SQUARE, first : first + columns * _SQUARE]
    # Columns are reduced last: rows lie one after another in memory.
    by_row = inner.reshape(rows, _SQUARE, columns * _SQUARE).max(axis=1)
    largest = np.maximum.reduce([by_row[:, place::_SQUARE] for place in range(_SQUARE)]).ravel()
    squares = np.flatnonzero(largest > _MIN_RESPONSE)
    return largest[squares], *np.divmod(squares, columns)


def _strongest_peaks(
    response: Floats, largest: Floats, rows: NDArray[np.intp], columns: NDArray[np.intp], count: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Columns and rows in the picture of the `count` strongest local maxima of these squares, the strongest first."""
    # Most squares hold no strong peak.
    examined = np.argsort(-largest, kind="stable")[: _EXAMINED * count]
    x, y, strength = _peaks(response, rows[examined], columns[examined])
    order = np.argsort(-strength, kind="stable")[:count]
    order = order[strength[order] > 0]
    return x[order], y[order]


def _determinants(smooth: NDArray[np.int16]) -> Floats:
    """The determinant of the Hessian at each pixel that is at least a step from the edges."""
    response = np.empty((smooth.shape[0] - 2 * _STEP, smooth.shape[1] - 2 * _STEP), np.float32)
    for top in range(0, len(response), _BAND):
        band = smooth[top : top + _BAND + 2 * _STEP]
        across, down = _differences(band[_STEP:-_STEP], 1), _differences(band[:, _STEP:-_STEP], 0)
        xx, yy = _differences(across, 1), _differences(down, 0)
        wide = band[:, 2 * _STEP :] - band[:, : -2 * _STEP]
        xy = (wide[2 * _STEP :] - wide[: -2 * _STEP]).astype(np.float32)
        xy *= xy
        xy *= np.float32(1 / 16)
        np.multiply(xx, yy, out=response[top : top + _BAND], dtype=np.float32)
        response[top : top + _BAND] -= xy
    return response


def _differences(values: NDArray[np.int16], axis: int) -> NDArray[np.int16]:
    """Of the pixels that are a step apart, along an axis."""
    if axis:
        return values[:, _STEP:] - values[:, :-_STEP]
    return values[_STEP:] - values[:-_STEP]


def _peaks(
    response: Floats, row: NDArray[np.intp], column: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Columns and rows in the picture, and values, of these squares' maxima; 0 for the slope of another square's."""
    first = _EDGE - _STEP
    corners = (first + row * _SQUARE, first + column * _SQUARE)
    best = _parts(response, *corners, _SQUARE).argmax(axis=1)
    y, x = corners[0] + best // _SQUARE, corners[1] + best % _SQUARE
    strength = response[y, x]
    # No square touches the edges of the response.
    strength[strength < _parts(response, y - 1, x - 1, 3).max(axis=1)] = 0
    return x + _STEP, y + _STEP, strength


def _parts(values: NDArray[_Number], y: NDArray[np.intp], x: NDArray[np.intp], side: int) -> NDArray[_Number]:
    """The squares of `side` pixels with these upper left corners, one a row."""
    width = values.shape[1]
    offsets = (width * np.arange(side)[:, None] + np.arange(side)).ravel()
    parts: NDArray[_Number] = values.ravel()[(width * y + x)[:, None] + offsets]
    return parts


def _surroundings(smooth: NDArray[np.int16], x: NDArray[np.intp], y: NDArray[np.intp]) -> NDArray[np.int16]:
    """The squares that describe these places, of shape (places, side, side); the picture's edges are repeated."""
    windows = sliding_window_view(np.pad(smooth, REACH + 1, mode="edge"), (SIDE, SIDE))
    patches: NDArray[np.int16] = windows[y, x]
    return patches


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
