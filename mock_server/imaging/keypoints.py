"""Keypoints: small distinctive places of a grey picture, found and described alike at any size of the picture.

They find a picture again of which only a part is sent, or which is only a part of what is sent. A place is a blob or
a corner: the Hessian's determinant is largest there. It is described by the gradients around it, pooled over 4 x 4
cells in four directions, reduced to the signs of 64 projections.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mock_server.imaging.geometry import Frame
from mock_server.imaging.lucas_kanade import Floats
from mock_server.imaging.pixel_transforms import Grey

# Ratio of the sizes of two neighbouring levels. Two pictures of any sizes then have levels within 1.13 of each other.
LEVEL_RATIO = 2 ** (1 / 3)
# The step of the second differences, in pixels.
_STEP = 2
# Side in pixels of the squares of which each has one keypoint at most.
_SQUARE = 6
# A description pools over blocks of this many pixels a side; each of its 4 x 4 cells has 2 x 2 of the 5 x 5 blocks.
_BLOCK = 4
_BLOCKS = 5
# Pixels at the edges in which no keypoint lies.
_EDGE = 4
# Half the side of what is described, in pixels.
_REACH = _BLOCK * _BLOCKS // 2
# Least determinant of a keypoint, in grey levels to the fourth.
_MIN_RESPONSE = 20.0

# A sent picture: pixels of the first copy that is searched at most, the longer side at least to which a small picture
# is enlarged, and by how much at most.
_PIXELS = 550_000
_LEAST_SIDE = 400
_MAX_ENLARGED = 4.0
# Keypoints of one of its levels at most, and the shorter side of the last level.
_COUNT = 80
_MIN_SIDE = 16

BITS = 64
"""Bits of a description."""


@dataclass(frozen=True, slots=True)
class DescribedKeypoints:
    """`points`: x, y and the size of a pixel of the keypoint's level. `values`: of shape (keypoints, BITS).

    The signs of the values are the descriptions; the larger a value, the surer its sign.
    """

    points: Floats
    values: Floats

    def codes(self) -> NDArray[np.uint64]:
        """The signs of the values, as one number for each keypoint."""
        return np.packbits(self.values > 0, axis=1, bitorder="little").view(np.uint64).ravel()


def all_keypoints(image: Image.Image) -> DescribedKeypoints:
    """The keypoints of all levels of a grey picture, in pixels of it."""
    scale = min(max(1.0, _LEAST_SIDE / max(image.size)), _MAX_ENLARGED)
    scale = min(scale, float(np.sqrt(_PIXELS / (image.width * image.height))))
    found = [DescribedKeypoints(np.zeros((0, 3), np.float32), np.zeros((0, BITS), np.float32))]
    level = image
    while min(image.size) * scale >= _MIN_SIDE:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        level = level.resize(size, Image.Resampling.BILINEAR)
        found.append(level_keypoints(level, _COUNT, (0, 0, *image.size)))
        scale /= LEVEL_RATIO
    return DescribedKeypoints(
        np.concatenate([one.points for one in found]), np.concatenate([one.values for one in found])
    )


def level_keypoints(
    level: Image.Image, count: int, part: tuple[int, int, int, int], inner: Frame | None = None
) -> DescribedKeypoints:
    """The `count` strongest keypoints of a level that is a copy of a part of a picture, in pixels of the picture.

    `inner`: a frame of the picture in which as many are found as in the rest.
    """
    smooth = np.asarray(level.filter(ImageFilter.BoxBlur(1)))
    x, y, strength = _places(smooth.astype(np.int16))
    left, top, right, bottom = part
    x_step, y_step = (right - left) / level.width, (bottom - top) / level.height
    chosen = _strongest(strength, count)
    if inner is not None:
        across, down = left + x * x_step - inner.left, top + y * y_step - inner.top
        is_inner = (across >= 0) & (across < inner.width) & (down >= 0) & (down < inner.height)
        groups = np.flatnonzero(is_inner), np.flatnonzero(~is_inner)
        chosen = np.concatenate([group[_strongest(strength[group], count)] for group in groups])
    x, y = x[chosen], y[chosen]
    points = np.empty((len(x), 3), np.float32)
    points[:, 0] = left + (x + 0.5) * x_step
    points[:, 1] = top + (y + 0.5) * y_step
    points[:, 2] = np.sqrt(x_step * y_step)
    return DescribedKeypoints(points, _described(smooth, x, y))


def _strongest(strength: Floats, count: int) -> NDArray[np.intp]:
    """Numbers of the `count` strongest places, in their order."""
    return np.sort(np.argsort(-strength, kind="stable")[:count])


def _places(values: NDArray[np.int16]) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Columns, rows and strengths of local maxima of the Hessian's determinant."""
    none = np.zeros(0, np.intp)
    if min(values.shape) <= 2 * (_EDGE + _STEP) + _SQUARE:
        return none, none, np.zeros(0, np.float32)
    step = _STEP
    middle = values[step:-step, step:-step]
    xx = (values[step:-step, 2 * step :] + values[step:-step, : -2 * step] - 2 * middle).astype(np.float32)
    yy = (values[2 * step :, step:-step] + values[: -2 * step, step:-step] - 2 * middle).astype(np.float32)
    xy = values[2 * step :, 2 * step :] + values[: -2 * step, : -2 * step]
    xy -= values[2 * step :, : -2 * step]
    xy -= values[: -2 * step, 2 * step :]
    response = xx * yy
    xy_squared = xy.astype(np.float32)
    xy_squared *= xy_squared
    response -= xy_squared * np.float32(1 / 16)
    rows, columns = ((side - 2 * (_EDGE - step)) // _SQUARE for side in response.shape)
    first = _EDGE - step
    inner = response[first : first + rows * _SQUARE, first : first + columns * _SQUARE]
    squares = inner.reshape(rows, _SQUARE, columns, _SQUARE).transpose(0, 2, 1, 3).reshape(rows * columns, -1)
    best = squares.argmax(axis=1)
    strength = squares[np.arange(len(best)), best]
    row, column = np.divmod(np.arange(len(best)), columns)
    y = first + row * _SQUARE + best // _SQUARE
    x = first + column * _SQUARE + best % _SQUARE
    # A square's maximum at its border may be the slope of another square's.
    is_peak = strength > _MIN_RESPONSE
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            neighbour = response[
                np.clip(y + down, 0, response.shape[0] - 1), np.clip(x + across, 0, response.shape[1] - 1)
            ]
            is_peak &= strength >= neighbour
    return x[is_peak] + step, y[is_peak] + step, strength[is_peak]


def _described(smooth: Grey, x: NDArray[np.intp], y: NDArray[np.intp]) -> Floats:
    """The projections of the pooled gradients around these places."""
    padded = np.pad(smooth, _REACH + 1, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * _REACH + 2, 2 * _REACH + 2))
    patches = windows[y, x].astype(np.int16)
    across = patches[:, 1:-1, 2:] - patches[:, 1:-1, :-2]
    down = patches[:, 2:, 1:-1] - patches[:, :-2, 1:-1]
    one_way = np.stack([across, -across, down, -down], axis=1)
    np.maximum(one_way, 0, out=one_way)
    # Cells overlap by half: each is the mean of 2 x 2 blocks.
    shape = (len(x), 4, _BLOCKS, _BLOCK, _BLOCKS, _BLOCK)
    blocks = one_way.reshape(shape).sum(axis=(3, 5), dtype=np.float32)
    pairs = blocks[:, :, :, 1:] + blocks[:, :, :, :-1]
    values = np.sqrt((pairs[:, :, 1:] + pairs[:, :, :-1]).reshape(len(x), BITS))
    values -= values.mean(axis=1, keepdims=True)
    values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-3)
    projected: Floats = values @ _PROJECTION
    return projected


def _hadamard(size: int) -> NDArray[np.float32]:
    matrix = np.ones((1, 1), np.float32)
    while len(matrix) < size:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix / np.float32(np.sqrt(size))


# Orthogonal: a Hadamard matrix with the signs of its rows from a fixed sequence, so that each bit depends on all cells.
_SIGNS = np.where(np.frombuffer(bytes((37 * n * n + 11 * n + n // 7) % 251 for n in range(BITS)), np.uint8) % 2, 1, -1)
_PROJECTION = (_SIGNS[:, None] * _hadamard(BITS)).astype(np.float32)
