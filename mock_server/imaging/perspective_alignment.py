"""Lucas-Kanade alignment of a text in perspective: with all eight degrees of freedom of a homography.

Where a camera looks at a long text from the side, its near end is larger than its far one. Neither a scale and a shift
nor an affine map lays a reference on all of its characters then.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mock_server.imaging.affine_alignment import part_around
from mock_server.imaging.geometry import Affine, Corners, Frame
from mock_server.imaging.lucas_kanade import Alignment, Floats, SampledGrid, correlate, gradients

# Steps at most, the move in cells that ends them, and the longest move of one step.
_STEPS = 8
_CONVERGED = 0.02
_MAX_STEP = 1.5
# Prior on a step: noise variance of a cell (grey levels squared), and the expected move in cells.
_NOISE_VARIANCE = 100.0
_EXPECTED_MOVE = 2.0
# Gain (contrast of the image over that of the reference) below which the two have nothing in common.
_MIN_GAIN = 0.05
# How much nearer or farther than its centre a corner may lie, as a share of the centre's distance.
_MAX_CHANGE_OF_DISTANCE = 0.5
# Least gain of correlation that makes the result worth a comparison.
_MIN_BETTER = 0.001

Homography = NDArray[np.float64]
"""3 x 3: maps (x, y, 1) of one plane to another, up to a factor."""


def align_in_perspective(reference: Floats, image: Image.Image, start: Alignment) -> Alignment | None:
    """`start` with the samples that correlate best with a reference grid under a homography.

    Its frame becomes the mean of the text's edges there. None where the correlation is hardly better.
    """
    rows, columns = reference.shape
    frame = start.frame
    cells = Affine(frame.width / columns, 0, frame.left, 0, frame.height / rows, frame.top)
    part, to_part = part_around(image, cells, reference.shape)
    here = _matrix(to_part.after(cells)) @ _centred(rows, columns)
    inside = (start.samples.rows, start.samples.columns)
    solver = _Solver(reference, inside)
    best: tuple[Floats, Homography] | None = None
    highest = -1.0
    for step in range(_STEPS + 1):
        sent = _sampled(part, here @ np.linalg.inv(_centred(rows, columns)), (columns, rows))[inside]
        correlation = correlate(reference[inside], sent)
        if step == 0:
            # Pixels are interpolated in another way than in `start`.
            highest = correlation + _MIN_BETTER
        elif correlation > highest:
            best, highest = (sent, here), correlation
        if step < _STEPS:
            here, moved = solver.step(here, sent)
            if moved < _CONVERGED or not _is_plausible(here):
                break
    if best is None:
        return None
    samples = SampledGrid(best[0], start.samples.columns, start.samples.rows)
    corners = _corners(_matrix(to_part.inverse) @ best[1])
    return Alignment(_mean_frame(corners), samples, highest, corners)


def _is_plausible(matrix: Homography) -> bool:
    """Whether no part of the square from -1 to 1 lies far nearer or farther than its centre."""
    by_x, by_y, distance = np.abs(matrix[2]).tolist()
    return bool(by_x + by_y < _MAX_CHANGE_OF_DISTANCE * distance)


def _corners(matrix: Homography) -> Corners:
    """Where `matrix` maps the corners of the square from -1 to 1 to."""
    across, down, scale = matrix @ np.array([(-1, 1, 1, -1), (-1, -1, 1, 1), (1, 1, 1, 1)], dtype=np.float64)
    return tuple(zip((across / scale).tolist(), (down / scale).tolist(), strict=True))


def _mean_frame(corners: Corners) -> Frame:
    """The level frame whose edges are the means of those between these corners."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners
    left, top = (x0 + x3) / 2, (y0 + y1) / 2
    return Frame(left, top, (x1 + x2) / 2 - left, (y2 + y3) / 2 - top)


def _sampled(part: Image.Image, matrix: Homography, size: tuple[int, int]) -> Floats:
    """A grid of this size, whose cells `matrix` maps to pixels of a part of an image."""
    coefficients = (matrix / matrix[2, 2]).ravel()[:8].tolist()
    cells = part.transform(size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC)
    return np.asarray(cells, dtype=np.float32)


def _matrix(affine: Affine) -> Homography:
    return np.array([[affine.xx, affine.xy, affine.x0], [affine.yx, affine.yy, affine.y0], [0, 0, 1]], dtype=np.float64)


def _centred(rows: int, columns: int) -> Homography:
    """From positions between -1 and 1, which keep the normal equations well conditioned, to cells."""
    return np.array([[columns / 2, 0, columns / 2], [0, rows / 2, rows / 2], [0, 0, 1]], dtype=np.float64)


class _Solver:
    """Steps towards one reference grid; the normal equations depend on it, and on what of it is visible, alone."""

    def __init__(self, reference: Floats, inside: tuple[slice, slice]) -> None:
        rows, columns = reference.shape
        known = reference[inside]
        down, across = gradients(known)
        u = np.linspace(-1, 1, columns, dtype=np.float32)[None, inside[1]]
        v = np.linspace(-1, 1, rows, dtype=np.float32)[inside[0], None]
        # A move of (x, y) cells at each position; the last two bend the plane towards an edge.
        self._half = (columns / 2, rows / 2)
        along = across * (u * self._half[0]) + down * (v * self._half[1])
        longest = max(self._half)
        moves = [across, across * u, across * v, down, down * u, down * v, along * u / longest, along * v / longest]
        self._terms = np.stack([known, np.ones_like(known), *moves]).reshape(10, -1)
        products = (self._terms @ self._terms.T).astype(np.float64)
        products.flat[::11] += np.diag(products) * 1e-4 + 1e-3
        products[2:, 2:] += np.eye(8) * (_NOISE_VARIANCE / _EXPECTED_MOVE**2)
        self._solution = np.linalg.inv(products)
        self._longest = longest

    def step(self, here: Homography, sent: Floats) -> tuple[Homography, float]:
        """The map from centred positions after one step, and how far it moved, in cells."""
        gain, _, *moves = self._solution @ (self._terms @ sent.ravel()).astype(np.float64)
        if gain <= _MIN_GAIN:
            return here, 0.0
        # The solution moves the reference onto the samples; the map moves the other way.
        x, xu, xv, y, yu, yv, pu, pv = (min(max(-float(move / gain), -_MAX_STEP), _MAX_STEP) for move in moves)
        half_width, half_height = self._half
        move = np.array(
            [
                [1 + xu / half_width, xv / half_width, x / half_width],
                [yu / half_height, 1 + yv / half_height, y / half_height],
                [-pu / self._longest, -pv / self._longest, 1],
            ]
        )
        return here @ move, max(abs(one) for one in (x, xu, xv, y, yu, yv, pu, pv))
